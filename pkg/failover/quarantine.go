package failover

import (
	"context"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// quarantine takes the failed host out of scheduling before the first of its VMs is started elsewhere. When it comes
// back its old guests may still run: the scheduler must not place the VMs there again, where a deploy fails on the
// old guest, which oned then takes for the new one (measured on 6.10). DISABLED is what lets oned go on monitoring
// it (since 5.0; OFFLINE does not). What an admin set stays as it is.
func (r *permit) quarantine(ctx context.Context, tasks []*task) {
	if !r.opt.Quarantine || r.hostID < 0 || !startsElsewhere(tasks) {
		return
	}
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil || r.cloud.InQuarantine(r.hostID) || !host.State.Failed() {
		return // cameBack looks at the host before each call
	}
	q := recovery.Quarantine{FrontEnd: r.opt.FrontEnd, Incident: r.rec.Number(), At: time.Now(), Proven: r.proof.Certain()}
	if q.FrontEnd == "" {
		q.FrontEnd = "unknown"
	}
	// The reason first: a host that is disabled without one would be taken for an admin's.
	if err = r.cloud.AnnotateHost(ctx, r.hostID, recovery.AttrQuarantine, q.String()); err == nil {
		err = r.cloud.SetSchedulable(ctx, r.hostID, false)
	}
	if err != nil {
		r.say(-1, wording.QuarantineFailed, err, r.hostID)
		return
	}
	r.rec.Host(func(h *incident.HostRecord) { h.Quarantined = q.At.Truncate(time.Second) })
	r.say(-1, wording.Quarantined, r.hostID)
}

// startsElsewhere reports whether a task starts a VM elsewhere while an old guest may be left on the host.
func startsElsewhere(tasks []*task) bool {
	for _, t := range tasks {
		switch t.step.Verb {
		case recovery.VerbRecreate, recovery.VerbResumeRecreate, recovery.VerbResched, recovery.VerbMigrate:
			if t.out.Result == "" {
				return true
			}
		}
	}
	return false
}
