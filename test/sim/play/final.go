package play

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// final is the state in the end: hosts that are not as they should be, every VM, and what the
// journals say.
func (w *world) final() string {
	var b strings.Builder
	say := func(format string, args ...any) {
		fmt.Fprintf(&b, "%-7s  %-14s %s\n", "", "end", fmt.Sprintf(format, args...))
	}
	for _, h := range w.cloud.Hosts() {
		if state := h.State; !state.Back() {
			if state.Failed() {
				state = one.HostError // it may just be monitored again
			}
			if state == one.HostMonitoringDisabled {
				state = one.HostDisabled
			}
			say("host%d is %s", h.ID, state)
		}
	}
	for _, line := range w.places() {
		say("%s", line)
	}
	for _, f := range w.frontEnds {
		for _, call := range f.stillRunning() {
			say("%s still runs: %s", f.name, w.clean(f.name, call))
		}
		for _, line := range f.incidents() {
			say("%s", line)
		}
	}
	return b.String()
}

// places says where each VM is, those at the same place together.
func (w *world) places() (all []string) {
	at := map[string][]int{}
	var texts []string
	for _, v := range w.cloud.VMs() {
		state, where := v.State.String(), ""
		if v.State == one.Active {
			state = v.LCM.String()
		}
		if n := len(v.History); n > 0 && (v.State == one.Active || v.State == one.Poweroff || v.State == one.Suspended) {
			where = fmt.Sprintf(" on host%d", v.History[n-1].HostID)
		}
		text := state + where
		if runs := w.runsOn(v.ID); len(runs) > 1 || len(runs) == 1 && " on "+runs[0] != where {
			text += ", and really runs on " + strings.Join(runs, " and ")
		}
		if at[text] == nil {
			texts = append(texts, text)
		}
		at[text] = append(at[text], v.ID)
	}
	for _, t := range texts {
		all = append(all, fmt.Sprintf("vm %s: %s", spans(at[t]), t))
	}
	return all
}

// runsOn are the hosts on which a VM really runs.
func (w *world) runsOn(vm int) (hosts []string) {
	for _, n := range w.nodes {
		if slices.Contains(w.cloud.Guests(n.id), vm) {
			hosts = append(hosts, n.name())
		}
	}
	return hosts
}

// incidents are those of the journal in short.
func (f *frontEnd) incidents() (all []string) {
	records := f.records()
	sort(records)
	for _, r := range records {
		text := fmt.Sprintf("%s incident %d: %s %d: %s", f.name, r.Number, r.Kind, r.ID, r.Status)
		all = append(all, f.world.clean(f.name, text+ends(r)))
	}
	return all
}

// ends says how many VMs of an incident ended how; of one about a single VM also what was done and why it ended so.
func ends(r incident.Record) string {
	count := map[string]int{}
	for _, v := range r.VMs {
		count[cmp.Or(v.Result, "open")]++
	}
	var parts []string
	for _, result := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[result], result))
	}
	if len(r.VMs) == 1 && r.Kind == "VM" {
		v := r.VMs[0]
		parts = []string{fmt.Sprintf("%s: %s: %s", v.Action, cmp.Or(v.Result, "open"), v.Kind)}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// records are the incidents of a front-end, the oldest first.
func (f *frontEnd) records() []incident.Record {
	f.mu.Lock()
	dir := filepath.Join(f.root, "var", "one-ft", "incidents")
	f.mu.Unlock()
	j, err := incident.OpenJournal(dir)
	if err != nil {
		return nil // the scenario has taken it away
	}
	heads, _ := j.List(0) // files that are damaged are a matter of the scenario
	slices.Reverse(heads)
	for i, h := range heads {
		if r, err := j.Load(h.Number); err == nil {
			heads[i] = r
		}
	}
	return heads
}

// sort puts incidents into an order that is always the same.
func sort(records []incident.Record) {
	slices.SortStableFunc(records, func(a, b incident.Record) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Kind, b.Kind), a.ID-b.ID)
	})
}

// numbers maps the numbers of incidents to those that they have in that order.
func (f *frontEnd) numbers() map[int]int {
	if f.same == nil {
		f.same = map[int]int{}
		records := f.records()
		sort(records)
		var used []int
		for _, r := range records {
			used = append(used, r.Number)
		}
		slices.Sort(used)
		for i, r := range records {
			f.same[r.Number] = used[i]
		}
	}
	return f.same
}

// forgotten are VMs of failed hosts that no incident speaks of, or only one that nobody works on. oned does not count a VM on a host
// whose disks there are being removed, so that no list has it.
func (w *world) forgotten() (all []string) {
	spoken := map[int]bool{}
	for _, f := range w.frontEnds {
		atWork := len(f.stillRunning()) > 0
		for _, r := range f.records() {
			if r.Kind == "host" && (r.Status != incident.Open || atWork) && r.Status != incident.CameBack {
				spoken[r.ID] = true
			}
		}
	}
	for _, v := range w.cloud.VMs() {
		if len(v.History) == 0 || v.State == one.Done {
			continue
		}
		host, _ := w.cloud.Host(v.History[len(v.History)-1].HostID)
		listed := v.State == one.Active && v.LCM != one.CleanupResubmit && v.LCM != one.CleanupDelete || v.State == one.Suspended || v.State == one.Poweroff
		if listed && host.State.Failed() && !spoken[host.ID] {
			all = append(all, fmt.Sprintf("vm %d is %s %s on host%d, which is %s, and nobody has said or does anything about it", v.ID, v.State, v.LCM, host.ID, host.State))
		}
	}
	return all
}
