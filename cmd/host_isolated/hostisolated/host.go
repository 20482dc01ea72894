package hostisolated

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/isolation/watchdog"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Limits that are not settings. A SIGKILL takes effect at once but for a process that the kernel holds, and the
// kernel needs time to free much memory; telling systemd takes a moment. Both are choices.
const (
	killLimit     = 10 * time.Second
	powerOffLimit = 3 * time.Second
)

// host is this host with its settings.
type host struct {
	world     World
	settings  config.Isolation
	policy    isolation.Policy
	stopLimit time.Duration // the most that stopping VMs takes
	promise   fence.Promise
	store     isolation.Store
	machine   guest.Host
	roster    *isolation.Roster
	rosterErr error // why what was remembered of it is lost
	names     *probe.Names
	network   isolation.Network
	oned      *isolation.OnedClient // nil without a token
	prober    *isolation.Prober
}

// newHost puts everything together; it asks nobody.
func newHost(world World, s config.Isolation, store isolation.Store, cron bool) (*host, error) {
	h := &host{world: world, settings: s, policy: isolation.NewPolicy(s, cron), store: store}
	h.roster, h.rosterErr = isolation.OpenRoster(store)
	h.machine = guest.Host{Settings: s, Known: h.roster.Known, Proc: world.Proc, Sys: world.Sys, Run: world.Run, Etc: world.Etc,
		System: world.System, SysrqTrigger: world.Proc + "/sysrq-trigger", KillLimit: killLimit, PowerOffLimit: powerOffLimit}
	h.stopLimit = h.machine.Bound()
	h.promise = isolation.Promise(s, cron, h.stopLimit)
	known, _ := store.Load(world.Uptime()) // the watcher loads it again, and logs what is wrong
	h.names = probe.NewNames(known.Names)
	h.network = world.Network
	if h.network == nil {
		h.network = &probe.Network{Names: h.names, Timeout: s.Timeout, Proc: world.Proc, Sys: world.Sys}
	}
	if s.AuthFile != "" {
		if err := h.connect(known.HostID); err != nil {
			return nil, err
		}
	}
	var err error
	h.prober, err = isolation.NewProber(s, h.network, h.oned, world.Uptime)
	return h, err
}

// noDir adds to an error about a directory what to do; key is the setting that names it.
func (h *host) noDir(err error, key string) error {
	return fmt.Errorf("%w; run it as root, or name another directory by %s in %s", err, key, cmp.Or(h.settings.Path, defaultConfig))
}

// connect makes the client of oned. knownID is the ID of this host that was remembered.
func (h *host) connect(knownID int) error {
	access, err := one.FindAccess(func(string) string { return "" }, one.Given{Value: h.settings.FrontEnds[0]}, one.Given{Value: h.settings.AuthFile, By: "auth_file"})
	if err != nil {
		return app.NoToken(err, cmp.Or(h.settings.Path, defaultConfig))
	}
	id := h.settings.HostID
	if id < 0 {
		id = knownID
	}
	transport := h.world.Transport
	if transport == nil {
		if transport, err = isolation.Transport(h.settings, h.names); err != nil {
			return err
		}
	}
	h.oned, err = isolation.NewOnedClient(h.settings, access.Credentials, id, transport, h.world.Uptime)
	return err
}

// guests are the VMs of this host.
func (h *host) guests(notify func(wording.Message)) isolation.Guests {
	machine := h.machine
	machine.Notify = notify
	return machine
}

// logTo says where the log goes: to whoever looks, else to syslog; what systemd starts has its journal on standard
// error.
func (h *host) logTo(drill bool) isolation.LogOptions {
	o := isolation.LogOptions{StateDir: h.settings.StateDir}
	if drill {
		o.StateDir = ""
	}
	if h.world.Terminal || drill || h.world.Getenv("JOURNAL_STREAM") != "" {
		o.Screen = h.world.Stderr
	} else {
		o.Syslog = "/dev/log"
	}
	return o
}

// watcher makes the Watcher.
func (h *host) watcher(journal isolation.Journal, drill bool) *isolation.Watcher {
	w := &isolation.Watcher{
		Policy: h.policy, Action: h.settings.Action, Promise: h.promise, StopLimit: h.stopLimit,
		Round: h.prober.Round, Names: h.names.Known, Store: h.store, Uptime: h.world.Uptime, Log: journal, Drill: drill,
		Guests: h.guests(journal.Say),
	}
	if h.oned != nil {
		w.Oned, w.Roster = h.oned, h.roster
	}
	if h.rosterErr != nil {
		journal.Say(wording.Of(wording.StateUnusable, h.rosterErr))
	}
	return w
}

// watch makes rounds until the context ends, with the service manager and the hardware watchdog.
func (h *host) watch(ctx context.Context, w *isolation.Watcher) error {
	if h.settings.Watchdog != "" && !w.Drill {
		dog, err := watchdog.Open(h.settings.Watchdog, h.settings.WatchdogTimeout)
		if err != nil {
			return app.Usagef("hardware watchdog: %w", err)
		}
		w.Pet = dog.Pet
		defer func() {
			if w.Stuck {
				w.Log.Say(wording.Of(wording.WatchdogResets))
				dog.Abandon()
			} else if err := dog.Close(); err != nil {
				w.Log.Say(wording.Of(wording.WatchdogFailed, err))
			}
		}()
	}
	h.world.Pin() // a disk that hangs together with the network must not stop this process, too
	begin, period := wording.Watching, h.settings.After
	if h.settings.Strict {
		begin, period = wording.WatchingLease, h.settings.Lease
	}
	w.Log.Say(wording.Of(begin, h.settings.Action, period, h.promise.Reaction))
	ready := daemon.SdNotifyReady + "\n"
	w.Alive = func(status string) { // without a service manager it does nothing
		_, _ = daemon.SdNotify(false, ready+daemon.SdNotifyWatchdog+"\nSTATUS="+text.Printable(status))
		ready = ""
	}
	err := w.Watch(ctx, h.policy.Every)
	_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	return err
}
