package install

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// Hook is one hook as a version needs it.
type Hook struct {
	Name     string // one word: oned 4.4 to 5.8 pass it on between blanks
	Resource string // "HOST" or "VM"
	// On is ERROR for hosts; UNKNOWN, FAILED or CUSTOM for VMs, CUSTOM with State and LCMState.
	On, State, LCMState string
	Command, Arguments  string
	Timeout             time.Duration // for 5.10 and later only
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

// recovers tells by whom a hook recovers VMs: "one-ft", "OpenNebula's host_error.rb", "onevm", or "" for a hook that
// does something else, such as sending mail.
func recovers(command, arguments string) string {
	if program(command) != "" {
		return "one-ft"
	}
	words := strings.Fields(command + " " + arguments)
	for i, word := range words {
		switch path.Base(word) {
		case "host_error.rb":
			return "OpenNebula's host_error.rb"
		case hostError: // behind env, sudo or an interpreter
			return "host_error"
		case "onevm":
			for _, verb := range words[i+1:] {
				switch verb {
				case "delete", "delete-recreate", "recover", "resubmit", "resched", "boot", "resume", "restart", "terminate", "shutdown":
					return "onevm " + verb
				}
			}
		}
	}
	return ""
}
