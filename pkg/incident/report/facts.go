package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// fact is a line about the whole incident.
type fact struct{ Name, Value string }

// facts are what there is to know before the details.
func (v view) facts() []fact {
	proof := v.Proof
	if v.IsUnproven() {
		proof = strings.TrimSuffix("UNPROVEN: "+proof, ": ")
	}
	all := []fact{
		{"Summary", v.Summary}, {"Began", v.in(v.Began, withZone)}, {"Took", v.lasted()}, {"VMs", strings.TrimPrefix(v.counts(), noVMs)},
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
