package cloud

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// FailHost cuts a host off: nothing reaches it any more, its guests go on
// running. One monitoring interval later oned notices: on 4.4 and 5.10 the
// states go 2, 1, 3, 5, 3, 5 and on, on 6.10 and 7.4 from 2 to 3. A host that an
// admin has disabled never becomes ERROR.
func (c *Cloud) FailHost(id int) error { return c.KillHost(id, Cut) }

// PowerOff is FailHost, and the guests of the host are gone.
func (c *Cloud) PowerOff(id int) error {
	c.mu.Lock()
	defer c.unlock()
	h, err := c.hostByID(id)
	if err != nil {
		return err
	}
	clear(h.guests)
	h.off = true
	c.cutOff(h, Cut)
	return nil
}

// cutOff makes a host dead.
func (c *Cloud) cutOff(h *host, how Death) {
	if !h.dead {
		h.zombies = c.zombiesOf(h)
		h.lastOK = max(h.lastOK, c.lastCycle())
		h.lastMon = h.lastOK
		h.dead = true
	}
	if h.death != Unreachable || how != Cut {
		h.death = how // its router goes on saying so
	}
	c.sshLost(h)
	stopTimer(h.message)
	h.message = nil
	if h.timer == nil {
		phase := c.cfg.Stagger * time.Duration(slices.Index(c.hostIDs, h.ID)) / time.Duration(max(1, len(c.hostIDs)-1))
		h.timer = c.after(c.cfg.MonitorInterval+phase, func() { c.monitor(h) })
	}
}

// HealHost makes a host reachable again. One monitoring interval later it is
// MONITORED, VMs that still run there go back to RUNNING, and guests that oned
// has somewhere else meanwhile are its ZOMBIES.
func (c *Cloud) HealHost(id int) error {
	c.mu.Lock()
	defer c.unlock()
	h, err := c.hostByID(id)
	if err != nil {
		return err
	}
	if !h.dead {
		return nil
	}
	h.dead, h.death = false, ""
	c.sshReachable(h)
	c.monitorLater(h)
	for _, id := range c.vmIDs {
		if v := c.vms[id]; v.stalled && !c.down {
			v.stalled = false
			c.work(v)
		}
	}
	return nil
}

// FreezeHost stops everything on a host that is no kernel: its guests are there and stand still,
// connections are taken and nothing answers. oned never says ERROR of it, on no release: the restart of the
// monitoring hangs as well. A frozen host that loses its power or network is dead as any other;
// what hangs on it goes on hanging. HealHost has it go on.
func (c *Cloud) FreezeHost(id int) error { return c.KillHost(id, Frozen) }

// KillHost is FailHost with the way in which the host dies; without a Network all but Frozen are the same.
func (c *Cloud) KillHost(id int, how Death) error {
	c.mu.Lock()
	defer c.unlock()
	h, err := c.hostByID(id)
	if err != nil {
		return err
	}
	if !slices.Contains([]Death{Cut, Unreachable, Refused, Frozen, Unmonitored}, how) {
		return fmt.Errorf("cloud: hosts do not die of %q", how)
	}
	if how == Frozen && h.off {
		return nil // there is nothing that could stand still
	}
	c.cutOff(h, how)
	return nil
}

// DeathOf finds a host by its name: its ID, and how it died, "" for one that lives.
func (c *Cloud) DeathOf(name string) (id int, how Death, known bool) {
	c.mu.Lock()
	defer c.unlock()
	for _, id := range c.hostIDs {
		if h := c.hosts[id]; h.Name == name {
			return id, h.death, true
		}
	}
	return -1, "", false
}

// worksOnFrozen reports whether a driver would work on a frozen host, and so for ever. Only
// without a Network: the commands of one hang by themselves.
func (c *Cloud) worksOnFrozen(v *vm) bool {
	for _, r := range []*Record{v.last(), v.previous()} {
		if r != nil && c.hosts[r.HostID].death == Frozen {
			v.stalled = true
			return true
		}
		if v.LCM != one.Migrate && v.LCM != one.SaveMigrate {
			break
		}
	}
	return false
}

// awaitMessage leaves a host in ERROR that can be reached again: only the next SYSTEM_HOST message
// changes its state (InformationManager::_host_system, Host::update_info).
func (c *Cloud) awaitMessage(h *host) {
	stopTimer(h.message)
	h.message = c.after(max(0, c.cfg.HostMessage-c.cfg.MonitorInterval), func() {
		h.message = nil
		if h.State == one.HostError && !h.dead {
			h.lastOK, h.lastMon, h.errText = time.Now().Unix(), time.Now().Unix(), ""
			c.setHostState(h, one.HostMonitored)
		}
	})
}
