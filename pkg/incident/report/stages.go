package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
)

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
	case last && !w.arrived:
		return took(total) + " so far"
	}
	return took(total)
}
