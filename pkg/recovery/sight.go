package recovery

import (
	"cmp"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Rest is what is done about VMs that the failure itself put to rest: monitoring found them off or suspended shortly before
// their host was called failed. "" is RestLeave.
type Rest string

// What is done about them.
const (
	RestRecover Rest = "recover" // as if they ran, once the host is proven off; else they are reported
	RestReport  Rest = "report"  // left, and named as not handled
	RestLeave   Rest = "leave"   // as those that their owners put to rest
)

// SightOf is what VMs are at a moment.
func SightOf(at time.Time, vms []one.VM) incident.Sight {
	s := incident.Sight{At: at.Truncate(time.Millisecond), VMs: make([]incident.SeenVM, 0, len(vms))}
	for _, vm := range vms {
		if last, placed := vm.Last(); placed {
			s.VMs = append(s.VMs, incident.SeenVM{ID: vm.ID, State: vm.Status(), Seq: last.Seq, Host: last.HostID})
		}
	}
	return s
}

// FirstSight is the sight that counts in an outage: that of an earlier process unless the host may have been back since,
// together with what is seen now of VMs that it has not seen. contact is when oned last monitored the host, the zero time
// where it does not tell (before 5.12): then a sight counts for so long as an incident that nobody works on.
func FirstSight(before *incident.Sight, now incident.Sight, contact time.Time, forgotten time.Duration) incident.Sight {
	if before == nil || contact.After(before.At) || contact.IsZero() && now.At.Sub(before.At) >= forgotten {
		return now
	}
	first := incident.Sight{At: before.At, VMs: slices.Clone(before.VMs)}
	for _, v := range now.VMs {
		if _, known := seenIn(first, v.ID); !known {
			first.VMs = append(first.VMs, v)
		}
	}
	return first
}

// seenIn finds a VM in a sight.
func seenIn(s incident.Sight, id int) (incident.SeenVM, bool) {
	if i := slices.IndexFunc(s.VMs, func(v incident.SeenVM) bool { return v.ID == id }); i >= 0 {
		return s.VMs[i], true
	}
	return incident.SeenVM{}, false
}

// Ran reports whether a VM was seen running, or as one that oned did not hear of any more.
func Ran(s incident.Sight, id int) bool {
	v, known := seenIn(s, id)
	return known && (v.State == one.Running.String() || v.State == one.Unknown.String())
}

// rowSeen is the row of the per-state table that a VM was in when it was seen.
func rowSeen(v incident.SeenVM) row {
	for lcm := one.LCMInit; lcm <= one.Restore; lcm++ {
		if lcm.String() == v.State {
			return rowFor(one.VM{State: one.Active, LCM: lcm})
		}
	}
	for state := one.Init; state <= one.CloningFailure; state++ {
		if state.String() == v.State {
			return rowFor(one.VM{State: state})
		}
	}
	return row{}
}

// seen is what a VM was at first sight, while its last history record is the same: what came later is about something else.
func (s Snapshot) seen(vm one.VM) (v incident.SeenVM, same bool) {
	last, placed := vm.Last()
	v, known := seenIn(s.Sight, vm.ID)
	return v, placed && known && v.Seq == last.Seq && v.Host == last.HostID
}

// rowOf is the row of the per-state table that decides about a VM, and the state that it is about: that of first sight when
// its owner had asked for something that its driver has given up since. It is RUNNING again then, or UNKNOWN.
func (s Snapshot) rowOf(vm one.VM) (row, string) {
	if v, same := s.seen(vm); same && vm.Is(one.Running, one.Unknown) {
		if was := rowSeen(v); was.asked {
			return was, v.State
		}
	}
	return rowFor(vm), vm.Status()
}

// Returned is where a VM was migrating live when it was first seen, if oned has given that up and calls it on the failed
// host again: its guest may have arrived there all the same, and a clean-up does not reach it.
func (s Snapshot) Returned(vm one.VM) (destination int, is bool) {
	last, _ := vm.Last()
	v, known := seenIn(s.Sight, vm.ID)
	return v.Host, known && v.State == one.Migrate.String() && v.Host != s.Host.ID && last.Seq > v.Seq && vm.Is(one.Running, one.Unknown)
}

// returning decides about such a VM: it is left while the other host may run it.
func (s Snapshot) returning(step Step, destination int) (Step, bool) {
	i := slices.IndexFunc(s.Hosts, func(h one.Host) bool { return h.ID == destination })
	switch {
	case i < 0 || slices.Contains(s.Cleared, destination): // it no longer exists, or is off, too
		return step, false
	case s.Hosts[i].State.Failed():
		return step.unhandled(wording.OtherEndMayRun, "to", destination, s.Hosts[i].Name), true
	}
	return step.unhandled(wording.MayHaveArrived, destination, s.Hosts[i].Name, step.VM.ID), true
}

// PutToRest reports whether monitoring, at nobody's request, made a VM POWEROFF or SUSPENDED, and when; the zero time where
// OpenNebula does not tell (5.12.0 to 5.12.8 and 6.0.0). A record that was opened for a VM at rest, such as for a disk that
// was attached to it, says that somebody knew.
//
// Where monitoring does not sign what it does (before 5.4) it is what nobody asked for: poweroff, suspend, stop and
// undeploy are written at the request. A record in which the VM never ran, as after it was moved off, says nothing.
func PutToRest(vm one.VM, d one.Dialect) (at time.Time, is bool) {
	last, placed := vm.Last()
	switch {
	case !placed || vm.State != one.Suspended && vm.State != one.Poweroff:
		return at, false
	case last.RunningEnd > 0 && last.RunningStart >= last.RunningEnd:
		return at, false
	case d.MonitorSigns:
		is = last.Action == one.ActionMonitor
	default:
		is = last.RunningEnd > 0 && !askedToRest(vm) && !(vm.State == one.Poweroff && d.MonitorSuspendsOnly)
	}
	if seconds := cmp.Or(last.RunningEnd, last.End); is && seconds > 0 {
		at = time.Unix(seconds, 0)
	}
	return at, is
}

// askedToRest reports whether the last history record of a VM has a request to stop it.
func askedToRest(vm one.VM) bool {
	last, _ := vm.Last()
	return slices.Contains([]int{one.ActionUndeploy, one.ActionUndeployHard, one.ActionStop, one.ActionSuspend, one.ActionPoweroff, one.ActionPoweroffHard}, last.Action)
}

// rested says that the failure put a VM to rest, and since when; the zero Message when it did not.
func (s Snapshot) rested(vm one.VM, p Policy) wording.Message {
	at, is := PutToRest(vm, s.Dialect)
	if p.Rest != RestRecover && p.Rest != RestReport || !is {
		return wording.Message{}
	}
	if v, same := s.seen(vm); same {
		switch was := rowSeen(v); {
		case was.asked:
			return wording.Message{} // by its owner, whatever monitoring says now
		case was.guest && at.IsZero():
			at = s.Sight.At // or a moment later
		}
	}
	switch {
	case at.IsZero():
		return wording.Of(wording.RestUndated, vm.Status())
	case s.Failed.IsZero() || at.Before(s.Failed.Add(-p.RestWindow)):
		return wording.Message{}
	case p.Rest == RestReport:
		return wording.Of(wording.RestReported, vm.Status(), at)
	case !s.Proven:
		return wording.Of(wording.RestUnproven, vm.Status(), at)
	}
	return wording.Of(wording.PutToRest, vm.Status(), at)
}

// idle decides about a VM that is not running, or is not to run, where those are left (n): decided is false for one that
// the failure put to rest, which is recovered with the reason that the step has then.
func (s Snapshot) idle(step Step, row row, state string, p Policy) (_ Step, decided bool) {
	rested := s.rested(step.VM, p)
	if rested.IsZero() && slices.Contains(s.Resumed, step.VM.ID) && !askedToRest(step.VM) {
		rested = wording.Of(wording.RestResumed)
	}
	switch {
	case row.asked:
		return step.leave(wording.StoppingLeft, state), true
	case rested.IsZero():
		return step.leave(wording.IdleLeft, state), true
	case rested.Kind != wording.PutToRest && rested.Kind != wording.RestResumed:
		return step.unhandled(rested.Kind, rested.Args...), true
	}
	step.Reason = rested
	return step, false
}

// Outage is one that is over for the host: it is monitored again.
type Outage struct {
	Sight  incident.Sight
	Failed time.Time // since when oned called the host failed
	Back   time.Time // when it was seen monitored again
	Window time.Duration
}

// seen is what a VM was then, while its last history record is the same.
func (o Outage) seen(vm one.VM) (incident.SeenVM, bool) { return Snapshot{Sight: o.Sight}.seen(vm) }

// Saw reports whether a VM was seen then, with the last history record that it has now.
func (o Outage) Saw(vm one.VM) bool {
	_, same := o.seen(vm)
	return same
}

// Rested reports whether the outage has put a VM to rest that is POWEROFF now on its host: it ran when the host was first
// seen failed, or monitoring had put it to rest shortly before. What monitoring says long after the host was back is about
// something else, such as an owner who shuts the VM down inside.
func (o Outage) Rested(vm one.VM, d one.Dialect) bool {
	at, is := PutToRest(vm, d)
	v, same := o.seen(vm)
	if !is || !same || vm.State != one.Poweroff || at.After(o.Back.Add(o.Window)) {
		return false
	}
	was := rowSeen(v)
	return was.guest || was.idle && !was.asked && !at.IsZero() && !at.Before(o.Failed.Add(-o.Window))
}

// Stopped reports whether the owner of a VM had asked for it to end or to stop then, although it is UNKNOWN now.
func (o Outage) Stopped(vm one.VM) bool {
	v, same := o.seen(vm)
	return same && rowSeen(v).asked
}
