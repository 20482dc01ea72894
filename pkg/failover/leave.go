package failover

import (
	"context"
	"errors"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// allLeft plans the VMs of a host one after the other, up to the first that something has to be
// done about. all says that there is none, because that is wanted: then the host need not be watched or
// powered off. A VM that cannot be recovered before something else has happened is not left on purpose.
func (r *runner) allLeft(ctx context.Context, host one.Host, job HostJob) (tasks []*task, all bool) {
	s := &hostSnapshot{Snapshot: recovery.Snapshot{Dialect: job.Dialect, Host: host}}
	for _, id := range host.VMs {
		vm, err := r.cloud.VM(ctx, id)
		if errors.Is(err, one.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false // the usual way tells of it
		}
		s.VMs = []one.VM{vm}
		s.addOtherEnd(ctx, r, vm)
		if s.addForMoves(ctx, r, job.Policy) != nil {
			return nil, false
		}
		step := recovery.Make(s.Snapshot, job.Policy).Steps[0]
		if step.Verb.Acts() || step.Unhandled || step.Refused {
			return nil, false
		}
		tasks = append(tasks, newTask(step, time.Now()))
	}
	return tasks, true
}

// leave ends the work on a host without anything to be done.
func (r *runner) leave(report Report, tasks []*task) Report {
	r.say(-1, wording.NothingToDo)
	r.rec.Stage(incident.StepPlan)
	r.planned(tasks)
	for _, t := range tasks {
		r.finishPlanned(t)
	}
	report.conclude(tasks)
	return report
}
