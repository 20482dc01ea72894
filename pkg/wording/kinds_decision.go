package wording

// Why a VM is planned as it is.
const (
	// Of any VM.
	NeverPlaced   Kind = "never-placed"
	OtherHost     Kind = "other-host"
	OwnerNone     Kind = "owner-none"
	HostNone      Kind = "host-none"
	HostAction    Kind = "host-action"
	HostActionBad Kind = "host-action-unknown"
	IdleLeft      Kind = "idle-left"
	IdleResumed   Kind = "idle-resumed"
	PlacedAgain   Kind = "placed-again"
	NotOnHost     Kind = "not-on-host"
	StateUnknown  Kind = "state-unknown"
	OwnerEnding   Kind = "owner-ending"
	StrayCleanup  Kind = "stray-clean-up"

	// Of one that cannot be moved.
	CannotMoveNow    Kind = "cannot-move-now"
	BeingEnded       Kind = "being-ended"
	DatastoreUnknown Kind = "datastore-unknown"
	DatastoreLocal   Kind = "datastore-local"
	CannotMoveAway   Kind = "cannot-move-away"
	CannotMove       Kind = "cannot-move"
	NoHostHasRoom    Kind = "no-host-has-room"
	MovesTo          Kind = "moves-to"

	// Of one that was migrating.
	WasOff            Kind = "was-off"
	MigratingAway     Kind = "migrating-away"
	CannotReturn      Kind = "cannot-return"
	SourceUnknown     Kind = "source-unknown"
	SourceUnavailable Kind = "source-unavailable"
	GoesBack          Kind = "goes-back"
	OtherEndMayRun    Kind = "other-end-may-run"

	// Of one that failed.
	NotAFailure       Kind = "not-a-failure"
	HostOwnsIt        Kind = "host-owns-it"
	HostMayRunIt      Kind = "host-may-run-it"
	CannotRetry       Kind = "cannot-retry"
	Repeats           Kind = "repeats"
	LosesSomething    Kind = "loses-something"
	LosesNoRetry      Kind = "loses-something-no-retry"
	LoseUnsaved       Kind = "lose-unsaved-disks"
	LoseStopping      Kind = "lose-stopping"
	LoseResumed       Kind = "lose-resumed"
	LoseMigrated      Kind = "lose-migrated"
	NotCloned         Kind = "not-cloned"
	MigrationVersion  Kind = "migration-cannot-return"
	MigrationNoSource Kind = "migration-no-source"
	SourceMayRun      Kind = "source-may-run"
	SourceFailedSaved Kind = "source-failed-saved"
	SourceFailed      Kind = "source-failed"
	MigrationReturns  Kind = "migration-returns"

	// Of one that is UNKNOWN.
	Booting        Kind = "booting"
	NotUnknown     Kind = "not-unknown"
	HostGone       Kind = "host-gone"
	HostOutOfReach Kind = "host-out-of-service"
	HostIs         Kind = "host-is"
)

// decisionRows words those kinds.
func decisionRows() []row {
	return append(singleRows(), []row{
		{NeverPlaced, Info, "it was never placed on a host"},
		{OtherHost, Info, "it is on host {on} ({name}), not on this host"},
		{OwnerNone, Info, "its owner set FT_ACTION = none"},
		{HostNone, Info, "host {on} has FT_ACTION = none"},
		{HostAction, Info, "host {on} has FT_ACTION = {mode}"},
		{HostActionBad, Info, "FT_ACTION of host {on} is not recreate, delete, migrate or none and was ignored"},
		{IdleLeft, Info, "{state} VMs are left alone unless y or -f is given"},
		{IdleResumed, Info, "OpenNebula {version} refuses to recreate a {state} VM"},
		{PlacedAgain, Info, "oned is placing it again"},
		{NotOnHost, Info, "it is not on the host in this state"},
		{StateUnknown, Problem, "its state is not known to one-ft"},
		{OwnerEnding, Info, "its owner was ending it"},
		{StrayCleanup, Info, "it was recreated by somebody else, and its clean-up has not ended"},

		{CannotMoveNow, Problem, "it cannot be moved in the state that it was in when the host failed"},
		{BeingEnded, Problem, "its owner was ending it, and it cannot be moved in this state"},
		{DatastoreUnknown, Problem, "its system datastore {datastore} could not be read, so whether it is shared is not known"},
		{DatastoreLocal, Problem, "its system datastore {datastore} ({name}) is not shared: its disks are on the failed host"},
		{CannotMoveAway, Problem, "OpenNebula {version} cannot move a VM away from a failed host"},
		{CannotMove, Problem, "OpenNebula {version} cannot move a {state} VM"},
		{NoHostHasRoom, Problem, "no other monitored host of its cluster has room for it"},
		{MovesTo, Info, "to host {on} ({name}); it stays {state}"},

		{WasOff, Info, "it was off, and such VMs are left alone unless y or -f is given"},
		{MigratingAway, Info, "it was migrating away when the host, its source, failed"},
		{CannotReturn, Info, "OpenNebula {version} cannot return a migration to its source from PROLOG_MIGRATE"},
		{SourceUnknown, Problem, "it was migrating to this host and its source is not known"},
		{SourceUnavailable, Info, "it was migrating to this host, and its source, host {on} ({name}), is not available either"},
		{GoesBack, Info, "it was migrating to this host and goes back to host {on} ({name})"},
		{OtherEndMayRun, Problem, "it was migrating {way} host {on} ({name}), which failed, too, and may still run it: it is recovered when that host is proven off as well"},
	}...)
}

func singleRows() []row {
	return []row{
		{NotAFailure, Info, "it is {state}, which is not a failure"},
		{HostOwnsIt, Info, "its host {on} ({name}) is in ERROR: host_error owns its VMs"},
		{HostMayRunIt, Problem, "its host {on} ({name}) is in ERROR and may still run it; when the host is certainly off: vm_failure {id} -{flag} -f"},
		{CannotRetry, Problem, "OpenNebula {version} cannot retry a failed VM; -r recreates it, -d deletes it"},
		{Repeats, Info, "repeats what failed in {state}"},
		{LosesSomething, Problem, "{why}; repeat what failed: vm_failure {id} --retry; recreate it anyway: vm_failure {id} -r -f"},
		{LosesNoRetry, Problem, "{why}; recreate it anyway: vm_failure {id} -r -f"},
		{LoseUnsaved, Problem, "its owner was ending it, and its persistent disks may not have been saved yet"},
		{LoseStopping, Problem, "its owner was stopping it, and recreating it would lose its disks"},
		{LoseResumed, Problem, "it was being resumed, and recreating it would lose the disks that it was stopped with"},
		{LoseMigrated, Problem, "it was migrated, and recreating it would lose its disks; oned cannot return it to its source from this state"},
		{NotCloned, Problem, "its images could not be cloned"},
		{MigrationVersion, Problem, "its migration failed, and recreating it would lose its disks; OpenNebula {version} cannot return it to its source"},
		{MigrationNoSource, Problem, "its migration failed, and recreating it would lose its disks; its source host no longer exists"},
		{SourceMayRun, Problem, "its migration failed, and its source, host {on} ({name}), is in ERROR and may still run it"},
		{SourceFailedSaved, Info, "its migration failed after it was saved, and its source, host {on} ({name}), is in ERROR"},
		{SourceFailed, Problem, "its migration failed, and its source, host {on} ({name}), is in ERROR"},
		{MigrationReturns, Info, "its migration failed: it goes back to host {on} ({name})"},

		{Booting, Info, "oned is booting it"},
		{NotUnknown, Info, "it is {state}, not UNKNOWN"},
		{HostGone, Problem, "its host no longer exists"},
		{HostOutOfReach, Problem, "its host {on} ({name}) is {state}; --any-state boots it anyway"},
		{HostIs, Info, "its host {on} ({name}) is {state}"},
	}
}
