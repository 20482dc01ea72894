// Package journaling keeps what a recovery does: it writes the events of package failover into the journal, recognizes
// events that only repeat one that was worked on, and queues notifications.
package journaling

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Config says what a Recorder keeps.
type Config struct {
	Request incident.Request
	// Journal is nil in a dry run, and when it could not be opened, for which Err is the reason.
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
	c       Config
	journal *incident.Journal
	record  incident.Record
	step    atomic.Value // incident.Step
	writer  atomic.Pointer[incident.Writer]
	begun   bool
	left    bool            // the incident stays open for the process of an operator
	before  incident.Status // how the incident had ended when it was begun again
	err     error           // why there is no journal, or not the whole incident in it
}

// NewRecorder makes a Recorder. The incident begins when the work does.
func NewRecorder(c Config) *Recorder {
	q := c.Request
	rec := &Recorder{c: c, journal: c.Journal, err: c.Err}
	rec.record = incident.Record{Kind: q.Kind, ID: q.ID, Tool: q.Tool, Call: q.Call, Request: &q}
	rec.step.Store(incident.StepTold)
	return rec
}

// diskLimit is how long a recovery waits for the disk of the journal each time that it has to: a disk that hangs must not
// keep VMs down.
const diskLimit = 10 * time.Second

var errDisk = fmt.Errorf("journal write timed out after %s", diskLimit)

// within is what f gives, or the zero value when the disk does not answer within diskLimit; then there is no retry.
func within[T any](rec *Recorder, f func() T) (got T) {
	if rec.journal == nil || rec.err == errDisk {
		return got
	}
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case got = <-done:
	case <-time.After(diskLimit):
		rec.err = errDisk
	}
	return got
}

// fail keeps why the incident is not in the journal.
func (rec *Recorder) fail(err error) {
	if rec.err == nil {
		rec.err = err
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
	if rec.find(rec.journal.OpenOf) != nil {
		return true
	}
	if !rec.c.Request.Follow {
		return false
	}
	last := rec.find(rec.journal.LastOf)
	return last != nil && GivenUpMoving(*last)
}

// Begin opens the incident, or resumes the one of a process that was interrupted.
func (rec *Recorder) Begin(o failover.Opening) failover.Earlier {
	rec.begun = true
	rec.record.Name, rec.record.From = o.Name, o.From
	got := within(rec, func() opened {
		if again := reopen(rec.journal, rec.record, o); again.writer != nil {
			return again
		}
		return open(rec.journal, rec.record, o)
	})
	rec.fail(got.err)
	if got.writer != nil {
		rec.writer.Store(got.writer)
		if rec.before = got.ended; got.ended == "" {
			rec.c.Notify.began(got.writer)
		}
	}
	return got.before
}

// opened is an incident that is written.
type opened struct {
	writer *incident.Writer // nil for none
	before failover.Earlier
	ended  incident.Status // how it had ended, when it is begun again
	err    error
}

// reopen resumes the last incident of a host, when it was about this outage and left something undone: oned 4.4 calls the
// hook on each failed cycle, and admins retry.
func reopen(j *incident.Journal, r incident.Record, o failover.Opening) opened {
	last, found, _ := j.LastOf(r.Kind, r.ID)
	past := PastOf(last)
	follow := r.Request.Follow && GivenUpMoving(last)
	if !found || r.Kind != "host" || o.Settle && !follow || !past.Refused && !past.Unfinished {
		return opened{}
	}
	host := one.Host{ID: r.ID, VMs: o.VMs}
	if !o.Contact.IsZero() {
		host.LastContact = o.Contact.Unix()
	}
	if !follow && !recovery.SameOutage(host, past, time.Now()) {
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

// otherOutage says how an open incident ends that is about another outage than the one of now, and why; the zero Message
// when it is about this one.
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
	e := failover.Earlier{VMs: r.VMs, Proof: r.Proof, Proven: r.Proven, Began: r.Began}
	e.Following = r.Status == incident.Following || GivenUpMoving(r)
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
	if e.Message.Kind == wording.Held {
		rec.c.Notify.held(w)
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

// Number is a part of failover.Recorder.
func (rec *Recorder) Number() int { return rec.writer.Load().Number() }

// Proved is a part of failover.Recorder.
func (rec *Recorder) Proved(how string, proven bool) { rec.writer.Load().Proof(how, proven) }

// Host is a part of failover.Recorder.
func (rec *Recorder) Host(change func(*incident.HostRecord)) { rec.writer.Load().Host(change) }

// Forecast is a part of failover.Recorder.
func (rec *Recorder) Forecast(stages []incident.Stage) { rec.writer.Load().Forecast(stages) }

// VM is a part of failover.Recorder.
func (rec *Recorder) VM(o failover.Outcome) { rec.writer.Load().VM(vmOf(o)) }

// Leave is a part of failover.Recorder.
func (rec *Recorder) Leave() { rec.left = true }

// Planned is a part of failover.Recorder. It returns when the VMs are on the disk.
func (rec *Recorder) Planned(all []failover.Outcome) {
	w := rec.writer.Load()
	vms := make([]incident.VM, len(all))
	for i, o := range all {
		vms[i] = vmOf(o)
	}
	w.VMs(vms)
	_ = within(rec, w.Flush) // End reports the error
}

// vmOf is an outcome as the journal has it.
func vmOf(o failover.Outcome) incident.VM {
	return incident.VM{ID: o.VM, Name: o.Name, Owner: o.Owner, State: o.State, Action: string(o.Action), Result: string(o.Result),
		Detail: o.Detail, Kind: o.Kind, Priority: o.Priority, Calls: o.Calls, Seconds: o.Seconds, Path: o.Path}
}

// End writes how it ended into the incident, and its number and what went wrong with it into the report. told says that this
// process got a signal to end.
func (rec *Recorder) End(report *failover.Report, err error, told bool) {
	if report.Elsewhere {
		if r := rec.find(rec.journal.OpenOf); r != nil {
			report.Incident = r.Number
		}
	}
	if w := rec.writer.Load(); w != nil {
		report.Incident = w.Number()
		for _, o := range report.Outcomes {
			w.VM(vmOf(o))
		}
		status, summary := report.Status(err)
		said := report.Said()
		rec.fail(within(rec, func() error { return rec.close(w, status, summary, said, told) }))
		rec.c.Notify.ended(w, rec.before)
	}
	if rec.begun && rec.err != nil {
		report.Unrecorded = rec.err.Error()
	}
}

// close ends the incident, or leaves it open for another process.
func (rec *Recorder) close(w *incident.Writer, status incident.Status, summary string, said wording.Message, told bool) error {
	left := wording.Of(wording.LeftOpen)
	switch {
	case rec.left:
		left = said
	case status == incident.Following && !told:
		return w.Follow(summary)
	case !told || !rec.c.Kept:
		w.Reason(said.Kind)
		w.End(status, summary)
		if rec.c.Prunes {
			_ = rec.journal.Prune(keepIncidents, keepFor, time.Now()) // the next process retries
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
	_ = within(&Recorder{journal: j}, func() error { return j.Prune(keepIncidents, keepFor, time.Now()) })
}

// PastOf is what a record says.
func PastOf(r incident.Record) recovery.Past {
	p := recovery.Past{
		Number: r.Number, Open: r.Status.Unfinished(), Back: r.Status == incident.CameBack, Refused: r.Status == incident.Refused,
		Unfinished: r.Status == incident.Incomplete || r.Status == incident.Failed, Failed: r.Status == incident.Failed,
		Began: r.Began, Summary: r.Summary, Tries: r.Tries,
	}
	if r.Ended != nil {
		p.Ended = *r.Ended
	}
	for _, v := range r.VMs {
		if v.Result != string(failover.Done) && v.Result != string(failover.Unproven) && v.Result != string(failover.Starting) {
			p.Left = append(p.Left, v.ID)
		}
	}
	return p
}
