package one

import (
	"cmp"
	"slices"
	"strings"

	"one-ft/pkg/text"
)

// Host is what one-ft needs to know of a host.
type Host struct {
	ID        int
	Name      string // printable; names repeat, so it identifies nothing
	State     HostState
	ClusterID int    // -1 for none (4.x)
	Cluster   string // name, printable
	// VMDriver and IMDriver are the drivers of its VMs and of its monitoring, such as kvm (VM_MAD, IM_MAD); printable. Their
	// names are the site's own (oned.conf).
	VMDriver, IMDriver string
	// LastContact is when the host was last monitored successfully, in Unix seconds of the front-end. 0 when not known:
	// before 5.12, whose LAST_MON_TIME counts attempts that failed, too, and in answers about several hosts.
	LastContact int64
	LastAttempt int64 // when oned last tried to (LAST_MON_TIME; 0 from 5.12 on)
	// Capacity in hundredths of a core and in kB, and what VMs reserve of it.
	MaxCPU, UsedCPU       int64
	MaxMemory, UsedMemory int64
	// VMs are those that oned counts on this host: also SUSPENDED, POWEROFF and failed ones, and migrating ones on both.
	VMs      []int
	Template map[string]string // written by admins and by monitoring
}

// Host reads a HOST element of one.host.info or of a pool.
func (e *Element) Host() (Host, error) {
	share, list := e.Child("HOST_SHARE"), e.Child("VMS")
	err := cmp.Or(e.Require("ID", "STATE", "CLUSTER_ID"), e.Once("TEMPLATE", "MONITORING", "HOST_SHARE", "VMS"))
	ids := e.IDs("VMS")
	if err == nil && len(ids) < len(list.Children()) {
		err = damaged("VMS holds something else")
	}
	if err != nil {
		return Host{}, wrap(err, "host %s", text.Short(e.Value("ID"), 20))
	}
	return Host{
		ID:          int(e.Number("ID")),
		Name:        text.Printable(e.Value("NAME")),
		State:       HostState(e.Number("STATE")),
		ClusterID:   int(e.Number("CLUSTER_ID")),
		Cluster:     text.Printable(e.Value("CLUSTER")),
		VMDriver:    text.Printable(e.Value("VM_MAD")),
		IMDriver:    text.Printable(e.Value("IM_MAD")),
		LastContact: e.Child("MONITORING").Number("TIMESTAMP"),
		LastAttempt: e.Number("LAST_MON_TIME"),
		MaxCPU:      share.Number("MAX_CPU"),
		UsedCPU:     share.Number("CPU_USAGE"),
		MaxMemory:   share.Number("MAX_MEM"),
		UsedMemory:  share.Number("MEM_USAGE"),
		VMs:         ids,
		Template:    e.Child("TEMPLATE").Attributes(nil),
	}, nil
}

// API is the service that a host stands for, such as vcenter or ec2; "" for a machine. Such a host is in ERROR when the
// service cannot be reached: its VMs run on, and nothing can be powered off. Drivers tell, and what monitoring has found
// (HYPERVISOR), because the names of drivers are free; and PUBLIC_CLOUD, which monitoring writes (to 6.10), but for vcenter
// only from 4.10 to 5.2 (im/remotes, src/mad/ruby/PublicCloudDriver.rb, 4.4 to 7.4; 7.0 ships none of them any more).
func (h Host) API() string {
	services := []string{"vcenter", "ec2", "az", "azure", "one", "sl", "packet", "equinix"}
	found := strings.ToLower(strings.TrimSpace(h.Template["HYPERVISOR"]))
	for _, name := range []string{strings.ToLower(h.VMDriver), strings.ToLower(h.IMDriver), found} {
		if slices.Contains(services, name) {
			return name
		}
	}
	if strings.EqualFold(strings.TrimSpace(h.Template["PUBLIC_CLOUD"]), "YES") {
		return text.Printable(cmp.Or(found, h.VMDriver, "public cloud"))
	}
	return ""
}

// Machine is what the machine behind a host calls itself (HOSTNAME, the uname -n that all monitoring since 4.4 reports);
// "" when that is not known. Two hosts with the same one are two entries of one machine.
func (h Host) Machine() string { return strings.TrimSpace(h.Template["HOSTNAME"]) }

// Datastore is what one-ft needs to know of a datastore.
type Datastore struct {
	ID     int
	Name   string // printable
	Shared bool   // all hosts see the same files (TEMPLATE/SHARED = YES)
}

// Datastore reads a DATASTORE element.
func (e *Element) Datastore() (Datastore, error) {
	if err := cmp.Or(e.Require("ID"), e.Once("TEMPLATE")); err != nil {
		return Datastore{}, wrap(err, "datastore")
	}
	return Datastore{ID: int(e.Number("ID")), Name: text.Printable(e.Value("NAME")), Shared: e.Child("TEMPLATE").Is("SHARED", "YES")}, nil
}
