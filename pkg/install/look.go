package install

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// look judges one hook that runs an executable of ours.
func (facts Facts) look(a active) []Finding {
	var found []Finding
	problem := func(fix, format string, args ...any) {
		found = append(found, Finding{Problem, a.where + ": " + fmt.Sprintf(format, args...), fix})
	}
	if want := facts.triggers(a); !slices.Contains(want, a.trigger) {
		problem(installIt, "%s waits for %s, not for %s", program(a.command), quoted(a.trigger), strings.Join(want, " or "))
	}
	if strings.EqualFold(strings.TrimSpace(a.remote), "yes") {
		problem(a.edit+`REMOTE = "no"`, "it runs on the host that has failed, because REMOTE is yes")
	}
	if !a.pool && strings.ContainsAny(a.name, " \t") {
		problem(a.edit+"NAME = "+quoted(strings.Join(strings.Fields(a.name), "_")), "oned takes the second word of its name for the host to run it on")
	}
	if file := facts.resolve(a.command); facts.Executable != nil {
		if err := facts.Executable(file); err != nil {
			right := path.Join(facts.Dir, program(a.command))
			fix := "install -m 0755 " + program(a.command) + " " + short(file)
			if file != right && facts.Executable(right) == nil {
				fix = a.edit + "COMMAND = " + quoted(right)
			}
			problem(fix, "%s cannot be run: %s", quoted(file), short(err.Error()))
		}
	}
	found = append(found, facts.lookArguments(a)...)
	if a.pool {
		found = append(found, facts.lookTimeout(a)...)
	}
	return found
}

// triggers are what an executable of ours is made for.
func (facts Facts) triggers(a active) []string {
	switch program(a.command) {
	case hostError:
		return []string{hostTrigger}
	case vmUnknown:
		return []string{"VM/ACTIVE/UNKNOWN"}
	}
	if facts.Version.Before(4, 13) { // the betas of 4.14
		return []string{"VM/FAILED/LCM_INIT"}
	}
	// Any state of failure that the version knows is right, also those that
	// vm_failure only reports.
	if lcm, found := strings.CutPrefix(a.trigger, "VM/ACTIVE/"); found && strings.HasSuffix(lcm, "_FAILURE") &&
		(lcm != "PROLOG_MIGRATE_UNKNOWN_FAILURE" || slices.Contains(failureStates(facts.Version), lcm)) {
		return []string{a.trigger}
	}
	return []string{"VM/ACTIVE/BOOT_FAILURE", "another *_FAILURE state"}
}

// lookArguments judges how the host or VM is passed on.
func (facts Facts) lookArguments(a active) []Finding {
	words := strings.Fields(a.arguments)
	has := func(word string) bool { return slices.Contains(words, word) }
	right, wrong := "$ID", "$HID"
	if a.pool {
		right = "$TEMPLATE"
	}
	fix := func(word string) string {
		changed := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == word || w == right })
		return a.edit + "ARGUMENTS = " + quoted(strings.Join(append([]string{right}, changed...), " "))
	}
	switch {
	case strings.Contains(a.arguments, wrong):
		return []Finding{{Problem, a.where + ": oned does not know $HID, and the hook is called without a host", fix(wrong)}}
	case a.pool && has("$ID"):
		return []Finding{{Problem, a.where + ": OpenNebula 5.10 and later do not know $ID in hooks", fix("$ID")}}
	case !has("$ID") && !has("$TEMPLATE"):
		return []Finding{{Problem, a.where + ": its arguments do not say which host or VM it is about", fix(right)}}
	case !a.pool && has("$TEMPLATE"):
		return []Finding{{Warning, a.where + ": a template of more than about 100 kB does not fit into an argument, and then the hook never runs", fix("$TEMPLATE")}}
	case a.pool && strings.TrimSpace(a.stdin) == "":
		return []Finding{{Problem, a.where + ": a template of more than about 100 kB does not fit into an argument, and then the hook never runs", a.edit + `ARGUMENTS_STDIN = "yes"`}}
	case a.pool && !strings.EqualFold(a.stdin, "yes"):
		return []Finding{{Problem, a.where + ": ARGUMENTS_STDIN is " + quoted(a.stdin) + ", and only yes works; a template of more than about 100 kB does not fit into an argument", a.edit + `ARGUMENTS_STDIN = "yes"`}}
	}
	return nil
}

// lookTimeout judges whether a working hook would be killed. No TIMEOUT kills none.
func (facts Facts) lookTimeout(a active) []Finding {
	least := facts.Timeout
	if least == 0 {
		least = MinTimeout
	}
	n, err := seconds(a.timeout)
	if err != nil || n == 0 || time.Duration(n) >= least/time.Second {
		return nil
	}
	return []Finding{{Problem, fmt.Sprintf("%s: TIMEOUT is %ds, so it may be killed in the middle of its work", a.where, n),
		a.edit + fmt.Sprintf(`TIMEOUT = "%d"`, int64(least/time.Second))}}
}
