package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// stillHere looks which VMs of accepted tasks are still on the host. One call tells for all of them: the host lists its
// VMs, and a recreated VM leaves that list at once, while its own last record still names the host. A VM
// that does not move is asked for again. here is left with those, and left are the others.
func (r *permit) stillHere(ctx context.Context, here *[]*task) (left []*task) {
	if len(*here) == 0 {
		return nil
	}
	host, err := r.cloud.Host(ctx, r.hostID)
	if errors.Is(err, one.ErrNotFound) { // a host that was deleted has no VMs
		err, host.VMs = nil, nil
	}
	switch {
	case err == nil:
		var stay []*task
		for _, t := range *here {
			if slices.Contains(host.VMs, t.out.VM) {
				stay = append(stay, t)
			} else {
				left = append(left, t)
			}
		}
		*here = stay
	case ctx.Err() == nil && !one.Temporary(err):
		r.finishAll(*here, Incomplete, "accepted by oned, but whether it happened could not be read: %v", err)
		*here = nil
	}
	r.askStuck(ctx, *here)
	return left
}

// notLeft ends the tasks of VMs that have not left the host in time.
func (r *permit) notLeft(ctx context.Context, here []*task) {
	if errors.Is(ctx.Err(), context.Canceled) {
		r.finishAll(here, Incomplete, "accepted by oned, but this process was told to end before it saw what became of it")
	}
	for _, t := range here {
		if t.out.Result == "" && t.waits != "" {
			r.finish(t, Incomplete, "accepted by oned, but the VM has not left the host in time: %s", t.waits)
		}
	}
	r.finishAll(here, Incomplete, "accepted by oned, but the VM has not left the host in time")
}

// accepted are the tasks that oned accepted and that are not finished.
func accepted(tasks []*task) []*task {
	var some []*task
	for _, t := range tasks {
		if t.out.Result == "" && !t.accepted.IsZero() {
			some = append(some, t)
		}
	}
	return some
}

// finishAll ends tasks that are not finished.
func (r *runner) finishAll(tasks []*task, result Result, format string, args ...any) {
	for _, t := range tasks {
		if t.out.Result == "" {
			r.finish(t, result, format, args...)
		}
	}
}

// askStuck asks again for VMs that did not move for a while: 5.10 accepts calls
// while it shuts down and loses them, and any oned that dies loses some.
func (r *permit) askStuck(ctx context.Context, waiting []*task) {
	for _, t := range waiting {
		since := time.Since(t.accepted)
		if since < askAgain && (t.step.Verb != recovery.VerbReturn || since < fresh) {
			continue
		}
		vm, err := r.cloud.VM(ctx, t.out.VM)
		switch {
		case errors.Is(err, one.ErrNotFound):
			r.finish(t, Done, "it no longer exists")
			continue
		case err != nil || vm.Resched:
			if err == nil {
				t.waits = schedulerSays(vm)
			}
			continue // the next round reads again; the scheduler acts in its own time
		}
		again := since >= askAgain
		if vm.Status() != t.step.VM.Status() {
			// It is on its way. A return to the source takes two steps: oned first
			// turns the operation into a failure.
			again = recovery.FailedOnTheWay(vm) && t.step.Verb == recovery.VerbReturn
			if !again && vm.State == one.Active && !vm.Is(one.Unknown, one.Running) {
				t.step.VM, t.accepted = vm, time.Now()
				continue
			}
			again = again || since >= askAgain
		}
		switch {
		case !again:
		case t.asks() >= maxAsks:
			r.finish(t, Incomplete, "oned accepted it %d times, but the VM stays %s on the host; look at oned.log and onevm show %d", maxAsks, vm.Status(), t.out.VM)
		default:
			r.say(Warning, t.out.VM, "still %s on the host %.0f s after oned accepted it; asking again", vm.Status(), since.Seconds())
			t.read = time.Time{}
			r.act(ctx, t)
		}
	}
}

// asks is how often oned was asked; resuming counts with the recreate behind it.
func (t *task) asks() int {
	if t.step.Verb == recovery.VerbResumeRecreate {
		return t.out.Calls / 2
	}
	return t.out.Calls
}

// schedulerSays tells why a VM is still PENDING: in the scheduler's words, when it
// left a message.
func schedulerSays(vm one.VM) string {
	text := vm.UserTemplate["SCHED_MESSAGE"]
	switch {
	case recovery.InTurn(text):
		return fmt.Sprintf("the scheduler has not placed it yet (it says: %s)", one.Printable(text))
	case text != "":
		return fmt.Sprintf("no host has room for it (the scheduler says: %s)", one.Printable(text))
	}
	return "the scheduler has not placed it yet"
}

// arrived ends a task whose VM is where it was to be, or cannot get there.
func (r *runner) arrived(t *task, vm one.VM) {
	t.step.VM = vm
	last, _ := vm.Last()
	away := r.hostID < 0 || last.HostID != r.hostID
	switch {
	case vm.State == one.Done && t.step.Verb == recovery.VerbDelete:
		r.finish(t, Done, "deleted")
	case vm.State == one.Done && t.step.Verb == recovery.VerbRetry && strings.HasPrefix(t.out.State, "EPILOG"):
		r.finish(t, Done, "it has ended, as it was to")
	case vm.State == one.Done:
		r.finishAs(t, incident.KindEnded, Incomplete, "it ended meanwhile")
	case t.step.Verb == recovery.VerbDelete:
	case recovery.FailedOnTheWay(vm) && !t.failedBefore(vm):
		r.finishAs(t, incident.KindFailedAgain, Incomplete, "it is %s on host %d (%s)%s", vm.Status(), last.HostID, last.Host, errorOf(vm))
	case !away:
	case vm.Is(one.Running):
		r.finish(t, Done, "running on host %d (%s)", last.HostID, last.Host)
	case t.step.Verb == recovery.VerbMigrate || t.step.Verb == recovery.VerbResched || t.step.Verb == recovery.VerbReturn:
		if vm.State == one.Suspended || vm.State == one.Poweroff {
			r.finish(t, Done, "%s on host %d (%s)", vm.Status(), last.HostID, last.Host)
		}
	}
}

// failedBefore reports whether the failure is the one that the task is about: oned needs a
// moment to leave it.
func (t *task) failedBefore(vm one.VM) bool {
	return vm.Status() == t.out.State && time.Since(t.accepted) < askAgain
}

// errorOf quotes oned's reason for a failure, when it left one.
func errorOf(vm one.VM) string {
	if text := vm.UserTemplate["ERROR"]; text != "" {
		return ": " + one.Printable(text)
	}
	return ""
}
