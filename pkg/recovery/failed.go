package recovery

import (
	"fmt"

	"one-ft/pkg/one"
)

// Retry asks oned to repeat what failed; for vm_failure only.
const Retry Mode = "retry"

// Single is what is known when one VM is looked at by itself.
type Single struct {
	Dialect one.Dialect
	VM      one.VM
	// Host is where the VM is by its last history record, Source where it was
	// before; nil when there is none or it no longer exists.
	Host, Source *one.Host
}

// FailurePolicy is what the admin wants for a failed VM.
type FailurePolicy struct {
	Mode Mode // Recreate, Delete or Retry
	// Force carries the mode out whatever the VM was doing when it failed.
	Force bool
}

// host is the host of the VM, or an empty one.
func (s Single) host() one.Host {
	if s.Host == nil {
		return one.Host{}
	}
	return *s.Host
}

// doing is what a VM was doing when it failed.
type doing int

const (
	notFailed doing = iota
	starting        // a first prolog or boot: there is nothing to lose but that
	resuming        // starting a stopped or undeployed VM: recreate loses its disks
	moving          // copying a migrating VM; oned can return it to its source
	restoring       // starting a migrated VM at its destination
	ending          // its owner was ending it
	stopping        // its owner was stopping or undeploying it
	cloning         // its images were being cloned
)

// whatFailed tells what a VM was doing when it failed: from its state, or on 4.x, where
// every failure ends in FAILED, from its history.
func whatFailed(vm one.VM) doing {
	switch {
	case vm.State == one.Failed:
		return fromHistory(vm)
	case vm.State == one.CloningFailure:
		return cloning
	case vm.Is(one.PrologFailure, one.BootFailure):
		return starting
	case vm.Is(one.PrologResumeFailure, one.PrologUndeployFailure, one.BootStoppedFailure, one.BootUndeployFailure):
		return resuming
	case vm.Is(one.PrologMigrateFailure, one.PrologMigratePoweroffFailure, one.PrologMigrateSuspendFailure, one.PrologMigrateUnknownFailure):
		return moving
	case vm.Is(one.BootMigrateFailure):
		return restoring
	case vm.Is(one.EpilogFailure):
		return ending
	case vm.Is(one.EpilogStopFailure, one.EpilogUndeployFailure):
		return stopping
	}
	return notFailed
}

// fromHistory reads the times and actions of the last two history records of a
// FAILED VM (src/lcm/LifeCycleStates.cc of 4.4 sets them before it fails).
func fromHistory(vm one.VM) doing {
	last, placed := vm.Last()
	if !placed {
		return starting
	}
	if last.EpilogStart > 0 {
		switch last.Action {
		case one.ActionStop, one.ActionUndeploy, one.ActionUndeployHard:
			return stopping
		}
		return ending
	}
	previous, before := vm.Previous()
	if !before {
		return starting
	}
	switch previous.Action {
	case one.ActionStop, one.ActionUndeploy, one.ActionUndeployHard:
		return resuming
	case one.ActionMigrate, one.ActionLiveMigrate:
		return moving
	}
	return starting
}

// Failure decides what vm_failure does with a VM.
func Failure(s Single, p FailurePolicy) Step {
	step := Step{VM: s.VM, Verb: VerbLeave, Target: -1, Priority: priority(s.VM, Range{})}
	leave := func(unhandled bool, format string, args ...any) Step {
		step.Verb, step.Unhandled, step.Reason = VerbLeave, unhandled, fmt.Sprintf(format, args...)
		return step
	}
	was := whatFailed(s.VM)
	if was == notFailed {
		if rowFor(s.VM).recreate.verb == VerbAlready {
			step.Verb, step.Reason = VerbAlready, "oned is placing it again"
			return step
		}
		return leave(false, "it is %s, which is not a failure", s.VM.Status())
	}
	if mode, reason := action(s.VM, s.host(), Recreate); mode == "" {
		return leave(false, "%s", reason)
	}
	if s.Host != nil && s.Host.State.Failed() && !p.Force {
		if s.VM.State != one.Failed {
			return leave(false, "its host %d (%s) is in ERROR: host_error owns its VMs", s.Host.ID, s.Host.Name)
		}
		if last, _ := s.VM.Last(); last.RunningStart > 0 {
			step.Refused = true
			return leave(true, "its host %d (%s) is in ERROR and may still run it; when the host is certainly off: vm_failure %d -%c -f",
				s.Host.ID, s.Host.Name, s.VM.ID, p.Mode[0])
		}
	}
	if p.Mode == Retry {
		if !s.Dialect.CanRetry() || s.VM.State == one.Failed {
			return leave(true, "OpenNebula %s cannot retry a failed VM; -r recreates it, -d deletes it", s.Dialect.Name)
		}
		step.Verb, step.Reason = VerbRetry, "repeats what failed in "+s.VM.Status()
		return step
	}
	if p.Mode == Delete || p.Force || was == starting {
		step.Verb = VerbRecreate
		if p.Mode == Delete {
			step.Verb = VerbDelete
		}
		return step
	}
	return s.notRecreated(step, was)
}

// notRecreated decides for a VM that is not simply recreated, because what it
// was doing when it failed says that something would be lost.
func (s Single) notRecreated(step Step, was doing) Step {
	leave := func(reason string) Step {
		step.Verb, step.Unhandled = VerbLeave, true
		step.Reason = fmt.Sprintf("%s; repeat what failed: vm_failure %d --retry; recreate it all the same: vm_failure %d -r -f", reason, s.VM.ID, s.VM.ID)
		if !s.Dialect.CanRetry() {
			step.Reason = fmt.Sprintf("%s; recreate it all the same: vm_failure %d -r -f", reason, s.VM.ID)
		}
		return step
	}
	switch was {
	case moving:
		return s.back(step, leave)
	case ending:
		if s.VM.PersistentDisks && s.Dialect.CanRetry() {
			return leave("its owner was ending it, and its persistent disks may not have been saved yet")
		}
		step.Verb, step.Reason = VerbDelete, "its owner was ending it"
		return step
	case stopping:
		return leave("its owner was stopping it, and recreating it would lose its disks")
	case resuming:
		return leave("it was being resumed, and recreating it would lose the disks that it was stopped with")
	case restoring:
		return leave("it was migrated, and recreating it would lose its disks; oned cannot return it to its source from this state")
	}
	return leave("its images could not be cloned")
}

// back returns a failed migration to its source, when there is one to return to.
func (s Single) back(step Step, leave func(string) Step) Step {
	const lost = "its migration failed, and recreating it would lose its disks"
	switch {
	case s.VM.State == one.Failed:
		return leave(lost + "; OpenNebula " + s.Dialect.Name + " cannot return it to its source")
	case s.Source == nil:
		return leave(lost + "; its source host no longer exists")
	case s.Source.State.Failed() && s.VM.Is(one.PrologMigrateUnknownFailure):
		step = leave(fmt.Sprintf("its migration failed, and its source, host %d (%s), is in ERROR and may still run it", s.Source.ID, s.Source.Name))
		step.Refused = true
		return step
	case s.Source.State.Failed() && s.VM.Is(one.PrologMigrateFailure):
		step.Verb = VerbRecreate
		step.Reason = fmt.Sprintf("its migration failed after it was saved, and its source, host %d (%s), is in ERROR", s.Source.ID, s.Source.Name)
		return step
	case s.Source.State.Failed():
		return leave(fmt.Sprintf("its migration failed, and its source, host %d (%s), is in ERROR", s.Source.ID, s.Source.Name))
	}
	step.Verb = VerbReturn
	step.Reason = fmt.Sprintf("its migration failed: it goes back to host %d (%s)", s.Source.ID, s.Source.Name)
	return step
}

// Unknown decides what vm_unknown does with a VM: boot it again if its host is
// fine. anyState includes hosts that an admin took out of service.
func Unknown(s Single, anyState bool) Step {
	step := Step{VM: s.VM, Verb: VerbLeave, Target: -1, Priority: priority(s.VM, Range{})}
	leave := func(unhandled bool, format string, args ...any) Step {
		step.Unhandled, step.Reason = unhandled, fmt.Sprintf(format, args...)
		return step
	}
	mode, reason := action(s.VM, s.host(), Recreate)
	switch {
	case s.VM.Is(one.BootUnknown):
		step.Verb, step.Reason = VerbAlready, "oned is booting it"
		return step
	case !s.VM.Is(one.Unknown):
		return leave(false, "it is %s, not UNKNOWN", s.VM.Status())
	case mode == "":
		return leave(false, "%s", reason)
	case s.Host == nil:
		return leave(true, "its host no longer exists")
	case s.Host.State.Failed():
		return leave(false, "its host %d (%s) is in ERROR: host_error owns its VMs", s.Host.ID, s.Host.Name)
	case s.Host.State.SetByAdmin() && !anyState:
		step.Refused = true
		return leave(true, "its host %d (%s) is %s; --any-state boots it all the same", s.Host.ID, s.Host.Name, s.Host.State)
	}
	step.Verb = VerbBoot
	step.Reason = fmt.Sprintf("its host %d (%s) is %s", s.Host.ID, s.Host.Name, s.Host.State)
	return step
}
