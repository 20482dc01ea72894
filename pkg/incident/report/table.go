package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

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

// Table is a list of incidents in the order given, a header first. All cells are
// printable and short. VMS is "-" for an incident that did not come to its VMs.
func Table(records []incident.Record, now time.Time) [][]string {
	rows := [][]string{{"INCIDENT", "WHAT", "BEGAN", "TOOK", "STATUS", "VMS", "SUMMARY"}}
	for _, r := range records {
		rows = append(rows, []string{
			strconv.Itoa(r.Number), what(r), r.Began.In(now.Location()).Format(dateAndTime), lasted(r, now),
			short(string(r.Status), maxName), counts(r), short(r.Summary, maxCell),
		})
	}
	return rows
}

// counts is how many VMs there are and what became of them, such as
// 40: 38 done, 2 incomplete.
func counts(r incident.Record) string {
	if len(r.VMs) == 0 {
		return noVMs
	}
	number := map[string]int{}
	for _, vm := range r.VMs {
		number[resultOf(r, vm)]++
	}
	var results []string
	for result := range number {
		results = append(results, result)
	}
	slices.SortFunc(results, func(a, b string) int { return cmp.Or(place(a)-place(b), strings.Compare(a, b)) })
	var parts []string
	for _, result := range results[:min(len(results), maxResults)] {
		parts = append(parts, fmt.Sprintf("%d %s", number[result], result))
	}
	return fmt.Sprintf("%d: %s", len(r.VMs), strings.Join(parts, ", "))
}

// noVMs stands for an incident that did not come to its VMs.
const noVMs = "-"

// maxResults is more than the results that there are; it bounds a damaged record.
const maxResults = 10

// place orders results in a count.
func place(result string) int {
	order := []string{resultDone, resultUnproven, resultStarting, resultAlready, resultLeft, resultIncomplete, resultRefused}
	if i := slices.Index(order, result); i >= 0 {
		return i
	}
	return len(order)
}

// resultOf is the result of a VM in a word.
func resultOf(r incident.Record, vm incident.VM) string {
	switch {
	case vm.Result != "":
		return short(vm.Result, maxName)
	case r.Ended == nil:
		return "not finished"
	}
	return "without a result"
}

// told is the result of a VM as its own line says it.
func told(r incident.Record, vm incident.VM) string {
	switch {
	case vm.Result == resultUnproven && vm.Action == "delete":
		return "deleted, UNPROVEN"
	case vm.Result == resultUnproven:
		return "started elsewhere, UNPROVEN"
	case starting(r, vm):
		return "still starting"
	}
	return resultOf(r, vm)
}

// handled reports whether nothing is left to do for a VM itself. For one that was started elsewhere
// without a proof that is so; what is left is to make sure of its host.
func handled(vm incident.VM) bool {
	return slices.Contains([]string{resultDone, resultUnproven, resultAlready, resultLeft}, vm.Result)
}

// starting reports whether a VM is on its way, and somebody follows it.
func starting(r incident.Record, vm incident.VM) bool {
	return vm.Result == resultStarting || vm.Result == "" && r.Status == incident.Following
}

// problem reports whether somebody has to look at a VM.
func problem(r incident.Record, vm incident.VM) bool { return !handled(vm) && !starting(r, vm) }

// problemsFirst are the VMs in the order in which people have to look at them: what
// was not handled, what is unknown, what is not running yet or unproven, what was left, what
// is done; each by ID.
func problemsFirst(vms []incident.VM) []incident.VM {
	order := []string{resultIncomplete, resultRefused, "", resultStarting, resultUnproven, resultLeft, resultAlready, resultDone}
	rank := func(vm incident.VM) int {
		if i := slices.Index(order, vm.Result); i >= 0 {
			return i
		}
		return slices.Index(order, "")
	}
	sorted := slices.Clone(vms)
	slices.SortStableFunc(sorted, func(a, b incident.VM) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a.ID, b.ID)) })
	return sorted
}
