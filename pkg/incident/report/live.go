package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// shownEnded is how long an incident that has ended is shown by Live, so that whoever watches sees how it ended.
const shownEnded = 10 * time.Minute

// Live is what goes on now, from the journal alone: for each incident that is open, and that ended a moment ago, what is done and
// until when, what it waits for, and its VMs by state. The lines are printable and have times of day only: they change when
// something happens.
func Live(records []incident.Record, now time.Time) (lines []string) {
	for _, r := range records {
		v := view{r, now}
		switch {
		case r.Status.Unfinished():
			lines = append(lines, v.doing())
			lines = append(lines, v.states()...)
		case r.Ended != nil && now.Sub(*r.Ended) < shownEnded:
			lines = append(lines, fmt.Sprintf("incident %d: %s: %s since %s: %s", r.Number, v.what(), r.Status, v.sinceWhen(*r.Ended), text.Short(v.summary(), maxHead)))
		}
	}
	return lines
}

// doing is what an open incident does, since when, and until when at most.
func (v view) doing() string {
	line := fmt.Sprintf("incident %d: %s: ", v.Number, v.what())
	s := v.Stands()
	step, since := v.step()
	switch until, bounded := v.until(step, since); {
	case v.Status == incident.Following:
		return line + "its VMs are followed until they run"
	case s.Holds():
		line += s.Message(since).String() // as it was then: it does not count down
		if !s.Until.IsZero() {
			line += ", until " + v.clock(s.Until)
		}
	case step == incident.StepTold:
		line += "it has begun"
	case step == incident.StepEnd: // how it ended before is the last that is known
		line += "it has begun again"
	case bounded:
		line += fmt.Sprintf("%s since %s, until %s at most", stepWords(step), v.sinceWhen(since), v.clock(until))
	default:
		line += fmt.Sprintf("%s since %s", stepWords(step), v.sinceWhen(since))
	}
	return line
}

// step is the part of the work at hand, and when it began.
func (v view) step() (step incident.Step, since time.Time) {
	step, since = incident.StepTold, v.Began
	for i := len(v.Events) - 1; i >= 0; i-- {
		e := v.Events[i]
		if i == len(v.Events)-1 {
			step = e.Step
		}
		if e.Step != step {
			break
		}
		since = e.At
	}
	return step, since
}

// until is when a step that began then is over at most, by what was expected.
func (v view) until(step incident.Step, since time.Time) (at time.Time, bounded bool) {
	name := map[incident.Step]incident.StageName{incident.StepConfirm: incident.StageWatch, incident.StepFence: incident.StageProof}[step]
	for _, s := range v.Forecast {
		if s.Name == name && name != "" && s.Seconds > 0 {
			return since.Add(incident.Duration(s.Seconds)), true
		}
	}
	return at, false
}

// stepWords are the words for a step.
func stepWords(step incident.Step) string {
	kinds := map[incident.Step]wording.Kind{
		incident.StepConfirm: wording.StepConfirm, incident.StepGuard: wording.StepGuard, incident.StepOpinion: wording.StepOpinion, incident.StepFence: wording.StepFence,
		incident.StepPlan: wording.StepPlan, incident.StepAct: wording.StepAct, incident.StepVerify: wording.StepVerify,
	}
	if kind, known := kinds[step]; known {
		return wording.Of(kind).String()
	}
	return text.Short(string(step), maxName)
}

// states are the VMs of an incident, those that wait for the same in one line, the most first.
func (v view) states() (lines []string) {
	number := map[string]int{}
	for _, vm := range v.VMs {
		state := text.Short(vm.State, maxName)
		hop, moved := lastHop(vm)
		if moved {
			state = text.Short(hop.State, maxName)
		}
		switch {
		case vm.Result != "" && vm.Result != resultStarting:
			state = v.result(vm)
		case moved && hop.Waits != wording.WaitNothing:
			state += ", waits for " + text.Short(string(hop.Waits), maxName)
		}
		number[state]++
	}
	states := slices.SortedFunc(maps.Keys(number), func(a, b string) int { return cmp.Or(number[b]-number[a], strings.Compare(a, b)) })
	for _, state := range states[:min(len(states), maxResults)] {
		lines = append(lines, fmt.Sprintf("  %s: %s", text.Plural(number[state], "VM"), state))
	}
	return lines
}
