package drill

import (
	"maps"
	"slices"

	"one-ft/pkg/drill/requirement"
)

// field is a cloud made ready for placing VMs: it is built once and used for every host that could die.
type field struct {
	cloud   Cloud
	hosts   []target
	byID    map[int]int // host ID -> index
	holders map[int][]int
	groups  map[int]Group
	sets    map[int][]int // VM -> those that belong on one host with it
	known   map[string]*rule
	told    map[string]bool // attribute -> whether it can be told of all hosts
	base    room
	denied  []bool // datastores that the VM at hand may not use
}

// target is a host as requirements see it.
type target struct {
	host    *Host
	service bool  // the scheduler uses it
	state   *room // while a VM is being placed
	index   int
}

// Values gives the attributes of the host. What only monitoring tells is not in every answer.
func (t *target) Values(name string) ([]string, bool) {
	values, found := t.host.Attributes[name]
	if !found && isPath(name) {
		return nil, false
	}
	if !found && t.host.NoMonitoring {
		switch name {
		case "FREE_CPU", "FREE_MEMORY", "USED_CPU", "USED_MEMORY", "NETRX", "NETTX":
			return nil, false
		}
	}
	return values, true
}

// HasVM reports whether a VM is on the host, or was placed there.
func (t *target) HasVM(id int) bool {
	if t.state != nil {
		if at, moved := t.state.placed[id]; moved {
			return at == t.index+1
		}
	}
	_, found := slices.BinarySearch(t.host.VMs, id)
	return found
}

// anyHost stands for all hosts: what cannot be told of one cannot be told of it.
type anyHost struct{ f *field }

// Values asks the hosts, once for each name.
func (a anyHost) Values(name string) ([]string, bool) {
	known, asked := a.f.told[name]
	if !asked {
		known = !slices.ContainsFunc(a.f.hosts, func(t target) bool {
			_, known := t.Values(name)
			return !known
		})
		a.f.told[name] = known
	}
	return nil, known
}

// HasVM is not asked.
func (a anyHost) HasVM(int) bool { return false }

// rule is a requirement that was read, with its verdicts so far.
type rule struct {
	requirement.Expression
	err      error
	unknown  []string // attributes that cannot be told
	verdicts []int8   // by host: 0 not asked yet, else the verdict + 1
	stores   []requirement.Verdict
}

// room is what is free: CPU in hundredths of a core and memory in kB by host, and space in MB.
type room struct {
	cpu, memory, vms, disk []int64
	stores                 []int64     // by datastore
	placed                 map[int]int // VM -> index of its host + 1, 0 for none, where that is not as the hosts say
}

// clone copies a room into another, whose memory it uses again.
func (r *room) clone(into *room) {
	into.cpu = append(into.cpu[:0], r.cpu...)
	into.memory = append(into.memory[:0], r.memory...)
	into.vms = append(into.vms[:0], r.vms...)
	into.disk = append(into.disk[:0], r.disk...)
	into.stores = append(into.stores[:0], r.stores...)
	if into.placed == nil {
		into.placed = map[int]int{}
	}
	clear(into.placed)
	maps.Copy(into.placed, r.placed)
}

// newField prepares a cloud. VMs that wait now and find a host are placed first: they are running by the
// time that a host dies. The others find none with a host less, either.
func newField(c Cloud) *field {
	f := bareField(c)
	f.settle()
	return f
}

// bareField prepares a cloud as it is now: VMs that wait take no room.
func bareField(c Cloud) *field {
	f := &field{cloud: c, byID: map[int]int{}, holders: map[int][]int{}, groups: map[int]Group{}, sets: map[int][]int{}, known: map[string]*rule{}, told: map[string]bool{}}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		f.hosts = append(f.hosts, target{host: h, service: h.State.Back(), index: i})
		f.byID[h.ID] = i
		memory := h.MaxMemory
		if c.HypervisorMemory > 0 {
			memory = int64(float64(memory) * (1 - c.HypervisorMemory))
		}
		f.base.cpu = append(f.base.cpu, h.MaxCPU-h.UsedCPU)
		f.base.memory = append(f.base.memory, memory-h.UsedMemory)
		f.base.vms = append(f.base.vms, int64(len(h.VMs)))
		f.base.disk = append(f.base.disk, 0)
		for _, vm := range h.VMs {
			f.holders[vm] = append(f.holders[vm], i)
		}
	}
	f.denied = make([]bool, len(c.Datastores))
	for _, d := range c.Datastores {
		f.base.stores = append(f.base.stores, d.FreeMB)
	}
	for _, g := range c.Groups {
		f.groups[g.ID] = g
		for _, set := range g.together() {
			for _, vm := range set {
				f.sets[vm] = set
			}
		}
	}
	return f
}

// settle places the VMs that wait now.
func (f *field) settle() {
	var items []*item
	for i := range f.cloud.VMs {
		if v := &f.cloud.VMs[i]; v.waits() {
			items = append(items, f.item(v, 0))
		}
	}
	if len(items) == 0 {
		return
	}
	f.base.placed = map[int]int{}
	sorted(items, ByID)
	for _, it := range items {
		f.place(it, -1, Striping, true, &f.base)
	}
}

// rule reads a requirement, once for all VMs that have it.
func (f *field) rule(text string) *rule {
	r := f.known[text]
	if r == nil {
		r = &rule{}
		r.Expression, r.err = requirement.Parse(text)
		if r.err == requirement.ErrTooComplex {
			r.unknown = []string{"too many attributes"}
		}
		r.unknown = append(r.unknown, r.Unknown(anyHost{f})...)
		f.known[text] = r
	}
	return r
}

// on evaluates the rule for a host.
func (r *rule) on(t *target, n int) requirement.Verdict {
	switch {
	case r.err == requirement.ErrSyntax:
		return requirement.No // the scheduler gives up on such a VM
	case r.err != nil:
		return requirement.Unknown
	case r.Dynamic:
		return r.Eval(t)
	}
	if r.verdicts == nil {
		r.verdicts = make([]int8, n)
	}
	if r.verdicts[t.index] == 0 {
		r.verdicts[t.index] = int8(r.Eval(t)) + 1
	}
	return requirement.Verdict(r.verdicts[t.index] - 1)
}

// onStore evaluates the rule for a datastore.
func (r *rule) onStore(i int, all []Datastore) requirement.Verdict {
	if r.stores == nil {
		for n := range all {
			v := requirement.No
			switch {
			case r.err == nil:
				v = r.Eval(&all[n])
			case r.err != requirement.ErrSyntax:
				v = requirement.Unknown
			}
			r.stores = append(r.stores, v)
		}
	}
	return r.stores[i]
}
