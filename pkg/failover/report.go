package failover

import (
	"fmt"
	"strconv"
	"strings"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// ExitCode is 0 when everything was handled or there was nothing to do, 1 when a VM was
// not handled, 3 when it would not have been safe.
func (r Report) ExitCode() int {
	switch {
	case r.Refused:
		return exitcode.Refused
	case !r.Complete() || r.Unrecorded != "" || r.late && r.Starting() || r.attended && r.has(Unproven):
		return exitcode.Incomplete
	}
	return exitcode.Done
}

// Status is how the incident of a recovery ended, and that in words. err is the error of the recovery.
func (r Report) Status(err error) (incident.Status, string) {
	switch {
	case err != nil:
		return incident.Failed, err.Error()
	case r.Starting():
		return incident.Following, r.Summary
	case r.Back:
		return incident.CameBack, r.Summary
	case r.Refused:
		return incident.Refused, r.Summary
	case !r.Complete():
		return incident.Incomplete, r.Summary
	case r.Unproven && r.has(Unproven):
		return incident.Unproven, r.Summary
	}
	return incident.Done, r.Summary
}

// Notes are what a dry run found out about the guard and the fence.
func (r Report) Notes() []string { return r.Preview }

// Line is the report in one line.
func (r Report) Line() string {
	line := r.Object + ": " + r.Summary
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

// Problems names each VM that was not handled, with the reason.
func (r Report) Problems() []string {
	var lines []string
	for _, o := range r.Outcomes {
		if o.Result == Incomplete || o.Result == Refused || o.Result == Unproven && r.attended || o.Result == Starting && r.late {
			lines = append(lines, fmt.Sprintf("VM %d (%s, %s): %s", o.VM, o.Name, o.State, strings.TrimSpace(o.Detail)))
		}
	}
	if r.Unrecorded != "" {
		lines = append(lines, "this is not, or not completely, in the journal: "+r.Unrecorded)
	}
	return lines
}
