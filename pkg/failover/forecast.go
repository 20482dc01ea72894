package failover

import (
	"context"
	"sync"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

// outset writes down what is known of the outage when work on it begins: since when oned calls the host failed, and how long
// the stages before the plan are expected to take. Of a new incident only: a process that resumes one has seen less.
func (r *runner) outset(ctx context.Context, opening Opening) {
	if !r.before.Began.IsZero() || !r.host.State.Failed() {
		return
	}
	longest := downtime.Never()
	if in, known := r.conditions(ctx, r.host.Name); known && r.opt.Request.Silent.IsZero() {
		longest = downtime.Detection(in.Settings, downtime.Dropped, in.SSH)
	}
	r.failed = failedAt(opening, time.Now(), longest, r.opt.Request.At, opening.Since).Truncate(time.Millisecond)
	r.journal.Host(func(h *incident.HostRecord) { h.Failed, h.Contact = r.failed, opening.Contact })
	r.forecastProof(longest)
}

// failedAt is when oned called a host failed, as nearly as it can be told: the first time that it was seen so, which is
// when the hook was called or an operator acted. Where all of that came late, oned had called it failed before: at the latest
// when the longest was over that a host may be silent, counted from when it was last monitored. Before 5.12 oned does
// not tell that, and the first time that was seen is all that is known.
func failedAt(o Opening, now time.Time, longest downtime.Span, seen ...time.Time) time.Time {
	at, after := now, o.Contact
	if after.IsZero() {
		after = now.Add(-Forgotten) // what is older may be about another outage
	} else if longest.Bounded() && after.Add(longest.High).Before(at) {
		at = after.Add(longest.High)
	}
	for _, t := range seen {
		if t.After(after) && t.Before(at) {
			at = t
		}
	}
	return at
}

// forecastProof writes down how long it is expected to take until the host is proven off.
func (r *runner) forecastProof(detection downtime.Span) {
	var watch time.Duration
	if !r.opt.Request.FenceFirst {
		watch = incident.Duration(r.opt.Request.Confirm)
	}
	var proof downtime.Span
	if r.job.ProofTime != nil {
		proof = r.job.ProofTime(r.host, watch)
	}
	if !r.before.Watched.IsZero() {
		watch = max(0, watch-time.Since(r.before.Watched))
	}
	guard := max(0, time.Until(r.job.Storm.quietUntil())) + time.Duration(len(r.job.Opinions))*OpinionTimeout
	var stages []incident.Stage
	add := func(name incident.StageName, span downtime.Span) { // what nothing bounds is left out, and what is not done
		if span.Bounded() && (span.High > 0 || name == incident.StageGuard) { // a guard takes no time unless it holds
			stages = append(stages, incident.Stage{Name: name, Seconds: span.High.Seconds()})
		}
	}
	add(incident.StageDetection, detection)
	add(incident.StageWatch, downtime.Span{High: watch})
	add(incident.StageGuard, downtime.Span{High: guard})
	add(incident.StageProof, proof)
	r.journal.Forecast(stages)
}

// learn begins to find out what the cloud and its front-end need, beside what is read and written meanwhile: ssh may take its time.
func (r *runner) learn(ctx context.Context) {
	if r.opt.Estimate != nil {
		found := make(chan downtime.Input, 1)
		go func() { found <- r.opt.Estimate(ctx, r.host.Name) }()
		r.input = sync.OnceValue(func() downtime.Input { return <-found })
	}
}

// conditions are what the cloud and its front-end need, found out once.
func (r *runner) conditions(ctx context.Context, host string) (in downtime.Input, known bool) {
	if r.opt.Estimate == nil {
		return in, false
	}
	if r.input == nil {
		r.input = sync.OnceValue(func() downtime.Input { return r.opt.Estimate(ctx, host) })
	}
	return r.input(), true
}

// DefaultCleanupLimit is how long clean-ups may be under way where nothing says more: three commands of 135 s behind a
// router, 40 s more for a stale master (measured on 6.10), and a second round for those that wait. Estimate of
// Options knows the cloud.
const DefaultCleanupLimit = 2 * (3*135 + 40) * time.Second

// estimate completes the input for the VMs that are started elsewhere: their disks, and the hosts that are left.
func (r *permit) estimate(ctx context.Context, tasks []*task) (in downtime.Input, known bool) {
	name, disks := "", []int(nil)
	for _, t := range tasks {
		if last, placed := t.step.VM.Last(); placed && name == "" {
			name = last.Host
		}
		if t.out.Result == "" && t.step.Verb.Starts() {
			disks = append(disks, t.step.VM.DiskCount)
		}
	}
	if r.opt.Estimate == nil || r.hostID < 0 || len(disks) == 0 {
		return in, false
	}
	in, _ = r.conditions(ctx, name)
	in.Disks, in.Proven, in.Failure = disks, r.proof.Certain(), downtime.Dropped
	hosts, _, _ := r.cloud.All(ctx) // an error gives none
	for _, h := range hosts {
		if h.ID != r.hostID && h.State.Back() {
			in.Hosts++
		}
	}
	return in, true
}

// needs are the limits of the VMs, and of all of it. The driver of an unknown cloud cleans up one VM after the other.
func (r *permit) needs(ctx context.Context, tasks []*task) (limits recovery.Limits, timeout time.Duration) {
	limits = recovery.Limits{Cleanup: DefaultCleanupLimit, Settle: recovery.Settle(len(tasks), 1), Scheduler: r.opt.Timeout}
	in, known := r.estimate(ctx, tasks)
	if !known {
		return limits, r.opt.Timeout
	}
	threads := 0 // of the driver with the fewest
	for _, t := range tasks {
		last, _ := t.step.VM.Last()
		if n := in.Settings.CleanupThreads(last.Driver); threads == 0 || n < threads {
			threads = n
		}
	}
	need := max(r.opt.Timeout, downtime.DefaultTimeout(in))
	limits = recovery.Limits{Cleanup: downtime.CleanupLimit(in.Disks, threads, in.SSH), Settle: recovery.Settle(len(tasks), threads), Scheduler: need}
	names := map[downtime.StageKind]incident.StageName{
		downtime.StageCleanup: incident.StageCleanup, downtime.StageScheduling: incident.StageScheduler,
		downtime.StageProlog: incident.StageProlog, downtime.StageBoot: incident.StageBoot,
	}
	in.FailFast = r.barrier != nil
	var stages []incident.Stage
	for _, s := range downtime.Predict(in).Stages {
		if name, is := names[s.Kind]; is && s.Span.Bounded() {
			stages = append(stages, incident.Stage{Name: name, Seconds: s.Span.High.Seconds()})
		}
	}
	r.journal.Forecast(stages)
	if r.opt.Request.Timeout > 0 {
		need = r.opt.Timeout
	}
	return limits, need
}
