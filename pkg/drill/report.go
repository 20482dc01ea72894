package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Row is one VM of the host.
type Row struct {
	VM        int           `json:"vm"`
	Name      string        `json:"name"`
	Status    string        `json:"status"`
	Priority  int           `json:"priority"`
	Action    recovery.Verb `json:"action"`
	Reason    string        `json:"reason,omitempty"`
	Unhandled bool          `json:"unhandled,omitempty"` // left although it was to be recovered
	Capacity  Capacity      `json:"capacity"`
}

// Report is what would happen if one host died now; it is an app.Answer.
type Report struct {
	HostID  int     `json:"host"`
	Name    string  `json:"name"`
	Cluster string  `json:"cluster,omitempty"`
	State   string  `json:"state"`
	VMs     []Row   `json:"vms"` // in the order of their recovery, those that are left included
	Verdict Verdict `json:"verdict"`
	// Need is what the VMs that have to be placed take; Free is free on the other hosts before that.
	Need   Headroom `json:"need"`
	Free   Headroom `json:"free"`
	Unread []int    `json:"unread,omitempty"` // VMs on the host that could not be read
	// Downtime is how long its VMs would be down, and Fencing says what fences; both as given.
	Downtime *Downtime `json:"downtime,omitempty"`
	Fencing  []string  `json:"fencing,omitempty"`
	// Outlook is what proving the host off would come to; nil when that was not determined.
	Outlook *fence.Outlook `json:"outlook,omitempty"`
	// API is the service that the host stands for; "" for a machine.
	API string `json:"api,omitempty"`
	// Standing is what would stand between the host and the recovery of its VMs; nil when that was not determined.
	Standing *incident.Standing `json:"standing,omitempty"`
	// Paused is why nothing is acted on now; "" when nothing is paused.
	Paused string `json:"paused,omitempty"`
	// NotEvaluated says what no verdict evaluates, and Warnings what else an admin should know.
	NotEvaluated []string `json:"not_evaluated"`
	Warnings     []string `json:"warnings,omitempty"`
}

// Drill judges the death of one host. plan is what would be done with its VMs (Cloud.Plan, or one that was
// made from whole histories), down (nil for none) and fencing are shown as they are. It fails with one.ErrNotFound
// when there is no such host.
func Drill(c Cloud, hostID int, plan recovery.Plan, down *Downtime, fencing []string) (Report, error) {
	at, found := c.hostIndex(hostID)
	if !found {
		return Report{}, fmt.Errorf("host %d: %w", hostID, one.ErrNotFound)
	}
	r := newSimulation(c).drill(at, plan)
	r.Downtime, r.Fencing, r.Warnings = down, fencing, slices.Concat(c.Notes, warnings(c.Hosts[at]))
	return r, nil
}

func notEvaluated() []string {
	return []string{
		"permissions of the owners of VMs on hosts and datastores (ACL)",
		"free space of image datastores",
		"free leases of networks",
		"SCHED_RANK and the policy of the scheduler: the three shipped policies are tried",
		"VMs that are created, resized or started meanwhile",
	}
}

func warnings(h Host) []string {
	switch {
	case h.State.Failed():
		return []string{"the host is in ERROR already"}
	case h.State.SetByAdmin():
		return []string{fmt.Sprintf("the host is %s: oned never sets it to ERROR, so no hook runs when it dies; "+
			"recover it manually with host_error --any-state", h.State)}
	case h.State.Starting():
		return []string{fmt.Sprintf("the host is %s: it has not been monitored yet", h.State)}
	}
	return nil
}

// Table has a row for each VM.
func (r Report) Table() [][]string {
	rows := [][]string{{"VM", "NAME", "STATUS", "PRIORITY", "ACTION", "CAPACITY", "HOST", "REASON"}}
	for _, v := range r.VMs {
		host := "-"
		if v.Capacity.Host >= 0 {
			host = strconv.Itoa(v.Capacity.Host)
		}
		reason := strings.Join(filled(r.foreseen(v), v.Capacity.Reason), "; ")
		rows = append(rows, []string{
			strconv.Itoa(v.VM), v.Name, v.Status, strconv.Itoa(v.Priority), string(v.Action), v.Capacity.Verdict.String(), host, reason,
		})
	}
	return rows
}

// Notes are what stands before the table.
func (r Report) Notes() []string {
	notes := []string{fmt.Sprintf("if host %d (%s, %s) died now; nothing is changed", r.HostID, r.Name, r.State)}
	for _, w := range r.Warnings {
		notes = append(notes, "warning: "+w)
	}
	notes = append(notes, filled(r.Paused)...)
	if r.Standing != nil {
		notes = append(notes, r.Standing.Message(time.Now()).String())
	}
	notes = append(notes, r.Fencing...)
	if r.Downtime != nil {
		notes = append(notes, r.Downtime.lines()...)
	}
	notes = append(notes, fmt.Sprintf("capacity: the VMs need %s; the other hosts have %s free", r.Need, r.Free))
	return append(notes, "not evaluated: "+strings.Join(r.NotEvaluated, "; "))
}

// Line is the answer in one line.
func (r Report) Line() string {
	acted, deleted, misfits := 0, 0, 0
	for _, v := range r.VMs {
		switch {
		case v.Action == recovery.VerbDelete:
			deleted++
		case v.Action.Acts():
			acted++
		}
		if v.Capacity.Verdict > Fits {
			misfits++
		}
	}
	fate := "recovered"
	switch {
	case r.API != "":
		return fmt.Sprintf("host %d (%s): REFUSED: %s", r.HostID, r.Name, wording.Of(wording.HostIsAPI, r.API))
	case r.refused(): // the worst is told: it does not end on its own
		fate = "REFUSED (" + r.Outlook.Detail + ")"
	case r.paused():
		fate = "REFUSED now (" + r.Paused + ")"
	case r.held():
		fate = "HELD (" + r.Standing.Message(time.Now()).String() + ")"
	case r.Outlook != nil && r.Outlook.Verdict == fence.Unproven:
		fate = "recovered UNPROVEN"
	}
	line := fmt.Sprintf("host %d (%s): %s and %d left", r.HostID, r.Name, fates(acted, deleted, fate), len(r.VMs)-acted-deleted)
	switch {
	case len(r.Unread) > 0:
		return line + fmt.Sprintf("; %d could not be read; capacity: %s, for %d VMs", len(r.Unread), r.Verdict, misfits)
	case r.Verdict == Fits && (r.held() || r.paused() || r.refused()):
		return line + "; the other hosts could take all of them"
	case r.Verdict == Fits:
		return line + "; the other hosts can take all of them"
	case r.Verdict == NoNeed:
		return line + "; none needs another host"
	}
	return line + fmt.Sprintf("; capacity: %s, for %d VMs", r.Verdict, misfits)
}

// fates says what would become of VMs: those that are deleted are not recovered.
func fates(acted, deleted int, fate string) string {
	gone, recovers := strings.CutPrefix(fate, "recovered")
	switch {
	case deleted == 0:
		return fmt.Sprintf("%d VMs would be %s", acted, fate)
	case !recovers:
		return fmt.Sprintf("%d VMs would be %s", acted+deleted, fate)
	case acted == 0:
		return fmt.Sprintf("%d VMs would be deleted%s", deleted, gone)
	}
	return fmt.Sprintf("%d VMs would be %s, %d deleted%s", acted, fate, deleted, gone)
}

// Problems are the VMs that may find no host, those that are left although they were to be
// recovered, and those that could not be read.
func (r Report) Problems() []string {
	var lines []string
	for _, v := range r.VMs {
		switch {
		case v.Capacity.Verdict > Fits:
			lines = append(lines, fmt.Sprintf("VM %d (%s): %s: %s", v.VM, v.Name, v.Capacity.Verdict, v.Capacity.Reason))
		case v.Unhandled:
			lines = append(lines, fmt.Sprintf("VM %d (%s): left: %s", v.VM, v.Name, v.Reason))
		}
	}
	for _, id := range r.Unread {
		lines = append(lines, fmt.Sprintf("VM %d could not be read", id))
	}
	return lines
}

// ExitCode is 3 when nothing would be done because many hosts fail, the host answers, one-ft is paused or it would not be proven off, 1 when a VM does not fit, may not
// fit, is not recovered or could not be read, else 0. That something was not evaluated is no failure.
func (r Report) ExitCode() int {
	left := slices.ContainsFunc(r.VMs, func(v Row) bool { return v.Unhandled })
	switch {
	case r.held(), r.paused(), r.refused():
		return 3
	case r.Verdict > NotKnown, left, len(r.Unread) > 0:
		return 1
	}
	return 0
}

// Foreseen is the report with what proving the host off would come to.
func (r Report) Foreseen(o fence.Outlook) Report {
	r.Outlook = &o
	r.Fencing = slices.Concat(r.Fencing, o.Lines())
	return r
}

// Stands is the report with what would stand between the host and the recovery of its VMs.
func (r Report) Stands(s incident.Standing) Report {
	r.Standing = &s
	return r
}

// WhilePaused is the report with why nothing is acted on now; "" when nothing is paused.
func (r Report) WhilePaused(why string) Report {
	r.Paused = why
	return r
}

// held reports whether VMs would have to be recovered, and none would be touched now.
func (r Report) held() bool { return r.Standing != nil && r.Standing.Refuses() && r.acts() }

// paused reports whether VMs would have to be recovered, and none would be touched before the pause is over.
func (r Report) paused() bool { return r.Paused != "" && r.acts() }

func (r Report) acts() bool {
	return slices.ContainsFunc(r.VMs, func(v Row) bool { return v.Action.Acts() })
}

// foreseen is the reason of a VM, and what fencing makes of it.
func (r Report) foreseen(v Row) string {
	if r.Outlook == nil || !v.Action.Acts() {
		return v.Reason
	}
	return strings.Trim(r.Outlook.Row(v.Action == recovery.VerbDelete)+"; "+v.Reason, "; ")
}

// refused reports whether VMs would have to be recovered, and none would be touched.
func (r Report) refused() bool {
	return r.API != "" || r.Outlook != nil && r.Outlook.Verdict == fence.Refused && r.acts()
}
