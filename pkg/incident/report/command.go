package report

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/text"
)

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
		quoted[i] = text.Short(word, maxWord)
		if !harmless.MatchString(quoted[i]) {
			quoted[i] = "'" + strings.ReplaceAll(quoted[i], "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// harmless are words that mean the same to a shell without quotes.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
