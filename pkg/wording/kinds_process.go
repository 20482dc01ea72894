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
	Failed           Kind = "failed"
	Trouble          Kind = "trouble"
	BatchOf          Kind = "batch"
	AnsweredWith     Kind = "answered-with"
	InIncident       Kind = "in-incident"
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
	LeftOnPurpose    Kind = "left-on-purpose"
	NotByItself      Kind = "not-by-itself"
	TriedLater       Kind = "tried-later"

	// oneft resume.
	Follower     Kind = "follower"
	LookingAgain Kind = "looking-again"
	SweptOpen    Kind = "swept-open"
	SweptMissed  Kind = "swept-missed"
	SweptAgain   Kind = "swept-again"
	SweptHandled Kind = "swept-handled"
	SweptAlive   Kind = "swept-alive"
	SweptLives   Kind = "swept-lives"
	SweptPerson  Kind = "swept-person"
	SweptLater   Kind = "swept-later"
	SweptNone    Kind = "swept-none"
	ResumedOne   Kind = "resumed-one"
	NoJournal    Kind = "no-journal"
	MarkRemoved  Kind = "mark-removed"
	MarksRemain  Kind = "marks-remain"
	TriedAgain   Kind = "tried-again"
	TakenUp      Kind = "taken-up"
	FollowingVMs Kind = "following-vms"
	TakenOver    Kind = "taken-over"
	LeftOpen     Kind = "left-open"

	// Why an open incident is not resumed.
	NextWhileFollowing Kind = "next-while-following"
	NextAfterBack      Kind = "next-after-back"
	NextAfterPause     Kind = "next-after-pause"
)

// processRows words those kinds.
func processRows() []row {
	return []row{
		{Started, Info, "started for {what} {id}, given by {source}"},
		{StartedCommand, Info, "started: {command}"},
		{TemplateDamaged, Warning, "the template that oned gave is damaged behind its ID; the ID is used"},
		{Connected, Info, "OpenNebula {version} at {endpoint}, as named by {source}"},
		{NewerVersion, Warning, "OpenNebula {version} is newer than all that one-ft was measured with; it is called like {dialect}"},
		{OnedAway, Warning, "{error}; retrying in {wait}"},
		{OnedStillAway, Warning, "{error}; {attempts} attempts failed since the last such line; retrying"},
		{NoLocks, Warning, "working without locks: another one-ft could act on the same VMs at the same time: {error}"},
		{Failed, Problem, "{error}"},
		{Trouble, Warning, "{error}"},
		{BatchOf, Info, "{reports}; {errors} with an error; {lines} left as they are"},
		{Answered, Info, "answered"},
		{AnsweredWith, Info, "{answer}"},
		{InIncident, Info, "{summary} (incident {incident})"},
		{MonitoringCycle, Info, "a monitoring cycle is {cycle} ({source})"},
		{MetricsUnwritten, Warning, "the incident is not in the metrics: {error}"},

		{NotHandedOver, Warning, "cannot hand over to the coordinator, recovering without it: {error}"},
		{CoordinatorHangs, Warning, "the coordinator ({process}) has not responded for {limit}; recovering this host independently"},
		{RequestTooOld, Warning, "the request for host {id} of {since} is too old; it is left to oneft resume"},
		{HandedOver, Info, "handed over by {call}"},
		{HandedOverTo, Info, "handed over to {process}"},
		{AlreadyHandled, Info, "host {id} is already being handled by {process}"},
		{LeftOnPurpose, Info, "the VMs that are still there were left on purpose"},
		{NotByItself, Info, "{summary}; not retried automatically"},
		{TriedLater, Info, "{summary}; next retry at {at}"},
		{OutageHandled, Info, "this outage has been handled: incident {number}: {why}; see oneft incidents show {number}"},

		{Follower, Info, "this front-end is a Raft follower; oneft resume runs on the leader"},
		{LookingAgain, Info, "waiting {wait} for events that may be on their way"},
		{SweptOpen, Info, "its incident is open"},
		{SweptMissed, Info, "no event came for it"},
		{SweptAgain, Info, "it is incomplete"},
		{SweptHandled, Info, "handled by incident {number}"},
		{SweptAlive, Info, "oned still calls it failed, but it is monitored again: it is alive (incident {number})"},
		{SweptLives, Info, "oned still calls it failed, but its VMs are monitored again: it is alive"},
		{SweptPerson, Info, "incident {number} ended: {summary}; not retried automatically; see oneft incidents show {number}"},
		{SweptLater, Info, "incident {number} is incomplete; next retry at {at}"},
		{SweptNone, Info, "nobody has handled it, and the configuration says to leave it: run {tool} {id}"},
		{ResumedOne, Info, "resuming incident {number} ({what} {id} {name})"},
		{NoJournal, Warning, "working without the journal: {error}"},
		{MarkRemoved, Info, "removed the mark that let ssh to {name} fail, left by a process that has ended"},
		{MarksRemain, Warning, "failed to remove marks that let ssh fail: {error}"},
		{TriedAgain, Info, "retry: {call}"},
		{TakenUp, Warning, "resuming: the previous process was interrupted"},
		{FollowingVMs, Info, "following its VMs"},
		{TakenOver, Warning, "taking over {incident}"},
		{NextWhileFollowing, Warning, "the host was monitored again at {back} and has failed since, which is the next incident; VMs of this one were on their way"},
		{NextAfterBack, Warning, "the process was interrupted; the host was monitored again at {back} and has failed since, which is the next incident"},
		{NextAfterPause, Warning, "the process was interrupted and not resumed within {limit}; the next incident does it"},
		{LeftOpen, Warning, "this process got a signal to end; the next event or oneft resume continues"},
	}
}
