package cloud

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// driverThreads is how many actions a driver does at once, for all hosts together (oned.conf, the
// arguments "-t 15" of VM_MAD and TM_MAD in all releases); the others wait in line.
const driverThreads = 15

// threads are those of one driver.
type threads struct {
	busy int
	line []*action
}

// The commands of actions.tsv that have an effect of their own on a host.
const (
	cancelCommand = "cancel"
	deleteCommand = "delete"
)

// actionRow is one row of actions.tsv.
type actionRow struct {
	from           callRow // matches the state before a clean-up
	states         string
	threads        string
	command, times string
	where          string
	mayFail        bool // the action ends with it
	stream         bool // the driver writes into its ssh
}

// addAction takes the columns work, from, threads, command, times, host, fails, stream.
func (t *tables) addAction(col []string) error {
	for name := range strings.SplitSeq(col[1], ",") {
		if _, err := t.state(name); err != nil && name != "*" {
			return err
		}
	}
	row := actionRow{from: callRow{from: "," + col[1] + ","}, states: col[1], threads: col[2], command: col[3], times: col[4], where: col[5], mayFail: col[6] == "yes", stream: col[7] == "yes"}
	known := []string{"vmm", "tm", "1", "disk", "disk+1", "deployed", "here", "source", "unshared", "unshared-here", "yes", "no"}
	for _, word := range []string{col[2], col[4], col[5], col[6], col[7]} {
		if !slices.Contains(known, word) {
			return fmt.Errorf("unknown word %q", word)
		}
	}
	t.actions[col[0]] = append(t.actions[col[0]], row)
	return nil
}

// action gives the rows of an action; none for work that no driver does over ssh. from counts for
// clean-ups.
func (t *tables) action(work string, from state) (rows []actionRow) {
	for _, row := range t.actions[work] {
		if len(rows) == 0 && row.from.matches(from) || len(rows) > 0 && rows[0].states == row.states {
			rows = append(rows, row)
		}
	}
	return rows
}

// step is a command of an action.
type step struct {
	command string
	host    *host
	mayFail bool
	stream  bool // one ssh for all steps of the action, into which the driver writes
}

// action is what a thread of a driver does for a VM. oned hears of its end only while the VM
// is where it was when the action began: see late.go for what happens else.
type action struct {
	vm      *vm
	gen     int // of the VM: which work this is
	driver  driverRow
	on      *threads
	steps   []step
	at      int
	command *sshCommand // at work, nil while it waits in line
	timer   *time.Timer // of the work behind the last command
	attempt int         // which clean-up of the VM this is; negative: which other action
	peer    *host       // of a live migration: where the guest is to arrive
	spoiled bool        // the peer was lost: it fails, whatever comes
	seq, ds int         // of the record that it works on
	host    int         // that the driver was given
	harmed  bool
}

// newAction puts an action together; nil when no ssh belongs to it.
func (c *Cloud) newAction(v *vm, d driverRow) *action {
	rows := c.tables.action(d.driver, v.cleanFrom)
	if c.cfg.Network == "" || len(rows) == 0 || v.last() == nil {
		return nil
	}
	a := &action{vm: v, gen: v.gen, driver: d, on: c.threads[rows[0].threads], seq: v.last().Seq, ds: v.last().DSID, host: v.last().HostID}
	if d.driver == "clean" {
		v.cleanUps++
		a.attempt = v.cleanUps
	} else {
		v.tries++
		a.attempt = -v.tries
	}
	if d.driver == "live" {
		a.peer = c.hosts[a.host]
	}
	for _, row := range rows {
		h := c.hostOf(v, row)
		for range timesOf(v, row) {
			if h != nil {
				a.steps = append(a.steps, step{row.command, h, row.mayFail, row.stream})
			}
		}
	}
	return a
}

// hostOf is where a command runs; nil for nowhere.
func (c *Cloud) hostOf(v *vm, row actionRow) *host {
	source := v.previous()
	ds, _ := c.datastore(v.last().DSID)
	switch {
	case row.where == "here" && row.command == deleteCommand && len(v.holds) == 0 && v.LCM == one.Epilog:
		return nil // the disks of a stored VM are on the front-end
	case row.where == "unshared-here" && ds.Shared:
		return nil
	case row.where == "here", row.where == "unshared-here":
		return c.hosts[v.last().HostID]
	case source == nil, row.where == "unshared" && ds.Shared:
		return nil
	}
	return c.hosts[source.HostID]
}

// timesOf is how often a command runs. A VM without any DISK section stands for one with a disk.
func timesOf(v *vm, row actionRow) int {
	switch row.times {
	case "disk":
		return max(1, len(v.Disks))
	case "disk+1":
		return max(1, len(v.Disks)) + 1
	case "deployed":
		if v.deployID == "" {
			return 0
		}
	}
	return 1
}

// submit gives an action to its driver.
func (c *Cloud) submit(a *action) {
	a.vm.action = a
	c.actions = append(c.actions, a)
	a.on.line = append(a.on.line, a)
	c.startActions(a.on)
}

// startActions begins actions that wait, as far as there are threads. Up to 6.2 the driver of VMs works on one action of
// a host at a time (VirtualMachineDriver.rb get_runable_action_single_host; "-p" is in VM_MAD of oned.conf since 6.4).
func (c *Cloud) startActions(on *threads) {
	for on.busy < driverThreads {
		i := slices.IndexFunc(on.line, func(a *action) bool { return on != c.threads["vmm"] || c.fam >= f64 || !c.worksOn(a.host, on) })
		if i < 0 {
			return
		}
		a := on.line[i]
		on.line = slices.Delete(on.line, i, i+1)
		on.busy++
		c.nextCommand(a)
	}
}

// worksOn reports whether a driver works on an action of a host.
func (c *Cloud) worksOn(host int, on *threads) bool {
	return slices.ContainsFunc(c.actions, func(a *action) bool { return a.on == on && a.host == host && !slices.Contains(on.line, a) })
}

// nextCommand goes on with an action. What the driver does itself (Config.Step) comes behind
// the last command.
func (c *Cloud) nextCommand(a *action) {
	if a.at < len(a.steps) {
		c.beginSSH(a)
		return
	}
	a.timer = c.after(c.cfg.Step+a.vm.apart(), func() { c.endAction(a, true) })
}

// apart keeps VMs whose actions began at the same moment from ending at the same moment.
func (v *vm) apart() time.Duration { return time.Duration(v.ID%1000) * vmsApart }

// endAction frees the thread and tells oned.
func (c *Cloud) endAction(a *action, ok bool) {
	c.dropAction(a)
	switch {
	case a.vm.gen != a.gen: // oned has gone on without it
	case c.down || c.deadlocked:
		a.vm.stalled = true
	default:
		c.finishWith(a.vm, a.driver, ok && !a.spoiled && !c.fails(a.vm, a.driver))
	}
	c.startActions(a.on)
}

// dropAction ends an action of which nobody hears: its thread is free again.
func (c *Cloud) dropAction(a *action) {
	i := slices.Index(c.actions, a)
	if i < 0 {
		return
	}
	c.actions = slices.Delete(c.actions, i, i+1)
	if waiting := slices.Index(a.on.line, a); waiting >= 0 {
		a.on.line = slices.Delete(a.on.line, waiting, waiting+1)
	} else {
		a.on.busy--
	}
	stopTimer(a.timer)
	if a.command != nil {
		c.removeSSH(a.command)
	}
	if a.vm.action == a {
		a.vm.action = nil
	}
}

// Unanswered lists the VMs in a clean-up that no thread of a driver works on or has in line any more: oned
// waits for ever.
func (c *Cloud) Unanswered() (ids []int) {
	c.mu.Lock()
	defer c.unlock()
	for _, id := range c.vmIDs {
		if v := c.vms[id]; v.action == nil && v.State == one.Active && (v.LCM == one.CleanupResubmit || v.LCM == one.CleanupDelete) {
			ids = append(ids, id)
		}
	}
	return ids
}

// cancelAction is the driver_cancel of oned: a recreate or delete ends what a thread does for the
// VM (ActionManager.cancel_action).
func (c *Cloud) cancelAction(v *vm) {
	if a := v.action; a != nil {
		c.dropAction(a)
		c.startActions(a.on)
	}
}

// endDrivers ends all actions: drivers are processes of oned and go with it (DriverManager::stop). oned
// begins nothing again when it starts; VirtualMachineManagerDriver::recover writes a line into the log.
func (c *Cloud) endDrivers() {
	for _, a := range slices.Clone(c.actions) {
		c.dropAction(a)
	}
}
