// Package hostisolated is host_isolated: its flags, and how they become a Watcher. It is apart from the program so
// that the scenarios of test/scenarios can run it in virtual time.
package hostisolated

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/isolation"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// World is what host_isolated runs in, so that tests can give it another one.
type World struct {
	// Env is that of all executables; its Transport carries the questions to oned.
	app.Env
	// Proc and Sys are where the kernel shows the boot, processes, routes and interfaces, Run where services have their
	// sockets, Etc where libvirt keeps what starts with the machine: /proc, /sys, /run and /etc.
	Proc, Sys, Run, Etc string
	// Uptime is the time since the boot.
	Uptime func() time.Duration
	// Network is what can be reached; nil is the network of this host.
	Network isolation.Network
	// System is what VMs are looked for with, and stopped.
	System guest.System
	// Journal gets what is logged; nil is the file, and the screen or syslog.
	Journal isolation.Journal
	// Pin keeps this process in memory.
	Pin func()
}

// OS is the world that the operating system gives.
func OS() World {
	return World{Env: app.OS(), Proc: "/proc", Sys: "/sys", Run: "/run", Etc: "/etc", Uptime: isolation.Uptime, System: guest.OS{}, Pin: pin}
}

// pin keeps this process in memory: what it has touched and will touch, and its program as a whole. All that it has reserved
// would be 64 MB more: Go reserves its heap so. Without the right to do it, it works as before.
func pin() {
	_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
	maps, _ := process.ReadStart("/proc/self/maps", 1<<20)
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line) // proc_pid_maps(5)
		var begin, end uintptr
		if _, err := fmt.Sscanf(line, "%x-%x", &begin, &end); err == nil && len(fields) > 5 && strings.HasPrefix(fields[5], "/") {
			_, _, _ = unix.Syscall(unix.SYS_MLOCK, begin, end-begin, 0)
		}
	}
}

const synopsis = `host_isolated [options]            one round, for cron
   host_isolated --watch [options]    rounds forever, for systemd

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

// Command is host_isolated as a command line without an action.
func Command() *cli.Command {
	return &cli.Command{Name: "host_isolated", Usage: "stop the VMs of a host that lost the network", UsageText: synopsis, Flags: flags()}
}

// Run runs host_isolated and returns the exit code.
func Run(ctx context.Context, world World) int {
	program := Command()
	env, ended := world.Env.Checked(program.Name)
	world.Env = env
	program.Action = func(c *cli.Context) error { return act(c, world) }
	return ended(app.Execute(ctx, world.Env, program))
}

// act does what the flags say.
func act(c *cli.Context, world World) error {
	if c.NArg() > 0 {
		return app.Usagef("%q is not an option; host_isolated --help lists them", c.Args().First())
	}
	s, err := load(c)
	if err != nil {
		return app.Usagef("%w", err)
	}
	boot, err := isolation.BootID(world.Proc)
	if err != nil {
		return app.Usagef("%w", err)
	}
	store := isolation.Store{RunDir: s.RunDir, StateDir: s.StateDir, Boot: boot}
	watch := c.Bool("watch") || (c.Bool("check") || c.Bool("print-bound")) && watched(s, store, world.Uptime())
	if !watch {
		s = s.ForCron()
	}
	err = s.Check(!watch)
	switch {
	case err != nil && s.Path == "":
		return app.Usagef("%w; there is no %s: write the settings into it, name another file by --config, or give options", err, defaultConfig)
	case err != nil:
		return app.Usagef("%s: %w", s.Path, err)
	}
	h, err := newHost(world, s, store, !watch)
	switch {
	case err != nil:
		return app.Usagef("%w", err)
	case c.Bool("print-bound"):
		return h.printBound(c.Context)
	case c.Bool("check"):
		return h.check(c.Context)
	}
	return h.guard(c.Context, c.Bool("drill"), watch)
}

// watched reports whether a host that is only looked at is watched by a service, by what was remembered; before that,
// whether cron could not do it with these settings.
func watched(s config.Isolation, store isolation.Store, now time.Duration) bool {
	if st, _ := store.Load(now); !st.Written.IsZero() {
		return !st.Cron
	}
	return s.Check(true) != nil
}

// guard makes one round, or rounds until the context ends.
func (h *host) guard(ctx context.Context, drill, watch bool) error {
	if !drill {
		release, err := h.store.Lock(ctx)
		switch {
		case errors.Is(err, isolation.ErrBusy) && !watch:
			return nil // the run before is still at it
		case err != nil:
			return h.noDir(err, "run_dir")
		}
		defer release()
	}
	journal := h.world.Journal
	if journal == nil {
		log := isolation.OpenLog(h.logTo(drill))
		defer log.Close()
		journal = log
	}
	w := h.watcher(journal, drill)
	complete, err := true, error(nil)
	if watch {
		err = h.watch(ctx, w)
	} else {
		complete, err = w.Once(ctx)
	}
	switch {
	case err == nil && !complete:
		return app.Exit(app.ExitIncomplete)
	case errors.Is(err, isolation.ErrLeaseBroken):
		err = app.Usagef("%w", err)
	case err == nil || ctx.Err() != nil:
		return nil
	}
	journal.Say(wording.Of(wording.WatchFailed, err))
	return err
}
