package wording

// What processes say of themselves: those of hooks, the coordinator and oneft resume.
const (
	Started          Kind = "started"
	StartedCommand   Kind = "started-command"
	TemplateDamaged  Kind = "template-damaged"
	Connected        Kind = "connected"
	NewerVersion     Kind = "newer-version"
	OnedAway         Kind = "oned-away"
	OnedStillAway    Kind = "oned-still-away"
	NoLocks          Kind = "no-locks"
	Trouble          Kind = "trouble"
	Answered         Kind = "answered"
	MonitoringCycle  Kind = "monitoring-cycle"
	MetricsUnwritten Kind = "metrics-unwritten"

	// The coordinator.
	NotHandedOver    Kind = "not-handed-over"
	CoordinatorHangs Kind = "coordinator-hangs"
	RequestTooOld    Kind = "request-too-old"
	HandedOver       Kind = "handed-over"
	HandedOverTo     Kind = "handed-over-to"
	AlreadyHandled   Kind = "already-handled"
	OutageHandled    Kind = "outage-handled"

	// oneft resume.
	Follower     Kind = "follower"
	LookingAgain Kind = "looking-again"
	NotResumed   Kind = "not-resumed"
	Resumed      Kind = "resumed"
	ResumedOne   Kind = "resumed-one"
	NoJournal    Kind = "no-journal"
	MarkRemoved  Kind = "mark-removed"
	MarksRemain  Kind = "marks-remain"
	TriedAgain   Kind = "tried-again"
	TakenUp      Kind = "taken-up"
	FollowingVMs Kind = "following-vms"
	TakenOver    Kind = "taken-over"
	LeftOpen     Kind = "left-open"
)

// processRows words those kinds.
func processRows() []row {
	return []row{
		{Started, Info, "started for {what} {id}, given by {source}"},
		{StartedCommand, Info, "started: {command}"},
		{TemplateDamaged, Warning, "the template that oned gave is damaged behind its ID; the ID is used"},
		{Connected, Info, "OpenNebula {version} at {endpoint}, as named by {source}"},
		{NewerVersion, Warning, "OpenNebula {version} is newer than all that one-ft was measured with; it is called like {dialect}"},
		{OnedAway, Warning, "{error}; trying again in {wait}"},
		{OnedStillAway, Warning, "{error}; {attempts} attempts failed since the last such line; trying again"},
		{NoLocks, Warning, "working without locks: another one-ft could act on the same VMs at the same time: {error}"},
		{Trouble, Warning, "{error}"},
		{Answered, Info, "{answer}"},
		{MonitoringCycle, Info, "a monitoring cycle is {cycle} ({source})"},
		{MetricsUnwritten, Warning, "the incident is not in the metrics: {error}"},

		{NotHandedOver, Warning, "working without handing over: {error}"},
		{CoordinatorHangs, Warning, "{process} has the hosts, but has not been at work for {limit}; working without it"},
		{RequestTooOld, Warning, "the request for host {id} of {since} is too old; it is left to oneft resume"},
		{HandedOver, Info, "handed over by {call}"},
		{HandedOverTo, Info, "handed over to {process}"},
		{AlreadyHandled, Info, "host {id} is already being handled by {process}"},
		{OutageHandled, Info, "this outage has been handled: incident {number}: {why}; see oneft incidents show {number}"},

		{Follower, Info, "this front-end follows another one, which does this"},
		{LookingAgain, Info, "looking again in {wait} whether an event has come"},
		{NotResumed, Info, "{what}: {why}"},
		{Resumed, Info, "{what}: {why}"},
		{ResumedOne, Info, "going on with incident {number} ({what} {id} {name})"},
		{NoJournal, Warning, "working without the journal: {error}"},
		{MarkRemoved, Info, "removed the mark that let ssh to {name} fail, left by a process that has ended"},
		{MarksRemain, Warning, "failed to remove marks that let ssh fail: {error}"},
		{TriedAgain, Info, "tried again: {call}"},
		{TakenUp, Warning, "the process before was stopped in the middle; this one goes on"},
		{FollowingVMs, Info, "following its VMs"},
		{TakenOver, Warning, "going on with {incident}"},
		{LeftOpen, Warning, "this process was told to end; the next event or oneft resume goes on"},
	}
}
