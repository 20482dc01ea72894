package config

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// File is what a one-ft.yaml says. The zero File is that of a missing or empty file.
type File struct {
	// Path is where it was read; "" when there is no file.
	Path string
	// Fence says how hosts are fenced; FenceFor finds the entry of a host.
	Fence []Entry

	values *Values // nil for the defaults
}

// Values returns what the file sets, and the default of what it does not set.
func (f File) Values() Values {
	if f.values == nil {
		return Default()
	}
	return *f.values
}

// Values are the settings of a one-ft.yaml over the defaults. Flags win over them. What is "" has no
// fixed default: it is determined when it is needed. The ranges are in the table of keys.
type Values struct {
	// Wait is how long a failed host is watched before anything is done, Cycles the same in
	// monitoring cycles of oned. At most one is not 0. A flag for one of them replaces both.
	Wait   time.Duration
	Cycles int
	// Confirm are programs with their arguments that give a second opinion: exit code 0 means that
	// the host is alive.
	Confirm [][]string

	// Fencing is FencingAuto, FencingRequired or FencingOff; FencingSet: the file sets it.
	Fencing    string
	FencingSet bool
	// FenceFirst: the host is fenced at once instead of being watched. It contradicts FencingOff.
	FenceFirst bool
	// Quarantine: a failed host is taken out of scheduling before its VMs are started elsewhere.
	Quarantine bool

	// A storm: more than StormShare of the hosts in service, and at least StormHosts, entered ERROR
	// within StormWindow. With 100% there is never one.
	StormShare  Percent
	StormHosts  int
	StormWindow time.Duration
	// StormCoolDown is how long a storm has to stay away before anything is done, StormGiveUp ends
	// holding an incident with exit code 3, and is longer.
	StormCoolDown time.Duration
	StormGiveUp   time.Duration
	// StormQuiet: nothing is done within this time after oned started or changed leader.
	StormQuiet time.Duration
	// StormPerCluster: the hosts of one cluster alone can be a storm, too.
	StormPerCluster bool

	// SurveyPort is asked at each host instead of the port of ssh; 0 is that of ssh. SurveySkip are shell patterns of the
	// names of hosts that are not asked.
	SurveyPort int
	SurveySkip []string
	// SurveySettle: where most hosts cannot be asked, others are given one monitoring cycle, but at most this, to follow a host
	// into ERROR before anything is done.
	SurveySettle time.Duration
	// SurveyAlive is how long a failed host that still answers is watched before it is refused, without a proof.
	SurveyAlive time.Duration

	// PutToRest is what is done about VMs that monitoring found off or suspended within RestWindow before their host was
	// called failed: RestRecover, RestReport or RestLeave.
	PutToRest  string
	RestWindow time.Duration

	// WatchAct: oneft watch has a host fenced and its VMs recovered that has not answered for so long while others do, although
	// oned calls it MONITORED; with 0 people are only notified.
	WatchAct time.Duration

	// PriorityMin and PriorityMax are the range that owners of VMs may use for FT_PRIORITY.
	PriorityMin, PriorityMax int

	// At most BudgetAttempts at one VM within BudgetWindow, BudgetBackOff from the first to the
	// second; it doubles with each. The counter is reset when the VM ran for BudgetRanWell.
	BudgetAttempts                             int
	BudgetWindow, BudgetBackOff, BudgetRanWell time.Duration
	// BudgetPerMinute: at most so many VMs of the whole cloud in a minute.
	BudgetPerMinute int

	// What "oneft resume" does about a host in ERROR that no hook was called for, and about a VM that is UNKNOWN or that
	// failed on a host that is fine. ResumeSuspended: also about the suspended and powered-off VMs of the host.
	ResumeHosts, ResumeUnknown, ResumeFailed string
	ResumeSuspended                          bool

	// Parallel is how many VMs are acted on at the same time, 1 to MaxParallel.
	Parallel int
	// Timeout ends acting and verifying; TimeoutSet: the file sets it, be it to the default.
	Timeout    time.Duration
	TimeoutSet bool
	// OnedWait is how long a call is retried while oned does not answer.
	OnedWait time.Duration
	// Verify is what has to be seen before a VM counts as done: left, running or none, as in package failover. "" is
	// running for hosts; for single VMs on a terminal, too, else left.
	Verify string
	// Place: VMs that wait for a host are deployed by one-ft where it can evaluate everything that
	// matters for them, instead of waiting for the scheduler.
	Place bool

	// SSH is the absolute path of the ssh client of oned's drivers; "": the first one in the usual
	// places.
	SSH string
	// Endpoint is the URL of oned. It may hold a password when others cannot read the file.
	Endpoint string
	// AuthFile has user:password; CAFile, a file or directory, the certificates to trust.
	AuthFile, CAFile string
	// LogFile is the log, or - for standard error; StateDir has locks and the journal.
	LogFile, StateDir string

	// Notify are commands that notify admins, at most MaxNotifications.
	Notify []Notification
	// MetricsFile is a file for node_exporter; "": none is written.
	MetricsFile string
}

// Percent is a share in percent.
type Percent int

// String is the share as it is written in the file, such as 50%.
func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

// Values of Values.Fencing.
const (
	FencingAuto     = "auto"     // fence a host for which anything is configured, else continue with a warning
	FencingRequired = "required" // nothing is done without a proof that the host is off
	FencingOff      = "off"      // never fence
)

// Values of PutToRest.
const (
	RestRecover = "recover" // as if it ran, when the host is proven off; else it is reported
	RestReport  = "report"  // it is left and named
	RestLeave   = "leave"   // it is left as if its owner had put it to rest
)

// Values of ResumeHosts, ResumeUnknown and ResumeFailed.
const (
	ResumeNone     = "none"     // it is only named
	ResumeRecreate = "recreate" // the VM is recreated, as with -r
	ResumeDelete   = "delete"   // the VM is deleted, as with -d
	ResumeMigrate  = "migrate"  // the VM is moved, as with -m; only of a host
	ResumeRetry    = "retry"    // what failed is retried; only of a failed VM
	ResumeBoot     = "boot"     // the VM is booted again; only of one that is UNKNOWN
)

// Default returns the values without any file, where they come from, and why they are what they are.
func Default() Values {
	return Values{
		// A cloud without fencing works as with host_error.rb; one with fencing is safe. A host that
		// comes back while it is watched loses nothing (FenceFirst). The old guests of one that comes
		// back may still run, and its scheduler does not know (Quarantine).
		Fencing: FencingAuto, Quarantine: true,

		// When more than half of the hosts and at least 3 fail at once, what they share has failed:
		// the front-end or its network. With less than 3, two failed hosts of three would be a storm.
		StormShare: 50, StormHosts: 3,
		// Longer than a storm is held: a host that fails while others are held must still count them.
		// One that has been in ERROR for longer is known to be dead and says nothing about the
		// front-end. A choice.
		StormWindow: time.Hour,
		// A storm that ebbs for a moment is not over: at least a monitoring cycle. A choice.
		StormCoolDown: time.Minute,
		// What has not healed after ten monitoring cycles of 180s needs an admin. A choice.
		StormGiveUp: 30 * time.Minute,
		// A front-end that has just started or changed leader still has old states of hosts. A choice:
		// with -p 2 the host is watched for longer anyway.
		StormQuiet:      30 * time.Second,
		StormPerCluster: true, // clusters often share a switch or a power feed

		// Without the word of the hosts only time tells how many of them are lost: with shipped settings up to a cycle of 180s,
		// which would be downtime for each host that dies alone. A choice. A daemon that is restarted is back within minutes.
		SurveySettle: time.Minute, SurveyAlive: 5 * time.Minute,
		// A host that shuts down gives its guests 5 minutes (SHUTDOWN_TIMEOUT=300 of libvirt-guests), monitoring finds them
		// missing within 3 (SYNC_STATE_VM 180 of monitord.conf), and a silent host is ERROR after up to 464 s with shipped settings.
		PutToRest: RestRecover, RestWindow: 15 * time.Minute,

		PriorityMax: MaxPriority, // owners may use all of FT_PRIORITY

		// What three recreates do not fix, the fourth does not, either. The pauses give a datastore or
		// a host time to recover; a VM that fails later than BudgetRanWell fails for another reason.
		// Far more than BudgetPerMinute never fail one by one, and it is few enough for an admin to
		// step in when a datastore fails. Choices.
		BudgetAttempts: 3, BudgetWindow: time.Hour, BudgetBackOff: 30 * time.Second,
		BudgetRanWell: 10 * time.Minute, BudgetPerMinute: 20,

		// A host that no hook was called for gets what the hook does. A suspended or powered-off VM
		// loses nothing while it waits for an admin, and its disks may hold the only copy of its
		// memory. Booting a crashed guest again loses nothing. Recreating a VM whose host is fine would
		// destroy disks that may still be there.
		ResumeHosts: ResumeRecreate, ResumeUnknown: ResumeBoot, ResumeFailed: ResumeNone,

		Parallel: 8,                // leaves half of oned's connections to others; it serves about 15
		Timeout:  10 * time.Minute, // for many VMs and a busy scheduler; a hook must end at some time. A choice
		OnedWait: 2 * time.Minute,  // for a restart of oned or a change of leader. A choice
		// Place: false, as placing VMs is the scheduler's, which may have a policy of its own.
	}
}

// Limits of values. Longer times than a day are mistakes: nobody would wait for them.
const (
	// MaxParallel leaves some of the about 15 connections that oned serves to others.
	MaxParallel = 12
	// MaxCycles is the most monitoring cycles that a host is watched, as of -p.
	MaxCycles = 1000
	// MaxPriority is the highest FT_PRIORITY; the lowest is 0.
	MaxPriority = 100
	// MaxSize is the largest configuration file in bytes.
	MaxSize = 1 << 20

	longest = 24 * time.Hour

	// shortestAct is longer than a host needs to reboot its network, or a switch its ports (spanning tree: 30 s). A choice.
	shortestAct = 30 * time.Second
)

// read reads the top of a one-ft.yaml.
func (f *File) read(top node) error {
	v := Default()
	f.values = &v
	seen, err := top.mapping(f.keys())
	if err != nil {
		return err
	}
	_, v.FencingSet = seen["fencing"]
	_, v.TimeoutSet = seen["timeout"]
	_, wait := seen["wait"]
	_, cycles := seen["cycles"]
	switch {
	case wait && cycles:
		return contradiction(seen, "cycles", "wait", "one of both: they say the same thing")
	case v.FenceFirst && v.Fencing == FencingOff:
		return contradiction(seen, "fence_first", "fencing", "fence_first: true only with fencing auto or required")
	case v.WatchAct > 0 && v.Fencing == FencingOff:
		return contradiction(seen, "watch", "fencing", "watch: {act: TIME} only with fencing auto or required: a silent host that oned calls MONITORED is acted on only when it is proven off")
	case v.WatchAct > 0 && (v.ResumeHosts == ResumeNone || v.ResumeHosts == ResumeMigrate):
		return contradiction(seen, "watch", "resume", "watch: {act: TIME} only with resume: {hosts: recreate} or delete: it does what oneft resume does, and no RUNNING VM can be moved away from a host that is off")
	}
	return nil
}

// keys is the table of a one-ft.yaml; Default has the defaults, Values says what they mean.
func (f *File) keys() table {
	v, priority := f.values, numbers(0, MaxPriority)
	return table{
		as("wait", &v.Wait, times(0, longest)),
		as("cycles", &v.Cycles, numbers(0, MaxCycles)),
		as("confirm", &v.Confirm, listOf("a list of programs with their arguments", program(exampleProgram))),
		as("fencing", &v.Fencing, oneOf(FencingAuto, FencingRequired, FencingOff)),
		as("fence_first", &v.FenceFirst, yesNo()),
		as("fence", &f.Fence, from(readFence)),
		as("quarantine", &v.Quarantine, yesNo()),
		{"storm", v.readStorm, nil},
		{"survey", func(n node) error {
			_, err := n.mapping(table{
				as("port", &v.SurveyPort, numbers(1, 65535)),
				as("skip", &v.SurveySkip, listOf(`a list of patterns of host names, such as ["gpu*"]`, pattern())),
				as("settle", &v.SurveySettle, times(0, 10*time.Minute)),
				as("alive", &v.SurveyAlive, times(0, longest)),
			})
			return err
		}, nil},
		{"put_to_rest", func(n node) error {
			_, err := n.mapping(table{
				as("action", &v.PutToRest, oneOf(RestRecover, RestReport, RestLeave)),
				as("window", &v.RestWindow, times(time.Minute, longest)),
			})
			return err
		}, nil},
		{"watch", func(n node) error {
			_, err := n.mapping(table{as("act", &v.WatchAct, times(shortestAct, 10*time.Minute))})
			return err
		}, nil},
		{"priority", func(n node) error {
			seen, err := n.mapping(table{as("min", &v.PriorityMin, priority), as("max", &v.PriorityMax, priority)})
			if err == nil && v.PriorityMin > v.PriorityMax {
				err = seen["min"].wrong("a min that is not over max", "%d is over max, which is %d", v.PriorityMin, v.PriorityMax)
			}
			return err
		}, nil},
		{"budget", func(n node) error {
			_, err := n.mapping(table{
				as("attempts", &v.BudgetAttempts, numbers(0, 100)),
				as("window", &v.BudgetWindow, times(time.Minute, longest)),
				as("back_off", &v.BudgetBackOff, times(time.Second, time.Hour)),
				as("ran_well", &v.BudgetRanWell, times(time.Minute, longest)),
				as("per_minute", &v.BudgetPerMinute, numbers(1, 100)),
			})
			return err
		}, nil},
		{"resume", v.readResume, nil},
		as("parallel", &v.Parallel, numbers(1, MaxParallel)),
		as("timeout", &v.Timeout, times(time.Second, longest)),
		as("oned_wait", &v.OnedWait, times(0, longest)),
		as("verify", &v.Verify, oneOf("left", "running", "none")),
		as("place", &v.Place, yesNo()),
		as("ssh", &v.SSH, absolute()),
		as("endpoint", &v.Endpoint, from(endpoint)),
		as("auth_file", &v.AuthFile, absolute()),
		as("ca_file", &v.CAFile, absolute()),
		as("log_file", &v.LogFile, absolute("-")),
		as("state_dir", &v.StateDir, absolute()),
		as("notify", &v.Notify, from(readNotify)),
		as("metrics_file", &v.MetricsFile, metricsFile()),
	}
}

func (v *Values) readStorm(n node) error {
	seen, err := n.mapping(table{
		as("share", &v.StormShare, percent()),
		as("hosts", &v.StormHosts, numbers(1, 100_000)),
		as("window", &v.StormWindow, times(10*time.Second, longest)),
		as("cool_down", &v.StormCoolDown, times(0, longest)),
		as("give_up", &v.StormGiveUp, times(time.Second, longest)),
		as("quiet", &v.StormQuiet, times(0, time.Hour)),
		as("per_cluster", &v.StormPerCluster, yesNo()),
	})
	if err != nil || v.StormGiveUp > v.StormCoolDown {
		return err
	}
	at, found := seen["give_up"] // one of them is set: the defaults are in order
	if !found {
		at = seen["cool_down"]
	}
	return at.wrong("a give_up that is longer than cool_down",
		"a storm could never end: give_up is %s, cool_down is %s", short(v.StormGiveUp), short(v.StormCoolDown))
}

func (v *Values) readResume(n node) error {
	seen, err := n.mapping(table{
		as("hosts", &v.ResumeHosts, oneOf(ResumeRecreate, ResumeDelete, ResumeMigrate, ResumeNone)),
		as("suspended", &v.ResumeSuspended, yesNo()),
		as("unknown", &v.ResumeUnknown, oneOf(ResumeBoot, ResumeNone)),
		as("failed", &v.ResumeFailed, oneOf(ResumeRecreate, ResumeRetry, ResumeDelete, ResumeNone)),
	})
	if err == nil && v.ResumeSuspended && v.ResumeHosts == ResumeNone {
		err = contradiction(seen, "suspended", "hosts", "suspended: true only with hosts recreate, delete or migrate")
	}
	return err
}

// metricsFile is a path whose name ends in .prom: node_exporter's textfile collector ignores all others
// (its collector/textfile.go).
func metricsFile() kind[string] {
	const suffix = ".prom"
	return texts("an absolute path that ends in "+suffix, "no absolute path of a file that node_exporter reads", func(s string) bool {
		return path.IsAbs(s) && strings.HasSuffix(s, suffix) && path.Base(s) != suffix
	})
}
