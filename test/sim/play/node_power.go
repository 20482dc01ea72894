package play

import "time"

// powerOff takes the power; by says who did it.
func (n *node) powerOff(by string) {
	n.mu.Lock()
	was := n.power
	n.power, n.frozen = false, false
	clear(n.disks)
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
	n.mu.Unlock()
	n.world.must(n.world.cloud.PowerOff(n.id))
	if was && by != "" {
		n.world.log.add(rankHost, by, -1, "%s is off now", n.name())
	}
	n.world.audit.look()
}

// cut takes the network.
func (n *node) cut() {
	n.mu.Lock()
	n.network = false
	n.mu.Unlock()
	n.world.must(n.world.cloud.FailHost(n.id))
}

// heal gives power and network back; a host that was off boots without guests.
func (n *node) heal() {
	n.mu.Lock()
	booting := !n.power
	n.power, n.network = true, true
	clear(n.cutFrom)
	clear(n.dark)
	n.mu.Unlock()
	if n.thaw() && n.world.spec.isolated[n.id] {
		n.watch() // it goes on, with the memory that it has on its disk
	}
	if booting {
		n.boot()
	}
	n.world.reach(n)
}

// wake boots the host, which has no network then.
func (n *node) wake() {
	n.powerOff("")
	n.mu.Lock()
	n.power, n.network = true, false
	n.mu.Unlock()
	n.boot()
}

// boot begins a new life of the host.
func (n *node) boot() {
	n.mu.Lock()
	n.boots++
	n.booted = time.Now()
	again := n.boots > 1
	n.mu.Unlock()
	for _, vm := range n.world.spec.autostart[n.id] {
		if again {
			n.world.must(n.world.cloud.StartGuest(n.id, vm))
		}
	}
	if n.world.spec.isolated[n.id] {
		n.watch()
	}
}

// freeze stops everything on the host that is no kernel: nothing says so, guests stand still, and host_isolated
// with them. It goes on when the host is back.
func (n *node) freeze() {
	n.mu.Lock()
	frozen := n.power && !n.frozen
	n.frozen = n.frozen || frozen
	if frozen && n.stop != nil {
		n.stop()
		n.stop = nil
	}
	n.mu.Unlock()
	if frozen {
		n.world.must(n.world.cloud.FreezeHost(n.id))
	}
}

// thaw reports whether the host was frozen, and ends that.
func (n *node) thaw() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.frozen
	n.frozen = false
	return was
}

// standsStill reports whether the host is frozen, and has its power and network.
func (n *node) standsStill() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.frozen && n.power && n.network
}

// reconnect gives the network back; a host without power stays off, and a frozen one frozen.
func (n *node) reconnect() {
	n.mu.Lock()
	n.network = true
	clear(n.cutFrom)
	still := n.frozen && n.power
	n.mu.Unlock()
	if still {
		n.world.must(n.world.cloud.FreezeHost(n.id))
		return
	}
	n.world.reach(n)
}
