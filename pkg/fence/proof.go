package fence

import (
	"fmt"
	"time"

	"one-ft/pkg/text"
)

// Proof says that a host is off, or that an admin decided to act without proof. The zero value proves nothing. Only Prove,
// ConfirmedOff, Recalled and WithoutProof make others.
type Proof struct {
	made    bool
	hostID  int
	how     string
	by      string // in a stable word: level and its number, admin, before or nobody
	at      time.Time
	certain bool
	// commands are the programs of a site that it rests on.
	commands []string
	lease    bool
}

// Covers reports whether this is a proof or a waiver for that host.
func (p Proof) Covers(hostID int) bool { return p.made && p.hostID == hostID }

// Certain reports whether the host is off; it is false for a waiver.
func (p Proof) Certain() bool { return p.made && p.certain }

// Leased reports whether a lease is what proves it: the machine may be on, and host_isolated has stopped the guests of libvirt
// that are named one-<ID> there, and no others. Everything else proves that the machine is off, and so all of its guests.
func (p Proof) Leased() bool { return p.certain && p.lease }

// At is when the host was seen off, or when the waiver was given. It says nothing about later.
func (p Proof) At() time.Time { return p.at }

// Commands are the paths of a site's own commands that this proof rests on, alone or with others.
func (p Proof) Commands() []string { return p.commands }

// String is how it was proven, for the log and the report.
func (p Proof) String() string {
	if !p.made {
		return "no proof"
	}
	return p.how
}

// Plain is what proved it, for logs that are compared.
func (p Proof) Plain() string { return p.by }

// WithoutProof is the explicit value for acting although nothing says that the host is off: fencing was turned off, or
// nothing is configured. why is for the log.
func WithoutProof(hostID int, why string) Proof {
	return Proof{made: true, hostID: hostID, how: text.Printable(why), by: "nobody", at: time.Now()}
}

// Recalled is a proof that was made at a time before, for the same outage: nothing has been heard of the host since. how
// is what its String was.
func Recalled(hostID int, how string, at time.Time) Proof {
	return Proof{made: true, hostID: hostID, how: text.Printable(how), by: "before", at: at, certain: true}
}

// ConfirmedOff is the word of an admin that the host is off: the answer to ErrManual. by says who confirmed it.
func ConfirmedOff(hostID int, by string) Proof {
	return Proof{made: true, hostID: hostID, how: fmt.Sprintf("%s confirmed that host %d is off", text.Printable(by), hostID), by: "admin", at: time.Now(), certain: true}
}
