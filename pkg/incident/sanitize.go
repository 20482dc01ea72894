package incident

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxText is how many characters of a text are kept; oned and fence agents say what
	// is wrong in one line.
	maxText = 1000
	// maxHops is how many states of a VM are kept: a recovery has six, and one that fails again and again more.
	maxHops = 50
	// maxName is the same for names, which have at most 128 characters in OpenNebula.
	maxName = 200
)

// clean makes everything in a record printable and bounded. What is clean stays as it is.
func clean(r *Record) {
	r.Call, r.From = cleanCall(r.Call), shown(r.From)
	if r.Request != nil {
		q := *r.Request
		q.Call, q.Tool = cleanCall(q.Call), printable(q.Tool, maxName)
		r.Request = &q
	}
	r.Name, r.Tool, r.FrontEnd = printable(r.Name, maxName), printable(r.Tool, maxName), printable(r.FrontEnd, maxName)
	r.Summary, r.Proof = shown(r.Summary), shown(r.Proof)
	if r.Host != nil {
		h := *r.Host
		h.FailFast = make([]string, 0, len(r.Host.FailFast))
		for _, name := range r.Host.FailFast[:min(len(r.Host.FailFast), maxHops)] {
			h.FailFast = append(h.FailFast, printable(name, maxName))
		}
		r.Host = &h
	}
	r.Forecast = slices.Clone(r.Forecast[:min(len(r.Forecast), maxHops)])
	for i := range r.Forecast {
		s := &r.Forecast[i]
		if s.Name = StageName(printable(string(s.Name), maxName)); math.IsNaN(s.Seconds) || math.IsInf(s.Seconds, 0) {
			s.Seconds = 0
		}
	}
	r.Events = append(make([]Event, 0, len(r.Events)), r.Events...) // [] in JSON, not null
	for i := range r.Events {
		e := &r.Events[i]
		e.Step, e.Level, e.Text = Step(printable(string(e.Step), maxName)), printable(e.Level, maxName), shown(e.Text)
		e.Kind = Kind(printable(string(e.Kind), maxName))
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
		call[i] = printable(word, maxText)
	}
	return call
}

func cleanVM(vm *VM) {
	for _, s := range []*string{&vm.Name, &vm.Owner, &vm.State, &vm.Action, &vm.Result} {
		*s = printable(*s, maxName)
	}
	vm.Detail = shown(vm.Detail)
	vm.Path = slices.Clone(vm.Path)
	if n := len(vm.Path); n > maxHops { // the first and the last ones say most
		vm.Path = slices.Delete(vm.Path, maxHops/2, n-maxHops/2)
	}
	for i := range vm.Path {
		vm.Path[i].State, vm.Path[i].Waits = printable(vm.Path[i].State, maxName), Wait(printable(string(vm.Path[i].Waits), maxName))
	}
	if math.IsNaN(vm.Seconds) || math.IsInf(vm.Seconds, 0) { // JSON has no such numbers
		vm.Seconds = 0
	}
}

// shown is how text from outside stands in a record: what is not printable becomes its Go
// escape, such as \x1b, and the end of very long text is cut off.
func shown(s string) string { return printable(s, maxText) }

func printable(s string, limit int) string {
	if enough := utf8.UTFMax * (limit + 1); len(s) > enough {
		s = s[:enough]
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	if utf8.RuneCountInString(b.String()) <= limit {
		return b.String()
	}
	return string([]rune(b.String())[:limit]) + "…"
}
