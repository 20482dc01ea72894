package failover

import (
	"context"
	"errors"
	"slices"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// sightLimit is how long the first reading of the VMs may take: what comes later is no first sight. A choice; 40 VMs
// one by one take 0.1 s, 1000 in one call a second.
const sightLimit = 10 * time.Second

// reading is what was read of the VMs of a host.
type reading struct {
	at     time.Time // when it began
	ids    []int
	vms    []one.VM
	unread map[int]error
	// singly is when they were read one by one, the zero time for in one call: then they have to be read again before
	// they are acted on.
	singly time.Time
	err    error // why they were, where that says something
}

// readVMs reads VMs in one call, or one by one where that is not possible.
func (r *runner) readVMs(ctx context.Context, ids []int) reading {
	got := reading{at: time.Now(), ids: slices.Clone(ids)}
	vms, err := r.cloud.VMSet(ctx, ids)
	if got.vms = vms; err == nil {
		return got
	}
	if !errors.Is(err, one.ErrUnsupported) {
		got.err = err
	}
	got.singly = time.Now()
	got.vms, got.unread = r.readEach(ctx, ids)
	return got
}

// again is the reading if it is still fresh and about the same VMs, or else a new one.
func (r *runner) again(ctx context.Context, ids []int) reading {
	if !r.first.at.IsZero() && time.Since(r.first.at) < fresh && slices.Equal(r.first.ids, ids) {
		return r.first
	}
	return r.readVMs(ctx, ids)
}

// look reads what the VMs are doing before anything is waited for.
func (r *runner) look(ctx context.Context, opening Opening) {
	ctx, cancel := context.WithTimeout(ctx, sightLimit)
	defer cancel()
	got := r.readVMs(ctx, r.host.VMs)
	if ctx.Err() != nil {
		return
	}
	r.first, r.sight = got, recovery.SightOf(got.at, got.vms)
	if r.failed = opening.Contact; r.failed.IsZero() { // at the earliest; what decides later knows better
		r.failed = failedAt(opening, time.Now(), downtime.Never(), r.opt.Request.At, opening.Since)
	}
}

// keepSight makes what an earlier process has seen in this outage the first sight, and writes it into the incident.
func (r *runner) keepSight(contact time.Time) {
	if r.first.at.IsZero() {
		if r.before.Sight == nil {
			return
		}
		r.sight = recovery.SightOf(time.Now(), nil)
	}
	r.sight = recovery.FirstSight(r.before.Sight, r.sight, contact, Forgotten)
	r.journal.Sight(incident.Sight{At: r.sight.At, VMs: slices.Clone(r.sight.VMs)})
	if r.before.Host != nil && !r.before.Host.Failed.IsZero() {
		r.failed = r.before.Host.Failed
	}
}

// witnesses is the host with those of its VMs that say that it lives when they are RUNNING: one whose shutdown, or migration,
// its driver has given up is RUNNING again by that alone, on a dead host, too (6.10 and 7.4 do not ask for it then).
func (r *runner) witnesses(host one.Host) one.Host {
	if r.first.at.IsZero() {
		return host
	}
	host.VMs = slices.DeleteFunc(slices.Clone(host.VMs), func(id int) bool { return !recovery.Ran(r.sight, id) })
	return host
}
