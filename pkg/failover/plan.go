package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// allLeft plans the VMs of a host one after the other, up to the first that something has to be
// done about. all says that there is none, because that is wanted: then the host need not be watched or
// powered off. A VM that cannot be recovered before something else has happened is not left on purpose.
func (r *runner) allLeft(ctx context.Context) (tasks []*task, all bool) {
	if r.first.at.IsZero() || len(r.first.unread) > 0 {
		return nil, false // the usual way tells of it
	}
	s, tasks := r.newSnapshot(r.host), []*task{}
	for _, vm := range r.first.vms {
		s.VMs = []one.VM{vm}
		s.completeHistories(ctx)
		s.addOtherEnd(ctx, s.VMs[0])
		if s.addForMoves(ctx) != nil {
			return nil, false
		}
		step := recovery.Make(s.Snapshot, r.job.Policy).Steps[0]
		if step.Verb.Acts() || step.Unhandled || step.Refused {
			return nil, false
		}
		tasks = append(tasks, newTask(step, r.first.at))
	}
	return tasks, len(r.host.VMs) > 0 || len(r.adrift(ctx)) == 0
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

// leave ends the work on a host without anything to be done.
func (r *runner) leave(tasks []*task, why wording.Kind) *ending {
	r.say(-1, why)
	r.rec.Stage(incident.StepPlan)
	r.planned(tasks)
	for _, t := range tasks {
		r.finishPlanned(t)
	}
	return &ending{kind: endHandled, tasks: tasks}
}

// hostSnapshot is a recovery.Snapshot of a failed host with what could not be read.
type hostSnapshot struct {
	*runner
	recovery.Snapshot
	unread map[int]error
}

// cover says what the proof is about: a lease says nothing of a machine that is another host, too. In a dry run it is what the
// proof would be.
func (s *hostSnapshot) cover(ctx context.Context, proof fence.Proof) error {
	s.Leased = proof.Leased() || s.opt.DryRun && s.outlook != nil && s.outlook.Leased
	if !s.Leased {
		return nil
	}
	hosts, _, err := s.cloud.All(ctx)
	s.Twins = recovery.Twins(s.Host, hosts)
	return err
}

func (r *runner) newSnapshot(host one.Host) *hostSnapshot {
	return &hostSnapshot{runner: r, Snapshot: recovery.Snapshot{Dialect: r.job.Dialect, Host: host, Sight: r.sight, Failed: r.failed}}
}

// snapshot reads the host and everything that a plan for its VMs needs. It also returns
// when the VMs were read, or the zero time if they have to be read again anyway.
func (r *runner) snapshot(ctx context.Context) (*hostSnapshot, time.Time, error) {
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil {
		return nil, time.Time{}, err
	}
	r.cloud.now.read = time.Now()
	s, got := r.newSnapshot(host), r.again(ctx, host.VMs)
	s.VMs, s.unread = slices.Clone(got.vms), got.unread
	switch {
	case got.err != nil:
		r.say(-1, wording.ReadSingly, got.err)
	case got.singly.IsZero():
		s.completeHistories(ctx)
	}
	if ctx.Err() != nil {
		return nil, time.Time{}, fmt.Errorf("read the VMs of the host: %w", ctx.Err())
	}
	for _, vm := range s.VMs {
		s.addOtherEnd(ctx, vm)
	}
	for _, v := range r.before.VMs {
		if v.Action == string(recovery.VerbResumeRecreate) && v.Calls > 0 {
			s.Resumed = append(s.Resumed, v.ID)
		}
	}
	if err := s.addForMoves(ctx); err != nil {
		return nil, time.Time{}, err
	}
	return s, got.singly, nil
}

// completeHistories reads those VMs one by one that have two ends: a set answers with the last history record only.
func (s *hostSnapshot) completeHistories(ctx context.Context) {
	for i, vm := range s.VMs {
		if vm.Migrating() && len(vm.History) < 2 {
			if full, err := s.cloud.VM(ctx, vm.ID); err == nil {
				s.VMs[i] = full
			}
		}
	}
}

// addOtherEnd reads the host that a VM was migrating from or to, once.
func (s *hostSnapshot) addOtherEnd(ctx context.Context, vm one.VM) {
	end, known := vm.Previous()
	if known && end.HostID == s.Host.ID {
		end, known = vm.Last()
	}
	known = known && vm.Migrating()
	if destination, returned := s.Returned(vm); returned {
		end, known = one.Record{HostID: destination}, true
	}
	if !known || end.HostID == s.Host.ID ||
		slices.ContainsFunc(s.Hosts, func(h one.Host) bool { return h.ID == end.HostID }) {
		return
	}
	if host, err := s.cloud.Host(ctx, end.HostID); err == nil {
		s.Hosts = append(s.Hosts, host)
		if cleared, byLease := s.cleared(host, end); cleared {
			s.Cleared = append(s.Cleared, host.ID)
			if byLease {
				s.ByLease = append(s.ByLease, host.ID)
			}
		}
	}
}

// addForMoves reads what only -m needs: the system datastores, and the other hosts if a VM has to be given one.
func (s *hostSnapshot) addForMoves(ctx context.Context) error {
	if s.job.Policy.Mode != recovery.Migrate && s.Host.Template["FT_ACTION"] == "" {
		return nil
	}
	idle := false
	for _, vm := range s.VMs {
		idle = idle || vm.State == one.Suspended || vm.State == one.Poweroff
		last, placed := vm.Last()
		if !placed || slices.ContainsFunc(s.Datastores, func(d one.Datastore) bool { return d.ID == last.DatastoreID }) {
			continue
		}
		ds, err := s.cloud.Datastore(ctx, last.DatastoreID)
		if err != nil {
			s.say(vm.ID, wording.Trouble, err)
			continue
		}
		s.Datastores = append(s.Datastores, ds)
	}
	if !idle || !s.job.Policy.Idle {
		return nil
	}
	hosts, err := s.cloud.Hosts(ctx)
	if err == nil {
		s.Hosts = hosts
	}
	return err
}

// replan decides again for one VM from a fresh reading.
func (s *hostSnapshot) replan(ctx context.Context, vm one.VM, before recovery.Step) (recovery.Step, error) {
	now := hostSnapshot{runner: s.runner, Snapshot: s.Snapshot}
	now.VMs, now.Hosts, now.Cleared, now.ByLease = []one.VM{vm}, slices.Clone(s.Hosts), slices.Clone(s.Cleared), slices.Clone(s.ByLease)
	now.addOtherEnd(ctx, vm)
	if before.Verb == recovery.VerbResumeRecreate {
		now.Resumed = []int{vm.ID}
	}
	step := recovery.Make(now.Snapshot, s.job.Policy).Steps[0]
	if step.Verb == recovery.VerbMigrate && before.Verb == recovery.VerbMigrate {
		step.Target = before.Target // the room there was reserved for it
	}
	return step, nil
}

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
func (s *hostSnapshot) strays(ctx context.Context, now []*task) (tasks []*task) {
	r := s.runner
	for _, vm := range r.adrift(ctx) {
		if about(now, vm.ID) {
			continue
		}
		if full, err := r.cloud.VM(ctx, vm.ID); err == nil { // the pool tells less
			vm = full
		}
		t := newTask(s.Stray(vm), time.Now())
		t.byTM = vm.DeployID == "" // a VM that never ran was cleaned up by the transfer driver
		if !r.opt.DryRun && t.step.Verb.Acts() {
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
		r.journal.Proof(proof.String(), true)
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
	return verb.Starts() && last.Start > began.Unix()
}
