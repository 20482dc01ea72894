package oneftcmd

import (
	"context"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/hook"
	"one-ft/pkg/reconcile"
)

// resume is the command that finishes what was left.
func (t *tool) resume() *cli.Command {
	return &cli.Command{
		Name: "resume", Usage: "finish what processes left open, and handle hosts and VMs that no hook was called for", ArgsUsage: "[INCIDENT]",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "confirm-off", Usage: "you say that the host of INCIDENT is certainly off: this is its fence"},
			&app.ValuesFlag{Values: []string{config.ResumeRecreate, config.ResumeDelete, config.ResumeMigrate, config.ResumeNone}, StringFlag: cli.StringFlag{
				Name: "hosts", Usage: "`ACTION` for a host in ERROR that no hook was called for: recreate, delete, migrate or none", DefaultText: config.Default().ResumeHosts}},
			&app.ValuesFlag{Values: []string{config.ResumeBoot, config.ResumeNone}, StringFlag: cli.StringFlag{
				Name: "unknown", Usage: "`ACTION` for a VM that is UNKNOWN on a host that is fine: boot or none", DefaultText: config.Default().ResumeUnknown}},
			&app.ValuesFlag{Values: []string{config.ResumeRecreate, config.ResumeRetry, config.ResumeDelete, config.ResumeNone}, StringFlag: cli.StringFlag{
				Name: "failed", Usage: "`ACTION` for a failed VM whose host is fine: recreate, retry, delete or none", DefaultText: config.Default().ResumeFailed}},
			&cli.DurationFlag{Name: "wait", Usage: "`TIME` that a host in ERROR is watched, counted from when it failed", DefaultText: "wait or cycles of the configuration, else 2 monitoring cycles"},
		}, app.FlagsFor("dry-run", "verify", "timeout", "oned-wait", "parallel", "override-pause")...),
		Action: func(c *cli.Context) error {
			number, ok := numberOf(c, 1)
			if c.NArg() > 0 && !ok {
				return app.Usagef("resume takes the number of one incident, or nothing; oneft incidents lists them")
			}
			if c.Bool("confirm-off") && number == 0 {
				return app.Usagef("--confirm-off needs the number of the incident whose host is off; oneft incidents lists them")
			}
			if c.Duration("wait") < 0 {
				return app.Usagef("--wait %s: it must not be negative", c.Duration("wait"))
			}
			return app.Command(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				opt, err := resuming(ctx, s)
				if err != nil {
					return nil, err
				}
				if number > 0 {
					return reconcile.ResumeOne(ctx, s, number, c.Bool("confirm-off"), opt)
				}
				return reconcile.Sweep(ctx, s, opt)
			})
		},
	}
}

// numberOf reads the only word of a call, which has to be a number, and is at least so much; 0 without words.
func numberOf(c *cli.Context, least int) (number int, ok bool) {
	number, err := strconv.Atoi(c.Args().First())
	return number, c.NArg() == 1 && err == nil && number >= least
}

// resuming reads the flags and the configuration.
func resuming(ctx context.Context, s app.Session) (opt reconcile.Resuming, err error) {
	v := s.Config.Values()
	opt = reconcile.Resuming{Hosts: app.Pick(s.Cli, "hosts", v.ResumeHosts), Failed: app.Pick(s.Cli, "failed", v.ResumeFailed), Unknown: app.Pick(s.Cli, "unknown", v.ResumeUnknown), Suspended: v.ResumeSuspended}
	if opt.Cycle, err = coordinator.Watch(ctx, s, 0, 1, 0); err != nil {
		return opt, err
	}
	const cycles = 2 // as in the hook lines of the README
	switch {
	case s.Cli.IsSet("wait"):
		opt.Confirm = s.Cli.Duration("wait")
	case v.Wait > 0 || v.Cycles > 0:
		opt.Confirm = v.Wait + time.Duration(v.Cycles)*opt.Cycle
	default:
		opt.Confirm = cycles * opt.Cycle
	}
	return opt, nil
}

// release is the command that ends the quarantine of a host.
func (t *tool) release() *cli.Command {
	return &cli.Command{
		Name: "release", Usage: "give a host back to the scheduler that was disabled before its VMs were started elsewhere", ArgsUsage: "HOST",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "you have made sure that none of its old guests runs, whatever oned knows"},
		}, app.FlagsFor("dry-run", "oned-wait")...),
		Action: func(c *cli.Context) error {
			host, err := app.ObjectOf(hook.Host, c.Args().First())
			if err != nil || c.NArg() != 1 {
				return app.Usagef("release takes the ID or name of one host; oneft check names the hosts in quarantine")
			}
			return app.Command(c, t.env, func(ctx context.Context, s app.Session) (app.Answer, error) {
				id, err := host.ID(ctx, s)
				if err != nil {
					return nil, err
				}
				return reconcile.ReleaseHost(ctx, s, id, c.Bool("force"))
			})
		},
	}
}
