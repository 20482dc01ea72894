package cloud

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"one-ft/pkg/one"
)

// vmXML writes a VM as one.vm.info does, and as pools of full bodies do except
// for the history: those give the last record only.
func (c *Cloud) vmXML(v *vm) string { return c.fullVMXML(v, v.History) }

// fullVMXML writes a VM with the given records.
func (c *Cloud) fullVMXML(v *vm, history []Record) string {
	var b xmlBuffer
	c.vmHeadXML(&b, v, true)
	c.vmMonitoringXML(&b, v)
	if c.fam >= f610 {
		b.ids("SCHED_ACTIONS", nil)
	}
	b.open("TEMPLATE")
	b.attributes(c.vmTemplate(v), c.vmSections(v))
	b.end("TEMPLATE")
	b.open("USER_TEMPLATE")
	b.attributes(v.UserTemplate, nil)
	b.end("USER_TEMPLATE")
	if len(history) == 0 {
		b.WriteString("<HISTORY_RECORDS/>")
	} else {
		b.open("HISTORY_RECORDS")
		for _, r := range history {
			c.recordXML(&b, v, r)
		}
		b.end("HISTORY_RECORDS")
	}
	if c.fam >= f610 {
		b.WriteString("<BACKUPS><BACKUP_CONFIG/><BACKUP_IDS></BACKUP_IDS></BACKUPS>")
	}
	b.end("VM")
	return b.String()
}

// vmHeadXML writes what comes before the monitoring. Short bodies have neither
// permissions nor the previous state.
func (c *Cloud) vmHeadXML(b *xmlBuffer, v *vm, full bool) {
	shown := v.State
	if time.Now().Before(v.shownUntil) {
		shown = v.shown
	}
	b.open("VM")
	b.number("ID", int64(v.ID))
	b.owner(v.UID, c.cfg.User)
	b.text("NAME", v.Name)
	if full {
		b.permissions(false, false)
	}
	b.number("LAST_POLL", v.lastPoll)
	b.number("STATE", int64(shown))
	b.number("LCM_STATE", int64(v.LCM))
	if full && c.fam >= f414 {
		b.number("PREV_STATE", int64(shown))
		b.number("PREV_LCM_STATE", int64(v.LCM))
	}
	resched := int64(0)
	if v.Resched {
		resched = 1
	}
	b.number("RESCHED", resched)
	b.number("STIME", v.stime)
	b.number("ETIME", v.etime)
	b.text("DEPLOY_ID", v.deployID)
}

// vmMonitoringXML writes what monitoring found; nothing for a VM that was
// never polled. The numbers are those of the recorded clouds.
func (c *Cloud) vmMonitoringXML(b *xmlBuffer, v *vm) {
	running := v.state() == active(one.Running) && v.lastPoll > 0
	if c.fam == f44 {
		use := map[string]int64{}
		if running {
			use = map[string]int64{"MEMORY": 65536, "CPU": 10, "NET_TX": 1000, "NET_RX": 1000}
		}
		for _, name := range []string{"MEMORY", "CPU", "NET_TX", "NET_RX"} {
			b.number(name, use[name])
		}
		return
	}
	b.open("MONITORING")
	switch {
	case !running:
	case c.fam < f512:
		b.attributes(map[string]string{"CPU": "10.0", "MEMORY": "65536", "NETRX": "1000", "NETTX": "1000", "STATE": "a"}, nil)
	default:
		b.attributes(map[string]string{"CPU": "1.8", "ID": strconv.Itoa(v.ID), "MEMORY": "65536",
			"NETRX": "3084", "NETTX": "5369", "TIMESTAMP": strconv.FormatInt(v.lastPoll, 10)}, nil)
	}
	b.end("MONITORING")
}

// vmTemplate gives the simple attributes of the VM's template.
func (c *Cloud) vmTemplate(v *vm) map[string]string {
	t := map[string]string{
		"AUTOMATIC_REQUIREMENTS": c.fam.automaticRequirements(),
		"CPU":                    formatCPU(v.CPU),
		"MEMORY":                 strconv.Itoa(v.MemMB),
		"VMID":                   strconv.Itoa(v.ID),
	}
	if c.fam >= f58 && v.last() != nil {
		ds, _ := c.datastore(v.last().DSID)
		t["TM_MAD_SYSTEM"] = ds.driver()
	}
	if c.fam >= f58 && len(v.Disks) > 0 { // since 5.0, of the datastores of its images (src/vm/VirtualMachine.cc); 6.10, live
		t["AUTOMATIC_DS_REQUIREMENTS"] = `("CLUSTERS/ID" @> 0)`
	}
	maps.Copy(t, v.Template)
	return t
}

// vmSections gives the sections of the VM's template.
func (c *Cloud) vmSections(v *vm) map[string][]map[string]string {
	sections := map[string][]map[string]string{}
	if len(v.Disks) > 0 {
		sections["DISK"] = v.Disks
	}
	if c.fam >= f64 {
		sections["OS"] = []map[string]string{{"UUID": fmt.Sprintf("00000000-0000-4000-8000-%012d", v.ID)}}
	}
	return sections
}

// formatCPU writes a number of cores as oned does.
func formatCPU(cpu float64) string { return strconv.FormatFloat(cpu, 'g', -1, 64) }

// recordXML writes a history record.
func (c *Cloud) recordXML(b *xmlBuffer, v *vm, r Record) {
	h := c.hosts[r.HostID]
	ds, _ := c.datastore(r.DSID)
	b.open("HISTORY")
	b.number("OID", int64(v.ID))
	b.number("SEQ", int64(r.Seq))
	b.text("HOSTNAME", h.Name)
	b.number("HID", int64(r.HostID))
	b.number("CID", int64(h.Cluster))
	b.number("STIME", r.STime)
	b.number("ETIME", r.ETime)
	if c.fam <= f414 {
		b.text("VMMMAD", c.driverOf(r))
		b.text("VNMMAD", "dummy")
		b.text("TMMAD", ds.driver())
		b.text("DS_LOCATION", "/var/lib/one//datastores")
	} else {
		b.cdata("VM_MAD", c.driverOf(r))
		b.cdata("TM_MAD", ds.driver())
	}
	b.number("DS_ID", int64(r.DSID))
	if c.fam == f74 {
		b.number("PLAN_ID", -2)
		b.number("ACTION_ID", -1)
	}
	for _, t := range []struct {
		name string
		at   int64
	}{{"PSTIME", r.PSTime}, {"PETIME", r.PETime}, {"RSTIME", r.RSTime}, {"RETIME", r.RETime},
		{"ESTIME", r.ESTime}, {"EETIME", r.EETime}} {
		b.number(t.name, t.at)
	}
	if c.fam <= f414 {
		b.number("REASON", int64(r.Reason))
	}
	b.number("ACTION", int64(r.Action))
	if c.fam >= f54 {
		by := int64(-1)
		if r.Action != 0 {
			by = AdminID
		}
		b.number("UID", by)
		b.number("GID", by)
		b.number("REQUEST_ID", by)
	}
	b.end("HISTORY")
}

// shortVMXML writes a VM as one.vmpool.info of 5.10 and newer does: of the
// user template only some attributes, of the history the last record
// (VirtualMachine::to_xml_short).
func (c *Cloud) shortVMXML(v *vm) string {
	var b xmlBuffer
	c.vmHeadXML(&b, v, false)
	b.open("TEMPLATE")
	b.text("CPU", formatCPU(v.CPU))
	b.number("MEMORY", int64(v.MemMB))
	if c.fam == f58 {
		b.cdata("AUTOMATIC_REQUIREMENTS", c.fam.automaticRequirements())
	}
	if c.fam >= f610 {
		b.text("VCPU", v.Template["VCPU"])
	}
	b.end("TEMPLATE")
	b.WriteString("<MONITORING/>")
	c.shortUserTemplateXML(&b, v)
	c.shortHistoryXML(&b, v)
	b.end("VM")
	return b.String()
}

// shortUserTemplateXML writes the part of the user template that short bodies
// have, in oned's order (VirtualMachineTemplate::to_xml_short); ERROR and
// SCHED_MESSAGE are among it since 6.10.
func (c *Cloud) shortUserTemplateXML(b *xmlBuffer, v *vm) {
	if len(v.UserTemplate) == 0 {
		b.WriteString("<USER_TEMPLATE/>")
		return
	}
	kept := []string{"LABELS"}
	if c.fam >= f64 {
		kept = append(kept, "ERROR", schedMessage)
	}
	b.open("USER_TEMPLATE")
	for _, name := range append(kept, "SCHED_RANK", "SCHED_DS_RANK", schedRequirements, "SCHED_DS_REQUIREMENTS",
		"USER_PRIORITY") {
		if value, ok := v.UserTemplate[name]; ok {
			b.cdata(name, value)
		}
	}
	b.end("USER_TEMPLATE")
}

// shortHistoryXML writes the last record as short bodies have it.
func (c *Cloud) shortHistoryXML(b *xmlBuffer, v *vm) {
	r := v.last()
	if r == nil {
		b.WriteString("<HISTORY_RECORDS/>")
		return
	}
	h := c.hosts[r.HostID]
	ds, _ := c.datastore(r.DSID)
	b.open("HISTORY_RECORDS")
	b.open("HISTORY")
	b.number("OID", int64(v.ID))
	b.number("SEQ", int64(r.Seq))
	b.cdata("HOSTNAME", h.Name)
	b.number("HID", int64(r.HostID))
	b.number("CID", int64(h.Cluster))
	b.number("DS_ID", int64(r.DSID))
	if c.fam >= f64 {
		b.cdata("VM_MAD", c.driverOf(*r))
		b.cdata("TM_MAD", ds.driver())
	}
	b.cdata("ACTION", strconv.Itoa(r.Action))
	b.end("HISTORY")
	b.end("HISTORY_RECORDS")
}
