package report

import (
	"cmp"
	"fmt"
	"slices"
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

// end is when an incident ended, or now.
func (v view) end() time.Time {
	if v.Ended == nil {
		return v.now
	}
	return *v.Ended
}

// lasted is how long an incident took, for an open one so far.
func (v view) lasted() string {
	if v.Ended == nil {
		return took(v.now.Sub(v.Began)) + " so far"
	}
	return took(v.Ended.Sub(v.Began))
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
