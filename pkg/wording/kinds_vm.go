package wording

// What happens to a VM, and its outcomes.
const (
	// Calls to oned.
	Accepted      Kind = "accepted"
	CallRefused   Kind = "call-refused"
	CallFailed    Kind = "call-failed"
	CallError     Kind = "call-error"
	Replanned     Kind = "replanned"
	ResumedVainly Kind = "resumed-in-vain"
	AskedAgain    Kind = "asked-again"
	AskedLater    Kind = "asked-again-later"
	StaysOnHost   Kind = "stays-on-host"
	StaysFailed   Kind = "stays-failed"
	OutOfTime     Kind = "out-of-time"
	ToldToEnd     Kind = "told-to-end"
	NotLeft       Kind = "not-left"
	NotLeftWaits  Kind = "not-left-waits"
	ResultUnread  Kind = "result-unread"
	Late          Kind = "late"

	// Where it arrived, or not.
	Gone        Kind = "gone"
	Running     Kind = "running"
	Moved       Kind = "moved"
	Deleted     Kind = "deleted"
	EndedWanted Kind = "ended-as-wanted"
	OldCopy     Kind = "old-copy-may-run"
	OldHost     Kind = "old-host"     // oned says that a VM runs where it ran before: that may be its old guest
	Ended       Kind = "ended"        // a VM was to run, and was ended by somebody meanwhile
	FailedAgain Kind = "failed-again" // a VM failed on its new host, or fell back into its failure
	FailedThere Kind = "failed-there"
	FellBack    Kind = "fell-back"
	NotAgain    Kind = "not-again"
	FailedAnew  Kind = "failed-anew"
	HostBack    Kind = "host-back"
	HostWasOff  Kind = "host-was-off"

	// On its way.
	IsNow            Kind = "is-now"
	StillCleaning    Kind = "still-cleaning-up"
	LeftUnplaced     Kind = "left-unplaced"
	LeftWaiting      Kind = "left-waiting"
	LeftIs           Kind = "left-is"
	Waits            Kind = "waits" // a VM waits for something on its way
	NotTurn          Kind = "scheduler-not-turn"
	NoRoom           Kind = "scheduler-no-room"
	NotPlaced        Kind = "scheduler-silent"
	StillPending     Kind = "still-pending"
	Placed           Kind = "placed" // a VM was given a host by one-ft
	PlaceFailed      Kind = "place-failed"
	DeployFailed     Kind = "deploy-failed"
	CleanupEnded     Kind = "clean-up-ended" // oned was told to move on from a clean-up that cannot succeed
	CleanupNotEnded  Kind = "clean-up-not-ended"
	RecreatedAgain   Kind = "recreated-again"
	Stuck            Kind = "stuck" // a VM waited for longer than its limit
	StuckCleanup     Kind = "stuck-clean-up"
	StuckCleanupOff  Kind = "stuck-clean-up-unproven"
	StuckPending     Kind = "stuck-pending"
	StuckUnplaced    Kind = "stuck-unplaced"
	StuckHold        Kind = "stuck-on-hold"
	StuckState       Kind = "stuck-in-state"
	EarlierUnread    Kind = "earlier-unread"
	EarlierPlaced    Kind = "earlier-placed-again"
	EarlierLost      Kind = "earlier-lost"
	EarlierUntouched Kind = "earlier-untouched"

	// The budget of a VM and the rate of all.
	BudgetSpent    Kind = "budget-spent"
	BudgetNone     Kind = "budget-none"
	BudgetWait     Kind = "budget-wait"
	BudgetUnshared Kind = "budget-unshared"
	BudgetLeft     Kind = "budget-left"
	BudgetLeftWait Kind = "budget-left-wait"
	BudgetLeftNone Kind = "budget-left-none"
	RateUnknown    Kind = "rate-unknown"
	RateHeld       Kind = "rate-held"
	RateGivenUp    Kind = "rate-given-up"
)

// vmRows words those kinds.
func vmRows() []row {
	return append(wayRows(), []row{
		{Accepted, Info, "accepted by oned"},
		{CallRefused, Warning, "{error}; reading it again"},
		{CallFailed, Warning, "{error}; retrying"},
		{CallError, Problem, "{error}"},
		{Replanned, Warning, "it is {state} now: {verb} instead of {before} ({why})"},
		{ResumedVainly, Problem, "resumed {times} times, but it fell back each time before it could be recreated"},
		{AskedAgain, Warning, "still {state}; sending the request again"},
		{AskedLater, Warning, "still {state} on the host {seconds} s after oned accepted it; sending the request again"},
		{StaysOnHost, Problem, "oned accepted it {times} times, but the VM stays {state} on the host; look at oned.log and onevm show {id}"},
		{StaysFailed, Problem, "oned accepted it {times} times, but the VM stays {state}{says}"},
		{OutOfTime, Problem, "timed out: {error}"},
		{ToldToEnd, Problem, "accepted by oned, but this process was interrupted before it verified the result"},
		{NotLeft, Problem, "accepted by oned, but timed out: the VM is still on the host"},
		{NotLeftWaits, Problem, "accepted by oned, but timed out: the VM is still on the host: {why}"},
		{ResultUnread, Problem, "accepted by oned, but the result could not be read: {error}"},
		{Late, Problem, "accepted by oned, but timed out: it is {state}"},

		{Gone, Info, "it no longer exists"},
		{Running, Info, "running on host {on} ({name})"},
		{Moved, Info, "{state} on host {on} ({name})"},
		{Deleted, Info, "deleted"},
		{EndedWanted, Info, "it has ended, as requested"},
		{OldCopy, Warning, "{what}; nothing proves that its old copy does not run, too"},
		{OldHost, Problem, "oned says that it runs on host {on} ({name}) again, where its old guest may be meant: look at it there before you trust it; onevm show {id}"},
		{Ended, Problem, "it ended meanwhile"},
		{FailedAgain, Problem, "{how}"},
		{FailedThere, Problem, "it is {state} on host {on} ({name}){says}"},
		{FellBack, Problem, "it fell back to {state}{says}"},
		{NotAgain, Problem, "it is {state} on host {on} ({name}){says}; recreating it once more failed: {error}"},
		{FailedAnew, Warning, "it has failed again"},
		{HostBack, Info, "the host came back: the VM is left alone"},
		{HostWasOff, Problem, "the host came back after it had been off: the VM does not run there until it is started; onevm resume {id}"},

		{BudgetSpent, Problem, "given up after {attempts} of {limit} attempts within {window}, and left alone; find out what is wrong with it, then run {tool} {id} with --no-budget; not retried automatically before {until}"},
		{BudgetNone, Problem, "FT_MAX_ATTEMPTS is 0: nothing is done automatically"},
		{BudgetWait, Warning, "attempt {attempt} of {limit}; it begins in {wait}"},
		{BudgetUnshared, Warning, "other front-ends will not know of this attempt: {error}"},
		{BudgetLeft, Info, "budget: this is attempt {attempt} of {limit} within {window}"},
		{BudgetLeftWait, Info, "budget: this is attempt {attempt} of {limit}, in {wait}"},
		{BudgetLeftNone, Info, "budget: exhausted, {attempts} attempts of {limit} within {window}"},
		{RateUnknown, Warning, "the rate of all VMs is not known: {error}"},
		{RateHeld, Warning, "holding: many VMs fail at the same time"},
		{RateGivenUp, Problem, "held for {limit} and given up: so many VMs fail that what they share must have failed, such as a datastore"},
	}...)
}

func wayRows() []row {
	return []row{
		{IsNow, Info, "it is {state} now"},
		{StillCleaning, Info, "oned is still cleaning up on the failed host"},
		{LeftUnplaced, Info, "left the host; the scheduler has not placed it yet"},
		{LeftWaiting, Info, "left the host, PENDING: {why}"},
		{LeftIs, Info, "left the host, and is {state} now"},
		{Waits, Warning, "PENDING: {why}"},
		{NotTurn, Info, "the scheduler has not placed it yet (it says: {says})"},
		{NoRoom, Info, "no host has room for it (the scheduler says: {says})"},
		{NotPlaced, Info, "the scheduler has not placed it yet"},
		{StillPending, Problem, "still PENDING: {why}"},
		{Placed, Info, "deployed to host {on}"},
		{PlaceFailed, Warning, "failed to place VMs: {error}; they are left to the scheduler"},
		{DeployFailed, Warning, "{error}; it is left to the scheduler"},
		{CleanupEnded, Info, "its clean-up on the dead host cannot succeed and was ended after {took} s"},
		{CleanupNotEnded, Warning, "failed to end its clean-up: {error}; retrying"},
		{RecreatedAgain, Warning, "it is {state} on host {on} ({name}){says}; recreating it once more"},
		{Stuck, Problem, "{how}"},
		{StuckCleanup, Problem, "oned has been cleaning up for {took}; look at the log of the VM, then onevm recover --failure {id} moves it on"},
		{StuckCleanupOff, Problem, "oned has been cleaning up on the failed host for {took}, which nothing proves to be off: when it is certainly off, say so{incident}"},
		{StuckPending, Problem, "still PENDING after {took}: {why}"},
		{StuckUnplaced, Problem, "still PENDING after {took}: the scheduler has not placed it; does it run?"},
		{StuckHold, Problem, "it is on hold; onevm release {id} starts it"},
		{StuckState, Problem, "it has been {state} for {took}"},
		{EarlierUnread, Problem, "requested by an earlier process, but the result could not be read: {error}"},
		{EarlierPlaced, Problem, "it is {state} on host {on} ({name}), where the scheduler has placed it again"},
		{EarlierLost, Problem, "oned lost the request: it is {state} on the host, which does not list it any more; onevm recover --recreate {id} starts it elsewhere"},
		{EarlierUntouched, Info, "nothing more was done: it is {state} on the host"},
	}
}
