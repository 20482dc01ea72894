package coordinator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Batch is how the work on several hosts and VMs ended.
type Batch struct {
	Reports []failover.Report `json:"reports"`
	// Lines are about what nothing was done about, and why.
	Lines []string `json:"lines,omitempty"`
	// Alone: the only line is all that there is to say; nothing was left as it is.
	Alone bool `json:"-"`
	// Would is how many of the lines say what a dry run would do.
	Would int `json:"would,omitempty"`
	// WouldRefuse is how many of those hosts would be refused, because nothing would prove them off.
	WouldRefuse int `json:"would_refuse,omitempty"`
	// Standings are what stands between the hosts in ERROR and the recovery of their VMs; of a dry run only. Held is how many
	// of them are not touched now, and have a line.
	Standings []incident.HostStanding `json:"standings,omitempty"`
	Held      int                     `json:"held,omitempty"`
	// Errors are what could not be done at all.
	Errors []string `json:"errors,omitempty"`
}

// Add adds how the work on hosts or VMs ended; what this process was called for comes first.
func (b *Batch) Add(all []Result, own []incident.Request) {
	if b.Reports == nil {
		b.Reports = []failover.Report{} // [] in JSON, not null
	}
	later := func(r Result) int {
		if slices.ContainsFunc(own, func(q incident.Request) bool { return q.ID == r.ID }) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(x, y Result) int { return cmp.Or(later(x)-later(y), x.ID-y.ID) })
	for _, r := range all {
		if r.Err != nil {
			b.Errors = append(b.Errors, fmt.Sprintf("%s: %v", r.Report.Object, r.Err))
			continue
		}
		b.Reports = append(b.Reports, r.Report)
	}
}

// Line is the batch in one line.
func (b Batch) Line() string {
	if b.Alone {
		return strings.Join(b.Lines, "; ")
	}
	if b.Quiet() {
		line := "nothing to do"
		if b.Would > 0 {
			line = fmt.Sprintf("%d would be handled", b.Would)
		}
		if b.WouldRefuse > 0 {
			line += fmt.Sprintf(", %d of them REFUSED", b.WouldRefuse)
		}
		if b.Held > 0 {
			line += fmt.Sprintf(", %s not touched now", text.Plural(b.Held, "host"))
		}
		if left := len(b.Lines) - b.Would - b.Held; left > 0 {
			line += fmt.Sprintf(" (%d left as they are)", left)
		}
		return line
	}
	var lines []string
	for _, r := range b.Reports {
		lines = append(lines, r.Line())
	}
	if n := len(b.Errors); n > 0 {
		lines = append(lines, fmt.Sprintf("%d with an error", n))
	}
	return strings.Join(lines, "; ")
}

// Quiet reports whether nothing was done: oneft resume is run each minute, and then has nothing to tell.
func (b Batch) Quiet() bool { return len(b.Reports) == 0 && len(b.Errors) == 0 }

// Message is the batch: the summary of each report.
func (b Batch) Message() wording.Message {
	all := make(wording.List, len(b.Reports))
	for i, r := range b.Reports {
		all[i] = r.Said().After(r.Object)
	}
	return wording.Of(wording.BatchOf, all, len(b.Errors), len(b.Lines))
}

// Table is the batch for people: a row for each VM, and one for each host without VMs.
func (b Batch) Table() [][]string {
	rows := [][]string{{"OBJECT", "VM", "NAME", "OWNER", "STATE", "ACTION", "RESULT"}}
	for _, r := range b.Reports {
		table := r.Table()[1:]
		if len(table) == 0 {
			rows = append(rows, []string{r.Object, "", "", "", r.State, "", r.Summary})
		}
		for _, row := range table {
			rows = append(rows, append([]string{r.Object}, row...))
		}
	}
	for _, e := range b.Errors {
		rows = append(rows, []string{"", "", "", "", "", "", e})
	}
	return rows
}

// Notes are those of all reports.
func (b Batch) Notes() []string {
	if b.Alone {
		return nil // it is the line
	}
	notes := slices.Clone(b.Lines)
	for _, r := range b.Reports {
		for _, n := range r.Notes() {
			notes = append(notes, r.Object+": "+n)
		}
	}
	return notes
}

// Problems names what was not handled.
func (b Batch) Problems() []string {
	problems := slices.Clone(b.Errors)
	for _, r := range b.Reports {
		if r.Refused {
			problems = append(problems, r.Line())
		}
		for _, p := range r.Problems() {
			problems = append(problems, r.Object+": "+p)
		}
	}
	return problems
}

// ExitCode is 1 when something was not handled or not possible, else 3 when something would not have been safe, else 0.
func (b Batch) ExitCode() int {
	codes := map[int]bool{app.ExitIncomplete: len(b.Errors) > 0, app.ExitRefused: b.WouldRefuse > 0 || b.Held > 0}
	for _, r := range b.Reports {
		codes[r.ExitCode()] = true
	}
	switch {
	case codes[app.ExitIncomplete]:
		return app.ExitIncomplete
	case codes[app.ExitRefused]:
		return app.ExitRefused
	}
	return app.ExitDone
}
