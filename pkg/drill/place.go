package drill

import (
	"cmp"
	"slices"

	"one-ft/pkg/drill/requirement"
)

// choose finds a host other than dead for an item, and the system datastore for it (store); both -1 if
// there is none. What cannot be told counts as met if hope is set.
func (f *field) choose(it *item, dead int, rank Rank, hope bool, state *room) (best, store int) {
	best, store = -1, -1
	for i := range f.hosts {
		t := &f.hosts[i]
		if !t.service || i == dead || state.cpu[i] < it.cpu || state.memory[i] < it.memory || best >= 0 && !better(state, rank, i, best) {
			continue
		}
		t.state = state
		if !accept(f.meets(it, t), hope) {
			continue
		}
		s, verdict := f.store(it, i, state)
		if accept(verdict, hope) {
			best, store = i, s
		}
	}
	return best, store
}

// place chooses a host for an item and takes the room there; -1 if there is none.
func (f *field) place(it *item, dead int, rank Rank, hope bool, state *room) int {
	best, store := f.choose(it, dead, rank, hope, state)
	if best >= 0 {
		f.take(it, best, store, state)
	}
	return best
}

// take takes the room for an item.
func (f *field) take(it *item, best, store int, state *room) {
	state.cpu[best] -= it.cpu
	state.memory[best] -= it.memory
	state.vms[best] += int64(len(it.vms))
	switch {
	case store >= 0 && f.cloud.Datastores[store].Shared:
		state.stores[store] -= it.disk
	case store >= 0:
		state.disk[best] += it.disk
	}
	for _, v := range it.vms {
		state.placed[v.ID] = best + 1
	}
}

// accept reports whether a verdict will do.
func accept(v requirement.Verdict, hope bool) bool {
	return v == requirement.Yes || hope && v == requirement.Unknown
}

// better reports whether a host goes before the best so far, which has the lower ID.
func better(r *room, rank Rank, i, best int) bool {
	switch rank {
	case Striping:
		return r.vms[i] < r.vms[best]
	case Packing:
		return r.vms[i] > r.vms[best]
	}
	return cmp.Or(cmp.Compare(r.cpu[i], r.cpu[best]), cmp.Compare(r.memory[i], r.memory[best])) > 0
}

// meets reports whether a host meets what an item requires.
func (f *field) meets(it *item, t *target) requirement.Verdict {
	all := requirement.Yes
	for _, r := range it.rules {
		switch r.on(t, len(f.hosts)) {
		case requirement.No:
			return requirement.No
		case requirement.Unknown:
			all = requirement.Unknown
		}
	}
	return all
}

// store finds the system datastore with the most free space for an item on a host: its
// index, -1 where datastores are not evaluated or it keeps its own.
func (f *field) store(it *item, host int, state *room) (int, requirement.Verdict) {
	if len(f.cloud.Datastores) == 0 || it.resched {
		return -1, requirement.Yes
	}
	best, found := -1, requirement.No
	for i := range f.cloud.Datastores {
		d := &f.cloud.Datastores[i]
		if d.Disabled || f.denied[i] || d.Clusters != nil && !slices.Contains(d.Clusters, f.hosts[host].host.ClusterID) || !f.hasSpace(it, i, host, state) {
			continue
		}
		verdict := requirement.Yes
		for _, r := range it.stores {
			if v := r.onStore(i, f.cloud.Datastores); v != requirement.Yes && verdict != requirement.No {
				verdict = v
			}
		}
		if verdict == requirement.No || found == requirement.Yes && (verdict != found || state.stores[i] <= state.stores[best]) {
			continue
		}
		best, found = i, verdict
	}
	return best, found
}

// hasSpace reports whether a datastore has room for the disks of an item. Of one that was
// never monitored that is taken for granted.
func (f *field) hasSpace(it *item, store, host int, state *room) bool {
	d, h := &f.cloud.Datastores[store], f.hosts[host].host
	if it.disk == 0 {
		return true
	}
	if d.Shared {
		return !d.Monitored || it.disk < state.stores[store]
	}
	free, own := h.FreeDatastore[d.ID]
	if !own {
		free = h.FreeDisk
	}
	return free == 0 || it.disk < free-state.disk[host]
}

// unknowns are the attributes that the requirements of an item ask for and that cannot be told.
func (it *item) unknowns() []string {
	var names []string
	for _, r := range slices.Concat(it.rules, it.stores) {
		names = append(names, r.unknown...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
