package recovery

import (
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Turn is what has to be done about a VM on its way.
type Turn string

// The turns.
const (
	TurnWait    Turn = "wait"
	TurnCleanup Turn = "end the clean-up"
	TurnArrived Turn = "arrived"  // it is where it was to be
	TurnEnded   Turn = "ended"    // it is DONE although it was to run
	TurnAgain   Turn = "again"    // it could not be started there, and is recreated once more
	TurnFailed  Turn = "failed"   // it is in a state out of which nothing leads automatically
	TurnStuck   Turn = "stuck"    // it has waited for longer than the limit of its stage
	TurnOldHost Turn = "old host" // it "runs" where it ran before: that may be its old guest
	TurnAsk     Turn = "ask"      // oned has lost what it accepted: the VM is where and what it was
)

// Way is a VM on its way, as it was just read.
type Way struct {
	VM   one.VM
	Verb Verb
	// Failed is the ID of the failed host; -1 for a VM whose host is fine.
	Failed int
	// In is how long it has been in its state with what the scheduler says, and Asked how long ago oned was last
	// asked to end its clean-up; negative for never.
	In, Asked time.Duration
	// ByTM: its clean-up is done by the transfer driver (CleanedByTM). Again: it was recreated once more already.
	ByTM, Again bool
	// Unmoved: it is in the state, and has the last record, with which oned was asked to take it off the host.
	Unmoved bool
	// Word is what the scheduler said of it before it was recreated: that is not about today.
	Word string
	// Proven: the machine was off, so that its guests are gone. Closed: it still is, and no command of a driver can reach
	// it any more.
	Proven, Closed bool
	// Barred is how long commands to the machine have failed at once: those that wait for a thread since before that have
	// to be given the time to fail, however long the VM has been in its state.
	Barred time.Duration
}

// Limits are how long a VM may stay in a stage.
type Limits struct {
	// Cleanup is the longest time that the commands of a clean-up can be under way, and Settle the same when they fail at
	// once and no process of a driver can be seen any more: those that wait for one of its threads cannot be seen (Settle).
	Cleanup, Settle time.Duration
	// Scheduler is how long the scheduler may take to give all VMs of an outage a host.
	Scheduler time.Duration
}

// The limits that no configuration changes.
const (
	// settle is how long a VM stays in CLEANUP_RESUBMIT before its clean-up is ended: the drivers of a host that
	// fails fast need 0.3 to 0.5 s (measured on 6.10), so most end by themselves. cleanupTime is what a clean-up that
	// waited in the queue of the driver takes then: one ssh and two tm delete of 0.3 to 0.5 s on a busy machine.
	settle      = 500 * time.Millisecond
	cleanupTime = 1500 * time.Millisecond
	// askAgain is how long oned has to act on that: it took 0.2 s (measured on 6.10).
	askAgain = 5 * time.Second
	// roomLimit is how long a VM may wait with the scheduler's word that no host has room, before the operator is told.
	// Two to eight runs of the scheduler (15 to 60 s, sched.conf of 4.4 to 6.10). A choice.
	roomLimit = 2 * time.Minute
	// diskLimit and bootLimit are how long disks and a boot may take: images of a hundred GB at 100 MB/s; the
	// deploy action of a driver returns when the guest was started. Choices.
	diskLimit = 30 * time.Minute
	bootLimit = 10 * time.Minute
	// elseLimit is forevery other state: nothing is known of it. A choice.
	elseLimit = 10 * time.Minute
)

// Follow decides about a VM on its way: what it waits for, and what has to be done.
//
// A clean-up is ended only with a proof that the machine is or was off, and only when no command of it can reach the machine
// any more: one that connects after all, when the machine is switched on again, would remove the disks of the new copy from
// shared storage. When the limit of its time-outs is over none can be under way, whether the machine is back or not. Without
// a proof it may still succeed: oned cleaned 9 of 9 VMs itself of a host that came back 20 s after ERROR (measured on 6.10).
func Follow(w Way, l Limits) (Turn, wording.Wait) {
	last, _ := w.VM.Last()
	away := w.Failed < 0 || last.HostID != w.Failed
	switch {
	case w.VM.State == one.Done && (w.Verb == VerbDelete || w.Verb == VerbRetry):
		return TurnArrived, wording.WaitNothing
	case w.VM.State == one.Done:
		return TurnEnded, wording.WaitNothing
	case w.VM.Is(one.CleanupResubmit, one.CleanupDelete):
		return w.cleanup(l), wording.WaitCleanup
	case w.VM.State == one.Pending:
		return w.pending(l)
	case w.Unmoved && (w.Verb == VerbDelete || w.Verb.Starts()):
		// oned writes that the host has lost the VM before it writes the VM: one that died in between had 1 of 17 like this (6.10, live).
		return TurnAsk, wording.WaitNothing
	case w.Verb == VerbDelete:
		return within(w.In, elseLimit), wording.WaitNothing
	case w.VM.Is(one.Running) && away:
		return TurnArrived, wording.WaitNothing
	case w.VM.Is(one.Running) && w.Verb.Starts():
		return TurnOldHost, wording.WaitNothing
	case w.Verb.Moves() && away && (w.VM.State == one.Suspended || w.VM.State == one.Poweroff):
		return TurnArrived, wording.WaitNothing
	case w.VM.Is(one.PrologFailure) && away && !w.Again && w.Verb.Starts(): // nothing of it runs there
		return TurnAgain, wording.WaitNothing
	case FailedOnTheWay(w.VM):
		return TurnFailed, wording.WaitNothing
	}
	return w.onTheWay()
}

// onTheWay decides about a VM in a state between a recreate, a migration or a resume and RUNNING (VmState and LcmState in
// include/VirtualMachine.h, 4.4 to 7.4).
func (w Way) onTheWay() (Turn, wording.Wait) {
	switch {
	case w.VM.Is(one.Prolog, one.PrologResume, one.PrologUndeploy, one.PrologMigrate, one.PrologMigrateUnknown,
		one.PrologMigratePoweroff, one.PrologMigrateSuspend, one.SaveMigrate): // the transfer driver copies or makes disks; SAVE_MIGRATE writes the memory to them
		return within(w.In, diskLimit), wording.WaitDisks
	case w.VM.Is(one.Boot, one.BootUnknown, one.BootPoweroff, one.BootSuspended, one.BootStopped, one.BootUndeploy, one.BootMigrate, one.Migrate):
		return within(w.In, bootLimit), wording.WaitBoot // the driver of VMs starts or moves the guest
	case w.VM.State == one.Hold: // the scheduler places only PENDING, onevm release makes it so
		return TurnStuck, wording.WaitOwner
	}
	return within(w.In, elseLimit), wording.WaitNothing
}

// within is to wait up to a limit.
func within(in, limit time.Duration) Turn {
	if in >= limit {
		return TurnStuck
	}
	return TurnWait
}

// cleanup decides about a VM that oned cleans up.
func (w Way) cleanup(l Limits) Turn {
	over := w.In >= l.Cleanup
	switch {
	case w.Asked >= 0 && w.Asked < askAgain:
		return TurnWait
	case w.Proven && (w.Closed && !w.ByTM && min(w.In, w.Barred) >= max(l.Settle, settle) || over):
		return TurnCleanup
	case !w.Proven && over:
		return TurnStuck
	}
	return TurnWait
}

// pending decides about a VM that waits for a host.
func (w Way) pending(l Limits) (Turn, wording.Wait) {
	word := w.VM.UserTemplate["SCHED_MESSAGE"]
	if word == "" || word == w.Word || InTurn(word) {
		return within(w.In, max(l.Scheduler, roomLimit)), wording.WaitScheduler
	}
	return within(w.In, roomLimit), wording.WaitRoom
}

// Settle is how long clean-ups that fail at once may wait for a thread: so many VMs with so many threads.
func Settle(vms, threads int) time.Duration {
	rounds := (max(vms, 1) - 1) / max(threads, 1) // before the last one
	return settle + time.Duration(rounds)*cleanupTime
}

// dispatchLimit stands in what the scheduler of 5.2 to 6.10 writes about a VM for which it has hosts, but not in this run
// (Scheduler::dispatch, src/scheduler/src/sched/Scheduler.cc): "Cannot dispatch VM to any Host. Possible reasons: Not enough
// capacity in Host or System DS, dispatch limit reached, or limit of free leases reached." As shipped it starts one VM on each
// host in a run (MAX_HOST), so all but the first VMs of a failed host get it (20 of 25 on three hosts, 6.10, live). When VMs
// before it took the room, the next run says so in other words.
const dispatchLimit = "dispatch limit"

// InTurn reports whether the scheduler's word about a VM is no more than that its turn has not come.
func InTurn(word string) bool { return strings.Contains(word, dispatchLimit) }

// CleanedByTM reports whether a VM that is recreated from a status is cleaned up by the transfer driver and not by
// that of VMs (clean_up_vm, src/lcm/LifeCycleActions.cc, 4.4 to 7.4). oned takes an answer of the transfer driver that
// comes late for one about what the VM does then: the success of an old delete would boot it on disks that are
// half copied. Such a clean-up never hangs, so it is waited for.
func CleanedByTM(status string) bool {
	for _, s := range []one.LCMState{one.Prolog, one.PrologFailure, one.PrologResume, one.PrologResumeFailure, one.PrologUndeploy, one.PrologUndeployFailure,
		one.PrologMigrate, one.PrologMigrateFailure, one.PrologMigratePoweroff, one.PrologMigratePoweroffFailure, one.PrologMigrateSuspend,
		one.PrologMigrateSuspendFailure, one.PrologMigrateUnknown, one.PrologMigrateUnknownFailure, one.Epilog, one.EpilogFailure, one.EpilogStop,
		one.EpilogStopFailure, one.EpilogUndeploy, one.EpilogUndeployFailure, one.Failure, one.HotplugSaveasPoweroff, one.HotplugSaveasSuspended,
		one.HotplugPrologPoweroff, one.HotplugEpilogPoweroff, one.DiskSnapshotPoweroff, one.DiskSnapshotRevertPoweroff, one.DiskSnapshotDeletePoweroff,
		one.DiskSnapshotSuspended, one.DiskSnapshotRevertSuspended, one.DiskSnapshotDeleteSuspended, one.DiskSnapshotDelete, one.DiskResizePoweroff,
		one.BackupPoweroff, one.Restore} {
		if status == s.String() {
			return true
		}
	}
	return status == one.Failed.String()
}

// CleanupAction is the operation of one.vm.recover that ends the clean-up that a VM is in, runs no driver command and touches
// no disk; "" where it is in none.
//
// Of those that end CLEANUP_RESUBMIT (success, failure and recreate all trigger RESUBMIT: LifeCycleManager::recover and
// delete_recreate_action, src/lcm/LifeCycleActions.cc, 4.4 to 7.4; on 6.10 PENDING after 1.1 s), failure harms least when it
// comes late: PENDING refuses it, and a VM that is in PROLOG or BOOT again goes into a failure that everybody sees. Success
// would boot it without its disks there, and recreate would destroy the new copy. In CLEANUP_DELETE delete, success and failure
// all trigger DONE (LifeCycleManager::delete_action, trigger_delete in 6.10 and 7.4, and recover).
func CleanupAction(vm one.VM) one.Action {
	switch {
	case vm.Is(one.CleanupResubmit):
		return one.RecoverFailure
	case vm.Is(one.CleanupDelete):
		return one.Delete
	}
	return ""
}

// IsFailure reports whether a status is a failure out of which nothing leads automatically.
func IsFailure(status string) bool {
	return status == one.Failed.String() || strings.HasSuffix(status, "_FAILURE")
}

// FailedOnTheWay reports whether a VM is in a failure out of which nothing leads automatically.
func FailedOnTheWay(vm one.VM) bool { return IsFailure(vm.Status()) }
