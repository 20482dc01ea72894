package wording

// What host_isolated finds out and does on its host.
const (
	// Why a round has its phase.
	FrontEndReached   Kind = "front-end-reached: the front-end can be reached"
	FrontEndSaysError Kind = "front-end-says-error warning: " +
		"oned says that this host is in ERROR, although the front-end can be reached from here"
	FrontEndRefuses Kind = "front-end-refuses warning: the machine of the front-end answers, but oned does not listen there"
	FrontEndDown    Kind = "front-end-down warning: " +
		"the front-end cannot be reached, but a witness answers: the front-end is the problem, not this host"
	FrontEndUnclear Kind = "front-end-unclear warning: unknown whether the front-end can be reached"
	WitnessUnclear  Kind = "witness-unclear warning: the front-end cannot be reached, and there is no witness that could be asked"
	NobodyAnswers   Kind = "nobody-answers warning: neither the front-end nor any witness has answered for {period}"
	OnedSilent      Kind = "oned-silent warning: oned does not say how this host is"
	OnedReports     Kind = "oned-reports warning: oned says {state}"
	LeaseRenewed    Kind = "lease-renewed: oned says {state}; the lease is renewed"
	LeaseMissed     Kind = "lease-missed warning: {why}; the lease was renewed {age} ago"
	LeaseNever      Kind = "lease-never warning: {why}; it has never renewed the lease of this host, so there is none to lose; correct what host_isolated --check calls WRONG"
	JustBooted      Kind = "just-booted warning: {why}; but the host was booted {age} ago"

	// Rounds.
	Watching Kind = "watching: " +
		"watching; VMs are stopped ({how}) when this host is isolated for {period}, and gone at most {reaction} after that"
	WatchingLease  Kind = "watching-lease: watching; VMs are stopped ({how}) when this host is without a lease for {period}, and gone at most {reaction} after that"
	RoundFine      Kind = "round-fine: {phase}: {why}"
	RoundNotFine   Kind = "round-not-fine warning: {phase}: {why} ({probes})"
	RoundCountdown Kind = "round-countdown warning: {phase}: {why}; VMs will be stopped in {left} unless this changes ({probes})"
	LeaseMisfit    Kind = "lease-misfit problem: {error}; this host keeps its lease, but host_error may not wait long enough for it; host_isolated --check says what to set"
	NotRemembered  Kind = "not-remembered problem: {error}"
	StateUnusable  Kind = "state-unusable warning: {error}"
	WatchFailed    Kind = "watch-failed problem: {error}"

	// Stopping VMs.
	GuestsUnseen   Kind = "guests-unseen warning: found no VMs on this host, but {error}"
	GuestsStopping Kind = "guests-stopping problem: stopping VMs {vms} ({how}): {why}"
	GuestsStopped  Kind = "guests-stopped problem: VMs {vms} are stopped, verified, in {took}"
	GuestsRemain   Kind = "guests-remain problem: VMs {vms} may still run here after {took}: {error}"
	GuestsDrill    Kind = "guests-drill problem: drill: would stop VMs {vms} now ({how}): {why}"
	GuestStep      Kind = "guest-step: {step}"
	GuestTrouble   Kind = "guest-trouble warning: {step}"
	WatchdogFailed Kind = "watchdog-failed problem: hardware watchdog: {error}"
	WatchdogResets Kind = "watchdog-resets problem: VMs may still run here: the hardware watchdog will reset this host"

	// A host that is back compares its VMs with what oned knows.
	CompareFailed    Kind = "compare-failed warning: failed to compare all VMs on this host with oned; retrying: {error}"
	CompareForbidden Kind = "compare-forbidden problem: " +
		"VM {id} runs here, and may be stale: {error}; give the user of the token USE rights on VMs"
	CompareByHand Kind = "compare-by-hand warning: the network is back, and VMs {vms} run here; without a token (auth_file) there is no way to tell whether they were started elsewhere meanwhile; compare with onevm list"
	GuestsUnclear Kind = "guests-unclear warning: failed to list all VMs on this host: {error}"
	// What oned calls a guest.
	GuestNameUnknown Kind = "guest-name-unknown warning: VM {id} is on this host, but oned does not say what its guest is called; if it was imported, it is not recognised: {error}"
	StaleByMetadata  Kind = "stale-by-metadata warning: {name} is taken for VM {id}, which is elsewhere ({why}), by its metadata or DEPLOY_ID; unless somebody has copied the VM on purpose: {command}"
	GuestStray       Kind = "guest-stray warning: VM {id} runs here, but oned does not know it; if nobody needs it: {command}"
	GuestNotResumed  Kind = "guest-not-resumed warning: VM {id} was stopped here and runs nowhere else (oned says {state}); once oned has noticed, start it on the front-end with onevm resume {id}"
	StaleDestroying  Kind = "stale-destroying problem: destroying the stale copy of VM {id}: {why}"
	StaleDestroyed   Kind = "stale-destroyed problem: the stale copy of VM {id} is gone"
	StaleDrill       Kind = "stale-drill problem: drill: would destroy the stale copy of VM {id}: {why}"
	StaleEnded       Kind = "stale-ended problem: oned has ended it (DONE)"
	StalePlaced      Kind = "stale-placed problem: oned is placing it again ({state})"
	StaleElsewhere   Kind = "stale-elsewhere problem: oned has it on host {on} ({name}), {state}"

	// Its log.
	LogUnwritten Kind = "log-unwritten problem: {error}; continuing without it"
	LogNoFile    Kind = "log-no-file problem: no log on disk: {error}"
	LogDropped   Kind = "log-dropped warning: {lines} lines were dropped because the log hung"
)
