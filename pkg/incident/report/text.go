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
	"one-ft/pkg/wording"
)

// How many characters of a text are shown. The whole text is in the journal.
const (
	maxName = 40   // names of hosts, VMs, owners: a column stays a column
	maxLine = 160  // a text in the lines for a terminal
	maxWide = 200  // a name on the page
	maxPage = 2000 // a text on the page
	maxHead = 1000 // how an incident ended, everywhere: as the journal has it, so why it was refused is never cut off
)

// took is a duration in words: 40 ms, 0.4 s, 41 s, 2 min 05 s, 1 h 02 min, 3 d 04 h. A negative one, which a clock that was
// set makes, counts as 0.
func took(d time.Duration) string {
	d = max(d, 0)
	if ms := d.Round(time.Millisecond).Milliseconds(); ms < 100 {
		return fmt.Sprintf("%d ms", ms)
	}
	if d < 9950*time.Millisecond { // 10.0 s would be the next
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 60*60:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d d %02d h", s/86400, s%86400/3600)
}

// between are two durations, or one when they are shown alike.
func between(least, most time.Duration) string {
	if took(least) == took(most) {
		return took(most)
	}
	return took(least) + " to " + took(most)
}

// since is how long after the begin something was, in seconds. A clock that was set back makes it negative.
func since(d time.Duration) string {
	if d > -10*time.Second && d < 9950*time.Millisecond {
		return fmt.Sprintf("%+.1f s", d.Seconds())
	}
	return fmt.Sprintf("%+.0f s", d.Seconds())
}

// someVMs names the first VMs, the lowest ID first.
func someVMs(ids []int) string {
	var words []string
	for _, id := range slices.Sorted(slices.Values(ids)) {
		words = append(words, strconv.Itoa(id))
	}
	return "VM " + text.Some(words, namedVMs)
}

// ranges are IDs in at most so many characters, such as 7, 9-12 and 31 more.
func ranges(ids []int, most int) string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	shown := ""
	for i := 0; i < len(ids); {
		next := i + 1
		for next < len(ids) && ids[next] == ids[next-1]+1 {
			next++
		}
		part := strconv.Itoa(ids[i])
		if next-i > 2 {
			part += "-" + strconv.Itoa(ids[next-1])
		} else {
			next = i + 1
		}
		more := ""
		if next < len(ids) {
			more = fmt.Sprintf(" and %d more", len(ids)-next)
		}
		if i > 0 {
			part = ", " + part
			if len(shown)+len(part)+len(more) > most {
				return fmt.Sprintf("%s and %d more", shown, len(ids)-i)
			}
		}
		shown, i = shown+part, next
	}
	return shown
}

// Table is a list of incidents in the order given, a header first. All cells are printable, and short but for the summary at the end. VMS is "-" for an
// incident that did not come to its VMs.
func Table(records []incident.Record, now time.Time) [][]string {
	rows := [][]string{{"INCIDENT", "WHAT", "BEGAN", "TOOK", "STATUS", "VMS", "SUMMARY"}}
	for _, r := range records {
		v := view{r, now}
		rows = append(rows, []string{
			strconv.Itoa(r.Number), v.what(), v.at(r.Began), v.lasted(), text.Short(string(r.Status), maxName), v.counts(), text.Short(v.summary(), maxHead),
		})
	}
	return rows
}

// summary is how it ended, or what keeps it from its VMs.
func (v view) summary() string {
	if s := v.Stands(); v.Status == incident.Open && s.Holds() {
		return s.Message(v.now).String()
	}
	if v.Status == incident.Refused && v.Ended != nil && v.Reason.Is(wording.Paused) { // it may be over
		return "at that time: " + v.Summary
	}
	return v.Summary
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
