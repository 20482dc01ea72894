package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// ErrNoVM means that the VM does not exist.
var ErrNoVM = errors.New("no such VM")

// RecoverVM recovers one VM. With a budget it goes on when the VM fails again meanwhile: the event for that came while this
// process had the VM. The report is of the last attempt; it is complete also when the error is not nil.
func RecoverVM(ctx context.Context, cloud Cloud, locks *incident.Locks, job VMJob, opt Options) (Report, error) {
	r := newRunner(cloud, locks, -1, opt)
	r.object = fmt.Sprintf("VM %d", opt.Request.ID)
	r.decide = func(ctx context.Context, vm one.VM, _ recovery.Step) (recovery.Step, error) {
		return r.decideSingle(ctx, job, vm)
	}
	release, err := locks.Acquire("incident-of-VM", opt.Request.ID)
	if err == nil {
		defer release()
	}
	r.apart = errors.Is(err, incident.ErrBusy)
	for e := (*ending)(nil); ; {
		t, err := r.attempt(ctx, job)
		if err != nil {
			return r.report(e), err
		}
		e = &ending{kind: endHandled, why: t.why.After(fmt.Sprintf("%s: %s", t.out.Action, t.out.Result)), tasks: []*task{t}}
		if t.out.Result == Refused {
			e.kind = endRefused
		}
		if opt.Budget == nil || opt.DryRun || t.accepted.IsZero() || !r.failedAgain(ctx, job) {
			return r.report(e), nil
		}
		r.say(opt.Request.ID, wording.FailedAnew)
	}
}

// attempt reads the VM, plans it, and carries the plan out once.
func (r *runner) attempt(ctx context.Context, job VMJob) (*task, error) {
	vm, err := r.cloud.VM(ctx, r.opt.Request.ID)
	if errors.Is(err, one.ErrNotFound) {
		if !r.apart && r.rec.Open() {
			r.beginOnce("")
		}
		return nil, fmt.Errorf("%w: oned knows no VM %d", ErrNoVM, r.opt.Request.ID)
	}
	if err != nil {
		return nil, err
	}
	read := time.Now()
	r.object, r.state = nameOf("VM", vm.ID, vm.Name), vm.Status()
	r.checkVM(vm)
	step, err := r.decideSingle(ctx, job, vm)
	if err != nil {
		return nil, err
	}
	t := newTask(step, read)
	// The host of the VM, if it has one, is not in ERROR, or the step does not act.
	p, err := r.permit(r.hostID, fence.WithoutProof(r.hostID, "its host is not in ERROR"))
	if err != nil {
		return nil, err
	}
	if acts(step) || step.Unhandled || step.Verb == recovery.VerbDelete || !r.apart && r.rec.Open() {
		r.beginOnce(vm.Name)
	}
	r.rec.Stage(incident.StepPlan)
	if why := r.paused(); step.Verb.Acts() && !why.IsZero() {
		r.end(t, Refused, why)
		return t, nil
	}
	if !step.Verb.Acts() && !step.Unhandled && !step.Refused && onTheWay(vm) && !r.apart && r.journal.Number() > 0 {
		r.finish(t, Starting, wording.IsNow, vm.Status()) // an earlier process has acted
		return t, nil
	}
	if r.opt.Budget != nil && acts(step) {
		host, err := r.hostOfVM(ctx, vm)
		if err != nil {
			return nil, err
		}
		if r.opt.DryRun {
			r.notes = append(r.notes, r.budgetLeft(vm, host))
		} else if release, free := r.acquire("recovery-of-VM", t); free {
			// While it waits for its turn, host_error can have the VM: the VM itself is locked only for the call.
			defer release()
			r.afford(ctx, t, host)
		}
	}
	if t.out.Result == "" {
		p.perform(ctx, []*task{t})
	}
	if t.out.Result == "" { // accepted, and to be seen
		ctx, cancel := context.WithTimeout(ctx, r.opt.Timeout)
		defer cancel()
		p.verifySingle(ctx, t)
	}
	return t, nil
}

// beginOnce is begin for work that is done in several attempts.
func (r *runner) beginOnce(name string) {
	if !r.begun {
		r.begun = true
		r.journal, _ = r.rec.Begin(Opening{Name: name, Apart: r.apart})
	}
}

// failedAgain reports whether there is something to do for the VM now. By then this process has given it up: whoever was
// turned away before is gone, and whoever comes later finds it free.
func (r *runner) failedAgain(ctx context.Context, job VMJob) bool {
	vm, err := r.cloud.VM(ctx, r.opt.Request.ID)
	if err != nil {
		return false // it is gone, or the next event comes when oned is back
	}
	step, err := r.decideSingle(ctx, job, vm)
	return err == nil && acts(step)
}

// decideSingle reads the hosts of a VM and plans it.
func (r *runner) decideSingle(ctx context.Context, job VMJob, vm one.VM) (recovery.Step, error) {
	s := recovery.Single{Dialect: job.Dialect, VM: vm}
	var err error
	if s.Host, err = r.hostOfVM(ctx, vm); err != nil {
		return recovery.Step{}, err
	}
	if previous, known := vm.Previous(); known && vm.Migrating() {
		if s.Source, err = r.hostOf(ctx, previous.HostID); err != nil {
			return recovery.Step{}, err
		}
	}
	return job.Decide(s), nil
}

// hostOfVM reads the host that a VM is on, or was last; nil for none.
func (r *runner) hostOfVM(ctx context.Context, vm one.VM) (*one.Host, error) {
	last, placed := vm.Last()
	if !placed {
		return nil, nil
	}
	return r.hostOf(ctx, last.HostID)
}

// hostOf reads a host; nil means that it no longer exists.
func (r *runner) hostOf(ctx context.Context, id int) (*one.Host, error) {
	host, err := r.cloud.Host(ctx, id)
	if errors.Is(err, one.ErrNotFound) {
		return nil, nil
	}
	return &host, err
}

// verifySingle waits until a VM has left the state that it failed in, asking again when it does not, and with VerifyRunning
// until it runs. A VM that was booted where it is has left UNKNOWN only when it runs: the boot of a VM falls back to UNKNOWN.
func (r *permit) verifySingle(ctx context.Context, t *task) {
	moved, away := false, false // away: it was seen in another state
	before, _ := t.step.VM.Last()
	for pause := firstLook; ; pause = min(2*pause, maxPause) {
		vm, err := r.cloud.VM(ctx, t.out.VM)
		switch {
		case errors.Is(err, one.ErrNotFound):
			vm = one.VM{ID: t.out.VM, State: one.Done}
			fallthrough
		case err == nil:
			// A quick oned does it all between two looks; its history shows that.
			last, _ := vm.Last()
			same := vm.Status() == t.out.State
			away = away || !same
			moved = moved || away || last != before
			fellBack := same && (away || moved && time.Since(t.accepted) >= fallsBack)
			r.seen(ctx, t, vm, moved, fellBack)
		case !one.Temporary(err) && ctx.Err() == nil:
			r.finish(t, Incomplete, wording.ResultUnread, err)
		}
		if t.out.Result != "" {
			return
		}
		if !process.Pause(ctx, pause) {
			break
		}
	}
	if vm := t.step.VM; vm.State == one.Pending {
		r.finish(t, Incomplete, wording.StillPending, schedulerSays(vm))
	} else {
		r.finish(t, Incomplete, wording.Late, vm.Status())
	}
}

// onTheWay reports whether oned is working on a VM that left the state which it failed in: whether it runs is still to be seen.
func onTheWay(vm one.VM) bool {
	idle := vm.State == one.Done || vm.State == one.Poweroff || vm.State == one.Suspended
	return !idle && !vm.Is(one.Running) && !recovery.FailedOnTheWay(vm)
}

// seen ends the task of a VM that is where it was to be or fell back, and asks again for one that never moved.
func (r *permit) seen(ctx context.Context, t *task, vm one.VM, moved, fellBack bool) {
	booted := t.step.Verb == recovery.VerbBoot
	switch {
	case fellBack:
		r.finish(t, Incomplete, wording.FailedAgain, wording.Of(wording.FellBack, vm.Status(), errorOf(vm)))
	case moved && r.opt.Request.Verify == VerifyLeft && !booted && onTheWay(vm):
		r.hop(t, vm, "")
		r.finish(t, Starting, wording.IsNow, vm.Status())
	case moved:
		r.arrived(t, vm)
	case time.Since(t.accepted) < askAgain:
	case t.asks() >= maxAsks:
		r.finish(t, Incomplete, wording.StaysFailed, maxAsks, vm.Status(), errorOf(vm))
	default:
		r.say(t.out.VM, wording.AskedAgain, vm.Status())
		t.read = time.Time{}
		r.act(ctx, t)
	}
}

// arrived ends the task of a VM that is where it was to be, or cannot get there.
func (r *permit) arrived(t *task, vm one.VM) {
	t.step.VM = vm
	verb := t.step.Verb
	endsWell := verb == recovery.VerbDelete || verb == recovery.VerbRetry && strings.HasPrefix(t.out.State, "EPILOG")
	switch {
	case vm.State == one.Done && !endsWell:
		r.finish(t, Incomplete, wording.Ended)
	case vm.State == one.Done:
		r.arrivedAt(t, vm)
	case verb == recovery.VerbDelete:
	case recovery.FailedOnTheWay(vm) && !t.failedBefore(vm):
		r.finish(t, Incomplete, wording.FailedAgain, failedThere(vm))
	case vm.Is(one.Running), verb.Moves() && (vm.State == one.Suspended || vm.State == one.Poweroff):
		r.arrivedAt(t, vm)
	}
}
