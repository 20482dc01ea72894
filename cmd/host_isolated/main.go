// Command host_isolated runs on each host: it detects that the host lost the network, and
// stops its VMs before the cloud starts them elsewhere. cron or systemd start it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"one-ft/pkg/cli"

	"one-ft/cmd/host_isolated/hostisolated"
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

// run is main with the world as an argument.
func run(ctx context.Context, env app.Env) int {
	code := app.ExitDone
	program := hostisolated.Command()
	program.Action = func(ctx context.Context, c *cli.Context) (err error) {
		code, err = act(ctx, c, env)
		return err
	}
	err := cli.Run(ctx, program, app.Version(), env.Args[min(1, len(env.Args)):], env.Stdout)
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
	if len(c.Args) > 0 {
		return 0, app.Usagef("%q is not an option; host_isolated --help lists them", c.First())
	}
	settings, err := hostisolated.Load(c)
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
		return fmt.Errorf("%w (there is no %s)", err, hostisolated.DefaultConfig)
	}
	return fmt.Errorf("%s: %w", c.Path, err)
}

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
