package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
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
		if h.asker, err = isolation.NewAsker(s, access.Credentials, id, h.names, isolation.Uptime); err != nil {
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

// printBound prints what this host promises, for a monitoring probe. Seconds are rounded
// up.
func (h *host) printBound(out io.Writer) int {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
	armed := "NO"
	if st, err := h.store.Load(isolation.Uptime()); err == nil && st.Armed(isolation.Uptime(), h.policy) {
		armed = "YES"
	}
	if h.settings.Strict {
		fmt.Fprintf(out, "FT_LEASE=%s\nFT_LEASE_REACTION=%s\n", seconds(h.promise.Lease), seconds(h.promise.Reaction))
	} else {
		fmt.Fprintf(out, "FT_ISOLATED_AFTER=%s\nFT_ISOLATED_REACTION=%s\n", seconds(h.promise.Lease), seconds(h.promise.Reaction))
	}
	fmt.Fprintf(out, "FT_LEASE_ARMED=%s\nFT_ISOLATED_VERSION=%q\n", armed, app.Version())
	return app.ExitDone
}

// check shows what host_isolated sees, and what it would do now. The exit code is 1 when
// something has to be looked at.
func (h *host) check(ctx context.Context, out io.Writer) int {
	f := h.prober.Round(ctx)
	wrong := 0
	bad := func(format string, args ...any) {
		wrong++
		fmt.Fprintln(out, "WRONG: "+one.Printable(fmt.Sprintf(format, args...)))
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, one.Printable(fmt.Sprint(c)))
		}
		fmt.Fprintln(table)
	}
	for _, r := range f.FrontEnd {
		row(r.Target, r.Reach, r.Took.Round(100*time.Microsecond), r.Detail)
	}
	for _, r := range f.Witness {
		row("witness "+r.Target, r.Reach, r.Took.Round(100*time.Microsecond), r.Detail)
	}
	links, linkErr := h.network.Links()
	for _, l := range links {
		row("default route", "via "+l.Gateway, "dev "+l.Interface, "carrier "+l.Carrier)
	}
	_ = table.Flush()
	if linkErr != nil {
		bad("the routes of this host cannot be read: %v", linkErr)
	} else if len(links) == 0 {
		bad("this host has no default route")
	}
	for _, r := range append(f.FrontEnd, f.Witness...) {
		if r.Reach == probe.Unknown {
			bad("%s cannot be asked: %s", r.Target, r.Detail)
		}
	}
	h.checkOned(f, out, bad)
	h.checkGuests(ctx, out, bad)
	if os.Geteuid() != 0 {
		bad("not run by root: VMs whose processes hang cannot be killed, and the host cannot be powered off")
	}
	st, err := h.store.Load(isolation.Uptime())
	if err != nil {
		bad("%v", err)
	}
	_, v := isolation.Decide(st.History, f.Round, h.policy)
	fmt.Fprintf(out, "now: %s: %s\n", v.Phase, one.Printable(v.Why))
	if v.Phase != isolation.Fine {
		wrong++
	}
	what := "the network is lost"
	if h.settings.Strict {
		what = "the last request was sent that oned answered well"
		if !st.Armed(isolation.Uptime(), h.policy) {
			bad("nothing watches over a lease of this host now: is the service host_isolated running?")
		}
	}
	fmt.Fprintf(out, "bound: VMs are stopped (%s) and gone at most %s + %s = %s after %s\n", h.settings.Action, h.promise.Lease, h.promise.Reaction,
		h.promise.Lease+h.promise.Reaction, what)
	if wrong > 0 {
		return app.ExitIncomplete
	}
	return app.ExitDone
}

// checkOned shows what oned says, and whether a front-end would wait for long enough.
func (h *host) checkOned(f isolation.Findings, out io.Writer, bad func(string, ...any)) {
	if h.asker == nil {
		fmt.Fprintln(out, "oned: not asked, because there is no token (auth_file)")
		return
	}
	if f.Unclear != nil {
		bad("oned: %v", f.Unclear)
		return
	}
	fmt.Fprintf(out, "oned: host %d is %s\n", h.asker.HostID(), f.Round.Says)
	if !h.settings.Strict {
		return
	}
	l, found, err := fence.TemplateLease(h.asker.Template())
	if err == nil && found {
		err = l.Covers(h.promise)
	}
	attributes := fmt.Sprintf("FENCE_LEASE = %d and FENCE_LEASE_REACTION = %d", int(math.Ceil(h.promise.Lease.Seconds())), int(math.Ceil(h.promise.Reaction.Seconds())))
	switch {
	case err != nil:
		bad("%v; set %s by onehost update %d", err, attributes, h.asker.HostID())
	case !found:
		fmt.Fprintf(out, "front-end: the template of this host has no FENCE_LEASE; for a lease set %s by onehost update %d\n", attributes, h.asker.HostID())
	default:
		fmt.Fprintf(out, "front-end: host_error waits %s (%s + %s + %s)\n", l.Wait(), l.Length, l.Reaction, l.Margin)
	}
}

// checkGuests shows the VMs.
func (h *host) checkGuests(ctx context.Context, out io.Writer, bad func(string, ...any)) {
	guests, err := h.guests.Guests(ctx)
	if err != nil {
		bad("%v", err)
	}
	fmt.Fprintf(out, "VMs of OpenNebula here: %d\n", len(guests))
	for _, dir := range []string{h.settings.StateDir, h.settings.RunDir} {
		if err := writable(dir); err != nil {
			bad("%v", err)
		}
	}
}

// writable tries to write into a directory that may not be there yet.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".check-*")
	if errors.Is(err, os.ErrNotExist) {
		if parent := filepath.Dir(dir); parent != dir {
			return writable(parent)
		}
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
