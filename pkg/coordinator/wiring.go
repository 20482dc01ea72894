package coordinator

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/downtime"
	"one-ft/pkg/drill"
	"one-ft/pkg/failfast"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// work is a request in the session that works on it.
type work struct {
	s      app.Session
	q      incident.Request
	rec    *journaling.Recorder
	shared *shared
}

func newWork(s app.Session, q incident.Request, notify *journaling.Notifications, shared *shared) work {
	w := work{s: s, q: Complete(s, q), shared: shared}
	// Pruning reads the whole journal: once for all hosts.
	c := journaling.Config{Request: w.q, Notify: notify, Kept: !s.Attended, Prunes: shared.alone()}
	if !s.DryRun {
		c.Journal, c.Err = shared.openJournal(s)
	}
	// An admin is not turned away because the outage has been handled. From 5.10 on oned gives its hooks the template: a call with the
	// ID alone is one of an admin or of a script.
	if !shared.alone() && (w.q.Event != nil || s.Version.Before(5, 10)) {
		c.Repeats = &journaling.Repeats{Cycle: w.cycle}
	}
	w.rec = journaling.NewRecorder(c)
	if q.ConfirmedOff {
		w.q.Fencing = string(fence.ModeRequired) // the word of the admin is the proof
	}
	return w
}

// cycle finds out how long a monitoring cycle is.
func (w work) cycle(ctx context.Context) (time.Duration, error) { return Cycle(ctx, w.s) }

// Cycle finds out how long a monitoring cycle of the cloud of a session is.
func Cycle(ctx context.Context, s app.Session) (time.Duration, error) {
	cycle, _, err := s.Client.Interval(ctx, monitord(s))
	return cycle, err
}

// say logs and records what happens.
func (w work) say(e failover.Event) {
	w.s.Log.VM(e.Level, e.VM, e.Message)
	w.rec.Event(e)
}

// RunHost does what a request for a host asks for, alone.
func RunHost(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications) (failover.Report, error) {
	return runHost(ctx, s, q, notify, &shared{})
}

func runHost(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications, shared *shared) (failover.Report, error) {
	w := newWork(s, q, notify, shared)
	life, end := context.WithCancel(ctx)
	defer end()
	o := w.options()
	o.Survey = newSurvey(life, s, !q.Silent.IsZero())
	report, err := failover.RecoverHost(ctx, s.Client, s.Locks, w.hostJob(), o)
	w.rec.End(&report, err, ctx.Err() != nil)
	return w.foreseen(report), err
}

// foreseen is the report, which of a dry run says that one-ft is paused.
func (w work) foreseen(report failover.Report) failover.Report {
	if !w.s.DryRun || w.q.DuringPause {
		return report
	}
	return report.NotNow(PausedNow(w.s))
}

// RunVM does what a request for a VM asks for.
func RunVM(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications) (failover.Report, error) {
	w := newWork(s, q, notify, &shared{})
	job := failover.VMJob{Dialect: s.Dialect, Decide: decision(q)}
	report, err := failover.RecoverVM(ctx, s.Client, s.Locks, job, w.options())
	w.rec.End(&report, err, ctx.Err() != nil)
	return w.foreseen(report), err
}

// hostJob is the job of a request for a host.
func (w work) hostJob() failover.HostJob {
	s, q, v := w.s, w.q, w.s.Config.Values()
	job := failover.HostJob{
		Dialect: s.Dialect,
		Policy: recovery.Policy{
			Mode: recovery.Mode(q.Action), Idle: q.Idle, Priorities: recovery.Range{Min: v.PriorityMin, Max: v.PriorityMax},
			Rest: recovery.Rest(v.PutToRest), RestWindow: v.RestWindow,
		},
		Storm: w.storm(), Alive: v.SurveyAlive, Insist: q.ConfirmedOff || q.Override && s.Attended,
	}
	for _, argv := range q.Opinions {
		job.Opinions = append(job.Opinions, newOpinion(argv, s.Client.HostXML, s.RunProgram))
	}
	if s.DryRun {
		job.Stood, job.Begun = stood(s, q.ID)
	}
	fences := NewFences(s, w.say)
	job.Describe = fences.Describe
	if q.ConfirmedOff {
		job.Fence = confirmed
		return job
	}
	fences.Slots = w.shared.agents
	job.Fence = fences.Prove
	job.Outlook = func(ctx context.Context, host one.Host) fence.Outlook {
		return fences.Outlook(ctx, fence.Mode(q.Fencing), host)
	}
	job.ProofTime = func(host one.Host, watched time.Duration) downtime.Span {
		v.Fencing = q.Fencing
		set, err := fences.Settings(host)
		return drill.Fencing{Settings: set, Err: err}.Proof(v, watched).Span
	}
	return job
}

// storm is the storm guard of the request.
func (w work) storm() failover.Storm {
	v := w.s.Config.Values()
	storm := failover.Storm{
		Policy:   recovery.GuardPolicy{Share: float64(v.StormShare) / 100, Hosts: v.StormHosts, Window: v.StormWindow, PerCluster: v.StormPerCluster},
		CoolDown: v.StormCoolDown, GiveUp: v.StormGiveUp, Settle: v.SurveySettle, Override: w.q.Override, Cycle: w.cycle,
	}
	// Who waits for the answer waits no longer than --timeout, also while it is held. A hook holds on: what it gives up is left to
	// an operator.
	if t := incident.Duration(w.q.Timeout); w.s.Attended && w.s.Cli.IsSet("timeout") && t > 0 {
		storm.GiveUp = min(storm.GiveUp, t)
	}
	storm.Quiet = beside(func() (until time.Time) {
		if started := w.shared.frontEndStarted(w.s); !started.IsZero() {
			until = started.Add(v.StormQuiet)
		}
		return until
	})
	return storm
}

// beside begins to find something out beside what else is to be done, and gives what waits for the answer.
func beside[T any](find func() T) func() T {
	answer := make(chan T, 1)
	go func() { answer <- find() }()
	return sync.OnceValue(func() T { return <-answer })
}

// confirmed is the Fencer for a host that an admin has confirmed to be off.
func confirmed(_ context.Context, host one.Host, _ fence.Look) (fence.Proof, error) {
	by := "an admin"
	if u, err := user.Current(); err == nil {
		by = "user " + u.Username
	}
	return fence.ConfirmedOff(host.ID, by), nil
}

// options are those of the request.
func (w work) options() failover.Options {
	s, q, v := w.s, w.q, w.s.Config.Values()
	o := failover.Options{
		Request: q, Record: w.rec, Notify: w.say, Parallel: s.Parallel, Timeout: s.Timeout, DryRun: s.DryRun, Attended: s.Attended,
		Strays: s.Attended || q.Tool == "oneft", Quarantine: v.Quarantine, Estimate: w.estimate, Shared: w.shared.Shared,
		Bar: failfast.NewBar(s.Drivers(), s.StateDir, func(m wording.Message) { w.say(failover.Event{VM: -1, Level: m.Level(), Message: m}) }),
	}
	if !q.NoBudget {
		dir := statedir.Dir(s.StateDir).Attempts()
		o.Budget = &failover.Budget{
			GiveUp: v.StormGiveUp, Notes: incident.NewAttempts(dir), Rate: incident.NewRate(dir, v.BudgetPerMinute),
			Policy: recovery.Budget{Attempts: v.BudgetAttempts, Window: v.BudgetWindow, BackOff: v.BudgetBackOff, RanWell: v.BudgetRanWell},
		}
	}
	if q.Timeout > 0 {
		o.Timeout = incident.Duration(q.Timeout)
	}
	if !q.DuringPause {
		o.Paused = func() wording.Message { return PausedNow(s) }
	}
	if v.Place {
		o.Placer = w.place
	}
	o.Refuge = func(ctx context.Context) (failover.MayTake, error) {
		refuge, err := drill.ReadRefuge(ctx, s.Client)
		return refuge.MayTake, err
	}
	if !s.DryRun {
		o.FrontEnd, _ = incident.FrontEndName(s.StateDir) // else there are no claims, and no journal either, which is said
	}
	return o
}

// decision is the plan for one VM that a request asks for.
func decision(q incident.Request) func(recovery.Single) recovery.Step {
	if q.Action == string(recovery.VerbBoot) {
		return func(v recovery.Single) recovery.Step {
			v.Rested = q.Rested
			return recovery.Unknown(v, q.AnyState)
		}
	}
	policy := recovery.FailurePolicy{Mode: recovery.Mode(q.Action), Force: q.Force}
	return func(v recovery.Single) recovery.Step { return recovery.Failure(v, policy) }
}

// ForHost does what a request for the host of a session asks for, unless the operator at the terminal declines. A hook that
// finds a coordinator at work hands its host over; one that finds none works on all that are handed to it.
func ForHost(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	q.Kind, q.ID = "host", s.ID
	q = NewRequest(s, q)
	if left, paused := Left(s, q); paused {
		return left, nil
	}
	if declined := consent(ctx, s, q); declined != nil {
		return *declined, nil
	}
	notify := journaling.NewNotifications(s)
	defer notify.Close()
	if s.DryRun || s.Attended || s.Locks == nil {
		defer tellTimes(ctx, s, q)()
		report, err := RunHost(ctx, s, q, notify)
		return report, Explain(err)
	}
	results := coordinate(ctx, s, []incident.Request{q}, notify, func() func() { return tellTimes(ctx, s, q) })
	if len(results) == 1 {
		return results[0].Report, Explain(results[0].Err)
	}
	var b Batch
	b.Add(results, []incident.Request{q})
	return b, nil
}

// Explain makes a usage error of a host or VM that does not exist.
func Explain(err error) error {
	switch {
	case errors.Is(err, failover.ErrNoHost):
		return app.Usagef("%w; onehost list shows the hosts", err)
	case errors.Is(err, failover.ErrNoVM):
		return app.Usagef("%w; onevm list shows the VMs", err)
	}
	return err
}

// ForVM does what a request for the VM of a session asks for.
func ForVM(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	q.Kind, q.ID = "VM", s.ID
	q = NewRequest(s, q)
	if left, paused := Left(s, q); paused {
		return left, nil
	}
	notify := journaling.NewNotifications(s)
	defer notify.Close()
	report, err := RunVM(ctx, s, q, notify)
	return report, Explain(err)
}

// NewFences are those of a session, with progress going to say, or to the log alone for nil.
func NewFences(s app.Session, say func(failover.Event)) fencing.Resolver {
	if say == nil {
		say = func(e failover.Event) { s.Log.VM(e.Level, e.VM, e.Message) }
	}
	r := fencing.Resolver{Config: s.Config, SecretDir: filepath.Join(s.Paths.Etc, "fence"), XML: s.Client.HostXML, Run: s.RunProgram, State: statedir.Dir(s.StateDir)}
	r.Notify = func(e fence.Event) {
		say(failover.Event{VM: -1, Level: wording.Info, Message: e.Message.After("fence " + e.Device)})
	}
	return r
}

// estimate is the failover.Estimate of a session. What cannot be read is as OpenNebula ships it.
func (w work) estimate(ctx context.Context, host string) downtime.Input {
	s := w.s
	settings, _ := downtime.Read(s.Version, func(f downtime.File) ([]onedconf.Attribute, error) {
		return onedconf.ReadFile(filepath.Join(s.Paths.Etc, string(f)))
	})
	in := downtime.Input{Settings: settings, Place: s.Config.Values().Place}
	const sshTime = 10 * time.Second // bounds asking ssh for its settings
	ctx, cancel := context.WithTimeout(ctx, sshTime)
	defer cancel()
	if client, err := failfast.NewClient(s.Drivers(), s.StateDir); err == nil {
		in.SSH.ConnectTimeout, _ = client.ConnectTimeout(ctx, host)
	}
	return in
}

// place is a failover.Placer that decides as package drill does.
func (w work) place(ctx context.Context, ids []int, not map[int]bool) (placed []failover.Placement, err error) {
	all, err := drill.Place(ctx, w.s.Client, ids, not)
	for _, p := range all {
		if p.Placed() {
			placed = append(placed, failover.Placement{VM: p.VM, Host: p.Host, Datastore: p.Datastore})
		}
	}
	return placed, err
}

// newOpinion makes a second opinion of a program and its arguments. It gets the host
// as XML in base64 on standard input, and FT_HOST_ID and FT_HOST_NAME in its
// environment. Exit code 0 means that the host is alive; a program that cannot be
// run or takes longer than 30 s has no opinion, and is killed with all it started.
// xml reads the host as oned writes it; run runs the program, nil is process.Run.
func newOpinion(argv []string, xml func(context.Context, int) (string, error), run process.Runner) failover.Opinion {
	if run == nil {
		run = process.Run
	}
	ask := func(ctx context.Context, host one.Host) (bool, error) {
		document, err := xml(ctx, host.ID)
		if err != nil {
			return false, err
		}
		r := run(ctx, failover.OpinionTimeout, process.Program{
			Path: argv[0], Args: argv[1:], Script: true, Stdin: []byte(base64.StdEncoding.EncodeToString([]byte(document))),
			Env: append(os.Environ(), fmt.Sprintf("FT_HOST_ID=%d", host.ID), "FT_HOST_NAME="+host.Name),
		})
		if errors.Is(r.Err, process.ErrTimeout) {
			return false, fmt.Errorf("it took longer than %s", failover.OpinionTimeout)
		}
		return r.Code == 0 && r.Err == nil, r.Err
	}
	return failover.Opinion{Name: filepath.Base(argv[0]), Ask: ask}
}

// NewRequest adds to a request, of which kind, ID and action are known, what flags and the configuration say to all tools.
func NewRequest(s app.Session, q incident.Request) incident.Request {
	q.Tool, q.Call, q.AnyState = s.Tool, s.Call, s.AnyState
	q.DuringPause = s.Cli.Bool("override-pause")
	if s.Event.FromTemplate {
		q.Event = &s.Event
	}
	if s.TimeoutGiven {
		q.Timeout = s.Timeout.Seconds()
	}
	if q.At.IsZero() {
		q.At = time.Now().Truncate(time.Millisecond)
	}
	return Complete(s, q)
}

// Complete gives a request what it leaves to the flags that all tools share and to the configuration: a new one, and one
// that an earlier version or another front-end has written.
func Complete(s app.Session, q incident.Request) incident.Request {
	if q.Kind == "host" {
		v := s.Config.Values()
		q.Fencing = cmp.Or(q.Fencing, v.Fencing)
		if len(q.Opinions) == 0 {
			q.Opinions = v.Confirm
		}
		if !s.VerifyGiven {
			q.Verify = cmp.Or(q.Verify, failover.VerifyRunning) // the VMs of a host are followed until they run
		}
	}
	q.Verify = cmp.Or(q.Verify, s.Verify)
	return q
}

// Watch is how long to watch a host: wait, or so many cycles of interval; an interval of 0 is that of oned.
func Watch(ctx context.Context, s app.Session, wait time.Duration, cycles int, interval time.Duration) (time.Duration, error) {
	if cycles > 0 && interval == 0 && !s.DryRun {
		var source string
		var err error
		if interval, source, err = s.Client.Interval(ctx, monitord(s)); err != nil {
			return 0, err
		}
		s.Log.Say(wording.MonitoringCycle, interval, source)
	}
	return wait + time.Duration(cycles)*interval, nil
}

// monitord is the configuration file of monitord.
func monitord(s app.Session) string { return filepath.Join(s.Paths.Etc, "monitord.conf") }

// NoBudgetFlag is a flag of executables that act on single VMs.
func NoBudgetFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-budget", Usage: "manual override: ignore retry budget and rate limit"}
}

// consent asks the operator at the terminal before the VMs of a host are touched although nothing would prove it off. The
// Report is nil when the recovery may proceed: nobody is there, the host would be proven off or refused anyway, or the
// answer is yes. Else nothing was done, and it says so: refused. What cannot be read is left to the recovery to report.
func consent(ctx context.Context, s app.Session, q incident.Request) *failover.Report {
	if s.Confirm == nil || s.DryRun {
		return nil
	}
	host, err := s.Client.Host(ctx, q.ID)
	if err != nil || !failover.Recovers(host, q.AnyState) || len(host.VMs) == 0 {
		return nil
	}
	o := NewFences(s, nil).Outlook(ctx, fence.Mode(q.Fencing), host)
	if o.Verdict != fence.Unproven || s.Confirm(ctx, unprovenQuestion(host, q, o)) {
		return nil
	}
	report := failover.Refusal(host, o, wording.Of(wording.Declined, wording.Words(o.Detail)))
	return &report
}

// unprovenQuestion says what acting without a proof does, and how to make sure.
func unprovenQuestion(host one.Host, q incident.Request, o fence.Outlook) app.Question {
	vms := fmt.Sprintf("Its %d VMs", len(host.VMs))
	if len(host.VMs) == 1 {
		vms = "Its VM"
	}
	return app.Question{
		Lines: []string{
			fmt.Sprintf("Nothing would prove that host %d (%s) is off: %s.", host.ID, host.Name, o.Detail),
			vms + " would be " + map[recovery.Mode]string{
				recovery.Recreate: "started elsewhere UNPROVEN: if the host still runs them, they run twice and can destroy their disks",
				recovery.Migrate:  "moved elsewhere UNPROVEN: if the host still runs them, they run twice and can destroy their disks",
				recovery.Delete:   "deleted UNPROVEN: if the host still runs them, they go on running there, unknown to OpenNebula",
			}[recovery.Mode(q.Action)] + ".",
			"Make sure first: see in its BMC or at the machine that it has no power, and that nobody powers it on; no answer on the network is no proof.",
		},
		Ask: "Go on without a proof?",
	}
}
