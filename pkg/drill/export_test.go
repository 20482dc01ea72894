package drill

import (
	"fmt"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

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
	t.run(strategy, false)
	for _, w := range t.workloads {
		for _, v := range w.vms {
			at[v.ID] = t.s.hostID(w.host)
		}
	}
	return at, nil
}
