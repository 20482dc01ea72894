package oneftcmd

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

// hooks is the command that shows, installs and removes the hooks.
func (t *tool) hooks() *cli.Command {
	wish := install.DefaultSpec()
	where := []cli.Flag{
		&cli.StringFlag{Name: "oned-conf", Usage: "`FILE` with the configuration of oned (4.4 to 5.8)", DefaultText: "oned.conf in OpenNebula's directory"},
		&cli.StringFlag{Name: "dir", Usage: "`DIRECTORY` with the executables of one-ft", DefaultText: wish.Dir + ", or below $ONE_LOCATION/var"},
	}
	what := []cli.Flag{
		&app.ValuesFlag{Values: []string{"recreate", "delete", "migrate", "none"}, StringFlag: cli.StringFlag{
			Name: "hosts", Value: wish.Host, DefaultText: installedElse(wish.Host), Usage: "`ACTION` for the VMs of a failed host: recreate, delete, migrate or none"}},
		&cli.BoolFlag{Name: "suspended", Usage: "include suspended and powered-off VMs"},
		&cli.IntFlag{Name: "pause", Aliases: []string{"p"}, Value: wish.Pause, DefaultText: installedElse(strconv.Itoa(wish.Pause)), Usage: "watch a failed host for this `NUMBER` of monitoring cycles first"},
		&app.ValuesFlag{Values: []string{"recreate", "retry", "delete", "none"}, StringFlag: cli.StringFlag{
			Name: "failures", Value: wish.Failures, DefaultText: installedElse(wish.Failures), Usage: "`ACTION` for a VM that failed: recreate (it loses disks that are not persistent), retry, delete or none"}},
		&app.ValuesFlag{Values: []string{"boot", "none"}, StringFlag: cli.StringFlag{
			Name: "unknown", Value: wish.Unknown, Usage: "`ACTION` for a VM that is UNKNOWN: boot or none"}},
	}
	sub := func(name, usage string, flags []cli.Flag, act app.Act) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, Flags: append(slices.Clone(flags), app.FlagsFor("oned-wait")...), Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return app.Usagef("hooks %s takes no %q; oneft hooks %[1]s --help lists its options", name, c.Args().First())
			}
			return app.Show(c, t.env, act)
		}}
	}
	both := append(append([]cli.Flag{}, where...), what...)
	ssh := &cli.BoolFlag{Name: "ssh", Usage: "let ssh to a host that is proven off fail at once: a block in ~/.ssh/config of the user that oned runs as",
		DefaultText: "true where that file is that user's own and oned runs on this machine"}
	return &cli.Command{
		Name: "hooks", Usage: "show, install or remove the hooks that call one-ft",
		Subcommands: []*cli.Command{
			sub("show", "list the hooks of this OpenNebula that have to do with failures", where, showHooks),
			sub("install", "install the hooks that this version needs; twice changes nothing", append(slices.Clone(both), besideFlag(), fencingFlag(), ssh, app.DryRunFlag()), changeHooks(true)),
			sub("remove", "take them out again", append(slices.Clone(where), app.DryRunFlag()), changeHooks(false)),
			sub("print", "print what an admin would write by hand", both, printHooks),
		},
	}
}

// installedElse says what holds without an option.
func installedElse(value string) string { return "what is installed, else " + value }

// besideFlag names hooks of others that one-ft does not know.
func besideFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "beside", Usage: "install beside the hook of others with this `NAME`: you say that it leaves VMs and hosts alone; this is remembered until its command changes; may be repeated"}
}

// hookFacts are what judging and planning hooks needs to know.
func hookFacts(s app.Session) install.Facts {
	facts := install.Facts{Version: s.Version, Dir: executables(s), HooksDir: s.Paths.Hooks, Beside: s.Cli.StringSlice("beside")}
	if process.IsLocal(s.Client.Endpoint()) { // else the files of hooks are on another machine
		facts.Executable, facts.Script = install.Executable, install.Script
	}
	return facts
}

// executables is the directory with the executables of one-ft.
func executables(s app.Session) string {
	return cmp.Or(s.Cli.String("dir"), filepath.Join(s.Paths.Hooks, "ft"))
}

// onedConf is the path of oned.conf.
func onedConf(s app.Session) string {
	return cmp.Or(s.Cli.String("oned-conf"), filepath.Join(s.Paths.Etc, "oned.conf"))
}

// wanted are the hooks that the flags ask for. Where they say nothing what the hooks do that are there stays.
func wanted(ctx context.Context, s app.Session, there []install.Known) ([]install.Hook, error) {
	v := s.Config.Values()
	w := install.DefaultSpec().Keep(there)
	w.Host, w.Suspended, w.Pause = app.Pick(s.Cli, "hosts", w.Host), app.Pick(s.Cli, "suspended", w.Suspended), app.Pick(s.Cli, "pause", w.Pause)
	w.Failures, w.Unknown, w.Dir = app.Pick(s.Cli, "failures", w.Failures), app.Pick(s.Cli, "unknown", w.Unknown), executables(s)
	cycle := one.DefaultInterval
	if install.UsesPool(s.Version) && w.Pause > 0 && w.Pause <= 1000 {
		var err error
		if cycle, err = coordinator.Watch(ctx, s, 0, 1, 0); err != nil {
			return nil, err
		}
		if cycle == 0 { // in a dry run oned is not asked
			cycle = one.DefaultInterval
		}
	}
	const fences = time.Hour // more than all attempts at all levels take
	w.Timeout = install.Timeout(max(v.Wait, time.Duration(w.Pause)*cycle), v.StormGiveUp, fences, v.Timeout, v.OnedWait)
	hooks, err := install.Hooks(w, s.Version)
	if err != nil {
		return nil, app.Usagef("%w", err)
	}
	return hooks, nil
}

// installed reads the hooks of this OpenNebula and judges them. file is oned.conf where they are there, up to 5.8.
func installed(ctx context.Context, s app.Session, facts install.Facts) (known []install.Known, found []install.Finding, file install.File, err error) {
	if install.UsesPool(s.Version) {
		pool, err := install.ReadPool(ctx, s.Client)
		known = install.PoolHooks(pool, facts)
		return known, append(install.LintPool(pool, facts), refused(ctx, known)...), file, err
	}
	text, err := install.OnedConf().Read(onedConf(s))
	if err == nil {
		file, err = install.Parse(text)
	}
	known = file.Hooks(facts)
	return known, append(install.Lint(file, facts), refused(ctx, known)...), file, err
}

// hooksOf reads the hooks of this OpenNebula. The error says what to do when oned.conf is not where it is looked for, or which file is broken.
func hooksOf(ctx context.Context, s app.Session, facts install.Facts) ([]install.Known, []install.Finding, error) {
	known, findings, _, err := installed(ctx, s, facts)
	var syntax *install.SyntaxError
	switch {
	case err == nil || install.UsesPool(s.Version):
	case errors.As(err, &syntax):
		err = app.Usagef("%s: %w", onedConf(s), err)
	default:
		err = app.Usagef("%w; name it by --oned-conf", err)
	}
	return known, findings, err
}

// showHooks is oneft hooks show.
func showHooks(ctx context.Context, s app.Session) (app.Answer, error) {
	known, findings, err := hooksOf(ctx, s, hookFacts(s))
	if err != nil {
		return nil, err
	}
	a := page{Rows: [][]string{{"WHERE", "WHEN", "RUNS", "BY"}}, Summary: "the hooks of one-ft are in order"}
	for _, k := range install.List(known) {
		a.Rows = append(a.Rows, []string{k.Where, k.Trigger, k.Runs(), k.By.Message().String()})
	}
	hosts, err := s.Client.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range times(ctx, s, known, hosts) {
		findings = append(findings, install.Finding{Severity: severityOf(f), What: f.What.String(), Fix: f.Fix.String()})
	}
	for _, f := range findings {
		if f.Severity == install.OK {
			continue
		}
		line := f.Severity + ": " + f.What
		if f.Fix != "" {
			line += "; to fix it: " + f.Fix
		}
		a.Text = append(a.Text, line)
		a.Summary = "not everything is in order; see above"
		if f.Severity == install.Problem {
			a.Code = app.ExitIncomplete
		}
	}
	showSSH(ctx, s, &a)
	return a, nil
}

// printHooks is oneft hooks print.
func printHooks(ctx context.Context, s app.Session) (app.Answer, error) {
	there, _, _ := hooksOf(ctx, s, hookFacts(s)) // where they cannot be read the defaults are printed
	hooks, err := wanted(ctx, s, there)
	if err != nil {
		return nil, err
	}
	text := install.Print(hooks, s.Version)
	return page{Text: append(strings.Split(strings.TrimRight(text, "\n"), "\n"), printSSH(s)...)}, nil
}

// changeHooks is oneft hooks install (add) and remove.
func changeHooks(add bool) app.Act {
	return func(ctx context.Context, s app.Session) (app.Answer, error) {
		var hooks []install.Hook
		var ssh sshChange
		var err error
		if !add {
			ssh, err = planSSHRemoval(s)
		} else if hooks, err = installable(ctx, s); err == nil {
			ssh, err = planSSH(ctx, s)
		}
		if err == nil {
			err = ssh.try(ctx, s)
		}
		if err != nil {
			return nil, err
		}
		var a page
		if install.UsesPool(s.Version) {
			a, err = changePool(ctx, s, add, hooks)
		} else {
			a, err = changeFile(ctx, s, add, hooks)
		}
		if err == nil {
			err = ssh.apply(ctx, s, &a)
		}
		return a, err
	}
}

// installable are the hooks that install makes: whose executables are there.
func installable(ctx context.Context, s app.Session) ([]install.Hook, error) {
	facts := hookFacts(s)
	there, _, err := hooksOf(ctx, s, facts)
	if err != nil {
		return nil, err
	}
	hooks, err := wanted(ctx, s, there)
	if err == nil {
		if err = facts.CanRun(hooks); err != nil {
			err = app.Usagef("%w; nothing was changed; copy the executables of one-ft there, or name their directory by --dir", err)
		}
	}
	return hooks, err
}

// changeFile changes oned.conf.
func changeFile(ctx context.Context, s app.Session, add bool, hooks []install.Hook) (page, error) {
	path := onedConf(s)
	old, err := install.OnedConf().Read(path)
	if err != nil {
		return page{}, app.Usagef("%w; name it by --oned-conf", err)
	}
	facts := hookFacts(s)
	fresh, err := install.Install(old, hooks, facts)
	if err != nil {
		return page{}, app.Usagef("%s: %w", path, err)
	}
	diff := lines(install.Diff(old, fresh))
	parsed, _ := install.Parse(old) // Install has read it
	settings, err := settle(ctx, s, add, parsed.Hooks(facts))
	if err != nil {
		return page{}, err
	}
	a := page{Text: append(settings.text, diff...)}
	switch {
	case len(diff) == 0:
		a.Summary = settings.unchanged(path+" is in order", s.DryRun)
	case s.DryRun:
		a.Summary = path + " would be changed so"
	default:
		backup, err := install.OnedConf().Write(path, old, fresh, time.Now())
		if err != nil {
			return page{}, err
		}
		a.Summary = path + " was changed; the file before is " + backup
		a.Text = append(a.Text, install.Restart)
	}
	return a, nil
}

// changePool changes the hooks in oned.
func changePool(ctx context.Context, s app.Session, add bool, hooks []install.Hook) (page, error) {
	facts := hookFacts(s)
	existing, err := install.ReadPool(ctx, s.Client)
	if err != nil {
		return page{}, err
	}
	changes, err := install.Plan(existing, hooks, facts)
	if err != nil {
		return page{}, app.Usagef("%w", err)
	}
	settings, err := settle(ctx, s, add, install.PoolHooks(existing, facts))
	if err != nil {
		return page{}, err
	}
	a := page{Text: append(settings.text, lines(install.DiffPool(changes))...), Summary: settings.unchanged("the hooks are in order", s.DryRun)}
	if len(changes) == 0 {
		return a, nil
	}
	a.Summary = "the hooks would be changed so"
	if !s.DryRun {
		if err := install.Apply(ctx, s.Client, changes, hooks, facts); err != nil {
			return page{}, err
		}
		a.Summary = "the hooks were changed; oned uses them at once"
	}
	return a, nil
}

// lines splits a text; none of an empty one.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}
