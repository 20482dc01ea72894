package failover

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
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
		r.finishAll(*here, Incomplete, wording.ResultUnread, err)
		*here = nil
	}
	r.askStuck(ctx, *here)
	return left
}

// notLeft ends the tasks of VMs that have not left the host in time.
func (r *permit) notLeft(ctx context.Context, here []*task) {
	if errors.Is(ctx.Err(), context.Canceled) {
		r.finishAll(here, Incomplete, wording.ToldToEnd)
	}
	for _, t := range here {
		if t.out.Result == "" && !t.waits.IsZero() {
			r.finish(t, Incomplete, wording.NotLeftWaits, t.waits)
		}
	}
	r.finishAll(here, Incomplete, wording.NotLeft)
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
func (r *runner) finishAll(tasks []*task, result Result, kind wording.Kind, args ...any) {
	for _, t := range tasks {
		if t.out.Result == "" {
			r.finish(t, result, kind, args...)
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
			r.finish(t, Done, wording.Gone)
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
			r.finish(t, Incomplete, wording.StaysOnHost, maxAsks, vm.Status(), t.out.VM)
		default:
			r.say(t.out.VM, wording.AskedLater, vm.Status(), int(since.Round(time.Second).Seconds()))
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
func schedulerSays(vm one.VM) wording.Message {
	says := vm.UserTemplate["SCHED_MESSAGE"]
	switch {
	case recovery.InTurn(says):
		return wording.Of(wording.NotTurn, text.Printable(says))
	case says != "":
		return wording.Of(wording.NoRoom, text.Printable(says))
	}
	return wording.Of(wording.NotPlaced)
}

// arrived ends a task whose VM is where it was to be, or cannot get there.
func (r *runner) arrived(t *task, vm one.VM) {
	t.step.VM = vm
	last, _ := vm.Last()
	away := r.hostID < 0 || last.HostID != r.hostID
	switch {
	case vm.State == one.Done && t.step.Verb == recovery.VerbDelete:
		r.finish(t, Done, wording.Deleted)
	case vm.State == one.Done && t.step.Verb == recovery.VerbRetry && strings.HasPrefix(t.out.State, "EPILOG"):
		r.finish(t, Done, wording.EndedWanted)
	case vm.State == one.Done:
		r.finish(t, Incomplete, wording.Ended)
	case t.step.Verb == recovery.VerbDelete:
	case recovery.FailedOnTheWay(vm) && !t.failedBefore(vm):
		r.finish(t, Incomplete, wording.FailedAgain, wording.Of(wording.FailedThere, vm.Status(), last.HostID, last.Host, errorOf(vm)))
	case !away:
	case vm.Is(one.Running):
		r.finish(t, Done, wording.Running, last.HostID, last.Host)
	case t.step.Verb == recovery.VerbMigrate || t.step.Verb == recovery.VerbResched || t.step.Verb == recovery.VerbReturn:
		if vm.State == one.Suspended || vm.State == one.Poweroff {
			r.finish(t, Done, wording.Moved, vm.Status(), last.HostID, last.Host)
		}
	}
}

// failedBefore reports whether the failure is the one that the task is about: oned needs a
// moment to leave it.
func (t *task) failedBefore(vm one.VM) bool {
	return vm.Status() == t.out.State && time.Since(t.accepted) < askAgain
}

// errorOf quotes oned's reason for a failure, when it left one.
func errorOf(vm one.VM) wording.Quote { return wording.Quote(vm.UserTemplate["ERROR"]) }
