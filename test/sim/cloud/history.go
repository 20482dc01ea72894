package cloud

import (
	"fmt"
	"time"

	"one-ft/pkg/one"
)

// Actions in history records (include/History.h of 4.4, include/VMActions.h of
// 5.10 and newer); the ones that decide what happens later.
const (
	actionUndeploy         = 5
	actionUndeployHard     = 6
	actionStop             = 9
	actionMonitor          = 44
	actionMovePoweroff     = 48
	actionMovePoweroffHard = 49
)

// Reasons in history records of 4.4 (include/History.h).
const (
	reasonError = 1
	reasonUser  = 2
)

// close ends a record and whatever of it was still under way.
func (r *Record) close(now int64) {
	for _, span := range []struct{ start, end *int64 }{
		{&r.PSTime, &r.PETime}, {&r.RSTime, &r.RETime}, {&r.ESTime, &r.EETime},
	} {
		if *span.start > 0 && *span.end == 0 {
			*span.end = now
		}
	}
	if r.ETime == 0 {
		r.ETime = now
	}
}

// stamp writes the times of a change of state into the history.
func (c *Cloud) stamp(v *vm, from, to state) {
	now := time.Now().Unix()
	if to.vm == one.Done {
		v.etime = now
	}
	last, before := v.last(), v.previous()
	if last == nil {
		return
	}
	if before != nil && (from == active(one.Migrate) || from == active(one.SaveMigrate)) {
		before.close(now)
	}
	switch to {
	case active(one.Running):
		v.lastPoll = now
		startSpan(&last.RSTime, now)
		if c.fam >= f54 && from != active(one.Migrate) && from != active(one.Unknown) {
			last.Action = 0 // clear_action in LifeCycleStates.cc
		}
	case active(one.PrologMigrate):
		startSpan(&last.PSTime, now)
	case active(one.Boot), active(one.BootMigrate), active(one.BootStopped), active(one.BootUndeploy):
		if last.PSTime > 0 {
			startSpan(&last.PETime, now)
		}
		startSpan(&last.RSTime, now)
	case active(one.Epilog), active(one.EpilogStop), active(one.EpilogUndeploy):
		if last.RSTime > 0 {
			startSpan(&last.RETime, now)
		}
		startSpan(&last.ESTime, now)
	case active(one.CleanupResubmit), active(one.CleanupDelete), active(one.Failure):
		last.close(now)
	}
	if to.vm != one.Active && to.vm != one.Pending {
		last.close(now)
	}
	if c.fam <= f414 && last.ETime > 0 && last.Reason == 0 {
		last.Reason = reasonUser
		if to == active(one.Failure) {
			last.Reason = reasonError
		}
	}
}

// startSpan sets a time that is not set yet.
func startSpan(t *int64, now int64) {
	if *t == 0 {
		*t = now
	}
}

// report writes the failure of a driver into the VM's ERROR attribute, where
// every version shows why something did not happen. A clean-up always ends
// well, but one of a dead host says what it could not do.
func (c *Cloud) report(v *vm, d driverRow, ok bool) {
	if v.last() == nil {
		return
	}
	h := c.hosts[v.last().HostID]
	if d.driver == "save" && v.previous() != nil {
		h = c.hosts[v.previous().HostID]
	}
	if ok && !(d.driver == "clean" && h.dead) {
		return
	}
	verb, doing := "SHUTDOWN", "Error shutting down VM"
	switch d.driver {
	case "boot":
		verb, doing = "DEPLOY", "Error deploying virtual machine"
	case "save", "live":
		verb, doing = "SAVE", "Error saving VM state"
	case "clean":
		verb, doing = "CLEANUP", "Error cleaning Host"
	case "copy", "move", "disks":
		verb, doing = "Error executing image transfer script", "Error executing image transfer script"
	}
	why := "operation failed"
	if d.driver == "boot" && h.guests[v.ID] && c.cfg.Network != "" {
		why = "Requested operation is not valid: domain is already active"
	}
	if h.dead {
		why = fmt.Sprintf("ssh: connect to host %s port 22: No route to host", h.Name)
	}
	if c.fam < f64 {
		verb = doing
	}
	v.UserTemplate["ERROR"] = c.fam.stamped(time.Now(), verb+": "+why)
}
