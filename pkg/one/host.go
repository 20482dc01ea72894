package one

import "fmt"

// Host is what one-ft needs to know of a host.
type Host struct {
	ID        int
	Name      string // printable; names repeat, so it identifies nothing
	State     HostState
	ClusterID int    // -1 for none (4.x)
	Cluster   string // name, printable
	// LastContact is when the host was last monitored successfully, in Unix seconds
	// of the front-end. 0 when not known: before 5.12, whose LAST_MON_TIME counts
	// attempts that failed, too, and in answers about several hosts.
	LastContact int64
	// Capacity in hundredths of a core and in kB, and what VMs reserve of it.
	MaxCPU, UsedCPU       int64
	MaxMemory, UsedMemory int64
	// VMs are the IDs of the VMs that oned counts on this host: also SUSPENDED,
	// POWEROFF and failed ones, and migrating ones on both hosts.
	VMs []int
	// Template is written by admins and by monitoring.
	Template map[string]string
}

// parseHost reads a HOST element of one.host.info or of a pool.
func parseHost(o *object) (Host, error) {
	h := Host{
		ID:        o.integer("ID"),
		Name:      Printable(o.value("NAME")),
		State:     HostState(o.integer("STATE")),
		ClusterID: o.integer("CLUSTER_ID"),
		Cluster:   Printable(o.value("CLUSTER")),
		Template:  o.single("TEMPLATE").attributes(),
	}
	if m := o.single("MONITORING"); m != nil {
		h.LastContact = (&object{element: m}).optional("TIMESTAMP")
	}
	if share := o.single("HOST_SHARE"); share != nil {
		s := &object{element: share}
		h.MaxCPU, h.UsedCPU = s.optional("MAX_CPU"), s.optional("CPU_USAGE")
		h.MaxMemory, h.UsedMemory = s.optional("MAX_MEM"), s.optional("MEM_USAGE")
	}
	if vms := o.single("VMS"); vms != nil {
		for _, e := range vms.children {
			one := &object{element: &element{name: "VMS", children: []*element{e}}}
			h.VMs = append(h.VMs, one.integer("ID"))
			if one.err != nil && o.err == nil {
				o.err = one.err
			}
		}
	}
	if o.err != nil {
		return Host{}, fmt.Errorf("host %s: %w", Printable(cut(o.value("ID"), 20)), o.err)
	}
	return h, nil
}

// Datastore is what one-ft needs to know of a datastore.
type Datastore struct {
	ID     int
	Name   string // printable
	Shared bool   // all hosts see the same files (TEMPLATE/SHARED = YES)
}

// parseDatastore reads a DATASTORE element.
func parseDatastore(o *object) (Datastore, error) {
	d := Datastore{
		ID:     o.integer("ID"),
		Name:   Printable(o.value("NAME")),
		Shared: o.single("TEMPLATE").value("SHARED") == "YES",
	}
	if o.err != nil {
		return Datastore{}, fmt.Errorf("datastore: %w", o.err)
	}
	return d, nil
}
