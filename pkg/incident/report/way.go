package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

// leg is a state on the way of a VM from the failed host to where it runs again.
type leg struct {
	state      string // printable
	phase      phase
	waits      incident.Wait
	host       int
	began, end time.Time
	least      time.Duration // that a VM was in this state; the most for a single way
	most       time.Duration
}

// way is what one VM went through, or several that went the same way at the same time. Its legs are
// those of the slowest.
type way struct {
	vms     []incident.VM // the slowest first
	legs    []leg
	rank    int
	arrived bool
	hosts   []int // where they are, one more than once; empty for nowhere
}

// last is where the VMs are.
func (w way) last() leg { return w.legs[len(w.legs)-1] }

// took is the time from the plan to the arrival, or until now.
func (w way) took() time.Duration {
	if w.arrived {
		return max(w.last().began.Sub(w.legs[0].began), 0)
	}
	return max(w.last().end.Sub(w.legs[0].began), 0)
}

func (w way) ids() []int {
	ids := make([]int, len(w.vms))
	for i, vm := range w.vms {
		ids[i] = vm.ID
	}
	return ids
}

// The order of ways: what people have to look at comes first.
const (
	rankProblem = iota
	rankStarting
	rankUnproven
	rankHandled
)

func rankOf(r incident.Record, vm incident.VM) int {
	switch {
	case problem(r, vm):
		return rankProblem
	case starting(r, vm):
		return rankStarting
	case vm.Result == resultUnproven:
		return rankUnproven
	}
	return rankHandled
}

// ways are those of all VMs that have one: what was not handled first, then what is on its way,
// then the longest. Records of one-ft without ways have none.
func ways(r incident.Record, now time.Time) []way {
	var single []way
	for _, vm := range r.VMs {
		// One state is no way, but for a VM that should have left it.
		if n := len(vm.Path); n > 1 || n == 1 && !handled(vm) {
			single = append(single, newWay(r, vm, now))
		}
	}
	longest := func(a, b way) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.took(), a.took()), cmp.Compare(a.vms[0].ID, b.vms[0].ID))
	}
	slices.SortStableFunc(single, longest)
	return together(single)
}

func newWay(r incident.Record, vm incident.VM, now time.Time) way {
	w := way{vms: []incident.VM{vm}, rank: rankOf(r, vm), arrived: arrived(vm)}
	for i, hop := range vm.Path {
		l := leg{state: short(hop.State, maxName), phase: phaseOf(hop), waits: hop.Waits, host: hop.Host, began: hop.At, end: end(r, now)}
		if i+1 < len(vm.Path) {
			l.end = vm.Path[i+1].At
		}
		if l.end.Before(l.began) { // the clock was set
			l.end = l.began
		}
		l.most = l.end.Sub(l.began)
		l.least = l.most
		w.legs = append(w.legs, l)
	}
	l := &w.legs[len(w.legs)-1]
	if w.arrived {
		if l.phase = phaseArrived; vm.Result == resultUnproven || starting(r, vm) && r.IsUnproven() {
			l.phase = phaseUnproven
		}
	}
	if l.host >= 0 && !slices.Contains([]phase{phaseCleanup, phaseScheduler, phaseRoom, phaseOwner}, l.phase) {
		w.hosts = []int{l.host}
	}
	return w
}

// arrived reports whether a VM is where it was to come to.
func arrived(vm incident.VM) bool {
	hop, moved := lastHop(vm)
	return moved && hop.Waits == incident.WaitNothing && phaseOf(hop) != phaseFailed && (handled(vm) || hop.State == stateRunning)
}

// lastHop is where a VM is; moved means that it is no longer where it was planned.
func lastHop(vm incident.VM) (hop incident.Hop, moved bool) {
	n := len(vm.Path)
	if n == 0 {
		return incident.Hop{Host: -1}, false
	}
	return vm.Path[n-1], n > 1
}

// together makes one of ways that are drawn alike: the same states at about the same times.
func together(single []way) []way {
	var first, last time.Time
	for _, w := range single {
		if first.IsZero() || w.legs[0].began.Before(first) {
			first = w.legs[0].began
		}
		if w.last().end.After(last) {
			last = w.last().end
		}
	}
	near := max(time.Second, last.Sub(first)/100)
	var all []way
	byStates := map[string][]int{}
	for _, w := range single {
		key := w.states()
		same := byStates[key]
		same = same[max(0, len(same)-maxRepeats):]
		if i := slices.IndexFunc(same, func(i int) bool { return all[i].near(w, near) }); i >= 0 {
			g := &all[same[i]]
			g.vms, g.hosts = append(g.vms, w.vms...), append(g.hosts, w.hosts...)
			continue
		}
		byStates[key] = append(byStates[key], len(all))
		all = append(all, w)
	}
	return all
}

// foldWays makes one of all ways with the same states, whenever they had them, with the least and the
// most time of each.
func foldWays(ways []way) []way {
	var all []way
	at := map[string]int{}
	for _, w := range ways {
		i, found := at[w.states()]
		if !found {
			at[w.states()] = len(all)
			w.legs, w.vms, w.hosts = slices.Clone(w.legs), slices.Clone(w.vms), slices.Clone(w.hosts)
			all = append(all, w)
			continue
		}
		all[i].vms, all[i].hosts = append(all[i].vms, w.vms...), append(all[i].hosts, w.hosts...)
		for k := range w.legs {
			l := &all[i].legs[k]
			l.least, l.most = min(l.least, w.legs[k].least), max(l.most, w.legs[k].most)
		}
	}
	return all
}

// states is the same for ways with the same states.
func (w way) states() string {
	var b strings.Builder
	b.WriteByte(byte('0' + w.rank))
	for _, l := range w.legs {
		b.WriteString("|" + l.state + ":" + string(l.phase) + ":" + l.waiting())
	}
	return b.String()
}

// near reports whether a way with the same states had them at the same times.
func (w way) near(other way, within time.Duration) bool {
	for i, l := range w.legs {
		if d := l.began.Sub(other.legs[i].began); d > within || d < -within {
			return false
		}
	}
	return true
}
