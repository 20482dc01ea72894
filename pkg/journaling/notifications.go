package journaling

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/incident/notify"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// How long a process stays at its end for people to be told. What has not been told then is
// told by the next process. A person does not want to wait; a hook may.
const (
	tellHook   = time.Minute
	tellPerson = 5 * time.Second
)

// Notifications tells people of incidents and counts them, beside the recovery. A nil Notifications does
// nothing.
type Notifications struct {
	notifier *notify.Notifier
	limit    time.Duration
	count    func(incident.Record)
	mu       sync.Mutex
	work     sync.WaitGroup
	holds    map[int]bool // incidents of which was told that they are held
	ctx      context.Context
	stop     context.CancelFunc
}

// Setting is where and how a process notifies.
type Setting struct {
	StateDir string
	Values   config.Values
	Attended bool                       // a person waits for the answer
	Run      process.Runner             // nil is process.Run
	Say      func(wording.Kind, ...any) // what fails
}

// NewNotifications makes those of a process; nil without a journal.
func NewNotifications(s Setting) *Notifications {
	journal, err := incident.OpenJournal(filepath.Join(s.StateDir, "incidents"))
	if err != nil { // the Recorder says why
		return nil
	}
	t := &Notifications{limit: tellHook, holds: map[int]bool{}}
	if s.Attended {
		t.limit = tellPerson
	}
	// It goes on when the process is told to end: Close bounds it.
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.notifier = notify.New(filepath.Join(s.StateDir, "notify"), journal, notifications(s.Values), s.Run, func(format string, args ...any) {
		s.Say(wording.Trouble, fmt.Errorf(format, args...))
	})
	t.count = func(r incident.Record) {
		if err := metrics.Add(filepath.Join(s.StateDir, "metrics.json"), s.Values.MetricsFile, r, time.Now()); err != nil {
			s.Say(wording.MetricsUnwritten, err)
		}
	}
	return t
}

// notifications are the configured commands.
func notifications(v config.Values) []notify.Command {
	commands := make([]notify.Command, len(v.Notify))
	for i, n := range v.Notify {
		commands[i] = notify.Command{Argv: n.Command, On: n.On, Timeout: n.Timeout}
	}
	return commands
}

func (t *Notifications) began(c *incident.Case) { t.told(notify.Begin, c) }

// held is told once of each incident.
func (t *Notifications) held(c *incident.Case) {
	if t == nil {
		return
	}
	t.mu.Lock()
	before := t.holds[c.Number()]
	t.holds[c.Number()] = true
	t.mu.Unlock()
	if !before {
		t.told(notify.Hold, c)
	}
}

// ended counts an incident and tells of it, unless another process will go on with it or follow its
// VMs. before is how it had ended already when it was begun again: when that is how it ended now,
// nobody wants to know.
func (t *Notifications) ended(c *incident.Case, before incident.Status) {
	r := c.Record()
	switch {
	case t == nil || r.Status.Unfinished() || r.Status == before:
	case before != "" || r.Tries > 0: // it was counted when it ended first
		t.work.Go(func() {
			t.notifier.TellAgain(notify.End, c.Number())
			t.notifier.Deliver(t.ctx)
		})
	default:
		t.work.Go(func() { t.count(r) })
		t.told(notify.End, c)
	}
}

// told hands an event to the commands, beside the recovery.
func (t *Notifications) told(kind notify.Kind, c *incident.Case) {
	if t == nil || c.Number() == 0 {
		return
	}
	t.work.Go(func() {
		t.notifier.Tell(kind, c.Number())
		t.notifier.Deliver(t.ctx)
	})
}

// Deliver tells what processes before have left.
func (t *Notifications) Deliver() {
	if t != nil {
		t.work.Go(func() { t.notifier.Deliver(t.ctx) })
	}
}

// Close waits until everybody has been told, for a bounded time.
func (t *Notifications) Close() {
	if t == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.work.Wait()
	}()
	select {
	case <-done:
	case <-time.After(t.limit):
		t.stop()
		select { // a command that is stopped takes a moment
		case <-done:
		case <-time.After(time.Second):
		}
	}
	t.stop()
}
