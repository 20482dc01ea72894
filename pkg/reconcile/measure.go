package reconcile

import (
	"context"
	"errors"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failfast"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// metricsLimit is how long a run waits at its end for a disk that does not take its metrics: nothing may keep the next run. A choice.
const metricsLimit = 10 * time.Second

// measure writes what this run sees into the metrics, when they are wanted: before it acts on all that was found, which takes as
// long as a recovery, and after it. Nothing waits for that but the end of the run, for metricsLimit; written is closed then.
func (w *sweeper) measure(ctx context.Context, all []found, acted bool) (written <-chan struct{}) {
	if !measured(w.s) {
		return behind(func() {})
	}
	if acted {
		w.readJournal()
	}
	open := map[object]incident.Record{}
	for k := range w.past {
		if r, unfinished := w.open(k); unfinished {
			open[k] = r
		}
	}
	now := seen(time.Now(), open, all, acted)
	return behind(func() {
		w.addHosts(ctx, &now)
		writeSwept(ctx, w.s, now)
	})
}

// behind does something beside what goes on; done is closed when it has been done.
func behind(do func()) (done <-chan struct{}) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		do()
	}()
	return ended
}

// addHosts adds the hosts that are out of scheduling, and those to which ssh fails at once.
func (w *sweeper) addHosts(ctx context.Context, now *metrics.Swept) {
	hosts, err := w.s.Client.Hosts(ctx)
	for _, h := range hosts {
		if q, in := hostmark.QuarantineOf(h); in {
			now.Quarantined.Add(q.At)
		}
	}
	marks, badMarks := failfast.Open(w.s.StateDir).List()
	for _, m := range marks {
		if !m.Leftover() {
			now.Marks++
		}
	}
	if err := errors.Join(err, badMarks); err != nil && ctx.Err() == nil {
		w.s.Log.Say(wording.Trouble, err)
	}
}

// await waits until something is done, for a time at most.
func await(done <-chan struct{}, limit time.Duration) {
	end := time.NewTimer(limit)
	defer end.Stop()
	select {
	case <-done:
	case <-end.C:
	}
}

// seen counts incidents that have not ended, and what was found; once all of it was acted on, only what was left counts.
func seen(at time.Time, open map[object]incident.Record, all []found, acted bool) metrics.Swept {
	now := metrics.Swept{At: at}
	for _, r := range open {
		switch {
		case r.Stands().Holds():
			now.Held.Add(r.Began)
		case r.Status == incident.Following:
			now.Following.Add(r.Began)
		default:
			now.Open.Add(r.Began)
		}
	}
	for _, f := range all {
		_, known := open[f.object()]
		switch {
		case known || f.swept.Verdict == recovery.SweepHandled || f.why.IsZero() && acted || f.why.Kind == wording.Paused:
		case f.why.IsZero():
			now.Open.Add(at) // it is about to be one
		case f.request.Kind == "VM":
			now.LeftVMs++
		default:
			now.LeftHosts++
		}
	}
	return now
}

// measured reports whether metrics are wanted.
func measured(s app.Session) bool { return s.Config.Values().MetricsFile != "" && !s.DryRun }

// writeSwept writes what was seen into the metrics.
func writeSwept(ctx context.Context, s app.Session, now metrics.Swept) {
	err := metrics.Set(ctx, statedir.Dir(s.StateDir).Metrics(), s.Config.Values().MetricsFile, now)
	if err != nil && ctx.Err() == nil {
		s.Log.Say(wording.Trouble, err)
	}
}
