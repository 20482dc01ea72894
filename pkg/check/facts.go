package check

import (
	"errors"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Facts are what Collect saw, and all that the rules know.
type Facts struct {
	Now      time.Time
	Version  one.Version
	Dialect  one.Dialect
	Endpoint string
	Given

	User    one.User
	UserErr error // the user could not be read
	// ConfigErr is why oned does not tell its configuration; it is one.ErrAuthorization for
	// users who are not in the group oneadmin.
	ConfigErr error
	Follows   bool // this oned is a follower of another front-end
	FollowErr error

	// Loaded are the hooks of the running oned, up to 5.8; nil when it does not tell.
	Loaded   []HookLine
	FrontEnd FrontEnd
	SSH      SSH
	Hosts    []Host // ID ascending
	Interval time.Duration
	// Settings decide how long VMs are down; without values there are no rules for them. NotRead is what kept them from
	// being read.
	Settings   downtime.Settings
	NotRead    []downtime.Problem
	VMs        VMs
	Datastores []Datastore // system datastores with VMs on them, ID ascending
	Incidents  Incidents
	Clock      Clock
	Dirs       []Path // directories that hooks write into, and files there
	Programs   []Path // of the configuration
}

// Given is what the caller of Collect knows, and the rules need.
type Given struct {
	// Own is the version of this program; "" or "unknown" compares with nothing.
	Own string
	// ConfigFile is the path of the configuration that was read, "" without one; Values is what is in it.
	ConfigFile string
	Values     config.Values
	// Hooks are the findings about hooks, HostHook what the hook for hosts does, and Written the hooks of oned.conf, up
	// to 5.8.
	Hooks    []Finding
	HostHook HostHook
	Written  []HookLine
	Place    downtime.Place // where the files are
	// NoFencing: on request no fence agent is asked.
	NoFencing bool
	// Skipped are the things that were not checked, a line each.
	Skipped []string
}

// HostHook is what is known of the hook for hosts in ERROR.
type HostHook struct {
	Action  string // recreate, delete or migrate; "" when no hook of one-ft says it
	Fencing string // auto, required or off; "" when the hook leaves it to the configuration
}

// HookLine is a hook in oned.conf, or in the configuration of the running oned.
type HookLine struct {
	Resource                     string // HOST or VM
	Name, On, Command, Arguments string
}

// FrontEnd is what this machine tells.
type FrontEnd struct {
	// Local: oned runs on this machine, and its processes can be looked at.
	Local bool
	// OnedUID is the user that oned and hooks run as, OnedUser its name; when Local.
	OnedUID  int
	OnedUser string
	UID      int // of this process
	// Manager: the process that runs hooks is there, in ManagerState of /proc, such as S; ManagerDead when it does
	// nothing any more.
	Manager, ManagerDead bool
	ManagerState         string
	// ManagerLog is the last line of its log when it could not read its hooks; "" else.
	ManagerLog string
	// Timer: something runs oneft resume regularly.
	Timer bool
}

// Host is a host with what it would be fenced with.
type Host struct {
	one.Host
	// Err is why it cannot be fenced as configured: fence.ErrNotConfigured, or what is wrong.
	Err     error
	Levels  [][]Device // the ways to fence it, each with its devices
	Asked   bool       // agents reported their status
	Promise fence.Promise
	// Promised: the host has published what it promises; PromiseErr says what is wrong with that.
	Promised   bool
	PromiseErr error
	// Isolated is the version of host_isolated that it runs; "" when it does not tell.
	Isolated string
}

// Device is one device of a level.
type Device struct {
	Kind  fence.Kind
	Label string // such as "fence_ipmilan on 10.0.0.11"
	// Key tells devices apart: the same key on two hosts is the same outlet. "" compares with none.
	Key   string
	Power fence.Power
	Err   error       // why it would not prove the host off: a *fence.Problem, or what an agent says
	Lease fence.Lease // with its defaults
	// FromTemplate: the lease is an attribute of the host.
	FromTemplate bool
}

// SSH is what is known of the ssh client of the user that the drivers run as.
type SSH struct {
	// Known: oned runs on this machine, and everything below was collected. Err says why not.
	Known bool
	Err   error
	User  string
	Force failfast.Force
	// Timeouts are those of the hosts in service and in ERROR; by host ID.
	Timeouts []HostTimeout
	Marks    []failfast.Mark // all that there are, leftovers and others
	MarksErr error
	// Stale are persistent masters to hosts in ERROR.
	Stale []StaleMaster
}

// HostTimeout is the ConnectTimeout for one host.
type HostTimeout struct {
	Host int
	// Timeout is 0 for none.
	Timeout time.Duration
	Err     error // ssh does not tell
}

// StaleMaster is a persistent master of ssh to a host in ERROR: each driver command waits for it.
type StaleMaster struct {
	Host int
	Name string
	PID  int
}

// VMs is what is known of the VMs on hosts.
type VMs struct {
	Count int // that were read
	// Unread are VMs on hosts that could not be read, or were too many.
	Unread []int
	// Loses are the VMs that would lose what is on a disk if they were recreated.
	Loses []int
	// Stay are those that their FT_ACTION leaves alone.
	Stay []int
	// Active are how many VMs on a host are neither suspended nor off, and not to be left alone; by host ID.
	Active map[int]int
	// On are how many VMs are on a system datastore, by its ID.
	On map[int]int
	// Cleaning are VMs in CLEANUP_RESUBMIT, by the ID of the host that oned cleans up on.
	Cleaning map[int][]int
	// OnTheWay are VMs that wait for a host, its disks or its boot, by ID, with their states as OpenNebula's tools show them.
	OnTheWay map[int]string
	// Failed are VMs that failed or are UNKNOWN, ID ascending.
	Failed []FailedVM
}

// FailedVM is a VM that failed, or is UNKNOWN on a host that is fine.
type FailedVM struct {
	ID     int
	Name   string
	Status string // as OpenNebula's tools show it
	Host   int    // -1 for none
	// Spent is its budget, when Judged.
	Spent  recovery.Spent
	Judged bool
}

// Datastore is a system datastore with VMs.
type Datastore struct {
	one.Datastore
	Err error // it could not be read; only ID is set then
}

// Incidents is what the journal tells.
type Incidents struct {
	// Err is why the journal could not be read; nil also when there is none yet.
	Err  error
	Open []Incident // number ascending
	// GaveUp are incidents that ended lately, the last of their host or VM, with VMs that were on their way for too
	// long: their IDs are in Waiting.
	GaveUp  []Incident
	Damaged []string // names of files
	// Back are the hosts whose last incident ended because they were monitored again, and when it began; by host ID.
	Back map[int]time.Time
}

// Incident is an open incident, or one that gave VMs up.
type Incident struct {
	incident.Record
	// Held: a process works on it. HeldKnown is false when that cannot be seen.
	Held, HeldKnown bool
	// Waiting are VMs that are on their way, or were when they were given up, by what they wait for.
	Waiting map[incident.Wait][]int
}

// Clock is what oned told of the time.
type Clock struct {
	// Newest is the latest time that oned told; Of says of what. Zero when it told none.
	Newest time.Time
	Of     string
	// Monitored is when a host that is MONITORED was last monitored.
	Monitored time.Time
}

// Path is a directory or file that hooks need.
type Path struct {
	Path, For string
	File      bool
	Err       error // why they cannot write or run it
}

// errSpace is a file system that takes nothing more.
var errSpace = errors.New("the file system takes nothing")

// errNotRunnable is a program that is missing.
var errNotRunnable = errors.New("it is not there, or not executable")
