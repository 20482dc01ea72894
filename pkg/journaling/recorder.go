// Package journaling keeps what a recovery does: it writes the events of package failover into the journal, finds out
// whether an event only repeats one that was worked on, and queues notifications.
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

// How many ended incidents are kept, and for how long. Choices: months of a large cloud,
// and a few hundred MB at most.
const (
	keepIncidents = 1000
	keepFor       = 90 * 24 * time.Hour
)

// Recorder writes an incident into the journal: all that the log gets, by its step. Without a
// journal it writes nothing, and the report says so.
type Recorder struct {
	journal *incident.Journal
	record  incident.Record
	notify  *Notifications
	step    atomic.Value // incident.Step
	file    atomic.Pointer[incident.Writer]
	begun   bool
	err     error // why there is no journal
	// prunes: the end of the incident is when old ones are removed.
	prunes bool
	// before is how the incident had ended when it was begun again.
	before  incident.Status
	repeats *Repeats // nil when a person waits
	// kept: the incident stays open when this process is told to end, for another one.
	kept bool
	// left: it stays open for the process of a person.
	left bool
}

// Config says what a Recorder keeps.
type Config struct {
	Request incident.Request
	// Open opens the journal; nil, as in a dry run, keeps nothing.
	Open   func() (*incident.Journal, error)
	Notify *Notifications
	// Kept: the incident stays open when this process is told to end, for another one.
	Kept bool
	// Prunes: old incidents are removed at the end of this one.
	Prunes bool
	// Repeats, when set, de-duplicates events.
	Repeats *Repeats
}

// NewRecorder makes a Recorder, and has the journal opened. The incident begins when the work does.
func NewRecorder(c Config) *Recorder {
	q := c.Request
	rec := &Recorder{record: incident.Record{Kind: q.Kind, ID: q.ID, Tool: q.Tool, Call: q.Call, Request: &q}, notify: c.Notify, kept: c.Kept, prunes: c.Prunes, repeats: c.Repeats}
	rec.step.Store(incident.StepTold)
	if c.Open != nil {
		rec.journal, rec.err = c.Open()
	}
	return rec
}

// Line is told of each line of the log.
func (rec *Recorder) Line(level wording.Level, vm int, m wording.Message) {
	step := rec.step.Load().(incident.Step)
	c := rec.file.Load()
	c.KindEvent(step, vm, string(level), m.Kind, m.String())
	if m.Kind == wording.Held {
		rec.notify.held(c)
	}
}

// Stage is told of each step of the work, and writes down when it began.
func (rec *Recorder) Stage(step incident.Step) {
	rec.step.Store(step)
	says := map[incident.Step]wording.Kind{
		incident.StepConfirm: wording.StepConfirm, incident.StepGuard: wording.StepGuard, incident.StepOpinion: wording.StepOpinion,
		incident.StepFence: wording.StepFence, incident.StepPlan: wording.StepPlan, incident.StepAct: wording.StepAct, incident.StepVerify: wording.StepVerify,
	}
	note(rec.file.Load(), step, wording.Of(says[step]))
}

// note writes what this process says of itself.
func note(c *incident.Writer, step incident.Step, m wording.Message) {
	c.KindEvent(step, -1, string(m.Level()), m.Kind, m.String())
}

// diskLimit is how long a recovery waits for the disk of the journal each time that it has
// to: a disk that hangs must not keep VMs down.
const diskLimit = 10 * time.Second

var errDisk = fmt.Errorf("the disk did not take it within %s", diskLimit)

// bounded waits for f no longer than diskLimit, and not again once the disk has hung.
func (rec *Recorder) bounded(f func()) bool {
	if rec.journal == nil || rec.err == errDisk {
		return false
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return true
	case <-time.After(diskLimit):
		rec.err = errDisk
		return false
	}
}

// Open is a part of failover.Recorder.
func (rec *Recorder) Open() bool {
	if _, open := rec.openOne(); open || rec.record.Request == nil || !rec.record.Request.Follow {
		return open
	}
	stuck := make(chan bool, 1)
	return rec.bounded(func() {
		last, found, _ := rec.journal.LastOf(rec.record.Kind, rec.record.ID)
		stuck <- found && GivenUpMoving(last)
	}) && <-stuck
}

// openOne is the open incident of the object.
func (rec *Recorder) openOne() (incident.Record, bool) {
	found := make(chan *incident.Record, 1)
	if rec.bounded(func() {
		r, open, _ := rec.journal.OpenOf(rec.record.Kind, rec.record.ID) // one that cannot be read is not gone on with
		if !open {
			found <- nil
			return
		}
		found <- &r
	}) {
		if r := <-found; r != nil {
			return *r, true
		}
	}
	return incident.Record{}, false
}

// Number is a part of failover.Recorder.
func (rec *Recorder) Number() int { return rec.file.Load().Number() }

// Begin opens the incident, or goes on with the one of a process that was stopped in the
// middle.
func (rec *Recorder) Begin(o failover.Opening) failover.Earlier {
	rec.begun = true
	rec.record.Name, rec.record.From = o.Name, o.From
	type opened struct {
		file   *incident.Writer
		before failover.Earlier
		ended  incident.Status
		err    error
	}
	done := make(chan opened, 1)
	if !rec.bounded(func() {
		var got opened
		if got.file, got.before, got.ended = reopened(rec.journal, rec.record, o); got.file == nil {
			got.file, got.before, got.err = openCase(rec.journal, rec.record, o)
		}
		done <- got
	}) {
		return failover.Earlier{}
	}
	got := <-done
	rec.err = got.err
	if got.file != nil {
		rec.file.Store(got.file)
		if rec.before = got.ended; got.ended == "" {
			rec.notify.began(got.file)
		}
	}
	return got.before
}

// reopened goes on with the last incident of a host, when it was about this outage and left
// something undone, and says how it had ended: oned 4.4 calls the hook on each failed cycle, and
// admins try again. Otherwise it is nil.
func reopened(j *incident.Journal, r incident.Record, o failover.Opening) (*incident.Writer, failover.Earlier, incident.Status) {
	last, found, _ := j.LastOf(r.Kind, r.ID)
	past := PastOf(last)
	follow := r.Request != nil && r.Request.Follow && GivenUpMoving(last)
	if !found || r.Kind != "host" || o.Settle && !follow || !past.Refused && !past.Unfinished {
		return nil, failover.Earlier{}, ""
	}
	host := one.Host{ID: r.ID, VMs: o.VMs}
	if !o.Contact.IsZero() {
		host.LastContact = o.Contact.Unix()
	}
	if !follow && !recovery.SameOutage(host, past, time.Now()) {
		return nil, failover.Earlier{}, ""
	}
	c, err := j.Reopen(last.Number, r)
	if err != nil {
		return nil, failover.Earlier{}, ""
	}
	note(c, incident.StepTold, wording.Of(wording.TriedAgain, strings.Join(append([]string{r.Tool}, r.Call...), " ")))
	return c, earlierOf(last, o), last.Status
}

// earlierOf is what a record says to whoever goes on with it.
func earlierOf(r incident.Record, o failover.Opening) failover.Earlier {
	return failover.Earlier{Watched: watchedSince(r, o), VMs: r.VMs, Following: r.Status == incident.Following || GivenUpMoving(r), Proof: r.Proof, Proven: r.Proven, Began: r.Began}
}

// GivenUpMoving reports whether a VM of a record that has ended was on its way when it was given up.
func GivenUpMoving(r incident.Record) bool {
	return r.Status == incident.Incomplete && slices.ContainsFunc(r.VMs, func(v incident.VM) bool {
		return v.Result == string(failover.Incomplete) && len(v.Path) > 1
	})
}

// openCase begins an incident, or goes on with one that is open and about this outage.
func openCase(j *incident.Journal, r incident.Record, o failover.Opening) (*incident.Writer, failover.Earlier, error) {
	before, open, _ := j.OpenOf(r.Kind, r.ID)
	if open && !o.Apart {
		c, err := j.Continue(before.Number)
		if err != nil {
			return nil, failover.Earlier{}, err
		}
		status, why := otherOutage(before, o)
		if why == "" {
			kind := wording.TakenUp
			if before.Status == incident.Following {
				kind = wording.FollowingVMs
			}
			note(c, incident.StepTold, wording.Of(kind))
			return c, earlierOf(before, o), nil
		}
		c.End(status, why)
	}
	c, err := j.Begin(r)
	if o.From == "" || err != nil {
		return c, failover.Earlier{}, err
	}
	note(c, incident.StepTold, wording.Of(wording.TakenOver, o.From))
	earlier := failover.Earlier{}
	if !o.Contact.IsZero() { // takeOver has seen that it was not monitored since
		earlier.Watched = o.Since
	}
	return c, earlier, nil
}

// otherOutage says why an open incident is about another outage than the one of now; "" when
// it is not.
func otherOutage(before incident.Record, o failover.Opening) (incident.Status, string) {
	last := before.Began
	if n := len(before.Events); n > 0 {
		last = before.Events[n-1].At
	}
	switch {
	case o.Settle:
	case before.Status == incident.Following && o.Contact.After(before.Began):
		return incident.Incomplete, fmt.Sprintf("the host was monitored again at %s and failed anew, which is the next incident; VMs of this one were still on their way", o.Contact.Format(time.DateTime))
	case before.Status == incident.Following:
	case o.Contact.After(before.Began):
		return incident.CameBack, fmt.Sprintf("the process was stopped; the host was monitored again at %s and failed anew, which is the next incident", o.Contact.Format(time.DateTime))
	case o.Contact.IsZero() && time.Since(last) > failover.Forgotten:
		return incident.Failed, fmt.Sprintf("the process was stopped, and nobody went on within %s; the next incident does", failover.Forgotten)
	}
	return "", ""
}

// watchedSince is since when the host was watched, when it was certainly not back since.
func watchedSince(before incident.Record, o failover.Opening) time.Time {
	for _, e := range before.Events {
		if e.Step == incident.StepConfirm && !o.Contact.IsZero() && !o.Contact.After(e.At) {
			return e.At
		}
	}
	return time.Time{}
}

// Proved is a part of failover.Recorder.
func (rec *Recorder) Proved(how string, proven bool) { rec.file.Load().Proof(how, proven) }

// Failed is a part of failover.Recorder.
func (rec *Recorder) Failed(at, contact time.Time) {
	rec.file.Load().Host(func(h *incident.HostRecord) {
		h.Failed, h.Contact = at.Truncate(time.Millisecond), contact
	})
}

// Quarantined is a part of failover.Recorder.
func (rec *Recorder) Quarantined(at time.Time) {
	rec.file.Load().Host(func(h *incident.HostRecord) { h.Quarantined = at.Truncate(time.Second) })
}

// FailFast is a part of failover.Recorder.
func (rec *Recorder) FailFast(names []string) {
	rec.file.Load().Host(func(h *incident.HostRecord) { h.FailFast = names })
}

// Forecast is a part of failover.Recorder.
func (rec *Recorder) Forecast(stages []incident.Stage) { rec.file.Load().Forecast(stages) }

// Moved is a part of failover.Recorder.
func (rec *Recorder) Moved(o failover.Outcome) { rec.file.Load().VM(vmOf(o)) }

// Planned is a part of failover.Recorder.
func (rec *Recorder) Planned(all []failover.Outcome) {
	c := rec.file.Load()
	vms := make([]incident.VM, len(all))
	for i, o := range all {
		vms[i] = vmOf(o)
	}
	c.VMs(vms)
	rec.bounded(func() { _ = c.Flush() }) // Err tells at the end
}

// Finished is a part of failover.Recorder.
func (rec *Recorder) Finished(o failover.Outcome) { rec.file.Load().VM(vmOf(o)) }

// Leave is a part of failover.Recorder.
func (rec *Recorder) Leave() { rec.left = true }

// vmOf is an outcome as it is in the journal.
func vmOf(o failover.Outcome) incident.VM {
	return incident.VM{ID: o.VM, Name: o.Name, Owner: o.Owner, State: o.State, Action: string(o.Action), Result: string(o.Result),
		Detail: o.Detail, Kind: o.Kind, Priority: o.Priority, Calls: o.Calls, Seconds: o.Seconds, Path: o.Path}
}

// End writes how it ended into the incident, and its number and what went wrong with it into
// the report. told says that this process was told to end.
func (rec *Recorder) End(report *failover.Report, err error, told bool) {
	c := rec.file.Load()
	if report.Elsewhere {
		if r, open := rec.openOne(); open {
			report.Incident = r.Number
		}
	}
	if c != nil {
		report.Incident = c.Number()
		for _, o := range report.Outcomes {
			c.VM(vmOf(o))
		}
		status, summary := report.Status(err)
		failed := make(chan error, 1)
		if rec.bounded(func() {
			if status == incident.Following && !told && !rec.left {
				failed <- c.Follow(summary)
				return
			}
			if told && rec.kept || rec.left {
				left := wording.Of(wording.LeftOpen)
				if rec.left {
					left = report.Said()
				}
				c.KindEvent(incident.StepEnd, -1, string(wording.Warning), left.Kind, left.String())
				failed <- c.Close()
				return
			}
			c.Reason(report.Message().Kind)
			c.End(status, summary)
			if rec.prunes {
				_ = rec.journal.Prune(keepIncidents, keepFor, time.Now()) // tried again by the next one
			}
			failed <- c.Err()
		}) {
			rec.err = <-failed
		}
		rec.notify.ended(c, rec.before)
	}
	if rec.begun && rec.err != nil {
		report.Unrecorded = rec.err.Error()
	}
}

// Prune removes old incidents, for as long as a recovery waits for the disk.
func Prune(journal *incident.Journal) {
	rec := Recorder{journal: journal}
	rec.bounded(func() { _ = journal.Prune(keepIncidents, keepFor, time.Now()) }) // tried again by the next one
}

// PastOf is what a record says.
func PastOf(r incident.Record) recovery.Past {
	p := recovery.Past{
		Number: r.Number, Open: r.Status.Unfinished(), Back: r.Status == incident.CameBack, Refused: r.Status == incident.Refused,
		Unfinished: r.Status == incident.Incomplete || r.Status == incident.Failed, Failed: r.Status == incident.Failed, Began: r.Began, Summary: r.Summary, Tries: r.Tries,
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
