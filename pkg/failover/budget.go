package failover

import (
	"context"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// budgetLeft says for a dry run what is left of the budget.
func (r *runner) budgetLeft(vm one.VM, host *one.Host) string {
	b, s := r.opt.Budget, r.spent(vm, host)
	switch {
	case s.Exhausted:
		return wording.Of(wording.BudgetLeftNone, s.Attempts, s.Limit, b.Policy.Window).String()
	case s.Wait > 0:
		return wording.Of(wording.BudgetLeftWait, s.Attempts+1, s.Limit, s.Wait.Round(time.Second)).String()
	}
	return wording.Of(wording.BudgetLeft, s.Attempts+1, s.Limit, b.Policy.Window).String()
}

// acts reports whether a step does something that could go on forever. A deletion ends it.
func acts(s recovery.Step) bool { return s.Verb.Acts() && s.Verb != recovery.VerbDelete }

// spent is what a VM has used of its budget.
func (r *runner) spent(vm one.VM, host *one.Host) recovery.Spent {
	b := r.opt.Budget
	noted, err := b.Notes.All(vm.ID, vm.UserTemplate)
	if err != nil {
		r.say(vm.ID, wording.Trouble, err)
	}
	return b.Policy.Judge(vm, host, noted, time.Now())
}

// afford waits until the budget of a VM and the rate of all VMs let a step be carried out,
// and notes the attempt. Otherwise it ends the task, and reports false.
func (r *runner) afford(ctx context.Context, t *task, host *one.Host) bool {
	vm := t.step.VM
	spent := r.spent(vm, host)
	if spent.Exhausted {
		r.end(t, Incomplete, r.givenUp(vm.ID, t.step.Verb, spent))
		return false
	}
	if spent.Wait > 0 {
		r.say(vm.ID, wording.BudgetWait, spent.Attempts+1, spent.Limit, spent.Wait.Round(time.Second))
		if !process.Pause(ctx, spent.Wait) {
			r.finish(t, Incomplete, wording.OutOfTime, ctx.Err())
			return false
		}
	}
	if !r.takeRate(ctx, t) {
		return false
	}
	r.note(ctx, vm, t.step.Verb)
	return true
}

// givenUp says why nothing is done any more, and what to do.
func (r *runner) givenUp(id int, verb recovery.Verb, s recovery.Spent) wording.Message {
	if s.Limit == 0 {
		return wording.Of(wording.BudgetNone)
	}
	tool := "vm_failure"
	if verb == recovery.VerbBoot {
		tool = "vm_unknown"
	}
	return wording.Of(wording.BudgetSpent, s.Attempts, s.Limit, r.opt.Budget.Policy.Window, tool, id, s.Until)
}

// takeRate waits until the rate of all VMs lets this one be acted on.
func (r *runner) takeRate(ctx context.Context, t *task) bool {
	b, began, told := r.opt.Budget, time.Now(), false
	for {
		pause, err := b.Rate.Take(time.Now())
		switch {
		case err != nil:
			r.say(t.out.VM, wording.RateUnknown, err)
			return true
		case pause <= 0:
			return true
		case time.Since(began) >= b.GiveUp:
			r.finish(t, Refused, wording.RateGivenUp, b.GiveUp)
			return false
		case !told && pause > time.Second:
			r.say(t.out.VM, wording.RateHeld)
			told = true
		}
		if !process.Pause(ctx, min(max(pause, firstPause), b.GiveUp)) {
			r.finish(t, Incomplete, wording.OutOfTime, ctx.Err())
			return false
		}
	}
}

// note writes an attempt down before it is made: on this front-end, and, if the history
// of the VM will not show it, in its template for the others.
func (r *runner) note(ctx context.Context, vm one.VM, verb recovery.Verb) {
	now := time.Now()
	if err := r.opt.Budget.Notes.Add(vm.ID, now); err != nil {
		r.say(vm.ID, wording.Trouble, err)
	}
	if verb == recovery.VerbRecreate {
		return
	}
	const kept = 10
	times := append(incident.ParseTimes(vm.UserTemplate[incident.AttrAttempts]), now)
	if err := r.cloud.Annotate(ctx, vm.ID, incident.AttrAttempts, incident.FormatTimes(times[max(0, len(times)-kept):])); err != nil {
		r.say(vm.ID, wording.BudgetUnshared, err)
	}
}
