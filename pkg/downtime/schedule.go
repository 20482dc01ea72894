package downtime

import "time"

// planTimer is how often oned of 7.x checks whether its window is over (SchedulerManager::timer_period).
const planTimer = 5 * time.Second

// placing is how long it takes to deploy VMs by hand (place: true): oned answers in some 20 ms, and the
// cloud is read before. An assumption.
var placing = Between(1, 5)

// perRun is how many VMs one run of the scheduler, or one plan, starts on so many hosts. unlimited is the
// value of a limit that means none.
func perRun(hosts, perHost, inAll int, unlimitedHost bool) int {
	n := maxCount
	if perHost > 0 || !unlimitedHost {
		n = hosts * perHost
	}
	if inAll > 0 {
		n = min(n, inAll)
	}
	return n
}

// Scheduling is how long it takes from the moment when all VMs are PENDING until the scheduler starts the
// last of them. hosts are those that can take them; with none it is Never.
//
// Up to 6.10 (src/scheduler/src/sched/Scheduler.cc): every SCHED_INTERVAL at most MAX_DISPATCH VMs, at most
// MAX_HOST of them on one host, so as shipped with 6.10 one VM on each host every 15 s: 40 VMs on 4 hosts
// in 150 s.
//
// 7.x (src/schedm/SchedulerManager.cc, PlanManager.cc; src/schedm_mad/remotes/rank): oned asks for a plan
// when its window is full or over; a plan has at most MAX_HOST VMs for one host; oned starts at most
// MAX_ACTIONS_PER_HOST of them on a host and MAX_ACTIONS_PER_CLUSTER in all, and starts more at a tick of
// MANAGER_TIMER; when all of a plan are RUNNING it asks for the next one. So it takes as long as the VMs
// take to start: start is from the call to RUNNING.
func Scheduling(vms, hosts int, s Settings, start Span) Span {
	switch {
	case vms <= 0:
		return Span{}
	case hosts <= 0:
		return Never()
	case s.Plans():
		return s.planning(vms, hosts, start)
	}
	run := min(perRun(hosts, s.number(MaxHost), s.number(MaxDispatch), false), max(1, s.number(MaxVM)))
	if run <= 0 {
		return Never() // MAX_HOST = 0
	}
	rounds := (vms + run - 1) / run
	interval := s.seconds(SchedInterval)
	return Span{times(interval, rounds-1), times(interval, rounds)}
}

func (s Settings) planning(vms, hosts int, start Span) Span {
	plan := perRun(hosts, s.number(MaxHost), 0, true)
	wave := perRun(hosts, max(1, s.number(ActionsPerHost)), max(1, s.number(ActionsPerCluster)), true)
	if timeout := s.seconds(ActionTimeout); timeout > 0 {
		start = Span{min(start.Low, timeout), min(start.High, timeout)}
	}
	tick := Span{0, s.seconds(ManagerTimer)}
	waves := func(n int) int { return (min(n, plan)+wave-1)/wave - 1 } // before the last one of a plan
	plans := (vms+plan-1)/plan - 1                                     // before the last one
	last := vms - plans*plan

	full := start.Plus(start.Plus(tick).Times(waves(plan)))
	// The window may be open already, and is over at once with SCHED_MAX_WND_LENGTH VMs.
	total := Span{0, add(s.seconds(WindowTime), planTimer)}.Plus(full.Times(plans))
	return total.Plus(start.Plus(tick).Times(waves(last)))
}
