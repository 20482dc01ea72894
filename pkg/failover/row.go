package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// maxGap is the longest time between two looks in a row. A host that oned monitors
// again stays MONITORED for a monitoring interval, and one that an admin enables stays
// INIT until it is monitored: no interval in use is that short.
const maxGap = 5 * time.Second

// row is an unbroken row of looks at the failed host in which oned granted it no lease. The
// wait for a lease begins with it.
type row struct {
	since   time.Time // end of the first look; zero without one
	sent    time.Time // begin of the last look
	contact int64     // LastContact, where oned tells
}

// noLease reports whether a host in this state is granted no lease by oned: what
// host_isolated --strict heeds. A DISABLED host keeps its VMs, so it is granted one.
func noLease(s one.HostState) bool { return s.Failed() || s == one.HostOffline }

// add takes a look that was asked for at sent and has just been answered.
func (w *row) add(sent time.Time, host one.Host) {
	now := time.Now()
	switch {
	case !noLease(host.State):
		*w = row{contact: max(w.contact, host.LastContact)}
		return
	case w.since.IsZero(), now.Sub(w.sent) > maxGap, w.contact > 0 && host.LastContact > w.contact:
		w.since = now
	}
	w.sent, w.contact = sent, max(w.contact, host.LastContact)
}

// host reads the failed host; everything that looks at it while nothing has been
// touched goes through here.
func (r *runner) host(ctx context.Context) (one.Host, error) {
	if s := r.opt.Shared; s != nil && s.pool.crowded() {
		hosts, sent, err := s.pool.read(ctx)
		if i := slices.IndexFunc(hosts, func(h one.Host) bool { return h.ID == r.hostID }); err == nil && i >= 0 {
			r.row.add(sent, hosts[i])
			return hosts[i], nil
		}
	}
	return r.hostItself(ctx)
}

// hostItself is host with all that oned tells, which is more than the pool has.
func (r *runner) hostItself(ctx context.Context) (one.Host, error) {
	sent := time.Now()
	host, err := r.cloud.Host(ctx, r.hostID)
	if err == nil {
		r.row.add(sent, host)
	}
	return host, err
}

// hosts reads all hosts, together with other recoveries of this process, and says when they
// were asked for.
func (r *runner) hosts(ctx context.Context) ([]one.Host, time.Time, error) {
	if r.opt.Shared != nil {
		return r.opt.Shared.pool.read(ctx)
	}
	sent := time.Now()
	hosts, err := r.cloud.Hosts(ctx)
	return hosts, sent, err
}

// errBack means that the host came back while a lease was waited for.
var errBack = errors.New("the host came back")

// lookForLease is the fence.Look of this recovery.
func (r *runner) lookForLease(ctx context.Context) (time.Time, error) {
	host, err := r.host(ctx)
	switch {
	case err != nil:
		return time.Time{}, err
	case host.State.Back():
		return time.Time{}, errBack
	case !noLease(host.State):
		return time.Time{}, fmt.Errorf("the host is %s: it keeps its VMs then, so its lease proves nothing; onehost offline %d ends it", host.State, host.ID)
	}
	return r.row.since, nil
}
