package isolation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// hostID is this host in all tests.
const hostID = 3

// world is this host, with all that a Watcher needs, in virtual time.
type world struct {
	t     *testing.T
	began time.Time
	store Store

	mu        sync.Mutex
	connected bool          // anything answers
	says      Reported      // oned, when connected
	guests    []guest.Guest // that run here
	vms       map[int]one.VM
	vmErr     error
	asked     int   // for VMs
	counted   []int // the VMs that oned counts here
	template  map[string]string
	stops     []time.Duration // when Stop was called
	stopTakes time.Duration
	hopeless  bool // Stop stops nothing
	destroyed []int
	pets      []time.Duration
	log       []string
}

// newWorld is a host that was booted an hour ago, runs VMs 4 and 7, and is connected.
func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	return &world{t: t, began: time.Now(), store: Store{RunDir: dir + "/run", StateDir: dir + "/state", Boot: "b1"},
		connected: true, says: ReportedMonitored, guests: guestsOf(4, 7), vms: map[int]one.VM{}}
}

func guestsOf(ids ...int) (all []guest.Guest) {
	for _, id := range ids {
		all = append(all, guest.Guest{ID: id, Name: fmt.Sprintf("one-%d", id)})
	}
	return all
}

func (w *world) uptime() time.Duration { return time.Hour + time.Since(w.began) }

// watcher is a Watcher for this world.
func (w *world) watcher(p Policy) *Watcher {
	watcher := &Watcher{Policy: p, Action: config.ActionDestroy, Promise: fence.Promise{Lease: p.Lease, Reaction: 40 * second}, StopLimit: 20 * second,
		Round: w.round, Guests: w, Store: w.store, Uptime: w.uptime, Log: w}
	if p.Asks {
		watcher.Oned = oned{w}
	}
	return watcher
}

// round takes 3 s without a network.
func (w *world) round(ctx context.Context) Findings {
	f := Findings{Round: Round{Began: w.uptime(), Asked: w.uptime(), FrontEnd: probe.Unreachable, Witness: probe.Unreachable}}
	if connected, says := w.network(); connected {
		f.Round.FrontEnd, f.Round.Witness, f.Round.Reported = probe.Reachable, probe.Reachable, says
	} else {
		process.Pause(ctx, 3*second)
	}
	f.Round.Ended = w.uptime()
	return f
}

func (w *world) network() (connected bool, says Reported) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connected, w.says
}

// connect connects the host or cuts it off.
func (w *world) connect(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.connected = yes
}

func (w *world) Guests(context.Context) ([]guest.Guest, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.guests), nil
}

func (w *world) Stop(ctx context.Context) guest.Outcome {
	w.mu.Lock()
	w.stops = append(w.stops, w.uptime())
	found := slices.Clone(w.guests)
	w.mu.Unlock()
	w.say("STOP")
	process.Pause(ctx, w.stopTakes)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hopeless {
		return guest.Outcome{Found: found, Left: found, Err: guest.ErrLeft}
	}
	w.guests = nil
	return guest.Outcome{Found: found, Gone: true}
}

func (w *world) Destroy(_ context.Context, g guest.Guest) error {
	w.say("DESTROY %d", g.ID)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.destroyed = append(w.destroyed, g.ID)
	w.guests = slices.DeleteFunc(w.guests, func(other guest.Guest) bool { return other.ID == g.ID })
	return nil
}

func (w *world) Pet() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pets = append(w.pets, w.uptime())
	return nil
}

func (w *world) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) Say(m wording.Message) { w.say("%s: %s", m.Level(), m) }

func (w *world) Sync() error {
	w.say("SYNC")
	return nil
}

// said is the log.
func (w *world) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.log, "\n")
}

// oned is what the world knows of VMs.
type oned struct{ w *world }

func (o oned) VM(_ context.Context, id int) (one.VM, error) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.asked++
	if o.w.vmErr != nil {
		return one.VM{}, o.w.vmErr
	}
	vm, ok := o.w.vms[id]
	if !ok {
		return vm, one.ErrNotFound
	}
	return vm, nil
}

func (o oned) Host() one.Host {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	return one.Host{ID: hostID, Template: o.w.template, VMs: o.w.counted}
}

// on is a VM in a state whose last record is on a host.
func on(host int, state one.VMState, lcm one.LCMState) one.VM {
	return one.VM{State: state, LCM: lcm, History: []one.Record{{HostID: host}}}
}
