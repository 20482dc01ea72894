package isolation

import "one-ft/pkg/one"

// Says is what oned says of this host.
type Says string

// What oned can say. DISABLED is said by an admin of a host that goes on working, so it
// renews a lease; OFFLINE is said of a host that is off, and ends it.
const (
	SaysNothing   Says = ""
	SaysMonitored Says = "MONITORED"
	SaysInit      Says = "INIT"
	SaysError     Says = "ERROR"
	SaysDisabled  Says = "DISABLED"
	SaysOffline   Says = "OFFLINE"
	SaysOther     Says = "something unknown" // a state that no version up to 7.4 has
)

// attrQuarantine marks a host that one-ft disabled after it had failed (recovery.AttrQuarantine).
const attrQuarantine = "FT_QUARANTINE"

// saysOf sorts the states of a host. One in quarantine has failed: no admin wants its VMs to go on there.
func saysOf(h one.Host) Says {
	s := h.State
	switch {
	case s.SetByAdmin() && s != one.HostOffline && h.Template[attrQuarantine] != "":
		return SaysError
	case s.Back():
		return SaysMonitored
	case s.Starting():
		return SaysInit
	case s.Failed():
		return SaysError
	case s == one.HostOffline:
		return SaysOffline
	case s.SetByAdmin():
		return SaysDisabled
	}
	return SaysOther
}
