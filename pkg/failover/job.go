package failover

import (
	"context"
	"errors"
	"os/user"
	"path/filepath"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/downtime"
	"one-ft/pkg/drill"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// jobOf makes the job of a request for a host with the settings of a session.
func jobOf(s app.Session, q incident.Request, shared *Shared) HostJob {
	v := s.Config.Values()
	job := HostJob{
		HostID: q.ID, Dialect: s.Dialect, Confirm: incident.Duration(q.Confirm), FenceFirst: q.FenceFirst,
		Policy: recovery.Policy{Mode: recovery.Mode(q.Action), Idle: q.Idle, Priorities: recovery.Range{Min: v.PriorityMin, Max: v.PriorityMax}},
		Storm:  NewStorm(v, shared.frontEndStarted(s)),
	}
	job.Storm.Override = q.Override
	job.Storm.Cycle = func(ctx context.Context) (time.Duration, error) {
		cycle, _, err := Interval(ctx, s.Client, filepath.Join(s.Paths.Etc, "monitord.conf"))
		return cycle, err
	}
	opinions := q.Opinions
	if len(opinions) == 0 {
		opinions = v.Confirm
	}
	for _, argv := range opinions {
		job.Opinions = append(job.Opinions, NewOpinion(argv, s.Client.HostXML, s.RunProgram))
	}
	fences := NewFences(s)
	if shared != nil {
		fences.Slots = shared.Agents
	}
	job.Fencing, job.Fence, job.Describe = fencingOf(s, q), fences.Prove, fences.Describe
	job.Outlook = func(host one.Host) fence.Outlook { return fences.Outlook(fencingOf(s, q), host) }
	job.ProofTime = func(host one.Host, watched time.Duration) downtime.Span {
		v.Fencing = string(job.Fencing)
		set, err := fences.Settings(host)
		return drill.Fencing{Settings: set, Err: err}.Proof(v, watched).Span
	}
	job.Insist, job.ConfirmedOff = q.ConfirmedOff || q.Override && s.Attended, q.ConfirmedOff
	if q.ConfirmedOff {
		job.Fencing, job.Fence, job.Outlook, job.ProofTime = FencingRequired, confirmed, nil, nil
	}
	return job
}

// fencingOf is what a request says about fencing, else the configuration.
func fencingOf(s app.Session, q incident.Request) Fencing {
	if q.Fencing != "" {
		return Fencing(q.Fencing)
	}
	return Fencing(s.Config.Values().Fencing)
}

// confirmed is the Fencer for a host that an admin has confirmed to be off.
func confirmed(_ context.Context, host one.Host, _ fence.Look) (fence.Proof, error) {
	by := "an admin"
	if u, err := user.Current(); err == nil {
		by = "user " + u.Username
	}
	return fence.ConfirmedOff(host.ID, by), nil
}

// optionsOf makes the options of a request, with progress going to the log.
func optionsOf(s app.Session, q incident.Request, rec *recorder, shared *Shared) Options {
	o := Options{
		Record: rec, Shared: shared, Verify: Verify(s.Verify), Parallel: s.Parallel, Timeout: s.Timeout, DryRun: s.DryRun, AnyState: q.AnyState,
		Notify: func(e Event) { s.Log.VM(e.Level, e.VM, e.Message) },
		Asked:  q.At, Strays: s.Attended || q.Tool == "oneft", Quarantine: s.Config.Values().Quarantine, Bar: newBar(s), Estimate: newEstimate(s),
		Budget: NewBudget(s.Config.Values(), filepath.Join(s.StateDir, "attempts")),
	}
	if q.Verify != "" {
		o.Verify = Verify(q.Verify)
	}
	if q.Timeout > 0 {
		o.Timeout, o.FixedTimeout = incident.Duration(q.Timeout), true
	}
	if s.Config.Values().Place {
		o.Placer = drill.NewPlacer(s.Client, s.Version, s.Dialect)
	}
	if !s.DryRun {
		o.FrontEnd, _ = incident.FrontEndName(s.StateDir) // else there are no claims, and no journal either, which is said
	}
	return o
}

// hooksOfOned is the version up to which oned itself calls hooks, that of a host on each failed
// cycle.
var hooksOfOned = one.Version{Major: 5, Minor: 10}

// runHost does what a request for a host asks for; shared is nil for a process that works on
// one host only.
func runHost(ctx context.Context, s app.Session, q incident.Request, tell *teller, shared *Shared) (Report, error) {
	open := incident.OpenJournal
	if shared != nil {
		open = shared.journal
	}
	rec := newRecorder(s, q, tell, open)
	cloud, job := Cloud(s.Client), jobOf(s, q, shared)
	if shared != nil {
		cloud, rec.prunes = shared.pending, false // pruning reads the whole journal: once for all hosts
		// A person is not told that it has been handled.
		rec.repeats, rec.eachCycle, rec.cycle, rec.fencing = true, s.Version.Before(hooksOfOned.Major, hooksOfOned.Minor), job.Storm.Cycle, s.Config.Values().Fencing
	}
	report, err := Host(ctx, cloud, locks(s), job, optionsOf(s, q, rec, shared))
	report.attended = s.Attended
	rec.end(&report, err, ctx.Err() != nil)
	return report, err
}

// runVM does what a request for a VM asks for.
func runVM(ctx context.Context, s app.Session, q incident.Request, tell *teller) (Report, error) {
	job := VMJob{VMID: q.ID, Dialect: s.Dialect, Decide: decision(q)}
	if !q.NoBudget {
		job.Budget = NewBudget(s.Config.Values(), filepath.Join(s.StateDir, "attempts"))
	}
	rec := newRecorder(s, q, tell, incident.OpenJournal)
	report, err := VM(ctx, s.Client, locks(s), job, optionsOf(s, q, rec, nil))
	rec.end(&report, err, ctx.Err() != nil)
	return report, err
}

// decision is the plan for one VM that a request asks for.
func decision(q incident.Request) func(recovery.Single) recovery.Step {
	if q.Action == string(recovery.VerbBoot) {
		return func(v recovery.Single) recovery.Step { return recovery.Unknown(v, q.AnyState) }
	}
	policy := recovery.FailurePolicy{Mode: recovery.Mode(q.Action), Force: q.Force}
	return func(v recovery.Single) recovery.Step { return recovery.Failure(v, policy) }
}

// ForHost does what a request for a host asks for, with the settings of a session. A hook
// that finds another process at work on hosts hands its host over; one that finds none works
// on all that are handed to it.
func ForHost(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	tell := newTeller(s)
	defer tell.close()
	if s.DryRun || s.Attended || s.Locks == nil {
		report, err := runHost(ctx, s, q, tell, nil)
		return report, explainHost(err)
	}
	answer, err := coordinate(ctx, s, []incident.Request{q}, tell)
	return answer, explainHost(err)
}

func explainHost(err error) error {
	if errors.Is(err, ErrNoHost) {
		return app.Usagef("%w; onehost list shows the hosts", err)
	}
	return err
}

// ForVM does what a request for a VM asks for, with the settings of a session.
func ForVM(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	tell := newTeller(s)
	defer tell.close()
	report, err := runVM(ctx, s, q, tell)
	if errors.Is(err, ErrNoVM) {
		err = app.Usagef("%w; onevm list shows the VMs", err)
	}
	return report, err
}

// RequestFor begins a request for the object of a session with what all tools share.
func RequestFor(s app.Session, kind string, action string) incident.Request {
	q := incident.Request{
		Kind: kind, ID: s.ID, Tool: s.Cli.App.Name, Call: s.Call, Action: action, AnyState: s.AnyState, Verify: verifyOf(s, kind),
		At: time.Now().Truncate(time.Millisecond),
	}
	if s.TimeoutGiven {
		q.Timeout = s.Timeout.Seconds()
	}
	return q
}

// verifyOf is what has to be seen of the VMs of an object: those of a host are followed until they run, unless it was
// said otherwise.
func verifyOf(s app.Session, kind string) string {
	if kind == "host" && !s.VerifyGiven {
		return string(VerifyRunning)
	}
	return s.Verify
}

// ConfirmTime is how long to watch a host: wait, or so many cycles of interval; an interval of
// 0 is that of oned.
func ConfirmTime(ctx context.Context, s app.Session, wait time.Duration, cycles int, interval time.Duration) (time.Duration, error) {
	if cycles > 0 && interval == 0 && !s.DryRun {
		var source string
		var err error
		if interval, source, err = Interval(ctx, s.Client, filepath.Join(s.Paths.Etc, "monitord.conf")); err != nil {
			return 0, err
		}
		s.Log.Say(wording.MonitoringCycle, interval, source)
	}
	return wait + time.Duration(cycles)*interval, nil
}

// locks gives the locks of a session; nil if there are none.
func locks(s app.Session) Locker {
	if s.Locks == nil {
		return nil // not a Locker that holds a nil pointer
	}
	return s.Locks
}
