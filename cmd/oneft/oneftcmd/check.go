package oneftcmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/cmd/host_error/hosterror"
	"one-ft/pkg/app"
	"one-ft/pkg/check"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/downtime"
	"one-ft/pkg/incident"
	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/pkg/reconcile"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/timing"
)

// checkWait is how long a check waits for oned: a check that takes minutes is of no use.
const checkWait = 10 * time.Second

// check is the command that says whether it would work now.
func (t *tool) check() *cli.Command {
	flags := append([]cli.Flag{
		&cli.BoolFlag{Name: "no-fencing", Usage: "do not ask fence agents for their status"},
		&cli.BoolFlag{Name: "watch", Usage: "go on until it is interrupted: the verdict, what is wrong, and what goes on; agents are not asked"},
		&cli.StringFlag{Name: "prometheus", Usage: "write the result to `FILE` for the textfile collector of node_exporter; its name ends in .prom"},
		&cli.DurationFlag{Name: "oned-wait", Value: checkWait, Usage: "keep trying for this `TIME` while oned does not answer"},
		// A check changes nothing: no locks are made.
		&cli.BoolFlag{Name: "dry-run", Value: true, Hidden: true},
	}, app.ConnectFlags()...)
	return &cli.Command{
		Name: "check", Usage: "say whether a host that fails now would be recovered; changes nothing", Flags: flags,
		Action: func(c *cli.Context) error {
			file := c.String("prometheus")
			switch {
			case c.NArg() > 0:
				return app.Usagef("check takes no %q; oneft check --help lists its options", c.Args().First())
			case c.IsSet("prometheus") && filepath.Ext(file) != ".prom":
				return app.Usagef("--prometheus %s: the name of the file has to end in .prom, node_exporter reads no others", file)
			}
			if c.Bool("watch") && (c.Bool("json") || c.IsSet("prometheus")) {
				return app.Usagef("--watch is for people: it contradicts --json and --prometheus")
			}
			if !c.IsSet("oned-wait") { // else that of the configuration would win
				if err := c.Set("oned-wait", checkWait.String()); err != nil {
					return err
				}
			}
			if c.Bool("watch") {
				return t.watchCheck(c)
			}
			var report *check.Report
			ended := app.Command(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				facts, err := check.Collect(ctx, checking(ctx, s, c.Bool("no-fencing")))
				if err != nil {
					return nil, err
				}
				r := check.Evaluate(facts)
				report = &r
				return r, nil
			})
			return cmp.Or(t.checked(c, report), ended)
		},
	}
}

// checked ends a check: in a verdict, also when nothing could be looked at, and in the file for
// Prometheus.
func (t *tool) checked(c *cli.Context, report *check.Report) error {
	if report == nil {
		r := check.Unreachable("oned could not be asked, or the configuration could not be read", time.Now())
		report = &r
		if !c.Bool("json") {
			fmt.Fprintln(t.env.Stdout, text.Printable(r.Line()))
		} else if err := t.json(r); err != nil {
			return err
		}
	}
	if !c.IsSet("prometheus") {
		return nil
	}
	return check.WriteMetrics(c.String("prometheus"), *report)
}

// checking puts together what a check needs.
func checking(ctx context.Context, s app.Session, noFencing bool) check.Input {
	fences := coordinator.NewFences(s, nil)
	in := check.Input{
		Given:  check.Given{Own: app.Version(), ConfigFile: s.Config.Path, Values: s.Config.Values(), Place: placeOf(s), NoFencing: noFencing, LastSweep: reconcile.LastSweep(statedir.Dir(s.StateDir))},
		Client: s.Client, Location: s.Paths.Location, LogDir: s.Paths.Log, State: statedir.Dir(s.StateDir), Settings: fences.Settings,
		Downtime: func(ctx context.Context) (downtime.Settings, []downtime.Problem) { return settingsOf(ctx, s) },
		Proc:     "/proc", Machine: s.Drivers(),
	}
	facts := hookFacts(s)
	if in.State.Closed() != nil && facts.Executable != nil { // what this user may not look at is not missing
		facts.Executable = nil
		in.Skipped = append(in.Skipped, "whether the executables of the hooks can be run: this user may not read the state directory")
	}
	known := judgeHooks(ctx, s, facts, &in)
	in.Times = func(hosts []one.Host) []timing.Finding { return times(ctx, s, known, hosts) }
	in.PutToRest = func(ctx context.Context, hosts []one.Host) (booted, left []int, err error) {
		return reconcile.PutToRest(ctx, s, hosts)
	}
	in.Surveyor = surveyor{coordinator.NewOnlooker(ctx, s), s, in.HostHook}
	return in
}

// surveyor is the survey of a check.
type surveyor struct {
	*coordinator.Onlooker
	s    app.Session
	hook check.HostHook
}

// Stand judges a host as the hook does; without one, as one that recreates.
func (v surveyor) Stand(ctx context.Context, host one.Host) incident.HostStanding {
	q := coordinator.NewRequest(v.s, incident.Request{Kind: "host", ID: host.ID, Action: cmp.Or(v.hook.Action, string(recovery.Recreate)), Fencing: v.hook.Fencing})
	return v.Onlooker.Stand(ctx, q, host)
}

// judgeHooks judges the hooks in the pool of oned, or in oned.conf, and returns them.
func judgeHooks(ctx context.Context, s app.Session, facts install.Facts, in *check.Input) []install.Known {
	known, found, file, err := installed(ctx, s, facts)
	if err != nil {
		wrong := check.Finding{Severity: check.Problem, What: err.Error(), Fix: "correct " + onedConf(s) + ", then restart oned"}
		switch {
		case install.UsesPool(s.Version):
			wrong.What, wrong.Fix = "the hooks cannot be read: "+wrong.What, "onehook list"
		case errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission):
			wrong.What, wrong.Fix = "whether hooks are installed is not known: "+wrong.What, "run oneft check on the front-end, as oneadmin or root"
		}
		in.Hooks = append(in.Hooks, wrong)
		return nil
	}
	in.Hooks, in.HostHook = findings(found), hostHook(ctx, known)
	if !install.UsesPool(s.Version) {
		in.Written = []check.HookLine{}
	}
	for _, e := range file.Entries {
		if resource := e.Hook(); resource != "" {
			in.Written = append(in.Written, check.HookLine{Resource: resource, Name: e.Get("NAME"), On: e.Get("ON"), Command: e.Get("COMMAND"), Arguments: e.Get("ARGUMENTS")})
		}
	}
	return known
}

// findings are those of package install as package check has them.
func findings(all []install.Finding) []check.Finding {
	var found []check.Finding
	for _, f := range all {
		found = append(found, check.Finding{Severity: check.Severity(f.Severity), What: f.What, Fix: f.Fix})
	}
	return found
}

// hostHook reads what the hook for hosts does out of its arguments.
func hostHook(ctx context.Context, known []install.Known) (h check.HostHook) {
	for _, k := range known {
		if !k.RecoversHosts() {
			continue
		}
		line, _ := hosterror.ReadLine(ctx, k.Words()) // what is wrong with it is a finding about the hook
		h.Action, h.Fencing = cmp.Or(line.Action, h.Action), cmp.Or(line.Fencing, h.Fencing)
	}
	return h
}
