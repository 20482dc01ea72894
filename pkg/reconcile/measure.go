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

// measure writes what this run sees into the metrics, when they are wanted: before it acts on all that was found, which takes as
// long as a recovery, and after it.
func (w *sweeper) measure(ctx context.Context, all []found, acted bool) {
	if !measured(w.s) {
		return
	}
	now := metrics.Swept{At: time.Now()}
	w.readJournal()
	for k := range w.past {
		if r, open := w.open(k); open {
			switch {
			case r.Stands().Holds():
				now.Held.Add(r.Began)
			case r.Status == incident.Following:
				now.Following.Add(r.Began)
			default:
				now.Open.Add(r.Began)
			}
		}
	}
	for _, f := range all {
		_, open := w.open(f.object())
		switch {
		case open || f.swept.Verdict == recovery.SweepHandled || f.why.IsZero() && acted:
		case f.why.IsZero():
			now.Open.Add(now.At) // it is about to be one
		case f.request.Kind == "VM":
			now.LeftVMs++
		default:
			now.LeftHosts++
		}
	}
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
	writeSwept(ctx, w.s, now)
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
