// Command host_isolated runs on each host: it detects that the host lost the network, and
// stops its VMs before the cloud starts them elsewhere. cron or systemd start it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/isolation"
	"one-ft/pkg/one"
)

func main() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, app.OS()))
}

const examples = `host_isolated [options]            one round, for cron
   host_isolated --watch [options]    rounds for ever, for systemd

   On a host, by hand:
     host_isolated --check            what is reachable, what would be done now, and how
                                      long it takes at most
     host_isolated --watch --drill    the whole decision; nothing is stopped

   Settings are in /etc/one-ft/host_isolated.yaml. At least:
     front_ends: [10.0.0.1]
   and for a host that a front-end fences by FENCE_LEASE:
     strict: true
     auth_file: /etc/one-ft/token

   Exit codes: 0 done, or nothing to do; 1 VMs could not be stopped, or --check found
   something wrong; 2 wrong usage or configuration.`

// run is main with the world as an argument.
func run(ctx context.Context, env app.Env) int {
	code := app.ExitDone
	a := &cli.App{
		Name: "host_isolated", Usage: "stop the VMs of a host that lost the network", UsageText: examples, Version: app.Version(),
		Flags: append(flags(), app.DocFlags()...), Writer: env.Stdout, ErrWriter: env.Stderr, HideHelpCommand: true,
		DisableSliceFlagSeparator: true, // a word of the command may hold a comma
		OnUsageError:              func(_ *cli.Context, err error, _ bool) error { return app.OfOptions(err) },
		ExitErrHandler:            func(*cli.Context, error) {},
		Action: func(c *cli.Context) (err error) {
			if done, err := app.Docs(c, env, app.HostManual()); done {
				return err
			}
			code, err = act(ctx, c, env)
			return err
		},
	}
	err := a.RunContext(ctx, env.Args)
	if err == nil {
		return code
	}
	fmt.Fprintf(env.Stderr, "host_isolated: %s\n", one.Printable(err.Error()))
	var usage *app.UsageError
	if errors.As(err, &usage) {
		return app.ExitUsage
	}
	return app.ExitIncomplete
}

// act does what the flags say and returns the exit code.
func act(ctx context.Context, c *cli.Context, env app.Env) (int, error) {
	if c.Args().Present() {
		return 0, app.Usagef("%q is not an option; host_isolated --help lists them", c.Args().First())
	}
	settings, err := load(c)
	if err != nil {
		return 0, app.Usagef("%w", err)
	}
	watch := c.Bool("watch") || (c.Bool("check") || c.Bool("print-bound")) && watched(settings)
	if watch {
		err = settings.Check()
	} else {
		err = settings.CheckCron()
	}
	if err != nil {
		return 0, app.Usagef("%w", place(settings, err))
	}
	h, err := newHost(settings, !watch)
	if err != nil {
		return 0, app.Usagef("%w", err)
	}
	switch {
	case c.Bool("print-bound"):
		return h.printBound(env.Stdout), nil
	case c.Bool("check"):
		return h.check(ctx, env.Stdout), nil
	}
	return h.guard(ctx, env, c.Bool("drill"), watch)
}

// watched reports whether a host that is only looked at is watched by a service, by what
// was remembered; before that, whether cron could not do it with these settings.
func watched(s config.Isolation) bool {
	store, err := storeOf(s)
	if err != nil {
		return true
	}
	if st, _ := store.Load(isolation.Uptime()); !st.Written.IsZero() {
		return !st.Cron
	}
	return s.CheckCron() != nil
}

// storeOf is where things are remembered.
func storeOf(s config.Isolation) (isolation.Store, error) {
	boot, err := isolation.BootID("/proc")
	return isolation.Store{RunDir: s.RunDir, StateDir: s.StateDir, Boot: boot}, err
}

// place says where the settings come from, in front of what is wrong with them.
func place(c config.Isolation, err error) error {
	if c.Path == "" {
		return fmt.Errorf("%w (there is no %s)", err, defaultConfig)
	}
	return fmt.Errorf("%s: %w", c.Path, err)
}

// defaultConfig is where packages put the configuration.
var defaultConfig = filepath.Join("/etc/one-ft", config.IsolationName)

// guard makes one round, or rounds until the context ends.
func (h *host) guard(ctx context.Context, env app.Env, drill, watch bool) (int, error) {
	release, err := func() {}, error(nil)
	if !drill {
		release, err = h.store.Lock()
	}
	switch {
	case errors.Is(err, isolation.ErrBusy) && !watch:
		return app.ExitDone, nil // the run before is still at it
	case err != nil:
		return 0, err
	}
	defer release()
	log := isolation.OpenLog(h.logTo(env, drill))
	defer log.Close()
	w := h.watcher(log, drill)
	if watch {
		err = h.watch(ctx, w, log)
	} else {
		var complete bool
		if _, complete, err = w.Once(ctx); err == nil && !complete {
			return app.ExitIncomplete, nil
		}
	}
	switch {
	case errors.Is(err, isolation.ErrLeaseBroken):
		log.Problem("%v", err)
		return 0, app.Usagef("%w", err)
	case err != nil && ctx.Err() == nil:
		log.Problem("%v", err)
		return 0, err
	}
	return app.ExitDone, nil
}
