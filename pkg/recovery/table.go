package recovery

import (
	"slices"
	"sync"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// verbByEnd is decided by which end of a migration died.
const verbByEnd Verb = "by which end died"

// cell is what one mode does with the VMs of a row.
type cell struct {
	verb      Verb
	reason    wording.Kind
	unhandled bool
}

// row is one line of the per-state table.
type row struct {
	name   string
	active []one.LCMState // LCM states, for ACTIVE VMs
	states []one.VMState  // other states
	// idle rows hold VMs without a running guest, or that are to have none, which an admin includes with y. asked: what their
	// owners had asked for counts also when a driver has given up and they are RUNNING or UNKNOWN again. guest: it ran.
	idle, asked, guest        bool
	recreate, delete, migrate cell
	source                    string // where the row comes from
}

// cell gives the cell of a mode.
func (r row) cell(m Mode) cell {
	switch m {
	case Recreate:
		return r.recreate
	case Delete:
		return r.delete
	default:
		return r.migrate
	}
}

// table is the per-state table of host_error, made once: each VM is looked up in it several times. A state in no row is ACTIVE with a
// guest and belongs to the last row.
var table = sync.OnceValue(newTable)

func newTable() []row {
	yes := func(v Verb, reason wording.Kind) cell { return cell{verb: v, reason: reason} }
	stays := func(reason wording.Kind) cell { return cell{verb: VerbLeave, reason: reason} }
	report := func(reason wording.Kind) cell { return cell{verb: VerbLeave, reason: reason, unhandled: true} }
	stuck := report(wording.CannotMoveNow)
	recreate, remove := yes(VerbRecreate, ""), yes(VerbDelete, "")
	gone := stays(wording.NotOnHost)
	already := cell{verb: VerbAlready, reason: wording.PlacedAgain}
	return []row{
		{
			name:   "being placed again",
			active: []one.LCMState{one.CleanupResubmit}, states: []one.VMState{one.Pending},
			recreate: already, delete: already, migrate: already,
			source: "opennebula.md: after recreate; the last record still names the dead host",
		},
		{
			name:     "not on a host",
			active:   []one.LCMState{one.DiskResizeUndeployed, one.HotplugSaveasUndeployed, one.HotplugSaveasStopped},
			states:   []one.VMState{one.Init, one.Hold, one.Stopped, one.Undeployed, one.Done, one.Failed, one.Cloning, one.CloningFailure},
			recreate: gone, delete: gone, migrate: gone,
			source: "opennebula.md: one.host.info VMS",
		},
		{
			name: "suspended or off",
			active: []one.LCMState{
				one.HotplugSaveasPoweroff, one.HotplugSaveasSuspended, one.HotplugPrologPoweroff, one.HotplugEpilogPoweroff,
				one.DiskSnapshotPoweroff, one.DiskSnapshotRevertPoweroff, one.DiskSnapshotDeletePoweroff,
				one.DiskSnapshotSuspended, one.DiskSnapshotRevertSuspended, one.DiskSnapshotDeleteSuspended,
				one.DiskResizePoweroff, one.HotplugNicPoweroff, one.BackupPoweroff, one.Restore,
			},
			idle:     true,
			recreate: recreate, delete: remove, migrate: stuck,
			source: "src/lcm/LifeCycleActions.cc clean_up_vm, 6.10: recreate and delete take every ACTIVE state",
		},
		{
			name:   "suspended or off, nothing under way",
			states: []one.VMState{one.Suspended, one.Poweroff}, idle: true,
			recreate: recreate, delete: remove, migrate: yes(VerbResched, ""),
			source: "matrix: SUSPENDED, POWEROFF with the host in error",
		},
		{
			name: "being started here",
			active: []one.LCMState{one.LCMInit, one.Prolog, one.PrologResume, one.PrologUndeploy, one.Boot, one.BootUnknown, one.BootPoweroff,
				one.BootSuspended, one.BootStopped, one.BootUndeploy, one.BootMigrate},
			recreate: recreate, delete: remove, migrate: stuck,
			source: "matrix: BOOT, PROLOG: resched refused, recreate accepted",
		},
		{
			name: "could not be started here",
			active: []one.LCMState{one.BootFailure, one.BootMigrateFailure, one.BootUndeployFailure, one.BootStoppedFailure,
				one.PrologFailure, one.PrologResumeFailure, one.PrologUndeployFailure, one.Failure},
			recreate: recreate, delete: remove, migrate: stuck,
			source: "matrix: BOOT_FAILURE, PROLOG_FAILURE: resched refused, recreate accepted",
		},
		{
			name:     "being ended by its owner",
			asked:    true,
			active:   []one.LCMState{one.Shutdown, one.Cancel, one.Epilog, one.EpilogFailure, one.CleanupDelete},
			recreate: yes(VerbDelete, wording.OwnerEnding), delete: remove,
			migrate: report(wording.BeingEnded),
			source:  "matrix: SHUTDOWN: resched refused, delete accepted; upstream's script brings such VMs back to life",
		},
		{
			name: "migrating",
			active: []one.LCMState{one.Migrate, one.SaveMigrate, one.PrologMigrate, one.PrologMigrateFailure,
				one.PrologMigratePoweroff, one.PrologMigratePoweroffFailure, one.PrologMigrateSuspend, one.PrologMigrateSuspendFailure,
				one.PrologMigrateUnknown, one.PrologMigrateUnknownFailure},
			recreate: cell{verb: verbByEnd}, delete: remove, migrate: stuck,
			source: "matrix: MIGRATE; src/lcm/LifeCycleStates.cc trigger_prolog_failure, trigger_deploy_failure",
		},
		{
			name: "moving to a stop on this host", // recreating it would take its disks, and start what is not to run
			idle: true, asked: true,
			active:   []one.LCMState{one.SaveStop, one.SaveSuspend, one.ShutdownPoweroff, one.ShutdownUndeploy, one.EpilogStop, one.EpilogUndeploy, one.EpilogStopFailure, one.EpilogUndeployFailure},
			recreate: recreate, delete: remove, migrate: stuck,
			source: "matrix: SAVE_SUSPEND: resched refused, recreate accepted",
		},
		{
			name:  "an operation on a running guest",
			guest: true,
			active: []one.LCMState{one.Hotplug, one.HotplugSnapshot, one.HotplugNic, one.HotplugSaveas, one.HotplugResize,
				one.DiskSnapshot, one.DiskSnapshotRevert, one.DiskSnapshotDelete, one.DiskResize, one.Backup},
			recreate: recreate, delete: remove, migrate: stuck,
			source: "DispatchManagerActions.cc resched: only RUNNING, UNKNOWN and, since 5.10, POWEROFF",
		},
		{
			name:     "running",
			guest:    true,
			active:   []one.LCMState{one.Running, one.Unknown},
			recreate: recreate, delete: remove, migrate: yes(VerbResched, ""),
			source: "matrix: RUNNING, UNKNOWN with the host in error",
		},
	}
}

// rowFor finds the row of a VM. A state that no version up to 7.4 has counts as
// an operation on a running guest: recreate and delete take every ACTIVE state.
func rowFor(vm one.VM) row {
	rows := table()
	i := slices.IndexFunc(rows, func(r row) bool { return slices.Contains(r.states, vm.State) || vm.Is(r.active...) })
	if i < 0 && vm.State == one.Active {
		i = slices.IndexFunc(rows, func(r row) bool { return r.name == "an operation on a running guest" })
	}
	if i >= 0 {
		return rows[i]
	}
	report := cell{VerbLeave, wording.StateUnknown, true}
	return row{name: "unknown state", recreate: report, delete: report, migrate: report}
}
