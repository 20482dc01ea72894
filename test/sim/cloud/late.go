package cloud

import (
	"slices"
	"time"

	"one-ft/pkg/one"
)

// HarmKind is what was destroyed.
type HarmKind string

// What may be destroyed while oned believes that all is well.
const (
	// DisksDeleted: a clean-up that oned no longer waits for has connected after all, and removed
	// the disks of the copy that runs now.
	DisksDeleted HarmKind = "disks deleted"
	// GuestEnded: such a clean-up has ended the guest that runs now.
	GuestEnded HarmKind = "guest ended"
	// DiskOverwritten: the prolog has written the disk of a guest that was still running there.
	DiskOverwritten HarmKind = "disk overwritten"
	// OldGuest: oned says RUNNING of the guest from before the recreate.
	OldGuest HarmKind = "old guest"
)

// Harm is something that should never happen; nobody in the cloud tells of it.
type Harm struct {
	Kind HarmKind
	VM   int
	Host int // where the copy runs that was harmed
	At   time.Time
}

// Harms lists all harm so far, oldest first. Only a cloud with a Network has any.
func (c *Cloud) Harms() []Harm {
	c.mu.Lock()
	defer c.unlock()
	return slices.Clone(c.harms)
}

// harm notes harm.
func (c *Cloud) harm(kind HarmKind, vmID, hostID int) {
	c.harms = append(c.harms, Harm{kind, vmID, hostID, time.Now()})
}

// did is the effect of a command that has run on its host. Whether oned still waits for the
// clean-up makes no difference to it.
func (c *Cloud) did(a *action, s step) {
	if a.driver.driver != "clean" {
		return
	}
	switch s.command {
	case cancelCommand:
		c.cancelGuest(a, s.host)
	case deleteCommand:
		c.deleteDisk(a, s.host)
	}
}

// takesBack is what the script of a live migration does that has failed: it destroys what is called one-ID on the
// host where the guest was to arrive, whichever guest that is by then.
func (c *Cloud) takesBack(a *action) {
	if !a.peer.dead {
		c.cancelGuest(a, a.peer)
	}
}

// late reports whether oned has gone on without the action, and the VM has been deployed since.
func (a *action) late() bool {
	return a.vm.gen != a.gen && a.vm.last().Seq > a.seq && len(a.vm.holds) > 0
}

// cancelGuest ends the guest one-ID of a host, whichever it is.
func (c *Cloud) cancelGuest(a *action, h *host) {
	v := a.vm
	if v.last() != nil && a.late() && v.last().HostID == h.ID && h.guests[v.ID] {
		c.harm(GuestEnded, v.ID, h.ID)
		if v.state() == active(one.Running) {
			c.loseVM(v)
		}
	}
	delete(h.guests, v.ID)
}

// deleteDisk removes what is on the path of the VM: on a shared datastore that is the disk of
// the VM wherever it is now.
func (c *Cloud) deleteDisk(a *action, h *host) {
	v := a.vm
	if a.harmed || v.last() == nil || !a.late() || v.last().DSID != a.ds {
		return
	}
	if ds, _ := c.datastore(a.ds); ds.Shared || v.last().HostID == h.ID {
		a.harmed = true
		c.harm(DisksDeleted, v.ID, v.last().HostID)
	}
}
