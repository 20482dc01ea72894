package report

import (
	"slices"
	"strings"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// phase is what a state on the way of a VM is a part of: how it is drawn, and which stage of the forecast it belongs to.
type phase struct {
	class string // of the style
	key   string // in the key of the drawing
	wait  wording.Wait
	waits string // for what, in words
	usual string // states that begin so say it themselves
	stage incident.StageName
	// high is how high its bar is: those of waiting are the highest, so that paper without colors tells them from the rest.
	high int
}

// The phases that no state is waited for in, and all of them in the order of the key.
var (
	phaseBefore   = phase{class: "before", key: "other state", high: 8}
	phaseFailed   = phase{class: "failed", key: "failed", high: 18}
	phaseUnproven = phase{class: "unproven", key: "arrived, UNPROVEN", high: 6}
	phaseArrived  = phase{class: "arrived", key: "arrived", high: 6}

	phases = []phase{
		phaseBefore,
		{"cleanup", "clean-up", wording.WaitCleanup, "waits for clean-up", "CLEANUP_", incident.StageCleanup, 18},
		{"scheduler", "scheduler", wording.WaitScheduler, "waits for the scheduler", "PENDING", incident.StageScheduler, 18},
		{"room", "no room", wording.WaitRoom, "no room", "", incident.StageScheduler, 18},
		{"owner", "on hold", wording.WaitOwner, "waits for its owner", "HOLD", incident.StageScheduler, 18},
		{"disks", "disks", wording.WaitDisks, "waits for its disks", "PROLOG", incident.StageProlog, 18},
		{"boot", "boot", wording.WaitBoot, "waits for boot", "BOOT", incident.StageBoot, 18},
		phaseFailed, phaseUnproven, phaseArrived,
	}
)

// stateRunning is the state of a VM that runs, as oned names it.
const stateRunning = "RUNNING"

// phaseOf is the phase of a state that is not the last: by what is waited for, else by the state, as oned names it in all
// releases.
func phaseOf(hop incident.Hop) phase {
	if failedState(hop.State) {
		return phaseFailed
	}
	if p, is := phaseOfWait(hop.Waits); is {
		return p
	}
	if i := slices.IndexFunc(phases, func(p phase) bool { return p.saidBy(hop.State) }); i >= 0 {
		return phases[i]
	}
	return phaseBefore
}

// phaseOfWait is the phase in which something is waited for.
func phaseOfWait(wait wording.Wait) (phase, bool) {
	i := slices.IndexFunc(phases, func(p phase) bool { return p.wait == wait })
	return phases[max(i, 0)], i >= 0 && wait != wording.WaitNothing
}

// saidBy reports whether a state says itself what is waited for.
func (p phase) saidBy(state string) bool { return p.usual != "" && strings.HasPrefix(state, p.usual) }

// failedState is true for BOOT_FAILURE and its like, and for FAILED of 4.x.
func failedState(state string) bool {
	return strings.HasSuffix(state, "_FAILURE") || state == "FAILED"
}

// waiting is what a leg waits for, in words; "" where its state says it.
func (l leg) waiting() string {
	p, known := phaseOfWait(l.waits)
	switch {
	case l.waits == wording.WaitNothing, l.phase == phaseFailed, known && p.saidBy(l.state):
		return ""
	case known:
		return p.waits
	}
	return "waits for " + text.Short(string(l.waits), maxName)
}
