package coordinator

import (
	"fmt"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/pause"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// PausedNow says why nothing is acted on now; the zero Message when nothing is paused. A file that cannot be read pauses nothing,
// which oneft check says.
func PausedNow(s app.Session) wording.Message {
	now, _ := pause.Read(statedir.Dir(s.StateDir))
	return now.Message(time.Now())
}

// Left is the answer to an operator, or a script that waits, who asks for something while one-ft is paused, and did not say that
// it is meant all the same: nothing is begun. A hook goes on: its event is recorded, people are notified, and it may outlast the pause.
func Left(s app.Session, q incident.Request) (failover.Report, bool) {
	why := PausedNow(s)
	switch {
	case why.IsZero() || q.DuringPause:
		return failover.Report{}, false
	case s.DryRun: // whose report says it
		return failover.Report{}, false
	case !s.Attended:
		s.Log.VM(wording.Warning, -1, why)
		return failover.Report{}, false
	}
	return failover.NotBegun(fmt.Sprintf("%s %d", q.Kind, q.ID), wording.Of(wording.PausedByHand, why)), true
}
