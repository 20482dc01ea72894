package failover

import (
	"context"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// outset writes down what is known of the outage when work on it begins: since when oned calls the host failed, and how
// long the stages before the plan are expected to take. Of a new incident only: a process that goes on with one has
// seen less.
func (r *runner) outset(ctx context.Context, host one.Host, job HostJob, opening Opening, before Earlier) {
	if !before.Began.IsZero() || !host.State.Failed() {
		return
	}
	in, known := r.conditions(ctx, host.Name)
	in.Failure = downtime.Dropped
	longest := downtime.Never()
	if known {
		longest = downtime.Detection(in.Settings, in.Failure, in.SSH)
	}
	failed := failedAt(opening, time.Now(), longest, r.opt.Request.At, opening.Since).Truncate(time.Millisecond)
	r.rec.Host(func(h *incident.HostRecord) { h.Failed, h.Contact = failed, opening.Contact })
	r.forecastProof(host, job, before, longest)
}

// failedAt is when oned called a host failed, as nearly as it can be told: the first time that it was seen so, which is
// when the hook was called or when somebody asked. Where all of that came late, oned had called it failed before: at the latest
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

// forecastProof writes down how long it is expected to take until the host is proven off. What nothing bounds, and
// what is not done, is left out.
func (r *runner) forecastProof(host one.Host, job HostJob, before Earlier, detection downtime.Span) {
	var watch time.Duration
	if !r.opt.Request.FenceFirst {
		watch = incident.Duration(r.opt.Request.Confirm)
	}
	var proof downtime.Span
	if job.ProofTime != nil {
		proof = job.ProofTime(host, watch)
	}
	if !before.Watched.IsZero() {
		watch = max(0, watch-time.Since(before.Watched))
	}
	guard := max(0, time.Until(job.Storm.QuietUntil)) + time.Duration(len(job.Opinions))*opinionTimeout
	stages := []incident.Stage{}
	for _, s := range []struct {
		name incident.StageName
		span downtime.Span
	}{
		{incident.StageDetection, detection}, {incident.StageWatch, downtime.Span{High: watch}},
		{incident.StageGuard, downtime.Span{High: guard}}, {incident.StageProof, proof},
	} {
		if s.span.Bounded() && (s.span.High > 0 || s.name == incident.StageGuard) { // a guard takes no time unless it holds
			stages = append(stages, incident.Stage{Name: s.name, Seconds: s.span.High.Seconds()})
		}
	}
	r.rec.Forecast(stages)
}

// conditions are what the cloud and its front-end need, asked for once.
func (r *runner) conditions(ctx context.Context, host string) (in downtime.Input, known bool) {
	if r.opt.Estimate == nil {
		return in, false
	}
	if r.input == nil {
		in := r.opt.Estimate(ctx, host)
		r.input = &in
	}
	return *r.input, true
}
