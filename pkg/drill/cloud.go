package drill

import (
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Cloud is what is known of a cloud, as Read gives it.
type Cloud struct {
	Hosts []Host // ID ascending
	// VMs are those that are on a host or wait for one, ID ascending.
	VMs []VM
	// Datastores are the system datastores. Without any they are not evaluated.
	Datastores []Datastore
	Groups     []Group
	// HypervisorMemory is the part of each host's memory, 0 to 1, that the scheduler of 4.4 keeps
	// for the hypervisor (HYPERVISOR_MEM of its sched.conf, 0.1 unless changed).
	HypervisorMemory float64
	// Unread are the IDs of VMs on hosts that could not be read.
	Unread []int
	// Notes say what could not be read, a line each.
	Notes []string
}

// Host is a host with what the scheduler evaluates.
type Host struct {
	one.Host
	// Attributes have those of its cluster last.
	Attributes Attributes
	Driver     string // of its VMs (VM_MAD), such as kvm
	// NoMonitoring: the answer had no monitoring data, so FREE_CPU and its like are not known.
	NoMonitoring bool
	// FreeDisk is the free space for datastores that are not shared, in MB, and FreeDatastore that of
	// single ones by ID.
	FreeDisk      int64
	FreeDatastore map[int]int64
}

// VM is a VM with what the scheduler evaluates. Of both templates only the attributes of
// one-ft are kept, and of its history the last record, but the whole one while it is migrating.
type VM struct {
	one.VM
	CPUShare int64 // hundredths of a core
	MemoryKB int64
	DiskMB   int64 // on the system datastore
	// Requirements must all be met by the host; DatastoreRequirements by the system datastore.
	Requirements, DatastoreRequirements []string
	// UserPriority comes before the ID in the scheduler's order (5.10 and later).
	UserPriority float64
	// GroupID and Role tell its place in a VM group; GroupID is -1 for none.
	GroupID int
	Role    string
	// UID and GID are those of its owner.
	UID, GID int
	// ImageStore: its disks take room on an image datastore, and OwnRank: it says itself which of several
	// hosts or datastores it prefers. Both matter for whoever places it, and not for whether there is room.
	ImageStore, OwnRank bool
	// Unchecked are things it needs that are not evaluated.
	Unchecked []Aspect
}

// Datastore is a system datastore.
type Datastore struct {
	one.Datastore
	Clusters   []int // nil for any; in 4.x its only one, -1 for none
	FreeMB     int64
	Monitored  bool // its size is known
	Disabled   bool
	Attributes Attributes
	// GID is that of its group; GroupUse and OtherUse are its permissions.
	GID                int
	GroupUse, OtherUse bool
}

// Values gives the attribute for requirements of datastores.
func (d *Datastore) Values(name string) ([]string, bool) {
	values, found := d.Attributes[name]
	return values, found || name == clustersID || !isPath(name)
}

// clustersID is the path of a datastore's clusters, as requirements name them.
const clustersID = "CLUSTERS/ID"

// isPath reports whether a name in a requirement is a path to what is nested in the object's XML: the scheduler
// searches it below each part of the object (ObjectXML::search).
func isPath(name string) bool { return strings.Contains(name, "/") }

// HasVM is false: datastores hold no VMs.
func (d *Datastore) HasVM(int) bool { return false }

// Host finds a host by its ID.
func (c Cloud) Host(id int) (Host, bool) {
	i, found := c.hostIndex(id)
	if !found {
		return Host{}, false
	}
	return c.Hosts[i], true
}

func (c Cloud) hostIndex(id int) (int, bool) {
	return slices.BinarySearchFunc(c.Hosts, id, func(h Host, id int) int { return h.ID - id })
}

// VM finds a VM by its ID.
func (c Cloud) VM(id int) (VM, bool) {
	i, found := c.indexOf(id)
	if !found {
		return VM{}, false
	}
	return c.VMs[i], true
}

func (c Cloud) indexOf(vm int) (int, bool) {
	return slices.BinarySearchFunc(c.VMs, vm, func(v VM, id int) int { return v.ID - id })
}

// Plan is what host_error would do with the VMs of a host if it died now. Without such a host
// it is empty.
func (c Cloud) Plan(hostID int, d one.Dialect, p recovery.Policy) recovery.Plan {
	host, _ := c.Host(hostID)
	s := recovery.Snapshot{Dialect: d, Host: host.Host}
	others := p.Mode == recovery.Migrate || host.Template["FT_ACTION"] != "" // moves and migrations need them
	for _, id := range host.VMs {
		if vm, found := c.VM(id); found {
			s.VMs = append(s.VMs, vm.VM)
			others = others || vm.Migrating()
		}
	}
	if others {
		for _, h := range c.Hosts {
			s.Hosts = append(s.Hosts, h.Host)
		}
		for _, ds := range c.Datastores {
			s.Datastores = append(s.Datastores, ds.Datastore)
		}
	}
	return recovery.Make(s, p)
}
