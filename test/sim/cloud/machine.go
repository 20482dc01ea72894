package cloud

import (
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// The times that a call takes inside oned. On 5.10 and newer a recreate only
// enters oned's queue; a resume is seen to begin by its LCM_STATE first. Both
// were seen for some milliseconds.
const (
	recreateTime = 3 * time.Millisecond
	resumeTime   = 3 * time.Millisecond
)

// act does a call for a VM, as the tables say: callName as in calls.tsv,
// spoken as in texts, dest the host of a deploy or migrate.
func (c *Cloud) act(r *request, v *vm, callName, spoken string, dest *host) answer {
	row, known := c.tables.call(callName, v.state())
	if !known {
		return r.failure(codeAction, c.unsupported(spoken))
	}
	if row.refusal != "" {
		return r.failure(codeAction, strings.NewReplacer("{action}", spoken, "{state}", v.state().String(),
			"{id}", fmt.Sprint(v.ID)).Replace(row.refusal))
	}
	if c.shuttingDown {
		return success(v.ID)
	}
	if c.halfWriting && isRecreate(callName) {
		for _, id := range v.holds {
			delete(c.hosts[id].vms, v.ID)
		}
		return success(v.ID)
	}
	if isRecreate(callName) && time.Now().Before(v.recreating) && c.fam <= f510 {
		c.deadlocked = true
		return answer{hang: true}
	}
	if row.then == doEnter && row.to == active(one.CleanupResubmit) {
		return c.recreate(v, callName, row)
	}
	c.begin(v, row, dest)
	return success(v.ID)
}

// unsupported is the text for an action name that the family does not know.
func (c *Cloud) unsupported(name string) string {
	if c.fam <= f414 {
		return fmt.Sprintf("Virtual machine action %q is not supported", name)
	}
	return fmt.Sprintf("Action %q is not supported", name)
}

// isRecreate reports whether a call asks for a recreate. A second one for the
// same VM while the first is being executed hangs oned 4.4 and 5.10 for good.
func isRecreate(callName string) bool {
	return callName == "delete-recreate" || callName == "recover:4"
}

// recreate starts a recreate. From 5.10 on the work begins a moment after the
// answer, if the VM still is in a state that allows it.
func (c *Cloud) recreate(v *vm, callName string, row callRow) answer {
	if v.later != nil {
		return success(v.ID)
	}
	v.recreating = time.Now().Add(recreateTime)
	if c.fam <= f414 {
		c.begin(v, row, nil)
		return success(v.ID)
	}
	v.later = c.after(recreateTime, func() {
		v.later = nil
		if c.down || c.deadlocked {
			return
		}
		if row, _ := c.tables.call(callName, v.state()); row.refusal == "" {
			c.begin(v, row, nil)
		}
	})
	return success(v.ID)
}

// begin does what an accepted call starts.
func (c *Cloud) begin(v *vm, row callRow, dest *host) {
	// The record of a FAILED VM is closed already, and stays as it is (live 4.4.1).
	if row.action != 0 && v.last() != nil && row.then != doResume && v.state().vm != one.Failed {
		v.last().Action = row.action
	}
	driver, known := c.tables.drivers[v.state()]
	if !known && (row.then == doSucceed || row.then == doFail) {
		return
	}
	switch row.then {
	case doEnter:
		c.enter(v, row.to)
		c.work(v)
	case doDone:
		c.enter(v, state{vm: one.Done})
	case doSucceed:
		c.finish(v, driver, true)
	case doFail:
		c.finish(v, driver, false)
	case doAgain:
		c.work(v)
	case doRetry:
		if before, err := c.tables.state(strings.TrimSuffix(v.state().String(), "_FAILURE")); err == nil {
			c.enter(v, before)
			c.work(v)
		}
	case doResched, doUnresched:
		c.setResched(v, row.then == doResched)
	case doDeploy:
		c.deploy(v, dest)
	case doMove:
		c.move(v, dest, row)
	case doResume:
		c.resume(v, row)
	}
}

// deploy opens a record on a host and starts there. What became of the stay
// before decides whether stored disks are brought back
// (LifeCycleManager::deploy_action).
func (c *Cloud) deploy(v *vm, dest *host) {
	now := time.Now().Unix()
	to := active(one.Prolog)
	record := Record{HostID: dest.ID, DSID: c.systemDatastore(), STime: now, PSTime: now}
	if last := v.last(); last != nil {
		record.Seq, record.DSID = last.Seq+1, last.DSID
		switch last.Action {
		case actionStop:
			to = active(one.PrologResume)
		case actionUndeploy, actionUndeployHard:
			to = active(one.PrologUndeploy)
		}
	}
	v.History = append(v.History, record)
	delete(v.UserTemplate, schedMessage)
	c.enter(v, to)
	c.work(v)
}

// move opens a record on another host and starts a migration.
func (c *Cloud) move(v *vm, dest *host, row callRow) {
	now := time.Now().Unix()
	v.Resched = false
	record := Record{Seq: v.last().Seq + 1, HostID: dest.ID, DSID: v.last().DSID, Action: row.action, STime: now}
	if row.to != active(one.SaveMigrate) && row.to != active(one.Migrate) {
		v.last().close(now)
		record.PSTime = now
	}
	v.History = append(v.History, record)
	c.enter(v, row.to)
	c.work(v)
}

// resume opens a record on the same host and boots there. For a moment STATE
// is still the old one while LCM_STATE is the new one.
func (c *Cloud) resume(v *vm, row callRow) {
	now := time.Now()
	was, last := v.State, *v.last()
	v.History = append(v.History, Record{Seq: last.Seq + 1, HostID: last.HostID, DSID: last.DSID,
		Action: row.action, STime: now.Unix(), RSTime: now.Unix()})
	c.enter(v, row.to)
	v.shown, v.shownUntil = was, now.Add(resumeTime)
	c.work(v)
}

// enter puts a VM into a state, with everything that follows from that at
// once; work starts the driver of the state.
func (c *Cloud) enter(v *vm, to state) {
	from := v.state()
	if to == active(one.CleanupResubmit) || to == active(one.CleanupDelete) {
		v.cleanFrom = from
		c.cancelAction(v)
	}
	if to.vm == one.Pending && from.vm != one.Pending {
		v.waiting = time.Now()
	}
	stored := from.vm == one.Stopped || from.vm == one.Undeployed
	v.shownUntil = time.Time{}
	v.gen++
	stopTimer(v.timer)
	v.timer, v.stalled = nil, false
	v.State, v.LCM = to.vm, to.lcm
	c.stamp(v, from, to)
	holders := c.holdersOf(v)
	if stored && to == active(one.Epilog) {
		holders = nil // its disks are on the front-end
	}
	c.hold(v, holders)
	v.Resched = v.Resched && to == active(one.Running)
	c.index(v)
	if from != to {
		c.changed(v, from)
	}
}

// work starts the driver of the VM's state, or starts it again. It takes
// longer when it has to find out that a host is dead.
func (c *Cloud) work(v *vm) {
	driver, ok := c.tables.drivers[v.state()]
	if !ok || !driver.working() {
		return
	}
	if c.cfg.Network != "" {
		v.gen++
		if a := c.newAction(v, driver); a != nil {
			c.submit(a)
			return
		}
	}
	if c.worksOnFrozen(v) {
		return
	}
	c.workFor(v, c.stepTime(v), func() { c.finishWork(v, driver) })
}

// workFor has f called after d, unless the VM left its state or the work was
// started again by then. While oned is down or hung the work stands still.
func (c *Cloud) workFor(v *vm, d time.Duration, f func()) {
	v.gen++
	stopTimer(v.timer)
	gen := v.gen
	v.timer = c.after(d, func() {
		switch {
		case v.gen != gen:
		case c.down || c.deadlocked:
			v.stalled = true
		default:
			f()
		}
	})
}
