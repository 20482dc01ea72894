package cloud

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// wakeScheduler makes sure that the scheduler runs while there is anything for
// it to do.
func (c *Cloud) wakeScheduler() {
	if c.sched == nil && !c.isClosed && len(c.pending)+len(c.resched) > 0 {
		c.sched = c.after(c.untilSchedule(), c.schedule)
	}
}

// untilSchedule is the time to the next run. The schedulers of old run by the clock; that of 7.x, and
// the one that is not the shipped one, a while after there was something to do.
func (c *Cloud) untilSchedule() time.Duration {
	if !c.cfg.ShippedScheduler || c.tables.shipped.busy {
		return c.cfg.SchedInterval
	}
	return c.cfg.SchedInterval - time.Since(c.started)%c.cfg.SchedInterval
}

// round is one run of the scheduler: what it has placed on each host so far.
type round struct {
	limits shippedScheduler // zero: none
	placed map[int]int
	all    int
}

// newRound begins a run.
func (c *Cloud) newRound() *round {
	r := &round{placed: map[int]int{}}
	if c.cfg.ShippedScheduler {
		r.limits = c.tables.shipped
	}
	if r.limits.busy {
		for _, v := range c.vms {
			if v.deployed() {
				r.placed[v.last().HostID]++
			}
		}
	}
	return r
}

// full reports whether the run places no more VMs on a host.
func (r *round) full(h *host) bool {
	return r.limits.perHost > 0 && (r.placed[h.ID] >= r.limits.perHost || r.all >= r.limits.atOnce)
}

// schedule is one run: it deploys pending VMs and moves those whose
// rescheduling was asked for, lowest ID first.
func (c *Cloud) schedule() {
	c.sched = nil
	r := c.newRound()
	if !c.noSched && !c.down && !c.deadlocked && !c.shuttingDown {
		for _, id := range slices.Sorted(maps.Keys(c.pending)) {
			c.place(r, c.pending[id], "deploy", -1)
		}
		for _, id := range slices.Sorted(maps.Keys(c.resched)) {
			if v := c.resched[id]; c.mayResched(v) {
				c.place(r, v, "migrate:save", v.last().HostID)
			}
		}
	}
	c.wakeScheduler()
}

// SetScheduler stops the scheduler, or starts it. While it does not run VMs wait, and nobody says why.
func (c *Cloud) SetScheduler(runs bool) {
	c.mu.Lock()
	defer c.unlock()
	c.noSched = !runs
}

// mayResched reports whether the scheduler acts on the flag in the VM's state
// (source: VirtualMachineXML of each release): 4.4 moves only running VMs.
func (c *Cloud) mayResched(v *vm) bool {
	s := v.state()
	return s == active(one.Running) || c.fam >= f414 && s == active(one.Unknown) || c.fam >= f510 && s.vm == one.Poweroff
}

// place does a call that puts a VM on the best host other than not, or tells
// the owner why there is none.
func (c *Cloud) place(r *round, v *vm, callName string, not int) {
	dest := c.bestHost(v, not, r.full)
	if dest == nil {
		switch whenFree := c.bestHost(v, not, func(*host) bool { return false }); {
		case whenFree != nil:
			c.notInTurn(v)
		case time.Since(v.waiting) >= c.cfg.SchedWord:
			c.explain(v)
		}
		return
	}
	r.placed[dest.ID]++
	r.all++
	if row, known := c.tables.call(callName, v.state()); known && row.refusal == "" {
		c.begin(v, row, dest)
	}
}

// bestHost finds the host in service with the most free CPU, then memory, then
// the lowest ID, that fits the VM and its requirements, and is not full; nil if there is none.
func (c *Cloud) bestHost(v *vm, not int, full func(*host) bool) *host {
	wanted := parseRequirements(v.UserTemplate[schedRequirements])
	var best *host
	for _, id := range c.hostIDs {
		h := c.hosts[id]
		freeCPU, freeMem := h.CPU-h.usedCPU, h.MemMB-h.usedMem
		if id == not || !h.State.Back() || !wanted.match(h) ||
			freeCPU < int(v.CPU*100+0.5) || freeMem < v.MemMB || full(h) {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(freeCPU, best.CPU-best.usedCPU),
			cmp.Compare(freeMem, best.MemMB-best.usedMem)) > 0 {
			best = h
		}
	}
	return best
}

// notInTurn writes SCHED_MESSAGE of a VM whose hosts have taken as many VMs in this run as they may: 5.2 to 6.10 do
// (Scheduler::dispatch), whatever the VM waits for then; 6.10, live: each run writes it anew.
func (c *Cloud) notInTurn(v *vm) {
	if c.fam >= f54 && c.fam <= f610 {
		v.UserTemplate[schedMessage] = c.fam.stamped(time.Now(), "Cannot dispatch VM to any Host. Possible reasons: Not enough capacity in Host or System DS, dispatch limit reached, or limit of free leases reached.")
	}
}

// explain writes SCHED_MESSAGE, with the text of the version. A message that
// says the same already stays as it is.
func (c *Cloud) explain(v *vm) {
	rank := c.fam.automaticRequirements()
	if r := v.UserTemplate[schedRequirements]; r != "" {
		rank += " & ( " + r + " )"
	}
	var text string
	switch c.fam {
	case f44:
		text = "No host meets SCHED_REQUIREMENTS: " + rank
	case f414, f54, f58, f510, f512:
		text = "No host meets capacity and SCHED_REQUIREMENTS: " + rank
	case f64, f610:
		text = "Cannot dispatch VM: No host meets capacity and SCHED_REQUIREMENTS: " + rank
	default:
		text = "Cannot dispatch VM: No host meets SCHED_REQUIREMENTS"
	}
	if !strings.HasSuffix(v.UserTemplate[schedMessage], text) {
		v.UserTemplate[schedMessage] = c.fam.stamped(time.Now(), text)
	}
}

// requirement is one understood term of SCHED_REQUIREMENTS.
type requirement struct {
	name string // wanted host name; "" compares the ID
	id   int
	not  bool
}

// requirements must all hold.
type requirements []requirement

// parseRequirements reads the terms that it understands and skips the others.
func parseRequirements(text string) requirements {
	var list requirements
	for term := range strings.SplitSeq(text, "&") {
		left, right, ok := strings.Cut(strings.Trim(term, " ()"), "=")
		if !ok {
			continue
		}
		left, not := strings.CutSuffix(strings.TrimSpace(left), "!")
		right = strings.Trim(strings.TrimSpace(right), `"`)
		switch strings.TrimSpace(left) {
		case "NAME":
			list = append(list, requirement{name: right, not: not})
		case "ID":
			if id, err := strconv.Atoi(right); err == nil {
				list = append(list, requirement{id: id, not: not})
			}
		}
	}
	return list
}

// match reports whether a host meets all terms.
func (list requirements) match(h *host) bool {
	for _, r := range list {
		same := h.ID == r.id
		if r.name != "" {
			same = h.Name == r.name
		}
		if same == r.not {
			return false
		}
	}
	return true
}
