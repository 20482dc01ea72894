package failover

import (
	"context"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Storm says what to do while many hosts fail at once.
type Storm struct {
	Policy recovery.GuardPolicy
	// CoolDown is how long a storm has to stay away before anything is done.
	CoolDown time.Duration
	// Cycle, when set, is asked for the time between two monitorings of a host when a storm is
	// held. Hosts that are well again show it one by one within it, so the cool-down is longer.
	Cycle func(context.Context) (time.Duration, error)
	// GiveUp is how long to hold at most.
	GiveUp time.Duration
	// QuietUntil: nothing is done before; oned has only just started or become leader.
	QuietUntil time.Time
	// Override: a person who knows has said to go on.
	Override bool
}

// heardOf is up to how many failed hosts each is read by itself while a storm is held: from 6.0 on those that are monitored
// again stay in ERROR for ten minutes, and only that tells. A choice: some 64 calls each guardEvery.
const heardOf = 64

// guardEvery is how often the hosts are looked at while holding. It is shorter
// than any monitoring interval in use, so no state of a host is missed.
const guardEvery = 10 * time.Second

// stage is how a stage before acting ended.
type stage struct {
	host    one.Host        // the failed host as the stage last saw it
	back    bool            // the host came back: nothing to do
	refused wording.Message // why nothing may be done; zero to go on
	left    string          // the process of a person that the host is left to; empty to go on
}

// ended reports whether there is nothing left to do.
func (s stage) ended() bool { return s.back || !s.refused.IsZero() || s.left != "" }

// guard holds while many hosts fail at once. It goes on when there is no storm; it
// ends when the host came back or the storm stays for too long.
func (r *runner) guard(ctx context.Context, storm Storm) (stage, error) {
	if storm.Override || r.overridden() {
		return r.override(ctx)
	}
	started, held := time.Now(), false
	if wait := time.Until(storm.QuietUntil); wait > 0 {
		r.say(-1, wording.OnedYoung, wait.Round(time.Second))
	}
	var calm time.Time // since when there is no storm; zero during one
	for {
		v, host, err := r.look(ctx, storm.Policy)
		now := time.Now()
		quiet := now.Before(storm.QuietUntil)
		switch {
		case err != nil && (!one.Temporary(err) || now.Sub(started) >= storm.GiveUp):
			return stage{}, err
		case err != nil:
			r.say(-1, wording.GuardBlind, err)
			calm = time.Time{}
		case host.State.Back():
			return stage{back: true}, nil
		case v.Hold:
			if !held {
				storm.CoolDown = r.coolDown(ctx, storm)
				r.say(-1, wording.Held, v.Worst.Failed, v.Worst.InService, v.Worst.Where)
			}
			held, calm = true, time.Time{}
			r.turns.expect(r.hostID, false)
		case calm.IsZero():
			calm = now
		}
		if err == nil && !v.Hold && !quiet && (!held || now.Sub(calm) >= storm.CoolDown) {
			r.say(-1, wording.GuardPassed, v.Worst.Failed, v.Worst.InService, v.Worst.Where)
			return stage{host: host}, nil
		}
		if now.Sub(started) >= storm.GiveUp && !quiet {
			return stage{refused: wording.Of(wording.StormGivenUp, storm.GiveUp, v.Worst.Failed, v.Worst.InService, v.Worst.Where)}, nil
		}
		next := min(guardEvery, storm.GiveUp-now.Sub(started))
		if quiet {
			next = min(guardEvery, storm.QuietUntil.Sub(now))
		}
		switch by, ok := r.rest(ctx, max(next, firstPause)); {
		case !ok:
			return stage{}, fmt.Errorf("watch the hosts: %w", ctx.Err())
		case by != "":
			return stage{left: by}, nil
		case r.overridden():
			return r.override(ctx)
		}
	}
}

// override goes on whatever the other hosts are.
func (r *runner) override(ctx context.Context) (stage, error) {
	r.say(-1, wording.StormOverridden)
	host, err := r.host(ctx)
	return stage{host: host, back: host.State.Back()}, err
}

// coolDown is the cool-down of a storm, at least a monitoring cycle and a look: a host that is
// still in ERROR then has been monitored in vain since the storm was over.
func (r *runner) coolDown(ctx context.Context, storm Storm) time.Duration {
	if storm.Cycle == nil {
		return storm.CoolDown
	}
	cycle, err := storm.Cycle(ctx)
	if err != nil {
		r.say(-1, wording.CycleUnknown, err, one.DefaultInterval)
		cycle = one.DefaultInterval
	}
	return max(storm.CoolDown, cycle+guardEvery)
}

// look reads all hosts once, judges them, and gives the failed one. Since when a host has been in ERROR is only
// asked for when it matters: oned tells since 5.12; before, all hosts in ERROR
// count as having failed just now. The window ends when this recovery began: a storm
// must not grow old while it is held.
func (r *runner) look(ctx context.Context, policy recovery.GuardPolicy) (v recovery.Verdict, host one.Host, err error) {
	hosts, sent, err := r.hosts(ctx)
	if err != nil {
		return v, host, err
	}
	own := slices.IndexFunc(hosts, func(h one.Host) bool { return h.ID == r.hostID })
	if own < 0 {
		// An ordinary user gets an empty pool, without an error.
		return v, host, fmt.Errorf("the pool of %d hosts does not hold host %d: this user does not see all hosts, so the storm guard cannot judge; run as oneadmin, or give the user USE rights on all hosts", len(hosts), r.hostID)
	}
	host = hosts[own]
	r.row.add(sent, host)
	for id := range r.since { // a host that was back in between has failed anew
		if i := slices.IndexFunc(hosts, func(h one.Host) bool { return h.ID == id }); i < 0 || !hosts[i].State.Failed() {
			delete(r.since, id)
		}
	}
	v = recovery.Guard(hosts, nil, r.started, policy, r.hostID)
	if !v.Hold || host.State.Back() {
		return v, host, nil
	}
	hosts = slices.Clone(hosts) // others read them, too
	for i, h := range hosts {
		if _, known := r.since[h.ID]; known && v.Worst.Failed > heardOf || !h.State.Failed() {
			continue
		}
		full, err := r.cloud.Host(ctx, h.ID)
		if err != nil {
			continue // it counts as having failed just now, and is asked for again
		}
		if full.State.Back() { // the pool does not tell that it is monitored again
			hosts[i].State = full.State
			if h.ID == r.hostID {
				host.State = full.State
			}
			continue
		}
		r.since[h.ID] = r.started // before 5.12 oned does not tell
		if full.LastContact > 0 {
			r.since[h.ID] = time.Unix(full.LastContact, 0)
		}
	}
	return recovery.Guard(hosts, r.since, r.started, policy, r.hostID), host, nil
}
