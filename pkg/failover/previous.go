package failover

import (
	"context"
	"errors"
	"slices"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// earlier makes tasks of the VMs that earlier processes had planned and that are not on the host any more: what had ended
// stays as it was, and the rest left the host after what was asked for, which is still to be seen.
func (r *runner) earlier(ctx context.Context, now []*task) (tasks []*task) {
	for _, v := range r.before.VMs {
		if about(now, v.ID) {
			continue
		}
		t := &task{accepted: time.Now(), byTM: recovery.CleanedByTM(v.State), out: Outcome{
			VM: v.ID, Name: v.Name, Owner: v.Owner, State: v.State, Action: recovery.Verb(v.Action), Result: Result(v.Result),
			Detail: v.Detail, Kind: v.Kind, Priority: v.Priority, Calls: v.Calls, Seconds: v.Seconds, Path: slices.Clone(v.Path),
		}}
		t.again = slices.ContainsFunc(v.Path[min(1, len(v.Path)):], func(h incident.Hop) bool { return recovery.IsFailure(h.State) })
		switch t.out.Result {
		case Incomplete, Starting: // that process was interrupted, or its time was over
			t.out.Result, t.out.Kind = "", ""
		}
		t.step = recovery.Step{VM: one.VM{ID: v.ID}, Verb: t.out.Action, Priority: v.Priority}
		tasks = append(tasks, t)
		if t.out.Result != "" {
			continue
		}
		vm, err := r.cloud.VM(ctx, v.ID)
		switch {
		case errors.Is(err, one.ErrNotFound):
			r.finish(t, Done, wording.Gone)
		case err != nil:
			r.finish(t, Incomplete, wording.EarlierUnread, err)
		default:
			t.step.VM = vm
			if vm.Is(one.Unknown) { // if it is on the host, what was asked for has not happened
				t.from = vm
			}
		}
	}
	return tasks
}

// about reports whether a task is about a VM.
func about(tasks []*task, id int) bool {
	return slices.ContainsFunc(tasks, func(t *task) bool { return t.out.VM == id })
}

// strays makes tasks of the VMs that are adrift, and that no task is about. A dry run only names them.
func (r *runner) strays(ctx context.Context, now []*task) (tasks []*task) {
	for _, vm := range r.adrift(ctx) {
		if about(now, vm.ID) {
			continue
		}
		if full, err := r.cloud.VM(ctx, vm.ID); err == nil { // the pool tells less
			vm = full
		}
		t := newTask(recovery.Step{VM: vm, Verb: recovery.VerbRecreate, Target: -1, Reason: wording.Of(wording.StrayCleanup)}, time.Now())
		t.byTM = vm.DeployID == "" // a VM that never ran was cleaned up by the transfer driver
		if !r.opt.DryRun {
			t.accepted = time.Now()
		}
		tasks = append(tasks, t)
	}
	return tasks
}

// followEarlier follows the VMs that earlier processes had planned and that left the host, to the end; those that are still
// there are left as they are. The host was proven off then, and nothing has been heard of it since, or an admin says so now.
func (r *runner) followEarlier(ctx context.Context, e *ending) (*ending, error) {
	before, host := r.before, r.host
	tasks := r.earlier(ctx, nil)
	for _, t := range tasks {
		vm := t.step.VM
		last, _ := vm.Last()
		switch here := vm.State == one.Active && last.HostID == r.hostID && !vm.Is(one.CleanupResubmit, one.CleanupDelete); {
		case t.out.Result != "" || !here:
		case vm.Is(one.Running) && placedAgain(t.out.Action, last, before.Began):
			r.onOldHost(t, vm)
		case placedAgain(t.out.Action, last, before.Began):
			r.finish(t, Incomplete, wording.EarlierPlaced, vm.Status(), last.HostID, last.Host)
		case vm.Is(one.Unknown) && host.State.Failed() && !slices.Contains(host.VMs, vm.ID):
			r.finish(t, Incomplete, wording.EarlierLost, vm.Status(), vm.ID)
		default:
			r.finish(t, Left, wording.EarlierUntouched, vm.Status())
		}
	}
	if len(tasks) == 0 {
		return e, nil
	}
	proof := fence.WithoutProof(r.hostID, before.Proof)
	switch {
	case r.opt.Request.ConfirmedOff:
		var err error
		if proof, err = r.job.Fence(ctx, host, nil); err != nil {
			return e, err
		}
		r.rec.Proved(proof.String(), true)
	case before.Proven:
		proof = fence.Recalled(r.hostID, before.Proof, before.Began)
	}
	p, err := r.permit(r.hostID, proof)
	if err != nil {
		return e, err
	}
	if slices.ContainsFunc(tasks, func(t *task) bool { return t.out.Result == "" }) {
		r.say(-1, wording.Following)
		p.perform(ctx, tasks)
	}
	done := &ending{kind: e.kind, why: countResults(tasks), tasks: tasks, permit: p}
	if e.is(endBack) {
		done.why = wording.Of(wording.CameBackBy, e.why, done.why)
		if done.has(Done) || done.has(Unproven) {
			done.kind = endHandled // it came back after something had been done
		}
	}
	return done, nil
}

// placedAgain reports whether a VM that was recreated stands on the host because the scheduler has placed it there since,
// and not because nothing was done: that it runs is no more to be trusted than when it was seen first.
func placedAgain(verb recovery.Verb, last one.Record, began time.Time) bool {
	return (verb == recovery.VerbRecreate || verb == recovery.VerbResumeRecreate) && last.Start > began.Unix()
}
