package wording

// What host_isolated finds out and does on its host.
const (
	// Why a round has its phase.
	FrontEndReached   Kind = "front-end-reached"
	FrontEndSaysError Kind = "front-end-says-error"
	FrontEndRefuses   Kind = "front-end-refuses"
	FrontEndDown      Kind = "front-end-down"
	FrontEndUnclear   Kind = "front-end-unclear"
	WitnessUnclear    Kind = "witness-unclear"
	NobodyAnswers     Kind = "nobody-answers"
	OnedSilent        Kind = "oned-silent"
	OnedReports       Kind = "oned-reports"
	LeaseRenewed      Kind = "lease-renewed"
	LeaseMissed       Kind = "lease-missed"
	LeaseNever        Kind = "lease-never"
	JustBooted        Kind = "just-booted"

	// Rounds.
	Watching       Kind = "watching"
	WatchingLease  Kind = "watching-lease"
	RoundFine      Kind = "round-fine"
	RoundNotFine   Kind = "round-not-fine"
	RoundCountdown Kind = "round-countdown" // VMs will be stopped unless something changes
	LeaseMisfit    Kind = "lease-misfit"
	NotRemembered  Kind = "not-remembered"
	StateUnusable  Kind = "state-unusable"
	WatchFailed    Kind = "watch-failed"

	// Stopping VMs.
	GuestsUnseen   Kind = "guests-unseen"
	GuestsStopping Kind = "guests-stopping"
	GuestsStopped  Kind = "guests-stopped"
	GuestsRemain   Kind = "guests-remain"
	GuestsDrill    Kind = "guests-drill"
	GuestStep      Kind = "guest-step"
	GuestTrouble   Kind = "guest-trouble"
	WatchdogFailed Kind = "watchdog-failed"
	WatchdogResets Kind = "watchdog-resets"

	// A host that is back compares its VMs with what oned knows.
	CompareFailed    Kind = "compare-failed"
	CompareForbidden Kind = "compare-forbidden"
	CompareByHand    Kind = "compare-by-hand"
	GuestsUnclear    Kind = "guests-unclear"
	GuestStray       Kind = "guest-stray" // oned does not know it
	GuestNotResumed  Kind = "guest-not-resumed"
	StaleDestroying  Kind = "stale-destroying"
	StaleDestroyed   Kind = "stale-destroyed"
	StaleDrill       Kind = "stale-drill"
	StaleEnded       Kind = "stale-ended"
	StalePlaced      Kind = "stale-placed"
	StaleElsewhere   Kind = "stale-elsewhere"

	// Its log.
	LogUnwritten Kind = "log-unwritten"
	LogNoFile    Kind = "log-no-file"
	LogDropped   Kind = "log-dropped"
)

// isolationRows words those kinds.
func isolationRows() []row {
	return append(guestRows(), []row{
		{FrontEndReached, Info, "the front-end can be reached"},
		{FrontEndSaysError, Warning, "oned says that this host is in ERROR, although the front-end can be reached from here"},
		{FrontEndRefuses, Warning, "the machine of the front-end answers, but oned does not listen there"},
		{FrontEndDown, Warning, "the front-end cannot be reached, but a witness answers: this is the front-end's trouble"},
		{FrontEndUnclear, Warning, "whether the front-end can be reached is not known"},
		{WitnessUnclear, Warning, "the front-end cannot be reached, and there is no witness that could be asked"},
		{NobodyAnswers, Warning, "neither the front-end nor a witness answers for {period}"},
		{OnedSilent, Warning, "oned does not answer for this host"},
		{OnedReports, Warning, "oned says {state}"},
		{LeaseRenewed, Info, "oned says {state}; the lease is renewed"},
		{LeaseMissed, Warning, "{why}; the lease was renewed {age} ago"},
		{LeaseNever, Warning, "{why}; it has never renewed the lease of this host, so there is none to lose; check the settings (host_isolated --check)"},
		{JustBooted, Warning, "{why}; but the host was booted {age} ago"},

		{Watching, Info, "watching; VMs are stopped ({how}) when this host is isolated for {period}, and gone at most {reaction} after that"},
		{WatchingLease, Info, "watching; VMs are stopped ({how}) when this host is without a lease for {period}, and gone at most {reaction} after that"},
		{RoundFine, Info, "{phase}: {why}"},
		{RoundNotFine, Warning, "{phase}: {why} ({probes})"},
		{RoundCountdown, Warning, "{phase}: {why}; VMs will be stopped in {left} unless this changes ({probes})"},
		{LeaseMisfit, Problem, "{error}; this host goes on as before, but host_error may not wait for it long enough; host_isolated --check says what to set"},
		{NotRemembered, Problem, "{error}"},
		{StateUnusable, Warning, "{error}"},
		{WatchFailed, Problem, "{error}"},
		{WatchdogFailed, Problem, "hardware watchdog: {error}"},
		{WatchdogResets, Problem, "VMs may still run here: the hardware watchdog will reset this host"},

		{LogUnwritten, Problem, "{error}; it is done all the same"},
		{LogNoFile, Problem, "no log on disk: {error}"},
		{LogDropped, Warning, "{lines} lines were dropped because the log hung"},
	}...)
}

// guestRows are about VMs on the host of host_isolated.
func guestRows() []row {
	return []row{
		{GuestsUnseen, Warning, "no VMs are seen here, but {error}"},
		{GuestsStopping, Problem, "stopping VMs {vms} ({how}): {why}"},
		{GuestsStopped, Problem, "VMs {vms} are stopped, verified, in {took}"},
		{GuestsRemain, Problem, "VMs {vms} may still run here after {took}: {error}"},
		{GuestsDrill, Problem, "drill: would stop VMs {vms} now ({how}): {why}"},
		{GuestStep, Info, "{step}"},
		{GuestTrouble, Warning, "{step}"},

		{CompareFailed, Warning, "the VMs here could not all be compared with what oned knows, which is tried again: {error}"},
		{CompareForbidden, Problem, "VM {id} runs here, and whether it is still wanted here cannot be asked: {error}; give the user of the token USE rights on VMs"},
		{CompareByHand, Warning, "the network is back, and VMs {vms} run here; without a token (auth_file) oned cannot be asked whether they were started elsewhere meanwhile; compare with onevm list"},
		{GuestsUnclear, Warning, "looking for VMs here: {error}"},
		{GuestStray, Warning, "VM {id} runs here, and oned does not know it; look at it, and destroy it with virsh destroy {domain} if nobody needs it"},
		{GuestNotResumed, Warning, "VM {id} was stopped here and runs nowhere else (oned says {state}): onevm resume {id} on the front-end starts it when oned has noticed"},
		{StaleDestroying, Problem, "destroying the stale copy of VM {id}: {why}"},
		{StaleDestroyed, Problem, "the stale copy of VM {id} is gone"},
		{StaleDrill, Problem, "drill: would destroy the stale copy of VM {id}: {why}"},
		{StaleEnded, Problem, "oned has ended it (DONE)"},
		{StalePlaced, Problem, "oned is placing it again ({state})"},
		{StaleElsewhere, Problem, "oned has it on host {on} ({name}), {state}"},
	}
}
