package failover

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
)

// How many ended incidents are kept, and for how long. Choices: months of a large cloud,
// and a few hundred MB at most.
const (
	keepIncidents = 1000
	keepFor       = 90 * 24 * time.Hour
)

// recorder writes an incident into the journal: all that the log gets, by its step. Without a
// journal it writes nothing, and the report says so.
type recorder struct {
	journal *incident.Journal
	record  incident.Record
	step    atomic.Value // incident.Step
	file    atomic.Pointer[incident.Case]
	begun   bool
	err     error // why there is no journal
}

// newRecorder makes a recorder for the work on an object with the settings of a session. The
// incident begins when the work does.
func newRecorder(s app.Session, kind string, id int) *recorder {
	rec := &recorder{record: incident.Record{Kind: kind, ID: id, Tool: s.Cli.App.Name, Call: s.Call}}
	rec.step.Store(incident.StepTold)
	if s.DryRun {
		return rec
	}
	rec.journal, rec.err = incident.OpenJournal(filepath.Join(s.StateDir, "incidents"))
	s.Log.Observe(func(level logrus.Level, vm int, text string) {
		names := map[logrus.Level]string{logrus.InfoLevel: "info", logrus.WarnLevel: "warning", logrus.ErrorLevel: "problem"}
		rec.file.Load().Event(rec.step.Load().(incident.Step), vm, names[level], text)
	})
	return rec
}

// stage is told of each step of the work, and writes down when it began.
func (rec *recorder) stage(step incident.Step) {
	rec.step.Store(step)
	says := map[incident.Step]string{
		incident.StepConfirm: "watching the host", incident.StepGuard: "looking at all hosts", incident.StepOpinion: "asking for second opinions",
		incident.StepFence: "proving that the host is off", incident.StepPlan: "reading the VMs and deciding",
		incident.StepAct: "acting", incident.StepVerify: "looking whether it happened",
	}
	if text := says[step]; text != "" {
		rec.file.Load().Event(step, -1, "info", text)
	}
}

// diskLimit is how long a recovery waits for the disk of the journal, once at its begin and
// once at its end: a disk that hangs must not keep VMs down.
const diskLimit = 10 * time.Second

var errDisk = fmt.Errorf("the disk did not take it within %s", diskLimit)

// begin opens the incident, or goes on with the one of a process that was stopped in the
// middle. The caller has the lock of the object.
func (rec *recorder) begin(name string) {
	rec.begun = true
	if rec.journal == nil {
		return
	}
	rec.record.Name = name
	type opened struct {
		file *incident.Case
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		c, err := openCase(rec.journal, rec.record)
		done <- opened{c, err}
	}()
	select {
	case o := <-done:
		rec.err = o.err
		if o.file != nil {
			rec.file.Store(o.file)
		}
	case <-time.After(diskLimit):
		rec.err = errDisk
	}
}

// openCase begins an incident, or goes on with one that is open.
func openCase(j *incident.Journal, r incident.Record) (*incident.Case, error) {
	before, open, _ := j.OpenOf(r.Kind, r.ID) // one that cannot be read is not gone on with
	if !open {
		return j.Begin(r)
	}
	c, err := j.Continue(before.Number)
	if err == nil {
		c.Event(incident.StepTold, -1, "warning", "the process before was stopped in the middle; this one goes on")
	}
	return c, err
}

// end writes how it ended into the incident, and its number and what went wrong with it into
// the report.
func (rec *recorder) end(report *Report, err error) {
	c := rec.file.Load()
	if report.Elsewhere && rec.journal != nil {
		if r, open, _ := rec.journal.OpenOf(rec.record.Kind, rec.record.ID); open {
			report.Incident = r.Number
		}
	}
	if c != nil {
		report.Incident = c.Number()
		c.Proof(report.Fence)
		var vms []incident.VM
		for _, o := range report.Outcomes {
			vms = append(vms, incident.VM{ID: o.VM, Name: o.Name, Owner: o.Owner, State: o.State, Action: string(o.Action), Result: string(o.Result),
				Detail: o.Detail, Priority: o.Priority, Calls: o.Calls, Seconds: o.Seconds})
		}
		c.VMs(vms)
		status, summary := statusOf(*report, err)
		rec.err = rec.close(c, status, summary)
	}
	if rec.begun && rec.err != nil {
		report.Unrecorded = rec.err.Error()
	}
}

// close ends the incident and removes old ones.
func (rec *recorder) close(c *incident.Case, status incident.Status, summary string) error {
	done := make(chan error, 1)
	go func() {
		c.End(status, summary)
		_ = rec.journal.Prune(keepIncidents, keepFor, time.Now()) // tried again by the next one
		done <- c.Err()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(diskLimit):
		return errDisk
	}
}

// statusOf is how an incident ended.
func statusOf(r Report, err error) (incident.Status, string) {
	switch {
	case err != nil:
		return incident.Failed, err.Error()
	case r.Back:
		return incident.CameBack, r.Summary
	case r.Refused:
		return incident.Refused, r.Summary
	case !r.Complete():
		return incident.Incomplete, r.Summary
	}
	return incident.Done, r.Summary
}
