package drill

import (
	"cmp"
	"fmt"
	"slices"

	"one-ft/pkg/drill/requirement"
)

// Order is the order in which VMs look for a host.
type Order int

// The orders.
const (
	ByID       Order = iota // how the scheduler takes those that wait: by USER_PRIORITY, then by ID
	ByRecovery              // the order of the plan: as if the scheduler looked after each VM
)

// Rank is which of the hosts that fit a VM takes; of equal ones the one with the lowest ID.
type Rank int

// The policies of sched.conf and rank.conf (DEFAULT_SCHED).
const (
	FreeCPU  Rank = iota // the host with the most free CPU, then memory: policy 2, as far as that is known without monitoring
	Striping             // the host with the fewest VMs: policy 1, the default of all versions
	Packing              // the host with the most VMs: policy 0
)

// Strategy is one way to place VMs.
type Strategy struct {
	Order Order
	Rank  Rank
}

// Verdict is whether VMs find a host.
type Verdict int

// The verdicts, from good to bad.
const (
	NoNeed     Verdict = iota // nothing has to be placed
	Fits                      // placed by every Strategy
	NotKnown                  // hangs on something that was not evaluated
	Tight                     // placed by some strategies and not by others
	DoesNotFit                // placed by no Strategy
)

// String is the verdict in words.
func (v Verdict) String() string {
	words := [...]string{NoNeed: "-", Fits: "fits", NotKnown: "not known", Tight: "tight", DoesNotFit: "does not fit"}
	if v < 0 || int(v) >= len(words) {
		return fmt.Sprintf("verdict %d", int(v))
	}
	return words[v]
}

// MarshalText is the verdict in JSON.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// place finds a host for a workload as the scheduler does and takes the room there; -1 if there is none.
func (s *simulation) place(w *workload, dead int, rank Rank, optimistic bool, state *room) int {
	best, store := s.choose(w, dead, rank, optimistic, state)
	if best >= 0 {
		s.take(w, best, store, state)
	}
	return best
}

// choose finds a host other than dead for a workload, and the system datastore for it (store); both -1 if
// there is none. When optimistic, requirements that cannot be evaluated count as met.
func (s *simulation) choose(w *workload, dead int, rank Rank, optimistic bool, state *room) (best, store int) {
	best, store = -1, -1
	fits := func(i int) bool {
		t, has := &s.hosts[i], state.hosts[i]
		if !t.service || i == dead || has.cpu < w.cpu || has.memory < w.memory || !w.runs(t) {
			return false
		}
		t.state = state
		if !accept(s.meets(w, t), optimistic) {
			return false
		}
		at, verdict := s.store(w, i, state)
		if accept(verdict, optimistic) {
			best, store = i, at
		}
		return best == i
	}
	for _, i := range s.orders[rank] { // hosts as they were, the best first
		if !state.changed[i] && fits(i) {
			break
		}
	}
	for _, i := range state.others {
		if best < 0 || before(rank, state.hosts, i, best) {
			fits(i)
		}
	}
	return best, store
}

// before reports whether the host with an index goes before another one.
func before(rank Rank, all []free, a, b int) bool {
	return better(rank, all[a], all[b]) || a < b && !better(rank, all[b], all[a])
}

func accept(v requirement.Verdict, optimistic bool) bool {
	return v == requirement.Yes || optimistic && v == requirement.Unknown
}

// better reports whether a host is better than the best so far, and not its equal.
func better(rank Rank, a, best free) bool {
	switch rank {
	case Striping:
		return a.vms < best.vms
	case Packing:
		return a.vms > best.vms
	}
	return cmp.Or(cmp.Compare(a.cpu, best.cpu), cmp.Compare(a.memory, best.memory)) > 0
}

func (s *simulation) meets(w *workload, t *target) requirement.Verdict {
	verdict := requirement.Yes
	for _, r := range w.rules {
		if verdict = min(verdict, r.once(r.hosts, t.index, t)); verdict == requirement.No {
			break
		}
	}
	return verdict
}

// store finds the system datastore with the most free space for a workload on a host: its
// index, -1 where datastores are not evaluated or it keeps its own.
func (s *simulation) store(w *workload, host int, state *room) (int, requirement.Verdict) {
	if len(s.cloud.Datastores) == 0 || w.resched {
		return -1, requirement.Yes
	}
	best, found := -1, requirement.No
	for i := range s.cloud.Datastores {
		d := &s.cloud.Datastores[i]
		if !s.reaches(i, host) || !s.hasSpace(w, i, host, state) {
			continue
		}
		verdict := requirement.Yes
		for _, r := range w.stores {
			verdict = min(verdict, r.once(r.stores, i, d))
		}
		if verdict == requirement.No || found == requirement.Yes && (verdict != found || state.stores[i] <= state.stores[best]) {
			continue
		}
		best, found = i, verdict
	}
	return best, found
}

// reaches reports whether a datastore may be used from a host, whatever is on both. In 4.x a datastore is in one cluster, or in
// none; that VMs of the cluster of the host are on it now says more than that.
func (s *simulation) reaches(store, host int) bool {
	d, cluster := &s.cloud.Datastores[store], s.hosts[host].host.ClusterID
	return !d.Disabled && !s.denied[store] && (d.Clusters == nil || slices.Contains(d.Clusters, cluster) || d.OneCluster && s.serves[[2]int{d.ID, cluster}])
}

// hasSpace reports whether a datastore has room for the disks of a workload. Of one that was
// never monitored that is taken for granted.
func (s *simulation) hasSpace(w *workload, store, host int, state *room) bool {
	d, h := &s.cloud.Datastores[store], s.hosts[host].host
	if w.disk == 0 {
		return true
	}
	if d.Shared {
		return !d.Monitored || w.disk < state.stores[store]
	}
	space, own := h.FreeDatastore[d.ID]
	if !own {
		space = h.FreeDisk
	}
	return space == 0 || w.disk < space-state.hosts[host].disk
}

func (s *simulation) take(w *workload, host, store int, state *room) {
	has := state.change(host)
	has.cpu -= w.cpu
	has.memory -= w.memory
	has.vms += int64(len(w.vms))
	switch {
	case store >= 0 && s.cloud.Datastores[store].Shared:
		state.stores[store] -= w.disk
	case store >= 0:
		has.disk += w.disk
	}
	for _, v := range w.vms {
		state.placed[v.ID] = host
	}
}
