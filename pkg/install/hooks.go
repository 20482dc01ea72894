package install

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// Hook is one hook as a version needs it.
type Hook struct {
	Name     string // one word: oned 4.4 to 5.8 pass it on between blanks
	Resource string // "HOST" or "VM"
	// On is ERROR for hosts; UNKNOWN, FAILED or CUSTOM for VMs, CUSTOM with State and LCMState.
	On, State, LCMState string
	Command, Arguments  string
	Timeout             time.Duration // for 5.10 and later only
	// Beside are the marks of hooks of others that an admin said leave VMs and hosts alone, with blanks between them.
	Beside string
}

// The executables that are hooks.
const (
	hostError = "host_error"
	vmFailure = "vm_failure"
	vmUnknown = "vm_unknown"
)

// failureStates are the LCM states that vm_failure looks after (LcmState in include/VirtualMachine.h of 4.14.0 and
// 5.0.2). oned drops a hook for a state that it does not know.
func failureStates(v one.Version) []string {
	all := []string{"PROLOG_FAILURE", "BOOT_FAILURE", "PROLOG_MIGRATE_FAILURE", "PROLOG_MIGRATE_POWEROFF_FAILURE",
		"PROLOG_MIGRATE_SUSPEND_FAILURE", "EPILOG_FAILURE"}
	if !v.Before(4, 90) { // the betas of 5.0
		all = append(all, "PROLOG_MIGRATE_UNKNOWN_FAILURE")
	}
	return all
}

// Hooks gives the hooks that a version needs for a Spec, in their order: one for hosts, one for UNKNOWN VMs, and for
// failed VMs one on FAILED (4.4 to 4.12) or one for each state of failure. The error says what is not possible.
func Hooks(s Spec, v one.Version) ([]Hook, error) {
	d, err := one.DialectFor(v)
	if err != nil {
		return nil, err
	}
	if err := s.check(d); err != nil {
		return nil, err
	}
	subject := "$ID" // a template as an argument may be too long
	if UsesPool(v) {
		subject = "$TEMPLATE"
	}
	var hooks []Hook
	add := func(h Hook, program, options string) {
		h.Command, h.Arguments = path.Join(s.Dir, program), strings.TrimSpace(subject+" "+options)
		h.Timeout = cmp.Or(s.Timeout, MinTimeout)
		hooks = append(hooks, h)
	}
	if s.Host != "none" {
		add(Hook{Name: "oneft_host_error", Resource: "HOST", On: "ERROR"}, hostError, s.hostOptions())
	}
	if s.Unknown != "none" {
		add(Hook{Name: "oneft_vm_unknown", Resource: "VM", On: "UNKNOWN"}, vmUnknown, "")
	}
	option := map[string]string{"recreate": "-r", "delete": "-d", "retry": "--retry"}[s.Failures]
	switch {
	case s.Failures == "none":
	case d.HasFailedState:
		add(Hook{Name: "oneft_vm_failed", Resource: "VM", On: "FAILED"}, vmFailure, option)
	default:
		for _, lcm := range failureStates(v) {
			add(Hook{Name: "oneft_vm_" + strings.ToLower(lcm), Resource: "VM", On: "CUSTOM", State: "ACTIVE", LCMState: lcm}, vmFailure, option)
		}
	}
	return hooks, nil
}

// hostOptions are the words of host_error behind the host.
func (s Spec) hostOptions() string {
	options := map[string]string{"recreate": "-r", "delete": "-d", "migrate": "-m"}[s.Host]
	if s.Suspended {
		options += " y"
	} else {
		options += " n"
	}
	if s.Pause > 0 {
		options += fmt.Sprintf(" -p %d", s.Pause)
	}
	return options
}

// Print gives what an admin would write by hand: lines for oned.conf (4.4 to 5.8), or the content of a file for each
// hook below the command that takes it.
func Print(hooks []Hook, v one.Version) string {
	var parts []string
	for _, h := range hooks {
		if UsesPool(v) {
			parts = append(parts, "# onehook create "+h.Name+".hook\n"+h.template())
		} else {
			parts = append(parts, strings.Join(h.stanza(), "\n")+"\n")
		}
	}
	return strings.Join(parts, "\n")
}

func (h Hook) trigger() string { return trigger(h.Resource, h.On, h.State, h.LCMState) }

// trigger spells what a hook waits for as the hook manager of 5.10 does: resource, state and LCM state; "" for what
// is never called. The pool keeps the states only, oned.conf has ON.
func trigger(resource, on, state, lcm string) string {
	resource, on = strings.ToUpper(resource), strings.ToUpper(on)
	state, lcm = strings.ToUpper(state), strings.ToUpper(lcm)
	switch {
	case resource == "HOST" && on == "":
		return "HOST/" + state
	case resource == "HOST":
		return "HOST/" + on
	case resource != "VM":
		return ""
	case on == "UNKNOWN":
		return "VM/ACTIVE/UNKNOWN"
	case on == "FAILED":
		return "VM/FAILED/LCM_INIT"
	case on == "" || on == "CUSTOM":
		return "VM/" + state + "/" + lcm
	}
	return "VM/" + on
}

// program is the executable of ours that a command runs; "" for any other.
func program(command string) string {
	words := strings.Fields(command)
	if len(words) == 0 {
		return ""
	}
	switch name := path.Base(words[0]); name {
	case hostError, vmFailure, vmUnknown:
		return name
	}
	return ""
}

// Spec is which hooks an admin wants, and what they do. Start from DefaultSpec.
type Spec struct {
	// Host is what happens to the VMs of a failed host: "recreate", "delete", "migrate" (4.10 and later), or "none"
	// for no such hook.
	Host string
	// Suspended includes VMs that are suspended or powered off.
	Suspended bool
	// Pause is for how many monitoring cycles a failed host is watched first, 0 to 1000.
	Pause int
	// Failures is what happens to a failed VM: "recreate", "retry" (4.14 and later), "delete", or "none" for no such
	// hooks.
	Failures string
	// Unknown is what happens to a VM in UNKNOWN: "boot", or "none" for no such hook.
	Unknown string
	// Dir has the executables: an absolute path.
	Dir string
	// Timeout is TIMEOUT of hooks since 5.10, see Timeout; 0 means MinTimeout.
	Timeout time.Duration
}

// DefaultDir is where README puts the executables: onehost sync may copy it to hosts, and every version looks for
// relative commands of hooks below its parent.
const DefaultDir = "/var/lib/one/remotes/hooks/ft"

// DefaultSpec is what is installed when an admin says nothing:
//   - recreate the VMs of a failed host, after two monitoring cycles: they run nowhere any
//     more, and one-ft is there so that nobody has to do it. Disks that are not
//     persistent are lost, as with any recreate. Suspended VMs do not run anyway: left.
//   - boot a VM that is UNKNOWN on a live host: nothing is lost by it.
//   - leave VMs that failed: nothing gets worse by waiting, while recreating or deleting
//     them takes disks and the traces of why they failed. An admin asks for it.
func DefaultSpec() Spec {
	return Spec{Host: "recreate", Pause: 2, Failures: "none", Unknown: "boot", Dir: DefaultDir}
}

// Keep is a Spec with what the hooks of one-ft that are there do: what nobody mentions stays. What is not there is as in s.
func (s Spec) Keep(there []Known) Spec {
	for _, k := range there {
		if !k.Ours {
			continue
		}
		switch words := strings.Fields(k.arguments); k.By.Program {
		case hostError:
			s.Host = cmp.Or(k.Action(), s.Host)
			s.Suspended = slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list("y,yes,-f,--force"), strings.ToLower(w)) })
			s.Pause = pauseOf(words)
		case vmFailure:
			s.Failures = cmp.Or(k.Action(), s.Failures)
		}
	}
	return s
}

// Action is what a hook of ours does: recreate, delete, migrate or retry; "" when its words do not say it.
func (k Known) Action() (action string) {
	for word := range strings.FieldsSeq(k.line()) {
		switch word {
		case "-r", "--recreate":
			action = "recreate"
		case "-d", "--delete":
			action = "delete"
		case "-m", "--migrate":
			action = "migrate"
		case "--retry":
			action = "retry"
		}
	}
	return action
}

// pauseOf is the number behind -p among the words of a hook, 0 without it.
func pauseOf(words []string) int {
	for i, word := range words {
		rest, long := strings.CutPrefix(word, "--pause")
		if !long {
			var short bool
			if rest, short = strings.CutPrefix(word, "-p"); !short {
				continue
			}
		}
		if rest == "" && i+1 < len(words) {
			rest = words[i+1]
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(rest, "=")); err == nil {
			return n
		}
	}
	return 0
}

// MinTimeout is the least TIMEOUT of a hook. With the default configuration host_error takes less than an hour: 6m
// watching (2 cycles of 180s), 30m hold, 2m for oned, 10m acting, and fencing. A hook that is killed leaves its host
// to an admin, because oned 6.0 and later does not call it again; one that hangs only takes one of ten places.
const MinTimeout = 4 * time.Hour

// Timeout is the TIMEOUT with which no working hook is ever killed: twice the sum of the longest times of its stages,
// because a host that comes back and fails again is watched again, in whole hours, and at least MinTimeout.
func Timeout(parts ...time.Duration) time.Duration {
	sum := time.Hour - 1
	for _, d := range parts {
		sum += 2 * d
	}
	return max(sum.Truncate(time.Hour), MinTimeout)
}

// plainPath is what every shell and template of oned takes as one word, unquoted.
var plainPath = text.Pattern(`^/[A-Za-z0-9/._+@-]*$`)

// plainWord is what every shell takes as one word, unquoted.
var plainWord = text.Pattern(`^[A-Za-z0-9/._+@%:=-]+$`)

// check refuses what cannot be installed on that version.
func (s Spec) check(d one.Dialect) error {
	for _, choice := range []struct {
		name, value string
		allowed     []string
	}{
		{"hosts", s.Host, []string{"recreate", "delete", "migrate", "none"}},
		{"failures", s.Failures, []string{"recreate", "retry", "delete", "none"}},
		{"unknown", s.Unknown, []string{"boot", "none"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return fmt.Errorf("%s: %s is not one of %q", choice.name, quoted(choice.value), choice.allowed)
		}
	}
	switch {
	case s.Pause < 0 || s.Pause > 1000:
		return fmt.Errorf("pause: %d monitoring cycles; allowed are 0 to 1000", s.Pause)
	case !plainPath().MatchString(s.Dir) || path.Clean(s.Dir) != s.Dir || s.Dir == "/":
		return fmt.Errorf("directory of the executables: %s; allowed is an absolute path of letters, digits and /._+@-, because a shell reads it", quoted(s.Dir))
	case s.Timeout < 0 || s.Timeout%time.Second != 0:
		return fmt.Errorf("timeout: %s; allowed are whole seconds, or 0 for %s", s.Timeout, MinTimeout)
	case s.Host == "migrate" && !d.ReschedsUnknown:
		return fmt.Errorf("hosts: OpenNebula %s cannot move VMs off a failed host; choose recreate or delete", d.Name)
	case s.Failures == "retry" && !d.CanRetry():
		return fmt.Errorf("failures: OpenNebula %s cannot retry a failed VM; choose recreate, delete or none", d.Name)
	}
	return nil
}
