package failover

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// perform acts on the tasks and verifies, within the time that Options give.
func (r *permit) perform(ctx context.Context, tasks []*task) {
	if r.opt.DryRun {
		for _, t := range tasks {
			if !r.finishPlanned(t) {
				t.out.Result = r.foreseen()
			}
		}
		return
	}
	r.planned(tasks)
	r.rec.Stage(incident.StepAct)
	r.bar(ctx, tasks)
	defer r.open()
	limits, timeout := r.needs(ctx, tasks)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.quarantine(ctx, tasks)
	r.actAll(ctx, tasks)
	r.rec.Stage(incident.StepVerify)
	switch {
	case r.hostID < 0 && r.opt.Request.Verify == VerifyNone:
		r.finishAll(inFlight(tasks), Done, wording.Accepted)
	case r.hostID < 0: // verifySingle looks
	case r.opt.Request.Verify == VerifyNone:
		r.finishAll(inFlight(tasks), Starting, wording.Accepted)
	default:
		r.follow(ctx, tasks, limits)
	}
}

// planned writes down what will be done with each VM before the first is touched: whoever goes on after this process knows all.
func (r *runner) planned(tasks []*task) {
	all := make([]incident.VM, len(tasks))
	for i, t := range tasks {
		if len(t.out.Path) == 0 && t.out.State != "?" {
			t.out.Path = []incident.Hop{{At: time.Now().Truncate(time.Millisecond), State: t.out.State, Host: r.hostID}}
		}
		all[i] = t.out.record()
	}
	r.tellIgnored(tasks)
	r.journal.VMs(all)
	r.rec.Flush()
}

// tellIgnored says which words of templates are ignored, that of the host once.
func (r *runner) tellIgnored(tasks []*task) {
	host := false
	for _, t := range tasks {
		m, vm := t.step.Ignored, t.out.VM
		if m.IsZero() || !t.step.Verb.Acts() {
			continue
		}
		if m.Kind == wording.HostActionBad {
			if host {
				continue
			}
			host, vm = true, -1
		}
		r.tell(Event{VM: vm, Level: m.Level(), Message: m})
	}
}

// actAll acts on all tasks in the order of their priority, a bounded number at a time.
func (r *permit) actAll(ctx context.Context, tasks []*task) {
	var todo []*task
	for _, t := range tasks {
		if t.accepted.IsZero() && t.out.Result == "" && !r.finishPlanned(t) {
			todo = append(todo, t)
		}
	}
	var wg sync.WaitGroup
	wg.Add(len(todo))
	line := make([]*turn, len(todo))
	for i, t := range todo {
		line[i] = &turn{priority: t.step.Priority, vm: t.out.VM, begin: func() {
			defer wg.Done()
			defer r.turns.done()
			var free bool
			if t.release, free = r.acquire("VM", t); free {
				r.act(ctx, t)
			}
		}, late: func() {
			defer wg.Done()
			r.finish(t, Incomplete, wording.OutOfTime, ctx.Err())
		}}
	}
	r.turns.line(r.hostID, line)
	stop := context.AfterFunc(ctx, func() { r.turns.drop(line) })
	defer stop()
	r.turns.open(ctx, r.cloud.pool.failed)
	wg.Wait()
}

// followEvery is how often VMs are looked at while the clean-up of one of them is waited for.
const followEvery = 500 * time.Millisecond

// follow sees that the VMs of accepted tasks leave the host, and goes with them to where they run, or, with VerifyLeft,
// until their clean-ups are over. It asks again for VMs that do not move, and ends clean-ups that cannot succeed. What is
// on its way when the time is over is Starting.
func (r *permit) follow(ctx context.Context, tasks []*task, limits recovery.Limits) {
	here, gone := inFlight(tasks), []*task(nil)
	for pause := firstLook; ; pause = min(2*pause, maxPause) {
		asked := time.Now()
		left := r.stillHere(ctx, &here)
		gone = append(gone, left...)
		cleaning := r.goOn(ctx, gone, limits)
		r.place(ctx, gone)
		here, gone = inFlight(here), inFlight(gone)
		if len(here)+len(gone) == 0 {
			return
		}
		if cleaning {
			pause = min(pause, followEvery/2)
		}
		if !cleaning && len(here) == 0 || r.inService(ctx) || r.barred(limits.Settle) {
			r.open() // oned needs ssh to monitor a host that is switched on again
		}
		if by := r.wanted(); by != "" && r.unproven() {
			r.finishAll(slices.Concat(here, gone), Starting, wording.LeftToPerson, by)
			return
		}
		if !process.Pause(ctx, max(pause, time.Since(asked))) { // who is slow to answer is asked less often
			break
		}
	}
	r.notLeft(ctx, here)
	for _, t := range gone {
		r.end(t, Starting, onItsWay(t))
	}
}

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
		*here = slices.DeleteFunc(*here, func(t *task) bool {
			gone := !slices.Contains(host.VMs, t.out.VM)
			if gone {
				left = append(left, t)
			}
			return gone
		})
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

// inFlight are the tasks that oned accepted and that are not finished.
func inFlight(tasks []*task) []*task {
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
			// It is on its way. A return to the source takes two steps: oned first turns the operation into a failure.
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

// schedulerSays tells why a VM is still PENDING: in the scheduler's words, when it left a message.
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

// failedBefore reports whether the failure is the one that the task is about: oned needs a moment to leave it.
func (t *task) failedBefore(vm one.VM) bool {
	return vm.Status() == t.out.State && time.Since(t.accepted) < askAgain
}

// failedThere says where a VM failed, and why.
func failedThere(vm one.VM) wording.Message {
	last, _ := vm.Last()
	return wording.Of(wording.FailedThere, vm.Status(), last.HostID, last.Host, errorOf(vm))
}

// errorOf quotes oned's reason for a failure, when it left one.
func errorOf(vm one.VM) wording.Quote { return wording.Quote(vm.UserTemplate["ERROR"]) }

// inService reports whether the host is monitored again, or an admin has enabled it: before 6.2 it is INIT until it is
// monitored (HostPool and Host::enable), and up to 5.10 oned needs ssh for that.
func (r *runner) inService(ctx context.Context) bool {
	state := r.cloud.Now(ctx)
	return state.Back() || state.Starting()
}

// goOn reads VMs on their way and does what is due for each. It reports whether the clean-up of one is waited for.
func (r *permit) goOn(ctx context.Context, gone []*task, limits recovery.Limits) (cleaning bool) {
	if len(gone) == 0 {
		return false
	}
	vms := r.readWaiting(ctx, gone)
	is := make([]bool, len(gone))
	process.Each(len(gone), r.opt.Parallel, func(i int) {
		vm, read := vms[gone[i].out.VM]
		is[i] = !read || r.turn(ctx, gone[i], vm, limits)
	})
	return slices.Contains(is, true)
}

// readWaiting reads the VMs that are waited for: in one call where oned can do that. One that does not exist is DONE.
func (r *runner) readWaiting(ctx context.Context, waiting []*task) map[int]one.VM {
	ids := make([]int, len(waiting))
	for i, t := range waiting {
		ids[i] = t.out.VM
	}
	found := make(map[int]one.VM, len(ids))
	vms, err := r.cloud.VMSet(ctx, ids)
	var unread map[int]error
	if err != nil {
		vms, unread = r.readEach(ctx, ids)
	}
	for _, vm := range vms {
		found[vm.ID] = vm
	}
	for _, id := range ids {
		if _, read := found[id]; !read && unread[id] == nil && ctx.Err() == nil {
			found[id] = one.VM{ID: id, State: one.Done}
		}
	}
	return found
}

// turn decides about a VM on its way and does what is due. It reports whether its clean-up is waited for.
func (r *permit) turn(ctx context.Context, t *task, vm one.VM, limits recovery.Limits) (cleaning bool) {
	w := recovery.Way{VM: vm, Verb: t.step.Verb, Failed: r.hostID, Asked: -1, Word: t.word, ByTM: t.byTM, Again: t.again, Unmoved: r.unmoved(t, vm)}
	if !t.asked.IsZero() {
		w.Asked = time.Since(t.asked)
	}
	last, _ := vm.Last()
	if vm.Is(one.CleanupResubmit, one.CleanupDelete) && last.HostID == r.hostID && r.proof.Certain() {
		w.Proven, w.Closed, w.Barred = true, r.closed() && !r.cloud.Back(ctx), time.Since(r.barredAt)
	}
	_, stage := recovery.Follow(w, limits)
	r.hop(t, vm, wording.Wait(stage))
	since := t.out.Path[len(t.out.Path)-1].At
	w.In = time.Since(since)
	if vm.Is(one.CleanupResubmit, one.CleanupDelete) && !w.Proven && w.In >= limits.Cleanup {
		w.Proven = r.neverArrived(ctx, t, vm, since)
	}
	turn, _ := recovery.Follow(w, limits)
	switch turn {
	case recovery.TurnCleanup:
		r.endCleanup(ctx, t)
	case recovery.TurnAgain:
		r.again(ctx, t, vm)
	case recovery.TurnAsk:
		r.askStuck(ctx, []*task{t})
	case recovery.TurnArrived:
		r.arrivedAt(t, vm)
	case recovery.TurnEnded:
		r.finish(t, Incomplete, wording.Ended)
	case recovery.TurnOldHost:
		r.onOldHost(t, vm)
	case recovery.TurnFailed:
		if !t.failedBefore(vm) && !t.againNow(vm) {
			r.finish(t, Incomplete, wording.FailedAgain, failedThere(vm))
		}
	case recovery.TurnStuck:
		r.stuck(t, vm, wording.Wait(stage), w.In)
	case recovery.TurnWait:
		if r.opt.Request.Verify == VerifyLeft && !vm.Is(one.CleanupResubmit, one.CleanupDelete) {
			r.end(t, Starting, onItsWay(t))
		}
	}
	return stage == wording.WaitCleanup || turn == recovery.TurnAsk // its clean-up is still to come
}

// neverArrived reports whether a VM that was migrating away from the failed host, which is proven off, runs at the other end neither: that host
// lives, and has been monitored for long enough since the clean-up began without a guest of it. The clean-up goes to
// both ends, to the living one first, and hangs at the dead one as every other (run with 6.10.5).
func (r *permit) neverArrived(ctx context.Context, t *task, vm one.VM, since time.Time) bool {
	before, _ := t.from.Last()
	last, placed := vm.Last()
	if !placed || last.HostID == r.hostID || last.Seq != before.Seq || !r.proof.Certain() {
		return false
	}
	host, err := r.cloud.Host(ctx, last.HostID)
	if err == nil && host.LastContact == 0 { // before 5.12 only the record of its monitoring tells
		host.LastContact, err = r.cloud.MonitoredAt(ctx, last.HostID)
	}
	return err == nil && recovery.RunsNothingOf(vm.ID, host, since, r.job.Dialect)
}

// unmoved reports whether a VM is on the host as it was when oned was asked to take it off.
func (r *runner) unmoved(t *task, vm one.VM) bool {
	before, asked := t.from.Last()
	now, _ := vm.Last()
	return asked && vm.Status() == t.from.Status() && now.HostID == r.hostID && now.Seq == before.Seq
}

// onOldHost ends a VM that runs where it ran before, by the word of oned.
func (r *runner) onOldHost(t *task, vm one.VM) {
	last, _ := vm.Last()
	r.finish(t, Incomplete, wording.OldHost, last.HostID, last.Host, vm.ID)
}

// hop writes down that a VM was seen in another state, or waits for something else.
func (r *runner) hop(t *task, vm one.VM, waits wording.Wait) {
	t.step.VM = vm
	host := -1
	if last, placed := vm.Last(); placed {
		host = last.HostID
	}
	now := incident.Hop{At: time.Now().Truncate(time.Millisecond), State: vm.Status(), Host: host, Waits: waits}
	if n := len(t.out.Path); n > 0 {
		before := t.out.Path[n-1]
		if before.State == now.State && before.Host == now.Host && before.Waits == now.Waits {
			return
		}
	}
	t.out.Path, t.out.Waits = append(t.out.Path, now), waits
	r.journal.VM(t.out.record())
	if waits == wording.WaitRoom {
		r.say(vm.ID, wording.Waits, schedulerSays(vm))
	}
}

// endCleanup tells oned to move on from a clean-up that cannot succeed. The VM is read again right before: a call that
// comes late is about what the VM does then.
func (r *permit) endCleanup(ctx context.Context, t *task) {
	vm, err := r.cloud.VM(ctx, t.out.VM)
	if err != nil || !vm.Is(one.CleanupResubmit, one.CleanupDelete) {
		return // the next look tells
	}
	t.asked = time.Now()
	t.out.Calls++
	if err := r.cloud.Do(ctx, recovery.CleanupAction(vm), vm.ID); err != nil {
		if !errors.Is(err, one.ErrWrongState) {
			r.say(vm.ID, wording.CleanupNotEnded, err)
		}
		return
	}
	r.say(vm.ID, wording.CleanupEnded, time.Since(t.out.Path[len(t.out.Path)-1].At).Seconds())
}

// again recreates a VM once more that could not be started where the scheduler had placed it: what a clean-up that was
// ended has left on shared storage lets some transfer drivers fail (fs_lvm, volatile disks on ceph), and the
// clean-up of this recreate, on a host that lives, removes it.
func (r *permit) again(ctx context.Context, t *task, vm one.VM) {
	if t.failedBefore(vm) {
		return
	}
	last, _ := vm.Last()
	t.again, t.againAt, t.againIn = true, time.Now(), last
	if b := r.opt.Budget; b != nil {
		if spent := r.spent(vm, nil); spent.Exhausted {
			r.end(t, Incomplete, r.givenUp(vm.ID, recovery.VerbRecreate, spent))
			return
		}
		if err := b.Notes.Add(vm.ID, t.first); err != nil { // 4.4 does not note the next one, of a FAILED VM, in the history
			r.say(vm.ID, wording.Trouble, err)
		}
		r.note(ctx, vm, recovery.VerbRecreate)
	}
	t.out.Calls++
	r.say(vm.ID, wording.RecreatedAgain, vm.Status(), last.HostID, last.Host, errorOf(vm))
	if err := r.cloud.Do(ctx, one.Recreate, vm.ID); err != nil {
		r.finish(t, Incomplete, wording.FailedAgain, wording.Of(wording.NotAgain, vm.Status(), last.HostID, last.Host, errorOf(vm), err))
	}
}

// againNow reports whether the failure is the one that the VM was recreated for once more: oned needs a moment to leave it.
func (t *task) againNow(vm one.VM) bool {
	last, _ := vm.Last()
	return last.Seq == t.againIn.Seq && time.Since(t.againAt) < askAgain
}

// arrivedAt ends the task of a VM that is where it was to be. Without a proof its old copy may still run.
func (r *permit) arrivedAt(t *task, vm one.VM) {
	last, _ := vm.Last()
	what := wording.Of(wording.Running, last.HostID, last.Host)
	switch {
	case vm.State == one.Done && t.step.Verb == recovery.VerbDelete:
		what = wording.Of(wording.Deleted)
	case vm.State == one.Done:
		what = wording.Of(wording.EndedWanted)
	case !vm.Is(one.Running):
		what = wording.Of(wording.Moved, vm.Status(), last.HostID, last.Host)
	}
	if r.unproven() && t.step.Verb != recovery.VerbReturn {
		r.finish(t, Unproven, wording.OldCopy, what)
		return
	}
	r.end(t, Done, what)
}

// stuck ends the task of a VM that has waited for longer than the limit of its stage.
func (r *permit) stuck(t *task, vm one.VM, waits wording.Wait, in time.Duration) {
	took := in.Round(time.Second)
	end := func(kind wording.Kind, args ...any) {
		r.finish(t, Incomplete, wording.Stuck, wording.Of(kind, args...))
	}
	switch {
	case waits == wording.WaitCleanup && !r.unproven():
		end(wording.StuckCleanup, took, vm.ID)
	case waits == wording.WaitCleanup:
		end(wording.StuckCleanupOff, took, wording.Resume(r.journal.Number()))
	case waits == wording.WaitRoom:
		end(wording.StuckPending, took, schedulerSays(vm))
	case waits == wording.WaitScheduler:
		if recovery.InTurn(vm.UserTemplate["SCHED_MESSAGE"]) {
			end(wording.StuckPending, took, schedulerSays(vm))
		} else {
			end(wording.StuckUnplaced, took)
		}
	case waits == wording.WaitOwner:
		end(wording.StuckHold, vm.ID)
	default:
		end(wording.StuckState, vm.Status(), took)
	}
}

// onItsWay says what a VM waits for that is not where it was to be yet.
func onItsWay(t *task) wording.Message {
	vm := t.step.VM
	switch t.out.Waits {
	case wording.WaitCleanup:
		return wording.Of(wording.StillCleaning)
	case wording.WaitScheduler:
		return wording.Of(wording.LeftUnplaced)
	case wording.WaitRoom:
		return wording.Of(wording.LeftWaiting, schedulerSays(vm))
	}
	return wording.Of(wording.LeftIs, vm.Status())
}

// placeEvery is the time between two attempts to place the same VMs: reading the cloud for it costs more than a look, and
// the scheduler may place some of them, too.
const placeEvery = 5 * time.Second

// place deploys the VMs that wait for a host, those of the highest priority first, where a host was found by everything
// that matters for the VM. The others are left to the scheduler.
func (r *permit) place(ctx context.Context, gone []*task) {
	if r.opt.Placer == nil {
		return
	}
	var waiting []*task
	fresh := false
	for _, t := range gone {
		if t.out.Result == "" && t.step.VM.State == one.Pending && t.step.Verb.Starts() {
			waiting, fresh = append(waiting, t), fresh || !t.tried
			t.tried = true
		}
	}
	if len(waiting) == 0 || !fresh && time.Since(r.placed) < placeEvery {
		return
	}
	r.placed = time.Now()
	slices.SortStableFunc(waiting, func(a, b *task) int {
		return cmp.Or(b.out.Priority-a.out.Priority, a.out.VM-b.out.VM)
	})
	ids := make([]int, len(waiting))
	for i, t := range waiting {
		ids[i] = t.out.VM
	}
	found, err := r.opt.Placer(ctx, ids, map[int]bool{r.hostID: true})
	if err != nil {
		r.say(-1, wording.PlaceFailed, err)
		return
	}
	for _, p := range found {
		err := r.cloud.Deploy(ctx, p.VM, p.Host, p.Datastore)
		switch {
		case err == nil:
			r.say(p.VM, wording.Placed, p.Host)
		case !errors.Is(err, one.ErrWrongState): // the scheduler was faster
			r.say(p.VM, wording.DeployFailed, err)
		}
	}
}

// foreseen is how a VM that something would be done about stands in a dry run.
func (r *runner) foreseen() Result {
	if o := r.outlook; o != nil && o.Verdict == fence.Refused {
		return WouldRefuse
	} else if o != nil && o.Verdict == fence.Unproven {
		return WouldUnproven
	}
	return Planned
}
