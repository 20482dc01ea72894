package failover

import (
	"context"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Budget bounds what is done to VMs one by one without a person.
type Budget struct {
	Policy recovery.Budget
	// Notes are the attempts of this front-end, Rate is for all its VMs.
	Notes *incident.Attempts
	Rate  *incident.Rate
	// GiveUp is how long a VM waits for its turn at most.
	GiveUp time.Duration
}

// attrAttempts is where attempts that leave no trace in the history of a VM are noted in
// its user template, for other front-ends. Its owner can change it, so it only adds to what
// is known otherwise.
const attrAttempts = "FT_ATTEMPTS"

// preview says for a dry run what is left of the budget.
func (b Budget) preview(r *runner, vm one.VM, host *one.Host) string {
	s := b.judge(r, vm, host)
	switch {
	case s.Exhausted:
		return fmt.Sprintf("budget: exhausted, %d attempts of %d within %s", s.Attempts, s.Limit, b.Policy.Window)
	case s.Wait > 0:
		return fmt.Sprintf("budget: this is attempt %d of %d, in %s", s.Attempts+1, s.Limit, s.Wait.Round(time.Second))
	}
	return fmt.Sprintf("budget: this is attempt %d of %d within %s", s.Attempts+1, s.Limit, b.Policy.Window)
}

// acts reports whether a step does something that could go on for ever. A deletion ends
// it.
func acts(s recovery.Step) bool {
	switch s.Verb {
	case recovery.VerbLeave, recovery.VerbAlready, recovery.VerbDelete:
		return false
	}
	return true
}

// judge finds what a VM has used of its budget.
func (b Budget) judge(r *runner, vm one.VM, host *one.Host) recovery.Spent {
	own, err := b.Notes.Of(vm.ID)
	if err != nil {
		r.say(Warning, vm.ID, "%v", err)
	}
	return b.Policy.Judge(vm, host, union(incident.ParseTimes(vm.UserTemplate[attrAttempts]), own), time.Now())
}

// union are the times that are in either list, without those that are in both.
func union(a, b []time.Time) []time.Time {
	all := slices.SortedFunc(slices.Values(slices.Concat(a, b)), time.Time.Compare)
	return slices.CompactFunc(all, func(x, y time.Time) bool { return x.Unix() == y.Unix() })
}

// afford waits until the budget of a VM and the rate of all VMs let a step be carried out,
// and notes the attempt. Otherwise it ends the task, and reports false.
func (r *runner) afford(ctx context.Context, b Budget, t *task, host *one.Host) bool {
	vm := t.step.VM
	spent := b.judge(r, vm, host)
	if spent.Exhausted {
		r.finish(t, Incomplete, "%s", givenUp(vm.ID, t.step.Verb, spent, b.Policy.Window))
		return false
	}
	if spent.Wait > 0 {
		r.say(Warning, vm.ID, "attempt %d of %d; it begins in %s", spent.Attempts+1, spent.Limit, spent.Wait.Round(time.Second))
		if !wait(ctx, spent.Wait) {
			r.finish(t, Incomplete, "not done in time: %v", ctx.Err())
			return false
		}
	}
	if !r.turn(ctx, b, t) {
		return false
	}
	r.note(ctx, b, vm, t.step.Verb)
	return true
}

// givenUp says why nothing is done any more, and what to do.
func givenUp(id int, verb recovery.Verb, s recovery.Spent, window time.Duration) string {
	if s.Limit == 0 {
		return "FT_MAX_ATTEMPTS is 0: nothing is done without a person"
	}
	return fmt.Sprintf("given up after %d of %d attempts within %s, and left as it is; find out what is wrong with it, then run %s %d with --no-budget; not retried automatically before %s",
		s.Attempts, s.Limit, window, toolFor(verb), id, s.Until.Format(time.TimeOnly))
}

// toolFor is the executable whose step this is.
func toolFor(verb recovery.Verb) string {
	if verb == recovery.VerbBoot {
		return "vm_unknown"
	}
	return "vm_failure"
}

// turn waits until it is the turn of a VM.
func (r *runner) turn(ctx context.Context, b Budget, t *task) bool {
	began, told := time.Now(), false
	for {
		pause, err := b.Rate.Take(time.Now())
		switch {
		case err != nil:
			r.say(Warning, t.out.VM, "the rate of all VMs is not known: %v", err)
			return true
		case pause <= 0:
			return true
		case time.Since(began) >= b.GiveUp:
			r.finish(t, Refused, "held for %s and given up: so many VMs fail that what they share must have failed, such as a datastore", b.GiveUp)
			return false
		case !told && pause > time.Second:
			r.say(Warning, t.out.VM, "holding: many VMs fail at the same time")
			told = true
		}
		if !wait(ctx, min(max(pause, firstPause), b.GiveUp)) {
			r.finish(t, Incomplete, "not done in time: %v", ctx.Err())
			return false
		}
	}
}

// note writes an attempt down before it is made: on this front-end, and, if the history
// of the VM will not show it, in its template for the others.
func (r *runner) note(ctx context.Context, b Budget, vm one.VM, verb recovery.Verb) {
	now := time.Now()
	if err := b.Notes.Add(vm.ID, now); err != nil {
		r.say(Warning, vm.ID, "%v", err)
	}
	if verb == recovery.VerbRecreate {
		return
	}
	const kept = 10
	times := append(incident.ParseTimes(vm.UserTemplate[attrAttempts]), now)
	if err := r.cloud.Annotate(ctx, vm.ID, attrAttempts, incident.FormatTimes(times[max(0, len(times)-kept):])); err != nil {
		r.say(Warning, vm.ID, "other front-ends will not know of this attempt: %v", err)
	}
}
