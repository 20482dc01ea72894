package wording

// What happens to a VM, and its outcomes.
const (
	// Calls to oned.
	Accepted      Kind = "accepted: accepted by oned"
	CallRefused   Kind = "call-refused warning: {error}; reading it again"
	CallFailed    Kind = "call-failed warning: {error}; retrying"
	CallError     Kind = "call-error problem: {error}"
	Replanned     Kind = "replanned warning: it is {state} now: {verb} instead of {before} ({why})"
	ResumedVainly Kind = "resumed-in-vain problem: resumed {times} times, but it fell back each time before it could be recreated"
	AskedAgain    Kind = "asked-again warning: still {state}; sending the request again"
	AskedLater    Kind = "asked-again-later warning: still {state} on the host {seconds} s after oned accepted it; sending the request again"
	StaysOnHost   Kind = "stays-on-host problem: " +
		"oned accepted it {times} times, but the VM stays {state} on the host; look at oned.log and onevm show {id}"
	StaysFailed  Kind = "stays-failed problem: oned accepted it {times} times, but the VM stays {state}{says}"
	OutOfTime    Kind = "out-of-time problem: timed out: {error}"
	ToldToEnd    Kind = "told-to-end problem: accepted by oned, but this process was interrupted before it verified the result"
	NotLeft      Kind = "not-left problem: accepted by oned, but timed out: the VM is still on the host"
	NotLeftWaits Kind = "not-left-waits problem: accepted by oned, but timed out: the VM is still on the host: {why}"
	ResultUnread Kind = "result-unread problem: accepted by oned, but the result could not be read: {error}"
	Late         Kind = "late problem: accepted by oned, but timed out: it is {state}"

	// Where it arrived, or not.
	Gone        Kind = "gone: it no longer exists"
	Running     Kind = "running: running on host {on} ({name})"
	Moved       Kind = "moved: {state} on host {on} ({name})"
	Deleted     Kind = "deleted: deleted"
	EndedWanted Kind = "ended-as-wanted: it has ended, as requested"
	OldCopy     Kind = "old-copy-may-run warning: {what}; nothing proves that its old copy does not run, too"
	OldHost     Kind = "old-host problem: oned says that it runs on host {on} ({name}) again, where its old guest may be meant: look at it there before you trust it; onevm show {id}"
	Ended       Kind = "ended problem: it ended meanwhile"
	FailedAgain Kind = "failed-again problem: {how}"
	FailedThere Kind = "failed-there problem: it is {state} on host {on} ({name}){says}"
	FellBack    Kind = "fell-back problem: it fell back to {state}{says}"
	NotAgain    Kind = "not-again problem: it is {state} on host {on} ({name}){says}; recreating it once more failed: {error}"
	FailedAnew  Kind = "failed-anew warning: it has failed again"
	HostBack    Kind = "host-back: the host came back: the VM is left alone"
	HostWasOff  Kind = "host-was-off problem: " +
		"the host came back after it had been off: the VM does not run there until it is started; onevm resume {id}"

	// On its way.
	IsNow           Kind = "is-now: it is {state} now"
	StillCleaning   Kind = "still-cleaning-up: oned is still cleaning up on the failed host"
	LeftUnplaced    Kind = "left-unplaced: left the host; the scheduler has not placed it yet"
	LeftWaiting     Kind = "left-waiting: left the host, PENDING: {why}"
	LeftIs          Kind = "left-is: left the host, and is {state} now"
	Waits           Kind = "waits warning: PENDING: {why}"
	NotTurn         Kind = "scheduler-not-turn: the scheduler has not placed it yet (it says: {says})"
	NoRoom          Kind = "scheduler-no-room: no host has room for it (the scheduler says: {says})"
	NotPlaced       Kind = "scheduler-silent: the scheduler has not placed it yet"
	StillPending    Kind = "still-pending problem: still PENDING: {why}"
	Placed          Kind = "placed: deployed to host {on}"
	PlaceFailed     Kind = "place-failed warning: failed to place VMs: {error}; they are left to the scheduler"
	DeployFailed    Kind = "deploy-failed warning: {error}; it is left to the scheduler"
	CleanupEnded    Kind = "clean-up-ended: its clean-up on the dead host cannot succeed and was ended after {took} s"
	CleanupNotEnded Kind = "clean-up-not-ended warning: failed to end its clean-up: {error}; retrying"
	RecreatedAgain  Kind = "recreated-again warning: it is {state} on host {on} ({name}){says}; recreating it once more"
	Stuck           Kind = "stuck problem: {how}"
	StuckCleanup    Kind = "stuck-clean-up problem: " +
		"oned has been cleaning up for {took}; look at the log of the VM, then onevm recover --failure {id} moves it on"
	StuckCleanupOff  Kind = "stuck-clean-up-unproven problem: oned has been cleaning up on the failed host for {took}, which nothing proves to be off: when it is certainly off, say so{incident}"
	StuckPending     Kind = "stuck-pending problem: still PENDING after {took}: {why}"
	StuckUnplaced    Kind = "stuck-unplaced problem: still PENDING after {took}: the scheduler has not placed it; does it run?"
	StuckHold        Kind = "stuck-on-hold problem: it is on hold; onevm release {id} starts it"
	StuckState       Kind = "stuck-in-state problem: it has been {state} for {took}"
	EarlierUnread    Kind = "earlier-unread problem: requested by an earlier process, but the result could not be read: {error}"
	EarlierPlaced    Kind = "earlier-placed-again problem: it is {state} on host {on} ({name}), where the scheduler has placed it again"
	EarlierLost      Kind = "earlier-lost problem: oned lost the request: it is {state} on the host, which does not list it any more; onevm recover --recreate {id} starts it elsewhere"
	EarlierUntouched Kind = "earlier-untouched: nothing more was done: it is {state} on the host"

	// The budget of a VM and the rate of all.
	BudgetSpent    Kind = "budget-spent problem: given up after {attempts} attempts (limit {limit} within {window}), and left alone; find out what is wrong with it, then run {tool} {id} with --no-budget; not retried automatically before {until}"
	BudgetNone     Kind = "budget-none problem: FT_MAX_ATTEMPTS is 0: nothing is done automatically"
	BudgetWait     Kind = "budget-wait warning: attempt {attempt} of {limit}; it begins in {wait}"
	BudgetUnshared Kind = "budget-unshared warning: other front-ends will not know of this attempt: {error}"
	BudgetLeft     Kind = "budget-left: budget: this is attempt {attempt} of {limit} within {window}"
	BudgetLeftWait Kind = "budget-left-wait: budget: this is attempt {attempt} of {limit}, in {wait}"
	BudgetLeftNone Kind = "budget-left-none: budget: exhausted, {attempts} attempts of {limit} within {window}"
	RateUnknown    Kind = "rate-unknown warning: the rate of all VMs is not known: {error}"
	RateHeld       Kind = "rate-held warning: holding: many VMs fail at the same time"
	RateGivenUp    Kind = "rate-given-up problem: " +
		"held for {limit} and given up: so many VMs fail that what they share must have failed, such as a datastore"
)
