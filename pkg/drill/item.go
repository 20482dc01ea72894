package drill

import (
	"cmp"
	"slices"

	"one-ft/pkg/one"
)

// item is a VM that needs a host, or several that belong on one.
type item struct {
	vms               []*VM // the leader has the lowest ID
	cpu, memory, disk int64
	rules, stores     []*rule
	resched           bool // it keeps its datastore
	turn              int  // in the plan
}

// waits reports whether the VM is waiting for a host now.
func (v *VM) waits() bool { return v.State == one.Pending || v.Is(one.CleanupResubmit) }

// item makes an item of a VM.
func (f *field) item(v *VM, turn int) *item {
	it := &item{vms: []*VM{v}, cpu: v.CPUShare, memory: v.MemoryKB, disk: v.DiskMB, turn: turn}
	for _, text := range v.Requirements {
		it.rules = append(it.rules, f.rule(text))
	}
	for _, text := range v.DatastoreRequirements {
		it.stores = append(it.stores, f.rule(text))
	}
	if g, found := f.groups[v.GroupID]; found {
		if role, found := g.role(v.Role); found {
			for _, text := range g.apart(v.ID, role) {
				it.rules = append(it.rules, f.rule(text))
			}
		}
	}
	return it
}

// join makes one item of VMs that belong on one host; those of a set of which others run
// elsewhere belong there (src/scheduler/src/pool/VMGroupXML.cc, schecule_affined_set).
func (f *field) join(items []*item, dead int) []*item {
	if len(f.sets) == 0 {
		return items
	}
	leaders := map[*int]*item{}
	return slices.DeleteFunc(items, func(it *item) bool {
		set := f.sets[it.vms[0].ID]
		if len(set) < 2 {
			return false
		}
		var hosts []int
		for _, vm := range set {
			for _, at := range f.holders[vm] {
				if id := f.hosts[at].host.ID; at != dead && !slices.Contains(hosts, id) {
					hosts = append(hosts, id)
				}
			}
		}
		if len(hosts) > 0 {
			slices.Sort(hosts)
			it.rules = append(it.rules, f.rule(oneOf("ID", hosts)))
			return false
		}
		leader := leaders[&set[0]]
		if leader == nil {
			leaders[&set[0]] = it
			return false
		}
		leader.vms = append(leader.vms, it.vms...)
		leader.cpu, leader.memory, leader.disk = leader.cpu+it.cpu, leader.memory+it.memory, leader.disk+it.disk
		leader.rules, leader.stores = append(leader.rules, it.rules...), append(leader.stores, it.stores...)
		return true
	})
}

// sorted sorts items as they look for a host.
func sorted(items []*item, order Order) {
	slices.SortStableFunc(items, func(a, b *item) int {
		if order == ByRecovery {
			return cmp.Compare(a.turn, b.turn)
		}
		return cmp.Or(cmp.Compare(b.vms[0].UserPriority, a.vms[0].UserPriority), cmp.Compare(a.vms[0].ID, b.vms[0].ID))
	})
}
