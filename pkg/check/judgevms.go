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

// datastores judges whether VMs could be moved off a failed host.
func (j *judge) datastores() {
	local := 0
	for _, d := range j.Datastores {
		on := counted(j.VMs.On[d.ID], "VM")
		switch {
		case d.Err != nil:
			j.skipped("datastore %d with %s: %v", d.ID, on, d.Err)
		case d.Shared:
		case j.HostHook.Action == string(recovery.Migrate):
			local++
			j.stop(TopicDatastores, `change -m into -r in the arguments of the hook`, "%s on datastore %d (%s), which is not shared: -m cannot move them off a dead host", on, d.ID, d.Name)
		default:
			local++
			j.say(OK, TopicDatastores, "", "datastore %d (%s) with %s is not shared: -m could not move them, -r recreates them", d.ID, d.Name, on)
		}
	}
	if local == 0 && len(j.Datastores) > 0 {
		j.say(OK, TopicDatastores, "", "VMs are on shared datastores only: -m could move them")
	}
}

// vms judges what would be lost, and which VMs are down now.
func (j *judge) vms() {
	v := j.VMs
	lost := "are copies: what was written there is lost with -r"
	switch {
	case len(v.Loses) == 0:
		j.say(OK, TopicVMs, "", "none of %s would lose data with -r", counted(v.Count, "VM"))
	case j.HostHook.Action == string(recovery.Migrate):
		j.say(OK, TopicVMs, "", "%s of %d (%s) have disks that %s, but the hook moves them with -m", counted(len(v.Loses), "VM"), v.Count, listed(v.Loses), lost)
	default:
		j.say(Warning, TopicVMs, fmt.Sprintf(`make their disks persistent, or leave such a VM alone: echo 'FT_ACTION = "none"' | onevm update %d --append /dev/stdin`, v.Loses[0]),
			"%s of %d (%s) have disks that %s", counted(len(v.Loses), "VM"), v.Count, listed(v.Loses), lost)
	}
	if len(v.Stay) > 0 {
		j.say(OK, TopicVMs, "", "%s (%s) with FT_ACTION = none would be left alone", counted(len(v.Stay), "VM"), listed(v.Stay))
	}
	if len(v.Unread) > 0 {
		j.say(Warning, TopicVMs, fmt.Sprintf("onevm show %d", v.Unread[0]), "%s (%s) could not be read, and were not judged", counted(len(v.Unread), "VM"), listed(v.Unread))
	}
	for n, ill := range v.Ill {
		if n == maxListed {
			j.say(Warning, TopicVMs, "oneft resume", "%s more failed or are UNKNOWN on a host that is fine", counted(len(v.Ill)-n, "VM"))
			break
		}
		if !ill.Spent.Exhausted {
			j.say(Warning, TopicVMs, ill.remedy(""), "VM %d (%s) is %s%s", ill.ID, ill.Name, ill.Status, ill.where())
		}
	}
}

func (v IllVM) where() string {
	if v.Host < 0 || v.Status == "FAILED" {
		return ""
	}
	return fmt.Sprintf(" on host %d, which is fine", v.Host)
}

// remedy is the command for such a VM.
func (v IllVM) remedy(option string) string {
	text := fmt.Sprintf("vm_failure %d --retry", v.ID)
	switch {
	case v.Status == "UNKNOWN":
		text = fmt.Sprintf("vm_unknown %d", v.ID)
	case v.Status == "FAILED": // up to 4.12, which cannot retry
		text = fmt.Sprintf("vm_failure %d -r", v.ID)
	}
	return strings.TrimSpace(text + " " + option)
}

// budgets judges VMs for which nothing is done any more.
func (j *judge) budgets() {
	n := 0
	for _, v := range j.VMs.Ill {
		if !v.Judged || !v.Spent.Exhausted {
			continue
		}
		n++
		what := fmt.Sprintf("VM %d (%s) is %s, and given up after %d of %d attempts", v.ID, v.Name, v.Status, v.Spent.Attempts, v.Spent.Limit)
		if v.Spent.Limit == 0 {
			what = fmt.Sprintf("VM %d (%s) is %s, and FT_MAX_ATTEMPTS is 0: nothing is done without a person", v.ID, v.Name, v.Status)
		} else if !v.Spent.Until.IsZero() {
			what += "; not retried automatically before " + v.Spent.Until.Format(time.DateTime)
		}
		j.say(Problem, TopicBudgets, v.remedy("--no-budget"), "%s", what)
	}
	if n == 0 {
		j.say(OK, TopicBudgets, "", "no VM has used its attempts up")
	}
}

// incidents judges what nobody works on.
// followed says what the VMs of an incident wait for that everything was asked for.
func followed(i Incident) string {
	words := map[incident.Wait]string{
		incident.WaitCleanup: "for the end of their clean-up", incident.WaitScheduler: "for the scheduler", incident.WaitRoom: "for a host with room",
		incident.WaitDisks: "for their disks", incident.WaitBoot: "to boot", incident.WaitOwner: "on hold, for their owner",
	}
	text := "; oneft resume follows its VMs until they run"
	for _, w := range slices.Sorted(maps.Keys(i.Waiting)) {
		word := words[w]
		if word == "" {
			word = "on their way"
		}
		text += fmt.Sprintf("; waiting %s: VM %s", word, listed(i.Waiting[w]))
	}
	return text
}

func (j *judge) incidents() {
	in := j.Incidents
	if in.Err != nil {
		j.say(Warning, TopicIncidents, asOneadmin, "the journal cannot be read: %v", in.Err)
	}
	for _, name := range in.Damaged {
		j.say(Warning, TopicIncidents, "oneft incidents", "%s in the journal is damaged", name)
	}
	for _, i := range in.Open {
		what := fmt.Sprintf("incident %d (%s %d, %s) is open since %s", i.Number, i.Kind, i.ID, i.Name, i.Began.Format(time.DateTime))
		f := Finding{Severity: Problem, Topic: TopicIncidents, What: what + ", and nobody works on it", Fix: fmt.Sprintf("oneft resume %d", i.Number)}
		switch {
		case !i.HeldKnown:
			f.Severity, f.What = Warning, what+"; whether anybody works on it cannot be seen"
		case i.Held:
			f.Severity, f.What, f.Fix = OK, what+", and a process works on it", ""
		case i.Following:
			f.Severity, f.What = Warning, what+followed(i)
		}
		if i.Kind == "host" {
			f.Hosts = []int{i.ID}
		}
		j.add(f)
	}
	for _, i := range in.GaveUp {
		j.gaveUp(i)
	}
	if in.Err == nil && len(in.Open) == 0 {
		j.say(OK, TopicIncidents, "", "none is open")
	}
}

// gaveUp judges an incident that ended with VMs on their way: of those that still are nobody else speaks.
func (j *judge) gaveUp(i Incident) {
	left := map[string][]int{} // by state
	for _, ids := range i.Waiting {
		for _, id := range ids {
			if state, on := j.VMs.OnTheWay[id]; on {
				left[state] = append(left[state], id)
			}
		}
	}
	var parts []string
	for _, state := range slices.Sorted(maps.Keys(left)) {
		slices.Sort(left[state])
		parts = append(parts, fmt.Sprintf("VM %s (%s)", listed(left[state]), state))
	}
	if len(parts) == 0 {
		return
	}
	f := Finding{Severity: Warning, Topic: TopicIncidents, Fix: fmt.Sprintf("oneft incidents show %d", i.Number),
		What: fmt.Sprintf("incident %d (%s %d, %s) has ended, and these VMs do not run yet: %s", i.Number, i.Kind, i.ID, i.Name, strings.Join(parts, ", "))}
	if i.Kind == "host" {
		f.Hosts = []int{i.ID}
	}
	j.add(f)
}
