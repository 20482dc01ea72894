package cloud

import (
	"time"

	"one-ft/pkg/one"
)

// oldGuestTime is the time from the BOOT_FAILURE of a VM whose old guest runs on the host to
// RUNNING, by the word of the monitoring (opennebula.md).
const oldGuestTime = 2 * time.Second

// meetsZombie takes care of a VM that was deployed where a guest of it runs already: the prolog
// overwrites the disk of that guest, and the boot fails, "domain is already active". It gives whether the work
// is still well.
func (c *Cloud) meetsZombie(v *vm, ok bool) bool {
	if c.cfg.Network == "" || !ok || v.last() == nil {
		return ok
	}
	here := c.hosts[v.last().HostID]
	if !here.guests[v.ID] || here.dead {
		return ok
	}
	switch v.state() {
	case active(one.Prolog):
		c.harm(DiskOverwritten, v.ID, here.ID)
	case active(one.Boot):
		c.reportOldGuest(v, here)
		return false
	}
	return ok
}

// reportOldGuest has the monitoring find the old guest of a VM that failed to boot. FAILED of 4.4
// is no state of a VM on a host, so nothing comes of it there.
func (c *Cloud) reportOldGuest(v *vm, here *host) {
	stay := v.last().Seq
	c.after(oldGuestTime+v.apart(), func() {
		if c.down || here.dead || !here.guests[v.ID] || v.state() != active(one.BootFailure) || v.last().Seq != stay {
			return
		}
		c.harm(OldGuest, v.ID, here.ID)
		v.deployID = c.guestID(v)
		c.enter(v, active(one.Running))
	})
}
