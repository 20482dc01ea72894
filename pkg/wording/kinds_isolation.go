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
		{FrontEndDown, Warning, "the front-end cannot be reached, but a witness answers: the front-end is the problem, not this host"},
		{FrontEndUnclear, Warning, "unknown whether the front-end can be reached"},
		{WitnessUnclear, Warning, "the front-end cannot be reached, and there is no witness that could be asked"},
		{NobodyAnswers, Warning, "neither the front-end nor any witness has answered for {period}"},
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
		{LeaseMisfit, Problem, "{error}; this host keeps its lease, but host_error may not wait long enough for it; host_isolated --check says what to set"},
		{NotRemembered, Problem, "{error}"},
		{StateUnusable, Warning, "{error}"},
		{WatchFailed, Problem, "{error}"},
		{WatchdogFailed, Problem, "hardware watchdog: {error}"},
		{WatchdogResets, Problem, "VMs may still run here: the hardware watchdog will reset this host"},

		{LogUnwritten, Problem, "{error}; continuing without it"},
		{LogNoFile, Problem, "no log on disk: {error}"},
		{LogDropped, Warning, "{lines} lines were dropped because the log hung"},
	}...)
}

// guestRows are about VMs on the host of host_isolated.
func guestRows() []row {
	return []row{
		{GuestsUnseen, Warning, "found no VMs on this host, but {error}"},
		{GuestsStopping, Problem, "stopping VMs {vms} ({how}): {why}"},
		{GuestsStopped, Problem, "VMs {vms} are stopped, verified, in {took}"},
		{GuestsRemain, Problem, "VMs {vms} may still run here after {took}: {error}"},
		{GuestsDrill, Problem, "drill: would stop VMs {vms} now ({how}): {why}"},
		{GuestStep, Info, "{step}"},
		{GuestTrouble, Warning, "{step}"},

		{CompareFailed, Warning, "failed to compare all VMs on this host with oned; retrying: {error}"},
		{CompareForbidden, Problem, "VM {id} runs here, and may be stale: {error}; give the user of the token USE rights on VMs"},
		{CompareByHand, Warning, "the network is back, and VMs {vms} run here; without a token (auth_file) there is no way to tell whether they were started elsewhere meanwhile; compare with onevm list"},
		{GuestsUnclear, Warning, "failed to list all VMs on this host: {error}"},
		{GuestStray, Warning, "VM {id} runs here, but oned does not know it; if nobody needs it: virsh destroy {domain}"},
		{GuestNotResumed, Warning, "VM {id} was stopped here and runs nowhere else (oned says {state}); once oned has noticed, start it on the front-end with onevm resume {id}"},
		{StaleDestroying, Problem, "destroying the stale copy of VM {id}: {why}"},
		{StaleDestroyed, Problem, "the stale copy of VM {id} is gone"},
		{StaleDrill, Problem, "drill: would destroy the stale copy of VM {id}: {why}"},
		{StaleEnded, Problem, "oned has ended it (DONE)"},
		{StalePlaced, Problem, "oned is placing it again ({state})"},
		{StaleElsewhere, Problem, "oned has it on host {on} ({name}), {state}"},
	}
}
