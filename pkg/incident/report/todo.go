package report

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

// item is something that is left to do, with commands that can be copied.
type item struct {
	Text     string
	Commands []string
}

// commandsShown is how many commands are written out when each VM has its own.
const commandsShown = 2

// todo is what is left for a person. It is never empty: nothing to do is said, too.
func todo(r incident.Record, now time.Time) []item {
	items := makeSure(r)
	switch r.Status {
	case incident.Open:
		return append(items, stillOpen(r, now)...)
	case incident.Following:
		items = append(items, following(r, now)...)
	case incident.Refused:
		items = append(items, refused(r)...)
	case incident.Failed:
		items = append(items, item{"It ended with an error, and VMs may not have been handled. When oned answers again, run it again; what is done already is not done twice:",
			[]string{"onehost list", again(r)}})
	}
	items = append(items, perVM(r, now, r.Status == incident.Refused || r.Status == incident.Failed)...)
	items = append(items, waiting(r)...)
	items = append(items, quarantine(r, now)...)
	switch {
	case len(items) > 0:
	case r.Status == incident.Done:
		items = []item{{Text: "Nothing."}}
	case r.Status == incident.CameBack:
		items = []item{{Text: "Nothing. The host came back by itself, and its VMs were left where they are."}}
	default: // no VM is listed, so the summary is all there is
		items = []item{{"Look at its summary. When what it names is mended, run it again; what is done already is not done twice:", []string{show(r), again(r)}}}
	}
	return items
}

// show is the command that shows the object of an incident.
func show(r incident.Record) string {
	if isHost(r) {
		return fmt.Sprintf("onehost show %d", r.ID)
	}
	return fmt.Sprintf("onevm show %d", r.ID)
}

func isHost(r incident.Record) bool { return r.Kind == "host" }

// stillOpen says how to find out whether a process works on it.
func stillOpen(r incident.Record, now time.Time) []item {
	last := "nothing has been written down yet"
	if n := len(r.Events); n > 0 {
		last = fmt.Sprintf("the last event was %s ago", took(now.Sub(r.Events[n-1].At)))
	}
	on := "on its front-end"
	if r.FrontEnd != "" {
		on = "on " + short(r.FrontEnd, maxName)
	}
	look := []string{show(r)}
	if ours(tool(r)) {
		look = []string{"tail /var/log/one/" + tool(r) + ".log", show(r)}
	}
	return []item{
		{fmt.Sprintf("It is open: somebody works on it, or was stopped in the middle (%s). See %s whether it goes on:", last, on), look},
		{"If it does not go on, go on with it: that says so if another process works on it, and carries on otherwise:", []string{resume(r)}},
	}
}

// refused says what has to be true before it may go on. It goes by what our own texts
// begin with: what follows may have been written by others.
func refused(r incident.Record) []item {
	s := r.Summary
	switch {
	case !isHost(r):
		return nil // its VM says why
	case strings.HasPrefix(s, "fencing "):
		return []item{
			{"Find out why host " + fmt.Sprint(r.ID) + " could not be proven off. This shows what it would be fenced with, and changes nothing:", []string{again(r, "--dry-run")}},
			{"When fencing works again, run it again:", []string{again(r)}},
			{"Only when somebody has seen that the host is certainly off, for example without power, say so; a host that still runs its VMs would run them twice:",
				[]string{fmt.Sprintf("oneft resume %d --confirm-off", r.Number)}},
		}
	case strings.HasPrefix(s, "held for "):
		return []item{
			{"Many hosts failed at the same time. Look at what they share, such as the network of the front-end, and which hosts are really off:", []string{"onehost list"}},
			{"When the others are monitored again, run it again:", []string{again(r)}},
			{"Only when a person knows that the failed hosts are off:", []string{again(r, "--override-storm")}},
		}
	case strings.HasSuffix(s, "says that the host is alive; nothing was fenced or touched"):
		return []item{
			{"A second opinion says that the host is alive. Find out why oned cannot monitor it:", []string{show(r)}},
			{"When the host is off, run it again:", []string{again(r)}},
		}
	case strings.HasPrefix(s, "the host is ") && strings.Contains(s, "set by an admin"):
		return []item{
			{"An admin took the host out of service, so nothing was done. Look at it:", []string{show(r)}},
			{"When it is certainly off and its VMs are to be recovered all the same:", []string{again(r, "--any-state")}},
		}
	}
	return []item{{"Nothing was done because it would not have been safe; the summary says why. When that is mended, run it again:", []string{show(r), again(r)}}}
}

// waiting names VMs that are handled, but did not run yet when the incident ended, by the text that
// one-ft had for them before it followed VMs.
func waiting(r incident.Record) []item {
	var ids []int
	for _, vm := range problemsFirst(r.VMs) {
		if handled(vm) && strings.HasPrefix(vm.Detail, "left the host, PENDING") {
			ids = append(ids, vm.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	text := fmt.Sprintf("VM %s left the host, and the scheduler had not placed it yet. See whether it runs now", someIDs(ids, namedVMs))
	return []item{{text + colon(ids), each(ids, "onevm show %d")}}
}

// colon ends a text before the commands of each.
func colon(ids []int) string {
	if len(ids) > commandsShown {
		return " (the same for each of them):"
	}
	return ":"
}

// each is a command for the first VMs.
func each(ids []int, format string) []string {
	var commands []string
	for _, id := range ids[:min(len(ids), commandsShown)] {
		commands = append(commands, fmt.Sprintf(format, id))
	}
	return commands
}

// failedThere is how a VM is reported that failed on its new host.
var failedThere = regexp.MustCompile(`^(it is|it fell back to) [A-Z_]*(FAILURE|FAILED)\b`)
