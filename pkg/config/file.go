package config

import (
	"path"
	"slices"
	"strconv"
	"time"
)

// File is what a configuration file says. A field that is nil or "" is not set;
// Values puts the defaults under it. The zero File is that of a missing or empty
// file.
//
// Times are written with their unit, such as 90s, 10m or 1h30m; every range
// includes both of its ends.
type File struct {
	// Path is where it was read; "" when there is no file.
	Path string `yaml:"-"`

	// Wait is how long a failed host is watched before anything is done, 0s to 24h.
	// It contradicts Cycles.
	Wait *time.Duration `yaml:"wait,omitempty"`
	// Cycles is the same in monitoring cycles of oned, 0 to 1000.
	Cycles *int `yaml:"cycles,omitempty"`
	// Confirm are programs with their arguments that are asked for a second opinion.
	// Exit code 0 means that the host is alive. Each program is an absolute path.
	Confirm [][]string `yaml:"confirm,omitempty"`

	// Fencing is FencingAuto, FencingRequired or FencingOff.
	Fencing *string `yaml:"fencing,omitempty"`
	// FenceFirst: the host is fenced at once instead of being watched. It contradicts
	// FencingOff.
	FenceFirst *bool `yaml:"fence_first,omitempty"`
	// Fence says how hosts are fenced; FenceFor finds the entry of a host.
	Fence []Entry `yaml:"fence,omitempty"`

	// Quarantine: a failed host is taken out of scheduling before its VMs are started elsewhere.
	Quarantine *bool `yaml:"quarantine,omitempty"`
	// Storm is about many hosts that fail at once.
	Storm Storm `yaml:"storm,omitempty"`
	// Priority is the range that owners of VMs may use for FT_PRIORITY.
	Priority Priority `yaml:"priority,omitempty"`

	// Budget bounds what is done to single VMs without a person.
	Budget BudgetKeys `yaml:"budget,omitempty"`

	// Resume is what "oneft resume" does by itself.
	Resume ResumeKeys `yaml:"resume,omitempty"`

	// Parallel is how many VMs are acted on at the same time, 1 to MaxParallel.
	Parallel *int `yaml:"parallel,omitempty"`
	// Timeout ends acting and verifying, 1s to 24h.
	Timeout *time.Duration `yaml:"timeout,omitempty"`
	// OnedWait is how long a call is tried again while oned does not answer, 0s to 24h.
	OnedWait *time.Duration `yaml:"oned_wait,omitempty"`
	// Verify is what has to be seen before a VM counts as done: VerifyLeft,
	// VerifyRunning or VerifyNone.
	Verify *string `yaml:"verify,omitempty"`
	// Place: VMs that wait for a host are deployed by one-ft where it can evaluate everything that
	// matters for them, instead of waiting for the scheduler.
	Place *bool `yaml:"place,omitempty"`

	// SSH is the absolute path of the ssh client that oned's drivers use.
	SSH *string `yaml:"ssh,omitempty"`
	// Endpoint is the URL of oned, http or https. It may hold a password when others
	// cannot read the file.
	Endpoint *string `yaml:"endpoint,omitempty"`
	// AuthFile is the absolute path of the file with user:password.
	AuthFile *string `yaml:"auth_file,omitempty"`
	// CAFile is the absolute path of a file or directory of certificates to trust.
	CAFile *string `yaml:"ca_file,omitempty"`
	// LogFile is the absolute path of the log, or - for standard error.
	LogFile *string `yaml:"log_file,omitempty"`
	// StateDir is the absolute path of the directory for locks and the journal.
	StateDir *string `yaml:"state_dir,omitempty"`

	// Notify are commands that people are told by, at most MaxNotifications.
	Notify []Notification `yaml:"notify,omitempty"`
	// MetricsFile is the absolute path of a file for node_exporter, with a name that ends
	// in .prom.
	MetricsFile *string `yaml:"metrics_file,omitempty"`
}

// Values of File.Fencing.
const (
	FencingAuto     = "auto"     // fence a host for which anything is configured, else go on with a warning
	FencingRequired = "required" // nothing is done without a proof that the host is off
	FencingOff      = "off"      // never fence
)

// Values of File.Verify.
const (
	VerifyNone    = "none"    // oned accepted the call
	VerifyLeft    = "left"    // the VM left the host
	VerifyRunning = "running" // the VM runs again
)

// Storm says when so many hosts failed that the front-end itself is the suspect.
// Nil fields are not set.
type Storm struct {
	// Share: more than this share of the hosts in service, 1% to 100%. More than 100%
	// cannot be: with it there is never a storm.
	Share *Percent `yaml:"share,omitempty"`
	// Hosts: and at least this many hosts, 1 to 100000.
	Hosts *int `yaml:"hosts,omitempty"`
	// Window: a host counts that entered ERROR within this time, 10s to 24h.
	Window *time.Duration `yaml:"window,omitempty"`
	// CoolDown is how long a storm has to stay away before anything is done, 0s to 24h.
	CoolDown *time.Duration `yaml:"cool_down,omitempty"`
	// GiveUp ends holding an incident with exit code 3, 1s to 24h; longer than CoolDown.
	GiveUp *time.Duration `yaml:"give_up,omitempty"`
	// Quiet: nothing is done within this time after oned started or changed leader, 0s
	// to 1h.
	Quiet *time.Duration `yaml:"quiet,omitempty"`
	// PerCluster: the hosts of one cluster alone can be a storm, too.
	PerCluster *bool `yaml:"per_cluster,omitempty"`
}

// Percent is a share in percent.
type Percent int

// String is the share as it is written in the file, such as 50%.
func (p Percent) String() string { return strconv.Itoa(int(p)) + "%" }

// MarshalYAML gives the same for a file.
func (p Percent) MarshalYAML() (any, error) { return p.String(), nil }

// Priority is a range of FT_PRIORITY; nil fields are not set.
type Priority struct {
	// Min is the lowest, 0 to 100 and not over Max.
	Min *int `yaml:"min,omitempty"`
	// Max is the highest, 0 to 100.
	Max *int `yaml:"max,omitempty"`
}

// BudgetKeys bound what is done to single VMs without a person; nil fields are not set.
type BudgetKeys struct {
	// Attempts: at most so many at one VM within Window, 0 to 100.
	Attempts *int `yaml:"attempts,omitempty"`
	// Window is the time that attempts count for, 1m to 24h.
	Window *time.Duration `yaml:"window,omitempty"`
	// BackOff is the time from the first attempt to the second; it doubles with each. 1s
	// to 1h.
	BackOff *time.Duration `yaml:"back_off,omitempty"`
	// RanWell: a VM that ran for so long has earned its budget back, 1m to 24h.
	RanWell *time.Duration `yaml:"ran_well,omitempty"`
	// PerMinute: at most so many VMs of the whole cloud in a minute, 1 to MaxPerMinute.
	PerMinute *int `yaml:"per_minute,omitempty"`
}

// Entry says how some hosts are fenced. A Timeout, Attempts or BackOff of 0 is not set: then
// the default of package fence counts, as for a host that is fenced by its template.
type Entry struct {
	// Hosts are shell patterns of host names as path.Match knows them: *, ?, [a-z].
	// Upper and lower case differ.
	Hosts []string `yaml:"hosts,omitempty"`
	// Clusters are names of clusters. The entry is for a host when one of Hosts or one of
	// Clusters matches; at least one of both is set.
	Clusters []string `yaml:"clusters,omitempty"`
	// Timeout is the most time for one call of an agent or command, 1s to 10m.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Attempts is how often each device of a level is tried, 1 to 10.
	Attempts int `yaml:"attempts,omitempty"`
	// BackOff is the pause before the second attempt, 1s to 5m; it doubles with each.
	BackOff time.Duration `yaml:"back_off,omitempty"`
	// Levels are tried in order until one proves that the host is off; at least one.
	Levels []Level `yaml:"levels"`
}

// Level is one way to fence.
type Level struct {
	// Name is for logs: 1 to 32 letters, digits, _ and -, different in each level of
	// an entry. Default: level-1, level-2, ...
	Name string `yaml:"name"`
	// Devices must all succeed, such as two power supplies; at least one.
	Devices []Device `yaml:"devices"`
}

// Device is one agent, one command, an admin, or a lease: exactly one of Agent,
// Command, Manual and Lease is set.
type Device struct {
	// Agent is the name of a ClusterLabs fence agent, such as fence_ipmilan.
	Agent string `yaml:"agent,omitempty"`
	// Params are given to the agent on its standard input, after Params.Expand. Only for
	// an agent.
	Params Params `yaml:"params,omitempty"`
	// PasswordFile is the absolute path of a file whose content is given to the agent
	// as password. Only for an agent; package fence reads it.
	PasswordFile string `yaml:"password_file,omitempty"`
	// Command is a program by its absolute path, and its arguments.
	Command []string `yaml:"command,omitempty"`
	// Manual: an admin confirms that the host is off. Alone in its level.
	Manual bool `yaml:"manual,omitempty"`
	// Lease: the host keeps its VMs only while oned says that it is MONITORED
	// (host_isolated in strict mode), so waiting proves that they are gone. It is the
	// lease of that host's host_isolated, 10s to 1h; 0 when the device is no lease. Alone
	// in its level.
	Lease time.Duration `yaml:"lease,omitempty"`
	// Reaction is the most time that the host takes to stop its VMs once its lease is
	// over, 1s to 1h; 0 for the default of package fence. Only with Lease.
	Reaction time.Duration `yaml:"reaction,omitempty"`
	// Margin is waited on top of both, 1s to 10m; 0 for the default of package fence. Only
	// with Lease.
	Margin time.Duration `yaml:"margin,omitempty"`
}

// FenceFor returns the first entry for the host, and whether there is one. A
// cluster without a name matches no entry.
func (f File) FenceFor(hostName, cluster string) (Entry, bool) {
	for _, e := range f.Fence {
		if e.matches(hostName, cluster) {
			return e, true
		}
	}
	return Entry{}, false
}

func (e Entry) matches(hostName, cluster string) bool {
	for _, pattern := range e.Hosts {
		if ok, err := path.Match(pattern, hostName); ok && err == nil {
			return true
		}
	}
	return cluster != "" && slices.Contains(e.Clusters, cluster)
}
