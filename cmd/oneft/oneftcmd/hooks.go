package oneftcmd

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/install"
	"one-ft/pkg/one"
)

// hooks is the command that shows, installs and removes the hooks.
func (t *tool) hooks() *cli.Command {
	wish := install.DefaultWish()
	where := []cli.Flag{
		&cli.StringFlag{Name: "oned-conf", Usage: "`FILE` with the configuration of oned (4.4 to 5.8)", DefaultText: "oned.conf in OpenNebula's directory"},
		&cli.StringFlag{Name: "dir", Usage: "`DIRECTORY` with the executables of one-ft", DefaultText: wish.Dir + ", or below $ONE_LOCATION/var"},
	}
	what := []cli.Flag{
		&cli.StringFlag{Name: "hosts", Value: wish.Host, Usage: "`ACTION` for the VMs of a failed host: recreate, delete, migrate or none"},
		&cli.BoolFlag{Name: "suspended", Usage: "include suspended and powered-off VMs"},
		&cli.IntFlag{Name: "pause", Aliases: []string{"p"}, Value: wish.Pause, Usage: "watch a failed host for this `NUMBER` of monitoring cycles first"},
		&cli.StringFlag{Name: "failures", Value: wish.Failures, Usage: "`ACTION` for a VM that failed: recreate (it loses disks that are not persistent), retry, delete or none"},
		&cli.StringFlag{Name: "unknown", Value: wish.Unknown, Usage: "`ACTION` for a VM that is UNKNOWN: boot or none"},
	}
	sub := func(name, usage string, flags []cli.Flag, act func(ctx context.Context, s app.Session) (app.Answer, error)) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, HideHelpCommand: true, Flags: append(flags, app.CommonFlags()...), Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return app.Usagef("hooks %s takes no %q; oneft hooks %[1]s --help lists its options", name, c.Args().First())
			}
			t.code = app.Show(c.Context, c, t.env, act)
			return nil
		}}
	}
	both := append(append([]cli.Flag{}, where...), what...)
	ssh := &cli.BoolFlag{Name: "ssh", Usage: "let ssh to a host that is proven off fail at once: a block in ~/.ssh/config of the user that oned runs as",
		DefaultText: "true where that file is that user's own and oned runs on this machine"}
	return &cli.Command{
		Name: "hooks", Usage: "show, install or remove the hooks that call one-ft", HideHelpCommand: true,
		Subcommands: []*cli.Command{
			sub("show", "list the hooks of this OpenNebula that have to do with failures", where, showHooks),
			sub("install", "install the hooks that this version needs; twice changes nothing", append(slices.Clone(both), fencingFlag(), ssh), changeHooks(true)),
			sub("remove", "take them out again", where, changeHooks(false)),
			sub("print", "print what an admin would write by hand", both, printHooks),
		},
	}
}

// hookFacts are what judging and planning hooks needs to know.
func hookFacts(s app.Session) install.Facts {
	return install.Facts{Version: s.Version, Dir: executables(s), HooksDir: hooksDir(s.Paths), Executable: install.Executable}
}

// executables is the directory with the executables of one-ft.
func executables(s app.Session) string {
	if dir := s.Cli.String("dir"); dir != "" {
		return dir
	}
	return filepath.Join(hooksDir(s.Paths), "ft")
}

// hooksDir is where oned looks for hooks that are named without a directory.
func hooksDir(p app.Paths) string {
	if p.Location != "" {
		return filepath.Join(p.Location, "var", "remotes", "hooks")
	}
	return "/var/lib/one/remotes/hooks"
}

// onedConf is the path of oned.conf.
func onedConf(s app.Session) string {
	if path := s.Cli.String("oned-conf"); path != "" {
		return path
	}
	return filepath.Join(s.Paths.Etc, "oned.conf")
}

// wanted are the hooks that the flags ask for.
func wanted(ctx context.Context, s app.Session) ([]install.Hook, error) {
	v := s.Config.Values()
	w := install.Wish{Host: s.Cli.String("hosts"), Suspended: s.Cli.Bool("suspended"), Pause: s.Cli.Int("pause"),
		Failures: s.Cli.String("failures"), Unknown: s.Cli.String("unknown"), Dir: executables(s)}
	cycle := one.DefaultInterval
	if install.UsesPool(s.Version) && w.Pause > 0 && w.Pause <= 1000 {
		var err error
		if cycle, err = coordinator.Watch(ctx, s, 0, 1, 0); err != nil {
			return nil, err
		}
		if cycle == 0 { // it is not asked for in a dry run
			cycle = one.DefaultInterval
		}
	}
	const fences = time.Hour // more than all attempts at all levels take
	w.Timeout = install.Timeout(install.Bounds{
		Confirm: max(v.Wait, time.Duration(w.Pause)*cycle), Hold: v.StormGiveUp, Fence: fences, Act: v.Timeout, OnedWait: v.OnedWait,
	})
	hooks, err := install.Hooks(w, s.Version)
	if err != nil {
		return nil, app.Usagef("%w", err)
	}
	return hooks, nil
}

// showHooks is oneft hooks show.
func showHooks(ctx context.Context, s app.Session) (app.Answer, error) {
	facts := hookFacts(s)
	var rows []install.Row
	var findings []install.Finding
	if install.UsesPool(s.Version) {
		pool, err := hookPool{s.Client}.Hooks(ctx)
		if err != nil {
			return nil, err
		}
		rows, findings = install.RowsPool(pool, facts), install.JudgePool(pool, facts)
	} else {
		text, err := install.ReadFile(onedConf(s))
		if err != nil {
			return nil, app.Usagef("%w; name it by --oned-conf", err)
		}
		f, err := install.Parse(text)
		if err != nil {
			return nil, err
		}
		rows, findings = install.Rows(f), install.Judge(f, facts)
	}
	a := page{Rows: [][]string{{"WHERE", "WHEN", "RUNS", "BY"}}, Summary: "the hooks of one-ft are as they should be"}
	for _, r := range rows {
		a.Rows = append(a.Rows, []string{r.Where, r.Trigger, r.Runs, r.By})
	}
	for _, f := range findings {
		if f.Severity == install.OK {
			continue
		}
		line := f.Severity + ": " + f.What
		if f.Fix != "" {
			line += "; to mend it: " + f.Fix
		}
		a.Text = append(a.Text, line)
		a.Summary = "not everything is as it should be; see above"
		if f.Severity == install.Problem {
			a.Code = app.ExitIncomplete
		}
	}
	showSSH(ctx, s, &a)
	return a, nil
}

// printHooks is oneft hooks print.
func printHooks(ctx context.Context, s app.Session) (app.Answer, error) {
	hooks, err := wanted(ctx, s)
	if err != nil {
		return nil, err
	}
	text := install.Print(hooks, s.Version)
	return page{Text: append(strings.Split(strings.TrimRight(text, "\n"), "\n"), printSSH(s)...)}, nil
}

// changeHooks is oneft hooks install and remove.
func changeHooks(add bool) func(ctx context.Context, s app.Session) (app.Answer, error) {
	return func(ctx context.Context, s app.Session) (app.Answer, error) {
		fencing := func(bool) (fencingChange, error) { return fencingChange{text: keptFencing(s)}, nil }
		var hooks []install.Hook
		var ssh sshChange
		var err error
		if add {
			flag := s.Cli.String("fencing")
			if !slices.Contains([]string{"", config.FencingRequired, config.FencingAuto, fencingKeep}, flag) {
				return nil, app.Usagef("--fencing %s: allowed are required, auto and keep", flag)
			}
			if hooks, err = wanted(ctx, s); err == nil {
				ssh, err = planSSH(ctx, s)
			}
			fencing = func(isNew bool) (fencingChange, error) { return planFencing(ctx, s, isNew) }
		} else {
			ssh, err = planSSHRemoval(s)
		}
		if err == nil {
			err = ssh.try(ctx, s)
		}
		if err != nil {
			return nil, err
		}
		var a page
		if install.UsesPool(s.Version) {
			a, err = changePool(ctx, s, hooks, fencing)
		} else {
			a, err = changeFile(s, hooks, fencing)
		}
		if err != nil {
			return nil, err
		}
		return a, ssh.apply(ctx, s, &a)
	}
}

// changeFile changes oned.conf.
func changeFile(s app.Session, hooks []install.Hook, fencing func(isNew bool) (fencingChange, error)) (page, error) {
	path := onedConf(s)
	old, err := install.ReadFile(path)
	if err != nil {
		return page{}, app.Usagef("%w; name it by --oned-conf", err)
	}
	fresh, err := install.Install(old, hooks)
	if err != nil {
		return page{}, app.Usagef("%s: %w", path, err)
	}
	diff := lines(install.Diff(old, fresh))
	parsed, err := install.Parse(old)
	if err != nil {
		return page{}, app.Usagef("%s: %w", path, err)
	}
	settings, err := settle(s, fencing, install.Rows(parsed))
	if err != nil {
		return page{}, err
	}
	a := page{Text: append(settings.text, diff...)}
	switch {
	case len(diff) == 0:
		a.Summary = settings.unchanged(path+" is as it should be", s.DryRun)
	case s.DryRun:
		a.Summary = path + " would be changed so"
	default:
		backup, err := install.WriteFile(path, old, fresh, time.Now())
		if err != nil {
			return page{}, err
		}
		a.Summary = path + " was changed; the file before is " + backup
		a.Text = append(a.Text, install.Restart)
	}
	return a, nil
}

// changePool changes the hooks in oned.
func changePool(ctx context.Context, s app.Session, hooks []install.Hook, fencing func(isNew bool) (fencingChange, error)) (page, error) {
	pool, facts := hookPool{s.Client}, hookFacts(s)
	existing, err := pool.Hooks(ctx)
	if err != nil {
		return page{}, err
	}
	changes, err := install.Plan(existing, hooks, facts)
	if err != nil {
		return page{}, app.Usagef("%w", err)
	}
	settings, err := settle(s, fencing, install.RowsPool(existing, facts))
	if err != nil {
		return page{}, err
	}
	a := page{Text: append(settings.text, lines(install.DiffPool(changes))...), Summary: settings.unchanged("the hooks are as they should be", s.DryRun)}
	if !install.Changed(changes) {
		return a, nil
	}
	a.Summary = "the hooks would be changed so"
	if !s.DryRun {
		if err := install.Apply(ctx, pool, changes, hooks, facts); err != nil {
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

// hookPool is the hook pool of oned.
type hookPool struct{ client *one.Client }

// Hooks is a part of install.Pool, as the others.
func (p hookPool) Hooks(ctx context.Context) ([]install.PoolHook, error) {
	document, err := p.client.HookPool(ctx)
	if err != nil {
		return nil, err
	}
	return install.ParsePool([]byte(document))
}

func (p hookPool) Allocate(ctx context.Context, template string) (int, error) {
	return p.client.AllocateHook(ctx, template)
}

func (p hookPool) Update(ctx context.Context, id int, template string) error {
	return p.client.UpdateHook(ctx, id, template)
}

func (p hookPool) Delete(ctx context.Context, id int) error { return p.client.DeleteHook(ctx, id) }
