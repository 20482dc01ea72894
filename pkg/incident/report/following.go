package report

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
)

// following says who follows the VMs that do not run yet, and what each of them waits for.
func following(r incident.Record, now time.Time) []item {
	begun, there := 0, 0
	for _, vm := range r.VMs {
		switch {
		case starting(r, vm):
			begun++
		case vm.Result == resultDone || vm.Result == resultUnproven:
			there++
		}
	}
	first := "the coordinator (host_error)"
	if !isHost(r) {
		first = "the one that was called for it"
	}
	items := []item{{
		fmt.Sprintf("Recovered %d, %d still starting. One process follows them until they run: %s while it lives, then oneft resume, run by its timer. To follow them now:", there, begun, first),
		[]string{resume(r)},
	}}
	return append(items, perWait(r, now, func(vm incident.VM) bool { return starting(r, vm) })...)
}

func resume(r incident.Record) string { return fmt.Sprintf("oneft resume %d", r.Number) }

// waits are what VMs wait for in the order in which a person has to know it: what needs a person first.
func waits() []incident.Wait {
	return []incident.Wait{incident.WaitOwner, incident.WaitRoom, incident.WaitScheduler, incident.WaitCleanup, incident.WaitDisks, incident.WaitBoot, incident.WaitNothing}
}

// waitsFor is what a VM waits for where it was seen last. A reason of a later version is none.
func waitsFor(vm incident.VM) incident.Wait {
	hop, moved := lastHop(vm)
	if !moved || !slices.Contains(waits(), hop.Waits) {
		return incident.WaitNothing
	}
	return hop.Waits
}

// perWait is what each of the chosen VMs waits for, since when, and what a person can do about it.
func perWait(r incident.Record, now time.Time, chosen func(incident.VM) bool) []item {
	type group struct {
		ids   []int
		since time.Time
	}
	groups := map[incident.Wait]group{}
	for _, vm := range r.VMs {
		if !chosen(vm) {
			continue
		}
		wait := waitsFor(vm)
		g := groups[wait]
		g.ids = append(g.ids, vm.ID)
		if hop, moved := lastHop(vm); moved && (g.since.IsZero() || hop.At.Before(g.since)) {
			g.since = hop.At
		}
		groups[wait] = g
	}
	var items []item
	for _, wait := range waits() {
		g := groups[wait]
		if len(g.ids) == 0 {
			continue
		}
		vms := "VM " + someIDs(g.ids, namedVMs)
		if !g.since.IsZero() {
			vms += fmt.Sprintf(", since %s (%s)", g.since.In(now.Location()).Format(clock(r, now)), took(end(r, now).Sub(g.since)))
		}
		items = append(items, waitItem(r, wait, vms, g.ids))
	}
	return items
}

// waitItem says of VMs what they wait for and what to do.
func waitItem(r incident.Record, wait incident.Wait, vms string, ids []int) item {
	look, more := each(ids, "onevm show %d"), colon(ids)
	switch wait {
	case incident.WaitOwner:
		return item{vms + ": on hold until somebody releases it" + more, each(ids, "onevm release %d")}
	case incident.WaitRoom:
		return item{vms + ": no host has room. Free capacity or enable a host; nothing else is needed. What the scheduler says" + more, append([]string{"onehost list"}, look...)}
	case incident.WaitScheduler:
		return item{vms + ": the scheduler has not placed it yet; as shipped it starts few VMs at a time. Is it running? Up to 6.10 it is a service of its own, since 7.0 oned runs it:",
			[]string{"systemctl status opennebula-scheduler opennebula", "tail /var/log/one/sched.log"}}
	case incident.WaitCleanup:
		if isHost(r) && !r.Proven {
			return item{fmt.Sprintf("%s: oned cleans up on host %d, which is not proven off: that ends when the host answers, or never. When somebody has seen that it is certainly off, say so:", vms, r.ID),
				[]string{resume(r) + " --confirm-off"}}
		}
		return item{vms + ": oned cleans up on the failed host. A clean-up that cannot succeed is ended; nothing else is needed. How it goes" + more, look}
	case incident.WaitDisks:
		return item{vms + ": the disks are being copied or made, which takes as long as the datastore needs. How it goes" + more, look}
	case incident.WaitBoot:
		return item{vms + ": booting on the new host. How it goes" + more, look}
	}
	return item{vms + ": on its way. Where" + more, look}
}

// makeSure says how to make sure of a host whose VMs were started elsewhere without a proof, in the order
// in which it has to be done. It is empty for other incidents.
func makeSure(r incident.Record) []item {
	if !r.IsUnproven() {
		return nil
	}
	if !isHost(r) {
		return []item{{"UNPROVEN: nobody knows whether the old copy still runs. See where it was, and look there, or power that host off by hand:", []string{show(r)}}}
	}
	host := fmt.Sprintf("host %d", r.ID)
	check := []string{"oneft check"}
	if tool(r) == "host_error" {
		check = append(check, again(r, "--dry-run"))
	}
	items := []item{
		{unknown(r, host) + " Do not let it come back with its guests: look at it, or power it off by hand, before its network is mended:", []string{show(r)}},
		{"When it is back, its old guests are listed as zombies (ZVM of onehost list, ZOMBIES of onehost show). Where host_isolated is installed it destroys them; else do it on the host, with libvirt:", []string{show(r), "virsh list --all"}},
	}
	if _, _, out := outOfScheduling(r); out {
		items = append(items, item{"Only when none of them is left, give " + host + " back to the scheduler:", []string{release(r)}})
	}
	return append(items, item{"To have a proof the next time, configure fencing for it. What is missing, and what it would be fenced with:", check})
}

// unknown says what nobody knows of a host whose VMs were started elsewhere, or deleted, without a proof.
func unknown(r incident.Record, host string) string {
	if !r.DeletedOnly() {
		return "UNPROVEN: its VMs are started elsewhere, and nobody knows whether " + host + " is off. If it still runs them, they run twice and may write to the same disks."
	}
	return "UNPROVEN: its VMs are deleted, and nobody knows whether " + host + " is off. If it still runs them, they run on there, unknown to OpenNebula."
}

// release is the command that gives a host back to the scheduler.
func release(r incident.Record) string { return fmt.Sprintf("oneft release %d", r.ID) }

// quarantine says that a host is still out of scheduling.
func quarantine(r incident.Record, now time.Time) []item {
	since, _, out := outOfScheduling(r)
	if !out || r.IsUnproven() { // makeSure has it
		return nil
	}
	return []item{{fmt.Sprintf("Host %d has been out of scheduling since %s, because old guests may still be on it. It is given back by itself when oned monitors it and lists none of them as zombies; when somebody has made sure, at once:",
		r.ID, since.In(now.Location()).Format(dateAndTime)), []string{show(r), release(r)}}}
}

// outOfScheduling is when the host was taken out of scheduling and given back; out means that it
// still is.
func outOfScheduling(r incident.Record) (since, back time.Time, out bool) {
	if !isHost(r) || r.Host == nil || r.Host.Quarantined.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	since = r.Host.Quarantined
	back = eventAfter(r, incident.KindReleased, since)
	return since, back, back.IsZero()
}

// eventAfter is when the last event of a kind was, unless that was before a time.
func eventAfter(r incident.Record, kind incident.Kind, after time.Time) time.Time {
	for _, e := range slices.Backward(r.Events) {
		if e.Kind == kind && !e.At.Before(after) {
			return e.At
		}
	}
	return time.Time{}
}

// hostFacts are what the outage did to the host beside its VMs.
func hostFacts(r incident.Record, now time.Time) []fact {
	if r.Host == nil {
		return nil
	}
	var facts []fact
	at := func(t time.Time) string { return t.In(now.Location()).Format(dateAndTime) }
	switch since, back, out := outOfScheduling(r); {
	case out:
		facts = append(facts, fact{"Quarantine", fmt.Sprintf("taken out of scheduling at %s, give it back: %s", at(since), release(r))})
	case !since.IsZero():
		facts = append(facts, fact{"Quarantine", fmt.Sprintf("taken out of scheduling at %s, given back at %s", at(since), at(back))})
	}
	if names := r.Host.FailFast; len(names) > 0 {
		text := "fails at once to " + someNames(names)
		if over := eventAfter(r, incident.KindFailFastOver, eventAfter(r, incident.KindFailFast, time.Time{})); !over.IsZero() {
			text = fmt.Sprintf("failed at once to %s until %s", someNames(names), at(over))
		}
		facts = append(facts, fact{"ssh", text})
	}
	return facts
}

// namedNames is how many names of a host are shown.
const namedNames = 6

func someNames(names []string) string {
	text := ""
	for i, name := range names[:min(len(names), namedNames)] {
		if i > 0 {
			text += ", "
		}
		text += short(name, maxName)
	}
	if more := len(names) - namedNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
