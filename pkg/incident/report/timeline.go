package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

// How much of an incident is shown in lines, so that all of it stays under about a hundred.
const (
	maxSections = 12 // parts of the work; a normal incident has nine
	maxEvents   = 30 // lines of all parts
	fewEvents   = 2  // lines that every part gets
	maxReasons  = 8  // reasons why VMs were not handled
	namedVMs    = 8  // VMs that are named before the rest is counted
)

// Timeline is an incident in lines for a terminal, at most about a hundred: what
// happened step by step, which VMs were not handled and why, and what is left to do.
// Lines are printable and have no end of line.
func Timeline(r incident.Record, now time.Time) []string {
	lines := []string{fmt.Sprintf("Incident %d: %s: %s", r.Number, what(r), short(string(r.Status), maxName))}
	for _, f := range facts(r, now) {
		lines = append(lines, fmt.Sprintf("  %-11s %s", f.Name+":", short(f.Value, 2*maxLine)))
	}
	lines = append(lines, "", "What happened")
	lines = append(lines, happened(r, now)...)
	for _, part := range []struct {
		title string
		lines []string
	}{{"Recovery of each VM", wayLines(r, now)}, {"Expected and actual times", forecastLines(r, now)}} {
		if len(part.lines) > 0 {
			lines = append(append(lines, "", part.title), part.lines...)
		}
	}
	if reasons := unhandled(r); len(reasons) > 0 {
		lines = append(lines, "", notHandled(r))
		lines = append(lines, reasons...)
	}
	lines = append(lines, "", "What is left to do")
	for _, item := range todo(r, now) {
		lines = append(lines, "  - "+item.Text)
		for _, command := range item.Commands {
			lines = append(lines, "      "+command)
		}
	}
	return lines
}

// fact is a line about the whole incident.
type fact struct{ Name, Value string }

// facts are what there is to know before the details.
func facts(r incident.Record, now time.Time) []fact {
	proof := r.Proof
	if r.IsUnproven() {
		proof = strings.TrimSuffix("UNPROVEN: "+proof, ": ")
	}
	all := []fact{
		{"Summary", r.Summary},
		{"Began", r.Began.In(now.Location()).Format(dateAndTime + " MST")},
		{"Took", lasted(r, now)},
		{"VMs", counts(r)},
		{"Proof", proof},
	}
	all = append(append(all, hostFacts(r, now)...), fact{"Opened by", opened(r)}, fact{"Front-end", r.FrontEnd})
	var known []fact
	for _, f := range all {
		if f.Value != "" && f.Value != noVMs {
			known = append(known, fact{f.Name, short(f.Value, maxPage)})
		}
	}
	return known
}

// happened are the parts of the work with their events.
func happened(r incident.Record, now time.Time) []string {
	all := sections(r, now)
	if len(all) == 0 {
		return []string{"  Nothing was written down."}
	}
	shown, skipped := all, 0
	if len(all) > maxSections {
		skipped = len(all) - maxSections
		shown = append(append([]section{}, all[:maxSections/2]...), all[len(all)-maxSections/2:]...)
	}
	folds := make([][]*fold, len(shown))
	for i, s := range shown {
		folds[i] = folded(s.events)
	}
	var lines []string
	for i, n := range shares(folds) {
		if skipped > 0 && i == maxSections/2 {
			lines = append(lines, fmt.Sprintf("  (%s not shown here)", plural(skipped, "more step")))
		}
		s := shown[i]
		lines = append(lines, fmt.Sprintf("  %s: %s", short(string(s.step), maxName), took(s.end.Sub(s.began))))
		for _, f := range worst(folds[i], n) {
			lines = append(lines, "    "+f.line(r, now))
		}
		if more := len(folds[i]) - n; more > 0 {
			lines = append(lines, fmt.Sprintf("    (%s not shown here)", plural(more, "more line")))
		}
	}
	return lines
}

// shares is how many lines each part gets: a few each, and the rest in their order.
func shares(folds [][]*fold) []int {
	give, left := make([]int, len(folds)), maxEvents
	for i := range folds {
		give[i] = min(len(folds[i]), fewEvents)
		left -= give[i]
	}
	for i := range folds {
		more := min(len(folds[i])-give[i], max(left, 0))
		give[i] += more
		left -= more
	}
	return give
}

// line is a fold with its times. Of several VMs it has the first and the last time.
func (f *fold) line(r incident.Record, now time.Time) string {
	at := f.first.In(now.Location()).Format(clock(r, now))
	after := since(f.first.Sub(r.Began))
	if last := since(f.last.Sub(r.Began)); last != after {
		after = strings.TrimSuffix(after, " s") + " to " + last
	}
	mark := ""
	if f.level == levelProblem || f.level == levelWarning {
		mark = strings.ToUpper(f.level) + ": "
	}
	who := ""
	switch {
	case len(f.vms) > 0:
		who = "VM " + someIDs(f.vms, namedVMs) + ": "
	case f.times > 1:
		who = fmt.Sprintf("%d times: ", f.times)
	}
	return fmt.Sprintf("%s  %-14s  %s%s%s", at, after, mark, who, f.text)
}

// notHandled is the title over the VMs that were not handled.
func notHandled(r incident.Record) string {
	if r.Ended == nil {
		return "VMs that are not finished"
	}
	return "VMs that were not handled"
}

// unhandled are those VMs with their reasons; VMs with the same reason share
// a line, and the reasons of most VMs come first.
func unhandled(r incident.Record) []string {
	var events []incident.Event
	names := map[int]string{}
	for _, vm := range problemsFirst(r.VMs) {
		if !problem(r, vm) {
			continue
		}
		reason := told(r, vm)
		if vm.Detail != "" {
			reason += ": " + vm.Detail
		}
		names[vm.ID] = fmt.Sprintf(" (%s, %s)", short(vm.Name, maxName), short(vm.State, maxName))
		events = append(events, incident.Event{VM: max(vm.ID, 0), Text: reason})
	}
	all := folded(events)
	slices.SortStableFunc(all, func(a, b *fold) int { return len(b.vms) - len(a.vms) })
	var lines []string
	for _, f := range all[:min(len(all), maxReasons)] {
		name := ""
		if len(f.vms) == 1 {
			name = names[f.vms[0]]
		}
		lines = append(lines, fmt.Sprintf("  VM %s%s: %s", someIDs(f.vms, namedVMs), name, f.text))
	}
	rest := 0
	for _, f := range all[len(lines):] {
		rest += len(f.vms)
	}
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("  (%s with other reasons not shown here)", plural(rest, "more VM")))
	}
	return lines
}
