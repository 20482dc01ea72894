package cloud

import (
	"maps"
	"slices"
	"strconv"

	"one-ft/pkg/one"
)

// hostFor finds the host of a call; only the administrator has rights on hosts.
func (c *Cloud) hostFor(r *request, id int, op string) (*host, *answer) {
	h, ok := c.hosts[id]
	if !ok || h.removed {
		a := r.missing("host", id)
		return nil, &a
	}
	if r.uid != AdminID {
		a := r.denied(op, "HOST", id)
		return nil, &a
	}
	return h, nil
}

// hostInfo is one.host.info(id).
func hostInfo(c *Cloud, r *request) answer {
	h, bad := c.hostFor(r, r.int(0), opUse)
	if bad != nil {
		return *bad
	}
	return success(c.hostXML(h, true))
}

// hostMonitoring is one.host.monitoring(id), with the last record only: before 5.12 the host as it was then, which
// only a good monitoring leaves, later its MONITORING.
func hostMonitoring(c *Cloud, r *request) answer {
	h, bad := c.hostFor(r, r.int(0), opUse)
	if bad != nil {
		return *bad
	}
	var b xmlBuffer
	b.open("MONITORING_DATA")
	if c.fam >= f512 {
		c.hostMonitoringXML(&b, h, true)
	} else {
		b.open("HOST")
		b.number("ID", int64(h.ID))
		b.number("LAST_MON_TIME", c.lookedAt(h, h.lastOK))
		b.end("HOST")
	}
	b.end("MONITORING_DATA")
	return success(b.String())
}

// hostPoolMonitoring is one.hostpool.monitoring(seconds) of 5.12 and later, with the last record of each host that was monitored.
func hostPoolMonitoring(c *Cloud, r *request) answer {
	var b xmlBuffer
	b.open("MONITORING_DATA")
	for _, id := range slices.Sorted(slices.Values(c.poolOrder(r, c.hostIDs))) {
		c.hostMonitoringXML(&b, c.hosts[id], true)
	}
	b.end("MONITORING_DATA")
	return success(b.String())
}

// hostPoolInfo is one.hostpool.info().
func hostPoolInfo(c *Cloud, r *request) answer {
	ids := c.poolOrder(r, c.hostIDs)
	var b xmlBuffer
	b.open("HOST_POOL")
	for _, id := range ids {
		if !c.hosts[id].removed {
			b.WriteString(c.hostXML(c.hosts[id], false))
		}
	}
	b.end("HOST_POOL")
	return success(b.String())
}

// poolOrder gives the IDs of a pool in the order of the version; none to an
// ordinary user, whom oned answers with an empty pool.
func (c *Cloud) poolOrder(r *request, ids []int) []int {
	if r.uid != AdminID {
		return nil
	}
	ids = slices.Clone(ids)
	if c.fam >= f58 {
		slices.Reverse(ids)
	}
	return ids
}

// hostEnable is one.host.enable(id, enable) of 4.4.
func hostEnable(c *Cloud, r *request) answer {
	h, bad := c.hostFor(r, r.int(0), opAdmin)
	if bad != nil {
		return *bad
	}
	to := one.HostDisabled
	if r.bool(1) {
		to = one.HostInit
	}
	c.adminState(h, to)
	return success(h.ID)
}

// hostStatus is one.host.status(id, status): 0 enable, 1 disable, 2 offline.
func hostStatus(c *Cloud, r *request) answer {
	h, bad := c.hostFor(r, r.int(0), opAdmin)
	if bad != nil {
		return *bad
	}
	to := []one.HostState{one.HostInit, one.HostDisabled, one.HostOffline}
	if status := r.int(1); status < 0 || status >= len(to) {
		return r.failure(codeInternal, "Wrong status code")
	}
	state := to[r.int(1)]
	if state == one.HostInit && h.State == one.HostDisabled && c.fam >= f512 {
		state = one.HostMonitored // Host::enable: its capacity is known
	}
	c.adminState(h, state)
	return success(h.ID)
}

// hostUpdate is one.host.update(id, text, append).
func hostUpdate(c *Cloud, r *request) answer {
	h, bad := c.hostFor(r, r.int(0), opAdmin)
	if bad != nil {
		return *bad
	}
	return c.updateTemplate(r, &h.Template, h.ID)
}

// updateTemplate is what the update calls have in common: 0 replaces all
// attributes, 1 merges.
func (c *Cloud) updateTemplate(r *request, t *map[string]string, id int) answer {
	how := r.int(2)
	if how != 0 && how != 1 {
		return r.failure(codeAPI, "Wrong update type")
	}
	changes, err := parseTemplate(r.str(1))
	if err != nil {
		return r.failure(codeInternal, "Cannot update template. "+err.Error())
	}
	if how == 0 || *t == nil {
		*t = map[string]string{}
	}
	maps.Copy(*t, changes)
	return success(id)
}

// datastore finds a datastore.
func (c *Cloud) datastore(id int) (Datastore, bool) {
	for _, ds := range c.cfg.Datastores {
		if ds.ID == id {
			return ds, true
		}
	}
	return Datastore{}, false
}

// systemDatastore is where new VMs go: the system datastore with the lowest
// ID, 0 if there is none.
func (c *Cloud) systemDatastore() int {
	found, any := 0, false
	for _, ds := range c.cfg.Datastores {
		if ds.Type == 1 && (!any || ds.ID < found) {
			found, any = ds.ID, true
		}
	}
	return found
}

// driver is the transfer driver of a datastore.
func (ds Datastore) driver() string {
	if ds.Shared {
		return "shared"
	}
	return "ssh"
}

// datastoreInfo is one.datastore.info(id).
func datastoreInfo(c *Cloud, r *request) answer {
	ds, ok := c.datastore(r.int(0))
	switch {
	case !ok:
		return r.missing("datastore", r.int(0))
	case r.uid != AdminID:
		return r.denied(opUse, "DATASTORE", ds.ID)
	}
	return success(c.datastoreXML(ds))
}

// datastorePoolInfo is one.datastorepool.info().
func datastorePoolInfo(c *Cloud, r *request) answer {
	var b xmlBuffer
	b.open("DATASTORE_POOL")
	for _, id := range c.poolOrder(r, c.datastoreIDs()) {
		ds, _ := c.datastore(id)
		b.WriteString(c.datastoreXML(ds))
	}
	b.end("DATASTORE_POOL")
	return success(b.String())
}

// datastoreIDs lists the datastores, ascending.
func (c *Cloud) datastoreIDs() []int {
	var ids []int
	for _, ds := range c.cfg.Datastores {
		ids = append(ids, ds.ID)
	}
	slices.Sort(ids)
	return ids
}

// datastoreXML writes a datastore. Its sizes are those of the recorded clouds.
func (c *Cloud) datastoreXML(ds Datastore) string {
	var b xmlBuffer
	put := b.cdata
	if c.fam == f44 {
		put = b.text
	}
	madType := map[int]string{0: "IMAGE_DS", 1: "SYSTEM_DS", 2: "FILE_DS"}[ds.Type]
	mad := "fs"
	if ds.Type == 1 {
		mad = "-"
	}
	b.open("DATASTORE")
	b.number("ID", int64(ds.ID))
	b.owner(AdminID, c.cfg.User)
	b.text("NAME", ds.Name)
	b.permissions(true, c.fam == f44 && ds.Type != 1)
	put("DS_MAD", mad)
	put("TM_MAD", ds.driver())
	put("BASE_PATH", "/var/lib/one//datastores/"+strconv.Itoa(ds.ID))
	b.number("TYPE", int64(ds.Type))
	b.number("DISK_TYPE", 0)
	if c.fam >= f414 {
		b.number("STATE", 0)
	}
	if c.fam <= f414 {
		b.number("CLUSTER_ID", -1)
		b.text("CLUSTER", "")
	} else {
		b.ids("CLUSTERS", c.clusterIDs())
	}
	// As one that was monitored: the scheduler of 5.0 and later uses no other shared one.
	b.number("TOTAL_MB", 20480)
	b.number("FREE_MB", 19480)
	b.number("USED_MB", 1000)
	b.ids("IMAGES", nil)
	b.open("TEMPLATE")
	b.attributes(c.datastoreTemplate(ds, mad, madType), nil)
	b.end("TEMPLATE")
	b.end("DATASTORE")
	return b.String()
}

// datastoreTemplate gives the attributes of a datastore.
func (c *Cloud) datastoreTemplate(ds Datastore, mad, madType string) map[string]string {
	t := map[string]string{"TM_MAD": ds.driver(), "TYPE": madType}
	if ds.Type == 1 {
		t["SHARED"] = "NO"
		if ds.Shared {
			t["SHARED"] = "YES"
		}
	} else {
		maps.Copy(t, map[string]string{"CLONE_TARGET": "SYSTEM", "DS_MAD": mad, "LN_TARGET": "SYSTEM"})
	}
	if c.fam == f414 {
		t["BASE_PATH"] = "/var/lib/one//datastores/"
	}
	if ds.Type == 0 || ds.Type == 1 && c.fam >= f54 {
		t["DISK_TYPE"] = "FILE"
	}
	if c.fam >= f54 {
		maps.Copy(t, map[string]string{"ALLOW_ORPHANS": "NO", "RESTRICTED_DIRS": "/", "SAFE_DIRS": "/var/tmp"})
		if ds.Type == 1 {
			t["DS_MIGRATE"] = "YES"
		}
	}
	if c.fam == f74 {
		t["PERSISTENT_SNAPSHOTS"] = "YES"
		if ds.Type == 1 {
			t["DS_LIVE_MIGRATE"], t["DS_MIGRATE_SNAP"] = "YES", "YES"
		}
	}
	return t
}

// clusterIDs lists the clusters that hosts are in, ascending.
func (c *Cloud) clusterIDs() []int {
	var ids []int
	for _, h := range c.hosts {
		if h.Cluster >= 0 {
			ids = append(ids, h.Cluster)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// clusterPoolInfo is one.clusterpool.info(). Every datastore is in every
// cluster.
func clusterPoolInfo(c *Cloud, r *request) answer {
	var b xmlBuffer
	b.open("CLUSTER_POOL")
	for _, id := range c.poolOrder(r, c.clusterIDs()) {
		var members []int
		name := ""
		for _, hostID := range c.hostIDs {
			if h := c.hosts[hostID]; h.Cluster == id {
				members, name = append(members, hostID), h.ClusterName
			}
		}
		b.open("CLUSTER")
		b.number("ID", int64(id))
		b.text("NAME", name)
		b.ids("HOSTS", members)
		b.ids("DATASTORES", c.datastoreIDs())
		b.ids("VNETS", nil)
		b.open("TEMPLATE")
		b.attributes(map[string]string{"RESERVED_CPU": "", "RESERVED_MEM": ""}, nil)
		b.end("TEMPLATE")
		b.end("CLUSTER")
	}
	b.end("CLUSTER_POOL")
	return success(b.String())
}

// systemVersion is one.system.version().
func systemVersion(c *Cloud, _ *request) answer { return success(c.cfg.Version) }

// systemConfig is one.system.config(), with the attributes that say something
// about the simulation. Before 6.0 only the administrators' group may read it;
// newer ones show it to everybody, and have no monitoring interval in it.
func systemConfig(c *Cloud, r *request) answer {
	if r.uid != AdminID && c.fam < f610 {
		const text = "The oned configuration can only be retrieved by users in the oneadmin group"
		if c.fam <= f414 {
			return failure(codeAuthorization, text)
		}
		return r.failure(codeAuthorization, "User ["+strconv.Itoa(r.uid)+"] : "+text+".")
	}
	root := "TEMPLATE"
	if c.fam >= f512 {
		root = "OPENNEBULA_CONFIGURATION"
	}
	interval := strconv.Itoa(int(c.cfg.MonitorInterval.Seconds()))
	served := strconv.Itoa((c.cfg.MaxConn + 1) / 2)
	t := map[string]string{
		"DATASTORE_LOCATION": "/var/lib/one//datastores", "MANAGER_TIMER": "1", "MAX_CONN": served,
		"MAX_CONN_BACKLOG": strconv.Itoa(c.cfg.MaxConn / 2), "PORT": "2633", "SCRIPTS_REMOTE_DIR": "/var/tmp/one",
		"SESSION_EXPIRATION_TIME": "900",
	}
	switch c.fam {
	case f44, f414, f54:
		t["MONITORING_INTERVAL"] = interval
	case f58, f510:
		t["MONITORING_INTERVAL_HOST"], t["MONITORING_INTERVAL_VM"] = interval, interval
	}
	if c.fam >= f58 {
		t["API_LIST_ORDER"] = "DESC"
	}
	var b xmlBuffer
	b.open(root)
	b.attributes(t, nil)
	b.end(root)
	return success(b.String())
}
