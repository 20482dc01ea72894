package cloud

import (
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
	// Step is how long a VM stays in each transient state. Default 100 ms.
	Step time.Duration
	// SchedInterval is the time between two runs of the scheduler. Default 1 s.
	SchedInterval time.Duration
	// MaxConn is how many requests are accepted at once: half of them are
	// served, the others wait for that. Default 30, as oned comes with.
	MaxConn int
}

// Host is a host of the cloud.
type Host struct {
	ID          int
	Name        string
	Cluster     int    // cluster ID; -1 is "none", which 4.4 calls its default
	ClusterName string // "default" for cluster 0 when empty
	State       one.HostState
	CPU         int               // capacity, 100 per core; default 800
	MemMB       int               // capacity; default 16384
	Template    map[string]string // attributes beside those that every host has
}

// Record is one history record of a VM: a stay on one host.
type Record struct {
	Seq, HostID    int
	DSID           int   // system datastore
	Action, Reason int   // REASON exists in 4.4 only
	STime, ETime   int64 // Unix seconds; 0 is "not yet", as in all the times
	PSTime, PETime int64 // prolog
	RSTime, RETime int64 // running
	ESTime, EETime int64 // epilog
}

// VM is a virtual machine. With State ACTIVE, LCM says more; in every other
// state oned reports LCM_STATE 0.
type VM struct {
	ID      int
	Name    string
	UID     int // owner: 0 the administrator, 2 alice
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
	// Requirements is SCHED_REQUIREMENTS. Understood are NAME = "x", ID = n and
	// ID != n; anything else matches every host.
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

// AdminID and AliceID are the user IDs of the two users; the recorded clouds
// have the same.
const (
	AdminID = 0
	AliceID = 2
)
