// Package recovery decides what to do with VMs: what is known of them goes in, a plan comes out.
//
// It never does anything: no I/O, no clock, no randomness. The same snapshot and policy always give the same plan. Its facts
// are the per-state table of the design, what live daemons accept from each state (the matrix of 4.4, 5.10, 6.10 and 7.4),
// and OpenNebula's source for the states that were not tried.
package recovery

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Mode is what the admin wants for the VMs of a failed host.
type Mode string

// The modes of host_error.
const (
	Recreate Mode = "recreate" // -r
	Delete   Mode = "delete"   // -d
	Migrate  Mode = "migrate"  // -m
)

// Verb is what will be done with one VM.
type Verb string

// The verbs of a plan.
const (
	VerbLeave          Verb = "leave"
	VerbAlready        Verb = "already being recovered"
	VerbRecreate       Verb = "recreate"
	VerbResumeRecreate Verb = "resume, then recreate"
	VerbDelete         Verb = "delete"
	VerbResched        Verb = "resched"
	VerbMigrate        Verb = "migrate"         // to Step.Target
	VerbReturn         Verb = "recover failure" // a migration goes back to its source
	VerbRetry          Verb = "retry"
	VerbBoot           Verb = "boot"
)

// Acts reports whether the verb changes the VM.
func (v Verb) Acts() bool { return v != VerbLeave && v != VerbAlready }

// Starts reports whether the verb starts the VM on another host, from its image.
func (v Verb) Starts() bool { return v == VerbRecreate || v == VerbResumeRecreate }

// Moves reports whether the verb takes the VM elsewhere as it is.
func (v Verb) Moves() bool { return v == VerbMigrate || v == VerbResched || v == VerbReturn }

// Policy is what the admin decided.
type Policy struct {
	Mode Mode
	// Idle: SUSPENDED and POWEROFF VMs are included (y, -f).
	Idle bool
	// Rest is what is done about VMs that the failure itself put to rest: within RestWindow before the host was called failed.
	Rest       Rest
	RestWindow time.Duration
	// Priorities are what owners may ask for.
	Priorities Range
}

// Snapshot is what is known when a plan is made.
type Snapshot struct {
	Dialect one.Dialect
	Host    one.Host // the failed host
	VMs     []one.VM
	// Hosts are other hosts that matter: other ends of migrations, and for -m where SUSPENDED VMs can be moved to.
	Hosts []one.Host
	// Cleared are those of them that failed, too, and whose VMs may be acted on: they were
	// proven off, or it was decided to do without a proof.
	Cleared []int
	// Leased: a lease is all that proves the host off, and it is about some guests only (cover.go). Twins are the other hosts
	// that are the same machine; they matter then.
	Leased bool
	Twins  []one.Host
	// ByLease are those of Cleared of which it is not known that the machine was off.
	ByLease []int
	// Datastores are the system datastores of the VMs, for -m.
	Datastores []one.Datastore
	// Sight is what the VMs were when the host was first seen failed, Failed since when oned has called it failed; zero
	// where that is not known.
	Sight  incident.Sight
	Failed time.Time
	// Proven: the host is certainly off.
	Proven bool
	// Resumed are VMs that this recovery has resumed to recreate them. They fall back to where they were with a record in
	// which monitoring's word is not.
	Resumed []int
}

// Step is the decision for one VM.
type Step struct {
	VM   one.VM
	Verb Verb
	// Target is the host that VerbMigrate moves the VM to, else -1.
	Target int
	// Reason says why. It is never the zero value for VerbLeave.
	Reason wording.Message
	// Unhandled: the VM stays as it is although it was to be recovered. It makes the recovery incomplete.
	Unhandled bool
	// Refused: nothing was done because it would not have been safe.
	Refused bool
	// Priority orders the plan: 100 first, 0 last.
	Priority int
	// Ignored is what was ignored of what templates ask for; the zero value for nothing.
	Ignored wording.Message
}

// NeedsProof reports whether the step comes to something once the host is off: it acts, or it is about a migration of which
// the other end has failed, too, and the end that is proven off last acts.
func (s Step) NeedsProof() bool {
	return s.Verb.Acts() || s.Reason.Kind == wording.OtherEndMayRun || s.Reason.Kind == wording.RestUnproven
}

// to is the step with another verb, and why.
func (s Step) to(verb Verb, why wording.Kind, args ...any) Step {
	s.Verb, s.Reason = verb, wording.Of(why, args...)
	return s
}

// leave is the step that leaves the VM as it is, on purpose.
func (s Step) leave(why wording.Kind, args ...any) Step { return s.to(VerbLeave, why, args...) }

// unhandled is the step that leaves the VM although it was to be recovered.
func (s Step) unhandled(why wording.Kind, args ...any) Step {
	s.Unhandled = true
	return s.leave(why, args...)
}

// Plan is the decision for a host: one step for each VM of the snapshot, in the order in which they are to be carried out.
type Plan struct{ Steps []Step }

// Make plans the recovery of a failed host, by priority, highest first, then by ID.
func Make(s Snapshot, p Policy) Plan {
	var plan Plan
	room := newRoom(s.Hosts, s.Host.ID)
	allowed, vms := p.Priorities, slices.Clone(s.VMs)
	sort.Slice(vms, func(i, j int) bool {
		a, b := vms[i], vms[j]
		return cmp.Or(cmp.Compare(priority(b, allowed), priority(a, allowed)), cmp.Compare(a.ID, b.ID)) < 0
	})
	for _, vm := range vms {
		step := s.covered(s.step(vm, p, room))
		step.Priority = priority(vm, allowed)
		plan.Steps = append(plan.Steps, step)
	}
	return plan
}

// step decides for one VM.
func (s Snapshot) step(vm one.VM, p Policy, room *room) Step {
	step := Step{VM: vm, Verb: VerbLeave, Target: -1, Ignored: ignored(vm, s.Host)}
	place := s.place(vm)
	switch api := s.Host.API(); {
	case place == elsewhere:
		last, placed := vm.Last()
		if !placed {
			return step.leave(wording.NeverPlaced)
		}
		return step.leave(wording.OtherHost, last.HostID, last.Host)
	case api != "":
		return step.leave(wording.HostIsAPI, api)
	}
	mode, reason := action(vm, s.Host, p.Mode)
	if mode == "" {
		return step.leave(reason.Kind, reason.Args...)
	}
	row, state := s.rowOf(vm)
	if row.idle && !p.Idle {
		var decided bool
		if step, decided = s.idle(step, row, state, p); decided {
			return step
		}
	}
	if end, returned := s.Returned(vm); returned && mode != Delete {
		if left, decided := s.returning(step, end); decided {
			return left
		}
	}
	rested, cell := step.Reason, row.cell(mode)
	step.Verb, step.Reason, step.Unhandled = cell.verb, wording.Of(cell.reason), cell.unhandled
	for _, more := range []wording.Message{rested, reason} {
		if step.Reason.IsZero() {
			step.Reason = more
		}
	}
	switch step.Verb {
	case verbByEnd:
		return s.migrating(step, place, p)
	case VerbRecreate:
		if vm.State != one.Active && row.idle && !s.Dialect.RecreatesIdle {
			if step.Verb = VerbResumeRecreate; rested.IsZero() {
				step.Reason = wording.Of(wording.IdleResumed, s.Dialect.Name, vm.Status())
			}
		}
	case VerbResched:
		return s.move(step, room)
	}
	return step
}

// place is where a VM is, as seen from the failed host.
type place int

const (
	elsewhere place = iota
	here            // its last history record names the host
	leaving         // it migrates away from the host: the last record names the destination
)

// place finds a VM by the host ID of its last history record, never by a name. While a VM migrates the last record names the
// destination: it still is on its source if the previous record says so or, where the answer has no previous record, if oned
// counts it there.
func (s Snapshot) place(vm one.VM) place {
	last, placed := vm.Last()
	switch {
	case !placed:
		return elsewhere
	case last.HostID == s.Host.ID:
		return here
	case !vm.Migrating():
		return elsewhere
	}
	if previous, known := vm.Previous(); known {
		if previous.HostID == s.Host.ID {
			return leaving
		}
		return elsewhere
	}
	if last.Seq > 0 && slices.Contains(s.Host.VMs, vm.ID) {
		return leaving
	}
	return elsewhere
}

// migrating decides for a VM that was migrating when an end of the migration died (design: per-state table). It is left while
// the other end may run it until that is proven off as well: whichever end is proven last recovers it.
func (s Snapshot) migrating(step Step, place place, p Policy) Step {
	off := step.VM.Is(one.PrologMigratePoweroff, one.PrologMigratePoweroffFailure, one.PrologMigrateSuspend, one.PrologMigrateSuspendFailure)
	if place == leaving {
		if off && !p.Idle {
			return step.leave(wording.WasOff)
		}
		last, _ := step.VM.Last()
		if step.VM.Is(one.Migrate) && s.mayRun(step.VM, last.HostID) {
			return step.unhandled(wording.OtherEndMayRun, "to", last.HostID, last.Host)
		}
		return step.to(VerbRecreate, wording.MigratingAway)
	}
	source, known := step.VM.Previous()
	state, seen := s.stateOf(source.HostID)
	switch {
	case s.Dialect.HasFailedState && step.VM.Is(one.PrologMigrate):
		return step.to(VerbRecreate, wording.CannotReturn, s.Dialect.Name)
	case !known:
		return step.unhandled(wording.SourceUnknown)
	case step.VM.Is(one.Migrate, one.SaveMigrate, one.PrologMigrateUnknown, one.PrologMigrateUnknownFailure) && s.mayRun(step.VM, source.HostID):
		return step.unhandled(wording.OtherEndMayRun, "from", source.HostID, source.Host)
	case !seen || state.Failed(): // any other may run it, INIT too: it was enabled a moment ago
		return step.to(VerbRecreate, wording.SourceUnavailable, source.HostID, source.Host)
	}
	return step.to(VerbReturn, wording.GoesBack, source.HostID, source.Host)
}

// mayRun reports whether the other end of a migration failed, too, and may still run the VM: the proof is not about it.
func (s Snapshot) mayRun(vm one.VM, hostID int) bool {
	state, seen := s.stateOf(hostID)
	// What another host publishes is not read; containers cannot be migrated while they run anyway.
	cleared := slices.Contains(s.Cleared, hostID) && (!slices.Contains(s.ByLease, hostID) || Leasable(vm, s.driverOf(vm), one.Host{}, s.Dialect))
	return seen && state.Failed() && !cleared
}

// stateOf gives the state of another host of the snapshot.
func (s Snapshot) stateOf(id int) (one.HostState, bool) {
	for _, h := range s.Hosts {
		if h.ID == id {
			return h.State, true
		}
	}
	return 0, false
}

// move decides how a VM is moved with -m, and whether it can be.
func (s Snapshot) move(step Step, room *room) Step {
	vm, d := step.VM, s.Dialect
	last, _ := vm.Last()
	i := slices.IndexFunc(s.Datastores, func(ds one.Datastore) bool { return ds.ID == last.DatastoreID })
	switch {
	case i < 0:
		return step.unhandled(wording.DatastoreUnknown, last.DatastoreID)
	case !s.Datastores[i].Shared:
		return step.unhandled(wording.DatastoreLocal, last.DatastoreID, s.Datastores[i].Name)
	}
	if vm.State == one.Active {
		if !d.ReschedsUnknown {
			return step.unhandled(wording.CannotMoveAway, d.Name)
		}
		return step
	}
	if vm.State == one.Poweroff && d.ReschedsPoweroff {
		return step
	}
	if !d.MigratesIdle {
		return step.unhandled(wording.CannotMove, d.Name, vm.Status())
	}
	target, found := room.take(vm, last.ClusterID, s.driverOf(vm))
	if !found {
		return step.unhandled(wording.NoHostHasRoom)
	}
	step.Target = target.ID
	return step.to(VerbMigrate, wording.MovesTo, target.ID, target.Name, vm.Status())
}

// room is the free capacity of the hosts that VMs can be moved to; it shrinks as a plan fills them.
type room struct{ hosts []one.Host }

// newRoom takes the monitored hosts, without the failed one.
func newRoom(hosts []one.Host, failed int) *room {
	return &room{slices.DeleteFunc(slices.Clone(hosts), func(h one.Host) bool { return h.ID == failed || !h.State.Back() })}
}

// take finds the host of the cluster with the most free memory that has room for the VM and runs guests of its driver, and
// reserves it there.
func (r *room) take(vm one.VM, cluster int, driver string) (one.Host, bool) {
	cpu, memory := int64(vm.CPU*100), int64(vm.Memory)*1024
	best := -1
	for i, h := range r.hosts {
		if h.ClusterID != cluster || !Runs(h, driver) || h.MaxCPU-h.UsedCPU < cpu || h.MaxMemory-h.UsedMemory < memory {
			continue
		}
		if best < 0 || h.MaxMemory-h.UsedMemory > r.hosts[best].MaxMemory-r.hosts[best].UsedMemory {
			best = i
		}
	}
	if best < 0 {
		return one.Host{}, false
	}
	r.hosts[best].UsedCPU += cpu
	r.hosts[best].UsedMemory += memory
	return r.hosts[best], true
}

// The attributes that set the policy of one VM.
const (
	attrAction   = "FT_ACTION"   // recreate, delete, migrate or none
	attrPriority = "FT_PRIORITY" // 0 to 100
)

// defaultPriority is the priority of a VM that names none.
const defaultPriority = 50

// action decides the mode for one VM: the nearest of VM, host and flag wins. The templates of a VM are written by its owner,
// who may ask for less than the admin (none), never for something else. An empty mode means leave, with the reason.
func action(vm one.VM, host one.Host, mode Mode) (Mode, wording.Message) {
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if value, set := template[attrAction]; set && isNone(value) {
			return "", wording.Of(wording.OwnerNone)
		}
	}
	value, set := host.Template[attrAction]
	switch m := Mode(strings.ToLower(strings.TrimSpace(value))); {
	case !set || m == mode || m == "":
		return mode, ignored(vm, host)
	case isNone(value):
		return "", wording.Of(wording.HostNone, host.ID)
	case m == Recreate || m == Delete || m == Migrate:
		return m, wording.Of(wording.HostAction, host.ID, m)
	}
	return mode, ignored(vm, host)
}

// ignored is what action ignores: a word that nobody knows, so that nobody has decided for anything else than the admin's mode.
// The owner of a VM may write any known word: only none counts.
func ignored(vm one.VM, host one.Host) wording.Message {
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if word, unknown := UnknownAction(template); unknown {
			return wording.Of(wording.VMActionBad, word)
		}
	}
	if word, unknown := UnknownAction(host.Template); unknown {
		return wording.Of(wording.HostActionBad, host.ID, word)
	}
	return wording.Message{}
}

// UnknownAction is the FT_ACTION of a template, quoted and printable, if it is a word that means nothing; an empty one is none
// at all.
func UnknownAction(template map[string]string) (word string, unknown bool) {
	const longest = 40
	switch value := strings.ToLower(strings.TrimSpace(template[attrAction])); Mode(value) {
	case "", "none", Recreate, Delete, Migrate:
		return "", false
	}
	return text.Quote(template[attrAction], longest), true
}

func isNone(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "none") }

// Range is what the owners of VMs may set a priority to. The zero value allows everything, 0 to 100.
type Range struct{ Min, Max int }

// priority is the order of a VM in the plan, 0 to 100, highest first.
func priority(vm one.VM, allowed Range) int {
	for _, template := range []map[string]string{vm.UserTemplate, vm.Template} {
		if n, err := strconv.Atoi(strings.TrimSpace(template[attrPriority])); err == nil {
			if allowed == (Range{}) {
				allowed.Max = 100
			}
			return min(max(n, allowed.Min), allowed.Max)
		}
	}
	return defaultPriority
}
