package drill

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// waits makes a VM that waits for a host, of oneadmin unless it says otherwise.
func waits(id int, cores, gb int64, requirements ...string) VM {
	v := vm(id, 0, cores, gb, requirements...)
	v.State, v.LCM = one.Pending, 0
	return v
}

// queue is a cloud with three hosts and VMs that wait, and where they are to go: VM@HOST, or VM:aspects.
type queue struct {
	vms    []VM
	ids    []int
	not    map[int]bool
	access Access
	stores []Datastore // nil for one with room
	want   string
}

// of changes a VM.
func of(v VM, change func(*VM)) VM { change(&v); return v }

func (c queue) check(t *testing.T, name string) {
	t.Helper()
	stores := c.stores
	if stores == nil {
		stores = []Datastore{store(100, 100)}
	}
	hosts := []Host{host(0, 8, 8), host(1, 4, 4, 90), host(2, 4, 4, 91, 92)}
	cloud := Cloud{Hosts: hosts, VMs: c.vms, Datastores: stores, Unread: []int{66}}
	var words []string
	for _, p := range cloud.PlaceWaiting(c.ids, c.not, c.access) {
		switch {
		case p.Placed() && p.Datastore != stores[0].ID || p.Placed() == (len(p.Left) > 0) || !p.Placed() && p.Datastore != -1:
			t.Errorf("%s: %+v", name, p)
		case p.Placed():
			words = append(words, fmt.Sprintf("%d@%d", p.VM, p.Host))
		default:
			words = append(words, fmt.Sprintf("%d:%s", p.VM, join(p.Left)))
		}
		for _, a := range p.Left {
			if strings.HasPrefix(a.String(), "aspect") {
				t.Errorf("%s: no words for %s", name, string(a))
			}
		}
	}
	if strings.Join(words, " ") != c.want {
		t.Errorf("%s: %s, want %s", name, words, c.want)
	}
}

// TestPlaceWaiting: a VM goes where the scheduler would put it, in the order of priority; what was not
// evaluated is left to the scheduler, with the reason.
func TestPlaceWaiting(t *testing.T) {
	for name, c := range map[string]queue{
		"fewest VMs":          {vms: []VM{waits(1, 1, 1)}, ids: []int{1}, want: "1@0"},
		"not the dead host":   {vms: []VM{waits(1, 1, 1)}, ids: []int{1}, not: map[int]bool{0: true}, want: "1@1"},
		"priority first":      {vms: []VM{waits(1, 4, 4), waits(2, 4, 4), waits(3, 4, 4)}, ids: []int{3, 1, 2}, not: map[int]bool{0: true}, want: "3@1 1@2 2:room"},
		"not asked for":       {vms: []VM{waits(1, 8, 8), waits(2, 8, 8)}, ids: []int{2}, want: "2@0"},
		"twice":               {vms: []VM{waits(1, 1, 1)}, ids: []int{1, 1}, want: "1@0 1:state"},
		"requirements":        {vms: []VM{waits(1, 1, 1, "ID = 2")}, ids: []int{1}, want: "1@2"},
		"no host":             {vms: []VM{waits(1, 1, 1, "ID = 9")}, ids: []int{1}, want: "1:room"},
		"unreadable":          {vms: []VM{waits(1, 1, 1, "ID = = 2")}, ids: []int{1}, want: "1:requirements"},
		"affinity":            {vms: []VM{waits(1, 1, 1, "CURRENT_VMS != 90")}, ids: []int{1}, want: "1:affinity"},
		"group":               {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.GroupID = 3 })}, ids: []int{1}, want: "1:vm_groups"},
		"PCI and image store": {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.Unchecked, v.ImageStore = []Aspect{PCIDevices}, true })}, ids: []int{1}, want: "1:pci_devices,image_datastores"},
		"rank":                {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.OwnRank = true })}, ids: []int{1}, want: "1:preference"},
		"running":             {vms: []VM{vm(1, 0, 1, 1)}, ids: []int{1}, want: "1:state"},
		"in clean-up":         {vms: []VM{of(vm(1, 0, 1, 1), func(v *VM) { v.LCM = one.CleanupResubmit })}, ids: []int{1}, want: "1:state"},
		"stopped before":      {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.History[0].Action = one.ActionStop })}, ids: []int{1}, want: "1:state"},
		"unknown":             {ids: []int{1}, want: "1:state"},
		"unread":              {ids: []int{66}, want: "66:unreadable"},
		"no datastores":       {vms: []VM{waits(1, 1, 1)}, ids: []int{1}, stores: []Datastore{}, want: "1:system_datastores"},
		"datastore not known": {vms: []VM{waits(1, 1, 1)}, ids: []int{1}, stores: []Datastore{{Datastore: one.Datastore{ID: 5, Shared: true}}}, want: "1:room"},
		"datastore full":      {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.DiskMB = 60 }), of(waits(2, 1, 1), func(v *VM) { v.DiskMB = 60 })}, ids: []int{1, 2}, want: "1@0 2:room"},
	} {
		c.check(t, name)
	}
}

// TestPlaceAccess: a VM goes only where its owner may.
func TestPlaceAccess(t *testing.T) {
	user := func(v *VM) { v.UID, v.GID = 7, 100 }
	all := aclRule{aclAll, aclHost | aclDatastore | aclAll, aclManage | aclUse}
	known := func(rules ...aclRule) Access {
		return Access{rules: rules, groups: map[int][]int{7: {100, 101}}}
	}
	for name, c := range map[string]queue{
		"no rights":             {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(), want: "1:access_control"},
		"rights unknown":        {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: Access{}, want: "1:access_control"},
		"everyone":              {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(all), want: "1@0"},
		"the group, one host":   {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclGroup | 101, aclHost | aclIndividual | 2, aclManage}, aclRule{aclIndividual | 7, aclDatastore | aclAll, aclUse}), want: "1@2"},
		"the user, the cluster": {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclIndividual | 7, aclHost | aclCluster, aclManage}, all), want: "1@0"},
		"another cluster":       {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclAll, aclHost | aclCluster | 9, aclManage}, aclRule{aclAll, aclDatastore | aclAll, aclUse}), want: "1:access_control"},
		"only to use":           {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclAll, aclHost | aclDatastore | aclAll, aclUse}), want: "1:access_control"},
		"another user":          {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclIndividual | 8, aclHost | aclDatastore | aclAll, aclManage | aclUse}), want: "1:access_control"},
		"permissions": {vms: []VM{of(waits(1, 1, 1), user)}, ids: []int{1}, access: known(aclRule{aclAll, aclHost | aclAll, aclManage}), stores: []Datastore{func() Datastore {
			d := store(5, 100)
			d.OtherUse = true
			return d
		}()}, want: "1@0"},
		"its group": {vms: []VM{of(waits(1, 1, 1), func(v *VM) { v.UID, v.GID = 7, 0 })}, ids: []int{1}, want: "1@0"},
	} {
		c.check(t, name)
	}
}

func join(all []Aspect) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = string(a)
	}
	return strings.Join(words, ",")
}

// TestPlaceWaitingInvariant: no host gets more than it has room for, none that must not be used gets any,
// and a VM is placed or has a reason.
func TestPlaceWaitingInvariant(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var c Cloud
		not := map[int]bool{}
		for id := range rapid.IntRange(1, 5).Draw(rt, "hosts") {
			h := host(id, rapid.Int64Range(0, 8).Draw(rt, "cores"), rapid.Int64Range(0, 8).Draw(rt, "gb"))
			h.State = rapid.SampledFrom([]one.HostState{one.HostMonitored, one.HostMonitored, one.HostError, one.HostDisabled}).Draw(rt, "state")
			c.Hosts, not[id] = append(c.Hosts, h), rapid.Bool().Draw(rt, "not")
		}
		c.Datastores = []Datastore{store(100, rapid.Int64Range(0, 200).Draw(rt, "space"))}
		var ids []int
		for id := range rapid.IntRange(0, 10).Draw(rt, "vms") {
			v := waits(id, rapid.Int64Range(1, 4).Draw(rt, "cpu"), rapid.Int64Range(1, 4).Draw(rt, "memory"))
			v.DiskMB = rapid.Int64Range(0, 50).Draw(rt, "disk")
			c.VMs, ids = append(c.VMs, v), append(ids, id)
		}
		disk := int64(0)
		cpu, memory := map[int]int64{}, map[int]int64{}
		for i, p := range c.PlaceWaiting(rapid.Permutation(ids).Draw(rt, "order"), not, Access{}) {
			if p.Placed() == (len(p.Left) > 0) || i >= len(ids) {
				rt.Fatalf("%+v", p)
			}
			if !p.Placed() {
				continue
			}
			cpu[p.Host] += c.VMs[p.VM].CPUShare
			memory[p.Host] += c.VMs[p.VM].MemoryKB
			disk += c.VMs[p.VM].DiskMB
			if not[p.Host] || !c.Hosts[p.Host].State.Back() {
				rt.Fatalf("%+v is on a host that is not to be used", p)
			}
		}
		for _, h := range c.Hosts {
			if cpu[h.ID] > h.MaxCPU || memory[h.ID] > h.MaxMemory || disk > c.Datastores[0].FreeMB {
				rt.Fatalf("host %d has %d and %d", h.ID, cpu[h.ID], memory[h.ID])
			}
		}
	})
}

// answers are the fixed ones of an oned.
type answers map[string]string

func (a answers) answer(method string, _ []any) (string, error) {
	if document := a[method]; document != "down" {
		return document, nil
	}
	return "", errors.New("down")
}

// TestPlacer: what is read, and what a missing part leaves to the scheduler.
func TestPlacer(t *testing.T) {
	host := "<HOST><ID>3</ID><NAME>n3</NAME><STATE>2</STATE><CLUSTER_ID>0</CLUSTER_ID><HOST_SHARE><MAX_CPU>400</MAX_CPU><MAX_MEM>9000000</MAX_MEM></HOST_SHARE><VMS/><TEMPLATE/></HOST>"
	vm := "<VM><ID>7</ID><UID>5</UID><GID>100</GID><NAME>v</NAME><STATE>1</STATE><LCM_STATE>0</LCM_STATE><TEMPLATE><CPU>1</CPU><MEMORY>512</MEMORY>%s</TEMPLATE><USER_TEMPLATE>%s</USER_TEMPLATE><HISTORY_RECORDS/></VM>"
	full := func(change ...string) answers {
		a := answers{
			"one.hostpool.info": "<HOST_POOL>" + host + "</HOST_POOL>", "one.vmpool.infoextended": "<VM_POOL>" + fmt.Sprintf(vm, "", "") + "</VM_POOL>",
			"one.clusterpool.info":   "<CLUSTER_POOL><CLUSTER><ID>0</ID><TEMPLATE/></CLUSTER></CLUSTER_POOL>",
			"one.datastorepool.info": "<DATASTORE_POOL><DATASTORE><ID>100</ID><GID>0</GID><NAME>s</NAME><PERMISSIONS><OTHER_U>0</OTHER_U></PERMISSIONS><TYPE>1</TYPE><STATE>0</STATE><CLUSTERS><ID>0</ID></CLUSTERS><TOTAL_MB>9</TOTAL_MB><FREE_MB>9</FREE_MB><TEMPLATE><SHARED>YES</SHARED></TEMPLATE></DATASTORE></DATASTORE_POOL>",
			"one.system.config":      "<OPENNEBULA_CONFIGURATION><FEDERATION><ZONE_ID>2</ZONE_ID></FEDERATION></OPENNEBULA_CONFIGURATION>",
			"one.acl.info":           "<ACL_POOL><ACL><ID>0</ID><USER>200000065</USER><RESOURCE>102400000000</RESOURCE><RIGHTS>3</RIGHTS><ZONE>100000002</ZONE></ACL></ACL_POOL>",
			"one.userpool.info":      "<USER_POOL><USER><ID>5</ID><GID>100</GID><GROUPS><ID>101</ID></GROUPS></USER><QUOTAS><ID>5</ID><VM_QUOTA/></QUOTAS><DEFAULT_USER_QUOTAS/></USER_POOL>",
		}
		for i := 0; i < len(change); i += 2 {
			a[change[i]] = change[i+1]
		}
		return a
	}
	for name, c := range map[string]struct {
		src  answers
		want Placement
	}{
		"all":           {full(), Placement{VM: 7, Host: 3, Datastore: 100}},
		"other zone":    {full("one.system.config", "<TEMPLATE></TEMPLATE>"), Placement{7, -1, -1, []Aspect{AccessControl}}},
		"no rules":      {full("one.acl.info", "down"), Placement{7, -1, -1, []Aspect{AccessControl}}},
		"no users":      {full("one.userpool.info", "<x"), Placement{7, -1, -1, []Aspect{AccessControl}}},
		"no datastores": {full("one.datastorepool.info", "down"), Placement{7, -1, -1, []Aspect{SystemDatastores}}},
		"image store":   {full("one.vmpool.infoextended", "<VM_POOL>"+fmt.Sprintf(vm, "<DISK><CLONE>YES</CLONE><CLONE_TARGET>SELF</CLONE_TARGET></DISK>", "")+"</VM_POOL>"), Placement{7, -1, -1, []Aspect{ImageDatastores}}},
		"rank":          {full("one.vmpool.infoextended", "<VM_POOL>"+fmt.Sprintf(vm, "", "<SCHED_RANK>FREE_CPU</SCHED_RANK>")+"</VM_POOL>"), Placement{7, -1, -1, []Aspect{Preference}}},
		"damaged VM":    {full("one.vmpool.infoextended", "<VM_POOL><VM>", "one.vmpool.infoset", "<VM_POOL><VM>"), Placement{7, -1, -1, []Aspect{Unreadable}}},
	} {
		got, err := Place(t.Context(), oned(c.src.answer).client(t, "6.10.0"), []int{7}, nil)
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, method := range []string{"one.hostpool.info", "one.vmpool.infoextended"} {
		if got, err := Place(t.Context(), oned(full(method, "down").answer).client(t, "6.10.0"), []int{7}, nil); err == nil {
			t.Errorf("%s: %+v", method, got)
		}
	}
	if got, err := Place(t.Context(), nil, nil, nil); got != nil || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}
