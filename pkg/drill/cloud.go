package drill

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Cloud is what is known of a cloud, as Read gives it.
type Cloud struct {
	Hosts []Host // ID ascending
	VMs   []VM   // that are on a host or wait for one, ID ascending
	// Datastores are the system datastores. Without any they are not evaluated.
	Datastores []Datastore
	Groups     []Group
	// HypervisorMemory is the part of each host's memory, 0 to 1, that the scheduler of 4.4 keeps for the hypervisor
	// (HYPERVISOR_MEM of its sched.conf, 0.1 unless changed).
	HypervisorMemory float64
	Unread           []int    // IDs of VMs on hosts that could not be read
	Notes            []string // what could not be read, a line each
}

// Host is a host with what the scheduler evaluates.
type Host struct {
	one.Host
	// Attributes have those of its cluster last.
	Attributes Attributes
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
	UserPriority                        float64 // comes before the ID in the scheduler's order (5.10 and later)
	GroupID                             int     // of its VM group, -1 for none
	Role                                string  // in it
	UID, GID                            int     // of its owner
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
	OneCluster bool  // 4.x
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

const clustersID = "CLUSTERS/ID" // the path of a datastore's clusters, as requirements name them

// isPath reports whether a name in a requirement is a path to what is nested in the object's XML (ObjectXML::search).
func isPath(name string) bool { return strings.Contains(name, "/") }

// HasVM is false: datastores hold no VMs.
func (d *Datastore) HasVM(int) bool { return false }

// Host finds a host by its ID.
func (c Cloud) Host(id int) (Host, bool) {
	if i, found := c.hostIndex(id); found {
		return c.Hosts[i], true
	}
	return Host{}, false
}

func (c Cloud) hostIndex(id int) (int, bool) {
	return slices.BinarySearchFunc(c.Hosts, id, func(h Host, id int) int { return h.ID - id })
}

// VM finds a VM by its ID.
func (c Cloud) VM(id int) (VM, bool) {
	if i, found := c.indexOf(id); found {
		return c.VMs[i], true
	}
	return VM{}, false
}

func (c Cloud) indexOf(vm int) (int, bool) {
	return slices.BinarySearchFunc(c.VMs, vm, func(v VM, id int) int { return v.ID - id })
}

// Plan is what host_error would do with the VMs of a host if it died now; leased says that only a lease would prove it off
// (fence.Outlook). Without such a host it is empty.
func (c Cloud) Plan(hostID int, d one.Dialect, p recovery.Policy, leased bool) recovery.Plan {
	host, _ := c.Host(hostID)
	s := recovery.Snapshot{Dialect: d, Host: host.Host, Leased: leased}
	if leased { // they matter to a lease only
		s.Twins = c.twins(host)
	}
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

// twins are the other hosts that are the same machine.
func (c Cloud) twins(host Host) (twins []one.Host) {
	for _, h := range c.Hosts {
		twins = append(twins, recovery.Twins(host.Host, []one.Host{h.Host})...)
	}
	return twins
}

// Attributes are those that requirements can name, with all their values in the order of the XML.
type Attributes map[string][]string

func (a Attributes) add(parts ...*one.Element) {
	for _, part := range parts {
		for _, c := range part.Children() {
			if len(c.Children()) == 0 {
				a[c.Name()] = append(a[c.Name()], c.Text())
			}
		}
	}
}

// parseHost reads a HOST element of one.hostpool.info.
func parseHost(e *one.Element) (Host, error) {
	base, err := e.Host()
	share, monitoring := e.Child("HOST_SHARE"), e.Child("MONITORING")
	stores := share.Child("DATASTORES")
	h := Host{
		Host: base, Attributes: Attributes{}, FreeDatastore: map[int]int64{},
		FreeDisk:     share.Number("FREE_DISK"),
		NoMonitoring: monitoring != nil && len(monitoring.Children()) == 0,
	}
	if stores.Child("FREE_DISK") != nil { // since 6.0
		h.FreeDisk = stores.Number("FREE_DISK")
	}
	for _, ds := range stores.All("DS") {
		h.FreeDatastore[int(ds.Number("ID"))] = ds.Number("FREE_MB")
	}
	slices.Sort(h.VMs)
	// The order of the XML decides where a name occurs twice.
	h.Attributes.add(e, share, stores, e.Child("TEMPLATE"), monitoring.Child("CAPACITY"), monitoring.Child("SYSTEM"))
	return h, err
}

// parseVM reads a VM element of a pool with full bodies.
func parseVM(e *one.Element) (VM, error) {
	base, err := e.VM(func(name string) bool { return strings.HasPrefix(name, "FT_") })
	template, user := e.Child("TEMPLATE"), e.Child("USER_TEMPLATE")
	v := VM{
		VM: base, GroupID: -1, UID: int(e.Number("UID")), GID: int(e.Number("GID")), UserPriority: decimal(user.Value("USER_PRIORITY")),
		Requirements:          filled(template.Value("AUTOMATIC_REQUIREMENTS"), user.Value("SCHED_REQUIREMENTS")),
		DatastoreRequirements: filled(template.Value("AUTOMATIC_DS_REQUIREMENTS"), user.Value("SCHED_DS_REQUIREMENTS")),
		OwnRank:               len(filled(user.Value("SCHED_RANK"), user.Value("RANK"), user.Value("SCHED_DS_RANK"))) > 0,
	}
	if v.CPU > 0 && v.Memory > 0 { // with one of them 0 the scheduler looks for no capacity
		v.CPUShare, v.MemoryKB = int64(math.Round(v.CPU*100)), int64(v.Memory)*1024
	}
	for _, disk := range template.All("DISK") {
		v.addDisk(disk)
	}
	if g := template.Child("VMGROUP"); g.Require("VMGROUP_ID") == nil {
		v.GroupID, v.Role = int(g.Number("VMGROUP_ID")), g.Value("ROLE")
	}
	v.Unchecked = unchecked(template, user)
	return v, err
}

// filled leaves out texts that are blank.
func filled(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// decimal reads a number; 0 for anything else, also for what only strconv takes for one.
func decimal(number string) float64 {
	if n, err := strconv.ParseFloat(strings.TrimSpace(number), 64); err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
		return n
	}
	return 0
}

// addDisk adds what a disk takes on the system datastore in MB: volatile ones, and copies that are made there; and whether
// it is copied on its image datastore when the VM is deployed, a target of SELF (VirtualMachineXML::init_storage_usage).
func (v *VM) addDisk(disk *one.Element) {
	const mostMB = 1 << 40 // more is damage
	target := "LN_TARGET"
	if disk.Is("CLONE", "YES") {
		target = "CLONE_TARGET"
	}
	if disk.Is("TYPE", "SWAP") || disk.Is("TYPE", "FS") || disk.Is(target, "SYSTEM") {
		if size := disk.Number("SIZE"); size > 0 && size <= mostMB {
			v.DiskMB += size + min(max(0, disk.Number("DISK_SNAPSHOT_TOTAL_SIZE")), mostMB)
		}
	}
	v.ImageStore = v.ImageStore || disk.Is(target, "SELF")
}

// unchecked is what a VM needs and no verdict evaluates.
func unchecked(template, user *one.Element) []Aspect {
	var pinned, huge bool
	for _, t := range template.All("TOPOLOGY") {
		pins := t.Value("PIN_POLICY") != "" && !t.Is("PIN_POLICY", "NONE")
		pinned = pinned || pins
		huge = huge || !pins && t.Value("HUGEPAGE_SIZE") != ""
	}
	chosen := slices.ContainsFunc(template.All("NIC"), func(nic *one.Element) bool { return nic.Is("NETWORK_MODE", "AUTO") })
	return slices.Concat(
		PCIDevices.when(template.Child("PCI") != nil), PinnedCPUs.when(pinned), HugePages.when(huge), Networks.when(chosen),
		PublicClouds.when(user.Child("PUBLIC_CLOUD") != nil || user.Child("EC2") != nil),
	)
}

// parseDatastore reads a DATASTORE element of a system datastore.
func parseDatastore(e *one.Element) (Datastore, error) {
	base, err := e.Datastore()
	template, rights := e.Child("TEMPLATE"), e.Child("PERMISSIONS")
	d := Datastore{
		Datastore: base, Attributes: Attributes{}, Clusters: append([]int{}, e.IDs("CLUSTERS")...),
		FreeMB: e.Number("FREE_MB"), Disabled: e.Number("STATE") != 0,
		Monitored: e.Number("FREE_MB") != 0 || e.Number("TOTAL_MB") != 0 || e.Number("USED_MB") != 0,
		GID:       int(e.Number("GID")), GroupUse: rights.Number("GROUP_U") == 1, OtherUse: rights.Number("OTHER_U") == 1,
	}
	d.Shared = d.Shared || template.Child("SHARED") == nil          // as the scheduler has it
	if e.Child("CLUSTERS") == nil && e.Child("CLUSTER_ID") != nil { // 4.x: that of the host has to be the same
		d.Clusters, d.OneCluster = []int{int(e.Number("CLUSTER_ID"))}, true
	}
	if template.Child("LIMIT_MB") != nil {
		d.FreeMB = max(0, template.Number("LIMIT_MB")-e.Number("USED_MB"))
	}
	d.Attributes.add(e, template)
	for _, id := range d.Clusters { // "CLUSTERS/ID" @> 0: AUTOMATIC_DS_REQUIREMENTS of every VM since 5.0 (src/vm/VirtualMachine.cc)
		d.Attributes[clustersID] = append(d.Attributes[clustersID], strconv.Itoa(id))
	}
	return d, cmp.Or(err, e.Once("TYPE", "STATE"))
}
