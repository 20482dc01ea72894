package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
)

// How much of the ways is shown in lines for a terminal.
const (
	maxWays  = 8   // ways by themselves; behind them those with the same states share a line
	maxFolds = 4   // such lines, before the rest is counted
	maxLegs  = 8   // states of one; a recovery has six
	wayWidth = 118 // characters of a line: most ways fit into one
	maxHosts = 20  // characters of the hosts at its end
	maxIDs   = 26  // characters of the IDs in front of a way
)

// wayLines are the ways of the VMs, a line for those that went the same one.
func wayLines(r incident.Record, now time.Time) []string {
	shown, rest := firstWays(ways(r, now), maxWays)
	wide := 0
	for _, w := range shown {
		wide = max(wide, utf8.RuneCountInString(w.name(maxIDs)))
	}
	var lines []string
	for _, w := range shown {
		name := w.name(maxIDs)
		name += strings.Repeat(" ", wide-utf8.RuneCountInString(name))
		for _, part := range wrapped(w.words(), wayWidth-wide-4) {
			lines = append(lines, "  "+name+"  "+part)
			name = strings.Repeat(" ", wide)
		}
	}
	if more := moreWays(rest); more != "" {
		lines = append(lines, "  ("+more+")")
	}
	return lines
}

// firstWays are the first ones as they are, those behind them folded, and what is left of these.
func firstWays(all []way, most int) (shown, rest []way) {
	if len(all) <= most+1 {
		return all, nil
	}
	folds := foldWays(all[most:])
	n := min(len(folds), maxFolds)
	return append(slices.Clone(all[:most]), folds[:n]...), folds[n:]
}

// name is the VMs of a way, such as VM 7, 9-12, in at most so many characters.
func (w way) name(most int) string { return "VM " + ranges(w.ids(), most-len("VM ")) }

// words are the states of a way with how long each took, and where it ends. States in the middle of a long
// one are counted.
func (w way) words() []string {
	var words []string
	for i, l := range w.legs {
		if cut := len(w.legs) - maxLegs; cut > 0 && i >= maxLegs/2 && i < maxLegs/2+cut {
			if i == maxLegs/2 {
				words = append(words, fmt.Sprintf("(%d more)", cut))
			}
			continue
		}
		state := l.state
		if waits := l.waiting(); waits != "" {
			state += " (" + waits + ")"
		}
		switch {
		case i+1 < len(w.legs):
			state += " " + between(l.least, l.most)
		case w.arrived:
			state += w.where()
			if l.phase == phaseUnproven {
				state += " (UNPROVEN)"
			}
		default:
			state = fmt.Sprintf("still %s%s after %s", state, w.where(), between(l.least, l.most))
		}
		words = append(words, state)
	}
	return words
}

// where names the hosts on which a way ends.
func (w way) where() string {
	hosts := slices.Compact(slices.Sorted(slices.Values(w.hosts)))
	switch len(hosts) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" on host %d", hosts[0])
	}
	return " on hosts " + ranges(hosts, maxHosts)
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

// moreWays counts the VMs whose ways are not shown; "" for none.
func moreWays(rest []way) string {
	if len(rest) == 0 {
		return ""
	}
	var there, under int
	var least, most time.Duration
	for _, w := range rest {
		if !w.arrived {
			under += len(w.vms)
			continue
		}
		if there == 0 || w.took() < least {
			least = w.took()
		}
		most = max(most, w.took())
		there += len(w.vms)
	}
	var parts []string
	if under > 0 {
		parts = append(parts, fmt.Sprintf("%d on their way", under))
	}
	if there > 0 {
		parts = append(parts, fmt.Sprintf("%d arrived after %s", there, between(least, most)))
	}
	return fmt.Sprintf("%s not shown here: %s", plural(there+under, "more VM"), strings.Join(parts, ", "))
}

// between are two durations, or one when they are shown alike.
func between(least, most time.Duration) string {
	if took(least) == took(most) {
		return took(most)
	}
	return took(least) + " to " + took(most)
}

// ranges are IDs in at most so many characters, such as 7, 9-12 and 31 more.
func ranges(ids []int, most int) string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	text := ""
	for i := 0; i < len(ids); {
		next := i + 1
		for next < len(ids) && ids[next] == ids[next-1]+1 {
			next++
		}
		part := strconv.Itoa(ids[i])
		switch {
		case next-i > 2:
			part += "-" + strconv.Itoa(ids[next-1])
		default:
			next = i + 1
		}
		if i > 0 {
			part = ", " + part
		}
		more := ""
		if next < len(ids) {
			more = fmt.Sprintf(" and %d more", len(ids)-next)
		}
		if i > 0 && len(text)+len(part)+len(more) > most {
			return fmt.Sprintf("%s and %d more", text, len(ids)-i)
		}
		text, i = text+part, next
	}
	return text
}
