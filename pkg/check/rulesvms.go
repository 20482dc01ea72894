package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/recovery"
)

// datastores is about whether VMs could be moved off a failed host.
func (e *evaluation) datastores() {
	local := 0
	for _, d := range e.Datastores {
		on := counted(e.VMs.On[d.ID], "VM")
		switch {
		case d.Err != nil:
			e.skip("datastore %d with %s: %v", d.ID, on, d.Err)
		case d.Shared:
		case e.HostHook.Action == string(recovery.Migrate):
			local++
			e.stop(`change -m into -r in the arguments of the hook`, "%s on datastore %d (%s), which is not shared: -m cannot move them off a dead host", on, d.ID, d.Name)
		default:
			local++
			e.ok("datastore %d (%s) with %s is not shared: -m could not move them, -r recreates them", d.ID, d.Name, on)
		}
	}
	if local == 0 && len(e.Datastores) > 0 {
		e.ok("VMs are on shared datastores only: -m could move them")
	}
}

// vms is about what would be lost, and which VMs are down now.
func (e *evaluation) vms() {
	v := e.VMs
	lost := fmt.Sprintf("%s of %d (%s) have disks that are copies: what was written there is lost with -r", counted(len(v.Loses), "VM"), v.Count, listed(v.Loses))
	switch {
	case len(v.Loses) == 0:
		e.ok("none of %s would lose data with -r", counted(v.Count, "VM"))
	case e.HostHook.Action == string(recovery.Migrate):
		e.ok("%s, but the hook moves them with -m", lost)
	default:
		e.warn(fmt.Sprintf(`make their disks persistent, or leave such a VM alone: echo 'FT_ACTION = "none"' | onevm update %d --append /dev/stdin`, v.Loses[0]), "%s", lost)
	}
	if len(v.Stay) > 0 {
		e.ok("%s (%s) with FT_ACTION = none would be left alone", counted(len(v.Stay), "VM"), listed(v.Stay))
	}
	if len(v.Unread) > 0 {
		e.warn(fmt.Sprintf("onevm show %d", v.Unread[0]), "%s (%s) could not be read, and were not checked", counted(len(v.Unread), "VM"), listed(v.Unread))
	}
	for n, vm := range v.Failed {
		if n == maxListed {
			e.warn("oneft resume", "%s more failed or are UNKNOWN on a host that is fine", counted(len(v.Failed)-n, "VM"))
			break
		}
		where := ""
		if vm.Host >= 0 && vm.Status != "FAILED" {
			where = fmt.Sprintf(" on host %d, which is fine", vm.Host)
		}
		if !vm.Spent.Exhausted {
			e.warn(vm.remedy(), "%s%s", vm.is(), where)
		}
	}
}

// is says in which state the VM is.
func (v FailedVM) is() string { return fmt.Sprintf("VM %d (%s) is %s", v.ID, v.Name, v.Status) }

// remedy is the command for such a VM.
func (v FailedVM) remedy() string {
	switch v.Status {
	case "UNKNOWN":
		return fmt.Sprintf("vm_unknown %d", v.ID)
	case "FAILED": // up to 4.12, which cannot retry
		return fmt.Sprintf("vm_failure %d -r", v.ID)
	}
	return fmt.Sprintf("vm_failure %d --retry", v.ID)
}

// budgets is about VMs for which nothing is done any more.
func (e *evaluation) budgets() {
	n := 0
	for _, v := range e.VMs.Failed {
		if !v.Judged || !v.Spent.Exhausted {
			continue
		}
		n++
		what := fmt.Sprintf("%s, and given up after %d of %d attempts", v.is(), v.Spent.Attempts, v.Spent.Limit)
		if v.Spent.Limit == 0 {
			what = v.is() + ", and FT_MAX_ATTEMPTS is 0: nothing is done without an admin"
		} else if !v.Spent.Until.IsZero() {
			what += "; not retried automatically before " + v.Spent.Until.Format(time.DateTime)
		}
		e.problem(v.remedy()+" --no-budget", "%s", what)
	}
	if n == 0 {
		e.ok("no VM has used its attempts up")
	}
}

// incidents is about what nobody works on.
func (e *evaluation) incidents() {
	in := e.Incidents
	if in.Err != nil {
		e.warn(asOneadmin, "the journal cannot be read: %v", in.Err)
	}
	for _, name := range in.Damaged {
		e.warn("oneft incidents", "%s in the journal is damaged", name)
	}
	for _, i := range in.Open {
		f := Finding{Severity: Warning, Fix: fmt.Sprintf("oneft resume %d", i.Number), Hosts: i.hosts(),
			What: fmt.Sprintf("%s is open since %s", i.name(), i.Began.Format(time.DateTime))}
		switch {
		case !i.HeldKnown:
			f.What += "; whether anybody works on it cannot be seen"
		case i.Held:
			f.Severity, f.Fix = OK, ""
			f.What += ", and a process works on it"
		case i.Status == incident.Following:
			f.What += i.followed()
		default:
			f.Severity = Problem
			f.What += ", and nobody works on it"
		}
		e.add(f)
	}
	for _, i := range in.GaveUp {
		e.gaveUp(i)
	}
	if in.Err == nil && len(in.Open) == 0 {
		e.ok("none is open")
	}
}

// name is an incident in a sentence.
func (i Incident) name() string {
	return fmt.Sprintf("incident %d (%s %d, %s)", i.Number, i.Kind, i.ID, i.Name)
}

// hosts names the host that an incident is about.
func (i Incident) hosts() []int {
	if i.Kind == "host" {
		return []int{i.ID}
	}
	return nil
}

// followed says what the VMs of an incident wait for of which all that there was to do is done.
func (i Incident) followed() string {
	words := map[incident.Wait]string{
		incident.WaitCleanup: "for the end of their clean-up", incident.WaitScheduler: "for the scheduler", incident.WaitRoom: "for a host with room",
		incident.WaitDisks: "for their disks", incident.WaitBoot: "to boot", incident.WaitOwner: "on hold, for their owner",
	}
	line := "; oneft resume follows its VMs until they run"
	for _, w := range slices.Sorted(maps.Keys(i.Waiting)) {
		word := words[w]
		if word == "" {
			word = "on their way"
		}
		line += fmt.Sprintf("; waiting %s: VM %s", word, listed(i.Waiting[w]))
	}
	return line
}

// gaveUp is about an incident that ended with VMs on their way: of those that still are nobody else speaks.
func (e *evaluation) gaveUp(i Incident) {
	left := map[string][]int{} // by state
	for _, ids := range i.Waiting {
		for _, id := range ids {
			if state, on := e.VMs.OnTheWay[id]; on {
				left[state] = append(left[state], id)
			}
		}
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(left)) {
		slices.Sort(left[state])
		parts = append(parts, fmt.Sprintf("VM %s (%s)", listed(left[state]), state))
	}
	if len(parts) > 0 {
		e.add(Finding{Severity: Warning, Fix: fmt.Sprintf("oneft incidents show %d", i.Number), Hosts: i.hosts(),
			What: fmt.Sprintf("%s has ended, and these VMs do not run yet: %s", i.name(), strings.Join(parts, ", "))})
	}
}
