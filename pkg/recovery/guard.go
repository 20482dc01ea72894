package recovery

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// GuardPolicy says how many hosts may fail at once before the front-end itself is the suspect. The zero value never holds.
type GuardPolicy struct {
	// Share is the part of the hosts in service, 0 to 1, and Hosts the number of
	// hosts: more than the one and at least the other is a storm.
	Share float64
	Hosts int
	// Window: a host counts if it entered ERROR within this time.
	Window time.Duration
	// PerCluster applies the same limits to the cluster of the host on its own, too.
	PerCluster bool
}

// Count is how many hosts of a cloud or of a cluster are in service, and how many of them failed lately.
type Count struct {
	Where     string // "the cloud" or "cluster <name>"
	InService int
	Failed    int
	// Silent are those of Failed that oned does not call failed yet, and that do not answer the front-end.
	Silent int
	// Quarantined are those of Failed that one-ft has taken out of scheduling since they failed: see Seen.
	Quarantined int
}

// Words are the count as sentences have it.
func (c Count) Words() []any {
	return []any{c.Failed, c.InService, c.Where, wording.AlsoFailed{Silent: c.Silent, Quarantined: c.Quarantined}}
}

// Verdict is what the guard sees.
type Verdict struct {
	Hold bool
	// Blind: it does not hold, and would if those hosts were lost of which the front-end knows nothing.
	Blind bool
	// Worst is the count that holds, or else that of the whole cloud.
	Worst Count
}

// Guard looks at the hosts of a cloud for the one with the ID about. since tells when a host in ERROR was last monitored
// successfully; a host that is missing there counts as having failed just now. Hosts that an admin disabled or set offline
// are not in service, but one in quarantine is as Seen makes it: it was taken out because it failed. Neither are hosts that have been in ERROR for longer than the window: they say nothing about the
// front-end. Clusters other than that of the host do not hold it: what one cluster shares has failed there only, and the
// whole cloud is counted, too. lost are hosts that oned does not call failed, and that do not answer.
func Guard(hosts []one.Host, since map[int]time.Time, now time.Time, p GuardPolicy, about int, lost map[int]bool) Verdict {
	cloud, cluster := Count{Where: "the cloud"}, Count{}
	own := slices.IndexFunc(hosts, func(h one.Host) bool { return h.ID == about })
	if own >= 0 {
		cluster.Where = nameOfCluster(hosts[own])
	}
	for _, h := range hosts {
		at, seen := since[h.ID]
		old := h.State.Failed() && seen && now.Sub(at) > p.Window
		if h.State.SetByAdmin() || old {
			continue
		}
		cloud.add(h, lost[h.ID])
		if own >= 0 && h.ClusterID == hosts[own].ClusterID {
			cluster.add(h, lost[h.ID])
		}
	}
	switch {
	case p.storm(cloud):
		return Verdict{Hold: true, Worst: cloud}
	case p.PerCluster && p.storm(cluster):
		return Verdict{Hold: true, Worst: cluster}
	}
	return Verdict{Worst: cloud}
}

// add counts a host in service.
func (c *Count) add(h one.Host, lost bool) {
	c.InService++
	if h.State.Failed() {
		c.Failed++
		if _, out := hostmark.ParseQuarantine(h.Template[hostmark.AttrQuarantine]); out {
			c.Quarantined++
		}
	} else if lost {
		c.Failed++
		c.Silent++
	}
}

// storm reports whether so many have failed that it holds.
func (p GuardPolicy) storm(c Count) bool {
	return p.Hosts > 0 && c.Failed >= p.Hosts && float64(c.Failed) > p.Share*float64(c.InService)
}

func nameOfCluster(h one.Host) string {
	if h.Cluster != "" {
		return "cluster " + h.Cluster
	}
	return fmt.Sprintf("cluster %d", h.ClusterID)
}
