package failover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// ErrNoHost means that the host does not exist.
var ErrNoHost = errors.New("no such host")

// RecoverHost recovers the VMs of a failed host. Beside an error the report says how far the recovery got.
func RecoverHost(ctx context.Context, cloud Cloud, locks *incident.Locks, job HostJob, opt Options) (Report, error) {
	r := newRunner(cloud, locks, opt.Request.ID, opt)
	r.job, r.cloud.cycle = job, job.Storm.Cycle
	e, err := r.failedHost(ctx)
	return r.report(e), err
}

// failedHost takes the host from the first look to the end.
func (r *runner) failedHost(ctx context.Context) (*ending, error) {
	host, err := r.cloud.Read(ctx)
	if errors.Is(err, one.ErrNotFound) {
		if r.rec.Open() {
			r.journal, _ = r.rec.Begin(Opening{Settle: true})
		}
		return nil, fmt.Errorf("%w: oned knows no host %d", ErrNoHost, r.hostID)
	}
	if err != nil {
		return nil, err
	}
	r.host, r.object, r.state = host, nameOf("host", host.ID, host.Name), host.State.String()
	r.checkHost(host)
	over := notFailed(host, r.opt.Request.AnyState)
	if r.opt.DryRun && !(over.is(endRefused) && host.API() != "") {
		return r.dryRun(ctx)
	}
	if over == nil && len(host.VMs) == 0 && len(r.adrift(ctx)) == 0 {
		over = ended(endNothing, wording.NoVMs)
	}
	if over != nil && !r.rec.Open() {
		return over, nil
	}
	release, busy := r.takeHost(ctx)
	if busy != nil {
		return busy, nil
	}
	defer release()
	if over != nil {
		return r.settle(ctx, over)
	}
	if why := r.rec.Handled(ctx, host); !why.IsZero() {
		return &ending{kind: endElsewhere, why: why}, nil
	}
	return r.work(ctx)
}

// notFailed is the end for a host that is not in ERROR, or that is no machine; nil for one whose VMs are recovered.
func notFailed(host one.Host, any bool) *ending {
	switch state, api := host.State, host.API(); {
	case state.Back() || state.Starting():
		return ended(endNothing, wording.HostFine, state)
	case api != "":
		return ended(endRefused, wording.HostIsAPI, api)
	case state.Failed() || any:
		return nil
	}
	return ended(endRefused, wording.HostSet, host.State)
}

// Recovers reports whether the VMs of a host as it is are recovered; any is that of the request.
func Recovers(host one.Host, any bool) bool { return notFailed(host, any) == nil }

// takeHost makes this process the only one of this front-end that works on the host.
func (r *runner) takeHost(ctx context.Context) (release func(), busy *ending) {
	release, err := r.locks.Acquire("host", r.hostID)
	if r.job.Insist && errors.Is(err, incident.ErrBusy) {
		release, err = r.insist(ctx)
	}
	switch {
	case errors.Is(err, incident.ErrBusy):
		return nil, ended(endElsewhere, wording.Busy, err)
	case err != nil:
		r.say(-1, wording.LockFailed, err)
		return func() {}, nil
	}
	return release, nil
}

// settle ends what a process that was interrupted has left open for a host that needs nothing any more.
func (r *runner) settle(ctx context.Context, over *ending) (*ending, error) {
	r.journal, r.before = r.rec.Begin(Opening{Name: r.host.Name, Settle: true})
	if len(r.before.VMs) > 0 && (r.before.Following || r.opt.Request.ConfirmedOff) {
		end := r.keepClaim(ctx)
		e, err := r.followEarlier(ctx, over)
		end(e, err)
		return e, err
	}
	if r.host.State.Back() {
		over.kind = endBack
	}
	r.rec.Stage(incident.StepVerify)
	e, err := r.followEarlier(ctx, over)
	if c, claimed := hostmark.ClaimOf(r.host); err == nil && claimed && !c.Ended && c.FrontEnd == r.opt.FrontEnd {
		r.endClaim(ctx, c, e, nil)
	}
	return e, err
}

// work takes the host from the beginning, or from where an earlier process was interrupted, to the end.
func (r *runner) work(ctx context.Context) (e *ending, err error) {
	opening, busy, err := r.takeOver(ctx)
	if err != nil || busy != nil {
		return busy, err
	}
	r.learn(ctx)
	r.look(ctx, opening)
	left, all := r.allLeft(ctx)
	r.journal, r.before = r.rec.Begin(opening)
	r.keepSight(opening.Contact)
	if all && len(r.before.VMs) == 0 {
		return r.leave(left, wording.NothingToDo), nil
	}
	if since := r.opt.Request.Silent; !since.IsZero() {
		r.say(-1, wording.SilentHost, since)
	}
	r.outset(ctx, opening)
	end := r.keepClaim(ctx)
	defer func() { end(e, err) }()
	if all && r.before.Following {
		return r.followEarlier(ctx, &ending{kind: endHandled})
	}
	proof, e, err := r.clear(ctx)
	for err == nil && e.is(endBack) && r.cloud.OnlyHeard() && r.diesAgain(ctx) {
		r.before.Watched = time.Time{}
		proof, e, err = r.clear(ctx)
	}
	switch {
	case err != nil:
		return nil, err
	case e.is(endBack):
		return r.followEarlier(ctx, e)
	case e != nil:
		return e, nil
	}
	r.journal.Proof(proof.String(), proof.Certain())
	if err := r.withdraw(ctx, proof); err != nil {
		return nil, err
	}
	if r.opt.Shared != nil {
		r.opt.Shared.clear(r.hostID, proof)
	}
	return r.recoverVMs(ctx, proof)
}

// clear takes the host through everything that comes before acting: watching it, the storm guard, second opinions, the fence.
func (r *runner) clear(ctx context.Context) (proof fence.Proof, e *ending, err error) {
	if watch := incident.Duration(r.opt.Request.Confirm); watch > 0 && !r.opt.Request.FenceFirst {
		r.rec.Stage(incident.StepConfirm)
		if e, err := r.watch(ctx, watch); err != nil || e != nil {
			return proof, e, err
		}
	}
	r.turns.expect(r.hostID, true)
	r.rec.Stage(incident.StepGuard)
	now, e, err := r.guard(ctx, r.job.Storm)
	if err != nil || e != nil {
		return proof, e, err
	}
	if len(r.job.Opinions) > 0 {
		r.rec.Stage(incident.StepOpinion)
		if e := r.secondOpinions(ctx, now); e != nil {
			return proof, e, nil
		}
		if now, err = r.cloud.Look(ctx); err != nil || now.State.Back() { // they take their time
			return proof, backIf(err == nil), err
		}
	}
	if !r.opt.Request.ConfirmedOff && r.cloud.Alive(ctx, r.witnesses(now)) {
		return proof, backIf(true), nil
	}
	if e := r.inVain(ctx); e != nil {
		return proof, e, nil
	}
	r.rec.Stage(incident.StepFence)
	return r.prove(ctx, now)
}

// backIf is the end for a host that came back on its own.
func backIf(back bool) *ending {
	if !back {
		return nil
	}
	return ended(endBack, wording.CameBack)
}

// watch watches the host for a time, less what an earlier process did. It ends at once when oned has monitored the host;
// nothing else is "back". oned not answering at the end is an error: then nothing is known about the host.
func (r *runner) watch(ctx context.Context, period time.Duration) (*ending, error) {
	end := time.Now().Add(period)
	if watched := r.before.Watched; !watched.IsZero() && watched.Add(period).Before(end) {
		end = watched.Add(period)
		r.say(-1, wording.WatchContinued, watched, max(0, time.Until(end).Round(time.Second)), period)
	} else {
		r.say(-1, wording.Watch, period)
	}
	var contact int64
	for first := true; ; first = false {
		look := r.cloud.Look
		if first || time.Until(end) <= watchEvery {
			look = r.cloud.Read // the pool does not tell when it was last monitored
		}
		host, err := look(ctx)
		if err == nil && contact > 0 && host.LastContact > contact && !host.State.Back() {
			// It was back between two looks: oned was slow, or away.
			r.say(-1, wording.WatchAnew)
			end = time.Now().Add(period)
		}
		contact = max(contact, host.LastContact)
		left := time.Until(end)
		r.turns.expect(r.hostID, left < gather)
		switch {
		case err != nil && (left <= 0 || !one.Temporary(err)):
			return nil, fmt.Errorf("watch the host: %w", err)
		case err != nil:
			r.say(-1, wording.WatchBlind, err)
		case host.State.Back():
			return backIf(true), nil
		}
		if left <= 0 {
			return nil, nil
		}
		if by := r.wanted(); by != "" {
			return ended(endElsewhere, wording.LeftToPerson, by), nil
		}
		if !process.Pause(ctx, min(watchEvery, left)) {
			return nil, fmt.Errorf("watch the host: %w", ctx.Err())
		}
	}
}

// guardEvery is how often the hosts are looked at while holding. It is shorter
// than any monitoring interval in use, so no state of a host is missed.
const guardEvery = 10 * time.Second

// guard holds while many hosts fail at once. It goes on when there is no storm, with the failed host as it was last
// seen; it ends when the host came back or the storm stays for too long.
func (r *runner) guard(ctx context.Context, storm Storm) (host one.Host, e *ending, err error) {
	if storm.Override || r.overridden() {
		return r.override(ctx)
	}
	started, said, stranded := time.Now(), false, false
	young := storm.quietUntil()
	if wait := time.Until(young); wait > 0 {
		r.say(-1, wording.OnedYoung, wait.Round(time.Second))
	}
	held := r.heldBefore()
	if held {
		storm.CoolDown = r.coolDown(ctx, storm)
	}
	var settled time.Time // zero until somebody has to wait for it
	var calm time.Time    // since when there is no storm; zero during one
	for {
		v, host, err := r.cloud.Judge(ctx, storm.Policy)
		now := time.Now()
		switch {
		case err != nil && (!one.Temporary(err) || now.Sub(started) >= storm.GiveUp):
			return host, nil, err
		case err != nil:
			r.say(-1, wording.GuardBlind, err)
			calm = time.Time{}
		case host.State.Back():
			r.stands(incident.Standing{})
			return host, backIf(true), nil
		case v.Hold:
			if !held {
				storm.CoolDown = r.coolDown(ctx, storm)
			}
			if !said {
				r.say(-1, wording.Held, v.Worst.Words()...)
			}
			held, said, calm = true, true, time.Time{}
			r.turns.expect(r.hostID, false)
		case calm.IsZero():
			calm = now
		}
		if v.Blind && !held && settled.IsZero() {
			if settled = r.settled(ctx, storm); now.Before(settled) {
				r.say(-1, wording.Settling, settled.Sub(now).Round(time.Second))
				r.turns.expect(r.hostID, false)
			}
		}
		stand := incident.Standing{State: incident.StandUnknown, Error: fmt.Sprint(err)}
		if r.verdict = v; err == nil {
			waits := recovery.Waits{Young: young, Settled: settled}
			if held || stranded {
				waits.Calm = calm.Add(storm.CoolDown)
			}
			stand = recovery.Stand(v, waits, recovery.Reply{}, now)
			if (stand.State == incident.StandClear || stand.State == incident.StandEbbing) && r.nowhere(ctx) {
				stand.State, stand.Until = incident.StandNowhere, time.Time{}
				if !stranded {
					storm.CoolDown = r.coolDown(ctx, storm)
					r.say(-1, wording.NowhereHeld)
				}
				stranded, calm = true, time.Time{}
				r.turns.expect(r.hostID, false)
			}
		}
		r.stands(stand)
		if !stand.Holds() {
			r.say(-1, wording.GuardPassed, v.Worst.Words()...)
			return host, nil, nil
		}
		if now.Sub(started) >= storm.GiveUp && stand.State == incident.StandNowhere {
			return host, ended(endRefused, wording.NowhereGivenUp, storm.GiveUp), nil
		}
		quiet, settling := now.Before(young), stand.State == incident.StandSettling
		if now.Sub(started) >= storm.GiveUp && !quiet && !settling {
			return host, ended(endRefused, wording.StormGivenUp, append([]any{storm.GiveUp}, v.Worst.Words()...)...), nil
		}
		next := min(guardEvery, storm.GiveUp-now.Sub(started))
		if quiet {
			next = min(guardEvery, young.Sub(now))
		} else if settling {
			next = min(settleEvery, settled.Sub(now))
		}
		switch by, ok := r.rest(ctx, max(next, firstPause)); {
		case !ok:
			return host, nil, fmt.Errorf("watch the hosts: %w", ctx.Err())
		case by != "":
			return host, ended(endElsewhere, wording.LeftToPerson, by), nil
		case r.overridden():
			return r.override(ctx)
		}
	}
}

// override goes on whatever the other hosts are.
func (r *runner) override(ctx context.Context) (one.Host, *ending, error) {
	r.say(-1, wording.StormOverridden)
	host, err := r.cloud.Look(ctx)
	return host, backIf(host.State.Back()), err
}

// coolDown is the cool-down of a storm, at least a monitoring cycle and a look: a host that is
// still in ERROR then has been monitored without success since the storm was over.
func (r *runner) coolDown(ctx context.Context, storm Storm) time.Duration {
	if storm.Cycle == nil {
		return storm.CoolDown
	}
	cycle, err := storm.Cycle(ctx)
	if err != nil {
		cycle = one.DefaultInterval
		r.say(-1, wording.CycleUnknown, err, cycle)
	}
	return max(storm.CoolDown, cycle+guardEvery)
}

// secondOpinions asks for them, one after the other. One that says alive ends it.
func (r *runner) secondOpinions(ctx context.Context, host one.Host) *ending {
	for _, o := range r.job.Opinions {
		alive, err := o.Ask(ctx, host)
		switch {
		case errors.Is(err, process.ErrStart): // nobody was asked, which is not what an admin has decided
			return ended(endRefused, wording.OpinionBroken, o.Name, err)
		case err != nil:
			r.say(-1, wording.OpinionNone, o.Name, err)
		case alive:
			return ended(endRefused, wording.OpinionAlive, o.Name)
		default:
			r.say(-1, wording.OpinionNotAlive, o.Name)
		}
	}
	return nil
}

// prove fences the host as the admin wants it. An error means that no device failed: this process was interrupted, or oned was
// away, and a retry may succeed.
func (r *runner) prove(ctx context.Context, host one.Host) (proof fence.Proof, e *ending, err error) {
	unproven := func(kind wording.Kind) (fence.Proof, *ending, error) {
		if e := r.answers(ctx, host); e != nil {
			return proof, e, nil
		}
		why := wording.Of(kind)
		r.say(-1, wording.Unproven, why, host.ID)
		return fence.WithoutProof(host.ID, why.String()), nil, nil
	}
	mode := fence.Mode(r.opt.Request.Fencing)
	if !r.opt.Request.Silent.IsZero() {
		mode = fence.ModeRequired // oned does not call it failed: nothing but a proof does
	}
	if mode == fence.ModeOff || r.job.Fence == nil && mode != fence.ModeRequired {
		return unproven(wording.FencingOff)
	}
	err = fence.ErrNotConfigured
	if r.job.Fence != nil {
		start := time.Now()
		if proof, err = r.job.Fence(ctx, host, r.cloud.NoLeaseSince); err == nil {
			r.say(-1, wording.Fenced, time.Since(start).Seconds(), proof)
			return proof, nil, nil
		}
	}
	number := r.journal.Number()
	switch {
	case errors.Is(err, errBack):
		return proof, backIf(true), nil
	case ctx.Err() != nil:
		return proof, nil, fmt.Errorf("prove that the host is off: %w", ctx.Err())
	case one.Temporary(err):
		return proof, nil, fmt.Errorf("prove that the host is off: %w", err)
	case errors.Is(err, fence.ErrNotConfigured) && mode == fence.ModeAuto:
		return unproven(wording.FencingMissing)
	case errors.Is(err, fence.ErrNotConfigured):
		return proof, ended(endRefused, wording.FencingRequired), nil
	case number > 0:
		return proof, ended(endRefused, wording.FencingUnconfirmed, err, wording.Resume(number)), nil
	case errors.Is(err, fence.ErrManual):
		return proof, ended(endRefused, wording.FencingManual, err), nil
	}
	return proof, ended(endRefused, wording.FencingFailed, err), nil
}

// livingFor is how long a host that is monitored again stays in ERROR at most: SYSTEM_HOST each 600 s (monitord.conf, 6.0 to 7.4).
const livingFor = 11 * time.Minute

// diesAgain watches a host that lives although oned calls it failed, until oned says so, too: no hook is called when it
// dies again before. An operator does not wait for that.
func (r *runner) diesAgain(ctx context.Context) bool {
	if r.opt.Strays {
		return false
	}
	r.say(-1, wording.HostAlive)
	began := time.Now()
	for end := began.Add(livingFor); time.Now().Before(end) && process.Pause(ctx, guardEvery); {
		host, err := r.cloud.Cloud.Host(ctx, r.hostID)
		if err != nil {
			continue
		}
		if !host.State.Failed() {
			return false
		}
		// When it dies again oned leaves its VMs RUNNING (since 6.0): from then on only that nothing is heard of it says so.
		if host.LastContact == 0 && Lives(ctx, r.cloud, host) || recovery.StillHeard(host, began, time.Now()) {
			continue
		}
		r.say(-1, wording.SilentAgain)
		r.cloud.Forget(host.LastContact)
		return true
	}
	return false
}

// recoverVMs plans, acts and verifies.
func (r *runner) recoverVMs(ctx context.Context, proof fence.Proof) (*ending, error) {
	p, err := r.permit(r.hostID, proof)
	if err != nil {
		return nil, err
	}
	done := &ending{kind: endHandled, permit: p}
	r.rec.Stage(incident.StepPlan)
	s, read, err := r.snapshot(ctx)
	if err != nil {
		return done, err
	}
	if s.Host.State.Back() && !r.opt.DryRun {
		if r.cloud.OnlyHeard() {
			r.say(-1, wording.HostAlive)
		}
		back := backIf(true)
		back.permit = p
		return r.followEarlier(ctx, back)
	}
	if err := s.cover(ctx, proof); err != nil {
		return done, err
	}
	done.tasks = []*task{}
	s.Proven = proof.Certain() || r.opt.DryRun && r.outlook != nil && r.outlook.Verdict == fence.Provable
	plan := recovery.Make(s.Snapshot, r.job.Policy)
	r.decide = s.replan
	for _, step := range plan.Steps {
		done.tasks = append(done.tasks, newTask(step, read))
	}
	for _, id := range slices.Sorted(maps.Keys(s.unread)) {
		t := newTask(recovery.Step{VM: one.VM{ID: id}, Verb: recovery.VerbLeave, Unhandled: true, Reason: wording.Of(wording.Unread, s.unread[id])}, read)
		t.out.State = "?"
		done.tasks = append(done.tasks, t)
	}
	done.tasks = append(done.tasks, r.earlier(ctx, done.tasks)...)
	done.tasks = append(done.tasks, s.strays(ctx, done.tasks)...)
	r.first.ids, r.first.vms, s.VMs = nil, nil, nil // the tasks have them, and many hosts may be in the hands of this process
	p.perform(ctx, done.tasks)
	return done, nil
}

// dryRun says what would be done to the VMs of the host, what the guard sees, and whether the host
// would be proven off. A host that would be refused is refused: exit code 3, as in earnest. Others that may follow it into
// ERROR are only a note: they are waited for once, and for less than a minute.
func (r *runner) dryRun(ctx context.Context) (*ending, error) {
	if r.job.Outlook != nil {
		o := r.job.Outlook(ctx, r.host)
		r.outlook = &o
	}
	r.notes = r.preview(ctx)
	if r.outlook != nil {
		r.notes = append(r.notes, r.outlook.Lines()...)
	}
	e, err := r.recoverVMs(ctx, fence.WithoutProof(r.hostID, "dry run"))
	if err != nil {
		return e, err
	}
	if e.has(WouldRefuse) {
		e.kind = endRefused
	}
	if r.standing.Refuses() && len(e.tasks) > 0 {
		e.kind, e.why = endRefused, wording.Of(wording.NotNow, r.standing.Message(time.Now()), countResults(e.tasks))
	}
	return e, nil
}

// preview says what would be done now to a host not in ERROR, what the guard sees and what it would be fenced with.
func (r *runner) preview(ctx context.Context) (notes []string) {
	if now := notFailed(r.host, r.opt.Request.AnyState); now != nil {
		notes = append(notes, now.why.String(), "if it were in ERROR:")
	}
	s := r.standsNow(ctx, Standpoint{Storm: r.job.Storm, Stood: r.job.Stood, Begun: r.job.Begun, Alive: r.job.Alive,
		Unproven: r.outlook != nil && r.outlook.Verdict == fence.Unproven && !r.opt.Request.AnyState && !r.opt.Request.ConfirmedOff})
	r.standing = &s
	notes = append(notes, s.Message(time.Now()).String())
	if r.job.Describe != nil {
		notes = append(notes, r.job.Describe(r.host)...)
	}
	return notes
}
