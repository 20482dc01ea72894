package recovery

import (
	"cmp"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Retry asks oned to repeat what failed; for vm_failure only.
const Retry Mode = "retry"

// Single is what is known when one VM is looked at on its own.
type Single struct {
	Dialect one.Dialect
	VM      one.VM
	// Host is where the VM is by its last history record, Source where it was before; nil for none, or none any more.
	Host, Source *one.Host
	// Rested: the VM ran when its host failed, so that one that monitoring found POWEROFF is booted as if it were UNKNOWN.
	Rested bool
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

// api is the service that the host of the VM stands for, when that cannot be reached; "" for none.
func (s Single) api() string {
	if !s.host().State.Failed() {
		return ""
	}
	return s.host().API()
}

// foreign reports whether OpenNebula cannot start the VM again: see Foreign.
func (s Single) foreign() bool {
	last, _ := s.VM.Last()
	return Foreign(s.VM, cmp.Or(last.Driver, s.host().VMDriver), s.Dialect)
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

// whatFailed tells what a VM was doing when it failed: from its state, or on 4.x, where all end in FAILED, from its history.
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

// fromHistory reads the last two history records of a FAILED VM (set before it fails: src/lcm/LifeCycleStates.cc of 4.4).
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

// step is the one that leaves the VM.
func (s Single) step() Step {
	return Step{VM: s.VM, Verb: VerbLeave, Target: -1, Priority: priority(s.VM, Range{}), Ignored: ignored(s.VM, s.host())}
}

// Failure decides what vm_failure does with a VM.
func Failure(s Single, p FailurePolicy) Step {
	step := s.step()
	was := whatFailed(s.VM)
	if was == notFailed {
		if rowFor(s.VM).recreate.verb == VerbAlready {
			return step.to(VerbAlready, wording.PlacedAgain)
		}
		return step.leave(wording.NotAFailure, s.VM.Status())
	}
	if mode, reason := action(s.VM, s.host(), Recreate); mode == "" {
		return step.leave(reason.Kind, reason.Args...)
	}
	if api := s.api(); api != "" {
		step.Unhandled, step.Refused = p.Force, p.Force
		return step.leave(wording.HostIsAPI, api)
	}
	if s.Host != nil && s.Host.State.Failed() && !p.Force {
		if s.VM.State != one.Failed {
			return step.leave(wording.HostOwnsIt, s.Host.ID, s.Host.Name)
		}
		if last, _ := s.VM.Last(); last.RunningStart > 0 {
			step.Refused = true
			return step.unhandled(wording.HostMayRunIt, s.Host.ID, s.Host.Name, s.VM.ID, p.Mode[:1])
		}
	}
	switch {
	case p.Mode == Retry && (!s.Dialect.CanRetry() || s.VM.State == one.Failed):
		return step.unhandled(wording.CannotRetry, s.Dialect.Name)
	case p.Mode == Retry:
		return step.to(VerbRetry, wording.Repeats, s.VM.Status())
	case p.Mode == Delete:
		step.Verb = VerbDelete
		return step
	case s.foreign():
		return step.unhandled(wording.Imported)
	case p.Force || was == starting:
		step.Verb = VerbRecreate
		return step
	}
	return s.notRecreated(step, was)
}

// notRecreated decides for a VM that is not simply recreated, because what it
// was doing when it failed says that something would be lost.
func (s Single) notRecreated(step Step, was doing) Step {
	loses := wording.LosesNoRetry
	if s.Dialect.CanRetry() {
		loses = wording.LosesSomething
	}
	leave := func(kind wording.Kind, args ...any) Step {
		return step.unhandled(loses, wording.Of(kind, args...), s.VM.ID)
	}
	switch was {
	case moving:
		return s.back(step, leave)
	case ending:
		if s.VM.PersistentDisks && s.Dialect.CanRetry() {
			return leave(wording.LoseUnsaved)
		}
		return step.to(VerbDelete, wording.OwnerEnding)
	case stopping:
		return leave(wording.LoseStopping)
	case resuming:
		return leave(wording.LoseResumed)
	case restoring:
		return leave(wording.LoseMigrated)
	}
	return leave(wording.NotCloned)
}

// back returns a failed migration to its source, when there is one to return to.
func (s Single) back(step Step, leave func(wording.Kind, ...any) Step) Step {
	switch {
	case s.VM.State == one.Failed:
		return leave(wording.MigrationVersion, s.Dialect.Name)
	case s.Source == nil:
		return leave(wording.MigrationNoSource)
	case s.Source.State.Failed() && s.VM.Is(one.PrologMigrateUnknownFailure):
		step = leave(wording.SourceMayRun, s.Source.ID, s.Source.Name)
		step.Refused = true
		return step
	case s.Source.State.Failed() && s.VM.Is(one.PrologMigrateFailure):
		return step.to(VerbRecreate, wording.SourceFailedSaved, s.Source.ID, s.Source.Name)
	case s.Source.State.Failed():
		return leave(wording.SourceFailed, s.Source.ID, s.Source.Name)
	}
	return step.to(VerbReturn, wording.MigrationReturns, s.Source.ID, s.Source.Name)
}

// Unknown decides what vm_unknown does with a VM: boot it again if its host is fine. anyState includes one that an admin set.
func Unknown(s Single, anyState bool) Step {
	step := s.step()
	mode, reason := action(s.VM, s.host(), Recreate)
	switch {
	case s.VM.Is(one.BootUnknown), s.Rested && s.VM.Is(one.BootPoweroff):
		return step.to(VerbAlready, wording.Booting)
	case !s.VM.Is(one.Unknown) && !s.restedHere():
		return step.leave(wording.NotUnknown, s.VM.Status())
	case mode == "":
		return step.leave(reason.Kind, reason.Args...)
	case s.Host == nil:
		return step.unhandled(wording.HostGone)
	case s.api() != "":
		return step.leave(wording.HostIsAPI, s.api())
	case s.Host.State.Failed():
		return step.leave(wording.HostOwnsIt, s.Host.ID, s.Host.Name)
	case s.foreign() && s.Host.API() == "":
		return step.unhandled(wording.Imported)
	case s.Host.State.SetByAdmin() && !anyState:
		step.Refused = true
		return step.unhandled(wording.HostOutOfReach, s.Host.ID, s.Host.Name, s.Host.State)
	}
	return step.to(VerbBoot, wording.HostIs, s.Host.ID, s.Host.Name, s.Host.State)
}

// restedHere reports whether the VM is one that an outage has put to rest on its host.
func (s Single) restedHere() bool {
	_, is := PutToRest(s.VM, s.Dialect)
	return s.Rested && is && s.VM.State == one.Poweroff
}
