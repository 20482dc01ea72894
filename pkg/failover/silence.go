package failover

import (
	"context"
	"fmt"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// silence is of a host that does not answer this front-end although oned calls it MONITORED: incident.Request.Silent.
type silence struct {
	since     time.Time // the zero time for a host that oned calls failed
	off       bool      // it was proven off since then
	overrules bool      // when it was last looked at, oned called it MONITORED, and it counted as failed
}

// overrule makes the silent host what it has to be taken for: failed, although oned calls it MONITORED, while it does not
// answer; as oned says when it answers, when its way cannot be asked, and when oned has heard of it since. Once it was proven
// off an answer counts for nothing: it was switched on again, and none of its guests runs.
func (o *HostObserver) overrule(ctx context.Context, h one.Host) one.Host {
	if o.silence.since.IsZero() || h.ID != o.id {
		return h
	}
	dumb := h.State.Back() && !recovery.HeardSince(h, o.silence.since) && (o.silence.off || o.survey.lately(ctx, h).Answer.Dumb())
	if dumb {
		h.State = one.HostError
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silence.overrules = dumb
	return h
}

// overrules reports whether the failed host counted as failed when it was last looked at although oned called it MONITORED.
func (o *HostObserver) overrules() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.silence.overrules
}

// withdraw takes a silent host that is proven off out of scheduling before its VMs are read: oned calls it MONITORED, and the
// scheduler would go on placing VMs there, those that are recreated, too.
func (r *runner) withdraw(ctx context.Context, proof fence.Proof) error {
	if !r.cloud.overrules() || !proof.Certain() {
		return nil
	}
	r.cloud.silence.off, r.cloud.silence.since = true, time.Now()
	if err := r.takeOut(ctx, true); err != nil {
		return fmt.Errorf("take the host out of scheduling, on which the scheduler would place its VMs again: %w", err)
	}
	return nil
}
