package check

import (
	"errors"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Facts are what Look saw, and all that Judge knows.
type Facts struct {
	Now      time.Time
	Version  one.Version
	Dialect  one.Dialect
	Endpoint string
	// Own is the version of this program; "" or "unknown" compares with nothing.
	Own string

	User    one.User
	UserErr error // the user could not be read
	// ConfigErr is why oned does not tell its configuration; it is one.ErrAuthorization for
	// users who are not in the group oneadmin.
	ConfigErr error
	Follows   bool // this oned is a follower of another front-end
	FollowErr error

	// ConfigFile is the path of the configuration that was read; "" without one.
	ConfigFile string
	Values     config.Values
	// Hooks are the findings about hooks, and HostHook what the hook for hosts does.
	Hooks    []Finding
	HostHook HostHook
	// Written are the hooks of oned.conf and Loaded those of the running oned, up to 5.8;
	// Loaded is nil when it does not tell.
	Written, Loaded []HookLine

	FrontEnd FrontEnd
	SSH      SSH
	Hosts    []Host // ID ascending
	// FencingNotAsked: somebody wanted no fence agent to be asked.
	FencingNotAsked bool

	Interval time.Duration
	// Settings decide how long VMs are down; without Values they are not judged. NotRead is what kept them from
	// being read, and Place where the files are.
	Settings   downtime.Settings
	NotRead    []downtime.Problem
	Place      downtime.Place
	VMs        VMs
	Datastores []Datastore // system datastores with VMs on them, ID ascending
	Incidents  Incidents
	Clock      Clock
	Dirs       []Dir
	Programs   []Program
	// NotLooked are the things that were not looked at, a line each.
	NotLooked []string
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
	// Manager: the process that runs hooks is there; ManagerState is its state in /proc, such as S.
	Manager      bool
	ManagerState string
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
	Levels  []Level
	Asked   bool // agents were asked for their status
	Promise fence.Promise
	// Promised: the host has published what it promises; PromiseErr says what is wrong with that.
	Promised   bool
	PromiseErr error
	// Isolated is the version of host_isolated that it runs; "" when it does not tell.
	Isolated string
}

// Level is one way to fence a host.
type Level struct {
	Name    string
	Devices []Device
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
	// Ill are VMs that failed or are UNKNOWN, ID ascending.
	Ill []IllVM
}

// IllVM is a VM that failed, or is UNKNOWN on a host that is fine.
type IllVM struct {
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
	Number   int
	Kind     string // "host" or "VM"
	ID       int
	Name     string
	FrontEnd string
	Began    time.Time
	// Held: a process works on it. HeldKnown is false when that cannot be seen.
	Held, HeldKnown bool
	// Following: everything was asked for, and VMs are on their way; Waiting are those by what they wait or waited for.
	Following bool
	Waiting   map[incident.Wait][]int
}

// Clock is what oned told of the time.
type Clock struct {
	// Newest is the latest time that oned told; Of says of what. Zero when it told none.
	Newest time.Time
	Of     string
	// Monitored is when a host that is MONITORED was last monitored; Host is its ID.
	Monitored time.Time
	Host      int
}

// Dir is a directory that hooks write into, or a file there.
type Dir struct {
	Path, For string
	File      bool
	Err       error // why they cannot
}

// errSpace is a file system that takes nothing more.
var errSpace = errors.New("the file system takes nothing")

// Program is a program of the configuration.
type Program struct {
	Path, For string
	Err       error // why it cannot be run
}
