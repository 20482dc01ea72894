package failover

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// runner carries steps out. It is made anew for each recovery.
type runner struct {
	cloud   *observed
	locks   Locker // may be nil
	opt     Options
	mu      sync.Mutex // one Notify at a time
	started time.Time
	rec     Recorder
	turns   *turns
	begun   bool // rec.Begin was called
	apart   bool // another process works on the incident of the VM
	// decide plans one VM anew from what was just read.
	decide func(ctx context.Context, vm one.VM, before recovery.Step) (recovery.Step, error)
	// hostID is the failed host, or -1.
	hostID int
	// outlook is what a dry run says of the proof.
	outlook  fence.Outlook
	watch    watch
	row      row
	input    *downtime.Input // what the cloud needs; nil until it was asked for
	barrier  Barrier         // nil without one
	barredAt time.Time       // when it was put up
	placed   time.Time       // when VMs were last placed
	lives    bool            // VMs of the failed host say that it is monitored again
	// since is when hosts in ERROR were last in contact with oned.
	since map[int]time.Time
}

// watch is what is known of the failed host while its VMs are acted on.
type watch struct {
	looking chan struct{} // holds one
	read    time.Time
	state   one.HostState // -1 while it is not known
}

// cameBack reports whether oned has monitored the host meanwhile: then no VM may
// be touched any more.
func (r *runner) cameBack(ctx context.Context) bool { return r.hostNow(ctx).Back() }

// hostNow is the state of the failed host, -1 where it is not known. It looks at most once in the time that a reading
// is fresh; who comes meanwhile waits for that look, and no longer than its context.
func (r *runner) hostNow(ctx context.Context) one.HostState {
	if r.hostID < 0 {
		return -1
	}
	select {
	case r.watch.looking <- struct{}{}:
		defer func() { <-r.watch.looking }()
	case <-ctx.Done():
		return -1
	}
	if r.watch.state.Back() || time.Since(r.watch.read) < fresh {
		return r.watch.state
	}
	if host, err := r.cloud.Host(ctx, r.hostID); err == nil {
		r.watch.read, r.watch.state = time.Now(), host.State
	}
	return r.watch.state
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
	why      wording.Message // why it ended as it did
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
	return &task{step: step, read: read, byTM: recovery.CleanedByTM(step.VM.Status()), word: step.VM.UserTemplate["SCHED_MESSAGE"], out: Outcome{
		VM: step.VM.ID, Name: step.VM.Name, Owner: step.VM.Owner, State: step.VM.Status(),
		Action: step.Verb, Detail: step.Reason.String(), Priority: step.Priority,
	}}
}

// newRunner makes a runner for a host, or for a VM with -1.
func newRunner(cloud Cloud, locks Locker, hostID int, opt Options) *runner {
	r := &runner{cloud: newObserved(cloud), locks: locks, opt: opt, hostID: hostID, started: time.Now(), since: map[int]time.Time{}, rec: opt.Record,
		watch: watch{looking: make(chan struct{}, 1), state: -1}}
	if r.rec == nil || opt.DryRun {
		r.rec = noRecorder{}
	}
	if opt.Shared != nil {
		r.turns = opt.Shared.turns
	} else {
		r.turns = newTurns(opt.Parallel)
	}
	return r
}

// say reports what happens to the host (vm is -1) or to a VM.
func (r *runner) say(vm int, kind wording.Kind, args ...any) {
	m := wording.Of(kind, args...)
	r.tell(Event{VM: vm, Level: m.Level(), Message: m})
}

func (r *runner) tell(e Event) {
	if r.opt.Notify == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opt.Notify(e)
}

// finish ends a task.
func (r *runner) finish(t *task, result Result, kind wording.Kind, args ...any) {
	r.end(t, result, wording.Of(kind, args...))
}

// end is finish with a message that is there already.
func (r *runner) end(t *task, result Result, why wording.Message) {
	t.out.Result, t.out.Kind = result, why.Kind
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
	level := Info
	switch result {
	case Incomplete, Refused:
		level = Problem
	case Unproven:
		level = Warning
	}
	r.rec.VM(t.out)
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

// actAll acts on all tasks in the order of their priority, a bounded number at a time.
func (r *permit) actAll(ctx context.Context, tasks []*task) {
	var todo []*task
	for _, t := range tasks {
		if t.accepted.IsZero() && t.out.Result == "" && !r.finishPlanned(t) {
			todo = append(todo, t)
		}
	}
	line := r.turns.line(r.hostID, todo)
	r.turns.open(ctx, r.failedHosts)
	var wg sync.WaitGroup
	for i, t := range todo {
		wg.Go(func() {
			if !r.turns.take(ctx, line[i]) {
				r.finish(t, Incomplete, wording.OutOfTime, ctx.Err())
				return
			}
			defer r.turns.done()
			if r.lock(t) {
				r.act(ctx, t)
			}
		})
	}
	wg.Wait()
}

// failedHosts are all hosts in ERROR with VMs, as far as they were read.
func (r *runner) failedHosts() []int {
	if r.opt.Shared == nil {
		return nil
	}
	return r.opt.Shared.pool.failed()
}

// lock makes this process the only one that works on the VM.
func (r *runner) lock(t *task) bool {
	if r.locks == nil || t.release != nil {
		return true
	}
	release, err := r.locks.Acquire("VM", t.out.VM)
	switch {
	case errors.Is(err, incident.ErrBusy):
		r.finish(t, Already, wording.Busy, err)
		return false
	case err != nil:
		r.say(t.out.VM, wording.LockFailed, err)
		return true
	}
	t.release = release
	return true
}

// act asks oned once to do what is planned for a VM: it reads the VM again, plans
// it again, calls, and answers what oned says, until a call is accepted or the
// task is finished.
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
			r.tell(Event{VM: t.out.VM, Level: Info, Message: wording.Of(wording.Accepted).After(string(t.out.Action))})
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
			r.finish(t, Incomplete, wording.CallError, err)
			return
		}
		t.read = time.Time{}
		if !wait(ctx, pause) {
			r.finish(t, Incomplete, wording.OutOfTime, err)
			return
		}
	}
}

// ready makes sure that the task is planned from a fresh reading of its VM. It
// returns false when the task is finished by that.
func (r *permit) ready(ctx context.Context, t *task) bool {
	if r.cameBack(ctx) {
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
	for pause := firstPause; err != nil && one.Temporary(err) && wait(ctx, pause); pause = min(2*pause, maxPause) {
		r.say(t.out.VM, wording.CallFailed, err)
		vm, err = r.cloud.VM(ctx, t.out.VM)
	}
	switch {
	case errors.Is(err, one.ErrNotFound):
		r.finish(t, Done, wording.Gone)
		return false
	case err != nil:
		r.finish(t, Incomplete, wording.CallError, err)
		return false
	}
	t.read = time.Now()
	step, err := r.decide(ctx, vm, t.step)
	if err != nil {
		r.finish(t, Incomplete, wording.CallError, err)
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
	case recovery.VerbRecreate:
		return r.cloud.Do(ctx, one.Recreate, id)
	case recovery.VerbResumeRecreate:
		if err := r.cloud.Do(ctx, one.Resume, id); err != nil {
			return err
		}
		t.out.Calls++
		return r.cloud.Do(ctx, one.Recreate, id)
	case recovery.VerbDelete:
		return r.cloud.Do(ctx, one.Delete, id)
	case recovery.VerbResched:
		return r.cloud.Do(ctx, one.Resched, id)
	case recovery.VerbReturn:
		return r.cloud.Do(ctx, one.RecoverFailure, id)
	case recovery.VerbRetry:
		return r.cloud.Do(ctx, one.Retry, id)
	case recovery.VerbBoot:
		return r.cloud.Do(ctx, one.Reboot, id)
	case recovery.VerbMigrate:
		return r.cloud.Migrate(ctx, id, t.step.Target)
	}
	return fmt.Errorf("VM %d: nothing to call for %q", id, t.step.Verb)
}
