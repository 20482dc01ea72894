package drill

import (
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Capacity is whether the rest of the cloud can take a VM.
type Capacity struct {
	Verdict Verdict `json:"verdict"`
	// Host is where it would go with the default policy, -1 for nowhere or when it needs no place.
	Host int `json:"host"`
	// Reason says why it does not fit, is tight or not known.
	Reason string `json:"reason,omitempty"`
}

// judgement is the answer for one host.
type judgement struct {
	verdict    Verdict
	capacities map[int]Capacity // by VM
	need       Headroom         // of the VMs that have to be placed
	rest       Headroom         // what is free without the host, before anything is placed
	unread     []int
}

// Headroom is room on hosts in service: hundredths of a core, and kB.
type Headroom struct {
	CPU    int64 `json:"cpu"`
	Memory int64 `json:"memory_kb"`
}

// trial is one host that could die: what changes on the others, and what has to be placed.
type trial struct {
	f     *field
	dead  int // index
	start room
	items []*item
	state room // of the way at hand
}

// newTrial makes the trial of a host from the plan for its VMs: room that is free when a VM
// leaves another host, too, and room that VMs take which need no scheduler.
func (f *field) newTrial(dead int, plan recovery.Plan) *trial {
	t := &trial{f: f, dead: dead}
	f.base.clone(&t.start)
	for turn, step := range plan.Steps {
		i, found := f.cloud.indexOf(step.VM.ID)
		if !found {
			continue
		}
		v := &f.cloud.VMs[i]
		switch {
		case needsPlace(step.Verb), step.Verb == recovery.VerbDelete:
			for _, at := range f.holders[v.ID] { // a migration holds room on both of its hosts
				t.take(v, at, -1)
			}
			if len(f.holders[v.ID]) > 1 {
				t.start.placed[v.ID] = 0
			}
		case step.Verb == recovery.VerbMigrate:
			if at, found := f.byID[step.Target]; found {
				t.take(v, at, 1)
			}
		case step.Verb == recovery.VerbReturn:
			if source, known := step.VM.Previous(); known {
				if at, found := f.byID[source.HostID]; found && !slices.Contains(f.holders[v.ID], at) {
					t.take(v, at, 1)
				}
			}
		}
		if needsPlace(step.Verb) {
			it := f.item(v, turn)
			it.resched = step.Verb == recovery.VerbResched
			t.items = append(t.items, it)
		}
	}
	sorted(t.items, ByID) // the lowest ID leads
	t.items = f.join(t.items, f.hosts[dead].host.ID)
	return t
}

// take takes room for a VM on a host, or gives it back with -1.
func (t *trial) take(v *VM, host int, sign int64) {
	t.start.cpu[host] -= sign * v.CPUShare
	t.start.memory[host] -= sign * v.MemoryKB
	t.start.vms[host] += sign
}

// run places everything in one way, and tells for each item the index of its host, or -1.
func (t *trial) run(w Way, hope bool) []int {
	t.start.clone(&t.state)
	order := slices.Clone(t.items)
	sorted(order, w.Order)
	at := make(map[*item]int, len(order))
	for _, it := range order {
		at[it] = t.f.place(it, t.dead, w.Rank, hope, &t.state)
	}
	hosts := make([]int, len(t.items))
	for i, it := range t.items {
		hosts[i] = at[it]
	}
	return hosts
}

// ways are those that differ: without priorities both orders are the same.
func (t *trial) ways() []Way {
	byID, byTurn := slices.Clone(t.items), slices.Clone(t.items)
	sorted(byID, ByID)
	sorted(byTurn, ByRecovery)
	if slices.Equal(byID, byTurn) {
		return slices.DeleteFunc(ways(), func(w Way) bool { return w.Order == ByRecovery })
	}
	return ways()
}

// vague reports whether a requirement of any item cannot be told.
func (t *trial) vague() bool {
	return slices.ContainsFunc(t.items, func(it *item) bool { return len(it.unknowns()) > 0 })
}

// judge decides whether the rest of the cloud can take the VMs of a host.
func (f *field) judge(dead int, plan recovery.Plan) judgement {
	t := f.newTrial(dead, plan)
	j := judgement{capacities: map[int]Capacity{}, rest: f.free(&t.start, dead), unread: f.unreadOn(dead)}
	for _, step := range plan.Steps {
		j.capacities[step.VM.ID] = Capacity{Host: -1}
	}
	tally := make([]count, len(t.items))
	var usual []int // where the default policy puts them
	hopes := []bool{false}
	if t.vague() {
		hopes = []bool{false, true}
	}
	for _, hope := range hopes {
		for _, w := range t.ways() {
			at := t.run(w, hope)
			for i := range at {
				tally[i].add(at[i] >= 0, hope)
			}
			if usual == nil && w.Rank == Striping {
				usual = at
			}
		}
	}
	for i, it := range t.items {
		j.need.CPU += it.cpu
		j.need.Memory += it.memory
		c := Capacity{Verdict: tally[i].verdict(len(hopes) > 1), Host: -1}
		if usual[i] >= 0 {
			c.Host = f.hosts[usual[i]].host.ID
		}
		for _, v := range it.vms {
			own := c
			own.explain(t, it, v)
			j.capacities[v.ID] = own
			j.verdict = max(j.verdict, own.Verdict)
		}
	}
	if len(j.unread) > 0 {
		j.verdict = max(j.verdict, NotKnown)
	}
	return j
}

// count is how often an item was placed, without and with hope.
type count struct{ placed, missed [2]int }

func (c *count) add(placed, hope bool) {
	i := 0
	if hope {
		i = 1
	}
	if placed {
		c.placed[i]++
	} else {
		c.missed[i]++
	}
}

// verdict is that of the counts. What fits if everything unknown is met, and does not if nothing
// is, is not known.
func (c *count) verdict(vague bool) Verdict {
	one := func(i int) Verdict {
		switch {
		case c.missed[i] == 0:
			return Fits
		case c.placed[i] == 0:
			return DoesNotFit
		}
		return Tight
	}
	if !vague || one(0) == one(1) {
		return one(0)
	}
	return NotKnown
}

// explain adds what was not evaluated, and the reason.
func (c *Capacity) explain(t *trial, it *item, v *VM) {
	switch {
	case c.Verdict == DoesNotFit:
		c.Reason = t.why(it)
	case c.Verdict == Tight:
		c.Reason = "whether there is room for it depends on the order in which the VMs are placed"
	case c.Verdict == NotKnown:
		c.Reason = "not evaluated: requirements of " + strings.Join(it.unknowns(), ", ")
		if len(it.unknowns()) == 0 {
			c.Reason = "it depends on requirements of other VMs that were not evaluated"
		}
	case len(v.Unchecked) > 0:
		c.Verdict = NotKnown
		c.Reason = "not evaluated: " + aspects(v.Unchecked)
	}
}

// free is what is free on the hosts in service without one.
func (f *field) free(r *room, dead int) (h Headroom) {
	for i := range f.hosts {
		if f.hosts[i].service && i != dead {
			h.CPU += max(0, r.cpu[i])
			h.Memory += max(0, r.memory[i])
		}
	}
	return h
}

// unreadOn are the VMs on a host that could not be read.
func (f *field) unreadOn(host int) []int {
	return slices.DeleteFunc(slices.Clone(f.hosts[host].host.VMs), func(id int) bool {
		_, unread := slices.BinarySearch(f.cloud.Unread, id)
		return !unread
	})
}

// Place places the VMs of a host's plan in one way, and tells for each that needs a place
// the ID of its host, or -1. Requirements that cannot be evaluated count as not met. It
// fails when the host does not exist.
func (c Cloud) Place(hostID int, plan recovery.Plan, w Way) (map[int]int, error) {
	f := newField(c)
	dead, found := f.byID[hostID]
	if !found {
		return nil, fmt.Errorf("host %d: %w", hostID, one.ErrNotFound)
	}
	t := f.newTrial(dead, plan)
	at := map[int]int{}
	for i, host := range t.run(w, false) {
		for _, v := range t.items[i].vms {
			at[v.ID] = -1
			if host >= 0 {
				at[v.ID] = f.hosts[host].host.ID
			}
		}
	}
	return at, nil
}
