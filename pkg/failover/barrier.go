package failover

import (
	"context"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Barrier keeps ssh of this front-end away from a host that is proven off: what would wait for minutes fails at once,
// and no command that was meant for the old copy of a VM can reach the host when it is back.
type Barrier interface {
	// Names are those under which ssh to the host fails at once.
	Names() []string
	// Closed reports whether nothing can reach the host any more: the names fail at once for the user of the drivers,
	// and no command to them is under way.
	Closed() bool
	// Open takes the barrier away. It is called once.
	Open()
}

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
	b, err := r.opt.Bar(ctx, host, names, r.rec.Number())
	if err != nil {
		r.say(-1, wording.FailFastFailed, err)
	}
	if b == nil {
		return
	}
	r.barrier, r.barredAt = b, time.Now()
	r.rec.Host(func(h *incident.HostRecord) { h.FailFast = b.Names() })
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
	r.rec.Host(func(h *incident.HostRecord) { h.FailFast = nil })
	r.say(-1, wording.FailFastOver)
}

// closed reports whether no command of a driver can reach the host.
func (r *runner) closed() bool { return r.barrier != nil && r.barrier.Closed() }
