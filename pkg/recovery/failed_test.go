package recovery

import (
	"testing"

	"one-ft/pkg/one"
)

// single puts a VM on host 1, in the given state, after host 2 if it has two records.
func single(t *testing.T, version string, vm one.VM, host, source one.HostState) Single {
	t.Helper()
	s := Single{Dialect: dialect(t, version), VM: vm}
	if _, placed := vm.Last(); placed {
		s.Host = &one.Host{ID: 1, Name: "node1", State: host}
	}
	if _, before := vm.Previous(); before {
		s.Source = &one.Host{ID: 2, Name: "node2", State: source}
	}
	return s
}

// failedBy is a FAILED VM of 4.x with the times and actions that tell what it was doing.
func failedBy(previousAction, action int, running, epilog int64) one.VM {
	vm := on(one.Failed, 0, 1)
	if previousAction > 0 {
		vm = on(one.Failed, 0, 2, 1)
		vm.History[0].Action = previousAction
	}
	last := &vm.History[len(vm.History)-1]
	last.Action, last.PrologStart, last.RunningStart, last.EpilogStart = action, 1, running, epilog
	return vm
}

func TestFailure(t *testing.T) {
	persistent := active(one.EpilogFailure, 1)
	persistent.PersistentDisks = true
	const ok, bad = one.HostMonitored, one.HostError
	for _, c := range []struct {
		what         string
		version      string
		vm           one.VM
		host, source one.HostState
		r, d, retry  string // "!" unhandled, "?" refused
	}{
		{"first prolog", "6.10.0", active(one.PrologFailure, 1), ok, ok, "recreate", "delete", "retry"},
		{"first boot", "5.10.6", active(one.BootFailure, 1), ok, ok, "recreate", "delete", "retry"},
		{"migration", "5.10.6", active(one.PrologMigrateFailure, 2, 1), ok, ok, "recover failure", "delete", "retry"},
		{"migration of a powered-off VM", "6.10.0", active(one.PrologMigratePoweroffFailure, 2, 1), ok, ok, "recover failure", "delete", "retry"},
		{"migration of an UNKNOWN VM", "7.4.1", active(one.PrologMigrateUnknownFailure, 2, 1), ok, ok, "recover failure", "delete", "retry"},
		{"migration, source dead", "6.10.0", active(one.PrologMigrateFailure, 2, 1), ok, bad, "recreate", "delete", "retry"},
		{"migration of an UNKNOWN VM, source dead", "6.10.0", active(one.PrologMigrateUnknownFailure, 2, 1), ok, bad, "leave!?", "delete", "retry"},
		{"migration of a powered-off VM, source dead", "6.10.0", active(one.PrologMigratePoweroffFailure, 2, 1), ok, bad, "leave!", "delete", "retry"},
		{"boot of a migrated VM", "6.10.0", active(one.BootMigrateFailure, 2, 1), ok, ok, "leave!", "delete", "retry"},
		{"epilog", "6.10.0", active(one.EpilogFailure, 1), ok, ok, "delete", "delete", "retry"},
		{"epilog with persistent disks", "6.10.0", persistent, ok, ok, "leave!", "delete", "retry"},
		{"epilog of a stop", "6.10.0", active(one.EpilogStopFailure, 1), ok, ok, "leave!", "delete", "retry"},
		{"prolog of a stopped VM", "6.10.0", active(one.PrologResumeFailure, 1), ok, ok, "leave!", "delete", "retry"},
		{"boot of an undeployed VM", "6.10.0", active(one.BootUndeployFailure, 1), ok, ok, "leave!", "delete", "retry"},
		{"cloning", "6.10.0", on(one.CloningFailure, 0), ok, ok, "leave!", "delete", "retry"},
		{"host in ERROR", "6.10.0", active(one.BootFailure, 1), bad, ok, "leave", "leave", "leave"},
		{"host just polled again, 5.10", "5.10.6", active(one.BootFailure, 1), one.HostMonitoringError, ok, "leave", "leave", "leave"},
		{"4.4 prolog", "4.4.1", failedBy(0, 0, 0, 0), ok, ok, "recreate", "delete", "leave!"},
		{"4.4 boot", "4.4.1", failedBy(0, 0, 2, 0), ok, ok, "recreate", "delete", "leave!"},
		{"4.4 after a recreate", "4.4.1", failedBy(14, 0, 2, 0), ok, ok, "recreate", "delete", "leave!"},
		{"4.4 migration", "4.4.1", failedBy(one.ActionMigrate, 0, 0, 0), ok, ok, "leave!", "delete", "leave!"},
		{"4.4 resume of a stopped VM", "4.4.1", failedBy(one.ActionStop, 0, 0, 0), ok, ok, "leave!", "delete", "leave!"},
		{"4.4 epilog", "4.4.1", failedBy(0, 3, 2, 3), ok, ok, "delete", "delete", "leave!"},
		{"4.4 epilog of a stop", "4.4.1", failedBy(0, one.ActionStop, 2, 3), ok, ok, "leave!", "delete", "leave!"},
		{"4.4 prolog, host in ERROR: no guest was ever started", "4.4.1", failedBy(0, 0, 0, 0), bad, ok, "recreate", "delete", "leave!"},
		{"4.4 boot, host in ERROR: the guest may run", "4.4.1", failedBy(0, 0, 2, 0), bad, ok, "leave!?", "leave!?", "leave!?"},
		{"running", "6.10.0", active(one.Running, 1), ok, ok, "leave", "leave", "leave"},
		{"placed again", "6.10.0", on(one.Pending, 0, 1), ok, ok, "already being recovered", "already being recovered", "already being recovered"},
	} {
		for mode, want := range map[Mode]string{Recreate: c.r, Delete: c.d, Retry: c.retry} {
			got := describe(Failure(single(t, c.version, c.vm, c.host, c.source), FailurePolicy{Mode: mode}))
			if got != want {
				t.Errorf("%s, %s: %s, want %s", c.what, mode, got, want)
			}
		}
	}
}

func describe(s Step) string {
	text := string(s.Verb)
	if s.Unhandled {
		text += "!"
	}
	if s.Refused {
		text += "?"
	}
	if s.Verb == VerbLeave && s.Reason.IsZero() {
		text += " without a reason"
	}
	return text
}

func TestForceRecreatesWhateverItWasDoing(t *testing.T) {
	for _, vm := range []one.VM{active(one.PrologMigrateFailure, 2, 1), active(one.EpilogFailure, 1), active(one.BootStoppedFailure, 1)} {
		step := Failure(single(t, "6.10.0", vm, one.HostError, one.HostError), FailurePolicy{Mode: Recreate, Force: true})
		if step.Verb != VerbRecreate {
			t.Errorf("%s: %s (%s)", vm.Status(), step.Verb, step.Reason)
		}
	}
	step := Failure(single(t, "6.10.0", active(one.Running, 1), one.HostMonitored, one.HostMonitored), FailurePolicy{Mode: Recreate, Force: true})
	if step.Verb != VerbLeave {
		t.Errorf("-f recreates a VM that has not failed: %s", step.Verb)
	}
}

func TestFailureHonoursTheOwner(t *testing.T) {
	vm := active(one.BootFailure, 1)
	vm.UserTemplate = attribute("FT_ACTION", "none")
	if got := describe(Failure(single(t, "6.10.0", vm, one.HostMonitored, 0), FailurePolicy{Mode: Recreate})); got != "leave" {
		t.Errorf("FT_ACTION = none: %s", got)
	}
}

func TestUnknown(t *testing.T) {
	for _, c := range []struct {
		what string
		vm   one.VM
		host one.HostState
		any  bool
		want string
	}{
		{"crashed", active(one.Unknown, 1), one.HostMonitored, false, "boot"},
		{"crashed, host being polled", active(one.Unknown, 1), one.HostMonitoringMonitored, false, "boot"},
		{"host in ERROR", active(one.Unknown, 1), one.HostError, false, "leave"},
		{"host in ERROR, polled again", active(one.Unknown, 1), one.HostMonitoringError, true, "leave"},
		{"host disabled", active(one.Unknown, 1), one.HostDisabled, false, "leave!?"},
		{"host offline", active(one.Unknown, 1), one.HostOffline, false, "leave!?"},
		{"host disabled, --any-state", active(one.Unknown, 1), one.HostDisabled, true, "boot"},
		{"running again", active(one.Running, 1), one.HostMonitored, false, "leave"},
		{"being booted", active(one.BootUnknown, 1), one.HostMonitored, false, "already being recovered"},
		{"powered off", on(one.Poweroff, 0, 1), one.HostMonitored, false, "leave"},
	} {
		if got := describe(Unknown(single(t, "4.4.1", c.vm, c.host, 0), c.any)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	s := single(t, "6.10.0", active(one.Unknown, 1), one.HostMonitored, 0)
	s.Host = nil
	if got := describe(Unknown(s, false)); got != "leave!" {
		t.Errorf("host deleted: %s", got)
	}
}
