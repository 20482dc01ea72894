package one

import "strconv"

// HostState is the STATE of a host (include/Host.h, 4.4 to 7.4); MONITORING_* are no longer entered since 6.0.
type HostState int

// The host states.
const (
	HostInit                HostState = 0 // never monitored yet
	HostMonitoringMonitored HostState = 1 // being polled, was MONITORED
	HostMonitored           HostState = 2
	HostError               HostState = 3
	HostDisabled            HostState = 4 // set by an admin
	HostMonitoringError     HostState = 5 // being polled, was ERROR
	HostMonitoringInit      HostState = 6
	HostMonitoringDisabled  HostState = 7
	HostOffline             HostState = 8 // set by an admin, 5.4 and later
)

// String gives the name that OpenNebula's own tools print, or "STATE_<n>" for a number that no version up to 7.4 uses.
func (s HostState) String() string {
	names := [...]string{"INIT", "MONITORING_MONITORED", "MONITORED", "ERROR", "DISABLED", "MONITORING_ERROR", "MONITORING_INIT",
		"MONITORING_DISABLED", "OFFLINE"}
	return name(names[:], "STATE_", int(s))
}

// name is that of a state, or prefix and number for one that has none.
func name(names []string, prefix string, n int) string {
	if n < 0 || n >= len(names) {
		return prefix + strconv.Itoa(n)
	}
	return names[n]
}

// Failed reports whether oned could not reach the host: ERROR, also while it is being polled again (4.4 and 5.10).
func (s HostState) Failed() bool { return s == HostError || s == HostMonitoringError }

// Back reports whether oned has monitored the host successfully: not INIT, and not what an admin sets.
func (s HostState) Back() bool { return s == HostMonitored || s == HostMonitoringMonitored }

// Starting reports whether the host was added or enabled and not monitored yet.
func (s HostState) Starting() bool { return s == HostInit || s == HostMonitoringInit }

// SetByAdmin reports whether an admin took the host out of service.
func (s HostState) SetByAdmin() bool {
	return s == HostDisabled || s == HostMonitoringDisabled || s == HostOffline
}

// VMState is the STATE of a VM (include/VirtualMachine.h, 4.4 to 7.4).
type VMState int

// The VM states.
const (
	Init           VMState = 0
	Pending        VMState = 1
	Hold           VMState = 2
	Active         VMState = 3 // LCMState says more
	Stopped        VMState = 4
	Suspended      VMState = 5
	Done           VMState = 6
	Failed         VMState = 7 // up to 4.12 only
	Poweroff       VMState = 8
	Undeployed     VMState = 9
	Cloning        VMState = 10 // 5.0 and later
	CloningFailure VMState = 11 // 5.0 and later
)

// LCMState is the LCM_STATE of a VM that is ACTIVE.
type LCMState int

// The LCM states of all versions from 4.4 to 7.4.
const (
	LCMInit                      LCMState = 0
	Prolog                       LCMState = 1
	Boot                         LCMState = 2
	Running                      LCMState = 3
	Migrate                      LCMState = 4
	SaveStop                     LCMState = 5
	SaveSuspend                  LCMState = 6
	SaveMigrate                  LCMState = 7
	PrologMigrate                LCMState = 8
	PrologResume                 LCMState = 9
	EpilogStop                   LCMState = 10
	Epilog                       LCMState = 11
	Shutdown                     LCMState = 12
	Cancel                       LCMState = 13 // up to 4.14
	Failure                      LCMState = 14 // up to 4.12
	CleanupResubmit              LCMState = 15
	Unknown                      LCMState = 16
	Hotplug                      LCMState = 17
	ShutdownPoweroff             LCMState = 18
	BootUnknown                  LCMState = 19
	BootPoweroff                 LCMState = 20
	BootSuspended                LCMState = 21
	BootStopped                  LCMState = 22
	CleanupDelete                LCMState = 23
	HotplugSnapshot              LCMState = 24
	HotplugNic                   LCMState = 25
	HotplugSaveas                LCMState = 26
	HotplugSaveasPoweroff        LCMState = 27
	HotplugSaveasSuspended       LCMState = 28
	ShutdownUndeploy             LCMState = 29
	EpilogUndeploy               LCMState = 30
	PrologUndeploy               LCMState = 31
	BootUndeploy                 LCMState = 32
	HotplugPrologPoweroff        LCMState = 33
	HotplugEpilogPoweroff        LCMState = 34
	BootMigrate                  LCMState = 35
	BootFailure                  LCMState = 36
	BootMigrateFailure           LCMState = 37
	PrologMigrateFailure         LCMState = 38
	PrologFailure                LCMState = 39
	EpilogFailure                LCMState = 40
	EpilogStopFailure            LCMState = 41
	EpilogUndeployFailure        LCMState = 42
	PrologMigratePoweroff        LCMState = 43
	PrologMigratePoweroffFailure LCMState = 44
	PrologMigrateSuspend         LCMState = 45
	PrologMigrateSuspendFailure  LCMState = 46
	BootUndeployFailure          LCMState = 47
	BootStoppedFailure           LCMState = 48
	PrologResumeFailure          LCMState = 49
	PrologUndeployFailure        LCMState = 50
	DiskSnapshotPoweroff         LCMState = 51
	DiskSnapshotRevertPoweroff   LCMState = 52
	DiskSnapshotDeletePoweroff   LCMState = 53
	DiskSnapshotSuspended        LCMState = 54
	DiskSnapshotRevertSuspended  LCMState = 55
	DiskSnapshotDeleteSuspended  LCMState = 56
	DiskSnapshot                 LCMState = 57
	DiskSnapshotRevert           LCMState = 58
	DiskSnapshotDelete           LCMState = 59
	PrologMigrateUnknown         LCMState = 60
	PrologMigrateUnknownFailure  LCMState = 61
	DiskResize                   LCMState = 62
	DiskResizePoweroff           LCMState = 63
	DiskResizeUndeployed         LCMState = 64
	HotplugNicPoweroff           LCMState = 65
	HotplugResize                LCMState = 66
	HotplugSaveasUndeployed      LCMState = 67
	HotplugSaveasStopped         LCMState = 68
	Backup                       LCMState = 69
	BackupPoweroff               LCMState = 70
	Restore                      LCMState = 71
)

// String gives OpenNebula's name of the state, or "STATE_<n>" for a number that no version up to 7.4 uses.
func (s VMState) String() string {
	names := [...]string{"INIT", "PENDING", "HOLD", "ACTIVE", "STOPPED", "SUSPENDED", "DONE", "FAILED",
		"POWEROFF", "UNDEPLOYED", "CLONING", "CLONING_FAILURE"}
	return name(names[:], "STATE_", int(s))
}

// String gives OpenNebula's name of the state, or "LCM_STATE_<n>" for a number that no version up to 7.4 uses.
func (s LCMState) String() string {
	names := [...]string{
		"LCM_INIT", "PROLOG", "BOOT", "RUNNING", "MIGRATE", "SAVE_STOP", "SAVE_SUSPEND", "SAVE_MIGRATE",
		"PROLOG_MIGRATE", "PROLOG_RESUME", "EPILOG_STOP", "EPILOG", "SHUTDOWN", "CANCEL", "FAILURE",
		"CLEANUP_RESUBMIT", "UNKNOWN", "HOTPLUG", "SHUTDOWN_POWEROFF", "BOOT_UNKNOWN", "BOOT_POWEROFF",
		"BOOT_SUSPENDED", "BOOT_STOPPED", "CLEANUP_DELETE", "HOTPLUG_SNAPSHOT", "HOTPLUG_NIC",
		"HOTPLUG_SAVEAS", "HOTPLUG_SAVEAS_POWEROFF", "HOTPLUG_SAVEAS_SUSPENDED", "SHUTDOWN_UNDEPLOY",
		"EPILOG_UNDEPLOY", "PROLOG_UNDEPLOY", "BOOT_UNDEPLOY", "HOTPLUG_PROLOG_POWEROFF",
		"HOTPLUG_EPILOG_POWEROFF", "BOOT_MIGRATE", "BOOT_FAILURE", "BOOT_MIGRATE_FAILURE",
		"PROLOG_MIGRATE_FAILURE", "PROLOG_FAILURE", "EPILOG_FAILURE", "EPILOG_STOP_FAILURE",
		"EPILOG_UNDEPLOY_FAILURE", "PROLOG_MIGRATE_POWEROFF", "PROLOG_MIGRATE_POWEROFF_FAILURE",
		"PROLOG_MIGRATE_SUSPEND", "PROLOG_MIGRATE_SUSPEND_FAILURE", "BOOT_UNDEPLOY_FAILURE",
		"BOOT_STOPPED_FAILURE", "PROLOG_RESUME_FAILURE", "PROLOG_UNDEPLOY_FAILURE",
		"DISK_SNAPSHOT_POWEROFF", "DISK_SNAPSHOT_REVERT_POWEROFF", "DISK_SNAPSHOT_DELETE_POWEROFF",
		"DISK_SNAPSHOT_SUSPENDED", "DISK_SNAPSHOT_REVERT_SUSPENDED", "DISK_SNAPSHOT_DELETE_SUSPENDED",
		"DISK_SNAPSHOT", "DISK_SNAPSHOT_REVERT", "DISK_SNAPSHOT_DELETE", "PROLOG_MIGRATE_UNKNOWN",
		"PROLOG_MIGRATE_UNKNOWN_FAILURE", "DISK_RESIZE", "DISK_RESIZE_POWEROFF", "DISK_RESIZE_UNDEPLOYED",
		"HOTPLUG_NIC_POWEROFF", "HOTPLUG_RESIZE", "HOTPLUG_SAVEAS_UNDEPLOYED", "HOTPLUG_SAVEAS_STOPPED",
		"BACKUP", "BACKUP_POWEROFF", "RESTORE",
	}
	return name(names[:], "LCM_STATE_", int(s))
}
