package incident

import (
	"fmt"
	"math"
	"slices"

	"one-ft/pkg/text"
)

const (
	// maxText is how many characters of a text are kept; oned and fence agents say what is wrong in one line.
	maxText = 1000
	// maxName is the same for names, which have at most 128 characters in OpenNebula.
	maxName = 200
	// maxHops is how many states of a VM are kept: a recovery has six, and one that fails again and again more.
	maxHops = 50
)

// clean makes everything in a record printable and bounded. What is clean is not changed. What r points to is not
// changed but replaced: others may have it.
func clean(r *Record) {
	r.Call = cleanCall(r.Call)
	if r.Request != nil {
		q := *r.Request
		q.Call = cleanCall(q.Call)
		shorten(&q.Tool)
		r.Request = &q
	}
	shorten(&r.Name, &r.Tool, &r.FrontEnd)
	shorten(&r.Reason)
	sentences(&r.From, &r.Summary, &r.Proof)
	if r.Host != nil {
		h := *r.Host
		h.FailFast = slices.Clone(h.FailFast[:min(len(h.FailFast), maxHops)])
		for i := range h.FailFast {
			shorten(&h.FailFast[i])
		}
		r.Host = &h
	}
	r.Forecast = slices.Clone(r.Forecast[:min(len(r.Forecast), maxHops)])
	for i := range r.Forecast {
		shorten(&r.Forecast[i].Name)
		r.Forecast[i].Seconds = finite(r.Forecast[i].Seconds)
	}
	r.Events = append(make([]Event, 0, len(r.Events)), r.Events...) // [] in JSON, not null
	for i := range r.Events {
		cleanEvent(&r.Events[i])
	}
	r.VMs = slices.Clone(r.VMs)
	for i := range r.VMs {
		cleanVM(&r.VMs[i])
	}
}

// cleanCall does the same for the words of a call.
func cleanCall(words []string) []string {
	call := make([]string, len(words))
	for i, word := range words {
		// The template that oned gives to a hook may have passwords of fence devices.
		if len(word) > maxName {
			word = fmt.Sprintf("<%d bytes>", len(word))
		}
		call[i] = shown(word)
	}
	return call
}

func cleanEvent(e *Event) {
	shorten(&e.Step)
	shorten(&e.Level)
	shorten(&e.Kind)
	sentences(&e.Text)
}

func cleanVM(vm *VM) {
	shorten(&vm.Name, &vm.Owner, &vm.State, &vm.Action, &vm.Result)
	sentences(&vm.Detail)
	vm.Path = slices.Clone(vm.Path)
	if n := len(vm.Path); n > maxHops { // the first and the last ones say most
		vm.Path = slices.Delete(vm.Path, maxHops/2, n-maxHops/2)
	}
	for i := range vm.Path {
		shorten(&vm.Path[i].State)
		shorten(&vm.Path[i].Waits)
	}
	vm.Seconds = finite(vm.Seconds)
}

func shorten[S ~string](all ...*S) {
	for _, s := range all {
		*s = S(text.Short(string(*s), maxName))
	}
}

func sentences(all ...*string) {
	for _, s := range all {
		*s = shown(*s)
	}
}

// shown is how text from outside stands in a record: printable, and the end of a very long one is cut off.
func shown(s string) string { return text.Short(s, maxText) }

// finite is 0 for numbers that JSON does not have.
func finite(n float64) float64 {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}
