package config

import "time"

// Defaults, where they come from, and why they are what they are.
const (
	// DefaultFencing: a cloud without fencing works as with host_error.rb; one with
	// fencing is safe.
	DefaultFencing = FencingAuto
	// DefaultFenceFirst: a host that comes back while it is watched loses nothing.
	DefaultFenceFirst = false

	// DefaultQuarantine: the old guests of a host that comes back may still run, and its scheduler does not know.
	DefaultQuarantine = true

	// DefaultStormShare and DefaultStormHosts: when more than half of the hosts and at
	// least 3 fail at once, what they share has failed: the front-end or its network. With
	// less than 3, two failed hosts of three would be a storm.
	DefaultStormShare Percent = 50
	DefaultStormHosts int     = 3
	// DefaultStormWindow is longer than a storm is held: a host that fails while others
	// are held must still count them. A host that has been in ERROR for longer is known
	// to be dead and says nothing about the front-end. A choice.
	DefaultStormWindow = time.Hour
	// DefaultStormCoolDown: a storm that ebbs for a moment is not over. It is at least a
	// monitoring cycle. A choice, not a measurement.
	DefaultStormCoolDown = time.Minute
	// DefaultStormGiveUp: what has not healed by then is a matter for a person. A choice;
	// ten monitoring cycles of 180s.
	DefaultStormGiveUp = 30 * time.Minute
	// DefaultStormQuiet: a front-end that has just started or changed leader still has
	// old states of hosts. A choice: with -p 2 the host is watched for longer anyway.
	DefaultStormQuiet = 30 * time.Second
	// DefaultStormPerCluster: clusters often share a switch or a power feed.
	DefaultStormPerCluster = true

	// DefaultPriorityMin and DefaultPriorityMax: owners may use all of FT_PRIORITY.
	DefaultPriorityMin = 0
	DefaultPriorityMax = 100

	// DefaultBudgetAttempts and DefaultBudgetWindow: what three recreates do not mend, the
	// fourth does not, either. A choice.
	DefaultBudgetAttempts = 3
	DefaultBudgetWindow   = time.Hour
	// DefaultBudgetBackOff gives a datastore or a host time to recover. A choice.
	DefaultBudgetBackOff = 30 * time.Second
	// DefaultBudgetRanWell: a VM that fails later than this fails for another reason. A
	// choice.
	DefaultBudgetRanWell = 10 * time.Minute
	// DefaultBudgetPerMinute is far more than fail one by one, and few enough for a person
	// to step in when a datastore fails. A choice.
	DefaultBudgetPerMinute = 20

	// DefaultResumeHosts: a host that no hook was called for gets what the hook does. A
	// suspended or powered-off VM (DefaultResumeSuspended) loses nothing while it waits
	// for a person, and its disks may hold the only copy of its memory.
	DefaultResumeHosts     = ResumeRecreate
	DefaultResumeSuspended = false
	// DefaultResumeUnknown: booting again loses nothing, the guest has crashed.
	DefaultResumeUnknown = ResumeBoot
	// DefaultResumeFailed: recreating a VM whose host is fine would destroy disks that may
	// still be there.
	DefaultResumeFailed = ResumeNone

	// DefaultNotifyTimeout is enough to hand a message over, and not to deliver it. A choice.
	DefaultNotifyTimeout = 30 * time.Second

	// DefaultParallel leaves half of oned's connections to others; it serves about 15.
	DefaultParallel = 8
	// DefaultTimeout: for many VMs and a busy scheduler; a hook must end at some time. A
	// choice.
	DefaultTimeout = 10 * time.Minute
	// DefaultPlace: placing VMs is the scheduler's, which may have a policy of its own.
	DefaultPlace = false
	// DefaultOnedWait: for a restart of oned or a change of leader. A choice.
	DefaultOnedWait = 2 * time.Minute
)

// Limits of values. Longer times than a day are mistakes: nobody would wait for them.
const (
	// MaxParallel leaves some of the about 15 connections that oned serves to others.
	MaxParallel = 12
	// MaxCycles is the most monitoring cycles that a host is watched, as of -p.
	MaxCycles = 1000
	// MaxPriority is the highest FT_PRIORITY; the lowest is 0.
	MaxPriority = 100
	// MaxPerMinute is the most VMs in a minute, and MaxBudgetAttempts the most attempts.
	MaxPerMinute      = 100
	MaxBudgetAttempts = 100
	// MaxNotifications is the most commands that people are told by.
	MaxNotifications = 10
	// MaxSize is the largest configuration file in bytes.
	MaxSize = 1 << 20

	longest         = 24 * time.Hour
	maxStormHosts   = 100_000
	minStormWindow  = 10 * time.Second
	maxQuiet        = time.Hour
	maxFenceTimeout = 10 * time.Minute
	maxAttempts     = 10
	maxBackOff      = 5 * time.Minute

	maxNotifyTimeout = 10 * time.Minute

	// The lease of a device is that of host_isolated on the host.
	minLease    = 10 * time.Second
	maxLease    = time.Hour
	maxReaction = time.Hour
	maxMargin   = 10 * time.Minute
)

// Values are the settings of a File over the defaults; see File for meanings, units
// and ranges. Flags win over them. What is "" has no fixed default: it is found
// out when it is needed.
type Values struct {
	// Wait and Cycles: at most one is not 0. A flag for one of them replaces both.
	Wait   time.Duration
	Cycles int

	Confirm    [][]string
	Fencing    string
	FenceFirst bool
	Quarantine bool

	StormShare      Percent
	StormHosts      int
	StormWindow     time.Duration
	StormCoolDown   time.Duration
	StormGiveUp     time.Duration
	StormQuiet      time.Duration
	StormPerCluster bool

	PriorityMin, PriorityMax int

	BudgetAttempts, BudgetPerMinute            int
	BudgetWindow, BudgetBackOff, BudgetRanWell time.Duration

	ResumeHosts     string
	ResumeSuspended bool
	ResumeUnknown   string
	ResumeFailed    string

	Parallel          int
	Timeout, OnedWait time.Duration
	// TimeoutSet: the file sets Timeout, be it to the default.
	TimeoutSet bool
	// Verify "" is VerifyRunning for hosts; for single VMs on a terminal, too, else VerifyLeft.
	Verify string
	// Place: see File.Place.
	Place bool

	SSH                        string // "": the first one in the usual places
	Endpoint, AuthFile, CAFile string
	LogFile, StateDir          string

	Notify      []Notification // none: nobody is told
	MetricsFile string         // "": none is written
}

// DefaultNotifyOn returns what a command is for when the file does not say it: an end
// tells that the VMs run again or what is left to do, and a hold may need a person.
// Telling the begin of what is over a minute later makes people stop reading.
func DefaultNotifyOn() []string { return []string{NotifyHold, NotifyEnd} }

// Default returns the values without any file.
func Default() Values {
	return Values{
		Fencing: DefaultFencing, FenceFirst: DefaultFenceFirst, Quarantine: DefaultQuarantine,
		StormShare: DefaultStormShare, StormHosts: DefaultStormHosts, StormWindow: DefaultStormWindow,
		StormCoolDown: DefaultStormCoolDown, StormGiveUp: DefaultStormGiveUp, StormQuiet: DefaultStormQuiet,
		StormPerCluster: DefaultStormPerCluster,
		PriorityMin:     DefaultPriorityMin, PriorityMax: DefaultPriorityMax,
		BudgetAttempts: DefaultBudgetAttempts, BudgetWindow: DefaultBudgetWindow, BudgetBackOff: DefaultBudgetBackOff,
		BudgetRanWell: DefaultBudgetRanWell, BudgetPerMinute: DefaultBudgetPerMinute,
		ResumeHosts: DefaultResumeHosts, ResumeSuspended: DefaultResumeSuspended,
		ResumeUnknown: DefaultResumeUnknown, ResumeFailed: DefaultResumeFailed,
		Parallel: DefaultParallel, Timeout: DefaultTimeout, OnedWait: DefaultOnedWait, Place: DefaultPlace,
	}
}

// Values returns what the file sets, and the default of what it does not set.
func (f File) Values() Values {
	v := Default()
	over(&v.Wait, f.Wait)
	over(&v.Cycles, f.Cycles)
	v.Confirm = f.Confirm
	over(&v.Fencing, f.Fencing)
	over(&v.FenceFirst, f.FenceFirst)
	over(&v.Quarantine, f.Quarantine)
	over(&v.StormShare, f.Storm.Share)
	over(&v.StormHosts, f.Storm.Hosts)
	over(&v.StormWindow, f.Storm.Window)
	over(&v.StormCoolDown, f.Storm.CoolDown)
	over(&v.StormGiveUp, f.Storm.GiveUp)
	over(&v.StormQuiet, f.Storm.Quiet)
	over(&v.StormPerCluster, f.Storm.PerCluster)
	over(&v.PriorityMin, f.Priority.Min)
	over(&v.PriorityMax, f.Priority.Max)
	over(&v.BudgetAttempts, f.Budget.Attempts)
	over(&v.BudgetWindow, f.Budget.Window)
	over(&v.BudgetBackOff, f.Budget.BackOff)
	over(&v.BudgetRanWell, f.Budget.RanWell)
	over(&v.BudgetPerMinute, f.Budget.PerMinute)
	over(&v.ResumeHosts, f.Resume.Hosts)
	over(&v.ResumeSuspended, f.Resume.Suspended)
	over(&v.ResumeUnknown, f.Resume.Unknown)
	over(&v.ResumeFailed, f.Resume.Failed)
	over(&v.Parallel, f.Parallel)
	over(&v.Timeout, f.Timeout)
	v.TimeoutSet = f.Timeout != nil
	over(&v.OnedWait, f.OnedWait)
	over(&v.Verify, f.Verify)
	over(&v.Place, f.Place)
	over(&v.SSH, f.SSH)
	over(&v.Endpoint, f.Endpoint)
	over(&v.AuthFile, f.AuthFile)
	over(&v.CAFile, f.CAFile)
	over(&v.LogFile, f.LogFile)
	over(&v.StateDir, f.StateDir)
	v.Notify = f.Notify
	over(&v.MetricsFile, f.MetricsFile)
	return v
}

// over replaces a value by what is set.
func over[T any](value *T, set *T) {
	if set != nil {
		*value = *set
	}
}
