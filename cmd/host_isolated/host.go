package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/isolation/watchdog"
	"one-ft/pkg/one"
)

// Limits that are not settings. A SIGKILL takes effect at once but for a process that
// the kernel holds, and the kernel needs time to free much memory; telling systemd takes a
// moment. Both are choices.
const (
	killLimit     = 10 * time.Second
	powerOffLimit = 3 * time.Second
)

// host is this host with its settings.
type host struct {
	settings config.Isolation
	policy   isolation.Policy
	promise  fence.Promise
	store    isolation.Store
	guests   guest.Host
	names    *probe.Names
	network  *probe.Network
	asker    *isolation.Asker // nil without a token
	prober   *isolation.Prober
	every    time.Duration
}

// newHost puts everything together; it asks nobody.
func newHost(s config.Isolation, cron bool) (*host, error) {
	store, err := storeOf(s)
	if err != nil {
		return nil, err
	}
	h := &host{settings: s, policy: isolation.NewPolicy(s, cron), store: store}
	h.every = h.policy.Every
	h.guests = guest.Host{
		Libvirt: s.Libvirt, Proc: "/proc", Shutdown: s.Shutdown, PowerOff: s.PowerOff, SysrqTrigger: "/proc/sysrq-trigger", Command: s.Command,
		Limits: guest.Limits{Destroy: s.DestroyLimit, Kill: killLimit, Shutdown: s.ShutdownLimit, Command: s.CommandLimit, PowerOff: powerOffLimit},
	}
	h.promise = isolation.Promise(s, cron, h.guests.Bound(guest.Action(s.Action)))
	known, _ := h.store.Load(isolation.Uptime()) // the watcher loads it again, and tells
	h.names = probe.NewNames(known.Names)
	h.network = &probe.Network{Names: h.names, Timeout: s.Timeout, Proc: "/proc", Sys: "/sys"}
	if s.AuthFile != "" {
		access, err := one.FindAccess(func(string) string { return "" }, s.FrontEnds[0], s.AuthFile)
		if err != nil {
			return nil, err
		}
		id := s.HostID
		if id < 0 {
			id = known.HostID
		}
		transport, err := isolation.Transport(s, h.names)
		if err != nil {
			return nil, err
		}
		if h.asker, err = isolation.NewAsker(s, access.Credentials, id, transport, isolation.Uptime); err != nil {
			return nil, err
		}
	}
	h.prober, err = isolation.NewProber(s, h.network, h.asker, isolation.Uptime)
	return h, err
}

// logTo says where the log goes: to whoever looks, else to syslog; what systemd starts
// has its journal on standard error.
func (h *host) logTo(env app.Env, drill bool) isolation.LogOptions {
	o := isolation.LogOptions{StateDir: h.settings.StateDir}
	if drill {
		o.StateDir = ""
	}
	if env.Terminal || drill || env.Getenv("JOURNAL_STREAM") != "" {
		o.Screen = env.Stderr
	} else {
		o.Syslog = "/dev/log"
	}
	return o
}

// watcher makes the Watcher.
func (h *host) watcher(log *isolation.Log, drill bool) *isolation.Watcher {
	guests := h.guests
	guests.Notify = func(text string, warning bool) {
		if warning {
			log.Warn("%s", text)
			return
		}
		log.Info("%s", text)
	}
	w := &isolation.Watcher{
		Policy: h.policy, Action: guest.Action(h.settings.Action), Promise: h.promise, StopLimit: guests.Bound(guest.Action(h.settings.Action)),
		Round: h.prober.Round, Names: h.names.Known, Guests: guests, Store: h.store, Uptime: isolation.Uptime, Log: log, Drill: drill,
	}
	if h.asker != nil {
		w.Oned = h.asker
	}
	return w
}

// watch makes rounds until the context ends, with the service manager and the hardware
// watchdog.
func (h *host) watch(ctx context.Context, w *isolation.Watcher, log *isolation.Log) error {
	if h.settings.Watchdog != "" && !w.Drill {
		dog, err := watchdog.Open(h.settings.Watchdog, h.settings.WatchdogTimeout)
		if err != nil {
			return app.Usagef("hardware watchdog: %w", err)
		}
		w.Dog = dog
		defer func() {
			if w.Stuck() {
				log.Problem("VMs may still run here: the hardware watchdog will reset this host")
				dog.Abandon()
				return
			}
			if err := dog.Close(); err != nil {
				log.Problem("hardware watchdog: %v", err)
			}
		}()
	}
	mode := fmt.Sprintf("isolated for %s", h.settings.After)
	if h.settings.Strict {
		mode = fmt.Sprintf("without a lease for %s", h.settings.Lease)
	}
	// A disk that hangs together with the network must not stop this process, too. Without
	// the right to do that it works as before.
	_ = errors.Join(unix.Mlockall(unix.MCL_CURRENT), unix.Mlockall(unix.MCL_FUTURE|unix.MCL_ONFAULT))
	log.Info("watching; VMs are stopped (%s) when this host is %s, and gone at most %s after that", h.settings.Action, mode, h.promise.Reaction)
	ready := daemon.SdNotifyReady + "\n"
	w.Alive = func(status string) { // without a service manager it does nothing
		_, _ = daemon.SdNotify(false, ready+daemon.SdNotifyWatchdog+"\nSTATUS="+one.Printable(status))
		ready = ""
	}
	err := w.Watch(ctx, h.every)
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	return err
}
