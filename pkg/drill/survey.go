package drill

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Loss is what the death of one host would mean.
type Loss struct {
	HostID  int     `json:"host"`
	Name    string  `json:"name"`
	Cluster string  `json:"cluster,omitempty"`
	State   string  `json:"state"`
	VMs     int     `json:"vms"`   // on the host
	Placed  int     `json:"place"` // of them, those that need another host
	Left    int     `json:"left"`  // of them, those that are not recovered although they were to be
	Verdict Verdict `json:"verdict"`
	// Misfits are the VMs that are not certain to find a host, in the order of their
	// recovery, with the reason of the first.
	Misfits []int  `json:"misfits,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Need is what the VMs take that need another host, and Headroom what would be free on the other hosts
	// after that; negative when there is not enough.
	Need     Headroom `json:"need"`
	Headroom Headroom `json:"headroom"`
	Unread   []int    `json:"unread,omitempty"`
	// Downtime is how long its VMs would be down; nil when that was not requested.
	Downtime *Downtime `json:"downtime,omitempty"`
}

// Survey is the N+1 report: for each host what its death would mean; it is an app.Answer.
type Survey struct {
	Where  string `json:"where"` // "the cloud", or a cluster
	Losses []Loss `json:"hosts"` // worst first, then by ID
	// Free is what is free now on the hosts in service. Largest is the ID of the host whose VMs need the most memory,
	// -1 for none, and Tightest the one whose death leaves the least memory.
	Free         Headroom `json:"free"`
	Largest      int      `json:"largest"`
	Tightest     int      `json:"tightest"`
	NotEvaluated []string `json:"not_evaluated"`
	Warnings     []string `json:"warnings,omitempty"`
	// Left are the IDs of the hosts that are left out: those that stand for a service.
	Left []int `json:"left_out,omitempty"`
	// Standings are what would stand between a host that fails now and the recovery of its VMs, for one host of each cluster:
	// it is the same for the others of the cluster.
	Standings []incident.HostStanding `json:"standings,omitempty"`
	// Paused is why nothing is acted on now; "" when nothing is paused.
	Paused string `json:"paused,omitempty"`
}

// refuses reports whether nothing would be touched now.
func (s Survey) refuses() bool {
	return s.Paused != "" || slices.ContainsFunc(s.Standings, func(h incident.HostStanding) bool { return h.Refuses() })
}

// Stands is the survey with what would stand in the way now, found by stand for one host in service of each cluster.
func (s Survey) Stands(c Cloud, stand func(Host) incident.HostStanding) Survey {
	seen := map[int]bool{}
	for _, l := range s.Losses {
		host, found := c.Host(l.HostID)
		if !found || seen[host.ClusterID] || !host.State.Back() {
			continue
		}
		seen[host.ClusterID] = true
		s.Standings = append(s.Standings, stand(host))
	}
	return s
}

// All judges the death of each host on its own: of one cluster, or of the whole cloud with
// cluster -2. plan gives what would be done with the VMs of a host (such as Cloud.Plan).
// where names what is surveyed. down gives the downtime of a host with its plan; nil for none.
func All(
	c Cloud, where string, cluster int, plan func(hostID int) recovery.Plan, down func(hostID int, plan recovery.Plan) *Downtime,
) Survey {
	sim := newSimulation(c)
	s := Survey{Where: where, Largest: -1, Tightest: -1, NotEvaluated: notEvaluated(), Warnings: slices.Clone(c.Notes), Losses: []Loss{}}
	s.Free = sim.free(&sim.base, -1)
	for i := range c.Hosts {
		h := &c.Hosts[i]
		if cluster != WholeCloud && h.ClusterID != cluster {
			continue
		}
		if api := h.API(); api != "" {
			s.Left = append(s.Left, h.ID)
			s.Warnings = append(s.Warnings, fmt.Sprintf("host %d (%s) is not drilled: %s", h.ID, h.Name, wording.Of(wording.HostIsAPI, api)))
			continue
		}
		p := plan(h.ID)
		l := sim.drill(i, p).loss(len(h.VMs))
		if down != nil {
			l.Downtime = down(h.ID, p)
		}
		s.Losses = append(s.Losses, l)
	}
	if len(s.Losses) > 0 {
		s.Largest = slices.MaxFunc(s.Losses, func(a, b Loss) int { return cmp.Compare(a.Need.Memory, b.Need.Memory) }).HostID
		s.Tightest = slices.MinFunc(s.Losses, func(a, b Loss) int { return cmp.Compare(a.Headroom.Memory, b.Headroom.Memory) }).HostID
	}
	slices.SortStableFunc(s.Losses, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(a.HostID, b.HostID))
	})
	return s
}

// WholeCloud is the cluster of All that means every host. (-1 is where 4.x has hosts without one.)
const WholeCloud = -2

// loss sums up the report of a host with so many VMs.
func (r Report) loss(vms int) Loss {
	l := Loss{
		HostID: r.HostID, Name: r.Name, Cluster: r.Cluster, State: r.State, VMs: vms, Verdict: r.Verdict, Need: r.Need,
		Headroom: Headroom{CPU: r.Free.CPU - r.Need.CPU, Memory: r.Free.Memory - r.Need.Memory}, Unread: r.Unread,
	}
	for _, v := range r.VMs {
		if needsPlace(v.Action) {
			l.Placed++
		}
		if v.Unhandled {
			l.Left++
		}
		if v.Capacity.Verdict > Fits {
			l.Misfits = append(l.Misfits, v.VM)
			if v.Capacity.Verdict == l.Verdict && l.Reason == "" {
				l.Reason = v.Capacity.Reason
			}
		}
	}
	return l
}

// Table has a row for each host, with how long its VMs would be down when it is off and packets to it are
// dropped, at most, and what would save most of that.
func (s Survey) Table() [][]string {
	rows := [][]string{{
		"HOST", "NAME", "CLUSTER", "STATE", "VMS", "PLACE", "VERDICT", "CPU LEFT", "MEMORY LEFT", "DOWN AT MOST", "SHORTER WITH",
		"VMS WITHOUT A HOST",
	}}
	for _, l := range s.Losses {
		down, lever := l.Downtime.inShort()
		rows = append(rows, []string{
			strconv.Itoa(l.HostID), l.Name, l.Cluster, l.State, strconv.Itoa(l.VMs), strconv.Itoa(l.Placed), l.Verdict.String(),
			fmt.Sprintf("%.2f", float64(l.Headroom.CPU)/100), memoryText(l.Headroom.Memory), down, lever, l.misfits(),
		})
	}
	return rows
}

// shown is how many VMs of a host are named in a table or line.
const shown = 8

func (l Loss) misfits() string {
	if len(l.Misfits) == 0 {
		return "-"
	}
	names := strings.Trim(fmt.Sprint(l.Misfits[:min(shown, len(l.Misfits))]), "[]")
	if more := len(l.Misfits) - shown; more > 0 {
		names += fmt.Sprintf(" %d more", more)
	}
	return names + ": " + l.Reason
}

// Notes are what stands before the table.
func (s Survey) Notes() []string {
	notes := []string{fmt.Sprintf("if one host of %s died now, each on its own; nothing is changed", s.Where)}
	for _, w := range s.Warnings {
		notes = append(notes, "warning: "+w)
	}
	notes = append(notes, filled(s.Paused)...)
	for _, h := range s.Standings {
		notes = append(notes, fmt.Sprintf("if host %d (%s) failed now, or another one of its cluster: %s", h.Host, h.Name, h.Message(time.Now())))
	}
	notes = append(notes, fmt.Sprintf("free now: %s", s.Free))
	for _, l := range s.Losses {
		if l.HostID == s.Largest {
			notes = append(notes, fmt.Sprintf("the largest is host %d (%s): its VMs need %s", l.HostID, l.Name, l.Need))
		}
		if l.HostID == s.Tightest {
			notes = append(notes, fmt.Sprintf("headroom: the death of host %d (%s) leaves %s", l.HostID, l.Name, l.Headroom))
		}
	}
	return append(notes, "not evaluated: "+strings.Join(s.NotEvaluated, "; "))
}

// Line is the answer in one line.
func (s Survey) Line() string {
	count := map[Verdict]int{}
	for _, l := range s.Losses {
		count[l.Verdict]++
	}
	line := fmt.Sprintf("%d hosts of %s: the others can take the VMs of %d", len(s.Losses), s.Where, count[Fits]+count[NoNeed])
	for _, v := range []Verdict{DoesNotFit, Tight, NotKnown} {
		if count[v] > 0 {
			line += fmt.Sprintf("; %s: %d", v, count[v])
		}
	}
	if left := len(s.Left); left > 0 {
		line += fmt.Sprintf("; not drilled: %d", left)
	}
	if s.refuses() {
		line += "; NOTHING would be touched now, see above"
	}
	return line
}

// Problems are the hosts that the cloud cannot lose with certainty, a line each.
func (s Survey) Problems() []string {
	lines := filled(s.Paused)
	for _, h := range s.Standings {
		if h.Refuses() {
			lines = append(lines, fmt.Sprintf("host %d (%s): %s", h.Host, h.Name, h.Message(time.Now())))
		}
	}
	for _, l := range s.Losses {
		name := fmt.Sprintf("host %d (%s)", l.HostID, l.Name)
		if l.Verdict > Fits && len(l.Misfits) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s: %d of %d VMs: %s", name, l.Verdict, len(l.Misfits), l.Placed, l.misfits()))
		}
		if l.Left > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d VMs that are to be recovered would be left", name, l.Left))
		}
		if len(l.Unread) > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d VMs could not be read", name, len(l.Unread)))
		}
	}
	return lines
}

// ExitCode is 3 when nothing would be touched now because many hosts fail or one-ft is paused, 1 when the death of some host would leave a VM without a host or not recovered, or
// a VM could not be read, else 0.
func (s Survey) ExitCode() int {
	if s.refuses() {
		return 3
	}
	if slices.ContainsFunc(s.Losses, func(l Loss) bool { return l.Verdict > NotKnown || l.Left > 0 || len(l.Unread) > 0 }) {
		return 1
	}
	return 0
}
