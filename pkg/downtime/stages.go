package downtime

import (
	"slices"
	"time"
)

// Detection is how long it takes until a host that failed is ERROR.
//
// monitord (5.12 and later; src/monitor/src/monitor/HostMonitorManager.cc): a host that sent no beacon for
// MONITORING_INTERVAL_HOST has its monitoring restarted at the next tick of MANAGER_TIMER, by two ssh commands in a row
// (HostSyncManager of src/im_mad/im_exec), which the -w of the driver does not bound. Measured with 6.10: no ARP 34 s
// with an interval of 20 s, so 155 to 200 s as shipped; dropped 290 s, so 420 to 465 s; with ConnectTimeout 5 33 to 45
// s, so 160 to 205 s; frozen, or sshd dead: never; libvirtd dead: 136 s, at most the 600 s of SYSTEM_HOST.
//
// oned (4.4 to 5.10; src/im/InformationManager.cc, src/mad/ruby/CommandManager.rb; read, not measured): a
// host that pushed nothing for the interval is asked over ssh, at the next tick; a command that fails is
// repeated -r times, a second apart, and from 5.6 on ends after the -w of the driver, even on a frozen host.
// A probe that fails, such as that of a dead libvirtd, makes the next push an error.
func Detection(s Settings, f Failure, ssh SSH) Span {
	sign, probe, tick := s.seconds(Beacon), s.seconds(SystemProbe), s.seconds(MonitordTimer)
	if !s.Beacons() {
		sign, probe, tick = s.seconds(Push), s.seconds(Push), s.seconds(ManagerTimer)
	}
	switch f {
	case NoSSHD:
		return Never() // signs of life go on
	case NoLibvirtd:
		return Span{0, probe}
	}
	interval := s.Interval().seconds()
	silence := Span{max(0, interval-sign), add(interval, tick)}
	restart := s.restart(f, ssh)
	if left := ShippedKeepAlive - silence.Low; left > 0 && s.Beacons() {
		// A master from before may still be there: 77 s with an interval of 20 s.
		restart.High = add(restart.High, left)
	}
	return silence.Plus(restart)
}

// restart is how long it takes until the monitoring that oned or monitord restarts has failed.
func (s Settings) restart(f Failure, ssh SSH) Span {
	command := ssh.Command(f)
	if s.Beacons() {
		return command.Times(2)
	}
	if limit := s.seconds(CommandTimeout); limit > 0 {
		command = Span{min(command.Low, limit), min(command.High, limit)}
	}
	retries := s.number(Retries)
	return command.Times(retries + 1).Plus(Span{time.Second, time.Second}.Times(retries))
}

// Commands is how many ssh commands the clean-up of a VM makes, one after the other: one for vmm
// cancel and vnm clean, and tm delete for each disk and for the directory (src/vmm_mad/exec/one_vmm_exec.rb,
// cleanup; 404 s for one disk, 3 commands, measured with 6.10).
func Commands(disks int) int { return 2 + max(0, disks) }

// cleanupEnded is how long a VM whose clean-up is ended by hand takes to PENDING: recover half a second
// after CLEANUP_RESUBMIT, PENDING after 1.1 s (measured with 6.10).
var cleanupEnded = Between(0.5, 1.1)

// Cleanup is how long it takes from the first recreate until the last VM is PENDING. disks are those of
// each VM, threads how many of them are cleaned up at the same time (Settings.CleanupThreads). With failFast
// ssh to the host fails at once. Without it oned's clean-ups run into the dead host, many of them never end
// (OpenNebula issue 7155), and they can be ended only once no command of them can be under way (CleanupLimit),
// and only when ended is set, because that needs a proof. Else it is Unbounded.
func Cleanup(disks []int, threads int, f Failure, ssh SSH, failFast, ended bool) Span {
	if len(disks) == 0 {
		return Span{}
	}
	command := ssh.Command(f)
	if failFast {
		command = failFastCommand
	}
	low := makespan(disks, threads, command.Low, 0)
	switch {
	case failFast && ended:
		return Span{min(low, cleanupEnded.Low), add(makespan(disks, threads, command.High, 0), cleanupEnded.High)}
	case ended:
		return Span{low, max(low, CleanupLimit(disks, threads, ssh))}
	}
	return Span{low, Unbounded}
}

// CleanupLimit is the longest time, from the last recreate, for which an ssh command of a clean-up of
// these VMs can still be under way when nothing makes ssh fail fast; after it none could reach the host, were
// it to come back. disks and threads are as in Cleanup, of all hosts where those share the threads. It counts for
// each command the longest that ssh can take to give up (packets dropped, bounded by ConnectTimeout), once for
// each VM a stale master, and a tenth and 10 s on top for a busy front-end.
func CleanupLimit(disks []int, threads int, ssh SSH) time.Duration {
	if len(disks) == 0 {
		return 0
	}
	span := makespan(disks, threads, ssh.Command(Dropped).High, ShippedKeepAlive)
	return add(add(span, span/10), 10*time.Second)
}

// makespan is when the last of the clean-ups ends: each VM waits for a thread, in their order, and makes
// its commands one after the other.
func makespan(disks []int, n int, command, extra time.Duration) time.Duration {
	threads := make([]time.Duration, max(1, min(n, len(disks))))
	for _, d := range disks {
		first := slices.Index(threads, slices.Min(threads))
		threads[first] = add(threads[first], add(extra, times(command, Commands(d))))
	}
	return slices.Max(threads)
}

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
// Up to 6.10 (src/scheduler/src/sched/Scheduler.cc): every SCHED_INTERVAL at most MAX_DISPATCH VMs, at most MAX_HOST of
// them on one host, so as shipped with 6.10 one VM on each host every 15 s: 40 VMs on 4 hosts in 150 s.
//
// 7.x (src/schedm/SchedulerManager.cc, PlanManager.cc; src/schedm_mad/remotes/rank): oned asks for a plan when its
// window is full or over; a plan has at most MAX_HOST VMs for one host; oned starts at most MAX_ACTIONS_PER_HOST of
// them on a host and MAX_ACTIONS_PER_CLUSTER in all, and starts more at a tick of MANAGER_TIMER; when all of a plan are
// RUNNING it asks for the next one. So it takes as long as the VMs take to start: start is from the call to RUNNING.
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

// Failure is the way in which a host fails, as seen from the front-end.
type Failure string

// The failures.
const (
	Silent      Failure = "silent"      // no power or no link, in the same network: no answer to ARP
	Dropped     Failure = "dropped"     // the same behind a router or a filter: packets are dropped
	Unreachable Failure = "unreachable" // a router says so
	Refused     Failure = "refused"     // the kernel answers, and nothing listens
	Frozen      Failure = "frozen"      // the kernel accepts connections, and no process answers
	NoSSHD      Failure = "no_sshd"     // only sshd is dead; the guests run
	NoLibvirtd  Failure = "no_libvirtd" // only libvirtd is dead; the guests run
)

// Failures are all of them, those that a dead machine shows first.
func Failures() []Failure {
	return []Failure{Silent, Dropped, Unreachable, Refused, Frozen, NoSSHD, NoLibvirtd}
}

// SSH is how the front-end's user of the drivers connects to hosts (ssh -G HOST tells).
type SSH struct {
	// ConnectTimeout is that of the ssh configuration; 0 for none, as OpenNebula ships it in all releases.
	ConnectTimeout time.Duration
	// SetElsewhere: there is none for this host, but for others: then oneft hooks install writes none, either.
	SetElsewhere bool
}

// ShippedKeepAlive is the longest that a persistent master to a dead host lives: ServerAliveInterval 10 and the
// default ServerAliveCountMax 3 (share/ssh/etc/config, 5.12 to 7.4); 40 s, measured with 6.10.
const ShippedKeepAlive = 40 * time.Second

// Measured with 6.10 in November 2026; what the drivers add on a busy machine is in the upper ends.
var (
	failFastCommand = Between(0.01, 0.5) // 9 ms by hand, 0.3 to 0.5 s through the drivers
	refusedCommand  = Between(0.01, 0.5)
	// timeoutExtra is what a command takes beyond ConnectTimeout: 5.1 to 5.6 s with 5.
	timeoutExtra = Between(0.1, 0.6)
)

// Command is how long one ssh command to the failed host takes, until it fails. A host that is frozen
// keeps it waiting for a banner forever, unless there is a ConnectTimeout, which bounds that as well
// (OpenSSH 9.2: 3.02 s with ConnectTimeout 3, measured).
func (s SSH) Command(f Failure) Span {
	c, waits := map[Failure]Span{
		Silent:      Between(3.0, 3.1),     // 3.07 s: the kernel asks three times by ARP
		Dropped:     Between(133.5, 135.0), // 133.5, 134.8 and 135 s: tcp_syn_retries 6
		Unreachable: Between(2.3, 2.5),     // 2.4 s
		Frozen:      Never(),
	}[f]
	if !waits {
		return refusedCommand
	}
	if s.ConnectTimeout > 0 {
		c.Low = min(c.Low, add(s.ConnectTimeout, timeoutExtra.Low))
		c.High = min(c.High, add(s.ConnectTimeout, timeoutExtra.High))
	}
	return c
}
