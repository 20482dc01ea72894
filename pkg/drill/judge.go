package drill

import (
	"fmt"
	"slices"

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
	free       Headroom         // on the other hosts, before anything is placed
	unread     []int
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

// memoryText is memory in kB in words.
func memoryText(kb int64) string {
	if kb >= 10<<20 || kb <= -10<<20 {
		return fmt.Sprintf("%.1f GB", float64(kb)/(1<<20))
	}
	return fmt.Sprintf("%d MB", kb>>10)
}

// judge decides whether the rest of the cloud can take the VMs of a host.
func (s *simulation) judge(dead int, plan recovery.Plan) judgement {
	t := s.newTrial(dead, plan)
	j := judgement{capacities: map[int]Capacity{}, free: s.free(&t.start, dead), unread: s.unreadOn(dead)}
	for _, step := range plan.Steps {
		j.capacities[step.VM.ID] = Capacity{Host: -1}
	}
	verdicts, usual := t.verdicts()
	for i, w := range t.workloads {
		j.need.CPU += w.cpu
		j.need.Memory += w.memory
		for _, v := range w.vms {
			c := Capacity{Verdict: verdicts[i], Host: s.hostID(usual[i])}
			t.explain(&c, w, v)
			j.capacities[v.ID] = c
			j.verdict = max(j.verdict, c.Verdict)
		}
	}
	if len(j.unread) > 0 {
		j.verdict = max(j.verdict, NotKnown)
	}
	return j
}

// trial is one host that could die: what changes on the others, and what has to be placed.
type trial struct {
	s         *simulation
	dead      int // index
	start     room
	workloads []*workload
	state     room // of the strategy at hand
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
			source, _ := step.VM.Previous()
			if at, found := s.cloud.hostIndex(source.HostID); found && len(step.VM.History) > 1 && !slices.Contains(holders, at) {
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
	has := &t.start.hosts[host]
	has.cpu -= sign * v.CPUShare
	has.memory -= sign * v.MemoryKB
	has.vms += sign
}

// verdicts are those of the workloads; usual are the indexes of their hosts with the default policy. What fits if
// every requirement that cannot be evaluated is met, and does not if none is, is not known.
func (t *trial) verdicts() (verdicts []Verdict, usual []int) {
	verdicts, usual = t.outcomes(false)
	if slices.ContainsFunc(t.workloads, func(w *workload) bool { return len(w.unknowns()) > 0 }) {
		optimistic, _ := t.outcomes(true)
		for i, v := range optimistic {
			if v != verdicts[i] {
				verdicts[i] = NotKnown
			}
		}
	}
	return verdicts, usual
}

// outcomes are the verdicts of all strategies together.
func (t *trial) outcomes(optimistic bool) (verdicts []Verdict, usual []int) {
	verdicts = make([]Verdict, len(t.workloads))
	for _, strategy := range t.strategies() {
		hosts := t.run(strategy, optimistic)
		if strategy == (Strategy{ByID, Striping}) {
			usual = hosts
		}
		for i, host := range hosts {
			outcome := Fits
			if host < 0 {
				outcome = DoesNotFit
			}
			if verdicts[i] != NoNeed && verdicts[i] != outcome {
				outcome = Tight
			}
			verdicts[i] = outcome
		}
	}
	return verdicts, usual
}

// strategies are those that differ: without priorities both orders are the same.
func (t *trial) strategies() []Strategy {
	byID, byTurn := slices.Clone(t.workloads), slices.Clone(t.workloads)
	sortWorkloads(byID, ByID)
	sortWorkloads(byTurn, ByRecovery)
	all := strategies()
	if slices.Equal(byID, byTurn) {
		all = slices.DeleteFunc(all, func(s Strategy) bool { return s.Order == ByRecovery })
	}
	return all
}

// run places everything by one strategy, and gives for each workload the index of its host, or -1.
func (t *trial) run(strategy Strategy, optimistic bool) []int {
	t.start.clone(&t.state)
	order := slices.Clone(t.workloads)
	sortWorkloads(order, strategy.Order)
	at := make(map[*workload]int, len(order))
	for _, w := range order {
		at[w] = t.s.place(w, t.dead, strategy.Rank, optimistic, &t.state)
	}
	hosts := make([]int, len(t.workloads))
	for i, w := range t.workloads {
		hosts[i] = at[w]
	}
	return hosts
}

// free is what is free on the hosts in service without one.
func (s *simulation) free(r *room, dead int) (h Headroom) {
	for i, has := range r.hosts {
		if s.hosts[i].service && i != dead {
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

// Place places the VMs of a host's plan by one strategy, and gives for each that needs a place
// the ID of its host, or -1. Requirements that cannot be evaluated count as not met. It
// fails when the host does not exist.
func (c Cloud) Place(hostID int, plan recovery.Plan, strategy Strategy) (map[int]int, error) {
	dead, found := c.hostIndex(hostID)
	if !found {
		return nil, fmt.Errorf("host %d: %w", hostID, one.ErrNotFound)
	}
	t := newSimulation(c).newTrial(dead, plan)
	at := map[int]int{}
	for i, host := range t.run(strategy, false) {
		for _, v := range t.workloads[i].vms {
			at[v.ID] = t.s.hostID(host)
		}
	}
	return at, nil
}
