package cloud

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// vm is a VM with what only oned and its drivers know.
type vm struct {
	VM
	stime, etime int64
	lastPoll     int64
	deployID     string
	holds        []int // hosts where it holds capacity

	timer   *time.Timer // the driver at work
	gen     int         // which work: a timer of an older one does nothing
	stalled bool        // the work stands still: oned is down or hung

	action    *action   // of the driver at work, when there is a Network
	cleanFrom state     // before the clean-up
	cleanUps  int       // how many there were
	tries     int       // other actions of drivers so far
	waiting   time.Time // since when it is PENDING

	later      *time.Timer // a recreate that was accepted and not begun
	recreating time.Time   // until then a recreate is being executed
	shown      one.VMState // STATE that is still shown, until shownUntil
	shownUntil time.Time
}

// User template attributes that the scheduler reads and writes.
// VM.Requirements shows the first.
const (
	schedRequirements = "SCHED_REQUIREMENTS"
	schedMessage      = "SCHED_MESSAGE"
)

// public copies the VM for callers.
func (v *vm) public() VM {
	out := v.clone()
	out.Requirements = v.UserTemplate[schedRequirements]
	return out
}

// take sets what callers may set.
func (v *vm) take(in VM) {
	v.VM = in.clone()
	setDefault(&v.CPU, 1)
	setDefault(&v.MemMB, 1024)
	setDefault(&v.Name, fmt.Sprintf("one-%d", v.ID))
	if v.State != one.Active {
		v.LCM = one.LCMInit
	}
	if v.UserTemplate == nil {
		v.UserTemplate = map[string]string{}
	}
}

// require sets the scheduling requirements; "" takes them away.
func (v *vm) require(text string) {
	delete(v.UserTemplate, schedRequirements)
	if text != "" {
		v.UserTemplate[schedRequirements] = text
	}
}

// AddVM adds a VM as it stands. It fails when its ID is taken or its history
// names a host or datastore that does not exist.
func (c *Cloud) AddVM(v VM) error {
	c.mu.Lock()
	defer c.unlock()
	return c.addVM(v)
}

// addVM adds a VM.
func (c *Cloud) addVM(in VM) error {
	if _, taken := c.vms[in.ID]; taken || in.ID < 0 {
		return fmt.Errorf("cloud: VM ID %d is taken or negative", in.ID)
	}
	if err := c.checkVM(in); err != nil {
		return err
	}
	v := &vm{stime: time.Now().Unix()}
	v.take(in)
	if in.Requirements != "" {
		v.require(in.Requirements)
	}
	c.vms[v.ID] = v
	at, _ := slices.BinarySearch(c.vmIDs, v.ID)
	c.vmIDs = slices.Insert(c.vmIDs, at, v.ID)
	c.placed(v)
	return nil
}

// checkVM checks that a VM can be in this cloud.
func (c *Cloud) checkVM(in VM) error {
	for _, r := range in.History {
		if _, err := c.hostByID(r.HostID); err != nil {
			return fmt.Errorf("cloud: VM %d was on host %d, which does not exist", in.ID, r.HostID)
		}
		if _, ok := c.datastore(r.DSID); !ok {
			return fmt.Errorf("cloud: VM %d was on datastore %d, which does not exist", in.ID, r.DSID)
		}
	}
	s := in.state()
	if len(in.History) == 0 && (s.vm == one.Active || s.vm == one.Suspended || s.vm == one.Poweroff) {
		return fmt.Errorf("cloud: VM %d is %s and has no history", in.ID, s)
	}
	if (s == active(one.Migrate) || s == active(one.SaveMigrate)) && len(in.History) < 2 {
		return fmt.Errorf("cloud: VM %d is %s and has no record of where it came from", in.ID, s)
	}
	return nil
}

// UpdateVM lets f change a VM behind the clients' back. Work that a driver was
// doing for it ends when f changes its state or where it is. It fails when the
// VM does not exist or the result could not be; then nothing has changed. f
// must not call methods of Cloud.
func (c *Cloud) UpdateVM(id int, f func(*VM)) error {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok {
		return fmt.Errorf("cloud: no VM %d", id)
	}
	before, after := v.public(), v.public()
	f(&after)
	after.ID = id
	if err := c.checkVM(after); err != nil {
		return err
	}
	c.hold(v, nil)
	v.take(after)
	if after.Requirements != before.Requirements {
		v.require(after.Requirements)
	}
	if before.state() != after.state() || !slices.Equal(before.History, after.History) {
		v.stopWork()
		c.cancelAction(v)
		for _, h := range c.hosts {
			if !h.dead {
				delete(h.guests, id)
			}
		}
		c.changed(v, before.state())
		c.placed(v)
	}
	c.hold(v, c.holdersOf(v))
	c.index(v)
	return nil
}

// CrashVM ends the guest of a running VM on a healthy host; the monitoring
// reports it as UNKNOWN at once. It fails when the VM is not RUNNING.
func (c *Cloud) CrashVM(id int) error {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok || v.state() != active(one.Running) {
		return fmt.Errorf("cloud: VM %d is not RUNNING", id)
	}
	delete(c.hosts[v.last().HostID].guests, id)
	c.loseVM(v)
	return nil
}

// placed makes the rest of the cloud fit a VM that was put into its state from
// outside: capacity, indexes, and a guest where the state implies one. An
// UNKNOWN VM on a healthy host has crashed; on a dead one it may still run.
func (c *Cloud) placed(v *vm) {
	if v.last() != nil && v.deployID == "" {
		v.deployID = c.guestID(v)
	}
	c.hold(v, c.holdersOf(v))
	c.index(v)
	if v.State != one.Active {
		return
	}
	at := v.last().HostID
	if v.LCM == one.Migrate || v.LCM == one.SaveMigrate {
		at = v.previous().HostID
	}
	h := c.hosts[at]
	works := c.tables.drivers[v.state()].driver
	switch {
	case v.LCM == one.Running, works == "guest", works == "save", works == "live":
		h.guests[v.ID] = true
	case v.LCM == one.Unknown:
		if h.dead || h.State.Failed() {
			h.guests[v.ID] = true
		}
	}
}

// stopWork ends what a driver was doing for the VM.
func (v *vm) stopWork() {
	v.gen++
	stopTimer(v.timer)
	stopTimer(v.later)
	v.timer, v.later, v.stalled = nil, nil, false
	v.shownUntil = time.Time{}
}

// holdersOf lists the hosts where a VM in its state holds capacity: none while
// it is cleaned up, waits or is stored, both while a migration still saves.
func (c *Cloud) holdersOf(v *vm) []int {
	last := v.last()
	if last == nil {
		return nil
	}
	switch v.state() {
	case active(one.CleanupResubmit), active(one.CleanupDelete), active(one.Failure), active(one.LCMInit),
		active(one.DiskResizeUndeployed), active(one.HotplugSaveasUndeployed), active(one.HotplugSaveasStopped):
		return nil
	case active(one.Migrate), active(one.SaveMigrate):
		return []int{v.previous().HostID, last.HostID}
	}
	if v.State == one.Active || v.State == one.Suspended || v.State == one.Poweroff {
		return []int{last.HostID}
	}
	return nil
}

// hold makes the VM hold capacity on these hosts and no others.
func (c *Cloud) hold(v *vm, hosts []int) {
	cpu := int(v.CPU*100 + 0.5)
	for _, id := range v.holds {
		if h := c.hosts[id]; !slices.Contains(hosts, id) {
			delete(h.vms, v.ID)
			h.usedCPU -= cpu
			h.usedMem -= v.MemMB
		}
	}
	for _, id := range hosts {
		if h := c.hosts[id]; h.vms[v.ID] == nil {
			h.vms[v.ID] = v
			h.usedCPU += cpu
			h.usedMem += v.MemMB
		}
	}
	v.holds = hosts
}

// index keeps the scheduler's lists in step with a VM.
func (c *Cloud) index(v *vm) {
	delete(c.pending, v.ID)
	delete(c.resched, v.ID)
	if v.State == one.Pending {
		c.pending[v.ID] = v
	}
	if v.Resched {
		c.resched[v.ID] = v
	}
	c.wakeScheduler()
}

// setResched sets or takes away the rescheduling flag.
func (c *Cloud) setResched(v *vm, on bool) {
	if v.Resched != on {
		v.Resched = on
		c.index(v)
	}
}

// changed tells who wants to know that a VM has left a state.
func (c *Cloud) changed(v *vm, from state) {
	if len(c.onVM) == 0 {
		return
	}
	event := VMEvent{VM: v.public(), PrevState: from.vm, PrevLCM: from.lcm, State: v.State, LCM: v.LCM}
	for _, f := range c.onVM {
		c.events = append(c.events, func() { f(event) })
	}
}
