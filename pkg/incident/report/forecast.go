package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"one-ft/pkg/incident"
)

// stageRow is a part of the downtime: what it was expected to take beside what it took.
type stageRow struct{ Stage, Expected, Took string }

// maxStages is more than the stages that there are; it bounds a damaged record.
const maxStages = 12

// forecast compares what was expected with what happened; nil for an incident without a forecast.
// slowest names the VM that took the longest: its times count.
func forecast(r incident.Record, now time.Time) (rows []stageRow, slowest string) {
	if len(r.Forecast) == 0 {
		return nil, ""
	}
	all := ways(r, now)
	slices.SortStableFunc(all, func(a, b way) int { return cmp.Compare(b.took(), a.took()) })
	if len(all) > 0 {
		slowest = all[0].name(maxName)
	}
	for _, s := range r.Forecast[:min(len(r.Forecast), maxStages)] {
		rows = append(rows, stageRow{short(string(s.Name), maxName), expected(s.Seconds), stageTook(r, now, s.Name, all)})
	}
	return rows, slowest
}

// expected is a number of seconds for people.
func expected(seconds float64) string {
	const most = 1e9 // 30 years; a time.Duration has ten times that
	if math.IsNaN(seconds) {
		return "not known"
	}
	return took(time.Duration(min(max(seconds, 0), most) * float64(time.Second)))
}

// stageSteps are the steps in which the stages before the plan are worked on.
var stageSteps = map[incident.StageName][]incident.Step{
	incident.StageWatch: {incident.StepConfirm},
	incident.StageGuard: {incident.StepGuard, incident.StepOpinion},
	incident.StageProof: {incident.StepFence},
}

// stageTook is how long a stage took.
func stageTook(r incident.Record, now time.Time, stage incident.StageName, slowest []way) string {
	if stage == incident.StageDetection {
		return detectionTook(r, now)
	}
	if steps, isStep := stageSteps[stage]; isStep {
		return tookInSteps(r, now, steps)
	}
	if len(slowest) == 0 {
		return "not known"
	}
	return slowest[0].tookIn(stage)
}

// detectionTook is how long it took until oned called the host failed: nobody knows when it died, but that was after it was last
// monitored.
func detectionTook(r incident.Record, now time.Time) string {
	if r.Host == nil || r.Host.Failed.IsZero() {
		return "not known"
	}
	text := "; oned called it failed at " + r.Host.Failed.In(now.Location()).Format(dateAndTime)
	if r.Host.Contact.IsZero() || r.Host.Contact.After(r.Host.Failed) {
		return "not known" + text
	}
	return "at most " + took(r.Host.Failed.Sub(r.Host.Contact)) + text
}

// tookInSteps is how long the work on some steps took.
func tookInSteps(r incident.Record, now time.Time, steps []incident.Step) string {
	var total time.Duration
	found := false
	for _, s := range sections(r, now) {
		if slices.Contains(steps, s.step) {
			found = true
			total += max(s.end.Sub(s.began), 0)
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
		if last = l.phase.row().stage == stage; last {
			found = true
			total += l.most
		}
	}
	switch {
	case !found:
		return "none"
	case last && !w.arrived:
		return took(total) + " so far"
	}
	return took(total)
}

// forecastLines are the stages in columns.
func forecastLines(r incident.Record, now time.Time) []string {
	rows, slowest := forecast(r, now)
	if len(rows) == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("  %-12s  %-12s  %s", "stage", "expected", "took")}
	for _, s := range rows {
		lines = append(lines, fmt.Sprintf("  %-12s  %-12s  %s", s.Stage, s.Expected, s.Took))
	}
	if slowest != "" {
		lines = append(lines, "  (clean-up to boot are those of "+slowest+", the slowest)")
	}
	return lines
}
