package wording

// What happens to a failed host and its incident before its VMs are acted on, and beside that.
const (
	// The begin of each step of the work.
	StepConfirm Kind = "step-confirm"
	StepGuard   Kind = "step-guard"
	StepOpinion Kind = "step-opinion"
	StepFence   Kind = "step-fence"
	StepPlan    Kind = "step-plan"
	StepAct     Kind = "step-act"
	StepVerify  Kind = "step-verify"

	// Watching it.
	Watch          Kind = "watch"
	WatchContinued Kind = "watch-continued"
	WatchAnew      Kind = "watch-anew"
	WatchBlind     Kind = "watch-blind"
	HostAlive      Kind = "host-alive" // oned calls the host failed, and it is monitored again
	SilentAgain    Kind = "silent-again"

	// The storm guard.
	OnedYoung       Kind = "oned-young"
	GuardBlind      Kind = "guard-blind"
	Held            Kind = "held" // nothing is touched because many hosts failed
	GuardPassed     Kind = "guard-passed"
	StormGivenUp    Kind = "storm-given-up"
	StormOverridden Kind = "storm-overridden"
	CycleUnknown    Kind = "cycle-unknown"

	// Second opinions.
	OpinionNone     Kind = "opinion-none"
	OpinionNotAlive Kind = "opinion-not-alive"
	OpinionAlive    Kind = "opinion-alive"

	// Proving it off.
	Fenced             Kind = "fenced"
	FenceAnswer        Kind = "fence-answer"
	FenceError         Kind = "fence-error"
	FenceAttempt       Kind = "fence-attempt"
	LeaseUnpublished   Kind = "lease-unpublished"
	LeaseWait          Kind = "lease-wait"
	LeaseAnew          Kind = "lease-anew"
	Unproven           Kind = "unproven" // VMs are started elsewhere without a proof
	FencingOff         Kind = "fencing-off"
	FencingMissing     Kind = "fencing-not-configured"
	FencingRequired    Kind = "fencing-required"
	FencingFailed      Kind = "fencing-failed"
	FencingUnconfirmed Kind = "fencing-unconfirmed"
	FencingManual      Kind = "fencing-manual"

	// Keeping ssh away from it, and the scheduler.
	FailFast         Kind = "ssh-fails-fast" // ssh to the host fails at once from here on
	FailFastOver     Kind = "ssh-as-usual"   // and no longer
	FailFastFailed   Kind = "ssh-fails-slowly"
	SSHEnded         Kind = "ssh-ended"   // commands that were connecting to the host were ended
	Quarantined      Kind = "quarantined" // the host was taken out of scheduling
	QuarantineFailed Kind = "quarantine-failed"
	Released         Kind = "released" // and given back
	ReleasedByAdmin  Kind = "by-admin"
	ReleasedClean    Kind = "clean"
	ReleaseMarked    Kind = "release-marked"

	// What oned told its hook.
	ToldName  Kind = "told-other-name"
	ToldState Kind = "told-other-state"

	// Other processes and front-ends that work on it.
	LockFailed      Kind = "lock-failed"
	LockAwaited     Kind = "lock-awaited"
	Busy            Kind = "busy"
	ClaimSeen       Kind = "claim-seen"
	ClaimTaken      Kind = "claim-taken-over"
	ClaimElsewhere  Kind = "claim-elsewhere"
	ClaimUnwritten  Kind = "claim-unwritten"
	ClaimEndUnknown Kind = "claim-end-unwritten"
	LeftToPerson    Kind = "left-to-person"

	// Reading it and its VMs.
	ReadSingly  Kind = "read-singly"
	Unread      Kind = "unread"
	Following   Kind = "following"
	NothingToDo Kind = "nothing-to-do"

	// How it ended.
	NoVMs      Kind = "no-vms"
	HostFine   Kind = "host-fine"
	HostSet    Kind = "host-set-by-admin"
	CameBack   Kind = "came-back"
	CameBackBy Kind = "came-back-later"
	Counted    Kind = "counted"
	Declined   Kind = "declined"

	// The results that Counted counts.
	CountPlanned         Kind = "planned"
	CountWouldUnproven   Kind = "would-be-unproven"
	CountWouldRefuse     Kind = "would-be-refused"
	CountDone            Kind = "recovered"
	CountDeleted         Kind = "vms-deleted"
	CountUnproven        Kind = "started-unproven"
	CountDeletedUnproven Kind = "deleted-unproven"
	CountStarting        Kind = "starting"
	CountAlready         Kind = "already"
	CountLeft            Kind = "left"
	CountIncomplete      Kind = "incomplete"
	CountRefused         Kind = "refused"
)

// hostRows words those kinds.
func hostRows() []row {
	return append(proofRows(), []row{
		{StepConfirm, Info, "watching the host"},
		{StepGuard, Info, "checking all hosts"},
		{StepOpinion, Info, "asking for second opinions"},
		{StepFence, Info, "proving that the host is off"},
		{StepPlan, Info, "reading the VMs and deciding"},
		{StepAct, Info, "acting"},
		{StepVerify, Info, "verifying"},

		{Watch, Info, "watching the host for {period}; it counts as back only when it is MONITORED"},
		{WatchContinued, Info, "the host has been watched since {since}; {left} of {period} are left"},
		{WatchAnew, Info, "the host was monitored meanwhile and failed again; the watch starts over"},
		{WatchBlind, Warning, "{error}; still watching"},
		{HostAlive, Warning, "oned still calls the host failed, but it is monitored again: it is alive"},
		{SilentAgain, Warning, "the host has gone silent again"},

		{OnedYoung, Warning, "oned has just started or become leader and may not know its hosts yet; doing nothing for {wait}"},
		{GuardBlind, Warning, "{error}; still holding"},
		{Held, Warning, "holding: {failed} of {hosts} hosts in service of {where} failed, so the front-end is the likelier culprit; nothing is fenced or touched"},
		{GuardPassed, Info, "guard: {failed} of {hosts} hosts in service of {where} failed"},
		{StormGivenUp, Problem, "held for {limit} and given up: {failed} of {hosts} hosts in service of {where} failed; nothing was fenced or touched; --override-storm overrides this"},
		{StormOverridden, Warning, "the storm guard is overridden"},
		{CycleUnknown, Warning, "{error}; a monitoring cycle is taken for {cycle}"},

		{OpinionNone, Warning, "{program} has no opinion: {error}"},
		{OpinionNotAlive, Info, "{program} does not say that the host is alive"},
		{OpinionAlive, Problem, "{program} says that the host is alive; nothing was fenced or touched"},

		{LockFailed, Warning, "working without a lock: {error}"},
		{LockAwaited, Warning, "{error}; waiting until it has ended"},
		{Busy, Info, "{error}"},
		{ToldName, Warning, "oned called the hook for {told}, and answers {name}: it was renamed, or the endpoint is that of another cloud"},
		{ToldState, Info, "it was {told} when oned called the hook; it is {state} now"},
		{ClaimSeen, Info, "incident {number} of front-end {front_end} is about this host; checking for {wait} whether a process still works on it"},
		{ClaimTaken, Warning, "taking over incident {number} of front-end {front_end}, which no process works on"},
		{ClaimElsewhere, Info, "the host is already being handled: incident {number} of front-end {front_end}"},
		{ClaimUnwritten, Warning, "other front-ends do not know that this one works on the host: {error}"},
		{ClaimEndUnknown, Warning, "other front-ends do not know that the work on the host has ended: {error}"},
		{LeftToPerson, Info, "left to {process}, in which an operator confirmed that the host is off"},

		{ReadSingly, Warning, "{error}; reading them one by one"},
		{Unread, Warning, "{error}"},
		{Following, Info, "following the VMs that left the host"},
		{NothingToDo, Info, "its VMs need nothing, so the host is neither watched nor fenced"},

		{NoVMs, Info, "no VMs on the host"},
		{HostFine, Info, "the host is {state}: nothing to recover"},
		{HostSet, Warning, "the host is {state}, set by an admin, not in ERROR: nothing was done; --any-state recovers its VMs anyway, when it is certainly off"},
		{CameBack, Info, "the host came back: nothing to recover"},
		{CameBackBy, Info, "{now}; before: {before}"},
		{Counted, Info, "{vms} VMs: {results}"},
		{Declined, Problem, "nothing was done: nothing proves that the host is off ({detail}), and the answer was not yes"},

		{CountPlanned, Info, "{n} planned"},
		{CountWouldUnproven, Info, "{n} would be UNPROVEN"},
		{CountWouldRefuse, Info, "{n} would be REFUSED"},
		{CountDone, Info, "recovered {n}"},
		{CountDeleted, Info, "deleted {n}"},
		{CountUnproven, Info, "started {n} elsewhere, UNPROVEN"},
		{CountDeletedUnproven, Info, "deleted {n}, UNPROVEN"},
		{CountStarting, Info, "{n} still starting"},
		{CountAlready, Info, "{n} already"},
		{CountLeft, Info, "{n} left"},
		{CountIncomplete, Info, "{n} incomplete"},
		{CountRefused, Info, "{n} refused"},
	}...)
}

func proofRows() []row {
	return []row{
		{Fenced, Info, "fenced in {took} s: {proof}"},
		{FenceAnswer, Info, "{call}: {answer}, {took} s"},
		{FenceError, Warning, "{error}"},
		{FenceAttempt, Warning, "attempt {attempt} of {limit} failed; the next one in {wait}"},
		{LeaseUnpublished, Warning, "the host has not published what it promises (FT_LEASE); FENCE_LEASE is trusted"},
		{LeaseWait, Info, "waiting {wait} until the host has certainly stopped its VMs"},
		{LeaseAnew, Warning, "the host was not seen in ERROR all the time; the wait starts over"},
		{Unproven, Warning, "{why}: if host {id} still runs its VMs, they will run twice"},
		{FencingOff, Warning, "fencing is off"},
		{FencingMissing, Warning, "no fencing is configured for this host"},
		{FencingRequired, Problem, "fencing is required, and none is configured for this host; nothing was touched"},
		{FencingFailed, Problem, "fencing failed, and nothing was touched: {error}"},
		{FencingUnconfirmed, Problem, "fencing failed, and nothing was touched: {error}; when it is certainly off{incident}"},
		{FencingManual, Problem, "fencing failed, and nothing was touched: {error}; when it is certainly off, run host_error again with -u"},

		{FailFast, Info, "ssh to the host fails at once from here on ({took} s)"},
		{FailFastOver, Info, "ssh to the host works as usual again"},
		{FailFastFailed, Warning, "clean-ups on the dead host take what ssh takes: {error}"},
		{SSHEnded, Info, "ended {connections} ssh connections to the host and {masters} masters"},
		{Quarantined, Info, "the host is out of scheduling (DISABLED) until none of its old guests runs; oneft release {id} gives it back"},
		{QuarantineFailed, Warning, "failed to take the host out of scheduling: {error}; disable it before it comes back: onehost disable {id}"},
		{Released, Info, "the host was given back to the scheduler {why}"},
		{ReleasedByAdmin, Info, "by an admin"},
		{ReleasedClean, Info, "automatically: it is monitored again, and none of its old guests runs"},
		{ReleaseMarked, Warning, "the host is enabled, but {attribute} is still in its template: {error}"},
	}
}
