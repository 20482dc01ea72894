package journaling

import (
	"context"
	"fmt"
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/incident/notify"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// How long a process stays at its end to deliver notifications: an operator does not want to wait. The next delivers the rest.
const (
	hookLimit     = time.Minute
	attendedLimit = 5 * time.Second
)

// Notifications queues notifications of incidents and counts them, beside the recovery. A nil Notifications does nothing.
type Notifications struct {
	s        app.Session
	notifier *notify.Notifier
	work     sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// NewNotifications are those of a session; nil in a dry run or without a journal.
func NewNotifications(s app.Session) *Notifications {
	dir := statedir.Dir(s.StateDir)
	if s.DryRun {
		return nil
	}
	journal, err := incident.OpenJournal(dir.Incidents())
	if err != nil { // the Recorder says why
		return nil
	}
	n := &Notifications{s: s}
	// They are delivered also after a signal to end: Close bounds that.
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.notifier = notify.New(dir.Notifications(), journal, s.Config.Values().Notify, s.RunProgram, func(format string, args ...any) {
		s.Log.Say(wording.Trouble, fmt.Errorf(format, args...))
	})
	return n
}

// ended counts an incident and notifies of it, unless another process will resume it or follow its VMs. before is how it had
// ended when it was begun again: when it ended like that again there is nothing to notify of.
func (n *Notifications) ended(w *incident.Writer, before incident.Status) {
	r := w.Record()
	switch {
	case n == nil || r.Status.Unfinished() || r.Status == before:
	case before != "" || r.Tries > 0: // it was counted when it ended first
		n.queue((*notify.Notifier).Requeue, notify.End, w)
	default:
		n.work.Go(func() {
			if err := metrics.Add(n.ctx, statedir.Dir(n.s.StateDir).Metrics(), n.s.Config.Values().MetricsFile, r, time.Now()); err != nil {
				n.s.Log.Say(wording.MetricsUnwritten, err)
			}
		})
		n.queue((*notify.Notifier).Enqueue, notify.End, w)
	}
}

// queue puts a notification into the queue and delivers what is there, beside the recovery.
func (n *Notifications) queue(put func(*notify.Notifier, notify.Kind, int), kind notify.Kind, w *incident.Writer) {
	if n == nil || w.Number() == 0 {
		return
	}
	n.work.Go(func() {
		put(n.notifier, kind, w.Number())
		n.notifier.Deliver(n.ctx)
	})
}

// Silent notifies of a host that does not answer although oned calls it MONITORED, and counts it.
func (n *Notifications) Silent(object, summary string) {
	if n == nil {
		return
	}
	n.work.Go(func() {
		if err := metrics.AddSilent(n.ctx, statedir.Dir(n.s.StateDir).Metrics(), n.s.Config.Values().MetricsFile); err != nil {
			n.s.Log.Say(wording.MetricsUnwritten, err)
		}
	})
	n.work.Go(func() { n.notifier.Silent(n.ctx, object, summary) })
}

// Deliver delivers what earlier processes have left.
func (n *Notifications) Deliver() {
	if n != nil {
		n.work.Go(func() { n.notifier.Deliver(n.ctx) })
	}
}

// Close waits until everything is delivered, for a bounded time.
func (n *Notifications) Close() {
	if n == nil {
		return
	}
	defer n.stop()
	limit := hookLimit
	if n.s.Attended {
		limit = attendedLimit
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	delivered := func() (struct{}, error) { n.work.Wait(); return struct{}{}, nil }
	if _, err := process.Bounded(ctx, delivered); err != nil {
		n.stop()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second) // a command that is stopped takes a moment
		defer cancel()
		_, _ = process.Bounded(ctx, delivered)
	}
}
