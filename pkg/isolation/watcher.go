// Package isolation keeps the VMs of a host from running twice when the host loses the network: it asks again and
// again what can be reached, decides, and stops the VMs before the cloud starts them elsewhere.
//
// Decide is pure. Watcher does the rest: probes (package probe), what oned says (OnedClient), stopping VMs (package
// guest), what must be remembered (Store).
//
// All times are since the host was booted (CLOCK_BOOTTIME): they go on while the host is suspended, and no change of
// the date touches them.
package isolation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Guests are the VMs of this host; guest.Host has it.
type Guests interface {
	Guests(ctx context.Context) ([]guest.Guest, error)
	Stop(ctx context.Context) guest.Outcome
	Destroy(ctx context.Context, g guest.Guest) error
}

// Oned is what is asked about VMs and about this host; *OnedClient has it.
type Oned interface {
	VM(ctx context.Context, id int) (one.VM, error)
	Host() one.Host
}

// Journal is a log; *Log has it.
type Journal interface {
	Say(m wording.Message)
	Sync() error
}

// Watcher watches over this host.
type Watcher struct {
	Policy    Policy
	Action    string // of the configuration: how Guests.Stop does it
	Promise   fence.Promise
	StopLimit time.Duration // the most that Guests.Stop takes
	Round     func(ctx context.Context) Findings
	Names     func() map[string][]string // addresses of names, to be remembered; nil for none
	Oned      Oned                       // nil without a token
	Roster    *Roster                    // what oned calls the guests here; nil when nobody needs to know
	Guests    Guests
	Store     Store
	Uptime    func() time.Duration
	Log       Journal
	Pet       func() error // a sign of life for the hardware watchdog; nil without one
	// Alive gets how it stands after each round, and each second while VMs are stopped: for a service manager. It may
	// be nil; two calls are never at the same time.
	Alive func(status string)
	Drill bool // say what would be done, and do nothing
	Stuck bool // a result: VMs should have been stopped, and may still run

	state        State  // as it was loaded, and each round since
	told         string // the last verdict that was logged
	toldAt       time.Duration
	broken       string     // the last thing that was wrong with the lease
	cron         bool       // of this process
	comparing    chan error // the result of a comparison with oned; nil without one
	settled      bool       // at the beginning of that
	compareLimit time.Duration
	blind        bool // VMs could only be looked for by their processes, and there were none
	learning     atomic.Bool
	learners     sync.WaitGroup // that learn what guests are called; bounded
}

// remind is how often a verdict that stays the same and is not fine is logged again.
const remind = 10 * time.Minute

// ErrLeaseBroken means that the front-end would not wait for as long as this host may need.
var ErrLeaseBroken = errors.New("FENCE_LEASE in the template of this host does not fit its settings")

// Watch makes rounds until the context ends. every is the time from the begin of one to that of the next. A clean end
// is nil.
func (w *Watcher) Watch(ctx context.Context, every time.Duration) error {
	w.compareLimit, w.cron = compareLimit, false
	defer w.learners.Wait()
	for {
		began := w.Uptime()
		v, err := w.Step(ctx)
		select {
		case err := <-w.comparing:
			w.compared(err)
		default:
		}
		switch {
		case ctx.Err() != nil:
			return w.awaitCompare()
		case err != nil:
			return err
		}
		w.pet(fmt.Sprintf("%s: %s", v.Phase, v.Why))
		now := w.Uptime()
		next := nextRound(v, began, now, every)
		if v.Again {
			next = now + hurry
		}
		if !process.Pause(ctx, next-now) {
			return w.awaitCompare()
		}
	}
}

// Once makes one round for cron, and more of them only when the first is not certain enough. complete is false when
// VMs should have been stopped and may still run.
func (w *Watcher) Once(ctx context.Context) (complete bool, err error) {
	// The next run must not find this one still at work.
	w.compareLimit, w.cron = min(compareLimit, w.Policy.Every/2), true
	defer w.learners.Wait()
	for range minRounds {
		v, err := w.Step(ctx)
		if err != nil {
			return false, err
		}
		if !v.Again {
			break
		}
		if !process.Pause(ctx, hurry) {
			return false, ctx.Err()
		}
	}
	err = w.awaitCompare()
	return !w.Stuck && err == nil, err
}

// Step makes one round, decides, and does what has to be done. The error is ErrLeaseBroken when there is no lease yet
// and it must not be taken; everything else is logged.
func (w *Watcher) Step(ctx context.Context) (Verdict, error) {
	if w.state.Version == 0 {
		var err error
		if w.state, err = w.Store.Load(w.Uptime()); err != nil {
			w.Log.Say(wording.Of(wording.StateUnusable, err))
		}
	}
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
	w.state.History.Unchecked = w.state.History.Unchecked || v.Returned
	w.remember(v)
	monitored := f.Round.Reported == ReportedMonitored
	if w.comparing == nil && (v.Returned || len(w.state.Stopped) > 0 && monitored) {
		w.startCompare(ctx, monitored)
	}
	if monitored && w.comparing == nil && !w.state.History.Unchecked {
		w.learn(ctx) // before a comparison it would forget the copies that are to be compared
	}
	if v.Phase == Act {
		w.act(ctx, v)
	}
	return v, nil
}

// checkLease compares what the front-end waits for, by the template of this host, with what this host promises.
func (w *Watcher) checkLease() error {
	if !w.Policy.Strict || w.Oned == nil {
		return nil
	}
	l, found, err := fence.TemplateLease(w.Oned.Host().Template)
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
		w.Log.Say(wording.Of(wording.LeaseMisfit, fmt.Errorf("%w: %w", ErrLeaseBroken, err)))
	}
	return nil
}

// tell logs a verdict when it changes, and from time to time while it is bad.
func (w *Watcher) tell(f Findings, v Verdict) {
	key := fmt.Sprint(v.Phase, f.Round.Reported)
	now := f.Round.Ended
	if key == w.told && (v.Phase == Fine || now-w.toldAt < remind) {
		return
	}
	first := w.told == ""
	w.told, w.toldAt = key, now
	switch {
	case v.Phase == Fine && first && !w.state.History.Unchecked && !w.Drill: // as usual
	case v.Phase == Fine:
		w.Log.Say(wording.Of(wording.RoundFine, v.Phase, v.Why))
	case v.At > 0 && v.Phase != Act:
		w.Log.Say(wording.Of(wording.RoundCountdown, v.Phase, v.Why, max(0, v.At-now).Round(time.Second), f))
	default:
		w.Log.Say(wording.Of(wording.RoundNotFine, v.Phase, v.Why, f))
	}
}

// remember keeps the state for the next process.
func (w *Watcher) remember(v Verdict) {
	w.state.Cron, w.state.Phase, w.state.Why = w.cron, v.Phase, text.Printable(v.Why.String())
	if w.Oned != nil {
		w.state.HostID = w.Oned.Host().ID
	}
	if w.Names != nil {
		w.state.Names = w.Names()
	}
	if w.Drill {
		return
	}
	note := func(err error) {
		if err != nil {
			w.Log.Say(wording.Of(wording.NotRemembered, err))
		}
	}
	note(w.Store.Save(w.state))
	if w.Policy.Strict && w.state.History.Missed == 0 {
		ctx, cancel := context.WithTimeoutCause(context.Background(), recordLimit, errSlow)
		defer cancel()
		_, err := process.Bounded(ctx, func() (any, error) { return nil, w.Store.Arm() })
		note(err)
	}
}

func (w *Watcher) act(ctx context.Context, v Verdict) {
	looking, cancel := context.WithTimeout(ctx, lookLimit) // what libvirt does not tell by then is seen by its processes
	running, err := w.Guests.Guests(looking)
	cancel()
	if len(running) == 0 {
		if err != nil && !w.blind {
			w.Log.Say(wording.Of(wording.GuestsUnseen, err))
		}
		w.blind, w.Stuck = err != nil, false
		return
	}
	if w.Drill {
		w.Log.Say(wording.Of(wording.GuestsDrill, idsOf(running), w.Action, v.Why))
		return
	}
	w.record(wording.Of(wording.GuestsStopping, idsOf(running), w.Action, v.Why))
	for _, g := range running {
		if !slices.Contains(w.state.Stopped, g.ID) {
			w.state.Stopped = append(w.state.Stopped, g.ID)
		}
	}
	w.remember(v)
	began := w.Uptime()
	out := w.stop(ctx)
	took := (w.Uptime() - began).Round(10 * time.Millisecond)
	if w.Stuck = !out.Gone; w.Stuck {
		w.Log.Say(wording.Of(wording.GuestsRemain, idsOf(out.Left), took, out.Err))
	} else {
		w.Log.Say(wording.Of(wording.GuestsStopped, idsOf(out.Found), took))
	}
	_ = w.Log.Sync()
}

// stop stops the VMs, even when this process has to end meanwhile, and keeps the watchdogs quiet as long as that
// may take. After it the machine is reset, if it has a hardware watchdog: the last way to stop them.
func (w *Watcher) stop(ctx context.Context) guest.Outcome {
	outcome := make(chan guest.Outcome, 1)
	go func() { outcome <- w.Guests.Stop(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(hurry)
	defer tick.Stop()
	end := time.After(w.StopLimit)
	for {
		select {
		case o := <-outcome:
			return o
		case <-end:
			return <-outcome
		case <-tick.C:
			w.pet("stopping VMs")
		}
	}
}

// pet tells the service manager and the hardware watchdog that all is well here.
func (w *Watcher) pet(status string) {
	if w.Alive != nil {
		w.Alive(status)
	}
	if w.Pet == nil || w.Stuck {
		return
	}
	if err := w.Pet(); err != nil {
		w.Log.Say(wording.Of(wording.WatchdogFailed, err))
	}
}

func idsOf(guests []guest.Guest) string {
	var ids []string
	for _, g := range guests {
		ids = append(ids, fmt.Sprint(g.ID))
	}
	return strings.Join(ids, ", ")
}
