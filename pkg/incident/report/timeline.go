package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
)

// How much of an incident is shown in lines, so that all of it stays under about a hundred.
const (
	maxSections = 12  // parts of the work; a normal incident has nine
	maxEvents   = 30  // lines of all parts
	fewEvents   = 2   // lines that every part gets
	maxReasons  = 8   // reasons why VMs were not handled
	namedVMs    = 8   // VMs that are named before the rest is counted
	maxWays     = 8   // ways by themselves; behind them those with the same states share a line
	wayWidth    = 118 // characters of a line: most ways fit into one
	maxIDs      = 26  // characters of the IDs in front of a way
)

// Timeline is an incident in lines for a terminal, at most about a hundred: what happened step by step, which VMs were not
// handled and why, and what is left to do. Lines are printable and have no end of line.
func Timeline(r incident.Record, now time.Time) []string {
	v := view{r, now}
	ways := v.ways()
	lines := []string{fmt.Sprintf("Incident %d: %s: %s", v.Number, v.what(), text.Short(string(v.Status), maxName))}
	for _, f := range v.facts() {
		lines = append(lines, fmt.Sprintf("  %-11s %s", f.Name+":", text.Short(f.Value, maxHead)))
	}
	stages, undone := v.stages(ways), "VMs that were not handled"
	if v.Ended == nil {
		undone = "VMs that are not finished"
	}
	for _, part := range []struct {
		title string
		lines []string
	}{
		{"What happened", v.happened()}, {"Recovery of each VM", wayLines(ways)}, {stages.Title, stageLines(stages)},
		{undone, v.unhandled()}, {"What is left to do", todoLines(v.todo())},
	} {
		if len(part.lines) > 0 {
			lines = append(append(lines, "", part.title), part.lines...)
		}
	}
	return lines
}

// happened are the parts of the work with their events.
func (v view) happened() []string {
	all := v.sections()
	if len(all) == 0 {
		return []string{"  Nothing was recorded."}
	}
	skipped := max(len(all)-maxSections, 0)
	if skipped > 0 {
		all = slices.Delete(all, maxSections/2, maxSections/2+skipped)
	}
	folds := make([][]*fold, len(all))
	for i, s := range all {
		folds[i] = folded(s.events)
	}
	var lines []string
	for i, n := range shares(folds) {
		if skipped > 0 && i == maxSections/2 {
			lines = append(lines, fmt.Sprintf("  (%s not shown here)", text.Plural(skipped, "more step")))
		}
		lines = append(lines, fmt.Sprintf("  %s: %s", text.Short(string(all[i].step), maxName), took(all[i].took())))
		for _, f := range worst(folds[i], n) {
			lines = append(lines, "    "+v.line(f))
		}
		if more := len(folds[i]) - n; more > 0 {
			lines = append(lines, fmt.Sprintf("    (%s not shown here)", text.Plural(more, "more line")))
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

// worst chooses at most n lines, in their old order: the worst, of them those that stand for most events, and of the rest
// the two biggest, which say how it went for most VMs.
func worst(all []*fold, n int) []*fold {
	if len(all) <= n {
		return all
	}
	bySize := func(a, b *fold) int { return cmp.Or(cmp.Compare(b.times, a.times), cmp.Compare(a.order, b.order)) }
	chosen := slices.SortedFunc(slices.Values(all), func(a, b *fold) int {
		return cmp.Or(cmp.Compare(severity(a.level), severity(b.level)), bySize(a, b))
	})
	biggest := min(2, n/3)
	slices.SortFunc(chosen[n-biggest:], bySize)
	chosen = chosen[:n]
	slices.SortFunc(chosen, func(a, b *fold) int { return cmp.Compare(a.order, b.order) })
	return chosen
}

// line is a fold with its times. Of several VMs it has the first and the last time.
func (v view) line(f *fold) string {
	after := since(f.first.Sub(v.Began))
	if last := since(f.last.Sub(v.Began)); last != after {
		after = strings.TrimSuffix(after, " s") + " to " + last
	}
	mark, who := "", ""
	if severity(f.level) < severity("") {
		mark = strings.ToUpper(string(f.level)) + ": "
	}
	switch {
	case len(f.vms) > 0:
		who = someVMs(f.vms) + ": "
	case f.times > 1:
		who = fmt.Sprintf("%d times: ", f.times)
	}
	return fmt.Sprintf("%s  %-14s  %s%s%s", v.clock(f.first), after, mark, who, f.text)
}

// wayLines are the ways of the VMs, a line for those that went the same one.
func wayLines(ways []way) (lines []string) {
	shown, rest := firstWays(ways, maxWays)
	wide := 0
	for _, w := range shown {
		wide = max(wide, utf8.RuneCountInString(w.name(maxIDs)))
	}
	for _, w := range shown {
		name := w.name(maxIDs)
		for _, part := range wrapped(w.words(), wayWidth-wide-4) {
			lines = append(lines, fmt.Sprintf("  %-*s  %s", wide, name, part))
			name = ""
		}
	}
	if more := moreWays(rest); more != "" {
		lines = append(lines, "  ("+more+")")
	}
	return lines
}

// wrapped joins the parts of a way into lines.
func wrapped(words []string, width int) []string {
	var lines []string
	line := ""
	for i, word := range words {
		if i+1 < len(words) {
			word += " >"
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
			lines, line = append(lines, line), "  "+word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// stageLines are the stages in columns.
func stageLines(t table) (lines []string) {
	if len(t.Rows) == 0 {
		return nil
	}
	for _, r := range slices.Insert(t.Rows, 0, row{Cells: []string{"stage", "expected", "took"}}) {
		lines = append(lines, fmt.Sprintf("  %-12s  %-12s  %s", r.Cells[0], r.Cells[1], r.Cells[2]))
	}
	return append(lines, "  ("+t.Caption+")")
}

// unhandled are those VMs with their reasons; VMs with the same reason share a line, and the reasons of most VMs come first.
func (v view) unhandled() (lines []string) {
	var events []incident.Event
	names := map[int]string{}
	for _, vm := range v.problemsFirst() {
		if !v.problem(vm) {
			continue
		}
		reason := v.told(vm)
		if vm.Detail != "" {
			reason += ": " + vm.Detail
		}
		names[vm.ID] = fmt.Sprintf(" (%s, %s)", text.Short(vm.Name, maxName), text.Short(vm.State, maxName))
		events = append(events, incident.Event{VM: max(vm.ID, 0), Text: reason})
	}
	all := folded(events)
	slices.SortStableFunc(all, func(a, b *fold) int { return len(b.vms) - len(a.vms) })
	rest := 0
	for i, f := range all {
		name := ""
		if len(f.vms) == 1 {
			name = names[f.vms[0]]
		}
		if i < maxReasons {
			lines = append(lines, fmt.Sprintf("  %s%s: %s", someVMs(f.vms), name, f.text))
		} else {
			rest += len(f.vms)
		}
	}
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("  (%s with other reasons not shown here)", text.Plural(rest, "more VM")))
	}
	return lines
}

func todoLines(items []item) (lines []string) {
	for _, item := range items {
		lines = append(lines, "  - "+item.Text)
		for _, command := range item.Commands {
			lines = append(lines, "      "+command)
		}
	}
	return lines
}
