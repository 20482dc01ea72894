package wording

// Wait is what a VM waits for in a state on its way from the failed host to where it runs again. The values are stable:
// they stand in the journal.
type Wait string

// What is waited for.
const (
	WaitNothing   Wait = ""          // it has arrived, or is only passed through
	WaitCleanup   Wait = "clean-up"  // oned cleans up on the failed host
	WaitScheduler Wait = "scheduler" // which has not said anything since
	WaitRoom      Wait = "room"      // the scheduler says that no host has room
	WaitDisks     Wait = "disks"     // they are copied or made
	WaitBoot      Wait = "boot"
	WaitOwner     Wait = "owner" // it was put on hold
)
