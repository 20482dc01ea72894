package recovery

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// GuardPolicy says how many hosts may fail at once before the front-end itself is
// the suspect. The zero value never holds.
type GuardPolicy struct {
	// Share is the part of the hosts in service, 0 to 1, and Hosts the number of
	// hosts: more than the one and at least the other is a storm.
	Share float64
	Hosts int
	// Window: a host counts if it entered ERROR within this time.
	Window time.Duration
	// PerCluster applies the same limits to each cluster by itself, too.
	PerCluster bool
}

// Count is how many hosts of a cloud or of a cluster are in service, and how many
// of them failed lately.
type Count struct {
	Where     string // "the cloud" or "cluster <name>"
	InService int
	Failed    int
}

// String is the count in words.
func (c Count) String() string {
	return fmt.Sprintf("%d of %d hosts in service of %s failed", c.Failed, c.InService, c.Where)
}

// Verdict is what the guard sees.
type Verdict struct {
	Hold bool
	// Worst is the count that holds, or else that of the whole cloud.
	Worst Count
}

// Guard looks at the hosts of a cloud. since tells when a host in ERROR was last
// monitored successfully; a host that is missing there counts as having failed just
// now. Hosts that an admin disabled or set offline are not in service, and neither
// are hosts that have been in ERROR for longer than the window: they say nothing
// about the front-end.
func Guard(hosts []one.Host, since map[int]time.Time, now time.Time, p GuardPolicy) Verdict {
	counts := []*Count{{Where: "the cloud"}}
	for _, h := range hosts {
		at, seen := since[h.ID]
		old := h.State.Failed() && seen && now.Sub(at) > p.Window
		if h.State.SetByAdmin() || old {
			continue
		}
		in := counts[:1:1]
		if p.PerCluster {
			in = append(in, clusterOf(&counts, h))
		}
		for _, c := range in {
			c.InService++
			if h.State.Failed() {
				c.Failed++
			}
		}
	}
	v := Verdict{Worst: *counts[0]}
	for _, c := range counts {
		if p.Hosts > 0 && c.Failed >= p.Hosts && float64(c.Failed) > p.Share*float64(c.InService) {
			return Verdict{Hold: true, Worst: *c}
		}
	}
	return v
}

// clusterOf finds the count of a host's cluster, or makes it.
func clusterOf(counts *[]*Count, h one.Host) *Count {
	where := fmt.Sprintf("cluster %d", h.ClusterID)
	if h.Cluster != "" {
		where = "cluster " + h.Cluster
	}
	if i := slices.IndexFunc(*counts, func(c *Count) bool { return c.Where == where }); i >= 0 {
		return (*counts)[i]
	}
	c := &Count{Where: where}
	*counts = append(*counts, c)
	return c
}
