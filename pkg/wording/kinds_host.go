package wording

// What happens to a failed host and its incident before its VMs are acted on, and beside that.
const (
	// The begin of each step of the work.
	StepConfirm Kind = "step-confirm: watching the host"
	StepGuard   Kind = "step-guard: checking all hosts"
	StepOpinion Kind = "step-opinion: asking for second opinions"
	StepFence   Kind = "step-fence: proving that the host is off"
	StepPlan    Kind = "step-plan: reading the VMs and deciding"
	StepAct     Kind = "step-act: acting"
	StepVerify  Kind = "step-verify: verifying"

	// A host that oned does not call failed.
	SilentHost Kind = "silent-host warning: the host has not answered this front-end since {since} while other hosts do, and oned still calls it MONITORED"

	// Watching it.
	Watch          Kind = "watch: watching the host for {period}; it counts as back only when it is MONITORED"
	WatchContinued Kind = "watch-continued: the host has been watched since {since}; {left} of {period} are left"
	WatchAnew      Kind = "watch-anew: the host was monitored meanwhile and failed again; the watch starts over"
	WatchBlind     Kind = "watch-blind warning: {error}; still watching"
	HostAlive      Kind = "host-alive warning: oned still calls the host failed, but it is monitored again: it is alive"
	SilentAgain    Kind = "silent-again warning: the host has gone silent again"

	// The storm guard.
	OnedYoung Kind = "oned-young warning: " +
		"oned has just started or become leader and may not know its hosts yet; doing nothing for {wait}"
	GuardBlind      Kind = "guard-blind warning: {error}; still holding"
	Held            Kind = "held warning: holding: {failed} of {hosts} hosts in service of {where} failed{silent}, so the front-end is the likelier culprit; nothing is fenced or touched"
	Ebbing          Kind = "ebbing: the storm is over, and nothing is fenced or touched until it has stayed away for the cool-down: {failed} of {hosts} hosts in service of {where} failed{silent}"
	NotNow          Kind = "not-now: not now: {why}; after that: {then}"
	Settling        Kind = "settling: so many hosts cannot be asked whether they are there that this could be the front-end's own trouble; waiting {wait} for others to follow into ERROR"
	GuardPassed     Kind = "guard-passed: guard: {failed} of {hosts} hosts in service of {where} failed{silent}"
	StormGivenUp    Kind = "storm-given-up problem: held for {limit} and given up: {failed} of {hosts} hosts in service of {where} failed{silent}; nothing was fenced or touched; --override-storm overrides this"
	NowhereHeld     Kind = "nowhere-held warning: holding: no other host in service may run any of its VMs, so starting them elsewhere would help nobody, and monitoring is the likelier culprit; nothing is fenced or touched"
	NowhereGivenUp  Kind = "nowhere-given-up problem: held for {limit} and given up: no other host in service may run any of its VMs; nothing was fenced or touched; --override-storm overrides this"
	RefugeUnread    Kind = "refuge-unread warning: {error}; assuming that other hosts may run the VMs"
	StormOverridden Kind = "storm-overridden warning: the storm guard is overridden"
	CycleUnknown    Kind = "cycle-unknown warning: {error}; a monitoring cycle is taken for {cycle}"

	// Second opinions.
	OpinionNone     Kind = "opinion-none warning: {program} has no opinion: {error}"
	OpinionBroken   Kind = "opinion-broken problem: {program} cannot be asked whether the host is alive: {error}; nothing was fenced or touched; correct --confirm or confirm in one-ft.yaml, then oneft resume"
	OpinionNotAlive Kind = "opinion-not-alive: {program} does not say that the host is alive"
	OpinionAlive    Kind = "opinion-alive problem: {program} says that the host is alive; nothing was fenced or touched"

	// Proving it off.
	Fenced             Kind = "fenced: fenced in {took} s: {proof}"
	FenceAnswer        Kind = "fence-answer: {call}: {answer}, {took} s"
	FenceError         Kind = "fence-error warning: {error}"
	FenceAttempt       Kind = "fence-attempt warning: attempt {attempt} of {limit} failed; the next one in {wait}"
	LeaseUnpublished   Kind = "lease-unpublished warning: the host has not published what it promises (FT_LEASE); FENCE_LEASE is trusted"
	LeaseWait          Kind = "lease-wait: waiting {wait} until the host has certainly stopped its VMs"
	LeaseAnew          Kind = "lease-anew warning: the host was not seen in ERROR all the time; the wait starts over"
	Unproven           Kind = "unproven warning: {why}: if host {id} still runs its VMs, they will run twice"
	FencingOff         Kind = "fencing-off warning: fencing is off"
	FencingMissing     Kind = "fencing-not-configured warning: no fencing is configured for this host"
	FencingRequired    Kind = "fencing-required problem: fencing is required, and none is configured for this host; nothing was touched"
	FencingFailed      Kind = "fencing-failed problem: fencing failed, and nothing was touched: {error}"
	FencingUnconfirmed Kind = "fencing-unconfirmed problem: " +
		"fencing failed, and nothing was touched: {error}; when it is certainly off{incident}"
	FencingManual Kind = "fencing-manual problem: " +
		"fencing failed, and nothing was touched: {error}; when it is certainly off, run host_error again with -u"
	// The front-end reaches a failed host that nothing proves off.
	HostAnswers Kind = "host-answers warning: " +
		"oned calls the host failed, and it answers at {address}: without a proof that it is off nothing is touched while it does; watching it for {limit}"
	HostSilent       Kind = "host-silent: the host no longer answers at {address}"
	MonitoringBroken Kind = "monitoring-broken problem: the host still answers at {address} after {limit}, so its monitoring is broken, not the host; nothing was touched; " +
		"fix its monitoring (onehost show has the error), or, when it is certainly off, confirm that{resume}"

	// Keeping ssh away from it, and the scheduler.
	FailFast       Kind = "ssh-fails-fast: ssh to the host fails at once from here on ({took} s)"
	FailFastOver   Kind = "ssh-as-usual: ssh to the host works as usual again"
	FailFastFailed Kind = "ssh-fails-slowly warning: clean-ups on the dead host take what ssh takes: {error}"
	SSHEnded       Kind = "ssh-ended: ended {connections} ssh connections to the host and {masters} masters"
	Quarantined    Kind = "quarantined: " +
		"the host is out of scheduling (DISABLED) until none of its old guests runs; oneft release {id} gives it back"
	QuarantineFailed Kind = "quarantine-failed warning: " +
		"failed to take the host out of scheduling: {error}; disable it before it comes back: onehost disable {id}"
	Released        Kind = "released: the host was given back to the scheduler {why}"
	ReleasedByAdmin Kind = "by-admin: by an admin"
	ReleasedClean   Kind = "clean: automatically: it is monitored again, and none of its old guests runs"
	ReleaseMarked   Kind = "release-marked warning: the host is enabled, but {attribute} is still in its template: {error}"

	// What oned told its hook.
	ToldName Kind = "told-other-name warning: " +
		"oned called the hook for {told}, and answers {name}: it was renamed, or the endpoint is that of another cloud"
	ToldState Kind = "told-other-state: it was {told} when oned called the hook; it is {state} now"

	// Other processes and front-ends that work on it.
	LockFailed      Kind = "lock-failed warning: working without a lock: {error}"
	LockAwaited     Kind = "lock-awaited warning: {error}; waiting until it has ended"
	Busy            Kind = "busy: {error}"
	ClaimSeen       Kind = "claim-seen: incident {number} of front-end {front_end} is about this host; checking for {wait} whether a process still works on it"
	ClaimTaken      Kind = "claim-taken-over warning: taking over incident {number} of front-end {front_end}, which no process works on"
	ClaimElsewhere  Kind = "claim-elsewhere: the host is already being handled: incident {number} of front-end {front_end}"
	ClaimUnwritten  Kind = "claim-unwritten warning: other front-ends do not know that this one works on the host: {error}"
	ClaimEndUnknown Kind = "claim-end-unwritten warning: other front-ends do not know that the work on the host has ended: {error}"
	LeftToPerson    Kind = "left-to-person: left to {process}, in which an operator confirmed that the host is off"

	// Reading it and its VMs.
	ReadSingly  Kind = "read-singly warning: {error}; reading them one by one"
	Unread      Kind = "unread warning: {error}"
	Following   Kind = "following: following the VMs that left the host"
	InVain      Kind = "in-vain warning: as its VMs are, nothing can be done about any of them, so the host is not fenced"
	NothingToDo Kind = "nothing-to-do: its VMs need nothing, so the host is neither watched nor fenced"

	// How it ended.
	NoVMs      Kind = "no-vms: no VMs on the host"
	HostFine   Kind = "host-fine: the host is {state}: nothing to recover"
	HostSet    Kind = "host-set-by-admin warning: the host is {state}, set by an admin, not in ERROR: nothing was done; --any-state recovers its VMs anyway, when it is certainly off"
	CameBack   Kind = "came-back: the host came back: nothing was done to its VMs"
	CameBackBy Kind = "came-back-later: {now}; before: {before}"
	Counted    Kind = "counted: {vms} VMs: {results}"
	Declined   Kind = "declined problem: nothing was done: nothing proves that the host is off ({detail}), and the answer was not yes"

	// The results that Counted counts.
	CountPlanned         Kind = "planned: {n} planned"
	CountWouldUnproven   Kind = "would-be-unproven: {n} would be UNPROVEN"
	CountWouldRefuse     Kind = "would-be-refused: {n} would be REFUSED"
	CountDone            Kind = "recovered: recovered {n}"
	CountDeleted         Kind = "vms-deleted: deleted {n}"
	CountUnproven        Kind = "started-unproven: started {n} elsewhere, UNPROVEN"
	CountDeletedUnproven Kind = "deleted-unproven: deleted {n}, UNPROVEN"
	CountStarting        Kind = "starting: {n} still starting"
	CountAlready         Kind = "already: {n} already"
	CountLeft            Kind = "left: {n} left"
	CountIncomplete      Kind = "incomplete: {n} incomplete"
	CountRefused         Kind = "refused: {n} refused"
)
