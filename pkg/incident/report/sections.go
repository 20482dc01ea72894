package report

import (
	"cmp"
	"math"
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
	return numbers().ReplaceAllStringFunc(line, func(n string) string {
		if n == id {
			return "N"
		}
		return n
	})
}

// numbers are where an ID may be in a text.
var numbers = text.Pattern(`\d+`)

// severity orders levels, the worst first.
func severity(level wording.Level) int {
	return place([]wording.Level{wording.Problem, wording.Warning}, level)
}

// isBad reports whether an event is a warning or a problem.
func isBad(e incident.Event) bool { return severity(e.Level) < severity("") }

// maxStages is more than the stages that there are; it bounds a damaged record.
const maxStages = 12

// stages compares what was expected with what happened; without rows for an incident without a forecast. The times of the VM
// that took the longest count.
func (v view) stages(ways []way) table {
	t := table{
		Title: "Expected and actual times", Caption: "no VM was seen on its way", Class: "steps",
		Columns: []column{{"Stage", short}, {"Expected", short}, {"Took", prose}},
	}
	var slowest *way
	if len(ways) > 0 {
		w := slices.MaxFunc(ways, func(a, b way) int { return cmp.Compare(a.took(), b.took()) })
		slowest = &w
		t.Caption = "clean-up to boot are those of " + w.name(maxName) + ", the slowest"
	}
	for _, s := range v.Forecast[:min(len(v.Forecast), maxStages)] {
		t.add("", text.Short(string(s.Name), maxName), expected(s.Seconds), v.stageTook(s.Name, slowest))
	}
	return t
}

// expected is a number of seconds as a duration.
func expected(seconds float64) string {
	const most = 1e9 // 30 years; a time.Duration has ten times that
	if math.IsNaN(seconds) {
		return "not known"
	}
	return took(time.Duration(min(max(seconds, 0), most) * float64(time.Second)))
}

// stageTook is how long a stage took.
func (v view) stageTook(stage incident.StageName, slowest *way) string {
	switch stage {
	case incident.StageDetection:
		return v.detectionTook()
	case incident.StageWatch:
		return v.stepsTook(incident.StepConfirm)
	case incident.StageGuard:
		return v.stepsTook(incident.StepGuard, incident.StepOpinion)
	case incident.StageProof:
		return v.stepsTook(incident.StepFence)
	}
	if slowest == nil {
		return "not known"
	}
	return slowest.tookIn(stage)
}

// detectionTook is how long it took until oned called the host failed: nobody knows when it died, but that was after it was
// last monitored.
func (v view) detectionTook() string {
	if v.Host == nil || v.Host.Failed.IsZero() {
		return "not known"
	}
	behind := "; oned called it failed at " + v.at(v.Host.Failed)
	if v.Host.Contact.IsZero() || v.Host.Contact.After(v.Host.Failed) {
		return "not known" + behind
	}
	return "at most " + took(v.Host.Failed.Sub(v.Host.Contact)) + behind
}

// stepsTook is how long the work on some steps took.
func (v view) stepsTook(steps ...incident.Step) string {
	var total time.Duration
	found := false
	for _, s := range v.sections() {
		if slices.Contains(steps, s.step) {
			found = true
			total += s.took()
		}
	}
	if !found {
		return "not done"
	}
	return took(total)
}

// tookIn is how long a way was in a stage.
func (w way) tookIn(stage incident.StageName) string {
	var total time.Duration
	found, last := false, false
	for _, l := range w.legs {
		if last = l.phase.stage == stage; last {
			found = true
			total += l.most
		}
	}
	switch {
	case !found:
		return "none"
	case last && !w.arrived && total >= 0: // less is one that begins in the future
		return took(total) + " so far"
	}
	return took(total)
}
