package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
)

// Guests are the VMs of this host; guest.Host has it.
type Guests interface {
	Guests(ctx context.Context) ([]guest.Guest, error)
	Stop(ctx context.Context, action guest.Action) guest.Outcome
	Destroy(ctx context.Context, g guest.Guest) error
}

// Oned is what is asked about VMs and about this host; *Asker has it.
type Oned interface {
	VM(ctx context.Context, id int) (one.VM, error)
	HostID() int
	Template() map[string]string
}

// Dog is a hardware watchdog; *watchdog.Dog has it.
type Dog interface{ Pet() error }

// Journal is a log; *Log has it.
type Journal interface {
	Info(format string, args ...any)
	Warn(format string, args ...any)
	Problem(format string, args ...any)
	Sync() error
}

// Watcher watches over this host.
type Watcher struct {
	Policy  Policy
	Action  guest.Action
	Promise fence.Promise
	// StopLimit is the most time that Guests.Stop takes.
	StopLimit time.Duration
	Round     func(ctx context.Context) Findings
	Names     func() map[string][]string // addresses of names, to be remembered
	Oned      Oned                       // nil without a token
	Guests    Guests
	Store     Store
	Uptime    func() time.Duration
	Log       Journal
	Dog       Dog // nil without a hardware watchdog
	// Alive is told after each round, and each second while VMs are stopped, how it stands:
	// for a service manager. It may be nil; two calls are never at the same time.
	Alive func(status string)
	// Drill: say what would be done, and do nothing.
	Drill bool

	state      State
	loaded     bool
	told       string // the last verdict that was logged
	toldAt     time.Duration
	broken     string     // the last thing that was wrong with the lease
	checked    chan error // its result
	cron       bool       // of this process
	checkLimit time.Duration
	settled    bool          // the comparison was made while oned said MONITORED
	checking   chan struct{} // closed when the comparison with oned has ended; nil without one
	blind      bool          // VMs could only be looked for by their processes, and there were none
	stuck      bool          // VMs could not be stopped
}

// remind is how often a verdict that stays as it is and is not fine is logged again.
const remind = 10 * time.Minute

// ErrLeaseBroken means that the front-end would not wait for as long as this host may
// need.
var ErrLeaseBroken = errors.New("FENCE_LEASE in the template of this host does not fit its settings")

// Step makes one round, decides, and does what has to be done. The error is ErrLeaseBroken
// when there is no lease yet and it must not be taken; everything else is logged.
func (w *Watcher) Step(ctx context.Context) (Verdict, error) {
	w.load()
	f := w.Round(ctx)
	if ctx.Err() != nil {
		return Verdict{}, ctx.Err() // the round was cut short; it says nothing
	}
	if err := w.checkLease(); err != nil {
		return Verdict{}, err
	}
	var v Verdict
	w.state.History, v = Decide(w.state.History, f.Round, w.Policy)
	w.tell(f, v)
	w.state.History.Unchecked = w.state.History.Unchecked || v.Unwatched
	w.remember(v)
	if w.checking == nil && (v.Returned || v.Unwatched || len(w.state.Stopped) > 0 && f.Round.Says == SaysMonitored) {
		w.startCheck(ctx, f.Round.Says == SaysMonitored)
	}
	if v.Phase == Act {
		w.act(ctx, v)
	}
	return v, nil
}

// load reads what was remembered, once.
func (w *Watcher) load() {
	if w.loaded {
		return
	}
	var err error
	if w.state, err = w.Store.Load(w.Uptime()); err != nil {
		w.Log.Warn("%v", err)
	}
	w.loaded = true
}

// remember keeps the state for the next process.
func (w *Watcher) remember(v Verdict) {
	w.state.Cron, w.state.Phase, w.state.Why = w.cron, v.Phase, one.Printable(v.Why)
	if w.Oned != nil {
		w.state.HostID = w.Oned.HostID()
	}
	if w.Names != nil {
		w.state.Names = w.Names()
	}
	if w.Drill {
		return
	}
	if err := w.Store.Save(w.state); err != nil {
		w.Log.Problem("%v", err)
	}
	if w.Policy.Strict && w.state.History.Missed == 0 {
		if err := bounded(recordLimit, w.Store.Arm); err != nil {
			w.Log.Problem("%v", err)
		}
	}
}

// bounded gives up on f after a time; f goes on by itself.
func bounded(limit time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		return errSlow
	}
}

// checkLease compares what the front-end waits for, by the template of this host, with
// what this host promises.
func (w *Watcher) checkLease() error {
	if !w.Policy.Strict || w.Oned == nil {
		return nil
	}
	l, found, err := fence.TemplateLease(w.Oned.Template())
	if err == nil && found {
		err = l.Covers(w.Promise)
	}
	switch {
	case err == nil:
		w.broken = ""
		return nil
	case !w.state.History.Armed:
		return fmt.Errorf("%w: %w", ErrLeaseBroken, err)
	case w.broken != err.Error():
		w.broken = err.Error()
		w.Log.Problem("%v: %v; this host goes on as before, but host_error may not wait for it long enough; host_isolated --check says what to set", ErrLeaseBroken, err)
	}
	return nil
}

// tell logs a verdict when it changes, and from time to time while it is bad.
func (w *Watcher) tell(f Findings, v Verdict) {
	key := string(v.Phase) + " " + string(f.Round.Says)
	now := f.Round.Ended
	if key == w.told && (v.Phase == Fine || now-w.toldAt < remind) {
		return
	}
	first := w.told == ""
	w.told, w.toldAt = key, now
	text := fmt.Sprintf("%s: %s", v.Phase, v.Why)
	if v.At > 0 && v.Phase != Act {
		text += fmt.Sprintf("; VMs will be stopped in %s unless this changes", max(0, v.At-now).Round(time.Second))
	}
	if v.Phase == Fine {
		if !first || w.state.History.Unchecked || w.Drill {
			w.Log.Info("%s", text)
		}
		return
	}
	w.Log.Warn("%s (%s)", text, f.summary())
}

// summary is what the probes found, in one line.
func (f Findings) summary() string {
	var parts []string
	for _, r := range slices.Concat(f.FrontEnd, f.Witness) {
		parts = append(parts, fmt.Sprintf("%s %s: %s", r.Target, r.Reach, r.Detail))
	}
	if f.Unclear != nil {
		parts = append(parts, f.Unclear.Error())
	}
	return strings.Join(parts, "; ")
}

// act stops the VMs of this host.
func (w *Watcher) act(ctx context.Context, v Verdict) {
	running, err := w.look(ctx)
	if len(running) == 0 {
		if err != nil && !w.blind {
			w.Log.Warn("no VMs are seen here, but %v", err)
		}
		w.blind, w.stuck = err != nil, false
		return
	}
	ids := idsOf(running)
	if w.Drill {
		w.Log.Problem("drill: would stop VMs %s now (%s): %s", ids, w.Action, v.Why)
		return
	}
	w.Log.Problem("stopping VMs %s (%s): %s", ids, w.Action, v.Why)
	if err := w.Log.Sync(); err != nil {
		w.Log.Problem("%v; VMs are stopped all the same", err)
	}
	w.state.stopped(running)
	w.remember(v)
	began := w.Uptime()
	out := w.stop(ctx)
	took := (w.Uptime() - began).Round(10 * time.Millisecond)
	if w.stuck = !out.Gone; w.stuck {
		w.Log.Problem("VMs %s may still run here after %s: %v", idsOf(out.Left), took, out.Err)
	} else {
		w.Log.Problem("VMs %s are stopped, verified, in %s", idsOf(out.Found), took)
	}
	_ = w.Log.Sync()
}

// Stuck reports whether VMs should have been stopped and may still run.
func (w *Watcher) Stuck() bool { return w.stuck }

// look finds the VMs that are here, for at most lookLimit: what libvirt does not tell by
// then is seen by its processes.
func (w *Watcher) look(ctx context.Context) ([]guest.Guest, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return w.Guests.Guests(ctx)
}

// stop stops the VMs, also when this process is told to end meanwhile, and keeps the
// watchdogs quiet as long as that may take. After it
// the machine is reset, if it has a hardware watchdog: the last way to stop them.
func (w *Watcher) stop(ctx context.Context) guest.Outcome {
	done, ended := make(chan struct{}), make(chan struct{})
	defer func() {
		close(done)
		<-ended
	}()
	go func() {
		defer close(ended)
		tick := time.NewTicker(hurry)
		defer tick.Stop()
		end := time.After(w.StopLimit)
		for {
			select {
			case <-done:
				return
			case <-end:
				return
			case <-tick.C:
				w.pet("stopping VMs")
			}
		}
	}()
	return w.Guests.Stop(context.WithoutCancel(ctx), w.Action)
}

// pet tells the service manager and the hardware watchdog that all is well here.
func (w *Watcher) pet(status string) {
	if w.Alive != nil {
		w.Alive(status)
	}
	if w.Dog == nil || w.stuck {
		return
	}
	if err := w.Dog.Pet(); err != nil {
		w.Log.Problem("hardware watchdog: %v", err)
	}
}

// idsOf are the IDs of VMs in one line.
func idsOf(guests []guest.Guest) string {
	var ids []string
	for _, g := range guests {
		ids = append(ids, fmt.Sprint(g.ID))
	}
	return strings.Join(ids, ", ")
}
