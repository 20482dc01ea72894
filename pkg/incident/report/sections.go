package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// section is a run of events of one step. A step that was worked on twice, such as after a process was killed, has two.
type section struct {
	step       incident.Step
	began, end time.Time
	events     []incident.Event
}

func (s section) took() time.Duration { return max(s.end.Sub(s.began), 0) }

// sections cuts events into runs of one step. A run lasts until the next one begins, the last one until the incident ended
// or now: a step says when it begins, and is worked on until the next says so.
func (v view) sections() []section {
	var all []section
	for _, e := range v.Events {
		if n := len(all); n > 0 && all[n-1].step == e.Step {
			all[n-1].events = append(all[n-1].events, e)
			continue
		}
		all = append(all, section{step: e.Step, began: e.At, events: []incident.Event{e}})
	}
	for i := range all {
		if i+1 < len(all) {
			all[i].end = all[i+1].began
		} else {
			all[i].end = v.end()
		}
		if last := all[i].events[len(all[i].events)-1].At; all[i].end.Before(last) {
			all[i].end = last
		}
	}
	return all
}

// fold is one line for the same event of several VMs, or one event of the host.
type fold struct {
	first, last time.Time
	level       wording.Level
	text        string // printable
	vms         []int  // nil for the host
	times       int    // how many events it stands for
	order       int
}

// folded makes one line of events that say the same about different VMs. Texts that differ only in the ID of their VM say
// the same.
func folded(events []incident.Event) []*fold {
	type key struct {
		vm    bool
		level wording.Level
		text  string
	}
	byKey := map[key]*fold{}
	var all []*fold
	for _, e := range events {
		line := text.Short(e.Text, maxLine)
		k := key{e.VM >= 0, e.Level, withoutID(line, e.VM)}
		f := byKey[k]
		if f == nil {
			f = &fold{first: e.At, level: e.Level, text: line, order: len(all)}
			byKey[k], all = f, append(all, f)
		}
		if f.text != line {
			f.text = k.text
		}
		f.last = e.At
		f.times++
		if e.VM >= 0 && !slices.Contains(f.vms[max(0, len(f.vms)-maxRepeats):], e.VM) {
			f.vms = append(f.vms, e.VM)
		}
	}
	return all
}

// maxRepeats is how far back a VM is looked for that says the same again: those that are acted on at the same time are fewer
// (--parallel is at most 12).
const maxRepeats = 64

// withoutID puts N for the ID of the VM.
func withoutID(line string, vm int) string {
	id := strconv.Itoa(vm)
	if vm < 0 || !strings.Contains(line, id) {
		return line
	}
	return numbers.ReplaceAllStringFunc(line, func(n string) string {
		if n == id {
			return "N"
		}
		return n
	})
}

// numbers are where an ID may be in a text.
var numbers = regexp.MustCompile(`\d+`)

// severity orders levels, the worst first.
func severity(level wording.Level) int {
	return place([]wording.Level{wording.Problem, wording.Warning}, level)
}

// isBad reports whether an event is a warning or a problem.
func isBad(e incident.Event) bool { return severity(e.Level) < severity("") }
