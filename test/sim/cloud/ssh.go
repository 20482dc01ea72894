package cloud

import (
	"slices"
	"time"
)

// sshCommand is an ssh of a driver that is under way.
type sshCommand struct {
	id       int
	action   *action
	host     *host
	since    time.Time // begun
	tries    time.Time // since when it connects: later than since behind a stale master
	ends     time.Time // zero: never
	connects bool      // its command runs on the host, and ends well
	timer    *time.Timer
	lost     bool   // its host died under it, when it was connected
	end      func() // ends what Config.Command runs; nil where the tables say what it takes
	broke    bool   // the thread of its driver died with it
}

// SSH is an ssh command of a driver, as ps shows it.
type SSH struct {
	ID      int // of no other command
	Host    string
	VM      int
	Command string // of tables/actions.tsv
	Since   time.Time
}

// SSHs lists the ssh commands to a host that are under way, oldest first; "" is any host.
func (c *Cloud) SSHs(hostName string) (list []SSH) {
	c.mu.Lock()
	defer c.unlock()
	for _, s := range c.sshTo(hostName) {
		list = append(list, s.seen())
	}
	return list
}

// EndSSH ends the ssh commands to a host that are under way, as killing the processes does: each
// fails at once, and its action goes on with the next command. It returns how many there were.
func (c *Cloud) EndSSH(hostName string) int {
	c.mu.Lock()
	defer c.unlock()
	list := c.sshTo(hostName)
	for _, s := range list {
		c.endSSH(s, false)
	}
	return len(list)
}

// KillSSH ends one ssh command; false when it has ended already.
func (c *Cloud) KillSSH(id int) bool {
	c.mu.Lock()
	defer c.unlock()
	for _, s := range c.sshTo("") {
		if s.id == id {
			c.endSSH(s, false)
			return true
		}
	}
	return false
}

// Masters are the names of the hosts to which there are persistent connections, stale or not.
func (c *Cloud) Masters() (names []string) {
	c.mu.Lock()
	defer c.unlock()
	for _, id := range c.hostIDs {
		if h := c.hosts[id]; h.hasMaster() {
			names = append(names, h.Name)
		}
	}
	return names
}

// EndMaster ends the persistent connection to a host, as ssh -O exit does; false when there is
// none. Commands that it held up connect by themselves.
func (c *Cloud) EndMaster(hostName string) bool {
	c.mu.Lock()
	defer c.unlock()
	found := false
	for _, id := range c.hostIDs {
		h := c.hosts[id]
		if h.Name != hostName || !h.hasMaster() {
			continue
		}
		found = true
		h.master, h.masterEnds = time.Time{}, time.Time{}
		for _, s := range slices.Clone(h.ssh) {
			if s.tries.After(time.Now()) {
				c.connect(s)
			}
		}
	}
	return found
}

// LeaveMaster is what an admin or another program leaves behind that has just used ssh to the host
// with the settings of the drivers: a persistent connection. Releases before 5.12 have none.
func (c *Cloud) LeaveMaster(id int) error {
	c.mu.Lock()
	defer c.unlock()
	h, err := c.hostByID(id)
	if err == nil && c.masters() {
		h.master = time.Now().Add(controlPersist)
	}
	return err
}

// SetFailFast sets Config.FailFast.
func (c *Cloud) SetFailFast(f func(hostName string) bool) {
	c.mu.Lock()
	defer c.unlock()
	c.cfg.FailFast = f
}

// sshTo lists the commands to a host that are under way.
func (c *Cloud) sshTo(hostName string) (list []*sshCommand) {
	for _, id := range c.hostIDs {
		if h := c.hosts[id]; hostName == "" || h.Name == hostName {
			list = append(list, h.ssh...)
		}
	}
	slices.SortStableFunc(list, func(a, b *sshCommand) int { return a.since.Compare(b.since) })
	return list
}

// step is the command of the action.
func (s *sshCommand) step() step { return s.action.steps[s.action.at] }

// hasMaster reports whether there is a persistent connection to the host, stale or not.
func (h *host) hasMaster() bool { return time.Now().Before(h.master) }

// beginSSH runs the next command of an action.
func (c *Cloud) beginSSH(a *action) {
	c.lastSSH++
	s := &sshCommand{id: c.lastSSH, action: a, host: a.steps[a.at].host, since: time.Now()}
	a.command = s
	s.host.ssh = append(s.host.ssh, s)
	if c.cfg.Command != nil {
		c.run(s)
		return
	}
	if c.cfg.FailFast != nil && c.cfg.FailFast(s.host.Name) {
		s.tries = s.since
		c.endsIn(s, c.tables.ssh[rowFailFast].ssh, false)
		return
	}
	c.connect(s)
}

// connect has a command connect to its host from now on.
func (c *Cloud) connect(s *sshCommand) {
	now, took := time.Now(), c.sshTime(s.host).ssh
	s.tries = now
	switch {
	case took < 0:
		c.hangs(s)
		return
	case s.host.dead && s.host.hasMaster():
		// The first one that needs the master after the death finds out that it is stale, for all.
		if s.host.masterEnds.IsZero() {
			s.host.masterEnds = now.Add(c.faster(c.tables.ssh[rowStaleMaster].ssh))
			s.host.master = s.host.masterEnds
		}
		s.tries = s.host.masterEnds
	}
	if peer := s.action.peer; peer != nil && peer.dead && !s.host.dead {
		c.losesPeer(s, migrationConnects*c.sshTime(peer).ssh)
		return
	}
	c.endsIn(s, time.Until(s.tries)+took, !s.host.dead)
}

// hangs is a command without an end.
func (c *Cloud) hangs(s *sshCommand) {
	stopTimer(s.timer)
	s.timer, s.ends, s.connects = nil, time.Time{}, false
}

// endsIn says when a command ends, and how.
func (c *Cloud) endsIn(s *sshCommand, d time.Duration, connects bool) {
	stopTimer(s.timer)
	d += s.action.vm.apart()
	s.ends, s.connects = time.Now().Add(d), connects
	s.timer = c.after(d, func() { c.endSSH(s, s.connects) })
}

// removeSSH takes a command out of those under way.
func (c *Cloud) removeSSH(s *sshCommand) {
	stopTimer(s.timer)
	if s.end != nil {
		s.end()
	}
	s.host.ssh = slices.DeleteFunc(s.host.ssh, func(o *sshCommand) bool { return o == s })
	s.action.command = nil
}

// endSSH is the end of a command, and of the action when it may not fail.
func (c *Cloud) endSSH(s *sshCommand, connected bool) {
	a := s.action
	if a.command != s {
		return
	}
	c.removeSSH(s)
	done := a.steps[a.at]
	a.at++
	switch {
	case connected:
		if a.spoiled {
			c.takesBack(a)
		}
		if c.masters() {
			s.host.master, s.host.masterEnds = time.Now().Add(controlPersist), time.Time{}
		}
		c.did(a, done)
	case s.broke, c.breaksPipe(s, done):
		if c.losesThreads() {
			return
		}
		c.dropAction(a)
		c.startActions(a.on)
		return
	case done.mayFail:
		c.endAction(a, false)
		return
	}
	c.nextCommand(a)
}

// breaksPipe reports whether the driver writes to an ssh that has ended: the thread dies of the broken pipe, and oned
// waits for ever (OpenNebula issue 7155). Each action of the driver of VMs writes what oned has told of the VM behind its first command,
// so also a deploy, save, shutdown or migration that was begun after its host died ends so (run with 6.10.5: 5 of 5). Where ssh was connected
// already the command itself fails and oned is told, unless another step follows: only a clean-up goes on.
func (c *Cloud) breaksPipe(s *sshCommand, done step) bool {
	a := s.action
	if !done.stream || s.lost && done.mayFail {
		return false
	}
	return c.breaks(a.vm.ID, a.attempt)
}

// migrationConnects is how often the script of a live migration connects to the host where the guest is to arrive: for the migration, and when that
// has failed to destroy and to undefine what may have arrived (src/vmm_mad/remotes/kvm/migrate).
const migrationConnects = 3

// losesPeer is what the loss of the other host means to a live migration: the script on the source finds out after a while, negative for never, and fails.
func (c *Cloud) losesPeer(s *sshCommand, after time.Duration) {
	s.action.spoiled = true
	if after < 0 {
		c.hangs(s)
		s.connects = true
		return
	}
	c.endsIn(s, after, true)
}

// migrationsTo lists the commands of live migrations to a host that run on sources that live.
func (c *Cloud) migrationsTo(h *host) (list []*sshCommand) {
	for _, a := range c.actions {
		if a.peer == h && a.command != nil && a.command.connects && a.command.end == nil {
			list = append(list, a.command)
		}
	}
	return list
}

// sshReachable is what a host that is reachable again means to the commands that connect to it.
func (c *Cloud) sshReachable(h *host) {
	now, alive := time.Now(), c.tables.ssh[rowAlive].ssh
	for _, s := range c.migrationsTo(h) {
		if s.action.spoiled && (s.ends.IsZero() || s.ends.After(now.Add(peerReset))) {
			c.endsIn(s, peerReset, true)
		}
	}
	for _, s := range h.ssh {
		switch {
		case s.connects, s.end != nil:
		case s.ends.IsZero():
			c.endsIn(s, alive, true) // it thaws
		case s.tries.After(now):
			c.endsIn(s, s.tries.Sub(now)+alive, true)
		default:
			for _, again := range c.retransmissions() {
				if at := s.tries.Add(again); at.After(now) && at.Before(s.ends) {
					c.endsIn(s, at.Sub(now)+alive, true)
					break
				}
			}
		}
	}
}

// sshLost is what the death of a host means to the commands that run on it.
func (c *Cloud) sshLost(h *host) {
	for _, s := range c.migrationsTo(h) {
		after := c.faster(c.tables.ssh[rowPeerLost].ssh)
		if h.death == Frozen {
			after = never
		}
		c.losesPeer(s, after)
	}
	for _, s := range h.ssh {
		switch {
		case !s.connects:
		case h.death == Frozen: // it is connected already, so nothing bounds it
			c.hangs(s)
		default:
			s.lost = true
			c.endsIn(s, c.faster(c.tables.ssh[rowLost].ssh), false)
		}
	}
}
