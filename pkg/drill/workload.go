package drill

import (
	"cmp"
	"slices"

	"one-ft/pkg/one"
)

// workload is a VM that needs a host, or several that belong on one.
type workload struct {
	vms               []*VM // the leader has the lowest ID
	cpu, memory, disk int64
	rules, stores     []*rule
	resched           bool // it keeps its datastore
	turn              int  // in the plan

	// Of a trial, hosts by index or -1: that of the last strategy, and that of the default policy; the verdict, and
	// the one when every requirement that cannot be evaluated is met.
	host, usual     int
	verdict, atBest Verdict
}

// waits reports whether the VM is waiting for a host now.
func (v *VM) waits() bool { return v.State == one.Pending || v.Is(one.CleanupResubmit) }

// workload makes one of a VM.
func (s *simulation) workload(v *VM, turn int) *workload {
	w := &workload{vms: []*VM{v}, cpu: v.CPUShare, memory: v.MemoryKB, disk: v.DiskMB, turn: turn}
	requirements := v.Requirements
	if g, found := s.groups[v.GroupID]; found {
		if role, found := g.role(v.Role); found {
			requirements = slices.Concat(requirements, g.apart(v.ID, role))
		}
	}
	for _, text := range requirements {
		w.rules = append(w.rules, s.rule(text))
	}
	for _, text := range v.DatastoreRequirements {
		w.stores = append(w.stores, s.rule(text))
	}
	return w
}

// join makes one workload of VMs that belong on one host; those of a set of which others run
// elsewhere belong there (src/scheduler/src/pool/VMGroupXML.cc, schecule_affined_set).
func (s *simulation) join(workloads []*workload, dead int) []*workload {
	leaders := map[*int]*workload{}
	return slices.DeleteFunc(workloads, func(w *workload) bool {
		set := s.sets[w.vms[0].ID]
		if len(set) < 2 {
			return false
		}
		var hosts []int
		for _, vm := range set {
			for _, at := range s.holders[vm] {
				if at != dead {
					hosts = append(hosts, s.hosts[at].host.ID)
				}
			}
		}
		if len(hosts) > 0 {
			slices.Sort(hosts)
			w.rules = append(w.rules, s.rule(onHosts(slices.Compact(hosts))))
			return false
		}
		leader := leaders[&set[0]]
		if leader == nil {
			leaders[&set[0]] = w
			return false
		}
		leader.vms = append(leader.vms, w.vms...)
		leader.cpu, leader.memory, leader.disk = leader.cpu+w.cpu, leader.memory+w.memory, leader.disk+w.disk
		leader.rules, leader.stores = append(leader.rules, w.rules...), append(leader.stores, w.stores...)
		return true
	})
}

// sortWorkloads sorts workloads as they look for a host.
func sortWorkloads(all []*workload, order Order) {
	slices.SortStableFunc(all, func(a, b *workload) int {
		if order == ByRecovery {
			return cmp.Compare(a.turn, b.turn)
		}
		return cmp.Or(cmp.Compare(b.vms[0].UserPriority, a.vms[0].UserPriority), cmp.Compare(a.vms[0].ID, b.vms[0].ID))
	})
}

// unknowns are the attributes that its requirements name and that are not known.
func (w *workload) unknowns() []string {
	var names []string
	for _, r := range slices.Concat(w.rules, w.stores) {
		names = append(names, r.unknown...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
