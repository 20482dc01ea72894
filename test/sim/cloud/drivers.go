package cloud

import (
	"time"

	"one-ft/pkg/one"
)

// stepTime is how long the driver at work takes.
func (c *Cloud) stepTime(v *vm) time.Duration {
	for _, r := range []*Record{v.last(), v.previous()} {
		if r != nil && c.hosts[r.HostID].dead {
			return c.cfg.DeadStep
		}
		if v.LCM != one.Migrate && v.LCM != one.SaveMigrate {
			break
		}
	}
	return c.cfg.Step
}

// finishWork ends the work of a driver that really ran.
func (c *Cloud) finishWork(v *vm, driver driverRow) {
	c.finishWith(v, driver, !c.fails(v, driver))
}

// finishWith is finishWork of a driver that reports ok or failure.
func (c *Cloud) finishWith(v *vm, driver driverRow, ok bool) {
	ok = c.meetsZombie(v, ok)
	if ok && driver.driver == "boot" && c.cfg.Network != "" {
		v.deployID = c.guestID(v)
	}
	c.guestsAfter(v, driver, ok)
	c.report(v, driver, ok)
	c.finish(v, driver, ok)
	if !ok && v.state() == active(one.Running) && c.fam <= f510 {
		// oned polls a VM that it could not stop (POLL in LifeCycleStates.cc).
		c.workFor(v, c.cfg.Step, func() {
			if h := c.hosts[v.last().HostID]; h.dead || !h.guests[v.ID] {
				c.loseVM(v)
			}
		})
	}
}

// fails reports whether a driver fails now.
func (c *Cloud) fails(v *vm, d driverRow) bool {
	last := v.last()
	if last == nil {
		return false
	}
	here, source := c.hosts[last.HostID].dead, false
	if before := v.previous(); before != nil {
		source = c.hosts[before.HostID].dead
	}
	ds, _ := c.datastore(last.DSID)
	switch {
	case d.prolog && v.PrologFails, d.boot && v.BootFails:
		return true
	case d.unshared && source && !ds.Shared:
		return true
	case !d.dead, d.driver == "disks" && len(v.holds) == 0: // those of a stored VM are on the front-end
		return false
	case d.driver == "save":
		return source
	case d.driver == "live":
		return source || here
	default:
		return here
	}
}

// guestsAfter keeps track of what really runs where.
func (c *Cloud) guestsAfter(v *vm, d driverRow, ok bool) {
	if v.last() == nil {
		return
	}
	here := c.hosts[v.last().HostID]
	leave := func(h *host) {
		if !h.dead {
			delete(h.guests, v.ID)
		}
	}
	switch {
	case !ok:
	case d.driver == "boot":
		here.guests[v.ID] = true
	case d.driver == "guest" && d.success != active(one.Running):
		leave(here)
	case d.driver == "save":
		leave(c.hosts[v.previous().HostID])
	case d.driver == "live":
		leave(c.hosts[v.previous().HostID])
		here.guests[v.ID] = true
	case d.driver == "clean" && c.cfg.Network != "": // its commands did what could be done
	case d.driver == "clean":
		leave(here)
		if before := v.previous(); before != nil {
			leave(c.hosts[before.HostID])
		}
	}
}

// finish takes a VM on as if the driver at work had reported ok or failure.
func (c *Cloud) finish(v *vm, d driverRow, ok bool) {
	cleaned := v.state() == active(one.CleanupResubmit)
	next := d.failure
	switch {
	case ok && v.poweredForMove():
		next = d.powered
	case ok:
		next = d.success
	case d.revert:
		c.revert(v)
	}
	c.enter(v, next)
	if cleaned && c.fam >= f58 {
		v.deployID = "" // DispatchManager::resubmit_action
	}
	c.work(v)
}

// revert takes a VM back to the host that it was to leave, in a new record
// (LifeCycleManager::revert_migrate_after_failure).
func (c *Cloud) revert(v *vm) {
	now := time.Now().Unix()
	source := *v.previous()
	v.previous().close(now)
	v.last().close(now)
	v.History = append(v.History, Record{Seq: v.last().Seq + 1, HostID: source.HostID, DSID: source.DSID,
		STime: now, RSTime: now})
}

// poweredForMove reports whether the last record is a migration that powered
// the VM off.
func (v *vm) poweredForMove() bool {
	return v.last() != nil && (v.last().Action == actionMovePoweroff || v.last().Action == actionMovePoweroffHard)
}
