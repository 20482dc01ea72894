package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// allLeft plans the VMs of a host one after the other, up to the first that something has to be
// done about. all says that there is none, because that is wanted: then the host need not be watched or
// powered off. A VM that cannot be recovered before something else has happened is not left on purpose.
func (r *runner) allLeft(ctx context.Context) (tasks []*task, all bool) {
	s, tasks := r.newSnapshot(r.host), []*task{}
	for _, id := range r.host.VMs {
		vm, err := r.cloud.VM(ctx, id)
		if errors.Is(err, one.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false // the usual way tells of it
		}
		s.VMs = []one.VM{vm}
		s.addOtherEnd(ctx, vm)
		if s.addForMoves(ctx) != nil {
			return nil, false
		}
		step := recovery.Make(s.Snapshot, r.job.Policy).Steps[0]
		if step.Verb.Acts() || step.Unhandled || step.Refused {
			return nil, false
		}
		tasks = append(tasks, newTask(step, time.Now()))
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
func (r *runner) leave(tasks []*task) *ending {
	r.say(-1, wording.NothingToDo)
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
	unread []unread
}

func (r *runner) newSnapshot(host one.Host) *hostSnapshot {
	return &hostSnapshot{runner: r, Snapshot: recovery.Snapshot{Dialect: r.job.Dialect, Host: host}}
}

// snapshot reads the host and everything that a plan for its VMs needs. It also returns
// when the VMs were read, or the zero time if they have to be read again anyway.
func (r *runner) snapshot(ctx context.Context) (*hostSnapshot, time.Time, error) {
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil {
		return nil, time.Time{}, err
	}
	r.cloud.now.read = time.Now()
	s, read := r.newSnapshot(host), time.Time{}
	if s.VMs, err = r.cloud.VMSet(ctx, host.VMs); err != nil {
		if !errors.Is(err, one.ErrUnsupported) {
			r.say(-1, wording.ReadSingly, err)
		}
		read = time.Now()
		s.VMs, s.unread = r.readEach(ctx, host.VMs)
	} else {
		s.completeHistories(ctx)
	}
	if ctx.Err() != nil {
		return nil, time.Time{}, fmt.Errorf("read the VMs of the host: %w", ctx.Err())
	}
	for _, vm := range s.VMs {
		s.addOtherEnd(ctx, vm)
	}
	if err := s.addForMoves(ctx); err != nil {
		return nil, time.Time{}, err
	}
	return s, read, nil
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
	if !known || !vm.Migrating() || end.HostID == s.Host.ID ||
		slices.ContainsFunc(s.Hosts, func(h one.Host) bool { return h.ID == end.HostID }) {
		return
	}
	if host, err := s.cloud.Host(ctx, end.HostID); err == nil {
		s.Hosts = append(s.Hosts, host)
		if s.cleared(host, end) {
			s.Cleared = append(s.Cleared, host.ID)
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
	now.VMs, now.Hosts, now.Cleared = []one.VM{vm}, slices.Clone(s.Hosts), slices.Clone(s.Cleared)
	now.addOtherEnd(ctx, vm)
	step := recovery.Make(now.Snapshot, s.job.Policy).Steps[0]
	if step.Verb == recovery.VerbMigrate && before.Verb == recovery.VerbMigrate {
		step.Target = before.Target // the room there was reserved for it
	}
	return step, nil
}
