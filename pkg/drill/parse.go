package drill

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// parseHost reads a HOST element of one.hostpool.info.
func parseHost(e *element) (Host, error) {
	if err := e.once("ID", "STATE", "NAME", "CLUSTER_ID", "HOST_SHARE", "VMS", "TEMPLATE"); err != nil {
		return Host{}, err
	}
	share := e.child("HOST_SHARE")
	h := Host{Host: one.Host{
		ID: int(e.number("ID")), Name: one.Printable(e.value("NAME")), State: one.HostState(e.number("STATE")),
		ClusterID: int(e.number("CLUSTER_ID")), Cluster: one.Printable(e.value("CLUSTER")),
		MaxCPU: share.number("MAX_CPU"), UsedCPU: share.number("CPU_USAGE"),
		MaxMemory: share.number("MAX_MEM"), UsedMemory: share.number("MEM_USAGE"),
		VMs: e.ids("VMS"), Template: plain(e.child("TEMPLATE")),
	}, Attributes: map[string][]string{}, FreeDatastore: map[int]int64{}, Driver: one.Printable(e.value("VM_MAD"))}
	slices.Sort(h.VMs)
	stores := share.child("DATASTORES")
	h.FreeDisk = stores.number("FREE_DISK") // 6.x; before, it is in HOST_SHARE
	if stores.child("FREE_DISK") == nil {
		h.FreeDisk = share.number("FREE_DISK")
	}
	if stores != nil {
		for i := range stores.children {
			if ds := &stores.children[i]; ds.name == "DS" {
				h.FreeDatastore[int(ds.number("ID"))] = ds.number("FREE_MB")
			}
		}
	}
	monitoring := e.child("MONITORING")
	h.NoMonitoring = monitoring != nil && len(monitoring.children) == 0
	// In the order of the XML, which decides where a name occurs twice.
	for _, part := range []*element{e, share, stores, e.child("TEMPLATE"), monitoring.child("CAPACITY"), monitoring.child("SYSTEM")} {
		addAttributes(h.Attributes, part)
	}
	return h, nil
}

// plain gives the simple attributes of a template; the first of several counts.
func plain(e *element) map[string]string {
	if e == nil {
		return nil
	}
	m := make(map[string]string, len(e.children))
	for i := range e.children {
		c := &e.children[i]
		if _, twice := m[c.name]; !twice && len(c.children) == 0 {
			m[strings.Clone(c.name)] = strings.Clone(c.text)
		}
	}
	return m
}

// addAttributes adds the simple children of an element to the attributes that requirements
// can name.
func addAttributes(m map[string][]string, e *element) {
	if e == nil {
		return
	}
	for i := range e.children {
		if c := &e.children[i]; len(c.children) == 0 {
			m[c.name] = append(m[c.name], strings.Clone(c.text))
		}
	}
}

// parseVM reads a VM element of a pool with full bodies.
func parseVM(e *element) (VM, error) {
	if err := e.once("ID", "STATE", "LCM_STATE", "NAME", "TEMPLATE", "USER_TEMPLATE", "HISTORY_RECORDS"); err != nil {
		return VM{}, err
	}
	template, user := e.child("TEMPLATE"), e.child("USER_TEMPLATE")
	v := VM{VM: one.VM{
		ID: int(e.number("ID")), Name: one.Printable(e.value("NAME")), Owner: one.Printable(e.value("UNAME")),
		State: one.VMState(e.number("STATE")), LCM: one.LCMState(e.number("LCM_STATE")), Resched: e.number("RESCHED") == 1,
		Template: own(template), UserTemplate: own(user),
	}, GroupID: -1, UID: int(e.number("UID")), GID: int(e.number("GID"))}
	cpu, memory := decimal(template.value("CPU")), template.number("MEMORY")
	if cpu > 0 && cpu < maxCores {
		v.CPU = cpu
	}
	if memory > 0 && memory < maxMemoryMB {
		v.Memory = int(memory)
	}
	if v.CPU > 0 && v.Memory > 0 { // with one of them 0 the scheduler asks for no capacity
		v.CPUShare, v.MemoryKB = int64(math.Round(cpu*100)), memory*1024
	}
	for _, r := range []string{template.value("AUTOMATIC_REQUIREMENTS"), user.value("SCHED_REQUIREMENTS")} {
		if strings.TrimSpace(r) != "" {
			v.Requirements = append(v.Requirements, strings.Clone(r))
		}
	}
	for _, r := range []string{template.value("AUTOMATIC_DS_REQUIREMENTS"), user.value("SCHED_DS_REQUIREMENTS")} {
		if strings.TrimSpace(r) != "" {
			v.DatastoreRequirements = append(v.DatastoreRequirements, strings.Clone(r))
		}
	}
	v.UserPriority = decimal(user.value("USER_PRIORITY"))
	v.parseSections(template)
	if user.child("PUBLIC_CLOUD") != nil || user.child("EC2") != nil {
		v.Unchecked = append(v.Unchecked, PublicClouds)
	}
	for _, name := range []string{"SCHED_RANK", "RANK", "SCHED_DS_RANK"} {
		v.OwnRank = v.OwnRank || strings.TrimSpace(user.value(name)) != ""
	}
	if records := e.child("HISTORY_RECORDS"); records != nil {
		for i := range records.children {
			h := &records.children[i]
			v.Prolog = prolog(h)
			v.History = append(v.History, one.Record{
				Seq: int(h.number("SEQ")), HostID: int(h.number("HID")), Host: one.Printable(h.value("HOSTNAME")),
				ClusterID: int(h.number("CID")), DatastoreID: int(h.number("DS_ID")), Action: int(h.number("ACTION")),
			})
		}
	}
	return v, nil
}

// prolog is how long the prolog of a history record took; 0 when it has none. A prolog of a day is damage.
func prolog(record *element) time.Duration {
	began, ended := record.number("PSTIME"), record.number("PETIME")
	const day = 24 * 60 * 60
	if began <= 0 || ended <= began || ended-began > day {
		return 0
	}
	return time.Duration(ended-began) * time.Second
}

// decimal reads a number; 0 for anything else, also for what only strconv takes for one.
func decimal(text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}

// Larger VMs are damage; no host has as much.
const (
	maxCores    = 1e6
	maxMemoryMB = 1 << 40
)

// own keeps the attributes of one-ft.
func own(template *element) map[string]string {
	var m map[string]string
	if template == nil {
		return nil
	}
	for i := range template.children {
		c := &template.children[i]
		if !strings.HasPrefix(c.name, "FT_") || len(c.children) > 0 {
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		if _, twice := m[c.name]; !twice {
			m[strings.Clone(c.name)] = strings.Clone(c.text)
		}
	}
	return m
}

// parseSections reads the sections of a VM's template: what its disks take on the system
// datastore, its VM group, and what is not evaluated.
func (v *VM) parseSections(template *element) {
	if template == nil {
		return
	}
	unchecked := func(what Aspect) {
		if !slices.Contains(v.Unchecked, what) {
			v.Unchecked = append(v.Unchecked, what)
		}
	}
	for i := range template.children {
		c := &template.children[i]
		switch c.name {
		case "DISK":
			v.Disks++
			v.DiskMB += onSystemDatastore(c)
			v.ImageStore = v.ImageStore || onImageDatastore(c)
			v.PersistentDisks = v.PersistentDisks || c.value("PERSISTENT") == "YES" || c.value("SAVE") == "YES"
		case "PCI":
			unchecked(PCIDevices)
		case "TOPOLOGY":
			if policy := strings.ToUpper(c.value("PIN_POLICY")); policy != "" && policy != "NONE" {
				unchecked(PinnedCPUs)
			} else if c.value("HUGEPAGE_SIZE") != "" {
				unchecked(HugePages)
			}
		case "NIC":
			if strings.EqualFold(c.value("NETWORK_MODE"), "AUTO") {
				unchecked(Networks)
			}
		case "VMGROUP":
			if id, err := strconv.Atoi(strings.TrimSpace(c.value("VMGROUP_ID"))); err == nil {
				v.GroupID, v.Role = id, strings.Clone(c.value("ROLE"))
			}
		}
	}
}

// onSystemDatastore is what a disk takes there in MB: volatile ones, and copies that are made there
// (VirtualMachineXML::init_storage_usage).
func onSystemDatastore(disk *element) int64 {
	size := disk.number("SIZE")
	if size <= 0 || size > maxMemoryMB {
		return 0
	}
	size += min(max(0, disk.number("DISK_SNAPSHOT_TOTAL_SIZE")), maxMemoryMB)
	switch strings.ToUpper(disk.value("TYPE")) {
	case "SWAP", "FS":
		return size
	}
	target := "LN_TARGET"
	if strings.EqualFold(disk.value("CLONE"), "YES") {
		target = "CLONE_TARGET"
	}
	if strings.EqualFold(disk.value(target), "SYSTEM") {
		return size
	}
	return 0
}

// onImageDatastore reports whether a disk is copied on its image datastore when the VM is deployed
// (VirtualMachineXML::init_storage_usage: a target of SELF).
func onImageDatastore(disk *element) bool {
	target := "LN_TARGET"
	if strings.EqualFold(disk.value("CLONE"), "YES") {
		target = "CLONE_TARGET"
	}
	return strings.EqualFold(disk.value(target), "SELF")
}

// parseDatastore reads a DATASTORE element; ok is false for one that holds no running VMs.
func parseDatastore(e *element) (d Datastore, ok bool, err error) {
	if err := e.once("ID", "TYPE", "STATE", "TEMPLATE"); err != nil {
		return d, false, err
	}
	const system = 1
	if e.number("TYPE") != system {
		return d, false, nil
	}
	template := e.child("TEMPLATE")
	shared, set := "YES", template.child("SHARED")
	if set != nil {
		shared = set.text
	}
	d = Datastore{
		Datastore: one.Datastore{ID: int(e.number("ID")), Name: one.Printable(e.value("NAME")), Shared: strings.EqualFold(shared, "YES")},
		FreeMB:    e.number("FREE_MB"), Disabled: e.number("STATE") != 0,
		Monitored: e.number("FREE_MB") != 0 || e.number("TOTAL_MB") != 0 || e.number("USED_MB") != 0,
		Clusters:  e.ids("CLUSTERS"), Attributes: map[string][]string{}, GID: int(e.number("GID")),
	}
	if rights := e.child("PERMISSIONS"); rights != nil {
		d.GroupUse, d.OtherUse = rights.number("GROUP_U") == 1, rights.number("OTHER_U") == 1
	}
	switch {
	case e.child("CLUSTERS") == nil && e.child("CLUSTER_ID") != nil: // 4.x: that of the host has to be the same
		d.Clusters = []int{int(e.number("CLUSTER_ID"))}
	case d.Clusters == nil:
		d.Clusters = []int{}
	}
	if limit := template.child("LIMIT_MB"); limit != nil {
		d.FreeMB = max(0, template.number("LIMIT_MB")-e.number("USED_MB"))
	}
	addAttributes(d.Attributes, e)
	addAttributes(d.Attributes, template)
	for _, id := range d.Clusters { // "CLUSTERS/ID" @> 0: AUTOMATIC_DS_REQUIREMENTS of every VM since 5.0 (src/vm/VirtualMachine.cc)
		d.Attributes[clustersID] = append(d.Attributes[clustersID], strconv.Itoa(id))
	}
	return d, true, nil
}

// needsPlace reports whether a step makes the scheduler look for a host.
func needsPlace(v recovery.Verb) bool {
	switch v {
	case recovery.VerbRecreate, recovery.VerbResumeRecreate, recovery.VerbResched:
		return true
	}
	return false
}
