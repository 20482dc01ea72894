package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// HostJob is the recovery of the VMs of one failed host.
type HostJob struct {
	Policy   recovery.Policy
	Dialect  one.Dialect
	Storm    Storm
	Opinions []Opinion
	Fence    Fencer // nil: nothing can be fenced
	// Insist: a person says that the host is off, and does not wait for a process that watches it
	// or holds a storm.
	Insist bool
	// Describe says for a dry run what the host would be fenced with; may be nil.
	Describe func(one.Host) []string
	// Outlook says for a dry run whether it would be proven off; may be nil.
	Outlook func(one.Host) fence.Outlook
	// ProofTime says how long it takes until the host is proven off after it was watched for so long; may be nil.
	ProofTime func(host one.Host, watched time.Duration) downtime.Span
}

// ErrNoHost means that the host does not exist.
var ErrNoHost = errors.New("no such host")

// Host recovers the VMs of a failed host. The report is complete also when the
// error is not nil: then it says how far the recovery got.
func Host(ctx context.Context, cloud Cloud, locks Locker, job HostJob, opt Options) (report Report, err error) {
	r := newRunner(cloud, locks, opt.Request.ID, opt)
	report = Report{Object: fmt.Sprintf("host %d", r.hostID), DryRun: opt.DryRun, attended: opt.Attended}
	defer func() { report.Seconds = time.Since(r.started).Seconds() }()

	host, err := r.hostItself(ctx)
	if errors.Is(err, one.ErrNotFound) {
		if r.rec.Open() {
			r.rec.Begin(Opening{Settle: true})
		}
		return report, fmt.Errorf("%w: oned knows no host %d", ErrNoHost, r.hostID)
	}
	if err != nil {
		return report, err
	}
	report.Object, report.State = fmt.Sprintf("host %d (%s)", host.ID, host.Name), host.State.String()
	r.checkHost(host)
	if opt.DryRun {
		return r.dryRun(ctx, host, job, report)
	}
	over := report.notFailed(host.State, opt.Request.AnyState)
	if !over && len(host.VMs) == 0 && len(r.adrift(ctx)) == 0 {
		over = report.Sum(wording.NoVMs)
	}
	if over && !r.rec.Open() {
		return report, nil
	}
	release, free := r.takeHost(ctx, job.Insist, &report)
	if !free {
		return report, nil
	}
	defer release()
	if over {
		return r.settle(ctx, job, report, host)
	}
	if why := r.rec.Handled(ctx, host); !why.IsZero() {
		report.Elsewhere = report.Sum(why.Kind, why.Args...)
		return report, nil
	}
	return r.work(ctx, host, job, report)
}

// takeHost makes this process the only one of this front-end that works on the host.
func (r *runner) takeHost(ctx context.Context, insist bool, report *Report) (release func(), free bool) {
	release = func() {}
	if r.locks == nil {
		return release, true
	}
	got, err := r.locks.Acquire("host", r.hostID)
	if insist && errors.Is(err, incident.ErrBusy) {
		got, err = r.insist(ctx)
	}
	switch {
	case errors.Is(err, incident.ErrBusy):
		report.Elsewhere, report.Refused = report.Sum(wording.Busy, err), false
		return release, false
	case err != nil:
		r.say(-1, wording.LockFailed, err)
		return release, true
	}
	return got, true
}

// work takes the host from the beginning, or from where a process before was stopped, to the
// end.
func (r *runner) work(ctx context.Context, host one.Host, job HostJob, report Report) (_ Report, err error) {
	opening, other, err := r.takeOver(ctx, host)
	switch {
	case err != nil:
		return report, err
	case !other.IsZero():
		report.Elsewhere = report.Sum(other.Kind, other.Args...)
		return report, nil
	}
	left, all := r.allLeft(ctx, host, job)
	all = all && (len(host.VMs) > 0 || len(r.adrift(ctx)) == 0)
	before := r.rec.Begin(opening)
	if all && len(before.VMs) == 0 {
		return r.leave(report, left), nil
	}
	r.outset(ctx, host, job, opening, before)
	end := r.keepClaim(ctx)
	defer func() { end(report, err) }()
	if all && before.Following {
		err = r.followEarlier(ctx, job, host, &report, before)
		return report, err
	}
	proof, s, err := r.clear(ctx, host, job, before)
	for err == nil && s.back && r.onlyHeard() && r.diesAgain(ctx) {
		before.Watched = time.Time{}
		proof, s, err = r.clear(ctx, host, job, before)
	}
	switch {
	case err != nil:
		return report, err
	case s.back:
		report.cameBack()
		err = r.followEarlier(ctx, job, host, &report, before)
		return report, err
	case !s.refused.IsZero():
		report.Refused = report.Sum(s.refused.Kind, s.refused.Args...)
		return report, nil
	case s.left != "":
		r.rec.Leave()
		report.leftTo(s.left)
		return report, nil
	}
	report.Fence = proof.String()
	r.rec.Proved(report.Fence, proof.Certain())
	if r.opt.Shared != nil {
		r.opt.Shared.clear(r.hostID)
	}
	report, err = r.recoverHost(ctx, host, job, report, proof, before)
	return report, err
}

// preview says what would be done now to a host that is not in ERROR, what the guard
// sees and what the host would be fenced with.
func (r *runner) preview(ctx context.Context, host one.Host, job HostJob) []string {
	var notes []string
	if now := (&Report{}); now.notFailed(host.State, r.opt.Request.AnyState) {
		notes = append(notes, now.Summary, "if it were in ERROR:")
	}
	if v, _, err := r.look(ctx, job.Storm.Policy); err == nil {
		note := wording.Of(wording.GuardPassed, v.Worst.Failed, v.Worst.InService, v.Worst.Where).String()
		if v.Hold {
			note += ": this would be held"
		}
		notes = append(notes, note)
	} else {
		notes = append(notes, "guard: "+err.Error())
	}
	if job.Describe != nil {
		notes = append(notes, job.Describe(host)...)
	}
	return notes
}

// notFailed fills the report for a host that is not in ERROR; it reports whether
// that is the end.
func (report *Report) notFailed(state one.HostState, any bool) bool {
	switch {
	case state.Back() || state.Starting():
		return report.Sum(wording.HostFine, state)
	case state.Failed() || any:
		return false
	}
	report.Refused = report.Sum(wording.HostSet, state)
	return true
}

// Recovers reports whether the VMs of a host in that state are recovered; any is that of the request.
func Recovers(state one.HostState, any bool) bool { return !(&Report{}).notFailed(state, any) }

// onlyHeard reports whether the host counts as back although oned calls it failed.
func (r *runner) onlyHeard() bool { return r.cloud.Heard(r.hostID) || r.lives }

// sayHeard says why a host counts as back that oned calls failed.
func (r *runner) sayHeard() {
	if r.onlyHeard() {
		r.say(-1, wording.HostAlive)
	}
}

// cameBack fills the report for a host that came back by itself.
func (report *Report) cameBack() {
	report.Back = report.Sum(wording.CameBack)
}

// recoverHost plans, acts and verifies.
func (r *runner) recoverHost(ctx context.Context, host one.Host, job HostJob, report Report, proof fence.Proof, before Earlier) (Report, error) {
	p, err := r.permit(r.hostID, proof)
	if err != nil {
		return report, err
	}
	r.rec.Stage(incident.StepPlan)
	s, read, err := r.snapshot(ctx, job)
	if err != nil {
		return report, err
	}
	if s.Host.State.Back() && !r.opt.DryRun {
		r.sayHeard()
		report.cameBack()
		err = r.followEarlier(ctx, job, host, &report, before)
		return report, err
	}
	plan := recovery.Make(s.Snapshot, job.Policy)
	r.decide = s.replan(job.Policy, r)
	tasks := make([]*task, 0, len(plan.Steps)+len(s.unread))
	for _, step := range plan.Steps {
		tasks = append(tasks, newTask(step, read))
	}
	for _, u := range s.unread {
		t := newTask(recovery.Step{VM: one.VM{ID: u.id}, Verb: recovery.VerbLeave, Unhandled: true, Reason: wording.Of(wording.Unread, u.err)}, read)
		t.out.State = "?"
		tasks = append(tasks, t)
	}
	tasks = append(tasks, r.earlier(ctx, before, tasks)...)
	tasks = append(tasks, r.strays(ctx, tasks)...)
	p.perform(ctx, tasks)
	p.conclude(&report, tasks)
	return report, nil
}

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
		r.finishAll(accepted(tasks), Done, wording.Accepted)
	case r.hostID < 0: // verifySingle looks
	case r.opt.Request.Verify == VerifyNone:
		r.finishAll(accepted(tasks), Starting, wording.Accepted)
	default:
		r.follow(ctx, tasks, limits)
	}
}

// conclude writes what became of the VMs.
func (r *permit) conclude(report *Report, tasks []*task) {
	report.Unproven = r.unproven()
	report.late = r.opt.Request.Verify == VerifyRunning
	report.conclude(tasks)
}

// conclude writes the outcomes and the summary.
func (report *Report) conclude(tasks []*task) {
	count := map[Result]int{}
	for _, t := range tasks {
		report.Outcomes = append(report.Outcomes, t.out)
		count[counted(t.out)]++
	}
	if len(tasks) == 0 {
		report.Sum(wording.NoVMs)
		return
	}
	var results wording.List
	for _, part := range []struct {
		result Result
		kind   wording.Kind
	}{
		{Planned, wording.CountPlanned}, {WouldUnproven, wording.CountWouldUnproven}, {WouldRefuse, wording.CountWouldRefuse},
		{Done, wording.CountDone}, {deleted, wording.CountDeleted}, {Unproven, wording.CountUnproven},
		{deletedUnproven, wording.CountDeletedUnproven}, {Starting, wording.CountStarting},
		{Already, wording.CountAlready}, {Left, wording.CountLeft}, {Incomplete, wording.CountIncomplete}, {Refused, wording.CountRefused},
	} {
		if count[part.result] > 0 {
			results = append(results, wording.Of(part.kind, count[part.result]))
		}
	}
	report.Sum(wording.Counted, len(tasks), results)
}

// What the summary counts apart: VMs that are gone because that was asked for are not recovered.
const (
	deleted         = "deleted " + Done
	deletedUnproven = "deleted " + Unproven
)

// counted is the result of a VM as the summary counts it.
func counted(o Outcome) Result {
	if o.Action == recovery.VerbDelete && (o.Result == Done || o.Result == Unproven) {
		return map[Result]Result{Done: deleted, Unproven: deletedUnproven}[o.Result]
	}
	return o.Result
}

// hostSnapshot is a recovery.Snapshot with what could not be read.
type hostSnapshot struct {
	recovery.Snapshot
	unread []unread
}

type unread struct {
	id  int
	err error
}

// snapshot reads the host and everything that a plan for its VMs needs. It also returns
// when the VMs were read, or the zero time if they have to be read again anyway.
func (r *runner) snapshot(ctx context.Context, job HostJob) (*hostSnapshot, time.Time, error) {
	host, err := r.cloud.Host(ctx, r.hostID)
	if err != nil {
		return nil, time.Time{}, err
	}
	r.watch.read = time.Now()
	s := &hostSnapshot{Snapshot: recovery.Snapshot{Dialect: job.Dialect, Host: host}}
	var read time.Time
	if s.VMs, err = r.cloud.VMSet(ctx, host.VMs); err != nil {
		if !errors.Is(err, one.ErrUnsupported) {
			r.say(-1, wording.ReadSingly, err)
		}
		read = time.Now()
		s.VMs, s.unread = r.readEach(ctx, host.VMs)
	} else {
		s.completeHistories(ctx, r)
	}
	if ctx.Err() != nil {
		return nil, time.Time{}, fmt.Errorf("read the VMs of the host: %w", ctx.Err())
	}
	for _, vm := range s.VMs {
		s.addOtherEnd(ctx, r, vm)
	}
	if err := s.addForMoves(ctx, r, job.Policy); err != nil {
		return nil, time.Time{}, err
	}
	return s, read, nil
}

// readEach reads VMs one by one, several at a time.
func (r *runner) readEach(ctx context.Context, ids []int) ([]one.VM, []unread) {
	vms, errs := make([]one.VM, len(ids)), make([]error, len(ids))
	Each(r.opt.Parallel, len(ids), func(i int) { vms[i], errs[i] = r.cloud.VM(ctx, ids[i]) })
	var good []one.VM
	var bad []unread
	for i, err := range errs {
		switch {
		case err == nil:
			good = append(good, vms[i])
		case !errors.Is(err, one.ErrNotFound):
			bad = append(bad, unread{ids[i], err})
		}
	}
	return good, bad
}

// Each calls f for 0 to n-1, at most parallel at a time.
func Each(parallel, n int, f func(i int)) {
	slots := make(chan struct{}, max(parallel, 1))
	for i := range n {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			f(i)
		}()
	}
	for range cap(slots) {
		slots <- struct{}{}
	}
}

// completeHistories reads those VMs by themselves that have two ends: a set
// answers with the last history record only.
func (s *hostSnapshot) completeHistories(ctx context.Context, r *runner) {
	for i, vm := range s.VMs {
		if vm.Migrating() && len(vm.History) < 2 {
			if full, err := r.cloud.VM(ctx, vm.ID); err == nil {
				s.VMs[i] = full
			}
		}
	}
}

// addOtherEnd reads the host that a VM was migrating from or to, once.
func (s *hostSnapshot) addOtherEnd(ctx context.Context, r *runner, vm one.VM) {
	end, known := vm.Previous()
	if known && end.HostID == s.Host.ID {
		end, known = vm.Last()
	}
	if !known || !vm.Migrating() || end.HostID == s.Host.ID ||
		slices.ContainsFunc(s.Hosts, func(h one.Host) bool { return h.ID == end.HostID }) {
		return
	}
	if host, err := r.cloud.Host(ctx, end.HostID); err == nil {
		s.Hosts = append(s.Hosts, host)
		if r.cleared(host, end) {
			s.Cleared = append(s.Cleared, host.ID)
		}
	}
}

// addForMoves reads what only -m needs: the system datastores, and the other
// hosts if a VM has to be given one.
func (s *hostSnapshot) addForMoves(ctx context.Context, r *runner, policy recovery.Policy) error {
	if policy.Mode != recovery.Migrate && s.Host.Template["FT_ACTION"] == "" {
		return nil
	}
	idle := false
	for _, vm := range s.VMs {
		idle = idle || vm.State == one.Suspended || vm.State == one.Poweroff
		last, placed := vm.Last()
		if !placed || slices.ContainsFunc(s.Datastores, func(d one.Datastore) bool { return d.ID == last.DatastoreID }) {
			continue
		}
		ds, err := r.cloud.Datastore(ctx, last.DatastoreID)
		if err != nil {
			r.say(vm.ID, wording.DatastoreUnread, err)
			continue
		}
		s.Datastores = append(s.Datastores, ds)
	}
	if !idle || !policy.Idle {
		return nil
	}
	hosts, err := r.cloud.Hosts(ctx)
	if err == nil {
		s.Hosts = hosts
	}
	return err
}

// replan decides again for one VM from a fresh reading.
func (s *hostSnapshot) replan(policy recovery.Policy, r *runner) func(context.Context, one.VM, recovery.Step) (recovery.Step, error) {
	return func(ctx context.Context, vm one.VM, before recovery.Step) (recovery.Step, error) {
		now := hostSnapshot{Snapshot: s.Snapshot}
		now.VMs, now.Hosts, now.Cleared = []one.VM{vm}, slices.Clone(s.Hosts), slices.Clone(s.Cleared)
		now.addOtherEnd(ctx, r, vm)
		step := recovery.Make(now.Snapshot, policy).Steps[0]
		if step.Verb == recovery.VerbMigrate && before.Verb == recovery.VerbMigrate {
			step.Target = before.Target // the room there was reserved for it
		}
		return step, nil
	}
}
