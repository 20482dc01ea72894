package drill

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"one-ft/pkg/drill/requirement"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// simulation is a cloud made ready for placing VMs: it is built once and used for every host that could die.
type simulation struct {
	cloud   Cloud
	hosts   []target
	holders map[int][]int // VM -> indexes of the hosts that it takes room on
	groups  map[int]Group
	sets    map[int][]int // VM -> those that belong on one host with it
	rules   map[string]*rule
	base    room
	orders  [3][]int // by Rank: the indexes of the hosts of base, the best first
	denied  []bool   // datastores that the VM at hand may not use
	// serves are the datastores that VMs on hosts of a cluster are on, by the IDs of both.
	serves map[[2]int]bool
}

// newSimulation prepares a cloud. VMs that wait now and find a host are placed first: they are running by the
// time that a host dies. The others find none with a host less, either.
func newSimulation(c Cloud) *simulation {
	s := newBareSimulation(c)
	var waiting []*workload
	for i := range c.VMs {
		if v := &c.VMs[i]; v.State == one.Pending || v.Is(one.CleanupResubmit) {
			waiting = append(waiting, s.workload(v, 0))
		}
	}
	sortWorkloads(waiting, ByID)
	for _, w := range waiting {
		s.place(w, -1, Striping, true, &s.base)
	}
	s.sortHosts()
	return s
}

// sortHosts makes the orders of the hosts, from which only those differ that change later: for a cloud that loses one host after the
// other each VM is compared with a few hosts, and not with all.
func (s *simulation) sortHosts() {
	for _, rank := range []Rank{FreeCPU, Striping, Packing} {
		order := s.orders[rank][:0]
		for i := range s.hosts {
			order = append(order, i)
		}
		sort.Slice(order, func(a, b int) bool { return before(rank, s.base.hosts, order[a], order[b]) })
		s.orders[rank] = order
	}
	s.base.others = nil
	clear(s.base.changed)
}

// newBareSimulation prepares a cloud without placing anything: VMs that wait take no room.
func newBareSimulation(c Cloud) *simulation {
	s := &simulation{
		cloud: c, holders: map[int][]int{}, groups: map[int]Group{}, sets: map[int][]int{}, rules: map[string]*rule{},
		base: room{placed: map[int]int{}}, denied: make([]bool, len(c.Datastores)), serves: map[[2]int]bool{},
	}
	for i := range c.VMs {
		if last, placed := c.VMs[i].Last(); placed {
			if host, found := c.Host(last.HostID); found {
				s.serves[[2]int{last.DatastoreID, host.ClusterID}] = true
			}
		}
	}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		s.hosts = append(s.hosts, target{host: h, service: h.State.Back(), index: i})
		memory := int64(float64(h.MaxMemory) * (1 - c.HypervisorMemory))
		s.base.hosts = append(s.base.hosts, free{cpu: h.MaxCPU - h.UsedCPU, memory: memory - h.UsedMemory, vms: int64(len(h.VMs))})
		for _, vm := range h.VMs {
			s.holders[vm] = append(s.holders[vm], i)
		}
	}
	for _, d := range c.Datastores {
		s.base.stores = append(s.base.stores, d.FreeMB)
	}
	s.base.changed = make([]bool, len(s.hosts))
	s.sortHosts()
	for _, g := range c.Groups {
		s.groups[g.ID] = g
		for _, set := range g.together() {
			for _, vm := range set {
				s.sets[vm] = set
			}
		}
	}
	return s
}

// target is a host as requirements see it.
type target struct {
	host    *Host
	service bool  // the scheduler uses it
	state   *room // while a VM is being placed
	index   int
}

// Values gives the attributes of the host. What only monitoring provides is not in every answer.
func (t *target) Values(name string) ([]string, bool) {
	values, found := t.host.Attributes[name]
	if found {
		return values, true
	}
	fromMonitoring := slices.Contains([]string{"FREE_CPU", "FREE_MEMORY", "USED_CPU", "USED_MEMORY", "NETRX", "NETTX"}, name)
	return nil, !isPath(name) && !(fromMonitoring && t.host.NoMonitoring)
}

// HasVM reports whether a VM is on the host, or was placed there.
func (t *target) HasVM(id int) bool {
	if t.state != nil {
		if at, moved := t.state.placed[id]; moved {
			return at == t.index
		}
	}
	_, found := slices.BinarySearch(t.host.VMs, id)
	return found
}

// knows reports whether an attribute is known of all hosts.
func (s *simulation) knows(name string) bool {
	return !slices.ContainsFunc(s.hosts, func(t target) bool {
		_, known := t.Values(name)
		return !known
	})
}

// rule is a requirement that was read, with its verdicts so far.
type rule struct {
	requirement.Expression
	err           error
	unknown       []string // attributes that are not known
	hosts, stores []int8   // by index: 0 for not evaluated yet, else the verdict + 1
}

// rule reads a requirement, once for all VMs that have it.
func (s *simulation) rule(text string) *rule {
	r := s.rules[text]
	if r == nil {
		r = &rule{hosts: make([]int8, len(s.hosts)), stores: make([]int8, len(s.cloud.Datastores))}
		r.Expression, r.err = requirement.Parse(text)
		if r.err == requirement.ErrTooComplex {
			r.unknown = []string{"too many attributes"}
		}
		r.unknown = append(r.unknown, r.Unknown(s.knows)...)
		s.rules[text] = r
	}
	return r
}

// once evaluates the rule for the host or datastore with an index, once unless VMs that are placed change it.
func (r *rule) once(verdicts []int8, i int, t requirement.Target) requirement.Verdict {
	if verdicts[i] == 0 || r.Dynamic {
		verdicts[i] = int8(r.eval(t)) + 1
	}
	return requirement.Verdict(verdicts[i] - 1)
}

func (r *rule) eval(t requirement.Target) requirement.Verdict {
	switch r.err {
	case nil:
		return r.Eval(t)
	case requirement.ErrSyntax:
		return requirement.No // the scheduler gives up on such a VM
	}
	return requirement.Unknown
}

// room is what is free, by the index of the host and of the datastore (MB).
type room struct {
	hosts  []free
	stores []int64
	placed map[int]int // VM -> index of its host, -1 for none, where that is not as the hosts say
	// others are the hosts that changed since they were sorted (sortHosts), and changed says whether one did.
	others  []int
	changed []bool
}

// change gives what is free on a host, to be changed.
func (r *room) change(host int) *free {
	if !r.changed[host] {
		r.changed[host], r.others = true, append(r.others, host)
	}
	return &r.hosts[host]
}

// free is what is free on a host: CPU in hundredths of a core, memory in kB; how many VMs it has, and what of its
// local disk they will take in MB.
type free struct{ cpu, memory, vms, disk int64 }

// clone copies a room into another, whose memory it uses again.
func (r *room) clone(into *room) {
	into.hosts = append(into.hosts[:0], r.hosts...)
	into.stores = append(into.stores[:0], r.stores...)
	into.others = append(into.others[:0], r.others...)
	into.changed = append(into.changed[:0], r.changed...)
	if into.placed == nil {
		into.placed = map[int]int{}
	}
	clear(into.placed)
	maps.Copy(into.placed, r.placed)
}

// workload is a VM that needs a host, or several that belong on one.
type workload struct {
	vms               []*VM    // the leader has the lowest ID
	drivers           []string // of their guests, "" for one that is not known
	cpu, memory, disk int64
	rules, stores     []*rule
	resched           bool // it keeps its datastore
	turn              int  // in the plan

	// Of a trial, hosts by index or -1: that of the last strategy, and that of the default policy; the verdict, and
	// the one when every requirement that cannot be evaluated is met.
	host, usual     int
	verdict, atBest Verdict
}

func (s *simulation) workload(v *VM, turn int) *workload {
	w := &workload{vms: []*VM{v}, drivers: []string{s.driverOf(v)}, cpu: v.CPUShare, memory: v.MemoryKB, disk: v.DiskMB, turn: turn}
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

// driverOf is the driver of the guest of a VM: that of its last record, or of the host there; "" for a VM that was never placed.
func (s *simulation) driverOf(v *VM) string {
	last, placed := v.Last()
	if i, found := s.cloud.hostIndex(last.HostID); placed && found {
		return cmp.Or(last.Driver, s.hosts[i].host.VMDriver)
	}
	return last.Driver
}

// runs reports whether a host runs the guests of a workload: a hypervisor does not start those of another one.
func (w *workload) runs(t *target) bool {
	for _, driver := range w.drivers {
		if driver != t.host.VMDriver && !recovery.Runs(t.host.Host, driver) {
			return false
		}
	}
	return true
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
		if slices.Sort(hosts); len(hosts) > 0 {
			w.rules = append(w.rules, s.rule(onHosts(slices.Compact(hosts))))
			return false
		}
		leader := leaders[&set[0]]
		if leader == nil {
			leaders[&set[0]] = w
			return false
		}
		leader.vms, leader.drivers = append(leader.vms, w.vms...), append(leader.drivers, w.drivers...)
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

func (w *workload) unknowns() []string {
	var names []string
	for _, r := range slices.Concat(w.rules, w.stores) {
		names = append(names, r.unknown...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
