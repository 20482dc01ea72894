package report

import (
	"slices"
	"strings"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// phase is what a state on the way of a VM is a part of: how it is drawn, and which stage of the
// forecast it belongs to.
type phase string

// The phases in the order of the key. They are classes of the style, too.
const (
	phaseBefore    phase = "before"
	phaseCleanup   phase = "cleanup"
	phaseScheduler phase = "scheduler"
	phaseRoom      phase = "room"
	phaseOwner     phase = "owner"
	phaseDisks     phase = "disks"
	phaseBoot      phase = "boot"
	phaseFailed    phase = "failed"
	phaseUnproven  phase = "unproven"
	phaseArrived   phase = "arrived"
)

// phaseRow is what a phase means.
type phaseRow struct {
	phase phase
	key   string // in the key of the drawing
	wait  wording.Wait
	waits string // for what
	usual string // states that begin so say it themselves
	stage incident.StageName
	// high is how high its bar is: those of waiting are the highest, so that paper without
	// colors tells them from the rest.
	high int
}

var phases = []phaseRow{
	{phaseBefore, "other state", wording.WaitNothing, "", "", "", 8},
	{phaseCleanup, "clean-up", wording.WaitCleanup, "clean-up", "CLEANUP_", incident.StageCleanup, 18},
	{phaseScheduler, "scheduler", wording.WaitScheduler, "the scheduler", "PENDING", incident.StageScheduler, 18},
	{phaseRoom, "no room", wording.WaitRoom, "room", "", incident.StageScheduler, 18},
	{phaseOwner, "on hold", wording.WaitOwner, "its owner", "HOLD", incident.StageScheduler, 18},
	{phaseDisks, "disks", wording.WaitDisks, "its disks", "PROLOG", incident.StageProlog, 18},
	{phaseBoot, "boot", wording.WaitBoot, "boot", "BOOT", incident.StageBoot, 18},
	{phaseFailed, "failed", wording.WaitNothing, "", "", "", 18},
	{phaseUnproven, "arrived, UNPROVEN", wording.WaitNothing, "", "", "", 6},
	{phaseArrived, "arrived", wording.WaitNothing, "", "", "", 6},
}

// stateRunning is the state of a VM that runs, as oned names it.
const stateRunning = "RUNNING"

// row is what a phase means; the phase is one of the constants.
func (p phase) row() phaseRow {
	return phases[max(0, slices.IndexFunc(phases, func(r phaseRow) bool { return r.phase == p }))]
}

// phaseOf is the phase of a state that is not the last: by what is waited for, else by the state,
// as oned names it in all releases.
func phaseOf(hop incident.Hop) phase {
	if failedState(hop.State) {
		return phaseFailed
	}
	for _, p := range phases {
		if p.wait != wording.WaitNothing && p.wait == hop.Waits {
			return p.phase
		}
	}
	for _, p := range phases {
		if p.usual != "" && strings.HasPrefix(hop.State, p.usual) {
			return p.phase
		}
	}
	return phaseBefore
}

// failedState is true for BOOT_FAILURE and its like, and for FAILED of 4.x.
func failedState(state string) bool {
	return strings.HasSuffix(state, "_FAILURE") || state == "FAILED"
}

// waiting is what a leg waits for, in words; "" where its state says it.
func (l leg) waiting() string {
	if l.waits == wording.WaitNothing || l.phase == phaseFailed {
		return ""
	}
	if i := slices.IndexFunc(phases, func(p phaseRow) bool { return p.wait == l.waits }); i >= 0 {
		switch p := phases[i]; {
		case p.usual != "" && strings.HasPrefix(l.state, p.usual):
			return ""
		case p.phase == phaseRoom:
			return p.key
		default:
			return "waits for " + p.waits
		}
	}
	return "waits for " + text.Short(string(l.waits), maxName)
}
