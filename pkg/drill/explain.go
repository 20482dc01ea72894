package drill

import (
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/drill/requirement"
)

// capacity is the verdict on a VM of a workload, with the reason. A VM that fits, but needs something that was not
// evaluated, is NotKnown.
func (t *trial) capacity(w *workload, v *VM) Capacity {
	c := Capacity{Verdict: w.verdict, Host: t.s.hostID(w.usual)}
	switch {
	case c.Verdict == DoesNotFit:
		c.Reason = t.misfit(w)
	case c.Verdict == Tight:
		c.Reason = "whether it fits depends on the order in which the VMs are placed"
	case c.Verdict == NotKnown:
		c.Reason = "depends on requirements of other VMs that were not evaluated"
		if unknowns := w.unknowns(); len(unknowns) > 0 {
			c.Reason = "not evaluated: requirements of " + strings.Join(unknowns, ", ")
		}
	case len(v.Unchecked) > 0:
		c.Verdict = NotKnown
		c.Reason = "not evaluated: " + aspects(v.Unchecked)
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
	service, large, meets, both, stores := 0, 0, 0, 0, 0
	for i := range t.s.hosts {
		h := &t.s.hosts[i]
		if !h.service || i == t.dead {
			continue
		}
		service++
		h.state = &t.start
		has := t.start.hosts[i]
		room := has.cpu >= w.cpu && has.memory >= w.memory
		match := t.s.meets(w, h) != requirement.No
		if room {
			large++
		}
		if match {
			meets++
		}
		if !room || !match {
			continue
		}
		both++
		if _, verdict := t.s.store(w, i, &t.start); verdict != requirement.No {
			stores++
		}
	}
	need := Headroom{CPU: w.cpu, Memory: w.memory}
	switch {
	case service == 0:
		return "no other host is in service"
	case meets == 0:
		return "no other host meets its requirements"
	case large == 0:
		return fmt.Sprintf("no other host has %s free", need)
	case both == 0:
		return fmt.Sprintf("of the %d hosts that meet its requirements none has %s free", meets, need)
	case stores == 0:
		return fmt.Sprintf("no system datastore has %d MB for it, or meets its requirements", w.disk)
	}
	return "the other VMs take the room that it needs"
}
