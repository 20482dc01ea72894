package failover

import (
	"context"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
)

// Standpoint is what is known of a recovery beside what the hosts are.
type Standpoint struct {
	Storm Storm
	// Stood is what the process that works on the host has judged, and Begun since when it does; zero values for none.
	Stood incident.Standing
	Begun time.Time
	// Unproven: nothing would prove that the host is off, and nobody has said so. Alive is how long it is watched while it
	// answers all the same.
	Unproven bool
	Alive    time.Duration
}

// Stand judges what stands between a failed host and the recovery of its VMs now, as a recovery does and without waiting for
// anything. A host that oned does not call failed is judged as if it were.
func (o *HostObserver) Stand(ctx context.Context, host one.Host, p Standpoint) incident.Standing {
	now := time.Now()
	if p.Stood.Stormy() && !p.Stood.Since.IsZero() {
		o.began = p.Stood.Since
	}
	o.supposed = !host.State.Failed() && !host.State.SetByAdmin()
	v, _, err := o.Judge(ctx, p.Storm.Policy)
	switch {
	case p.Storm.Override:
		v.Hold, v.Blind = false, false
	case err != nil:
		return incident.Standing{State: incident.StandUnknown, Error: err.Error()}
	}
	waits := recovery.Waits{}
	if !p.Storm.Override {
		waits = o.waits(ctx, p, v, now)
	}
	return recovery.Stand(v, waits, o.way(ctx, p, now), now)
}

// waits are until when a recovery that began when this one was asked for, or when the one at work did, would wait.
func (o *HostObserver) waits(ctx context.Context, p Standpoint, v recovery.Verdict, now time.Time) recovery.Waits {
	w := recovery.Waits{Young: p.Storm.quietUntil()}
	switch p.Stood.State {
	case incident.StandStorm:
		w.Calm = now.Add(p.Storm.CoolDown)
	case incident.StandEbbing:
		w.Calm = p.Stood.Until
	default:
		if begun := now; v.Blind {
			if !p.Begun.IsZero() {
				begun = p.Begun
			}
			w.Settled = o.settled(ctx, begun, p.Storm.Settle)
		}
	}
	return w
}

// settled is when others have had their time to follow a host into ERROR: one monitoring cycle, at most so long.
func (o *HostObserver) settled(ctx context.Context, begun time.Time, most time.Duration) time.Time {
	if cycle := o.cycleTime(ctx); cycle > 0 {
		most = min(most, cycle)
	}
	return begun.Add(most)
}

// way is what the way to the failed host says, where that matters.
func (o *HostObserver) way(ctx context.Context, p Standpoint, now time.Time) (w recovery.Reply) {
	if !p.Unproven || o.supposed {
		return w
	}
	hosts, _, err := o.All(ctx)
	if err != nil {
		return w
	}
	if q := o.survey.ask(ctx, hosts); q != nil {
		way := q.Of(ctx, o.id)
		w = recovery.Reply{Answers: way.Answer.Alive(), Address: way.Address, Until: now.Add(p.Alive)}
	}
	return w
}

// stands writes down what stands between the host and the recovery of its VMs, when that has changed.
func (r *runner) stands(s incident.Standing) {
	if !s.Holds() {
		s = incident.Standing{}
	}
	if r.stood.Same(s) {
		return
	}
	if r.stood = s; s.Holds() {
		s.Since = r.cloud.began
	}
	r.journal.Host(func(h *incident.HostRecord) {
		if h.Standing = nil; s.Holds() {
			h.Standing = &s
		}
	})
}

// heldBefore reports whether a process that was interrupted held a storm for this host. This one continues it, so that the
// storm does not grow old with each process.
func (r *runner) heldBefore() bool {
	s := r.before.Stands()
	r.stood = s
	if r.before.Status != incident.Open || !s.Stormy() || s.Since.IsZero() {
		return false
	}
	r.cloud.began = s.Since
	return true
}

// Onlooker judges failed hosts without recovering them: dry runs, drills and checks. It is for one goroutine.
type Onlooker struct {
	shared *Shared
	since  map[int]time.Time
}

// NewOnlooker makes one; survey may be nil.
func NewOnlooker(cloud Cloud, survey Survey) *Onlooker {
	return &Onlooker{shared: NewShared(cloud, 1, survey)}
}

// Stand judges what stands between a host and the recovery of its VMs by a job with these options.
func (l *Onlooker) Stand(ctx context.Context, host one.Host, p Standpoint, job HostJob, opt Options) incident.Standing {
	opt.Shared, opt.Record, opt.Notify, opt.Strays = l.shared, nil, nil, false
	r := newRunner(nil, nil, host.ID, opt)
	r.job, r.host = job, host
	r.cloud.cycle, r.cloud.since, r.cloud.once = p.Storm.Cycle, l.since, true
	s := r.standsNow(ctx, p)
	l.since = r.cloud.since
	return s
}

// standsNow judges the host of the recovery, and whether its VMs have somewhere to go.
func (r *runner) standsNow(ctx context.Context, p Standpoint) incident.Standing {
	s := r.cloud.Stand(ctx, r.host, p)
	if !s.Holds() && !p.Storm.Override && r.nowhere(ctx) {
		s.State = incident.StandNowhere
	}
	return s
}

// Ways are what the hosts in service answer; none without a survey.
func (l *Onlooker) Ways(ctx context.Context) ([]reach.Way, error) {
	hosts, _, err := l.shared.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	q := l.shared.survey.ask(ctx, hosts)
	if q == nil {
		return nil, nil
	}
	return q.All(ctx), ctx.Err()
}
