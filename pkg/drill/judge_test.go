package drill

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// host makes a host in service with cores and GB that are free.
func host(id int, cores, gb int64, vms ...int) Host {
	return Host{
		Host: one.Host{ID: id, Name: fmt.Sprintf("node%d", id), State: one.HostMonitored, MaxCPU: 100 * cores, MaxMemory: gb << 20, VMs: vms},
		Attributes: map[string][]string{
			"ID": {fmt.Sprint(id)}, "NAME": {fmt.Sprintf("node%d", id)}, "CLUSTER_ID": {"0"},
		},
	}
}

// vm makes a running VM on a host that takes cores and GB.
func vm(id, at int, cores, gb int64, requirements ...string) VM {
	return VM{
		VM:       one.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: one.Active, LCM: one.Running, History: []one.Record{{HostID: at}}},
		CPUShare: 100 * cores, MemoryKB: gb << 20, Requirements: requirements, GroupID: -1,
	}
}

// store makes a shared system datastore.
func store(id int, free int64) Datastore {
	return Datastore{Datastore: one.Datastore{ID: id, Shared: true}, FreeMB: free, Monitored: true, Attributes: map[string][]string{"ID": {fmt.Sprint(id)}}}
}

// drill judges the death of host 0.
func drill(t *testing.T, c Cloud) Report {
	t.Helper()
	return drillAs(t, c, recovery.Policy{Mode: recovery.Recreate, Idle: true})
}

func drillAs(t *testing.T, c Cloud, p recovery.Policy) Report {
	t.Helper()
	d, err := one.DialectFor(one.Version{Major: 6, Minor: 10})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Drill(c, 0, c.Plan(0, d, p, false), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verdicts are those of the VMs, by their IDs, with hosts and reasons.
func verdicts(r Report) string {
	words := []string{r.Verdict.String() + ":"}
	rows := slices.SortedFunc(slices.Values(r.VMs), func(a, b Row) int { return a.VM - b.VM })
	for _, v := range rows {
		text := fmt.Sprintf("%d %s", v.VM, v.Capacity.Verdict)
		if v.Capacity.Host >= 0 {
			text += fmt.Sprintf(" on %d", v.Capacity.Host)
		}
		if v.Capacity.Reason != "" {
			text += " (" + v.Capacity.Reason + ")"
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

// driven is the host with another driver.
func driven(h Host, driver string) Host {
	h.VMDriver = driver
	return h
}

// with changes a VM.
func with(v VM, change func(*VM)) VM {
	change(&v)
	return v
}

func TestVerdicts(t *testing.T) {
	const disk = 1000
	needsDisk := func(v *VM) { v.DiskMB = disk }
	for _, c := range []struct {
		what string
		c    Cloud
		want string
	}{
		{"room for all", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 2, 4), vm(2, 0, 2, 4)}},
			"fits: 1 fits on 1 2 fits on 1"},
		{"no VM", Cloud{Hosts: []Host{host(0, 4, 8), host(1, 4, 8)}}, "-:"},
		{"one core short", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 3, 8)}, VMs: []VM{vm(1, 0, 2, 4), vm(2, 0, 2, 4)}},
			"does not fit: 1 fits on 1 2 does not fit (the other VMs take the room that it needs)"},
		{"too large for any", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 3, 8), host(2, 8, 8)}, VMs: []VM{vm(1, 0, 4, 4, "ID = 1")}},
			"does not fit: 1 does not fit (of the 1 hosts that meet its requirements none has 4.00 CPU and 4096 MB free)"},
		{"no host large enough", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 3, 2)}, VMs: []VM{vm(1, 0, 4, 4)}},
			"does not fit: 1 does not fit (no other host has 4.00 CPU and 4096 MB free)"},
		{"other drivers", Cloud{Hosts: []Host{driven(host(0, 4, 8, 1), "kvm"), driven(host(1, 4, 8), "lxc"), driven(host(2, 4, 8), "vcenter")}, VMs: []VM{vm(1, 0, 1, 1)}},
			"does not fit: 1 does not fit (no other host in service runs guests of driver kvm)"},
		{"its driver", Cloud{Hosts: []Host{driven(host(0, 4, 8, 1), "lxc"), driven(host(1, 9, 8), "kvm"), driven(host(2, 4, 8), "lxc")}, VMs: []VM{vm(1, 0, 1, 1)}},
			"fits: 1 fits on 2"},
		{"the driver of its record", Cloud{Hosts: []Host{host(0, 4, 8, 1), driven(host(1, 9, 8), "kvm"), driven(host(2, 4, 8), "lxc")}, VMs: []VM{with(vm(1, 0, 1, 1), func(v *VM) { v.History[0].Driver = "lxc" })}},
			"fits: 1 fits on 2"},
		{"one that was never placed goes to no service", Cloud{Hosts: []Host{driven(host(0, 4, 8, 1), "kvm"), driven(host(1, 4, 8), "kvm"), driven(host(2, 9, 8), "vcenter")}, VMs: []VM{vm(1, 0, 1, 1), waiting(with(vm(5, -1, 4, 1), func(v *VM) { v.History = nil }))}},
			"does not fit: 1 does not fit (no other host has 1.00 CPU and 1024 MB free)"},
		{"nobody else", Cloud{Hosts: []Host{host(0, 4, 8, 1)}, VMs: []VM{vm(1, 0, 1, 1)}},
			"does not fit: 1 does not fit (no other host is in service)"},
		// Where the first one goes decides about the second.
		{"depends on the strategy", Cloud{Hosts: []Host{host(0, 9, 9, 1, 2), host(1, 3, 8, 8), host(2, 2, 8)}, VMs: []VM{vm(1, 0, 2, 1), vm(2, 0, 3, 1)}},
			"tight: 1 fits on 2 2 tight on 1 (whether it fits depends on the order in which the VMs are placed)"},
		{"requirements", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 4, 8), host(2, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1, "ID = 2"), vm(2, 0, 1, 1, "CLUSTER_ID = 1", `NAME = "n*"`)}},
			"does not fit: 1 fits on 2 2 does not fit (no other host meets its requirements)"},
		{"pinned to the dead host", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1, "ID = 0")}},
			"does not fit: 1 does not fit (no other host meets its requirements)"},
		{"requirements that nobody can read", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1, "ID == 1")}},
			"does not fit: 1 does not fit (the scheduler cannot read its requirements)"},
		{"monitoring is missing", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), unmonitored(host(1, 4, 8))}, VMs: []VM{vm(1, 0, 1, 1, "FREE_CPU > 3"), vm(2, 0, 1, 1)}},
			"not known: 1 not known (not evaluated: requirements of FREE_CPU) 2 fits on 1"},
		{"monitoring is missing and no matter", Cloud{Hosts: []Host{host(0, 4, 8, 1), unmonitored(host(1, 4, 8))}, VMs: []VM{vm(1, 0, 5, 1, "FREE_CPU > 3")}},
			"does not fit: 1 does not fit (no other host has 5.00 CPU and 1024 MB free)"},
		{"what is not evaluated", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), func(v *VM) { v.Unchecked = []Aspect{PCIDevices} })}},
			"not known: 1 not known on 1 (not evaluated: PCI devices)"},
		{"hosts out of service", Cloud{Hosts: []Host{host(0, 4, 8, 1), inState(host(1, 4, 8), one.HostDisabled), inState(host(2, 4, 8), one.HostError), inState(host(3, 4, 8), one.HostInit)},
			VMs: []VM{vm(1, 0, 1, 1)}}, "does not fit: 1 does not fit (no other host is in service)"},
		{"a VM that waits comes first", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 2, 8)}, VMs: []VM{vm(1, 0, 1, 1), waiting(vm(5, -1, 2, 1))}},
			"does not fit: 1 does not fit (no other host has 1.00 CPU and 1024 MB free)"},
		{"one that waits in vain takes nothing", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 2, 8)}, VMs: []VM{vm(1, 0, 1, 1), waiting(vm(5, -1, 9, 1))}},
			"fits: 1 fits on 1"},
		{"migrating away frees the destination", Cloud{Hosts: []Host{host(0, 4, 8, 1), used(host(1, 2, 8, 1), 2)}, VMs: []VM{with(vm(1, 1, 2, 1), func(v *VM) {
			v.LCM = one.Migrate
			v.History[0].Seq = 1
		})}}, "fits: 1 fits on 1"},
		{"no space", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), needsDisk)}, Datastores: []Datastore{store(0, disk)}},
			"does not fit: 1 does not fit (no system datastore has 1000 MB for it)"},
		{"space for one", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), needsDisk), with(vm(2, 0, 1, 1), needsDisk)}, Datastores: []Datastore{store(0, 2*disk)}},
			"does not fit: 1 fits on 1 2 does not fit (the other VMs take the room that it needs)"},
		{"space on two datastores", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), needsDisk), with(vm(2, 0, 1, 1), needsDisk)}, Datastores: []Datastore{store(0, 2*disk), store(1, disk+1)}},
			"fits: 1 fits on 1 2 fits on 1"},
		{"datastore of another cluster", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1)}, Datastores: []Datastore{{Clusters: []int{7}}}},
			"does not fit: 1 does not fit (no system datastore is enabled, open to its owner, and in the cluster of a host that has room for it)"},
		{"datastore of no cluster that VMs of this one are on, in 4.x", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1)}, Datastores: []Datastore{{Clusters: []int{-1}, OneCluster: true}}},
			"fits: 1 fits on 1"},
		{"datastore of no cluster that none is on, in 4.x", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1)}, Datastores: []Datastore{{Datastore: one.Datastore{ID: 5}, Clusters: []int{-1}, OneCluster: true}}},
			"does not fit: 1 does not fit (no system datastore is enabled, open to its owner, and in the cluster of a host that has room for it)"},
		{"requirements of datastores", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 4, 8)}, VMs: []VM{with(vm(1, 0, 1, 1), func(v *VM) { v.DatastoreRequirements = []string{"ID = 1"} }), with(vm(2, 0, 1, 1), func(v *VM) { v.DatastoreRequirements = []string{"ID = 0"} })},
			Datastores: []Datastore{store(0, disk)}}, "does not fit: 1 does not fit (no system datastore meets its requirements) 2 fits on 1"},
		{"a path that cannot be told", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1, `"HOST_SHARE/MAX_CPU" > 1`)}},
			"not known: 1 not known (not evaluated: requirements of HOST_SHARE/MAX_CPU)"},
		{"local disks", Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), local(host(1, 4, 8), disk+1)}, VMs: []VM{with(vm(1, 0, 1, 1), needsDisk), with(vm(2, 0, 1, 1), needsDisk)}, Datastores: []Datastore{{}}},
			"does not fit: 1 fits on 1 2 does not fit (the other VMs take the room that it needs)"},
		{"unread", Cloud{Hosts: []Host{host(0, 4, 8, 1, 9), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 1)}, Unread: []int{9}}, "not known: 1 fits on 1"},
		{"memory for the hypervisor", Cloud{Hosts: []Host{host(0, 4, 8, 1), host(1, 4, 8)}, VMs: []VM{vm(1, 0, 1, 8)}, HypervisorMemory: 0.1},
			"does not fit: 1 does not fit (no other host has 1.00 CPU and 8192 MB free)"},
	} {
		if got := verdicts(drill(t, c.c)); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.what, got, c.want)
		}
	}
}

func unmonitored(h Host) Host {
	h.NoMonitoring = true
	return h
}

func inState(h Host, s one.HostState) Host {
	h.State = s
	return h
}

func used(h Host, cores int64) Host {
	h.UsedCPU = 100 * cores
	return h
}

func local(h Host, mb int64) Host {
	h.FreeDisk = mb
	return h
}

func waiting(v VM) VM {
	v.State, v.LCM, v.History = one.Pending, 0, nil
	return v
}

// TestGroups: rules of VM groups, as the scheduler makes requirements of them.
func TestGroups(t *testing.T) {
	group := func(g Group) []Group { return []Group{g} }
	in := func(v VM, role string) VM {
		v.GroupID, v.Role = 3, role
		return v
	}
	three := []Host{host(0, 4, 8, 1, 2), host(1, 2, 8, 7), host(2, 2, 8)}
	pair := []VM{in(vm(1, 0, 1, 1), "a"), in(vm(2, 0, 1, 1), "a"), in(vm(7, 1, 1, 1), "b")}
	for _, c := range []struct {
		what   string
		groups []Group
		want   string
	}{
		{"no rule", group(Group{ID: 3, Roles: []Role{{Name: "a", VMs: []int{1, 2}}}}), "fits: 1 fits on 2 2 fits on 1"},
		{"apart", group(Group{ID: 3, Roles: []Role{{Name: "a", Policy: "ANTI_AFFINED", VMs: []int{1, 2}}}}), "fits: 1 fits on 2 2 fits on 1"},
		{"apart from the others, too", group(Group{ID: 3, Roles: []Role{{Name: "a", Policy: "ANTI_AFFINED", VMs: []int{1, 2}}, {Name: "b", VMs: []int{7}}}, AntiAffined: [][]string{{"a", "b"}}}),
			"does not fit: 1 fits on 2 2 does not fit (the other VMs take the room that it needs)"},
		{"together", group(Group{ID: 3, Roles: []Role{{Name: "a", Policy: "AFFINED", VMs: []int{1, 2}}}}), "fits: 1 fits on 2 2 fits on 2"},
		{"where the others are", group(Group{ID: 3, Roles: []Role{{Name: "a", VMs: []int{1, 2}}, {Name: "b", VMs: []int{7}}}, Affined: [][]string{{"a", "b"}}}), "fits: 1 fits on 1 2 fits on 1"},
		{"hosts", group(Group{ID: 3, Roles: []Role{{Name: "a", VMs: []int{1, 2}, HostAffined: []int{1, 2}, HostAntiAffined: []int{2}}}}), "fits: 1 fits on 1 2 fits on 1"},
	} {
		if got := verdicts(drill(t, Cloud{Hosts: three, VMs: pair, Groups: c.groups})); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.what, got, c.want)
		}
	}
	big := []VM{in(vm(1, 0, 2, 1), "a"), in(vm(2, 0, 1, 1), "a")}
	got := verdicts(drill(t, Cloud{Hosts: three, VMs: big, Groups: group(Group{ID: 3, Roles: []Role{{Name: "a", Policy: "AFFINED", VMs: []int{1, 2}}}})}))
	if !strings.HasPrefix(got, "does not fit: 1 does not fit (no other host has 3.00 CPU") {
		t.Errorf("together they are too large: %s", got)
	}
}

// TestGroupOfMigrating: a VM that is migrating leaves its destination, too, so there is
// nothing to keep apart from there.
func TestGroupOfMigrating(t *testing.T) {
	moving := with(vm(1, 1, 1, 1), func(v *VM) {
		v.LCM, v.GroupID, v.Role = one.Migrate, 3, "a"
		v.History[0].Seq = 1
	})
	other := with(vm(2, 0, 1, 1), func(v *VM) { v.GroupID, v.Role = 3, "a" })
	c := Cloud{
		Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 2, 8, 1), host(2, 2, 8)}, VMs: []VM{moving, other},
		Groups: []Group{{ID: 3, Roles: []Role{{Name: "a", Policy: "ANTI_AFFINED", VMs: []int{1, 2}}}}},
	}
	if got, want := verdicts(drill(t, c)), "fits: 1 fits on 1 2 fits on 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.Hosts = c.Hosts[:2]
	c.VMs[0].Requirements = []string{"ID = 9"}
	if got, want := verdicts(drill(t, c)), "does not fit: 1 does not fit (no other host meets its requirements) 2 fits on 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestReturns: a migration to the dead host goes back to its source and takes room there,
// unless it still does.
func TestReturns(t *testing.T) {
	moving := with(vm(1, 0, 2, 1), func(v *VM) {
		v.LCM = one.PrologMigrate
		v.History = []one.Record{{HostID: 1}, {Seq: 1, HostID: 0}}
	})
	c := Cloud{Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 2, 8)}, VMs: []VM{moving, vm(2, 0, 1, 1)}}
	plan := recovery.Plan{Steps: []recovery.Step{{VM: moving.VM, Verb: recovery.VerbReturn}, {VM: c.VMs[1].VM, Verb: recovery.VerbRecreate}}}
	for _, holds := range []bool{false, true} {
		want := "does not fit: 1 - 2 does not fit (no other host has 1.00 CPU and 1024 MB free)"
		if holds {
			c.Hosts[1] = used(host(1, 3, 8, 1), 2)
			want = "fits: 1 - 2 fits on 1"
		}
		r, err := Drill(c, 0, plan, nil, nil)
		if got := verdicts(r); err != nil || got != want {
			t.Errorf("%s %v, want %s", got, err, want)
		}
	}
}

// TestMoves: with -m a VM that is off goes to the host that the plan names, and takes room
// there; a VM whose owner wants nothing done needs none.
func TestMoves(t *testing.T) {
	off := with(vm(1, 0, 2, 1), func(v *VM) { v.State, v.LCM = one.Suspended, 0 })
	c := Cloud{Hosts: []Host{host(0, 4, 8, 1, 2, 3), host(1, 3, 8)}, VMs: []VM{off, vm(2, 0, 2, 1), with(vm(3, 0, 9, 9), func(v *VM) {
		v.UserTemplate = map[string]string{"FT_ACTION": "none"}
	})}, Datastores: []Datastore{store(0, 10)}}
	got := verdicts(drillAs(t, c, recovery.Policy{Mode: recovery.Migrate, Idle: true}))
	if want := "does not fit: 1 - 2 does not fit (no other host has 2.00 CPU and 1024 MB free) 3 -"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestPlaceOrder: each Strategy takes the VMs in its order, and the host that its policy names.
func TestPlaceOrder(t *testing.T) {
	c := Cloud{
		Hosts: []Host{host(0, 4, 8, 1, 2), host(1, 2, 8, 8), host(2, 3, 8, 8, 9), host(3, 4, 8, 7, 8, 9)},
		VMs:   []VM{vm(1, 0, 2, 1), with(vm(2, 0, 2, 1), func(v *VM) { v.UserTemplate = map[string]string{"FT_PRIORITY": "90"} })},
	}
	d, _ := one.DialectFor(one.Version{Major: 6, Minor: 10})
	plan := c.Plan(0, d, recovery.Policy{Mode: recovery.Recreate}, false)
	for w, want := range map[Strategy]map[int]int{
		{ByID, FreeCPU}: {1: 3, 2: 2}, {ByID, Striping}: {1: 1, 2: 2}, {ByID, Packing}: {1: 3, 2: 3},
		{ByRecovery, FreeCPU}: {2: 3, 1: 2}, {ByRecovery, Striping}: {2: 1, 1: 2}, {ByRecovery, Packing}: {2: 3, 1: 3},
	} {
		if got, err := c.Place(0, plan, w); err != nil || !maps.Equal(got, want) {
			t.Errorf("%v: %v %v, want %v", w, got, err, want)
		}
	}
	if _, err := c.Place(99, plan, Strategy{}); !errors.Is(err, one.ErrNotFound) {
		t.Error(err)
	}
	if _, err := Drill(c, 99, plan, nil, nil); !errors.Is(err, one.ErrNotFound) {
		t.Error(err)
	}
}
