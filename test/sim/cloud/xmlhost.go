package cloud

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"one-ft/pkg/one"
)

// hostXML writes a host. full is one.host.info; in pools 6.10 and newer leave
// the monitoring out. The numbers of a host that were not simulated (disks,
// real use) are those of the recorded clouds.
func (c *Cloud) hostXML(h *host, full bool) string {
	var b xmlBuffer
	b.open("HOST")
	b.number("ID", int64(h.ID))
	b.text("NAME", h.Name)
	b.number("STATE", int64(h.State))
	if c.fam <= f414 {
		b.text("IM_MAD", cmp.Or(h.Driver, "dummy"))
		b.text("VM_MAD", c.hypervisor(h))
		b.text("VN_MAD", "dummy")
	} else {
		if c.fam >= f510 {
			b.number("PREV_STATE", int64(h.State))
		}
		b.cdata("IM_MAD", cmp.Or(h.Driver, "dummy"))
		b.cdata("VM_MAD", c.hypervisor(h))
	}
	if c.fam < f512 {
		b.number("LAST_MON_TIME", c.lookedAt(h, h.lastMon))
	}
	b.number("CLUSTER_ID", int64(h.Cluster))
	b.text("CLUSTER", h.ClusterName)
	c.hostShareXML(&b, h)
	b.ids("VMS", slices.Sorted(maps.Keys(h.vms)))
	b.open("TEMPLATE")
	b.attributes(c.hostTemplate(h), nil)
	b.end("TEMPLATE")
	if c.fam >= f512 {
		c.hostMonitoringXML(&b, h, full)
	}
	b.end("HOST")
	return b.String()
}

// lookedAt is when a host was monitored last, on 4.4 and 5.10; at is what the last cycle that it had itself
// came to. 4.4 does not look at a disabled host without VMs, and says that it did (InformationManager::timer_action).
func (c *Cloud) lookedAt(h *host, at int64) int64 {
	if h.regular() || c.fam <= f414 && h.State == one.HostDisabled && len(h.vms) == 0 {
		return max(at, c.lastCycle())
	}
	return at
}

// hostShareXML writes HOST_SHARE. OFFLINE hosts have no capacity (recorded on
// 5.10 and 6.10).
func (c *Cloud) hostShareXML(b *xmlBuffer, h *host) {
	cpu, mem := int64(h.CPU), int64(h.MemMB)*1024
	if h.State == one.HostOffline {
		cpu, mem = 0, 0
	}
	b.open("HOST_SHARE")
	if c.fam < f512 {
		b.number("DISK_USAGE", 0)
	}
	b.number("MEM_USAGE", int64(h.usedMem)*1024)
	b.number("CPU_USAGE", int64(h.usedCPU))
	if c.fam >= f54 {
		b.number("TOTAL_MEM", mem)
		b.number("TOTAL_CPU", cpu)
	}
	if c.fam < f512 {
		b.number("MAX_DISK", 20480)
	}
	b.number("MAX_MEM", mem)
	b.number("MAX_CPU", cpu)
	if c.fam < f512 {
		b.number("FREE_DISK", 19480)
		b.number("FREE_MEM", mem*15/16)
		b.number("FREE_CPU", cpu*9/10)
		b.number("USED_DISK", 1000)
		b.number("USED_MEM", mem/16)
		b.number("USED_CPU", cpu/10)
	}
	b.number("RUNNING_VMS", int64(len(h.vms)))
	if c.fam >= f510 {
		b.number("VMS_THREAD", 1)
	}
	b.open("DATASTORES")
	switch c.fam {
	case f44, f414, f54, f58: // of the shared ones nothing is reported for a host
	case f510:
		b.attributes(nil, map[string][]map[string]string{
			"DS": {{"ID": "0", "FREE_MB": "19480", "TOTAL_MB": "20480", "USED_MB": "1000"}}})
	default:
		b.attributes(map[string]string{"DISK_USAGE": "0", "FREE_DISK": "195080",
			"MAX_DISK": "204800", "USED_DISK": "9720"}, nil)
	}
	b.end("DATASTORES")
	if c.fam >= f414 {
		b.ids("PCI_DEVICES", nil)
	}
	if c.fam >= f510 {
		b.ids("NUMA_NODES", nil)
	}
	b.end("HOST_SHARE")
}

// hostTemplate gives all attributes of a host.
func (c *Cloud) hostTemplate(h *host) map[string]string {
	t := map[string]string{
		"ARCH": "x86_64", "CPUSPEED": "2200", "HOSTNAME": h.Name, "HYPERVISOR": cmp.Or(h.Driver, "dummy"),
	}
	if c.fam < f512 {
		maps.Copy(t, map[string]string{"NETRX": "0", "NETTX": "0", "VERSION": "1"})
	} else {
		t["MODELNAME"], t["VERSION"] = "Dummy(R) Core @ 3.2GHz", c.cfg.Version
	}
	if c.fam == f414 {
		t["VN_MAD"] = "dummy"
	}
	if c.fam >= f414 {
		maps.Copy(t, map[string]string{"IM_MAD": cmp.Or(h.Driver, "dummy"), "VM_MAD": c.hypervisor(h), "RESERVED_CPU": "", "RESERVED_MEM": ""})
	}
	if c.fam == f74 && h.State != one.HostOffline {
		t["TOTALCPU"], t["TOTALMEMORY"] = strconv.Itoa(h.CPU), strconv.Itoa(h.MemMB*1024)
	}
	if h.errText != "" {
		t["ERROR"] = h.errText
	}
	zombies := h.zombies
	if h.State.Back() || h.regular() && h.State != one.HostOffline {
		zombies = c.zombiesOf(h)
	}
	if len(zombies) > 0 {
		t["TOTAL_ZOMBIES"], t["ZOMBIES"] = strconv.Itoa(len(zombies)), c.zombieNames(zombies)
	}
	maps.Copy(t, h.Template)
	return t
}

// hostMonitoringXML writes MONITORING of 6.10 and newer.
func (c *Cloud) hostMonitoringXML(b *xmlBuffer, h *host, full bool) {
	if !full {
		b.WriteString("<MONITORING/>")
		return
	}
	at := h.lastOK
	if h.regular() {
		at = max(at, c.lastCycle())
	}
	b.open("MONITORING")
	b.number("TIMESTAMP", at)
	b.number("ID", int64(h.ID))
	capacity, system := map[string]string{}, map[string]string{}
	if h.State != one.HostOffline {
		capacity = map[string]string{
			"FREE_CPU": strconv.Itoa(h.CPU - h.usedCPU), "USED_CPU": strconv.Itoa(h.usedCPU),
			"FREE_MEMORY": strconv.Itoa((h.MemMB - h.usedMem) * 1024), "USED_MEMORY": strconv.Itoa(h.usedMem * 1024),
		}
		system = map[string]string{"NETRX": "50104108", "NETTX": "1241307203"}
	}
	b.open("CAPACITY")
	b.attributes(capacity, nil)
	b.end("CAPACITY")
	b.open("SYSTEM")
	b.attributes(system, nil)
	b.end("SYSTEM")
	b.end("MONITORING")
}
