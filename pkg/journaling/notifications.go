package journaling

import (
	"context"
	"fmt"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/incident/notify"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// How long a process stays at its end for notifications to be delivered. The next process delivers the rest. An operator
// does not want to wait; a hook may.
const (
	hookLimit     = time.Minute
	attendedLimit = 5 * time.Second
)

// Notifications queues notifications of incidents and counts them, beside the recovery. A nil Notifications does nothing.
type Notifications struct {
	Setting
	notifier *notify.Notifier
	work     sync.WaitGroup
	ctx      context.Context
	stop     context.CancelFunc
}

// Setting is where and how a process notifies.
type Setting struct {
	StateDir statedir.Dir
	Values   config.Values
	Attended bool                       // an operator waits for the answer
	Run      process.Runner             // nil is process.Run
	Say      func(wording.Kind, ...any) // what fails
}

// NewNotifications makes those of a process; nil without a journal.
func NewNotifications(s Setting) *Notifications {
	journal, err := incident.OpenJournal(s.StateDir.Incidents())
	if err != nil { // the Recorder says why
		return nil
	}
	n := &Notifications{Setting: s}
	// They are delivered also after a signal to end: Close bounds that.
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.notifier = notify.New(s.StateDir.Notifications(), journal, s.Values.Notify, s.Run, func(format string, args ...any) {
		s.Say(wording.Trouble, fmt.Errorf(format, args...))
	})
	return n
}

func (n *Notifications) began(w *incident.Writer) {
	n.queue((*notify.Notifier).Enqueue, notify.Begin, w)
}

func (n *Notifications) held(w *incident.Writer) { n.queue((*notify.Notifier).Enqueue, notify.Hold, w) }

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
			if err := metrics.Add(n.ctx, n.StateDir.Metrics(), n.Values.MetricsFile, r, time.Now()); err != nil {
				n.Say(wording.MetricsUnwritten, err)
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
	if n.Attended {
		limit = attendedLimit
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.work.Wait()
	}()
	select {
	case <-done:
		return
	case <-time.After(limit):
		n.stop()
	}
	select { // a command that is stopped takes a moment
	case <-done:
	case <-time.After(time.Second):
	}
}
