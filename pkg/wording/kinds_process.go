package wording

// What processes say of themselves: those of hooks, the coordinator and oneft resume.
const (
	Started         Kind = "started: started for {what} {id}, given by {source}"
	StartedCommand  Kind = "started-command: started: {command}"
	TemplateDamaged Kind = "template-damaged warning: the template that oned gave is damaged behind its ID; the ID is used"
	Connected       Kind = "connected: OpenNebula {version} at {endpoint}, as named by {source}"
	NewerVersion    Kind = "newer-version warning: " +
		"OpenNebula {version} is newer than all that one-ft was measured with; it is called like {dialect}"
	OnedAway         Kind = "oned-away warning: {error}; retrying in {wait}"
	OnedStillAway    Kind = "oned-still-away warning: {error}; {attempts} attempts failed since the last such line; retrying"
	OnedAwaited      Kind = "oned-awaited: waiting for oned at {endpoint}, for {limit} at most (--oned-wait)"
	NoLocks          Kind = "no-locks warning: working without locks: another one-ft could act on the same VMs at the same time: {error}"
	Failed           Kind = "failed problem: {error}"
	Trouble          Kind = "trouble warning: {error}"
	BatchOf          Kind = "batch: {reports}; {errors} with an error; {lines} left as they are"
	AnsweredWith     Kind = "answered-with: {answer}"
	InIncident       Kind = "in-incident: {summary} (incident {incident})"
	Answered         Kind = "answered: answered"
	MonitoringCycle  Kind = "monitoring-cycle: a monitoring cycle is {cycle} ({source})"
	MetricsUnwritten Kind = "metrics-unwritten warning: the incident is not in the metrics: {error}"

	Paused Kind = "paused problem: one-ft is paused until {until} by {who} ({reason}): nothing is fenced and no VM is touched; oneft unpause ends that"

	// LeftForPause is for a list whose last line says until when.
	LeftForPause Kind = "left-for-pause: left until the pause is over"

	PausedByHand Kind = "paused-by-hand problem: {why}; --override-pause acts all the same"

	// The coordinator.
	NotHandedOver    Kind = "not-handed-over warning: cannot hand over to the coordinator, recovering without it: {error}"
	CoordinatorHangs Kind = "coordinator-hangs warning: " +
		"the coordinator ({process}) has not responded for {limit}; recovering this host independently"
	RequestTooOld  Kind = "request-too-old warning: the request for host {id} of {since} is too old; it is left to oneft resume"
	HandedOver     Kind = "handed-over: handed over by {call}"
	HandedOverTo   Kind = "handed-over-to: handed over to {process}"
	AlreadyHandled Kind = "already-handled: host {id} is already being handled by {process}"
	OutageHandled  Kind = "outage-handled: this outage has been handled: incident {number}: {why}; see oneft incidents show {number}"
	LeftOnPurpose  Kind = "left-on-purpose: the VMs that are still there were left on purpose"
	NotByItself    Kind = "not-by-itself: {summary}; not retried automatically"
	TriedLater     Kind = "tried-later: {summary}; next retry at {at}"

	// oneft resume.
	Follower      Kind = "follower: this front-end is a Raft follower; oneft resume runs on the leader"
	LookingAgain  Kind = "looking-again: waiting {wait} for events that may be on their way"
	SweptOpen     Kind = "swept-open: its incident is open"
	SweptMissed   Kind = "swept-missed: no event came for it"
	SweptAgain    Kind = "swept-again: it is incomplete"
	SweptHandled  Kind = "swept-handled: handled by incident {number}"
	SweptAlive    Kind = "swept-alive: oned still calls it failed, but it is monitored again: it is alive (incident {number})"
	SweptLives    Kind = "swept-lives: oned still calls it failed, but its VMs are monitored again: it is alive"
	SweptPerson   Kind = "swept-person: incident {number} ended: {summary}; not retried automatically; see oneft incidents show {number}"
	SweptProof    Kind = "swept-proof: it was refused for lack of a proof that it is off, and there could be one now"
	SweptAsks     Kind = "swept-asks: incident {number} ended: {summary}; what could prove the host off does not answer yet; asked again at {at}"
	SweptStays    Kind = "swept-stays: incident {number} ended: {summary}; the host still answers; asked again at {at}"
	SweptLater    Kind = "swept-later: incident {number} is incomplete; next retry at {at}"
	SweptStopped  Kind = "swept-stopped: its owner had asked for it to stop when its host failed, which its host did not do: start it with vm_unknown {id}, or end it"
	SweptPause    Kind = "swept-pause: the pause in which it was left is over"
	SweptHomeless Kind = "swept-homeless: its last history record names host {on} ({name}), which no longer exists, so no host event is about it: when it certainly runs nowhere, onevm recover --recreate {id} starts it again"
	SweptNone     Kind = "swept-none: nobody has handled it, and the configuration says to leave it: run {tool} {id}"
	ResumedOne    Kind = "resumed-one: resuming incident {number} ({what} {id} {name})"
	NoJournal     Kind = "no-journal warning: working without the journal: {error}"
	MarkRemoved   Kind = "mark-removed: removed the mark that let ssh to {name} fail, left by a process that has ended"
	MarksRemain   Kind = "marks-remain warning: failed to remove marks that let ssh fail: {error}"
	TriedAgain    Kind = "tried-again: retry: {call}"
	HostReturned  Kind = "host-returned: the host is monitored again"
	TakenUp       Kind = "taken-up warning: resuming: the previous process was interrupted"
	FollowingVMs  Kind = "following-vms: following its VMs"
	TakenOver     Kind = "taken-over warning: taking over {incident}"
	LeftOpen      Kind = "left-open warning: this process got a signal to end; the next event or oneft resume continues"

	// oneft watch.
	WatchBegan      Kind = "watch-began: asking the way to all hosts every {every}; people are notified of a host that is silent for {limit} while others answer and oned calls it MONITORED"
	WatchFollows    Kind = "watch-follows: this front-end is a Raft follower; oneft watch works on the leader"
	WatchBlindOned  Kind = "watch-blind-oned warning: {error}; nothing is decided about silent hosts until oned answers"
	WatchLost       Kind = "watch-lost warning: {failed} of {hosts} hosts in service of {where} do not answer this front-end or are in ERROR, so the front-end is the likelier culprit; nothing is done about silent hosts"
	WatchNotFenced  Kind = "watch-not-fenced warning: nothing is configured that switches the power of {hosts}: people are only notified when they are silent"
	WatchSilent     Kind = "watch-silent problem: host {id} ({name}) has not answered this front-end since {since} while other hosts do, and oned calls it MONITORED: it goes on getting VMs; look at it through its BMC, and power it off when it is dead: then oned calls it failed, and its VMs are recovered"
	WatchFrozen     Kind = "watch-frozen problem: host {id} ({name}) has taken connections since {since} and said nothing, while other hosts answer, and oned calls it MONITORED: it is frozen: with a shipped ssh configuration oned never calls such a host failed, and it goes on getting VMs; power it off: then oned does, and its VMs are recovered"
	WatchHeard      Kind = "watch-heard problem: host {id} ({name}) has not answered this front-end since {since}, but oned has monitored it since: it is alive, and the drivers of oned do not reach it; look at its sshd, its firewall and the network in between"
	WatchActs       Kind = "watch-acts warning: host {id} ({name}) has been silent since {since}: recovering its VMs as if oned had called it failed"
	MonitoringHangs Kind = "monitoring-hangs warning: {count} restarts of the monitoring hang on hosts that take connections and say nothing: each keeps one of the 15 threads of the monitoring driver, and when all are taken no host becomes ERROR any more; end them: kill {processes}"
	AnswersAgain    Kind = "answers-again: host {id} ({name}), which had been silent since {since}, answers again"

	// Why an open incident is not resumed.
	NextWhileFollowing Kind = "next-while-following warning: the host was monitored again at {back} and has failed since, which is the next incident; VMs of this one were on their way"
	NextAfterBack      Kind = "next-after-back warning: the process was interrupted; the host was monitored again at {back} and has failed since, which is the next incident"
	NextAfterPause     Kind = "next-after-pause warning: the process was interrupted and not resumed within {limit}; the next incident does it"
)
