package coordinator

import (
	"context"
	"errors"
	"os/user"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
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
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// jobOf makes the job of a request for a host with the settings of a session.
func jobOf(s app.Session, q incident.Request, shared *shared) failover.HostJob {
	v := s.Config.Values()
	job := failover.HostJob{
		HostID: q.ID, Dialect: s.Dialect, Confirm: incident.Duration(q.Confirm), FenceFirst: q.FenceFirst,
		Policy: recovery.Policy{Mode: recovery.Mode(q.Action), Idle: q.Idle, Priorities: recovery.Range{Min: v.PriorityMin, Max: v.PriorityMax}},
		Storm:  newStorm(v, shared.frontEndStarted(s)),
	}
	job.Storm.Override = q.Override
	job.Storm.Cycle = func(ctx context.Context) (time.Duration, error) {
		cycle, _, err := s.Client.Interval(ctx, filepath.Join(s.Paths.Etc, "monitord.conf"))
		return cycle, err
	}
	opinions := q.Opinions
	if len(opinions) == 0 {
		opinions = v.Confirm
	}
	for _, argv := range opinions {
		job.Opinions = append(job.Opinions, failover.NewOpinion(argv, s.Client.HostXML, s.RunProgram))
	}
	fences := NewFences(s)
	if shared != nil {
		fences.Slots = shared.agents
	}
	job.Fencing, job.Fence, job.Describe = FencingOf(s, q), fences.Prove, fences.Describe
	job.Outlook = func(host one.Host) fence.Outlook { return fences.Outlook(FencingOf(s, q), host) }
	job.ProofTime = func(host one.Host, watched time.Duration) downtime.Span {
		v.Fencing = string(job.Fencing)
		set, err := fences.Settings(host)
		return drill.Fencing{Settings: set, Err: err}.Proof(v, watched).Span
	}
	job.Insist, job.ConfirmedOff = q.ConfirmedOff || q.Override && s.Attended, q.ConfirmedOff
	if q.ConfirmedOff {
		job.Fencing, job.Fence, job.Outlook, job.ProofTime = failover.FencingRequired, confirmed, nil, nil
	}
	return job
}

// FencingOf is what a request says about fencing, else the configuration.
func FencingOf(s app.Session, q incident.Request) failover.Fencing {
	if q.Fencing != "" {
		return failover.Fencing(q.Fencing)
	}
	return failover.Fencing(s.Config.Values().Fencing)
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
func optionsOf(s app.Session, q incident.Request, rec *journaling.Recorder, shared *shared) failover.Options {
	o := failover.Options{
		Record: rec, Verify: failover.Verify(s.Verify), Parallel: s.Parallel, Timeout: s.Timeout, DryRun: s.DryRun, AnyState: q.AnyState,
		Notify: func(e failover.Event) { s.Log.VM(e.Level, e.VM, e.Message) },
		Asked:  q.At, Strays: s.Attended || q.Tool == "oneft", Quarantine: s.Config.Values().Quarantine, Attended: s.Attended, Estimate: newEstimate(s),
		Budget: newBudget(s),
	}
	o.Bar = failover.NewBar(s.Drivers(), s.StateDir, o.Notify)
	if shared != nil {
		o.Shared = shared.Shared
	}
	if q.Verify != "" {
		o.Verify = failover.Verify(q.Verify)
	}
	if q.Timeout > 0 {
		o.Timeout, o.FixedTimeout = incident.Duration(q.Timeout), true
	}
	if s.Config.Values().Place {
		o.Placer = drill.NewPlacer(s.Client)
	}
	if !s.DryRun {
		o.FrontEnd, _ = incident.FrontEndName(s.StateDir) // else there are no claims, and no journal either, which is said
	}
	return o
}

// hooksOfOned is the version up to which oned itself calls hooks, that of a host on each failed
// cycle.
var hooksOfOned = one.Version{Major: 5, Minor: 10}

// RunHost does what a request for a host asks for, alone.
func RunHost(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications) (failover.Report, error) {
	return runHost(ctx, s, q, notify, nil)
}

// runHost does what a request for a host asks for; shared is nil for a process that works on
// one host only.
func runHost(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications, shared *shared) (failover.Report, error) {
	c, cloud, job := recorderOf(s, q, notify), failover.Cloud(s.Client), jobOf(s, q, shared)
	if shared != nil {
		cloud, c.Prunes = shared.Cloud(), false // pruning reads the whole journal: once for all hosts
		if c.Open != nil {
			c.Open = shared.openJournal(s)
		}
		// A person is not told that it has been handled.
		c.Repeats = &journaling.Repeats{EachCycle: s.Version.Before(hooksOfOned.Major, hooksOfOned.Minor), Cycle: job.Storm.Cycle, Fencing: s.Config.Values().Fencing}
	}
	rec := newRecorder(s, c)
	report, err := failover.Host(ctx, cloud, locks(s), job, optionsOf(s, q, rec, shared))
	rec.End(&report, err, ctx.Err() != nil)
	return report, err
}

// RunVM does what a request for a VM asks for.
func RunVM(ctx context.Context, s app.Session, q incident.Request, notify *journaling.Notifications) (failover.Report, error) {
	job := failover.VMJob{VMID: q.ID, Dialect: s.Dialect, Decide: decision(q)}
	if !q.NoBudget {
		job.Budget = newBudget(s)
	}
	rec := newRecorder(s, recorderOf(s, q, notify))
	report, err := failover.VM(ctx, s.Client, locks(s), job, optionsOf(s, q, rec, nil))
	rec.End(&report, err, ctx.Err() != nil)
	return report, err
}

// recorderOf says what the journal of a session keeps of a request.
func recorderOf(s app.Session, q incident.Request, notify *journaling.Notifications) journaling.Config {
	c := journaling.Config{Request: q, Notify: notify, Kept: !s.Attended, Prunes: true}
	if !s.DryRun {
		c.Open = func() (*incident.Journal, error) { return incident.OpenJournal(filepath.Join(s.StateDir, "incidents")) }
	}
	return c
}

func newRecorder(s app.Session, c journaling.Config) *journaling.Recorder {
	rec := journaling.NewRecorder(c)
	if c.Open != nil {
		s.Log.Observe(rec.Line)
	}
	return rec
}

// NewNotifications are those of a session; nil in a dry run or without a journal.
func NewNotifications(s app.Session) *journaling.Notifications {
	if s.DryRun {
		return nil
	}
	return journaling.NewNotifications(journaling.Setting{StateDir: s.StateDir, Values: s.Config.Values(), Attended: s.Attended, Run: s.RunProgram, Say: s.Log.Say})
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
	notify := NewNotifications(s)
	defer notify.Close()
	if s.DryRun || s.Attended || s.Locks == nil {
		report, err := RunHost(ctx, s, q, notify)
		return report, ExplainHost(err)
	}
	answer, err := Coordinate(ctx, s, []incident.Request{q}, notify)
	return answer, ExplainHost(err)
}

// ExplainHost makes a usage error of a host that does not exist.
func ExplainHost(err error) error {
	if errors.Is(err, failover.ErrNoHost) {
		return app.Usagef("%w; onehost list shows the hosts", err)
	}
	return err
}

// ForVM does what a request for a VM asks for, with the settings of a session.
func ForVM(ctx context.Context, s app.Session, q incident.Request) (app.Answer, error) {
	notify := NewNotifications(s)
	defer notify.Close()
	report, err := RunVM(ctx, s, q, notify)
	if errors.Is(err, failover.ErrNoVM) {
		err = app.Usagef("%w; onevm list shows the VMs", err)
	}
	return report, err
}

// RequestFor begins a request for the object of a session with what all tools share.
func RequestFor(s app.Session, kind string, action string) incident.Request {
	q := incident.Request{
		Kind: kind, ID: s.ID, Tool: s.Cli.App.Name, Call: s.Call, Action: action, AnyState: s.AnyState, Verify: VerifyOf(s, kind),
		At: time.Now().Truncate(time.Millisecond),
	}
	if s.TimeoutGiven {
		q.Timeout = s.Timeout.Seconds()
	}
	return q
}

// VerifyOf is what has to be seen of the VMs of an object: those of a host are followed until they run, unless it was
// said otherwise.
func VerifyOf(s app.Session, kind string) string {
	if kind == "host" && !s.VerifyGiven {
		return string(failover.VerifyRunning)
	}
	return s.Verify
}

// ConfirmTime is how long to watch a host: wait, or so many cycles of interval; an interval of
// 0 is that of oned.
func ConfirmTime(ctx context.Context, s app.Session, wait time.Duration, cycles int, interval time.Duration) (time.Duration, error) {
	if cycles > 0 && interval == 0 && !s.DryRun {
		var source string
		var err error
		if interval, source, err = s.Client.Interval(ctx, filepath.Join(s.Paths.Etc, "monitord.conf")); err != nil {
			return 0, err
		}
		s.Log.Say(wording.MonitoringCycle, interval, source)
	}
	return wait + time.Duration(cycles)*interval, nil
}

// locks gives the locks of a session; nil if there are none.
func locks(s app.Session) failover.Locker {
	if s.Locks == nil {
		return nil // not a failover.Locker that holds a nil pointer
	}
	return s.Locks
}

// newStorm makes the storm guard of a configuration. started is when oned started
// or became leader; the zero time when that is not known.
func newStorm(v config.Values, started time.Time) failover.Storm {
	s := failover.Storm{
		Policy: recovery.GuardPolicy{
			Share: float64(v.StormShare) / 100, Hosts: v.StormHosts, Window: v.StormWindow, PerCluster: v.StormPerCluster,
		},
		CoolDown: v.StormCoolDown, GiveUp: v.StormGiveUp,
	}
	if !started.IsZero() {
		s.QuietUntil = started.Add(v.StormQuiet)
	}
	return s
}

// NewFences are those of a session, with progress going to the log.
func NewFences(s app.Session) fencing.Resolver {
	return fencing.Resolver{Config: s.Config, SecretDir: filepath.Join(s.Paths.Etc, "fence"), XML: s.Client.HostXML, Run: s.RunProgram, Notify: func(e fence.Event) {
		s.Log.VM(wording.Info, -1, e.Message.After("fence "+e.Device))
	}}
}

// newEstimate makes the Estimate of a session. What cannot be read is as OpenNebula ships it.
func newEstimate(s app.Session) failover.Estimate {
	return func(ctx context.Context, host string) downtime.Input {
		settings, _ := downtime.Read(s.Version, func(f downtime.File) ([]onedconf.Attribute, error) {
			return onedconf.ReadFile(filepath.Join(s.Paths.Etc, string(f)))
		})
		in := downtime.Input{Settings: settings, Place: s.Config.Values().Place}
		ctx, cancel := context.WithTimeout(ctx, sshTime)
		defer cancel()
		if client, err := failfast.NewClient(s.Drivers(), s.StateDir); err == nil {
			if ssh, err := client.Resolve(ctx, host); err == nil {
				in.SSH.ConnectTimeout = ssh.ConnectTimeout
			}
		}
		return in
	}
}

// BudgetFlags are the flags of executables that act on single VMs.
func BudgetFlags() []cli.Flag {
	return []cli.Flag{&cli.BoolFlag{Name: "no-budget", Usage: "a person decided so: count neither attempts nor how many VMs fail"}}
}

// newBudget makes the budget of a session.
func newBudget(s app.Session) *failover.Budget {
	v, dir := s.Config.Values(), filepath.Join(s.StateDir, "attempts")
	return &failover.Budget{GiveUp: v.StormGiveUp, Notes: incident.NewAttempts(dir), Rate: incident.NewRate(dir, v.BudgetPerMinute), Policy: recovery.Budget{
		Attempts: v.BudgetAttempts, Window: v.BudgetWindow, BackOff: v.BudgetBackOff, RanWell: v.BudgetRanWell,
	}}
}

// sshTime bounds asking ssh for its settings.
const sshTime = 10 * time.Second
