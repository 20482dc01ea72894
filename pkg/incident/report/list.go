package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
)

// Table is a list of incidents in the order given, a header first. All cells are printable and short. VMS is "-" for an
// incident that did not come to its VMs.
func Table(records []incident.Record, now time.Time) [][]string {
	rows := [][]string{{"INCIDENT", "WHAT", "BEGAN", "TOOK", "STATUS", "VMS", "SUMMARY"}}
	for _, r := range records {
		v := view{r, now}
		rows = append(rows, []string{
			strconv.Itoa(r.Number), v.what(), v.at(r.Began), v.lasted(), text.Short(string(r.Status), maxName), v.counts(), text.Short(r.Summary, maxCell),
		})
	}
	return rows
}

// noVMs stands for an incident that did not come to its VMs.
const noVMs = "-"

// maxResults is more than the results that there are; it bounds a damaged record.
const maxResults = 10

// counts is how many VMs there are and with which results, such as 40: 38 done, 2 incomplete.
func (v view) counts() string {
	if len(v.VMs) == 0 {
		return noVMs
	}
	number := map[string]int{}
	for _, vm := range v.VMs {
		number[v.result(vm)]++
	}
	order := []string{resultDone, resultUnproven, resultStarting, resultAlready, resultLeft, resultIncomplete, resultRefused}
	results := slices.SortedFunc(maps.Keys(number), func(a, b string) int { return cmp.Or(place(order, a)-place(order, b), strings.Compare(a, b)) })
	var parts []string
	for _, result := range results[:min(len(results), maxResults)] {
		parts = append(parts, fmt.Sprintf("%d %s", number[result], result))
	}
	return fmt.Sprintf("%d: %s", len(v.VMs), strings.Join(parts, ", "))
}

// place is where a value stands in an order; what is not in it comes last.
func place[T comparable](order []T, value T) int {
	if i := slices.Index(order, value); i >= 0 {
		return i
	}
	return len(order)
}
