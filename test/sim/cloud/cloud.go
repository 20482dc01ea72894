package cloud

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/one"
)

// Cloud is a simulated OpenNebula. All methods may be called from several
// goroutines at once.
type Cloud struct {
	cfg     Config
	fam     family
	tables  *tables
	methods map[string]method
	gate    gate
	closed  chan struct{}
	started time.Time

	mu       sync.Mutex
	isClosed bool
	hosts    map[int]*host
	hostIDs  []int // ascending
	vms      map[int]*vm
	vmIDs    []int // ascending
	pending  map[int]*vm
	resched  map[int]*vm
	hooks    []*hook
	nextHook int
	sched    *time.Timer

	threads map[string]*threads // of the drivers, when there is a Network
	actions []*action           // under way or in line
	lastSSH int
	harms   []Harm

	down         bool
	shuttingDown bool
	halfWriting  bool
	noSched      bool // the scheduler does not run
	deadlocked   bool

	rules []*activeRule
	calls []Call

	onHost     []func(HostEvent)
	onVM       []func(VMEvent)
	events     []func() // waiting for delivery, in order
	delivering bool
}

// New builds a cloud. It fails when the version is older than 4.4 or not a
// version, when two objects have one ID, and when a VM's history names a host
// or a datastore that does not exist.
func New(cfg Config) (*Cloud, error) {
	cfg = cfg.withDefaults()
	fam, err := familyOf(cfg.Version)
	if err != nil {
		return nil, fmt.Errorf("cloud: %w", err)
	}
	c := &Cloud{
		cfg: cfg, fam: fam, methods: methodsOf(fam, cfg.Version), closed: make(chan struct{}), started: time.Now(),
		hosts: map[int]*host{}, vms: map[int]*vm{}, pending: map[int]*vm{}, resched: map[int]*vm{},
		threads: map[string]*threads{"vmm": {}, "tm": {}},
	}
	c.gate.init(cfg.MaxConn)
	if c.tables, err = loadTables(fam, cfg.Network); err != nil {
		return nil, fmt.Errorf("cloud: %w", err)
	}
	c.cfg.CleanUpsHang = cfg.hang(c.tables.hang)
	if cfg.ShippedScheduler {
		c.cfg.SchedInterval = c.tables.shipped.interval
	}
	c.mu.Lock()
	defer c.unlock()
	for _, h := range cfg.Hosts {
		if err := c.addHost(h); err != nil {
			return nil, err
		}
	}
	for _, v := range cfg.VMs {
		if err := c.addVM(v); err != nil {
			return nil, err
		}
	}
	for i, id := range c.hostIDs { // one after the other: nothing happens at the very same moment
		if h := c.hosts[id]; h.State.Failed() {
			h.dead, h.death, h.errText = true, Cut, c.monitoringError(h)
			h.timer = c.after(c.cfg.MonitorInterval+time.Duration(i)*time.Millisecond, func() { c.monitor(h) })
		}
	}
	return c, nil
}

// Close stops all timers and ends the requests that still wait. Later requests
// are refused as by SetDown.
func (c *Cloud) Close() {
	c.mu.Lock()
	defer c.unlock()
	if c.isClosed {
		return
	}
	c.isClosed, c.down = true, true
	close(c.closed)
	c.endDrivers()
	for _, v := range c.vms {
		stopTimer(v.timer)
		stopTimer(v.later)
	}
	for _, h := range c.hosts {
		stopTimer(h.timer)
		stopTimer(h.lost)
		stopTimer(h.message)
	}
	stopTimer(c.sched)
}

// stopTimer stops a timer that may be nil.
func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

// after runs f with the cloud locked when d has passed, unless the cloud is
// closed by then.
func (c *Cloud) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.unlock()
		if !c.isClosed {
			f()
		}
	})
}

// HostEvent is a change of a host's state.
type HostEvent struct {
	Host        Host
	Prev, State one.HostState
}

// VMEvent is a change of a VM's state.
type VMEvent struct {
	VM        VM
	PrevState one.VMState
	PrevLCM   one.LCMState
	State     one.VMState
	LCM       one.LCMState
}

// OnHostState has f called after every change of a host's state, in order and
// one at a time, with nothing locked. The calls are made by whatever made the
// change: an API call, a timer or a method of Cloud.
func (c *Cloud) OnHostState(f func(HostEvent)) {
	c.mu.Lock()
	defer c.unlock()
	c.onHost = append(c.onHost, f)
}

// OnVMState has f called after every change of a VM's state, as OnHostState
// does for hosts.
func (c *Cloud) OnVMState(f func(VMEvent)) {
	c.mu.Lock()
	defer c.unlock()
	c.onVM = append(c.onVM, f)
}

// unlock delivers what happened and unlocks. Whoever is delivering already
// takes the new events over, so that they arrive in order.
func (c *Cloud) unlock() {
	if c.delivering {
		c.mu.Unlock()
		return
	}
	c.delivering = true
	for len(c.events) > 0 {
		event := c.events[0]
		c.events = c.events[1:]
		c.mu.Unlock()
		event()
		c.mu.Lock()
	}
	c.delivering = false
	c.mu.Unlock()
}

// Hosts gives copies of all hosts, ID ascending.
func (c *Cloud) Hosts() []Host {
	c.mu.Lock()
	defer c.unlock()
	list := make([]Host, 0, len(c.hostIDs))
	for _, id := range c.hostIDs {
		list = append(list, c.hosts[id].clone())
	}
	return list
}

// VMs gives copies of all VMs, ID ascending, those that are DONE included.
func (c *Cloud) VMs() []VM {
	c.mu.Lock()
	defer c.unlock()
	list := make([]VM, 0, len(c.vmIDs))
	for _, id := range c.vmIDs {
		list = append(list, c.vms[id].public())
	}
	return list
}

// Host gives a copy of one host; false if it does not exist.
func (c *Cloud) Host(id int) (Host, bool) {
	c.mu.Lock()
	defer c.unlock()
	h, ok := c.hosts[id]
	if !ok {
		return Host{}, false
	}
	return h.clone(), true
}

// VM gives a copy of one VM; false if it does not exist.
func (c *Cloud) VM(id int) (VM, bool) {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok {
		return VM{}, false
	}
	return v.public(), true
}

// Calls gives every request that reached the cloud, oldest first, since the
// start or the last ResetCalls.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.unlock()
	return slices.Clone(c.calls)
}

// ResetCalls forgets the requests so far.
func (c *Cloud) ResetCalls() {
	c.mu.Lock()
	defer c.unlock()
	c.calls = nil
}

// SetDown stops oned (connections are refused, nothing in the cloud moves) and
// starts it again. A start ends a deadlock, SetShuttingDown and SetHalfWriting, and takes up
// the work that stood still. Drivers with a Network end with oned, and what they were doing is not
// begun again: its VMs stay in their states.
func (c *Cloud) SetDown(down bool) {
	c.mu.Lock()
	defer c.unlock()
	if c.isClosed {
		return
	}
	c.down = down
	if down {
		c.deadlocked, c.shuttingDown, c.halfWriting = false, false, false
		c.endDrivers()
		return
	}
	for _, id := range c.vmIDs {
		if v := c.vms[id]; v.stalled {
			v.stalled = false
			c.work(v)
		}
	}
	c.wakeScheduler()
}

// SetShuttingDown makes oned answer calls for VMs with success and forget them,
// as 5.10 does while it stops.
func (c *Cloud) SetShuttingDown(on bool) {
	c.mu.Lock()
	defer c.unlock()
	c.shuttingDown = on
}

// SetHalfWriting makes recreates end after their first write: the host does not list the VM any more, and the VM is
// as it was. That is what an oned leaves that is killed in the middle (6.10, live).
func (c *Cloud) SetHalfWriting(on bool) {
	c.mu.Lock()
	defer c.unlock()
	c.halfWriting = on
}

// Deadlocked reports whether two recreates of one VM at the same moment have
// hung all calls for VMs, as they do on 4.4 and 5.10. Only SetDown ends that.
func (c *Cloud) Deadlocked() bool {
	c.mu.Lock()
	defer c.unlock()
	return c.deadlocked
}

// HostXML gives the object XML of a host as one.host.info of this version has
// it; "" if it does not exist.
func (c *Cloud) HostXML(id int) string {
	c.mu.Lock()
	defer c.unlock()
	h, ok := c.hosts[id]
	if !ok {
		return ""
	}
	return c.hostXML(h, true)
}

// VMXML gives the object XML of a VM as one.vm.info of this version has it; ""
// if it does not exist.
func (c *Cloud) VMXML(id int) string {
	c.mu.Lock()
	defer c.unlock()
	v, ok := c.vms[id]
	if !ok {
		return ""
	}
	return c.vmXML(v)
}
