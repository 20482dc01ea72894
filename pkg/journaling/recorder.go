// Package journaling keeps what a recovery does: it writes the events of package failover into the journal, recognizes
// events that only repeat one that was worked on, and queues notifications.
package journaling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/notify"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Config says what a Recorder keeps.
type Config struct {
	Request incident.Request
	// Journal is nil in a dry run, and when it could not be opened. Err is why there is none, or not the whole incident in it.
	Journal *incident.Journal
	Err     error
	Notify  *Notifications
	// Kept: the incident stays open for another process after a signal to end.
	Kept bool
	// Prunes: old incidents are removed at the end of this one.
	Prunes bool
	// Repeats, when set, de-duplicates events.
	Repeats *Repeats
}

// Recorder is the failover.Recorder of a request: it writes an incident into the journal. Without a journal it writes
// nothing, and the report says so.
type Recorder struct {
	Config
	record incident.Record
	step   atomic.Value // incident.Step
	writer atomic.Pointer[incident.Writer]
	begun  bool
	before incident.Status // how the incident had ended when it was begun again
}

// NewRecorder makes a Recorder. The incident begins when the work does.
func NewRecorder(c Config) *Recorder {
	q := c.Request
	rec := &Recorder{Config: c, record: incident.Record{Kind: q.Kind, ID: q.ID, Tool: q.Tool, Call: q.Call, Request: &q}}
	rec.step.Store(incident.StepTold)
	return rec
}

// diskLimit is how long a recovery waits for the journal's disk each time: one that hangs must not keep VMs down.
const diskLimit = 10 * time.Second

var errDisk = fmt.Errorf("journal write timed out after %s", diskLimit)

// within is what f gives, or the zero value when the disk does not answer within diskLimit; then there is no retry.
func within[T any](rec *Recorder, f func() T) (got T) {
	if rec.Journal == nil || rec.Err == errDisk {
		return got
	}
	ctx, cancel := context.WithTimeout(context.Background(), diskLimit)
	defer cancel()
	got, late := process.Bounded(ctx, func() (T, error) { return f(), nil })
	if late != nil {
		rec.Err = errDisk
	}
	return got
}

// fail keeps why the incident is not in the journal.
func (rec *Recorder) fail(err error) {
	if rec.Err == nil {
		rec.Err = err
	}
}

// find reads an incident of the object; nil when there is none, or it cannot be read.
func (rec *Recorder) find(read func(kind string, id int) (incident.Record, bool, error)) *incident.Record {
	return within(rec, func() *incident.Record {
		if r, found, _ := read(rec.record.Kind, rec.record.ID); found {
			return &r
		}
		return nil
	})
}

// Open is a part of failover.Recorder.
func (rec *Recorder) Open() bool {
	if rec.find(rec.Journal.OpenOf) != nil {
		return true
	}
	if !rec.Request.Follow {
		return false
	}
	last := rec.find(rec.Journal.LastOf)
	return last != nil && GivenUpMoving(*last)
}

// Begin opens the incident, or resumes the one of a process that was interrupted.
func (rec *Recorder) Begin(o failover.Opening) (*incident.Writer, failover.Earlier) {
	rec.begun = true
	rec.record.Name, rec.record.From = o.Name, o.From
	got := within(rec, func() opened {
		if again := reopen(rec.Journal, rec.record, o); again.writer != nil {
			return again
		}
		return open(rec.Journal, rec.record, o)
	})
	rec.fail(got.err)
	if got.writer != nil {
		rec.writer.Store(got.writer)
		if rec.before = got.ended; got.ended == "" {
			rec.Notify.queue((*notify.Notifier).Enqueue, notify.Begin, got.writer)
		}
	}
	return got.writer, got.before
}

// opened is an incident that is written.
type opened struct {
	writer *incident.Writer // nil for none
	before failover.Earlier
	ended  incident.Status // how it had ended, when it is begun again
	err    error
}

// reopen resumes the last incident of a host that left something undone in this outage: 4.4 calls hooks each cycle, admins retry.
func reopen(j *incident.Journal, r incident.Record, o failover.Opening) opened {
	last, found, _ := j.LastOf(r.Kind, r.ID)
	follow := r.Request.Follow && GivenUpMoving(last)
	if !found || r.Kind != "host" || o.Settle && !follow || !last.Status.Undone() {
		return opened{}
	}
	host := one.Host{ID: r.ID, VMs: o.VMs}
	if !o.Contact.IsZero() {
		host.LastContact = o.Contact.Unix()
	}
	if !follow && !recovery.SameOutage(host, last, time.Now()) {
		return opened{}
	}
	w, err := j.Reopen(last.Number, r)
	if err != nil {
		return opened{}
	}
	note(w, incident.StepTold, wording.Of(wording.TriedAgain, strings.Join(append([]string{r.Tool}, r.Call...), " ")))
	return opened{writer: w, before: earlierOf(last, o), ended: last.Status}
}

// open begins an incident, or resumes one that is open and about this outage.
func open(j *incident.Journal, r incident.Record, o failover.Opening) (got opened) {
	before, found, _ := j.OpenOf(r.Kind, r.ID)
	if found && !o.Apart {
		w, err := j.Continue(before.Number)
		if err != nil {
			return opened{err: err}
		}
		status, why := otherOutage(before, o)
		if why.IsZero() {
			kind := wording.TakenUp
			if before.Status == incident.Following {
				kind = wording.FollowingVMs
			}
			note(w, incident.StepTold, wording.Of(kind))
			return opened{writer: w, before: earlierOf(before, o)}
		}
		w.End(status, why.String())
	}
	got.writer, got.err = j.Begin(r)
	if o.From != "" && got.err == nil {
		note(got.writer, incident.StepTold, wording.Of(wording.TakenOver, o.From))
		if !o.Contact.IsZero() { // takeOver has seen that it was not monitored since
			got.before.Watched = o.Since
		}
	}
	return got
}

// otherOutage says how an open incident about another outage ends, and why; the zero Message when it is about this one.
func otherOutage(before incident.Record, o failover.Opening) (incident.Status, wording.Message) {
	last := before.Began
	if n := len(before.Events); n > 0 {
		last = before.Events[n-1].At
	}
	back := o.Contact.Format(time.DateTime)
	switch {
	case o.Settle:
	case before.Status == incident.Following && o.Contact.After(before.Began):
		return incident.Incomplete, wording.Of(wording.NextWhileFollowing, back)
	case before.Status == incident.Following:
	case o.Contact.After(before.Began):
		return incident.CameBack, wording.Of(wording.NextAfterBack, back)
	case o.Contact.IsZero() && time.Since(last) > failover.Forgotten:
		return incident.Failed, wording.Of(wording.NextAfterPause, failover.Forgotten)
	}
	return "", wording.Message{}
}

// earlierOf is what a record says to whoever resumes it.
func earlierOf(r incident.Record, o failover.Opening) failover.Earlier {
	e := failover.Earlier{Record: r, Following: r.Status == incident.Following || GivenUpMoving(r)}
	for _, event := range r.Events {
		if event.Step == incident.StepConfirm && !o.Contact.IsZero() && !o.Contact.After(event.At) { // certainly not back since
			e.Watched = event.At
			break
		}
	}
	return e
}

// GivenUpMoving reports whether a VM of a record that has ended was on its way when it was given up.
func GivenUpMoving(r incident.Record) bool {
	return r.Status == incident.Incomplete && slices.ContainsFunc(r.VMs, func(v incident.VM) bool {
		return v.Result == string(failover.Incomplete) && len(v.Path) > 1
	})
}

// Event writes down what happened, at the step of the work that is under way.
func (rec *Recorder) Event(e failover.Event) {
	w := rec.writer.Load()
	w.Event(rec.step.Load().(incident.Step), e.VM, e.Level, e.Message)
	if e.Message.Kind == wording.Held || e.Message.Kind == wording.NowhereHeld {
		rec.Notify.queue((*notify.Notifier).Enqueue, notify.Hold, w)
	}
}

// Stage writes down that a step of the work begins.
func (rec *Recorder) Stage(step incident.Step) {
	rec.step.Store(step)
	says := map[incident.Step]wording.Kind{
		incident.StepConfirm: wording.StepConfirm, incident.StepGuard: wording.StepGuard, incident.StepOpinion: wording.StepOpinion,
		incident.StepFence: wording.StepFence, incident.StepPlan: wording.StepPlan, incident.StepAct: wording.StepAct,
		incident.StepVerify: wording.StepVerify,
	}
	note(rec.writer.Load(), step, wording.Of(says[step]))
}

// note writes what this process says of itself.
func note(w *incident.Writer, step incident.Step, m wording.Message) {
	w.Event(step, -1, m.Level(), m)
}

// Flush is a part of failover.Recorder. End reports the error.
func (rec *Recorder) Flush() { _ = within(rec, rec.writer.Load().Flush) }

// End writes how it ended into the incident, and its number and what went wrong with it into the report. told says that this
// process got a signal to end.
func (rec *Recorder) End(report *failover.Report, err error, told bool) {
	if report.Elsewhere {
		if r := rec.find(rec.Journal.OpenOf); r != nil {
			report.Incident = r.Number
		}
	}
	if w := rec.writer.Load(); w != nil {
		report.Incident = w.Number()
		rec.fail(within(rec, func() error { return rec.close(w, *report, err, told) }))
		rec.Notify.ended(w, rec.before)
	}
	if rec.begun && rec.Err != nil {
		report.Unrecorded = rec.Err.Error()
	}
}

// close ends the incident, or leaves it open for another process.
func (rec *Recorder) close(w *incident.Writer, report failover.Report, failed error, told bool) error {
	left := wording.Of(wording.LeftOpen)
	switch status, summary := report.Status(failed); {
	case report.Elsewhere: // it is left to the process of an operator
		left = report.Said()
	case status == incident.Following && !told:
		return w.Follow(summary)
	case !told || !rec.Kept:
		w.Reason(report.Said().Kind)
		w.End(status, summary)
		if rec.Prunes {
			_ = rec.Journal.Prune(keepIncidents, keepFor, time.Now()) // the next process retries
		}
		return w.Err()
	}
	w.Event(incident.StepEnd, -1, wording.Warning, left)
	return w.Close()
}

// How many ended incidents are kept, and for how long. Choices: months of a large cloud, and a few hundred MB at most.
const (
	keepIncidents = 1000
	keepFor       = 90 * 24 * time.Hour
)

// Prune removes old incidents, for as long as a recovery waits for the disk. After an error the next process retries.
func Prune(j *incident.Journal) {
	_ = within(&Recorder{Config: Config{Journal: j}}, func() error { return j.Prune(keepIncidents, keepFor, time.Now()) })
}

// Repeats says how events repeat one another.
type Repeats struct {
	// Cycle finds out how long a monitoring cycle is.
	Cycle func(context.Context) (time.Duration, error)
}

// Handled recognizes an event that only repeats one about an outage that has been worked on, and says how that ended; it is
// the zero Message when there is something to do. Such an event comes while the work is under way (of oneft resume, or of an
// oned that calls the hook twice), up to 5.8 on each failed cycle, for as long as the host is dead, and later ones when oned
// restarts or its hooks are called again. What was left on
// purpose would be planned again and again, and the host fenced each time, also while an operator repairs it; what was
// refused is for an operator, and what is incomplete has its pauses.
func (rec *Recorder) Handled(ctx context.Context, host one.Host) wording.Message {
	if rec.Repeats == nil || rec.Request.Again {
		return wording.Message{}
	}
	last := rec.find(rec.Journal.LastOf)
	if last == nil || last.Ended == nil || last.Request == nil || !rec.sameWish(*last.Request) || !rec.repeated(ctx, host, *last) {
		return wording.Message{}
	}
	swept := recovery.SweepHost(host, []incident.Record{*last}, time.Now())
	var how wording.Message
	switch summary := wording.Words(last.Summary); swept.Verdict {
	case recovery.SweepHandled:
		how = wording.Of(wording.LeftOnPurpose)
	case recovery.SweepPerson, recovery.SweepAsk:
		how = wording.Of(wording.NotByItself, summary)
	case recovery.SweepLater:
		how = wording.Of(wording.TriedLater, summary, swept.At)
	default:
		return wording.Message{}
	}
	return wording.Of(wording.OutageHandled, last.Number, how)
}

// sameWish reports whether an event requests what was requested before. A call with other words is one of an operator.
func (rec *Recorder) sameWish(before incident.Request) bool {
	now := rec.Request
	return (now.Tool != before.Tool || slices.Equal(now.Call, before.Call)) &&
		now.Action == before.Action && now.Idle == before.Idle && now.AnyState == before.AnyState && now.Override == before.Override &&
		(now.Fencing == before.Fencing || before.Fencing == "") && // earlier versions left it to the configuration
		now.ConfirmedOff == before.ConfirmedOff && now.Silent.IsZero() == before.Silent.IsZero()
}

// repeated reports whether the event came while the incident was worked on, or about the outage that it was about. Where oned
// tells when it last monitored the host (5.12 and later) that says it; else an event says so that comes a cycle after the one
// before: when the host is back the hook is not called for at least one cycle. The event is written down for the next one.
func (rec *Recorder) repeated(ctx context.Context, host one.Host, last incident.Record) bool {
	at := rec.Request.At
	meanwhile := !at.After(*last.Ended)
	if host.LastContact > 0 {
		return meanwhile || recovery.SameOutage(host, last, time.Now())
	}
	if !meanwhile {
		cycle, err := rec.Repeats.Cycle(ctx)
		if err != nil || at.Sub(last.Request.At) > cycle*3/2 {
			return false
		}
	}
	_ = within(rec, func() error { return rec.Journal.Touch(last.Number, at) }) // else the next event is taken for a new outage
	return true
}
