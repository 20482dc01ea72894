package failover

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Report is the result of a recovery. It is made from an ending, in one place.
type Report struct {
	Object  string `json:"object"` // such as "host 3 (node03)"
	State   string `json:"state"`  // of the host or VM at the beginning
	DryRun  bool   `json:"dry_run"`
	Summary string `json:"summary"` // one line
	Refused bool   `json:"refused"` // nothing was done because it would not have been safe
	// Fence says how the host was proven off, or why not.
	Fence string `json:"fence,omitempty"`
	// Preview is what a dry run found out about the guard and the fence.
	Preview []string `json:"preview,omitempty"`
	// Outlook is what a dry run says of the proof; nil else.
	Outlook *fence.Outlook `json:"outlook,omitempty"`
	// Standing is what stands between a dry run's host and the recovery of its VMs; nil else.
	Standing *incident.Standing `json:"standing,omitempty"`
	Outcomes []Outcome          `json:"vms"`
	Seconds  float64            `json:"seconds"`
	// Unproven: VMs are started elsewhere, and nothing proves that the host is off.
	Unproven bool `json:"unproven,omitempty"`
	// Back: the host came back, and nothing was done.
	Back bool `json:"back,omitempty"`
	// Elsewhere: another process works on it, and this one did nothing.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Incident is the number in the journal; 0 without. Unrecorded is why it is not recorded, or not as a whole.
	Incident   int    `json:"incident,omitempty"`
	Unrecorded string `json:"unrecorded,omitempty"`

	said      wording.Message // what Summary says
	unhandled []Outcome       // those with which the request is not fulfilled
}

// ending is how the work on a host or VM ended; nil while it goes on.
type ending struct {
	kind   endKind
	why    wording.Message // zero where the results of the VMs say it
	tasks  []*task         // nil where nothing was planned
	permit *permit         // to act on the VMs of the host; nil without one
}

const (
	endNothing   endKind = "nothing to do"
	endHandled   endKind = "handled" // each VM has its result
	endRefused   endKind = "refused" // it would not have been safe
	endBack      endKind = "came back"
	endElsewhere endKind = "elsewhere" // another process works on it
)

// ended is an ending of which a message says all.
func ended(kind endKind, why wording.Kind, args ...any) *ending {
	return &ending{kind: kind, why: wording.Of(why, args...)}
}

func (e *ending) is(kind endKind) bool { return e != nil && e.kind == kind }

// has reports whether a VM has a result.
func (e *ending) has(result Result) bool {
	return e != nil && slices.ContainsFunc(e.tasks, func(t *task) bool { return t.out.Result == result })
}

// report makes the report of a recovery; e is nil for one that could not begin.
func (r *runner) report(e *ending) Report {
	report := Report{Object: r.object, State: r.state, DryRun: r.opt.DryRun, Preview: r.notes, Outlook: r.outlook, Standing: r.standing, Seconds: time.Since(r.started).Seconds()}
	if e == nil {
		return report
	}
	report.Refused, report.Back, report.Elsewhere, report.said = e.kind == endRefused, e.kind == endBack, e.kind == endElsewhere, e.why
	if e.permit != nil && !r.opt.DryRun {
		report.Fence = e.permit.proof.String()
	}
	if e.tasks != nil {
		report.Unproven = e.permit != nil && e.permit.unproven()
		if e.why.IsZero() {
			report.said = countResults(e.tasks)
		}
	}
	report = report.Saying(report.said)
	for _, t := range e.tasks {
		report.Outcomes = append(report.Outcomes, t.out)
		if t.out.Result == Incomplete || t.out.Result == Refused || r.hostID >= 0 && (t.out.Result == Unproven && r.opt.Attended || t.out.Result == Starting && r.opt.Request.Verify == VerifyRunning) {
			report.unhandled = append(report.unhandled, t.out)
		}
	}
	return report
}

// Refusal is the report about a host with which nothing was done, because it would not have been safe.
func Refusal(host one.Host, o fence.Outlook, why wording.Message) Report {
	r := runner{object: nameOf("host", host.ID, host.Name), state: host.State.String(), outlook: &o, started: time.Now()}
	return r.report(&ending{kind: endRefused, why: why})
}

// NotBegun is the report about a host or VM with which nothing was begun.
func NotBegun(object string, why wording.Message) Report {
	r := runner{object: object, started: time.Now()}
	return r.report(&ending{kind: endRefused, why: why})
}

// Elsewhere is the report about a host that another process works on; incident is its number, 0 for not known.
func Elsewhere(hostID, incident int, why wording.Message) Report {
	r := runner{object: fmt.Sprintf("host %d", hostID), started: time.Now()}
	report := r.report(&ending{kind: endElsewhere, why: why})
	report.Incident = incident
	return report
}

// Saying is the report with another summary.
func (r Report) Saying(why wording.Message) Report {
	r.said, r.Summary = why, why.String()
	return r
}

// NotNow is the report of a dry run while something keeps everything from being acted on, such as a pause: of what would be acted
// on it says that, and is refused.
func (r Report) NotNow(why wording.Message) Report {
	if why.IsZero() || !r.has(Planned) && !r.has(WouldUnproven) && !r.has(WouldRefuse) {
		return r
	}
	r.Preview = append(slices.Clone(r.Preview), why.String())
	r.Refused = true
	return r.Saying(wording.Of(wording.NotNow, why, r.said))
}

// nameOf is what people call a host or VM.
func nameOf(kind string, id int, name string) string {
	return fmt.Sprintf("%s %d (%s)", kind, id, name)
}

// countResults is the summary of the results of VMs.
func countResults(tasks []*task) wording.Message {
	if len(tasks) == 0 {
		return wording.Of(wording.NoVMs)
	}
	count := map[Result]int{}
	for _, t := range tasks {
		count[counted(t.out)]++
	}
	var results wording.List
	for _, part := range []struct {
		result Result
		kind   wording.Kind
	}{
		{Planned, wording.CountPlanned}, {WouldUnproven, wording.CountWouldUnproven}, {WouldRefuse, wording.CountWouldRefuse},
		{Done, wording.CountDone}, {deleted, wording.CountDeleted}, {Unproven, wording.CountUnproven},
		{deletedUnproven, wording.CountDeletedUnproven}, {Starting, wording.CountStarting},
		{Already, wording.CountAlready}, {Left, wording.CountLeft}, {Incomplete, wording.CountIncomplete}, {Refused, wording.CountRefused},
	} {
		if n := count[part.result]; n > 0 {
			results = append(results, wording.Of(part.kind, n))
		}
	}
	return wording.Of(wording.Counted, len(tasks), results)
}

// What the summary counts apart: VMs that were deleted are not recovered.
const (
	deleted         = "deleted " + Done
	deletedUnproven = "deleted " + Unproven
)

// counted is the result of a VM as the summary counts it.
func counted(o Outcome) Result {
	if o.Action == recovery.VerbDelete && (o.Result == Done || o.Result == Unproven) {
		return "deleted " + o.Result
	}
	return o.Result
}

func (r Report) has(result Result) bool {
	return slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Result == result })
}

// ExitCode is 0 when everything was handled, 1 when a VM was not, 3 when it would not have been safe.
func (r Report) ExitCode() int {
	switch {
	case r.Refused:
		return exitcode.Refused
	case len(r.unhandled) > 0 || r.Unrecorded != "":
		return exitcode.Incomplete
	}
	return exitcode.Done
}

// Status is how the incident of a recovery ended, and that in words. err is the error of the recovery.
func (r Report) Status(err error) (incident.Status, string) {
	switch {
	case err != nil:
		return incident.Failed, err.Error()
	case r.has(Starting):
		return incident.Following, r.Summary
	case r.Back:
		return incident.CameBack, r.Summary
	case r.Refused:
		return incident.Refused, r.Summary
	case r.has(Incomplete) || r.has(Refused):
		return incident.Incomplete, r.Summary
	case r.Unproven && r.has(Unproven):
		return incident.Unproven, r.Summary
	}
	return incident.Done, r.Summary
}

// Notes are what a dry run found out about the guard and the fence, and what is missing in the journal.
func (r Report) Notes() []string { return append(slices.Clone(r.Preview), r.notRecorded()...) }

// Line is the report in one line.
func (r Report) Line() string {
	line := r.Object + ": " + r.Summary
	if r.said.NamesObject() {
		line = r.Summary
	}
	if r.Incident > 0 {
		line += fmt.Sprintf(" (incident %d)", r.Incident)
	}
	return line
}

// Said is the summary.
func (r Report) Said() wording.Message { return r.said }

// Message is the summary with the number of the incident.
func (r Report) Message() wording.Message {
	if r.Incident == 0 {
		return r.said
	}
	return wording.Of(wording.InIncident, r.said, r.Incident)
}

// Table is the report for people.
func (r Report) Table() [][]string {
	last := "RESULT"
	if r.DryRun {
		last = "WHY"
	}
	rows := [][]string{{"VM", "NAME", "OWNER", "STATE", "ACTION", last}}
	for _, o := range r.Outcomes {
		result := string(o.Result)
		switch counted(o) {
		case Unproven:
			result = "started elsewhere, UNPROVEN"
		case deletedUnproven:
			result = "deleted, UNPROVEN"
		}
		switch {
		case r.DryRun:
			result = r.why(o)
		case o.Detail != "":
			result += ": " + o.Detail
		}
		rows = append(rows, []string{strconv.Itoa(o.VM), o.Name, o.Owner, o.State, string(o.Action), result})
	}
	return rows
}

// why is the last column of a dry run.
func (r Report) why(o Outcome) string {
	if r.Outlook == nil || o.Result != WouldRefuse && o.Result != WouldUnproven {
		return o.Detail
	}
	return strings.TrimSuffix(r.Outlook.Row(o.Action == recovery.VerbDelete)+"; "+o.Detail, "; ")
}

// Problems names each VM that was not handled, with the reason.
func (r Report) Problems() []string {
	var lines []string
	for _, o := range r.unhandled {
		lines = append(lines, fmt.Sprintf("VM %d (%s, %s): %s", o.VM, o.Name, o.State, strings.TrimSpace(o.Detail)))
	}
	return append(lines, r.notRecorded()...)
}

// notRecorded says what is missing in the journal, which alone makes the exit code 1.
func (r Report) notRecorded() []string {
	if r.Unrecorded == "" {
		return nil
	}
	return []string{"this is not, or not completely, in the journal: " + r.Unrecorded}
}

// endKind says which of the endings it is.
type endKind string
