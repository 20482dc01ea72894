package cloud

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// lostDelay is the time between a host's ERROR and the UNKNOWN of its running
// VMs, as it was measured on all four versions.
const lostDelay = 100 * time.Millisecond

// host is a host with what only oned and its drivers know.
type host struct {
	Host
	dead    bool
	death   Death        // how, "" for a living host
	removed bool         // from oned, which lists and finds it no more
	off     bool         // it was switched off since it was monitored last
	guests  map[int]bool // VMs that really run on it, whatever oned believes
	vms     map[int]*vm  // VMs that hold capacity on it: what one.host.info lists
	usedCPU int          // held, 100 per core
	usedMem int          // held, MB
	lastMon int64        // last time it was monitored, in vain or not
	lastOK  int64        // last successful monitoring
	errText string
	zombies []int       // as the last successful monitoring found them
	timer   *time.Timer // next step of monitoring
	lost    *time.Timer // UNKNOWN for its VMs
	message *time.Timer // MONITORED again, see Config.HostMessage

	ssh        []*sshCommand // to it, oldest first
	master     time.Time     // until when there is a persistent connection, stale or not
	masterEnds time.Time     // when a stale one is given up, once a command has met it
}

// addHost adds a host.
func (c *Cloud) addHost(h Host) error {
	if _, taken := c.hosts[h.ID]; taken || h.ID < 0 {
		return fmt.Errorf("cloud: host ID %d is taken or negative", h.ID)
	}
	h = h.clone()
	if h.State == one.HostInit {
		h.State = one.HostMonitored
	}
	setDefault(&h.CPU, 800)
	setDefault(&h.MemMB, 16384)
	switch {
	case h.ClusterName != "" || h.Cluster < 0:
	case h.Cluster == 0:
		h.ClusterName = "default"
	default:
		h.ClusterName = "cluster" + strconv.Itoa(h.Cluster)
	}
	now := time.Now().Unix()
	c.hosts[h.ID] = &host{Host: h, guests: map[int]bool{}, vms: map[int]*vm{}, lastMon: now, lastOK: now - int64(h.FailedFor.Seconds())}
	at, _ := slices.BinarySearch(c.hostIDs, h.ID)
	c.hostIDs = slices.Insert(c.hostIDs, at, h.ID)
	return nil
}

// hostByID finds a host or says that there is none.
func (c *Cloud) hostByID(id int) (*host, error) {
	if h, ok := c.hosts[id]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("cloud: no host %d", id)
}

// Remove removes a host from oned whatever is on it, as a repaired database has it: oned itself removes only empty ones. VMs
// keep their history.
func (c *Cloud) Remove(id int) error {
	return c.withHost(id, func(h *host) { h.removed = true })
}

// withHost does something with a host.
func (c *Cloud) withHost(id int, do func(h *host)) error {
	c.mu.Lock()
	defer c.unlock()
	h, err := c.hostByID(id)
	if err == nil {
		do(h)
	}
	return err
}

// SetHostState sets a host's state as an admin does: DISABLED, OFFLINE, or INIT
// (enable), from where the next monitoring cycle goes on. Any other state is
// just set.
func (c *Cloud) SetHostState(id int, s one.HostState) error {
	return c.withHost(id, func(h *host) { c.adminState(h, s) })
}

// adminState sets a host's state from outside the monitoring.
func (c *Cloud) adminState(h *host, s one.HostState) {
	c.setHostState(h, s)
	switch {
	case s == one.HostOffline:
		stopTimer(h.timer)
		h.timer = nil
	case h.dead, s == one.HostInit, s.Failed():
		c.monitorLater(h)
	}
}

// setHostState sets a host's state and tells who wants to know.
func (c *Cloud) setHostState(h *host, s one.HostState) {
	prev := h.State
	if prev == s {
		return
	}
	h.State = s
	event := HostEvent{Host: h.clone(), Prev: prev, State: s}
	for _, f := range c.onHost {
		c.events = append(c.events, func() { f(event) })
	}
}

// monitorLater starts the next monitoring cycle of a host after one interval.
// Only hosts whose state monitoring would change have a timer.
func (c *Cloud) monitorLater(h *host) {
	stopTimer(h.timer)
	h.timer = c.after(c.cfg.MonitorInterval, func() { c.monitor(h) })
}

// monitor runs one monitoring cycle. Before 6.0 the state says that the host
// is being polled; that takes a tenth of the interval here, in which the probe
// of a dead host times out.
func (c *Cloud) monitor(h *host) {
	h.timer = nil
	switch {
	case c.down:
		c.monitorLater(h)
	case h.State == one.HostOffline:
	case !h.dead:
		c.monitored(h)
	case h.death == Frozen && c.sshTime(h).failed <= 0: // its restart hangs, too
	case c.fam >= f512:
		c.probe(h, 0, func() {})
	default:
		if polled, ok := polling(h.State); ok {
			c.setHostState(h, polled)
		}
		c.probe(h, c.cfg.MonitorInterval/10, func() {
			h.timer = c.after(c.cfg.MonitorInterval*9/10, func() { c.monitor(h) })
		})
	}
}

// probe is the part of a cycle that finds out that a dead host is dead: it takes what ssh to it
// takes, or so long without a Network. Behind it comes then.
func (c *Cloud) probe(h *host, took time.Duration, then func()) {
	end := func() {
		h.timer = nil
		if !h.dead {
			c.monitored(h)
			return
		}
		c.monitorFailed(h)
		then()
	}
	if c.cfg.Network != "" {
		took = c.sshTime(h).failed
	}
	if took == 0 {
		end()
		return
	}
	h.timer = c.after(took, end)
}

// polling gives the state of a host that is being polled (include/Host.h, 4.4
// and 5.10).
func polling(s one.HostState) (one.HostState, bool) {
	polled, ok := map[one.HostState]one.HostState{
		one.HostInit:      one.HostMonitoringInit,
		one.HostMonitored: one.HostMonitoringMonitored,
		one.HostError:     one.HostMonitoringError,
		one.HostDisabled:  one.HostMonitoringDisabled,
	}[s]
	return polled, ok
}

// monitorFailed is the end of a cycle that did not reach the host.
func (c *Cloud) monitorFailed(h *host) {
	h.lastMon = time.Now().Unix()
	switch {
	case h.State.SetByAdmin():
		c.setHostState(h, one.HostDisabled)
		if c.cfg.Network != "" {
			// Its VMs are lost all the same (Host::error_info of 4.4 and 5.10, InformationManager::_host_state).
			h.lost = c.after(lostDelay, func() { c.loseVMs(h) })
		}
		return
	case h.State == one.HostError && c.fam >= f512 && c.cfg.Network != "":
		return // _host_state does something only when the state changes
	}
	h.errText = c.monitoringError(h)
	c.setHostState(h, one.HostError)
	h.lost = c.after(lostDelay, func() { c.loseVMs(h) })
}

// monitoringError is the ERROR attribute of a host that is not reached, as
// recorded; from 6.0 on it gives no reason.
func (c *Cloud) monitoringError(h *host) string {
	detail := "Could not connect to host " + h.Name
	if c.fam >= f512 {
		detail = ""
	}
	return fmt.Sprintf("%s : Error monitoring Host %s (%d): %s", time.Now().Format(time.ANSIC), h.Name, h.ID, detail)
}

// loseVMs makes every VM that is RUNNING on a host UNKNOWN. 4.4 and 5.10 do it
// after every failed cycle, newer ones only when the host goes to ERROR.
func (c *Cloud) loseVMs(h *host) {
	if c.down || !h.dead {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(h.vms)) {
		v := h.vms[id]
		if v.state() == active(one.Running) && v.last().HostID == h.ID {
			c.loseVM(v)
		}
	}
}

// loseVM makes a running VM UNKNOWN; that takes the rescheduling flag away
// (LifeCycleManager::monitor_done_action).
func (c *Cloud) loseVM(v *vm) {
	c.setResched(v, false)
	c.enter(v, active(one.Unknown))
}

// monitored is the end of a cycle that reached the host.
func (c *Cloud) monitored(h *host) {
	now := time.Now().Unix()
	h.lastMon, h.lastOK = now, now
	h.zombies = c.zombiesOf(h)
	switch {
	case h.State == one.HostError && c.fam >= f512 && c.cfg.HostMessage > 0 && !h.off:
		c.awaitMessage(h)
	case h.State.SetByAdmin():
		h.errText = ""
		c.setHostState(h, one.HostDisabled)
	default:
		h.errText = ""
		c.setHostState(h, one.HostMonitored)
	}
	h.off = false
	for _, id := range slices.Sorted(maps.Keys(h.vms)) {
		if v := h.vms[id]; v.last().HostID == h.ID {
			c.reported(v, h.guests[id])
		}
	}
	c.wakeScheduler()
}

// reported is what the first monitoring of a host that is back means to a VM whose guest runs there, or is missing
// (InformationManager::_vm_state, LifeCycleManager::trigger_monitor_poweroff; run with 6.10.5).
func (c *Cloud) reported(v *vm, runs bool) {
	switch state := v.state(); {
	case state == active(one.Unknown) && runs:
		c.enter(v, active(one.Running))
	case runs || c.fam < f512: // before monitord nobody reports what is missing
	case state == active(one.Unknown), state == active(one.Running):
		c.rest(v, one.Poweroff)
	case state == active(one.Shutdown), state == active(one.ShutdownPoweroff), state == active(one.ShutdownUndeploy):
		c.finish(v, c.tables.drivers[state], true) // what was asked for is done, also where no driver is at work any more
	}
}

// rest is what monitoring does with a VM that it finds off or suspended: nobody asked for it (LifeCycleStates.cc,
// monitor_suspend_action, monitor_poweroff_action). It signs with action 44 since 5.4.
func (c *Cloud) rest(v *vm, to one.VMState) {
	if v.last().ETime == 0 && c.fam >= f54 {
		v.last().Action = actionMonitor
	}
	if c.fam <= f414 {
		v.last().Reason = reasonError
	}
	c.enter(v, state{vm: to})
}

// RestVM has monitoring find the guest of a running VM off or suspended. It fails where monitoring does not say that: up to
// 4.6 a guest that is gone is UNKNOWN.
func (c *Cloud) RestVM(id int, to one.VMState) error {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok || v.state() != active(one.Running) || to == one.Poweroff && c.fam == f44 {
		return fmt.Errorf("cloud: monitoring does not make VM %d %s", id, to)
	}
	delete(c.hosts[v.last().HostID].guests, id)
	c.rest(v, to)
	return nil
}

// Ask does a call for a VM as its owner would, such as terminate, or poweroff.
func (c *Cloud) Ask(call string, id int) error {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok {
		return fmt.Errorf("cloud: no VM %d", id)
	}
	row, known := c.tables.call(call, v.state())
	if !known || row.refusal != "" {
		return fmt.Errorf("cloud: %s of VM %d is refused in %s", call, id, v.state())
	}
	c.begin(v, row, nil)
	return nil
}

// MigrateLive begins to migrate a running VM live to a host, as its owner would.
func (c *Cloud) MigrateLive(id, hostID int) error {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	dest, err := c.hostByID(hostID)
	if err != nil || !ok {
		return fmt.Errorf("cloud: no VM %d, or no host %d", id, hostID)
	}
	row, known := c.tables.call("migrate:live", v.state())
	if !known || row.refusal != "" {
		return fmt.Errorf("cloud: VM %d cannot be migrated in %s", id, v.state())
	}
	c.begin(v, row, dest)
	return nil
}

// lastCycle is when healthy hosts were monitored last: they have no timer of
// their own.
func (c *Cloud) lastCycle() int64 {
	since := time.Since(c.started)
	return c.started.Add(since - since%c.cfg.MonitorInterval).Unix()
}

// regular reports whether a host is monitored in each cycle; one that is reachable again is not yet.
func (h *host) regular() bool { return !h.dead && h.timer == nil }

// zombiesOf lists the guests of a host that oned does not have there.
func (c *Cloud) zombiesOf(h *host) []int {
	if h.dead {
		return h.zombies
	}
	var list []int
	if hidesOldGuests(c.cfg.Version) {
		return list
	}
	for id := range h.guests {
		if _, mine := h.vms[id]; !mine {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// zombieNames writes zombies as the host template has them.
func (c *Cloud) zombieNames(ids []int) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = strconv.Itoa(id)
		if c.fam < f512 {
			names[i] = "one-" + names[i]
		}
	}
	return strings.Join(names, ", ")
}

// Guests lists the VMs that really run on a host, ascending, whatever oned
// believes: a VM that runs on two hosts was started twice.
func (c *Cloud) Guests(hostID int) []int {
	c.mu.Lock()
	defer c.unlock()
	h, ok := c.hosts[hostID]
	if !ok {
		return nil
	}
	return slices.Sorted(maps.Keys(h.guests))
}

// StartGuest starts a VM on a host behind oned's back, as its autostart does when the host boots.
func (c *Cloud) StartGuest(hostID, vmID int) error {
	return c.withHost(hostID, func(h *host) { h.guests[vmID] = true })
}

// StopGuest ends what runs of a VM on a host, behind oned's back.
func (c *Cloud) StopGuest(hostID, vmID int) error {
	return c.withHost(hostID, func(h *host) { delete(h.guests, vmID) })
}
