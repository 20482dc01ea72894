package wording

// Why a VM is planned as it is.
const (
	// Of any VM.
	NeverPlaced   Kind = "never-placed: it was never placed on a host"
	OtherHost     Kind = "other-host: it is on host {on} ({name}), not on this host"
	OwnerNone     Kind = "owner-none: its owner set FT_ACTION = none"
	HostNone      Kind = "host-none: host {on} has FT_ACTION = none"
	HostAction    Kind = "host-action: host {on} has FT_ACTION = {mode}"
	HostActionBad Kind = "host-action-unknown warning: FT_ACTION of host {on} is {word}, which is not recreate, delete, migrate or none: it is ignored"
	VMActionBad   Kind = "vm-action-unknown warning: its FT_ACTION is {word}, which is not none: it is ignored, and the VM is recovered"
	IdleLeft      Kind = "idle-left: {state} VMs are left alone unless y or -f is given"
	StoppingLeft  Kind = "stopping-left: its owner had asked for it to stop ({state}) when the host failed: such VMs are left alone unless y or -f is given"
	IdleResumed   Kind = "idle-resumed: OpenNebula {version} refuses to recreate a {state} VM"
	PlacedAgain   Kind = "placed-again: oned is placing it again"
	NotOnHost     Kind = "not-on-host: it is not on the host in this state"
	StateUnknown  Kind = "state-unknown problem: its state is not known to one-ft"
	OwnerEnding   Kind = "owner-ending: its owner was ending it"
	StrayCleanup  Kind = "stray-clean-up: it was recreated by somebody else, and its clean-up has not ended"

	// Of one that monitoring found off or suspended as its host failed.
	PutToRest    Kind = "put-to-rest: monitoring found it {state} at {at}, when its host was failing: its owner did not ask for that"
	RestResumed  Kind = "rest-resumed: it was resumed to recreate it, and has fallen back"
	RestUnproven Kind = "rest-unproven problem: monitoring found it {state} at {at}, when its host was failing, so its owner did not ask for that; it is left because nothing proves that the host is off"
	RestReported Kind = "rest-reported problem: monitoring found it {state} at {at}, when its host was failing, so its owner did not ask for that; it is left because put_to_rest is report"
	RestUndated  Kind = "rest-undated problem: monitoring found it {state}, and this OpenNebula does not say when: the failure of its host can have done that, or its owner inside the guest; it is left"
	// Of one that no proof, or not this one, lets be started elsewhere.
	Imported    Kind = "imported problem: OpenNebula has only imported it and cannot start it elsewhere, as it knows none of its disks; start it again where it came from"
	SameMachine Kind = "same-machine problem: only a lease proves that it does not run, and host {on} ({name}) is the same machine: the machine keeps its guests while oned monitors either of both; " +
		"when it is certainly off: oneft resume INCIDENT --confirm-off"
	NotLeased Kind = "not-leased problem: only a lease proves that it does not run, and host_isolated does not stop {guest}; " +
		"when the host is certainly off: oneft resume INCIDENT --confirm-off"
	GuestImported Kind = "guest-imported: imported guests, which keep their own names"
	GuestOfDriver Kind = "guest-of-driver: guests of driver {driver}"

	// Of one on a host that is no machine.
	HostIsAPI Kind = "host-is-api warning: the host stands for a service ({service}), not for a machine: in ERROR the service cannot be reached, and its VMs run on there; nothing is fenced or touched"

	// Of one that cannot be moved.
	CannotMoveNow    Kind = "cannot-move-now problem: it cannot be moved in the state that it was in when the host failed"
	BeingEnded       Kind = "being-ended problem: its owner was ending it, and it cannot be moved in this state"
	DatastoreUnknown Kind = "datastore-unknown problem: " +
		"its system datastore {datastore} could not be read, so whether it is shared is not known"
	DatastoreLocal Kind = "datastore-local problem: " +
		"its system datastore {datastore} ({name}) is not shared: its disks are on the failed host"
	CannotMoveAway Kind = "cannot-move-away problem: OpenNebula {version} cannot move a VM away from a failed host"
	CannotMove     Kind = "cannot-move problem: OpenNebula {version} cannot move a {state} VM"
	NoHostHasRoom  Kind = "no-host-has-room problem: no other monitored host of its cluster has room for it"
	MovesTo        Kind = "moves-to: to host {on} ({name}); it stays {state}"

	// Of one that was migrating.
	WasOff            Kind = "was-off: it was off, and such VMs are left alone unless y or -f is given"
	MigratingAway     Kind = "migrating-away: it was migrating away when the host, its source, failed"
	CannotReturn      Kind = "cannot-return: OpenNebula {version} cannot return a migration to its source from PROLOG_MIGRATE"
	SourceUnknown     Kind = "source-unknown problem: it was migrating to this host and its source is not known"
	SourceUnavailable Kind = "source-unavailable: it was migrating to this host, and its source, host {on} ({name}), is not available either"
	GoesBack          Kind = "goes-back: it was migrating to this host and goes back to host {on} ({name})"
	MayHaveArrived    Kind = "may-have-arrived problem: it was migrating live to host {on} ({name}) when this host failed, and oned has taken it back: its guest may run there; end it there (virsh destroy one-{id}), then: onevm recover --recreate {id}"
	OtherEndMayRun    Kind = "other-end-may-run problem: it was migrating {way} host {on} ({name}), which failed, too, and may still run it: it is recovered when that host is proven off as well"

	// Of one that failed.
	NotAFailure    Kind = "not-a-failure: it is {state}, which is not a failure"
	HostOwnsIt     Kind = "host-owns-it: its host {on} ({name}) is in ERROR: host_error owns its VMs"
	HostMayRunIt   Kind = "host-may-run-it problem: its host {on} ({name}) is in ERROR and may still run it; when the host is certainly off: vm_failure {id} -{flag} -f"
	CannotRetry    Kind = "cannot-retry problem: OpenNebula {version} cannot retry a failed VM; -r recreates it, -d deletes it"
	Repeats        Kind = "repeats: repeats what failed in {state}"
	LosesSomething Kind = "loses-something problem: " +
		"{why}; repeat what failed: vm_failure {id} --retry; recreate it anyway: vm_failure {id} -r -f"
	LosesNoRetry Kind = "loses-something-no-retry problem: {why}; recreate it anyway: vm_failure {id} -r -f"
	LoseUnsaved  Kind = "lose-unsaved-disks problem: its owner was ending it, and its persistent disks may not have been saved yet"
	LoseStopping Kind = "lose-stopping problem: its owner was stopping it, and recreating it would lose its disks"
	LoseResumed  Kind = "lose-resumed problem: it was being resumed, and recreating it would lose the disks that it was stopped with"
	LoseMigrated Kind = "lose-migrated problem: " +
		"it was migrated, and recreating it would lose its disks; oned cannot return it to its source from this state"
	NotCloned         Kind = "not-cloned problem: its images could not be cloned"
	MigrationVersion  Kind = "migration-cannot-return problem: its migration failed, and recreating it would lose its disks; OpenNebula {version} cannot return it to its source"
	MigrationNoSource Kind = "migration-no-source problem: " +
		"its migration failed, and recreating it would lose its disks; its source host no longer exists"
	SourceMayRun Kind = "source-may-run problem: " +
		"its migration failed, and its source, host {on} ({name}), is in ERROR and may still run it"
	SourceFailedSaved Kind = "source-failed-saved: its migration failed after it was saved, and its source, host {on} ({name}), is in ERROR"
	SourceFailed      Kind = "source-failed problem: its migration failed, and its source, host {on} ({name}), is in ERROR"
	MigrationReturns  Kind = "migration-returns: its migration failed: it goes back to host {on} ({name})"

	// Of one that is UNKNOWN.
	Booting        Kind = "booting: oned is booting it"
	NotUnknown     Kind = "not-unknown: it is {state}, not UNKNOWN"
	HostGone       Kind = "host-gone problem: its host no longer exists"
	HostOutOfReach Kind = "host-out-of-service problem: its host {on} ({name}) is {state}; --any-state boots it anyway"
	HostIs         Kind = "host-is: its host {on} ({name}) is {state}"
)
