package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// leg is a state on the way of a VM from the failed host to where it runs again.
type leg struct {
	state      string // printable
	phase      phase
	waits      wording.Wait
	host       int
	began, end time.Time
	least      time.Duration // that a VM was in this state; the most for a single way
	most       time.Duration
}

// way is what one VM went through, or several that went the same way. Its legs are those of the slowest.
type way struct {
	vms     []incident.VM // the slowest first
	legs    []leg
	rank    rank
	arrived bool
	hosts   []int // where they are, one more than once; empty for nowhere
}

func (w way) first() leg { return w.legs[0] }

// last is where the VMs are.
func (w way) last() leg { return w.legs[len(w.legs)-1] }

// took is the time from the plan to the arrival, or until now.
func (w way) took() time.Duration {
	until := w.last().end
	if w.arrived {
		until = w.last().began
	}
	return max(until.Sub(w.first().began), 0)
}

// name is the VMs of a way, such as VM 7, 9-12, in at most so many characters.
func (w way) name(most int) string {
	ids := make([]int, len(w.vms))
	for i, vm := range w.vms {
		ids[i] = vm.ID
	}
	return "VM " + ranges(ids, most-len("VM "))
}

// maxHosts is how many characters the hosts have on which a way ends.
const maxHosts = 20

// where names the hosts on which a way ends.
func (w way) where() string {
	hosts := slices.Compact(slices.Sorted(slices.Values(w.hosts)))
	switch len(hosts) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" on host %d", hosts[0])
	}
	return " on hosts " + ranges(hosts, maxHosts)
}

// ways are those of all VMs that have one: what was not handled first, then what is on its way, then the longest; those with
// the same states at about the same times are one. Records of one-ft without ways have none.
func (v view) ways() []way {
	var all []way
	for _, vm := range v.VMs {
		// One state is no way, but for a VM that should have left it.
		if n := len(vm.Path); n > 1 || n == 1 && !handled(vm) {
			all = append(all, v.newWay(vm))
		}
	}
	slices.SortStableFunc(all, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.took(), a.took()), cmp.Compare(a.vms[0].ID, b.vms[0].ID))
	})
	if len(all) == 0 {
		return nil
	}
	first, last := period(all)
	near := max(time.Second, last.Sub(first)/100)
	return grouped(all, func(a, b way) bool { // with the same states at the same times
		return slices.EqualFunc(a.legs, b.legs, func(l, m leg) bool { return l.began.Sub(m.began).Abs() <= near })
	}, false)
}

func (v view) newWay(vm incident.VM) way {
	w := way{vms: []incident.VM{vm}, rank: v.rank(vm), arrived: arrived(vm)}
	for i, hop := range vm.Path {
		l := leg{state: text.Short(hop.State, maxName), phase: phaseOf(hop), waits: hop.Waits, host: hop.Host, began: hop.At, end: v.end()}
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
		if l.phase = phaseArrived; vm.Result == resultUnproven || v.starting(vm) && v.IsUnproven() {
			l.phase = phaseUnproven
		}
	}
	if l.host >= 0 && !(l.phase.stage == incident.StageCleanup || l.phase.stage == incident.StageScheduler) {
		w.hosts = []int{l.host}
	}
	return w
}

// arrived reports whether a VM is where it was to come to.
func arrived(vm incident.VM) bool {
	hop, moved := lastHop(vm)
	return moved && hop.Waits == wording.WaitNothing && phaseOf(hop) != phaseFailed && (handled(vm) || hop.State == stateRunning)
}

// lastHop is where a VM is; moved means that it is no longer where it was planned.
func lastHop(vm incident.VM) (hop incident.Hop, moved bool) {
	n := len(vm.Path)
	if n == 0 {
		return incident.Hop{Host: -1}, false
	}
	return vm.Path[n-1], n > 1
}

// period is from the first plan to the last end of some ways.
func period(ways []way) (from, to time.Time) {
	from, to = ways[0].first().began, ways[0].last().end
	for _, w := range ways {
		if w.first().began.Before(from) {
			from = w.first().began
		}
		if w.last().end.After(to) {
			to = w.last().end
		}
	}
	return from, to
}

// grouped makes one of ways that have the same states and are the same; spread keeps the least and the most time of each
// state.
func grouped(ways []way, same func(a, b way) bool, spread bool) []way {
	var all []way
	byStates := map[string][]int{}
	for _, w := range ways {
		key := w.states()
		recent := byStates[key]
		recent = recent[max(0, len(recent)-maxRepeats):]
		i := slices.IndexFunc(recent, func(i int) bool { return same(all[i], w) })
		if i < 0 {
			byStates[key] = append(byStates[key], len(all))
			w.legs, w.vms, w.hosts = slices.Clone(w.legs), slices.Clone(w.vms), slices.Clone(w.hosts)
			all = append(all, w)
			continue
		}
		g := &all[recent[i]]
		g.vms, g.hosts = append(g.vms, w.vms...), append(g.hosts, w.hosts...)
		for k := range w.legs {
			if l := &g.legs[k]; spread {
				l.least, l.most = min(l.least, w.legs[k].least), max(l.most, w.legs[k].most)
			}
		}
	}
	return all
}

// states is the same for ways with the same states.
func (w way) states() string {
	var b strings.Builder
	fmt.Fprint(&b, w.rank)
	for _, l := range w.legs {
		b.WriteString("|" + l.state + ":" + l.phase.class + ":" + l.waiting())
	}
	return b.String()
}

// maxFolds is how many ways are shown behind the first ones, folded.
const maxFolds = 4

// firstWays are the first ones as they are, those behind them folded by their states, and what is left of these.
func firstWays(all []way, most int) (shown, rest []way) {
	if len(all) <= most+1 {
		return all, nil
	}
	folds := grouped(all[most:], func(way, way) bool { return true }, true)
	n := min(len(folds), maxFolds)
	return append(slices.Clone(all[:most]), folds[:n]...), folds[n:]
}

// moreWays counts the VMs whose ways are not shown; "" for none.
func moreWays(rest []way) string {
	if len(rest) == 0 {
		return ""
	}
	there, under := 0, 0
	var times []time.Duration
	for _, w := range rest {
		if !w.arrived {
			under += len(w.vms)
			continue
		}
		there += len(w.vms)
		times = append(times, w.took())
	}
	var parts []string
	if under > 0 {
		parts = append(parts, fmt.Sprintf("%d on their way", under))
	}
	if there > 0 {
		parts = append(parts, fmt.Sprintf("%d arrived after %s", there, between(slices.Min(times), slices.Max(times))))
	}
	return fmt.Sprintf("%s not shown here: %s", text.Plural(there+under, "more VM"), strings.Join(parts, ", "))
}

// maxLegs is how many states of a way are named; a recovery has six.
const maxLegs = 8

// words are the states of a way with how long each took, and where it ends. States in the middle of a long one are counted.
func (w way) words() []string {
	var words []string
	for i, l := range w.legs {
		if cut := len(w.legs) - maxLegs; cut > 0 && i >= maxLegs/2 && i < maxLegs/2+cut {
			if i == maxLegs/2 {
				words = append(words, fmt.Sprintf("(%d more)", cut))
			}
			continue
		}
		switch {
		case i+1 < len(w.legs):
			words = append(words, l.label(" (", ")")+" "+between(l.least, l.most))
		case w.arrived:
			words = append(words, w.ends())
		default:
			words = append(words, w.ends()+" after "+between(l.least, l.most))
		}
	}
	return words
}

// ends is where a way ends, or where it is so far.
func (w way) ends() string {
	where := w.last().label(" (", ")") + w.where()
	switch {
	case !w.arrived:
		return "still " + where
	case w.last().phase == phaseUnproven:
		return where + " (UNPROVEN)"
	}
	return where
}

// label is a state with what is waited for in it, behind the separator.
func (l leg) label(separator, behind string) string {
	if waits := l.waiting(); waits != "" {
		return l.state + separator + waits + behind
	}
	return l.state
}

// phase is what a state on the way of a VM is a part of: how it is drawn, and which stage of the forecast it belongs to.
type phase struct {
	class string // of the style
	key   string // in the key of the drawing
	wait  wording.Wait
	waits string // for what, in words
	usual string // states that begin so say it themselves
	stage incident.StageName
	// high is how high its bar is: those of waiting are the highest, so that paper without colors tells them from the rest.
	high int
}

// The phases that no state is waited for in, and all of them in the order of the key.
var (
	phaseBefore   = phase{class: "before", key: "other state", high: 8}
	phaseFailed   = phase{class: "failed", key: "failed", high: 18}
	phaseUnproven = phase{class: "unproven", key: "arrived, UNPROVEN", high: 6}
	phaseArrived  = phase{class: "arrived", key: "arrived", high: 6}

	phases = []phase{
		phaseBefore,
		{"cleanup", "clean-up", wording.WaitCleanup, "waits for clean-up", "CLEANUP_", incident.StageCleanup, 18},
		{"scheduler", "scheduler", wording.WaitScheduler, "waits for the scheduler", "PENDING", incident.StageScheduler, 18},
		{"room", "no room", wording.WaitRoom, "no room", "", incident.StageScheduler, 18},
		{"owner", "on hold", wording.WaitOwner, "waits for its owner", "HOLD", incident.StageScheduler, 18},
		{"disks", "disks", wording.WaitDisks, "waits for its disks", "PROLOG", incident.StageProlog, 18},
		{"boot", "boot", wording.WaitBoot, "waits for boot", "BOOT", incident.StageBoot, 18},
		phaseFailed, phaseUnproven, phaseArrived,
	}
)

// stateRunning is the state of a VM that runs, as oned names it.
const stateRunning = "RUNNING"

// phaseOf is the phase of a state that is not the last: by what is waited for, else by the state, as oned names it in all
// releases.
func phaseOf(hop incident.Hop) phase {
	if failedState(hop.State) {
		return phaseFailed
	}
	if p, is := phaseOfWait(hop.Waits); is {
		return p
	}
	if i := slices.IndexFunc(phases, func(p phase) bool { return p.saidBy(hop.State) }); i >= 0 {
		return phases[i]
	}
	return phaseBefore
}

// phaseOfWait is the phase in which something is waited for.
func phaseOfWait(wait wording.Wait) (phase, bool) {
	i := slices.IndexFunc(phases, func(p phase) bool { return p.wait == wait })
	return phases[max(i, 0)], i >= 0 && wait != wording.WaitNothing
}

// saidBy reports whether a state says itself what is waited for.
func (p phase) saidBy(state string) bool { return p.usual != "" && strings.HasPrefix(state, p.usual) }

// failedState is true for BOOT_FAILURE and its like, and for FAILED of 4.x.
func failedState(state string) bool {
	return strings.HasSuffix(state, "_FAILURE") || state == "FAILED"
}

// waiting is what a leg waits for, in words; "" where its state says it.
func (l leg) waiting() string {
	p, known := phaseOfWait(l.waits)
	switch {
	case l.waits == wording.WaitNothing, l.phase == phaseFailed, known && p.saidBy(l.state):
		return ""
	case known:
		return p.waits
	}
	return "waits for " + text.Short(string(l.waits), maxName)
}
