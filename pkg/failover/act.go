package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// act asks oned once to do what is planned for a VM: it reads the VM again, plans it again, calls, and answers what oned
// says, until a call is accepted or the task is finished.
func (r *permit) act(ctx context.Context, t *task) {
	refusals, resumes := 0, 0
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		if !r.ready(ctx, t) {
			return
		}
		if t.step.Verb == recovery.VerbResumeRecreate {
			if resumes++; resumes > maxResumes {
				r.finish(t, Incomplete, wording.ResumedVainly, maxResumes)
				return
			}
			pause = firstPause
		}
		err := r.call(ctx, t)
		if err == nil {
			t.accepted, t.from = time.Now(), t.step.VM
			r.tell(Event{VM: t.out.VM, Level: wording.Info, Message: wording.Of(wording.Accepted).After(string(t.out.Action))})
			return
		}
		switch {
		case errors.Is(err, one.ErrNotFound):
			r.finish(t, Done, wording.Gone)
			return
		case errors.Is(err, one.ErrWrongState) && refusals < maxRefusals+resumes:
			refusals++
			r.say(t.out.VM, wording.CallRefused, err)
		case one.Temporary(err):
			r.say(t.out.VM, wording.CallFailed, err)
		default:
			r.failed(ctx, t, err)
			return
		}
		t.read = time.Time{}
		if !process.Pause(ctx, pause) {
			r.finish(t, Incomplete, wording.OutOfTime, err)
			return
		}
	}
}

// failed finishes a task because of an error. A call that was under way when the time was over is no fault of its own.
func (r *permit) failed(ctx context.Context, t *task, err error) {
	why := wording.CallError
	if ctx.Err() != nil {
		why = wording.OutOfTime
	}
	r.finish(t, Incomplete, why, err)
}

// ready makes sure that the task is planned from a fresh reading of its VM; false means that this has finished it.
func (r *permit) ready(ctx context.Context, t *task) bool {
	if r.cloud.Back(ctx) {
		if r.proof.Certain() && t.step.VM.Is(one.Unknown, one.Running) { // its guest is gone, and from 6.0 on oned takes it for powered off
			r.finish(t, Incomplete, wording.HostWasOff, t.out.VM)
			return false
		}
		r.finish(t, Left, wording.HostBack)
		return false
	}
	if !t.read.IsZero() && time.Since(t.read) < fresh {
		return true
	}
	vm, err := r.cloud.VM(ctx, t.out.VM)
	for pause := firstPause; err != nil && one.Temporary(err) && process.Pause(ctx, pause); pause = min(2*pause, maxPause) {
		r.say(t.out.VM, wording.CallFailed, err)
		vm, err = r.cloud.VM(ctx, t.out.VM)
	}
	switch {
	case errors.Is(err, one.ErrNotFound):
		r.finish(t, Done, wording.Gone)
		return false
	case err != nil:
		r.failed(ctx, t, err)
		return false
	}
	t.read = time.Now()
	step, err := r.decide(ctx, vm, t.step)
	if err != nil {
		r.failed(ctx, t, err)
		return false
	}
	if t.out.Calls > 0 && !step.Verb.Acts() && !step.Unhandled {
		// What was asked for has happened, whatever oned answered.
		t.accepted = time.Now()
		return false
	}
	if step.Verb != t.step.Verb {
		r.say(t.out.VM, wording.Replanned, vm.Status(), step.Verb, t.step.Verb, step.Reason)
		t.out.Action = step.Verb
	}
	t.step = step
	return !r.finishPlanned(t)
}

// call makes the call of a step.
func (r *permit) call(ctx context.Context, t *task) error {
	if t.first.IsZero() {
		t.first = time.Now()
	}
	t.out.Calls++
	id := t.out.VM
	switch t.step.Verb {
	case recovery.VerbMigrate:
		return r.cloud.Migrate(ctx, id, t.step.Target)
	case recovery.VerbResumeRecreate:
		if err := r.cloud.Do(ctx, one.Resume, id); err != nil {
			return err
		}
		t.out.Calls++
	case recovery.VerbBoot:
		if t.step.VM.State == one.Poweroff { // 4.x boots only what is UNKNOWN
			return r.cloud.Do(ctx, one.Resume, id)
		}
	}
	action, known := map[recovery.Verb]one.Action{
		recovery.VerbRecreate: one.Recreate, recovery.VerbResumeRecreate: one.Recreate, recovery.VerbDelete: one.Delete, recovery.VerbResched: one.Resched,
		recovery.VerbReturn: one.RecoverFailure, recovery.VerbRetry: one.Retry, recovery.VerbBoot: one.Reboot,
	}[t.step.Verb]
	if !known {
		return fmt.Errorf("VM %d: nothing to call for %q", id, t.step.Verb)
	}
	return r.cloud.Do(ctx, action, id)
}

// acquire makes this process the only one that acts on a VM, or waits to; another one ends the task.
func (r *runner) acquire(kind string, t *task) (release func(), free bool) {
	release, err := r.locks.Acquire(kind, t.out.VM)
	var busy *incident.BusyError
	switch {
	case errors.As(err, &busy):
		r.finish(t, Already, wording.Busy, &incident.BusyError{Object: fmt.Sprintf("VM %d", t.out.VM), Holder: busy.Holder})
		return nil, false
	case err != nil:
		r.say(t.out.VM, wording.LockFailed, err)
		return func() {}, true
	}
	return release, true
}

// readEach reads VMs one by one, several at a time. unread are those that exist and could not be read.
func (r *runner) readEach(ctx context.Context, ids []int) (good []one.VM, unread map[int]error) {
	vms, errs := make([]one.VM, len(ids)), make([]error, len(ids))
	process.Each(len(ids), r.opt.Parallel, func(i int) { vms[i], errs[i] = r.cloud.VM(ctx, ids[i]) })
	unread = map[int]error{}
	for i, err := range errs {
		switch {
		case err == nil:
			good = append(good, vms[i])
		case !errors.Is(err, one.ErrNotFound):
			unread[ids[i]] = err
		}
	}
	return good, unread
}

// task is one VM on its way.
type task struct {
	step     recovery.Step
	read     time.Time // when step.VM was read
	out      Outcome
	first    time.Time       // first call
	accepted time.Time       // last call that oned accepted; zero before
	from     one.VM          // as it was read before that call; zero before
	waits    wording.Message // for what the scheduler waits to move it; zero when it has not said
	why      wording.Message // why it is planned, or ended, as it did
	word     string          // what the scheduler said of it before
	asked    time.Time       // when its clean-up was last ended; zero before
	tried    bool            // a host was looked for
	again    bool            // it was recreated once more
	againAt  time.Time       // when that was, and its last record then
	againIn  one.Record
	byTM     bool   // its clean-up is done by the transfer driver
	release  func() // gives the VM to other processes; nil without a lock
}

func newTask(step recovery.Step, read time.Time) *task {
	return &task{step: step, read: read, why: step.Reason, byTM: recovery.CleanedByTM(step.VM.Status()), word: step.VM.UserTemplate["SCHED_MESSAGE"], out: Outcome{
		VM: step.VM.ID, Name: step.VM.Name, Owner: step.VM.Owner, State: step.VM.Status(),
		Action: step.Verb, Detail: step.Reason.String(), Priority: step.Priority,
	}}
}

// finish ends a task.
func (r *runner) finish(t *task, result Result, kind wording.Kind, args ...any) {
	r.end(t, result, wording.Of(kind, args...))
}

// end is finish with a message that is there already.
func (r *runner) end(t *task, result Result, why wording.Message) {
	t.out.Result, t.out.Kind = result, why.Kind.Name()
	if !why.IsZero() {
		t.out.Detail = why.String()
	}
	t.why = why
	if !t.first.IsZero() {
		t.out.Seconds = time.Since(t.first).Seconds()
	}
	if t.release != nil {
		t.release()
		t.release = nil
	}
	level := wording.Info
	switch result {
	case Incomplete, Refused:
		level = wording.Problem
	case Unproven:
		level = wording.Warning
	}
	r.journal.VM(t.out.record())
	r.tell(Event{VM: t.out.VM, Level: level, Message: why.After(fmt.Sprintf("%s: %s", t.out.Action, result))})
}

// finishPlanned ends a task whose step does not act; it reports whether it was one.
func (r *runner) finishPlanned(t *task) bool {
	switch {
	case t.step.Verb == recovery.VerbAlready:
		r.end(t, Already, t.step.Reason)
	case t.step.Refused:
		r.end(t, Refused, t.step.Reason)
	case t.step.Verb == recovery.VerbLeave && t.step.Unhandled:
		r.end(t, Incomplete, t.step.Reason)
	case t.step.Verb == recovery.VerbLeave:
		r.end(t, Left, t.step.Reason)
	default:
		return false
	}
	return true
}

// permit is the right to act on the VMs of a host. Nothing acts on a VM without
// one, and it is made from a proof only, so that no later change can act first.
type permit struct {
	*runner
	proof fence.Proof
}

// errNoProof means that acting was about to begin without a proof: a defect.
var errNoProof = errors.New("no proof that the host is off, and no decision to do without")

// permit turns a proof into the right to act on the VMs of a host.
func (r *runner) permit(hostID int, proof fence.Proof) (*permit, error) {
	if !proof.Covers(hostID) {
		return nil, fmt.Errorf("act on the VMs of host %d: %w", hostID, errNoProof)
	}
	return &permit{r, proof}, nil
}

// unproven reports whether VMs of a host are recovered without a proof that it is off.
func (r *permit) unproven() bool { return r.hostID >= 0 && !r.proof.Certain() }
