package coordinator

import (
	"context"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/drill"
	"one-ft/pkg/incident"
	"one-ft/pkg/install"
	"one-ft/pkg/timing"
	"one-ft/pkg/wording"
)

// Times are the times of a hook that watches a failed host for so long; cycle is a monitoring cycle, 0 when it is not known.
func Times(v config.Values, watch, cycle time.Duration) timing.Input {
	return timing.Input{
		Watch: watch, Cycle: cycle, Window: v.StormWindow, CoolDown: v.StormCoolDown, GiveUp: v.StormGiveUp, Acting: v.Timeout,
		Attempts: v.BudgetAttempts, Span: v.BudgetWindow, BackOff: v.BudgetBackOff,
	}
}

// TimesOf adds those of a host that is fenced so, unless another one takes longer.
func TimesOf(in timing.Input, v config.Values, f drill.Fencing) timing.Input {
	proof, sum := f.Proof(v, in.Watch), time.Duration(0)
	for _, level := range proof.Levels { // an admin who has to confirm is not waited for
		sum += level.High
	}
	in.Fencing = max(in.Fencing, sum)
	if proof.Lease {
		in.Lease = max(in.Lease, f.Settings.Levels[0].Devices[0].Lease.WithDefaults().Wait())
	}
	return in
}

// Limit is the least TIMEOUT of the hooks that run host_error; 0 without one.
func Limit(known []install.Known) (limit time.Duration) {
	for _, k := range known {
		if own := k.Limit(); k.RecoversHosts() && own > 0 && (limit == 0 || own < limit) {
			limit = own
		}
	}
	return limit
}

// tellTimes says in the log of the tool what makes no sense about the times of its call, beside the recovery, which does not
// wait for it. end ends that.
func tellTimes(ctx context.Context, s app.Session, q incident.Request) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		in, err := timesOfCall(ctx, s, q)
		if err != nil {
			return // the recovery meets the same error, and says so
		}
		for _, f := range timing.Judge(in) {
			if f.What.Kind != wording.LeaseBehind { // the wait for the lease is a line of its own
				s.Log.Say(f.What.Kind, f.What.Args...)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// timesOfCall are the times of one call for one host.
func timesOfCall(ctx context.Context, s app.Session, q incident.Request) (in timing.Input, err error) {
	host, err := s.Client.Host(ctx, q.ID)
	if err != nil || !host.State.Failed() && s.Attended {
		return in, err
	}
	cycle, err := Cycle(ctx, s)
	if err != nil {
		return in, err
	}
	v := s.Config.Values()
	v.Fencing, v.Timeout = q.Fencing, s.Timeout
	watch := incident.Duration(q.Confirm)
	if q.FenceFirst {
		watch = 0
	}
	set, err := NewFences(s, nil).Settings(host)
	in = TimesOf(Times(v, watch, cycle), v, drill.Fencing{Settings: set, Err: err})
	if s.Attended || !install.UsesPool(s.Version) { // no TIMEOUT ends it
		return in, nil
	}
	pool, err := install.ReadPool(ctx, s.Client)
	if err == nil {
		in.Limit = Limit(install.PoolHooks(pool, install.Facts{}))
	}
	return in, err
}
