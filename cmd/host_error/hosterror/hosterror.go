// Package hosterror is host_error: its flags, and how they become a request. It is apart from the
// program so that the scenarios of test/scenarios can run it in virtual time.
package hosterror

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
)

const examples = `host_error HOST -r|-d|-m [y|n] [options]

   HOST is the ID of the host, or its template in base64 as oned gives it; at a
   terminal also its name. With no arguments all of them are read from standard
   input, as oned 5.10 and later gives them with ARGUMENTS_STDIN = yes.

   By hand:
     host_error 3 -r n --dry-run     what would happen to the VMs of host 3
     host_error 3 -r n               recreate them; leave suspended and powered-off VMs
     host_error 3 -r y               recreate those, too (the same as -f)
     host_error 3 -d n               delete them
     host_error 3 -m                 let the scheduler move them (shared storage)
     host_error 3 -r n --fence-first fence at once, then recreate

   Fencing, for a host with an IPMI BMC: its template (onehost update 3) gets
     FENCE_AGENT         = "fence_ipmilan"
     FENCE_IP            = "10.0.0.11"
     FENCE_USER          = "admin"
     FENCE_PASSWORD_FILE = "node3"      (a file in /etc/one/fence, mode 0600)
     FENCE_LANPLUS       = "1"
     FENCE_CIPHER        = "3"          (or 17; without it ipmitool may ask the BMC for 14 s first)

   As a hook: oneft hooks print shows its definition for your OpenNebula, oneft hooks install installs it.

   At a terminal it asks y/N first when nothing would prove the host off; --yes does not ask. A hook
   is never asked.

   Exit codes: 0 done, 1 some VM was not handled, 2 wrong usage, 3 refused for safety, also
   by an answer of no, and by --dry-run for a host that would be refused.`

// Tool is the tool that recovers the VMs of a failed host.
func Tool() app.Tool {
	var request incident.Request
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
			&cli.DurationFlag{Name: "wait", Usage: "watch the host for this `TIME` first, instead of -p"},
			&cli.StringSliceFlag{Name: "confirm", Usage: "ask `COMMAND` with its arguments before anything is done: exit code 0 means that the host is alive; its program is an absolute path; may be repeated"},
			&app.ValuesFlag{Values: []string{config.FencingAuto, config.FencingRequired, config.FencingOff}, StringFlag: cli.StringFlag{
				Name: "fencing", Value: config.Default().Fencing, Usage: "`WHEN` to prove the host off: auto (if fencing is configured for it, else continue with a warning), required (no proof, no action), off"}},
			&cli.BoolFlag{Name: "no-fencing", Aliases: []string{"u"}, Usage: "the same as --fencing off"},
			&cli.BoolFlag{Name: "fence-first", Usage: "fence at once instead of watching the host"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask at a terminal before VMs are started elsewhere although nothing proves that the host is off: for scripts"},
			&cli.BoolFlag{Name: "override-storm", Usage: "go on although many hosts have failed: for an operator who knows that they are off"},
		},
		Check: func(c *cli.Context, word hook.YesNo) (err error) {
			request, err = flags(c, word)
			return err
		},
		Act: func(ctx context.Context, s app.Session) (app.Answer, error) { return act(ctx, s, request) },
	}
}

// flags are what the flags of host_error ask for.
func flags(c *cli.Context, word hook.YesNo) (q incident.Request, err error) {
	mode, err := app.OneOf(c, "action", "-r", "-d", "-m")
	fencing := c.String("fencing")
	switch {
	case err != nil:
		return q, err
	case c.Bool("force") && word == hook.No:
		return q, app.Usagef("-f and n contradict each other: -f (or y) includes suspended and powered-off VMs, n leaves them")
	case c.Int("pause") < 0 || c.Int("pause") > 1000:
		return q, app.Usagef("-p %d: allowed are 0 to 1000 monitoring cycles", c.Int("pause"))
	case c.Duration("interval") < 0 || c.Duration("wait") < 0:
		return q, app.Usagef("--interval and --wait must not be negative")
	case c.IsSet("pause") && c.IsSet("wait"):
		return q, app.Usagef("-p and --wait contradict each other: both say how long to watch the host")
	case c.Bool("no-fencing") && c.IsSet("fencing") && fencing != config.FencingOff:
		return q, app.Usagef("-u and --fencing %s contradict each other", fencing)
	case c.Bool("fence-first") && c.Bool("no-fencing"):
		return q, app.Usagef("--fence-first and -u contradict each other")
	}
	modes := map[string]recovery.Mode{"-r": recovery.Recreate, "-d": recovery.Delete, "-m": recovery.Migrate}
	q = incident.Request{Action: string(modes[mode]), Idle: c.Bool("force") || word == hook.Yes, Override: c.Bool("override-storm")}
	switch {
	case c.Bool("no-fencing"):
		q.Fencing = config.FencingOff
	case c.IsSet("fencing"):
		q.Fencing = fencing
	}
	q.Opinions, err = opinions(c.StringSlice("confirm"))
	return q, err
}

// opinions are the programs of --confirm with their arguments.
func opinions(commands []string) (all [][]string, err error) {
	for _, words := range commands {
		argv := strings.Fields(words)
		switch {
		case len(argv) == 0:
			return nil, app.Usagef("--confirm is empty; give it a program by its absolute path, such as /usr/local/bin/is-alive --fast")
		case !filepath.IsAbs(argv[0]):
			return nil, app.Usagef("--confirm %s: the program is not an absolute path; write it as /usr/local/bin/is-alive --fast", text.Short(words, mostWords))
		}
		all = append(all, argv)
	}
	return all, nil
}

// canBeAsked refuses opinions whose programs cannot be run before anything is done: nobody would be asked whether the
// host is alive.
func canBeAsked(all [][]string) error {
	for _, argv := range all {
		if !process.Runnable(argv[0]) {
			return app.Usagef("--confirm %s: the program is not there or cannot be executed; nobody would be asked whether the host is alive", text.Short(strings.Join(argv, " "), mostWords))
		}
	}
	return nil
}

const mostWords = 120 // characters of a command in a message

// act completes the request with the configuration and the monitoring cycle, and does what it asks for.
func act(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	if s.RunProgram == nil { // else no file is run
		if err := canBeAsked(q.Opinions); err != nil {
			return nil, err
		}
	}
	v := s.Config.Values()
	wait, cycles := watched(s.Cli, v)
	watch, err := coordinator.Watch(ctx, s, wait, cycles, s.Cli.Duration("interval"))
	if err != nil {
		return nil, err
	}
	q.Confirm, q.FenceFirst = watch.Seconds(), app.Pick(s.Cli, "fence-first", v.FenceFirst)
	if s.Cli.Bool("yes") {
		s.Confirm = nil
	}
	return coordinator.ForHost(ctx, s, q)
}

// watched is for how long a host is watched: a time, and so many monitoring cycles.
func watched(c *cli.Context, v config.Values) (wait time.Duration, cycles int) {
	if c.IsSet("wait") || c.IsSet("pause") {
		return c.Duration("wait"), c.Int("pause")
	}
	return v.Wait, v.Cycles
}

// Line is what the arguments of a hook ask for.
type Line struct {
	Action  string // recreate, delete or migrate; "" when it says none
	Fencing string // auto, required or off; "" when it leaves that to the configuration
	call    *cli.Context
}

// ReadLine reads the words of the arguments of a hook as host_error does, any host in the place of $ID and $TEMPLATE. The
// error is why host_error would refuse all of them; the Line has what can be read.
func ReadLine(ctx context.Context, words []string) (l Line, err error) {
	words = slices.Clone(words)
	for i, word := range words {
		if word == "$ID" || word == "$TEMPLATE" {
			words[i] = "0"
		}
	}
	if l.call, err = app.Read(ctx, Tool().Command(), words); err != nil {
		return l, err
	}
	for name, mode := range map[string]recovery.Mode{"recreate": recovery.Recreate, "delete": recovery.Delete, "migrate": recovery.Migrate} {
		if l.call.Bool(name) {
			l.Action = string(mode)
		}
	}
	if l.call.IsSet("fencing") {
		l.Fencing = l.call.String("fencing")
	}
	if l.call.Bool("no-fencing") {
		l.Fencing = config.FencingOff
	}
	_, word, err := hook.Parse(hook.Host, l.call.Args().Slice())
	if err == nil {
		_, err = flags(l.call, word)
	}
	return l, err
}

// Watch is for how long such a hook watches a failed host, 0 when it fences it at once; cycle is a monitoring cycle.
func (l Line) Watch(v config.Values, cycle time.Duration) time.Duration {
	if l.call == nil {
		return v.Wait + time.Duration(v.Cycles)*cycle
	}
	if app.Pick(l.call, "fence-first", v.FenceFirst) {
		return 0
	}
	wait, cycles := watched(l.call, v)
	return wait + time.Duration(cycles)*cmp.Or(l.call.Duration("interval"), cycle)
}
