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

// planned writes down what will be done with each VM, before the first of them is touched:
// whoever goes on after this process knows of all.
func (r *runner) planned(tasks []*task) {
	all := make([]Outcome, len(tasks))
	for i, t := range tasks {
		if len(t.out.Path) == 0 && t.out.State != "?" {
			t.out.Path = []incident.Hop{{At: time.Now().Truncate(time.Millisecond), State: t.out.State, Host: r.hostID}}
		}
		all[i] = t.out
	}
	r.rec.Planned(all)
}

// earlier makes tasks of the VMs that processes before had planned and that are not on the
// host any more: what had ended stays as it was, and the rest left the host after what was
// asked for, which is still to be seen.
func (r *runner) earlier(ctx context.Context, before Earlier, now []*task) (tasks []*task) {
	for _, v := range before.VMs {
		if slices.ContainsFunc(now, func(t *task) bool { return t.out.VM == v.ID }) {
			continue
		}
		t := &task{accepted: time.Now(), byTM: recovery.CleanedByTM(v.State), out: Outcome{
			VM: v.ID, Name: v.Name, Owner: v.Owner, State: v.State, Action: recovery.Verb(v.Action), Result: Result(v.Result),
			Detail: v.Detail, Kind: v.Kind, Priority: v.Priority, Calls: v.Calls, Seconds: v.Seconds, Path: slices.Clone(v.Path),
		}}
		t.again = slices.ContainsFunc(v.Path[min(1, len(v.Path)):], func(h incident.Hop) bool { return recovery.IsFailure(h.State) })
		switch t.out.Result {
		case Incomplete, Starting: // that process was told to end, or its time was over
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

// adrift are the VMs that somebody else has recreated, such as OpenNebula's own hook, and whose clean-ups on the host have
// not ended: oned does not count them there any more. It reads all active VMs of the cloud.
func (r *runner) adrift(ctx context.Context) (vms []one.VM) {
	if !r.opt.Strays {
		return nil
	}
	all, err := r.cloud.VMsIn(ctx, one.Active)
	if err != nil {
		return nil // those that are known are recovered
	}
	for _, vm := range all {
		if last, placed := vm.Last(); placed && last.HostID == r.hostID && vm.Is(one.CleanupResubmit) {
			vms = append(vms, vm)
		}
	}
	return vms
}

// strays makes tasks of the VMs that are adrift, and that no task is about. A dry run only names them.
func (r *runner) strays(ctx context.Context, now []*task) (tasks []*task) {
	for _, vm := range r.adrift(ctx) {
		if slices.ContainsFunc(now, func(t *task) bool { return t.out.VM == vm.ID }) {
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

// followEarlier sees what became of the VMs that processes before had planned and that left the host, to the end; those
// that are still there are left as they are. The host was proven off then, and nothing has been heard of it since, or
// an admin says so now.
func (r *runner) followEarlier(ctx context.Context, job HostJob, host one.Host, report *Report, before Earlier) error {
	tasks := r.earlier(ctx, before, nil)
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
		return nil
	}
	proof := fence.WithoutProof(r.hostID, before.Proof)
	switch {
	case r.opt.Request.ConfirmedOff:
		var err error
		if proof, err = job.Fence(ctx, host, nil); err != nil {
			return err
		}
		r.rec.Proved(proof.String(), true)
	case before.Proven:
		proof = fence.Recalled(r.hostID, before.Proof, before.Began)
	}
	p, err := r.permit(r.hostID, proof)
	if err != nil {
		return err
	}
	report.Fence = proof.String()
	if slices.ContainsFunc(tasks, func(t *task) bool { return t.out.Result == "" }) {
		r.say(-1, wording.Following)
		p.perform(ctx, tasks)
	}
	last := report.said
	p.conclude(report, tasks)
	if report.Back {
		report.Sum(wording.CameBackBy, last, report.said)
		report.Back = !report.has(Done) && !report.has(Unproven) // it came back after something had been done
	}
	return nil
}

// placedAgain reports whether a VM that was recreated stands on the host because the scheduler has placed it there since,
// and not because nothing was done: that it runs is no more to be trusted than when it was seen first.
func placedAgain(verb recovery.Verb, last one.Record, began time.Time) bool {
	return (verb == recovery.VerbRecreate || verb == recovery.VerbResumeRecreate) && last.Start > began.Unix()
}

// settle ends what a process that was stopped has left open for a host that needs nothing
// any more.
func (r *runner) settle(ctx context.Context, job HostJob, report Report, host one.Host) (Report, error) {
	before := r.rec.Begin(Opening{Name: host.Name, Settle: true})
	if len(before.VMs) > 0 && (before.Following || r.opt.Request.ConfirmedOff) {
		end := r.keepClaim(ctx)
		err := r.followEarlier(ctx, job, host, &report, before)
		end(report, err)
		return report, err
	}
	report.Back = host.State.Back()
	r.rec.Stage(incident.StepVerify)
	if err := r.followEarlier(ctx, job, host, &report, before); err != nil {
		return report, err
	}
	if c, claimed := ClaimOf(host); claimed && !c.Ended && c.FrontEnd == r.opt.FrontEnd {
		r.endClaim(ctx, c, report, nil)
	}
	return report, nil
}
