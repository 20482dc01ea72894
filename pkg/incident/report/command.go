package report

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/incident"
)

// ours are the executables whose calls are rebuilt, with the flags that take a value
// (the executables' --help).
func ours(tool string) bool {
	return tool == "host_error" || tool == "vm_failure" || tool == "vm_unknown"
}

func takesValue(flag string) bool {
	return slices.Contains([]string{
		"pause", "p", "interval", "wait", "confirm", "fencing",
		"verify", "timeout", "oned-wait", "parallel", "endpoint", "auth-file", "ca-file", "log-file", "state-dir", "config",
	}, flag)
}

// maxWord is how long a word of a call may be to be shown.
const maxWord = 1000

// tool is the name of the executable that opened an incident.
func tool(r incident.Record) string {
	if r.Tool == "" {
		return ""
	}
	return filepath.Base(r.Tool)
}

// opened is the call that opened the incident, for people. The templates that hooks are
// called with are long, so the object stands there by its ID.
func opened(r incident.Record) string {
	if tool(r) == "" {
		return ""
	}
	return shellLine(callWords(r, nil))
}

// again is the same call to be copied into a shell, with words added; words of it that
// contradict added ones are left out. A call that cannot be shown exactly becomes a
// comment: half of a --confirm could say that a host is off.
func again(r incident.Record, add ...string) string {
	name := tool(r)
	if name == "" || !ours(name) && len(add) > 0 {
		name = "vm_failure or vm_unknown"
		if isHost(r) {
			name = "host_error"
		}
		return strings.Join(append([]string{"# run", name, strconv.Itoa(r.ID), "with the options of its hook"}, add...), " ")
	}
	if name == "oneft" {
		return fmt.Sprintf("oneft resume %d", r.Number)
	}
	words := callWords(r, add)
	for _, word := range words {
		if short(word, maxWord) != word {
			return strings.Join(append([]string{"# run", shellLine([]string{name}), strconv.Itoa(r.ID), "with the options of its hook, which cannot be shown here"}, add...), " ")
		}
	}
	return shellLine(words)
}

// callWords are the words of a call with the object of the incident in the first place.
func callWords(r incident.Record, add []string) []string {
	name := tool(r)
	if !ours(name) {
		return append([]string{name}, r.Call...)
	}
	words := append([]string{name, strconv.Itoa(r.ID)}, options(r.Call, add)...)
	for _, word := range add {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// options are the words of a call without its object: the flags, their values, and y or n.
func options(call, add []string) []string {
	var kept []string
	for i := 0; i < len(call); i++ {
		word := call[i]
		if word == "--" {
			continue // behind it are only positionals, and of them y and n look like no flags
		}
		if !isFlag(word) {
			if yesNo(word) {
				kept = append(kept, word)
			}
			continue
		}
		flag := []string{word}
		if valueFollows(word) && i+1 < len(call) {
			i++
			flag = append(flag, call[i])
		}
		if !contradicts(word, add) {
			kept = append(kept, flag...)
		}
	}
	return kept
}

// isFlag is true for a dash and more, but not for a negative number.
func isFlag(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')
}

// yesNo is true for the words of the hooks of OpenNebula 4.4.
func yesNo(word string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no"}, strings.ToLower(word))
}

// valueFollows is true if the next word is the value of this flag. Short flags may be
// combined, the last one with a value: -rp 2.
func valueFollows(word string) bool {
	name := strings.TrimLeft(word, "-")
	return takesValue(name) || !strings.HasPrefix(word, "--") && strings.HasSuffix(name, "p") && len(name) <= 4
}

// contradicts is true for flags that the executables refuse beside -u.
func contradicts(word string, add []string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	return slices.Contains(add, "-u") && (name == "fencing" || name == "fence-first" || name == "no-fencing")
}

// shellLine joins words so that a shell splits them in the same way and obeys nothing in them.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = short(word, maxWord)
		if !harmless.MatchString(quoted[i]) {
			quoted[i] = "'" + strings.ReplaceAll(quoted[i], "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// harmless are words that mean the same to a shell without quotes.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+-]+$`)
