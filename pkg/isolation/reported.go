package isolation

import (
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Reported is what oned says of this host.
type Reported string

// What oned can say. DISABLED is said by an admin of a host that goes on working, so it renews a lease; OFFLINE is
// said of a host that is off, and ends it.
const (
	ReportedNothing   Reported = ""
	ReportedMonitored Reported = "MONITORED"
	ReportedInit      Reported = "INIT"
	ReportedError     Reported = "ERROR"
	ReportedDisabled  Reported = "DISABLED"
	ReportedOffline   Reported = "OFFLINE"
	ReportedOther     Reported = "something unknown" // a state that no version up to 7.4 has
)

// attrQuarantine marks a host that one-ft disabled after it had failed (hostmark.AttrQuarantine).
const attrQuarantine = "FT_QUARANTINE"

// reportedOf sorts the states of a host. One in quarantine has failed: no admin wants its VMs to go on there.
func reportedOf(h one.Host) Reported {
	s := h.State
	switch {
	case s == one.HostOffline:
		return ReportedOffline
	case s.Failed(), s.SetByAdmin() && h.Template[attrQuarantine] != "":
		return ReportedError
	case s.Back():
		return ReportedMonitored
	case s.Starting():
		return ReportedInit
	case s.SetByAdmin():
		return ReportedDisabled
	}
	return ReportedOther
}

// Stale reports whether a guest of a VM that runs on a host is a stale copy, with the reason: oned has the VM on
// another host, is placing it again, or has ended it. A VM that is migrating may still run at its source.
func Stale(vm one.VM, hostID int) (why wording.Message, stale bool) {
	switch {
	case vm.State == one.Done:
		return wording.Of(wording.StaleEnded), true
	case vm.State == one.Pending, vm.State == one.Hold, vm.Is(one.CleanupResubmit):
		return wording.Of(wording.StalePlaced, vm.Status()), true
	}
	last, placed := vm.Last()
	if !placed || last.HostID == hostID {
		return why, false
	}
	if source, known := vm.Previous(); known && vm.Migrating() && source.HostID == hostID {
		return why, false
	}
	return wording.Of(wording.StaleElsewhere, last.HostID, last.Host, vm.Status()), true
}
