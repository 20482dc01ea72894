package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// verifyLeft waits until the VMs of accepted tasks have left the host. One call
// tells for all of them: the host lists its VMs, and a recreated VM leaves that
// list at once, while its own last record still names the host. A VM that does
// not move is asked for again.
func (r *permit) verifyLeft(ctx context.Context, tasks []*task) {
	waiting := accepted(tasks)
	for pause := firstLook; len(waiting) > 0; pause = min(2*pause, maxPause) {
		asked := time.Now()
		host, err := r.cloud.Host(ctx, r.hostID)
		took := time.Since(asked) // who is slow to answer is asked less often
		var again []*task
		switch {
		case errors.Is(err, one.ErrNotFound):
			host.VMs = nil // a host that was deleted has no VMs
			fallthrough
		case err == nil:
			again = slices.DeleteFunc(slices.Clone(waiting), func(t *task) bool { return !slices.Contains(host.VMs, t.out.VM) })
			for _, t := range waiting {
				if !slices.Contains(again, t) && r.opt.Verify != VerifyRunning {
					r.finish(t, Done, "%s", leftAs(t))
				}
			}
		case ctx.Err() == nil && !one.Temporary(err):
			r.finishAll(waiting, Incomplete, "accepted by oned, but whether it happened could not be read: %v", err)
			return
		default:
			again = waiting
		}
		waiting = again
		if len(waiting) == 0 {
			return
		}
		r.askStuck(ctx, waiting)
		waiting = accepted(waiting)
		if len(waiting) > 0 && !wait(ctx, max(pause, took)) {
			if errors.Is(ctx.Err(), context.Canceled) {
				r.finishAll(waiting, Incomplete, "accepted by oned, but this process was told to end before it saw what became of it")
			}
			for _, t := range waiting {
				if t.waits != "" {
					r.finish(t, Incomplete, "accepted by oned, but the VM has not left the host in time: %s", t.waits)
				}
			}
			r.finishAll(waiting, Incomplete, "accepted by oned, but the VM has not left the host in time")
			return
		}
	}
}

// leftAs says what has been seen of a VM that left the host.
func leftAs(t *task) string {
	switch t.step.Verb {
	case recovery.VerbDelete:
		return "gone from the host"
	case recovery.VerbReturn:
		return "back on its source host"
	case recovery.VerbResched, recovery.VerbMigrate:
		return "moved away"
	}
	return "left the host; oned starts it elsewhere"
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
			again = isFailure(vm) && t.step.Verb == recovery.VerbReturn
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

// isFailure reports whether the VM ended in a failure.
func isFailure(vm one.VM) bool {
	return vm.State == one.Failed || vm.State == one.CloningFailure || vm.Is(one.BootFailure, one.BootMigrateFailure,
		one.PrologMigrateFailure, one.PrologFailure, one.EpilogFailure, one.EpilogStopFailure, one.EpilogUndeployFailure,
		one.PrologMigratePoweroffFailure, one.PrologMigrateSuspendFailure, one.BootUndeployFailure, one.BootStoppedFailure,
		one.PrologResumeFailure, one.PrologUndeployFailure, one.PrologMigrateUnknownFailure)
}

// verifyRunning waits until the VMs of accepted tasks have arrived: they run
// elsewhere, or are gone if they were to be deleted.
func (r *runner) verifyRunning(ctx context.Context, tasks []*task) {
	waiting := accepted(tasks)
	seen := map[int]one.VM{}
	for pause := firstLook; len(waiting) > 0; pause = min(2*pause, maxPause) {
		asked := time.Now()
		for _, t := range waiting {
			vm, err := r.readForVerify(ctx, t, waiting, seen)
			if err == nil {
				r.arrived(t, vm)
			}
		}
		waiting = accepted(waiting)
		if len(waiting) > 0 && !wait(ctx, max(pause, time.Since(asked))) {
			break
		}
		clear(seen)
	}
	for _, t := range waiting {
		vm := t.step.VM
		switch {
		case vm.State == one.Pending:
			r.finish(t, Incomplete, "still PENDING: %s", schedulerSays(vm))
		default:
			r.finish(t, Incomplete, "not running in time: it is %s", vm.Status())
		}
	}
}

// namePending looks once at the VMs that left the host, and names those that no host
// has room for as far as the scheduler has said so already.
func (r *runner) namePending(ctx context.Context, tasks []*task) {
	left := map[int]*task{}
	var ids []int
	for _, t := range tasks {
		if t.out.Result == Done && (t.step.Verb == recovery.VerbRecreate || t.step.Verb == recovery.VerbResumeRecreate) {
			left[t.out.VM], ids = t, append(ids, t.out.VM)
		}
	}
	if len(ids) == 0 {
		return
	}
	vms, err := r.cloud.VMSet(ctx, ids)
	if errors.Is(err, one.ErrUnsupported) {
		vms, err = r.cloud.PendingVMs(ctx)
	}
	if err != nil {
		return // they left the host, which is what was to be seen
	}
	for _, vm := range vms {
		if t := left[vm.ID]; t != nil && vm.State == one.Pending && vm.UserTemplate["SCHED_MESSAGE"] != "" {
			t.out.Detail = "left the host, PENDING: " + schedulerSays(vm)
			r.say(Warning, vm.ID, "%s", t.out.Detail)
		}
	}
}

// schedulerSays tells why a VM is still PENDING: in the scheduler's words, when it
// left a message.
func schedulerSays(vm one.VM) string {
	if text := vm.UserTemplate["SCHED_MESSAGE"]; text != "" {
		return fmt.Sprintf("no host has room for it (the scheduler says: %s)", one.Printable(text))
	}
	return "the scheduler has not placed it yet"
}

// readForVerify reads the VM of a task, together with all others that are waited for
// where oned can do that.
func (r *runner) readForVerify(ctx context.Context, t *task, waiting []*task, seen map[int]one.VM) (one.VM, error) {
	if vm, ok := seen[t.out.VM]; ok {
		return vm, nil
	}
	if len(seen) == 0 {
		ids := make([]int, len(waiting))
		for i, w := range waiting {
			ids[i] = w.out.VM
		}
		if vms, err := r.cloud.VMSet(ctx, ids); err == nil {
			for _, vm := range vms {
				seen[vm.ID] = vm
			}
			if vm, ok := seen[t.out.VM]; ok {
				return vm, nil
			}
		}
	}
	vm, err := r.cloud.VM(ctx, t.out.VM)
	if errors.Is(err, one.ErrNotFound) {
		return one.VM{ID: t.out.VM, State: one.Done}, nil
	}
	return vm, err
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
		r.finish(t, Incomplete, "it ended meanwhile")
	case t.step.Verb == recovery.VerbDelete:
	case isFailure(vm) && !t.failedBefore(vm):
		r.finish(t, Incomplete, "it is %s on host %d (%s)%s", vm.Status(), last.HostID, last.Host, errorOf(vm))
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
