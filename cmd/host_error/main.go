// Command host_error recovers the VMs of a failed host. oned runs it as a
// HOST_HOOK on ERROR, and admins run it by hand.
package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/hook"
	"one-ft/pkg/recovery"
)

func main() { os.Exit(app.Main(tool())) }

const examples = `host_error HOST -r|-d|-m [y|n] [options]

   HOST is the ID of the host, or its template in base64 as oned gives it. With no
   arguments all of them are read from standard input, as oned 5.10 and later
   gives them with ARGUMENTS_STDIN = yes.

   By hand:
     host_error 3 -r n --dry-run     what would happen to the VMs of host 3
     host_error 3 -r n               recreate them; leave suspended and powered-off VMs
     host_error 3 -r y               recreate those, too (the same as -f)
     host_error 3 -d n               delete them
     host_error 3 -m                 let the scheduler move them (shared storage)

   As a hook, OpenNebula 4.4 to 5.8, in oned.conf ($ID, not $HID):
     HOST_HOOK = [ NAME = "host_error", ON = "ERROR", REMOTE = "no",
       COMMAND = "/var/lib/one/remotes/hooks/ft/host_error",
       ARGUMENTS = "$ID -r n -p 2" ]

   As a hook, OpenNebula 5.10 and later, a file for onehook create:
     NAME            = "host_error"
     TYPE            = "state"
     RESOURCE        = "HOST"
     STATE           = "ERROR"
     REMOTE          = "no"
     COMMAND         = "/var/lib/one/remotes/hooks/ft/host_error"
     ARGUMENTS       = "$TEMPLATE -r n -p 2"
     ARGUMENTS_STDIN = "yes"

   Exit codes: 0 done, 1 some VM was not handled, 2 wrong usage, 3 refused for safety.`

func tool() app.Tool {
	var job failover.HostJob
	return app.Tool{
		Name: "host_error", Object: hook.Host, Examples: examples,
		Summary: "recover the VMs of a failed host",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "recreate", Aliases: []string{"r"}, Usage: "recreate the VMs; disks that are not persistent are lost"},
			&cli.BoolFlag{Name: "delete", Aliases: []string{"d"}, Usage: "delete the VMs"},
			&cli.BoolFlag{Name: "migrate", Aliases: []string{"m"}, Usage: "move the VMs; only for a shared system datastore"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "include suspended and powered-off VMs, like y"},
			&cli.IntFlag{Name: "pause", Aliases: []string{"p"}, Usage: "watch the host for this `NUMBER` of monitoring cycles first; if it comes back nothing is done"},
			&cli.DurationFlag{Name: "interval", Usage: "`TIME` of a monitoring cycle", DefaultText: "as oned or monitord.conf say"},
			&cli.BoolFlag{Name: "no-fencing", Aliases: []string{"u"}, Usage: "accepted for the hook lines of host_error.rb; this version does not fence, and says so"},
		},
		Check: func(c *cli.Context, word hook.YesNo) (err error) {
			job, err = hostJob(c, word)
			return err
		},
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) { return act(ctx, s, job) },
	}
}

// hostJob reads the flags of host_error.
func hostJob(c *cli.Context, word hook.YesNo) (failover.HostJob, error) {
	mode, err := hook.OneOf("action",
		hook.Choice{Flag: "-r", Set: c.Bool("recreate")}, hook.Choice{Flag: "-d", Set: c.Bool("delete")}, hook.Choice{Flag: "-m", Set: c.Bool("migrate")})
	switch {
	case err != nil:
		return failover.HostJob{}, err
	case c.Bool("force") && word == hook.No:
		return failover.HostJob{}, app.Usagef("-f and n contradict each other: -f (or y) includes suspended and powered-off VMs, n leaves them")
	case c.Int("pause") < 0 || c.Int("pause") > 1000:
		return failover.HostJob{}, app.Usagef("-p %d: allowed are 0 to 1000 monitoring cycles", c.Int("pause"))
	case c.Duration("interval") < 0:
		return failover.HostJob{}, app.Usagef("--interval %s: it must not be negative", c.Duration("interval"))
	}
	modes := map[string]recovery.Mode{"-r": recovery.Recreate, "-d": recovery.Delete, "-m": recovery.Migrate}
	return failover.HostJob{Policy: recovery.Policy{Mode: modes[mode], Idle: c.Bool("force") || word == hook.Yes}}, nil
}

func act(ctx context.Context, s app.Session, job failover.HostJob) (app.Answer, error) {
	job.HostID, job.Dialect = s.ID, s.Dialect
	cycles, interval := s.Cli.Int("pause"), s.Cli.Duration("interval")
	if cycles > 0 && interval == 0 && !s.DryRun {
		var source string
		var err error
		if interval, source, err = failover.Interval(ctx, s.Client, filepath.Join(s.Paths.Etc, "monitord.conf")); err != nil {
			return nil, err
		}
		s.Log.Info("a monitoring cycle is %s (%s)", interval, source)
	}
	job.Confirm = time.Duration(cycles) * interval
	if !s.DryRun {
		s.Log.Warn("fencing is off: if host %d still runs its VMs, they will run twice", s.ID)
	}
	report, err := failover.Host(ctx, s.Client, failover.Locks(s), job, failover.NewOptions(s))
	if errors.Is(err, failover.ErrNoHost) {
		err = app.Usagef("%w; onehost list shows the hosts", err)
	}
	return report, err
}
