package failover

import (
	"testing"

	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

// TestStagesAreWaits: packages recovery and incident know nothing of each other, and the stages of the one stand as the
// waits of the other in the journal.
func TestStagesAreWaits(t *testing.T) {
	for stage, want := range map[recovery.Stage]incident.Wait{
		recovery.StagePassing: incident.WaitNothing, recovery.StageCleanup: incident.WaitCleanup, recovery.StageScheduler: incident.WaitScheduler,
		recovery.StageRoom: incident.WaitRoom, recovery.StageDisks: incident.WaitDisks, recovery.StageBoot: incident.WaitBoot, recovery.StageOwner: incident.WaitOwner,
	} {
		if incident.Wait(stage) != want {
			t.Errorf("stage %q is wait %q", stage, want)
		}
	}
}
