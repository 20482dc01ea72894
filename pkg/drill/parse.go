package drill

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// Attributes are those that requirements can name, with all their values in the order of the XML.
type Attributes map[string][]string

// add adds the simple children of elements.
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
		Host: base, Attributes: Attributes{}, FreeDatastore: map[int]int64{}, Driver: text.Printable(e.Value("VM_MAD")),
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
		onSystem, onImage := diskStores(disk)
		v.DiskMB += onSystem
		v.ImageStore = v.ImageStore || onImage
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
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}

// diskStores is what a disk takes on the system datastore in MB: volatile ones, and copies that are made
// there; and whether it is copied on its image datastore when the VM is deployed, a target of SELF
// (VirtualMachineXML::init_storage_usage).
func diskStores(disk *one.Element) (onSystem int64, onImage bool) {
	const mostMB = 1 << 40 // more is damage
	target := "LN_TARGET"
	if disk.Is("CLONE", "YES") {
		target = "CLONE_TARGET"
	}
	if disk.Is("TYPE", "SWAP") || disk.Is("TYPE", "FS") || disk.Is(target, "SYSTEM") {
		if size := disk.Number("SIZE"); size > 0 && size <= mostMB {
			onSystem = size + min(max(0, disk.Number("DISK_SNAPSHOT_TOTAL_SIZE")), mostMB)
		}
	}
	return onSystem, disk.Is(target, "SELF")
}

// unchecked is what a VM needs and no verdict evaluates.
func unchecked(template, user *one.Element) []Aspect {
	var pinned, huge, chosen bool
	for _, t := range template.All("TOPOLOGY") {
		pins := t.Value("PIN_POLICY") != "" && !t.Is("PIN_POLICY", "NONE")
		pinned = pinned || pins
		huge = huge || !pins && t.Value("HUGEPAGE_SIZE") != ""
	}
	for _, nic := range template.All("NIC") {
		chosen = chosen || nic.Is("NETWORK_MODE", "AUTO")
	}
	return needed([]need{
		{template.Child("PCI") != nil, PCIDevices}, {pinned, PinnedCPUs}, {huge, HugePages}, {chosen, Networks},
		{user.Child("PUBLIC_CLOUD") != nil || user.Child("EC2") != nil, PublicClouds},
	})
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
		d.Clusters = []int{int(e.Number("CLUSTER_ID"))}
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
