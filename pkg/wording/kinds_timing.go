package wording

// Times that make no sense together, and what to do about it.
const (
	WatchTooLong Kind = "watch-too-long warning: a failed host is watched for {watch} before anything is done: its VMs are down for all of that, and a host that is not back after {enough} does not come back on its own"
	WatchHides   Kind = "watch-hides-storm problem: a failed host is watched for {watch}, and the storm guard counts only hosts that failed within {window}: hosts that failed together no longer count when it looks, so no storm is held"
	HookKilled   Kind = "hook-killed problem: its TIMEOUT is {limit}, and watching ({watch}) and fencing (up to {fencing}) come first: oned kills it before it acts on a VM, and does not call it again"
	HookShort    Kind = "hook-timeout-short warning: its TIMEOUT is {limit}, and watching ({watch}), fencing (up to {fencing}), a storm ({hold}) and acting ({acting}) can take {sum}: oned may kill it while it works"
	StormNoEnd   Kind = "storm-never-ends problem: a storm has to stay away for {cooldown}, at least a monitoring cycle, before anything is done, and is given up after {limit}: none can end before, so VMs that a storm holds are never recovered automatically"
	LeaseBehind  Kind = "lease-behind-watch: the lease is waited for {lease} after ERROR, and the host is watched for {watch}: nothing is done before the lease has run out"
	BudgetNoEnd  Kind = "budget-never-spent warning: {attempts} attempts take at least {sum} with their back-off, and attempts count for {window} only: a VM that never works is retried forever"

	FixWatch   Kind = "fix-watch: watch it for {cycles} monitoring cycles (-p {cycles}), or fence it at once (fence_first: true)"
	FixWindow  Kind = "fix-window: watch it for less, or set storm.window to {least} or longer"
	FixTimeout Kind = "fix-timeout: set its TIMEOUT to {seconds} or more"
	FixGiveUp  Kind = "fix-give-up: set storm.give_up to {least} or longer"
	FixLease   Kind = "fix-lease: watch it for {lease}, which costs no time, or shorten the lease"
	FixBudget  Kind = "fix-budget: set budget.window to {least} or longer, or a shorter budget.back_off"
)
