package one

import (
	"strconv"
	"strings"
	"testing"
)

// vmStates and lcmStates are the enumerators of include/VirtualMachine.h, merged from
// 4.4.1 (which has FAILED, CANCEL and FAILURE) and 7.4.0, by number; two
// of DISK_SNAPSHOT_REVERT are only in between.
const vmStates = `INIT PENDING HOLD ACTIVE STOPPED SUSPENDED DONE FAILED POWEROFF UNDEPLOYED CLONING CLONING_FAILURE`

const lcmStates = `LCM_INIT PROLOG BOOT RUNNING MIGRATE SAVE_STOP SAVE_SUSPEND SAVE_MIGRATE PROLOG_MIGRATE PROLOG_RESUME
EPILOG_STOP EPILOG SHUTDOWN CANCEL FAILURE CLEANUP_RESUBMIT UNKNOWN HOTPLUG SHUTDOWN_POWEROFF BOOT_UNKNOWN
BOOT_POWEROFF BOOT_SUSPENDED BOOT_STOPPED CLEANUP_DELETE HOTPLUG_SNAPSHOT HOTPLUG_NIC HOTPLUG_SAVEAS
HOTPLUG_SAVEAS_POWEROFF HOTPLUG_SAVEAS_SUSPENDED SHUTDOWN_UNDEPLOY
EPILOG_UNDEPLOY PROLOG_UNDEPLOY BOOT_UNDEPLOY HOTPLUG_PROLOG_POWEROFF HOTPLUG_EPILOG_POWEROFF BOOT_MIGRATE
BOOT_FAILURE BOOT_MIGRATE_FAILURE PROLOG_MIGRATE_FAILURE PROLOG_FAILURE
EPILOG_FAILURE EPILOG_STOP_FAILURE EPILOG_UNDEPLOY_FAILURE PROLOG_MIGRATE_POWEROFF
PROLOG_MIGRATE_POWEROFF_FAILURE PROLOG_MIGRATE_SUSPEND PROLOG_MIGRATE_SUSPEND_FAILURE
BOOT_UNDEPLOY_FAILURE BOOT_STOPPED_FAILURE PROLOG_RESUME_FAILURE
PROLOG_UNDEPLOY_FAILURE DISK_SNAPSHOT_POWEROFF DISK_SNAPSHOT_REVERT_POWEROFF DISK_SNAPSHOT_DELETE_POWEROFF
DISK_SNAPSHOT_SUSPENDED DISK_SNAPSHOT_REVERT_SUSPENDED DISK_SNAPSHOT_DELETE_SUSPENDED DISK_SNAPSHOT
DISK_SNAPSHOT_REVERT DISK_SNAPSHOT_DELETE
PROLOG_MIGRATE_UNKNOWN PROLOG_MIGRATE_UNKNOWN_FAILURE DISK_RESIZE DISK_RESIZE_POWEROFF DISK_RESIZE_UNDEPLOYED
HOTPLUG_NIC_POWEROFF HOTPLUG_RESIZE HOTPLUG_SAVEAS_UNDEPLOYED HOTPLUG_SAVEAS_STOPPED BACKUP
BACKUP_POWEROFF RESTORE`

// hostStates is HOST_STATES of src/oca/ruby/opennebula/host.rb, 4.4 and 7.4.
const hostStates = `INIT MONITORING_MONITORED MONITORED ERROR DISABLED MONITORING_ERROR MONITORING_INIT MONITORING_DISABLED OFFLINE`

func TestStateNames(t *testing.T) {
	check := func(list, unknown string, name func(int) string) {
		t.Helper()
		names := strings.Fields(list)
		for i, want := range names {
			if got := name(i); got != want {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		for _, n := range []int{-1, len(names), 1 << 20} {
			if got := name(n); got != unknown+strconv.Itoa(n) {
				t.Errorf("%d: %s", n, got)
			}
		}
	}
	check(vmStates, "STATE_", func(i int) string { return VMState(i).String() })
	check(lcmStates, "LCM_STATE_", func(i int) string { return LCMState(i).String() })
	check(hostStates, "STATE_", func(i int) string { return HostState(i).String() })
}

// TestStateNumbers ties the constants to the numbers of include/VirtualMachine.h: the
// names above would not show two constants that changed places.
func TestStateNumbers(t *testing.T) {
	for name, s := range map[string]interface{ String() string }{
		"RUNNING": Running, "UNKNOWN": Unknown, "CLEANUP_RESUBMIT": CleanupResubmit, "CLEANUP_DELETE": CleanupDelete, "BOOT_FAILURE": BootFailure,
		"PROLOG_FAILURE": PrologFailure, "EPILOG_FAILURE": EpilogFailure, "PROLOG_MIGRATE_UNKNOWN": PrologMigrateUnknown, "RESTORE": Restore,
		"BACKUP": Backup, "DISK_RESIZE": DiskResize, "HOTPLUG_RESIZE": HotplugResize, "FAILURE": Failure, "CANCEL": Cancel, "MIGRATE": Migrate,
		"SAVE_MIGRATE": SaveMigrate, "PROLOG_MIGRATE": PrologMigrate, "BOOT_MIGRATE": BootMigrate, "BOOT_UNKNOWN": BootUnknown,
		"BOOT_POWEROFF": BootPoweroff, "BOOT_SUSPENDED": BootSuspended, "SHUTDOWN": Shutdown, "EPILOG": Epilog, "HOTPLUG_SAVEAS_STOPPED": HotplugSaveasStopped,
		"DISK_SNAPSHOT_DELETE": DiskSnapshotDelete, "PROLOG_UNDEPLOY_FAILURE": PrologUndeployFailure, "SUSPENDED": Suspended, "POWEROFF": Poweroff,
		"STOPPED": Stopped, "UNDEPLOYED": Undeployed, "DONE": Done, "FAILED": Failed, "CLONING_FAILURE": CloningFailure, "ACTIVE": Active,
		"ERROR": HostError, "MONITORING_ERROR": HostMonitoringError, "OFFLINE": HostOffline,
	} {
		if s.String() != name {
			t.Errorf("%s is %s", name, s)
		}
	}
}

func TestHostStates(t *testing.T) {
	for i := range 10 {
		s := HostState(i)
		want := map[int][4]bool{0: {3: true}, 6: {3: true}, 1: {1: true}, 2: {1: true}, 3: {0: true}, 5: {0: true}, 4: {2: true}, 7: {2: true}, 8: {2: true}}[i]
		if got := [4]bool{s.Failed(), s.Back(), s.SetByAdmin(), s.Starting()}; got != want {
			t.Errorf("%s: failed, back, by admin, starting are %v", s, got)
		}
	}
	if s := (VM{State: Poweroff, LCM: Running}); s.Status() != "POWEROFF" || s.Is(Running) {
		t.Error("the LCM state counts only for an ACTIVE VM")
	}
}

// The states of a VM between two hosts are those that the states' names say.
func TestMigrating(t *testing.T) {
	for s := LCMInit; s <= Restore; s++ {
		want := strings.Contains(s.String(), "MIGRATE") && !strings.HasPrefix(s.String(), "BOOT")
		if (VM{State: Active, LCM: s}).Migrating() != want || (VM{State: Poweroff, LCM: s}).Migrating() {
			t.Errorf("%s", s)
		}
	}
}
