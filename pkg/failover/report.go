package failover

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/wording"
)

// ExitCode is 0 when everything was handled or there was nothing to do, 1 when a VM was
// not handled, 3 when it would not have been safe.
func (r Report) ExitCode() int {
	switch {
	case r.Refused:
		return app.ExitRefused
	case !r.Complete() || r.Unrecorded != "" || r.late && r.Starting() || r.attended && r.has(Unproven):
		return app.ExitIncomplete
	}
	return app.ExitDone
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

// Message is the summary.
func (r Report) Message() wording.Message { return r.said }

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

// BudgetFlags are the flags of executables that act on single VMs.
func BudgetFlags() []cli.Flag {
	return []cli.Flag{&cli.BoolFlag{Name: "no-budget", Usage: "a person decided so: count neither attempts nor how many VMs fail"}}
}
