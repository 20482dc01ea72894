package cloud

import (
	"context"
	"maps"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// Config describes the cloud that New builds. The zero value of a field means
// the default that its comment names.
type Config struct {
	// Version is what one.system.version answers. Behaviour follows the newest
	// of 4.4, 5.10, 6.10 and 7.4 that is not newer than it. Default "6.10.0".
	Version string

	Hosts      []Host
	VMs        []VM
	Datastores []Datastore // default: one shared system datastore, ID 0

	// User and Password are the administrator, user ID 0. Default
	// oneadmin:opennebula. The ordinary user alice:secret, user ID 2, always
	// exists; she may see and manage only the VMs that she owns.
	User, Password string

	// MonitorInterval is the time between two monitoring cycles of a host.
	// Default 60 s, as in the oned.conf of 4.4 and 5.10.
	MonitorInterval time.Duration
	// Stagger spreads the hosts over so much more time, by their IDs: hosts that are lost at one moment become ERROR one
	// after the other.
	Stagger time.Duration
	// Step is how long a driver works, and so how long a VM stays in each
	// transient state that a call or the scheduler put it in. Default 100 ms.
	Step time.Duration
	// DeadStep is the same for work on a dead host, which ends when it times
	// out. Default Step.
	DeadStep time.Duration
	// SchedInterval is the time between two runs of the scheduler. Default 1 s.
	SchedInterval time.Duration
	// MaxConn is how many requests are accepted at once: half of them are
	// served, the others wait for that. Default 30, the MAX_CONN and
	// MAX_CONN_BACKLOG of 15 that oned comes with.
	MaxConn int

	// Network is how the hosts are connected. Without one drivers answer at once, as those of the
	// recorded clouds did; with one each of their commands takes what an ssh takes.
	Network Network
	// Faster divides what ssh takes to a host that is dead, and so also to find out that it is. Default 1.
	Faster float64
	// FailFast, when it is set, is asked as each ssh command of a driver begins, for the name of its
	// host: with true the command fails after 10 ms. It must not call methods of Cloud.
	FailFast func(hostName string) bool
	// Command, when it is set, runs each ssh command of a driver, which then takes what that takes: Network only says
	// how long the monitoring takes, and CleanUpsHang is to be NoHang. The context ends when the action does.
	Command func(ctx context.Context, s SSH) Ended
	// ConnectTimeout is that of the ssh configuration of the drivers; 0 is none, as shipped. It ends the wait of ssh
	// for a host that is cut off, and for the banner of a frozen one, which oned then says ERROR of.
	ConnectTimeout time.Duration
	// CleanUpsHang is the share of the clean-ups, and of the other actions of the driver of VMs, that are begun on a dead host and
	// never end, 0 to 1, because the thread of the driver dies. Default 5/6 with a Network (measured) and none without; NoHang is none.
	// Seed draws which.
	CleanUpsHang float64
	Seed         int
	// HostMessage is the time from when a host in ERROR can be reached again to the SYSTEM_HOST
	// message that makes it MONITORED, on 6.0 and later: 600 s as shipped. Its VMs and its monitoring data are back after
	// an interval. A host that was switched off is monitored anew, and waits for no message. Default: with the first monitoring.
	HostMessage time.Duration
	// ShippedScheduler runs the scheduler with the settings that the release comes with
	// (tables/sched.tsv), instead of one that places everything every SchedInterval.
	ShippedScheduler bool
	// SchedWord is how long a VM is PENDING before the scheduler says why. Default 0.
	SchedWord time.Duration
}

// Host is a host of the cloud.
type Host struct {
	ID          int
	Name        string
	Cluster     int    // cluster ID; -1 is "none", where 4.4 puts hosts
	ClusterName string // default: "default" for cluster 0, "cluster<ID>" for others, "" for -1
	// State in Config: 0 (INIT) is taken as MONITORED; SetHostState makes an
	// INIT host. A host that begins in ERROR is dead.
	State    one.HostState
	CPU      int               // capacity, 100 per core; default 800
	MemMB    int               // capacity; default 16384
	Template map[string]string // attributes beside those that every host has
	// Driver is that of its VMs and of its monitoring, and its HYPERVISOR. Default: dummy, as in the recorded clouds; kvm with
	// a Network.
	Driver string
	// FailedFor is how long ago a host that begins in ERROR was last monitored successfully.
	FailedFor time.Duration
}

// Record is one history record of a VM: a stay on one host.
type Record struct {
	Seq, HostID    int
	DSID           int    // system datastore
	Driver         string // of VMs; default: that of the host
	Action, Reason int    // REASON exists in 4.4 only
	STime, ETime   int64  // Unix seconds; 0 is "not yet", as in all the times
	PSTime, PETime int64  // prolog
	RSTime, RETime int64  // running
	ESTime, EETime int64  // epilog
}

// VM is a virtual machine. With State ACTIVE, LCM says more; in every other
// state LCM is 0.
//
// A VM that Config, AddVM or UpdateVM puts into a transient state stays there:
// its driver hangs. A call that starts work again (recover, retry, boot) ends
// that, and so do HealHost for an UNKNOWN VM and everything that leaves the
// state.
type VM struct {
	ID      int
	Name    string
	UID     int // owner: AdminID or AliceID
	State   one.VMState
	LCM     one.LCMState
	Resched bool

	// History ends with the stay where the VM is or was last; nil for a VM
	// that was never deployed.
	History []Record

	CPU          float64 // cores; default 1
	MemMB        int     // default 1024
	UserTemplate map[string]string
	Template     map[string]string // attributes beside CPU, MEMORY and VMID
	// Requirements is the attribute SCHED_REQUIREMENTS of the user template.
	// The scheduler understands NAME = "x", ID = n and ID != n, joined by &;
	// anything else matches every host.
	Requirements string
	Disks        []map[string]string // one DISK section each

	PrologFails bool // copying the disks fails wherever it is tried
	BootFails   bool // the hypervisor refuses to start it wherever it is tried
}

// Datastore is a datastore of the cloud.
type Datastore struct {
	ID     int
	Name   string
	Type   int  // 0 images, 1 system, 2 files
	Shared bool // SHARED in its template: hosts need not copy disks among each other
}

// The user IDs of the two users; the recorded clouds have the same.
const (
	AdminID = 0
	AliceID = 2
)

// withDefaults fills in what was left out.
func (cfg Config) withDefaults() Config {
	setDefault(&cfg.Version, "6.10.0")
	setDefault(&cfg.User, "oneadmin")
	setDefault(&cfg.Password, "opennebula")
	setDefault(&cfg.MonitorInterval, time.Minute)
	setDefault(&cfg.Step, 100*time.Millisecond)
	setDefault(&cfg.DeadStep, cfg.Step)
	setDefault(&cfg.SchedInterval, time.Second)
	setDefault(&cfg.MaxConn, 30)
	setDefault(&cfg.Faster, 1)
	if cfg.Datastores == nil {
		cfg.Datastores = []Datastore{{ID: 0, Name: "system", Type: 1, Shared: true}}
	}
	return cfg
}

// hang is the share of clean-ups that never end: as measured where nothing else was asked for.
func (cfg Config) hang(measured float64) float64 {
	switch {
	case cfg.Network == "" || cfg.CleanUpsHang < 0:
		return 0
	case cfg.CleanUpsHang == 0:
		return measured
	}
	return cfg.CleanUpsHang
}

// setDefault sets *p to value if it is zero.
func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// clone copies a host deeply.
func (h Host) clone() Host {
	h.Template = maps.Clone(h.Template)
	return h
}

// clone copies a VM deeply.
func (v VM) clone() VM {
	v.History = slices.Clone(v.History)
	v.UserTemplate = maps.Clone(v.UserTemplate)
	v.Template = maps.Clone(v.Template)
	v.Disks = slices.Clone(v.Disks)
	for i := range v.Disks {
		v.Disks[i] = maps.Clone(v.Disks[i])
	}
	return v
}

// state gives both numbers of the VM's state.
func (v VM) state() state {
	if v.State != one.Active {
		return state{vm: v.State}
	}
	return active(v.LCM)
}

// last gives the record of the stay where the VM is or was last, nil if it was
// never deployed.
func (v *VM) last() *Record {
	if n := len(v.History); n > 0 {
		return &v.History[n-1]
	}
	return nil
}

// previous gives the record before the last one, nil if there is none.
func (v *VM) previous() *Record {
	if n := len(v.History); n > 1 {
		return &v.History[n-2]
	}
	return nil
}
