// Package report turns an incident.Record into what admins read: rows of a list, lines for a terminal, and a page for a
// browser or a ticket.
//
// All texts of a record count as untrusted, because names of hosts and VMs and what oned says come from others. They are
// shown printable (control characters and direction marks as Go escapes), shortened, and in HTML escaped. What a VM owner
// can write never becomes part of a command that the report recommends.
//
// Times are shown in the location of now, so time.Now() gives local time.
package report

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// view is an incident as it stands now.
type view struct {
	incident.Record
	now time.Time
}

func (v view) isHost() bool { return v.Kind == "host" }

// what names the object of an incident, such as host 3 (node03).
func (v view) what() string {
	object := fmt.Sprintf("%s %d", text.Short(v.Kind, maxName), v.ID)
	if v.Name != "" {
		object += " (" + text.Short(v.Name, maxName) + ")"
	}
	return object
}

// Name names what an incident is about, such as host 3 (node03); printable and short.
func Name(r incident.Record) string { return view{Record: r}.what() }

// end is when an incident ended, or now.
func (v view) end() time.Time { return *cmp.Or(v.Ended, &v.now) }

// lasted is how long an incident took, for an open one so far.
func (v view) lasted() string {
	ahead := text.Ahead(v.Began, v.now)
	switch {
	case v.Ended == nil && ahead != "":
		return "begins" + ahead
	case v.Ended == nil:
		return took(v.now.Sub(v.Began)) + " so far"
	}
	return took(v.Ended.Sub(v.Began)) + text.Ahead(*v.Ended, v.now)
}

// Formats of times.
const (
	dateAndTime = "2006-01-02 15:04:05"
	timeOnly    = "15:04:05"
	withZone    = dateAndTime + " MST"
)

// in is a time where the reader is.
func (v view) in(t time.Time, format string) string { return t.In(v.now.Location()).Format(format) }

// at is a date and time.
func (v view) at(t time.Time) string { return v.in(t, dateAndTime) }

// clock is the time of an event: with the date when the incident took longer than a day.
func (v view) clock(t time.Time) string {
	if v.end().Sub(v.Began) > 24*time.Hour {
		return v.at(t)
	}
	return v.in(t, timeOnly)
}

// sinceWhen is the clock of what began then and goes on, or has ended since.
func (v view) sinceWhen(t time.Time) string { return v.clock(t) + text.Ahead(t, v.now) }

// The results of a VM, as package incident documents them.
const (
	resultDone       = "done"
	resultUnproven   = "unproven"
	resultStarting   = "starting"
	resultAlready    = "already"
	resultLeft       = "left"
	resultIncomplete = "incomplete"
	resultRefused    = "refused"
)

// handled reports whether nothing is left to do for a VM itself. For one that was started elsewhere without a proof that is
// so; what is left is to make sure of its host.
func handled(vm incident.VM) bool {
	return slices.Contains([]string{resultDone, resultUnproven, resultAlready, resultLeft}, vm.Result)
}

// starting reports whether a VM is on its way, and a process follows it.
func (v view) starting(vm incident.VM) bool {
	return vm.Result == resultStarting || vm.Result == "" && v.Status == incident.Following
}

// problem reports whether an operator has to look at a VM.
func (v view) problem(vm incident.VM) bool { return !handled(vm) && !v.starting(vm) }

// result is the result of a VM in a word.
func (v view) result(vm incident.VM) string {
	switch {
	case vm.Result != "":
		return text.Short(vm.Result, maxName)
	case v.Ended == nil:
		return "not finished"
	}
	return "without a result"
}

// told is the result of a VM as its own line says it.
func (v view) told(vm incident.VM) string {
	switch {
	case vm.Result == resultUnproven && vm.Action == "delete":
		return "deleted, UNPROVEN"
	case vm.Result == resultUnproven:
		return "started elsewhere, UNPROVEN"
	case v.starting(vm):
		return "still starting"
	}
	return v.result(vm)
}

// vmClass is the color of the row of a VM.
func (v view) vmClass(vm incident.VM) string {
	return map[rank]string{rankProblem: string(wording.Problem), rankUnproven: string(wording.Warning)}[v.rank(vm)]
}

// rank is how much a VM needs attention: what needs it most comes first.
type rank int

const (
	rankProblem rank = iota
	rankStarting
	rankUnproven
	rankHandled
)

func (v view) rank(vm incident.VM) rank {
	switch {
	case v.problem(vm):
		return rankProblem
	case v.starting(vm):
		return rankStarting
	case vm.Result == resultUnproven:
		return rankUnproven
	}
	return rankHandled
}

// problemsFirst are the VMs in the order in which they need attention: what was not handled, what is unknown, what is not
// running yet or unproven, what was left, what is done; each by ID.
func (v view) problemsFirst() []incident.VM {
	order := []string{resultIncomplete, resultRefused, "", resultStarting, resultUnproven, resultLeft, resultAlready, resultDone}
	at := func(vm incident.VM) int {
		if i := slices.Index(order, vm.Result); i >= 0 {
			return i
		}
		return slices.Index(order, "")
	}
	return slices.SortedStableFunc(slices.Values(v.VMs), func(a, b incident.VM) int { return cmp.Or(at(a)-at(b), cmp.Compare(a.ID, b.ID)) })
}

// fact is a line about the whole incident.
type fact struct{ Name, Value string }

// facts are what there is to know before the details.
func (v view) facts() []fact {
	proof := v.Proof
	if v.IsUnproven() {
		proof = strings.TrimSuffix("UNPROVEN: "+proof, ": ")
	}
	all := []fact{
		{"Summary", v.summary()}, {"Began", v.in(v.Began, withZone)}, {"Took", v.lasted()}, {"VMs", strings.TrimPrefix(v.counts(), noVMs)},
		{"Proof", proof}, {"Quarantine", v.quarantine()}, {"ssh", v.failFast()}, {"Opened by", v.opened()}, {"Front-end", v.FrontEnd},
	}
	all = slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" })
	for i := range all {
		all[i].Value = text.Short(all[i].Value, maxPage)
	}
	return all
}

// quarantine is whether the host was taken out of scheduling; "" for not.
func (v view) quarantine() string {
	switch since, back, out := v.outOfScheduling(); {
	case out:
		return fmt.Sprintf("taken out of scheduling at %s, give it back: %s", v.at(since), v.release())
	case !since.IsZero():
		return fmt.Sprintf("taken out of scheduling at %s, given back at %s", v.at(since), v.at(back))
	}
	return ""
}

// outOfScheduling is when the host was taken out of scheduling and given back; out means that it still is.
func (v view) outOfScheduling() (since, back time.Time, out bool) {
	if !v.isHost() || v.Host == nil || v.Host.Quarantined.IsZero() {
		return time.Time{}, time.Time{}, false
	}
	since = v.Host.Quarantined
	if back = v.last(wording.Released); back.Before(since) {
		back = time.Time{}
	}
	return since, back, back.IsZero()
}

// namedNames is how many names of a host are shown.
const namedNames = 6

// failFast is whether ssh to the host fails at once; "" for not.
func (v view) failFast() string {
	if v.Host == nil || len(v.Host.FailFast) == 0 {
		return ""
	}
	var words []string
	for _, name := range v.Host.FailFast {
		words = append(words, text.Short(name, maxName))
	}
	names := text.Some(words, namedNames)
	if over := v.last(wording.FailFastOver); over.After(v.last(wording.FailFast)) {
		return fmt.Sprintf("failed at once to %s until %s", names, v.at(over))
	}
	return "fails at once to " + names
}

// last is when the last event of a kind was.
func (v view) last(kind wording.Kind) time.Time {
	for _, e := range slices.Backward(v.Events) {
		if e.Kind.Is(kind) {
			return e.At
		}
	}
	return time.Time{}
}

// maxWord is how long a word of a call may be to be shown.
const maxWord = 1000

// tool is the name of the executable that opened an incident; "" for none.
func (v view) tool() string {
	if v.Tool == "" {
		return ""
	}
	return filepath.Base(v.Tool)
}

// isHook reports whether the tool that opened it is one that hooks call, which takes its options again.
func (v view) isHook() bool {
	return slices.Contains([]string{"host_error", "vm_failure", "vm_unknown"}, v.tool())
}

// opened is the call that opened the incident; "" when that is not known.
func (v view) opened() string {
	if v.tool() == "" {
		return ""
	}
	return shellLine(append([]string{v.tool()}, v.Call...))
}

// again is the same call to be copied into a shell, with words added. A call that cannot be shown exactly becomes a comment:
// half of a --confirm could say that a host is off.
func (v view) again(add ...string) string {
	call := append([]string{v.tool()}, v.Call...)
	cut := func(word string) bool { return text.Short(word, maxWord) != word || strings.HasPrefix(word, "<") } // as the journal cuts
	switch {
	case v.isHook() && len(v.Call) > 0 && !slices.ContainsFunc(call, cut):
		return shellLine(append(call, add...))
	case v.tool() == "oneft" && len(add) == 0:
		return v.resume()
	}
	name := "vm_failure or vm_unknown"
	switch {
	case v.isHook():
		name = v.tool()
	case v.isHost():
		name = "host_error"
	}
	return strings.Join(append([]string{"# run", name, strconv.Itoa(v.ID), "with the options of its hook"}, add...), " ")
}

func (v view) resume() string { return fmt.Sprintf("oneft resume %d", v.Number) }

// release is the command that gives a host back to the scheduler.
func (v view) release() string { return fmt.Sprintf("oneft release %d", v.ID) }

// show is the command that shows the object of an incident.
func (v view) show() string {
	if v.isHost() {
		return fmt.Sprintf("onehost show %d", v.ID)
	}
	return fmt.Sprintf("onevm show %d", v.ID)
}

// shellLine joins words so that a shell splits them in the same way and obeys nothing in them.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = text.ShellWord(text.Short(word, maxWord))
	}
	return strings.Join(quoted, " ")
}
