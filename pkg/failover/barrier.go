package failover

import (
	"context"
	"slices"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// bar puts up the barrier for a host that is certainly off, before the first call. Without one clean-ups take what
// their time-outs take. open takes it away.
func (r *permit) bar(ctx context.Context, tasks []*task) {
	if r.opt.Bar == nil || r.hostID < 0 || !r.proof.Certain() || !slices.ContainsFunc(tasks, (*task).reachesHost) {
		return
	}
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil || !host.State.Failed() {
		return
	}
	names := []string{host.Name}
	for _, t := range tasks { // drivers use the name that the record of the VM has
		if last, placed := t.step.VM.Last(); placed && last.HostID == r.hostID && last.Host != "" && !slices.Contains(names, last.Host) {
			names = append(names, last.Host)
		}
	}
	began := time.Now()
	b, err := r.opt.Bar(ctx, host, names, r.journal.Number())
	if err != nil {
		r.say(-1, wording.FailFastFailed, err)
	}
	if b == nil {
		return
	}
	r.barrier, r.barredAt = b, time.Now()
	r.journal.Host(func(h *incident.HostRecord) { h.FailFast = b.Names() })
	r.say(-1, wording.FailFast, time.Since(began).Seconds())
}

// reachesHost reports whether commands of drivers to the failed host are under way for a VM, or will be.
func (t *task) reachesHost() bool {
	if t.out.Result != "" {
		return false
	}
	return t.accepted.IsZero() && t.step.Verb.Acts() || t.step.VM.Is(one.CleanupResubmit, one.CleanupDelete)
}

// longestBar is how long the barrier stays at most when clean-ups do not end, beside the time that they may wait for a
// thread: before 5.0 oned does not tell whether the host is switched on again. A choice.
const longestBar = time.Minute

// barred reports whether the barrier has been up for long enough for all clean-ups that can wait for a thread.
func (r *runner) barred(settle time.Duration) bool {
	return r.barrier != nil && time.Since(r.barredAt) > settle+longestBar
}

// open takes the barrier away, if there is one.
func (r *permit) open() {
	if r.barrier == nil {
		return
	}
	r.barrier.Open()
	r.barrier = nil
	r.journal.Host(func(h *incident.HostRecord) { h.FailFast = nil })
	r.say(-1, wording.FailFastOver)
}

// closed reports whether no command of a driver can reach the host.
func (r *runner) closed() bool { return r.barrier != nil && r.barrier.Closed() }

// quarantine takes the failed host out of scheduling before the first of its VMs is started elsewhere. When it comes
// back its old guests may still run: the scheduler must not place the VMs there again, where a deploy fails on the
// old guest, which oned then takes for the new one (measured on 6.10). DISABLED is what lets oned go on monitoring
// it (since 5.0; OFFLINE does not). What an admin set stays as it is.
func (r *permit) quarantine(ctx context.Context, tasks []*task) {
	if !r.opt.Quarantine || r.hostID < 0 || !slices.ContainsFunc(tasks, (*task).startsElsewhere) {
		return
	}
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil || r.cloud.InQuarantine() || !host.State.Failed() {
		return // ready looks at the host before each call
	}
	if err := r.takeOut(ctx, r.proof.Certain()); err != nil {
		r.say(-1, wording.QuarantineFailed, err, r.hostID)
	}
}

// takeOut takes the host out of scheduling.
func (r *runner) takeOut(ctx context.Context, proven bool) error {
	q := hostmark.Quarantine{FrontEnd: r.opt.FrontEnd, Incident: r.journal.Number(), At: time.Now(), Proven: proven}
	if q.FrontEnd == "" {
		q.FrontEnd = "unknown"
	}
	// The reason first: a host that is disabled without one would be taken for an admin's.
	err := r.cloud.AnnotateHost(ctx, r.hostID, hostmark.AttrQuarantine, q.String())
	if err == nil {
		err = r.cloud.SetSchedulable(ctx, r.hostID, false)
	}
	if err != nil {
		return err
	}
	r.journal.Host(func(h *incident.HostRecord) { h.Quarantined = q.At.Truncate(time.Second) })
	r.say(-1, wording.Quarantined, r.hostID)
	return nil
}

// startsElsewhere reports whether the VM will be started elsewhere while an old guest may be left on the host.
func (t *task) startsElsewhere() bool {
	v := t.step.Verb
	return t.out.Result == "" && (v.Starts() || v == recovery.VerbResched || v == recovery.VerbMigrate)
}
