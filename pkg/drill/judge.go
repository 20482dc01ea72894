package drill

import (
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/drill/requirement"
	"one-ft/pkg/recovery"
)

// Capacity is whether the rest of the cloud can take a VM.
type Capacity struct {
	Verdict Verdict `json:"verdict"`
	Host    int     `json:"host"`             // with the default policy, -1 for nowhere or when it needs no place
	Reason  string  `json:"reason,omitempty"` // why it does not fit, is tight or not known
}

// Headroom is room on hosts in service: hundredths of a core, and kB.
type Headroom struct {
	CPU    int64 `json:"cpu"`
	Memory int64 `json:"memory_kb"`
}

// String is the room in words.
func (h Headroom) String() string {
	return fmt.Sprintf("%.2f CPU and %s", float64(h.CPU)/100, memoryText(h.Memory))
}

func memoryText(kb int64) string {
	if kb >= 10<<20 || kb <= -10<<20 {
		return fmt.Sprintf("%.1f GB", float64(kb)/(1<<20))
	}
	return fmt.Sprintf("%d MB", kb>>10)
}

// drill judges the death of one host: what would happen to its VMs, and whether the rest of the cloud can take them.
func (s *simulation) drill(dead int, plan recovery.Plan) Report {
	t := s.newTrial(dead, plan)
	t.judge()
	host := s.hosts[dead].host
	r := Report{
		HostID: host.ID, Name: host.Name, Cluster: host.Cluster, State: host.State.String(), API: host.API(), VMs: []Row{},
		Free: s.free(&t.start, dead), Unread: s.unreadOn(dead), NotEvaluated: notEvaluated(),
	}
	if len(r.Unread) > 0 {
		r.Verdict = NotKnown
	}
	capacities := map[int]Capacity{}
	for _, w := range t.workloads {
		r.Need.CPU += w.cpu
		r.Need.Memory += w.memory
		for _, v := range w.vms {
			capacities[v.ID] = t.capacity(w, v)
		}
	}
	for _, step := range plan.Steps {
		c, found := capacities[step.VM.ID]
		if !found {
			c.Host = -1
		}
		r.Verdict = max(r.Verdict, c.Verdict)
		r.VMs = append(r.VMs, Row{
			VM: step.VM.ID, Name: step.VM.Name, Status: step.VM.Status(), Priority: step.Priority,
			Action: step.Verb, Reason: step.Reason.String(), Unhandled: step.Unhandled, Capacity: c,
		})
	}
	return r
}

// trial is one host that could die: what changes on the others, and what has to be placed.
type trial struct {
	s         *simulation
	dead      int // index
	start     room
	workloads []*workload // in the order of their IDs
	state     room        // of the strategy at hand
}

// newTrial makes the trial of a host from the plan for its VMs: room that is free when a VM
// leaves another host, too, and room that VMs take which need no scheduler.
func (s *simulation) newTrial(dead int, plan recovery.Plan) *trial {
	t := &trial{s: s, dead: dead}
	s.base.clone(&t.start)
	for turn, step := range plan.Steps {
		i, found := s.cloud.indexOf(step.VM.ID)
		if !found {
			continue
		}
		v := &s.cloud.VMs[i]
		holders := s.holders[v.ID]
		switch {
		case needsPlace(step.Verb), step.Verb == recovery.VerbDelete:
			for _, at := range holders { // a migration holds room on both of its hosts
				t.take(v, at, -1)
			}
			if len(holders) > 1 {
				t.start.placed[v.ID] = -1
			}
		case step.Verb == recovery.VerbMigrate:
			if at, found := s.cloud.hostIndex(step.Target); found {
				t.take(v, at, 1)
			}
		case step.Verb == recovery.VerbReturn:
			source, known := step.VM.Previous()
			if at, found := s.cloud.hostIndex(source.HostID); found && known && !slices.Contains(holders, at) {
				t.take(v, at, 1)
			}
		}
		if needsPlace(step.Verb) {
			w := s.workload(v, turn)
			w.resched = step.Verb == recovery.VerbResched
			t.workloads = append(t.workloads, w)
		}
	}
	sortWorkloads(t.workloads, ByID) // the lowest ID leads
	t.workloads = s.join(t.workloads, dead)
	return t
}

// needsPlace reports whether a step makes the scheduler look for a host.
func needsPlace(v recovery.Verb) bool {
	return v == recovery.VerbRecreate || v == recovery.VerbResumeRecreate || v == recovery.VerbResched
}

// take takes room for a VM on a host, or gives it back with -1.
func (t *trial) take(v *VM, host int, sign int64) {
	has := t.start.change(host)
	has.cpu -= sign * v.CPUShare
	has.memory -= sign * v.MemoryKB
	has.vms += sign
}

// judge gives each workload its verdict and its usual host. What fits if every requirement that cannot be
// evaluated is met, and does not if none is, is not known.
func (t *trial) judge() {
	vague := slices.ContainsFunc(t.workloads, func(w *workload) bool { return len(w.unknowns()) > 0 })
	if vague {
		t.runAll(true)
		for _, w := range t.workloads {
			w.atBest, w.verdict = w.verdict, NoNeed
		}
	}
	t.runAll(false)
	for _, w := range t.workloads {
		if vague && w.atBest != w.verdict {
			w.verdict = NotKnown
		}
	}
}

// runAll adds up the outcomes of all strategies that differ: without priorities both orders are the same.
func (t *trial) runAll(optimistic bool) {
	byTurn := slices.Clone(t.workloads)
	sortWorkloads(byTurn, ByRecovery)
	orders := []Order{ByID, ByRecovery}
	if slices.Equal(byTurn, t.workloads) {
		orders = orders[:1]
	}
	for _, order := range orders {
		for _, rank := range []Rank{FreeCPU, Striping, Packing} {
			t.run(Strategy{order, rank}, optimistic)
			for _, w := range t.workloads {
				outcome := Fits
				if w.host < 0 {
					outcome = DoesNotFit
				}
				if w.verdict != NoNeed && w.verdict != outcome {
					outcome = Tight
				}
				w.verdict = outcome
				if order == ByID && rank == Striping { // the default policy
					w.usual = w.host
				}
			}
		}
	}
}

func (t *trial) run(strategy Strategy, optimistic bool) {
	t.start.clone(&t.state)
	order := slices.Clone(t.workloads)
	sortWorkloads(order, strategy.Order)
	for _, w := range order {
		w.host = t.s.place(w, t.dead, strategy.Rank, optimistic, &t.state)
	}
}

// free is what is free on the hosts in service, without one and for guests of its driver; -1 is for none, and all machines.
func (s *simulation) free(r *room, dead int) (h Headroom) {
	driver := ""
	if dead >= 0 {
		driver = s.hosts[dead].host.VMDriver
	}
	for i, has := range r.hosts {
		if s.hosts[i].service && i != dead && recovery.Runs(s.hosts[i].host.Host, driver) {
			h.CPU += max(0, has.cpu)
			h.Memory += max(0, has.memory)
		}
	}
	return h
}

// unreadOn are the VMs on a host that could not be read.
func (s *simulation) unreadOn(host int) []int {
	return slices.DeleteFunc(slices.Clone(s.hosts[host].host.VMs), func(id int) bool {
		_, unread := slices.BinarySearch(s.cloud.Unread, id)
		return !unread
	})
}

// hostID is the ID of the host with an index; -1 for none.
func (s *simulation) hostID(index int) int {
	if index < 0 {
		return -1
	}
	return s.hosts[index].host.ID
}

// capacity is the verdict on a VM of a workload, with the reason. A VM that fits, but needs something that was not
// evaluated, is NotKnown.
func (t *trial) capacity(w *workload, v *VM) Capacity {
	c := Capacity{Verdict: w.verdict, Host: t.s.hostID(w.usual)}
	switch unknowns := w.unknowns(); {
	case c.Verdict == DoesNotFit:
		c.Reason = t.misfit(w)
	case c.Verdict == Tight:
		c.Reason = "whether it fits depends on the order in which the VMs are placed"
	case c.Verdict == NotKnown && len(unknowns) > 0:
		c.Reason = "not evaluated: requirements of " + strings.Join(unknowns, ", ")
	case c.Verdict == NotKnown:
		c.Reason = "depends on requirements of other VMs that were not evaluated"
	case len(v.Unchecked) > 0:
		c.Verdict, c.Reason = NotKnown, "not evaluated: "+aspects(v.Unchecked)
	}
	return c
}

// misfit says why a workload is placed nowhere.
func (t *trial) misfit(w *workload) string {
	for _, r := range slices.Concat(w.rules, w.stores) {
		if r.err == requirement.ErrSyntax {
			return "the scheduler cannot read its requirements"
		}
	}
	meets := 0
	var service, runs, large, both, stores bool
	for i := range t.s.hosts {
		h := &t.s.hosts[i]
		if !h.service || i == t.dead {
			continue
		}
		if service = true; !w.runs(h) {
			continue
		}
		h.state = &t.start
		has := t.start.hosts[i]
		room := has.cpu >= w.cpu && has.memory >= w.memory
		runs, large = true, large || room
		if t.s.meets(w, h) == requirement.No {
			continue
		}
		meets++
		if room {
			_, verdict := t.s.store(w, i, &t.start)
			both, stores = true, stores || verdict != requirement.No
		}
	}
	need := Headroom{CPU: w.cpu, Memory: w.memory}
	switch {
	case !service:
		return "no other host is in service"
	case !runs:
		return fmt.Sprintf("no other host in service runs guests of driver %s", strings.Join(slices.Compact(slices.Sorted(slices.Values(w.drivers))), ", "))
	case meets == 0:
		return "no other host meets its requirements"
	case !large:
		return fmt.Sprintf("no other host has %s free", need)
	case !both:
		return fmt.Sprintf("of the %d hosts that meet its requirements none has %s free", meets, need)
	case !stores:
		return t.storeless(w)
	}
	return "the other VMs take the room that it needs"
}

// storeless says why no system datastore takes a workload on any host that meets its requirements and has room.
func (t *trial) storeless(w *workload) string {
	s := t.s
	var reached, space bool
	for i := range s.hosts {
		h, has := &s.hosts[i], t.start.hosts[i]
		if h.state = &t.start; !h.service || i == t.dead || !w.runs(h) || has.cpu < w.cpu || has.memory < w.memory || s.meets(w, h) == requirement.No {
			continue
		}
		for d := range s.cloud.Datastores {
			if s.reaches(d, i) {
				reached, space = true, space || s.hasSpace(w, d, i, &t.start)
			}
		}
	}
	switch {
	case !reached:
		return "no system datastore is enabled, open to its owner, and in the cluster of a host that has room for it"
	case !space:
		return fmt.Sprintf("no system datastore has %d MB for it", w.disk)
	}
	return "no system datastore meets its requirements"
}
