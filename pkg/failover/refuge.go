package failover

import (
	"context"
	"maps"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Refuge reads where VMs could go. What it gives says of the VMs of a plan whether a host in service, other than those in
// not, may take any of them.
type Refuge func(ctx context.Context) (MayTake, error)

// MayTake is what a Refuge gives. What cannot be judged counts as possible.
type MayTake func(ctx context.Context, plan recovery.Plan, not map[int]bool) (bool, error)

// mayTake reads where VMs could go, once for all recoveries that ask at about the same time.
func (r *runner) mayTake(ctx context.Context) (MayTake, error) {
	if r.opt.Shared == nil {
		return r.opt.Refuge(ctx)
	}
	young := func(ask MayTake, read time.Time) bool { return ask != nil && time.Since(read) < surveyed }
	ask, _, err := r.opt.Shared.refuge.get(ctx, young, func(MayTake, time.Time) (MayTake, time.Time, error) {
		now := time.Now()
		ask, err := r.opt.Refuge(ctx)
		if err != nil {
			return nil, now, err
		}
		return ask, now, nil
	})
	return ask, err
}

// nowhere reports whether no host in service may take any of the VMs, as far as that can be known. Hosts that do not answer
// are not in service. It asks for one VM first: as a rule that has somewhere to go. Once an earlier process has acted on the
// VMs there is nothing to be spared.
func (r *runner) nowhere(ctx context.Context) bool {
	all := r.host.VMs
	if r.opt.Refuge == nil || len(all) == 0 || r.hasActed() {
		return false
	}
	ask, err := r.mayTake(ctx)
	if err != nil {
		r.say(-1, wording.RefugeUnread, err)
		return false
	}
	not := map[int]bool{r.hostID: true}
	maps.Copy(not, r.cloud.lost)
	acts := false
	for _, n := range slices.Compact([]int{1, len(all)}) {
		plan, known := r.foresee(ctx, all[:n])
		if !known {
			return false // the usual way tells of it
		}
		if acts = slices.ContainsFunc(plan.Steps, func(s recovery.Step) bool {
			return s.Verb.Acts() && (s.Verb != recovery.VerbDelete || n == len(all))
		}); !acts {
			continue
		}
		switch found, err := ask(ctx, plan, not); {
		case err != nil:
			r.say(-1, wording.RefugeUnread, err)
			return false
		case found:
			return false
		}
	}
	return acts
}

// hasActed reports whether an earlier process has asked oned to change VMs of the host in this outage.
func (r *runner) hasActed() bool {
	return slices.ContainsFunc(r.before.VMs, func(v incident.VM) bool { return v.Calls > 0 })
}

// foresee plans some VMs of the host as they are now; false means that not all can be planned.
func (r *runner) foresee(ctx context.Context, ids []int) (plan recovery.Plan, known bool) {
	s := r.newSnapshot(r.host)
	vms, err := r.cloud.VMSet(ctx, ids)
	if err != nil {
		var unread map[int]error
		if vms, unread = r.readEach(ctx, ids); len(unread) > 0 {
			return plan, false
		}
	}
	s.VMs = vms
	s.completeHistories(ctx)
	for _, vm := range s.VMs {
		s.addOtherEnd(ctx, vm)
	}
	if s.addForMoves(ctx) != nil || ctx.Err() != nil {
		return plan, false
	}
	return recovery.Make(s.Snapshot, r.job.Policy), true
}

// paused says why nothing is acted on now; the zero Message when something may be. What was begun before is finished.
func (r *runner) paused() wording.Message {
	if r.opt.Paused == nil || r.opt.DryRun {
		return wording.Message{}
	}
	return r.opt.Paused()
}

// inVain ends the work on a host when one-ft is paused, or when nothing would be done about any of its VMs once it is off: then it is not fenced. nil
// means that there is something to be done, or that it is not known.
func (r *runner) inVain(ctx context.Context) *ending {
	if r.hasActed() || r.opt.DryRun {
		return nil
	}
	if why := r.paused(); !why.IsZero() {
		return &ending{kind: endRefused, why: why}
	}
	host, err := r.cloud.Read(ctx)
	if err != nil || len(host.VMs) == 0 || len(r.adrift(ctx)) > 0 {
		return nil
	}
	var plan recovery.Plan
	for _, ids := range slices.Compact([]int{1, len(host.VMs)}) {
		known := false
		if plan, known = r.foresee(ctx, host.VMs[:ids]); !known || slices.ContainsFunc(plan.Steps, recovery.Step.NeedsProof) {
			return nil
		}
	}
	read := time.Now()
	tasks := make([]*task, 0, len(plan.Steps))
	for _, step := range plan.Steps {
		tasks = append(tasks, newTask(step, read))
	}
	return r.leave(tasks, wording.InVain)
}
