// Package reconcile is what oneft resume, release and watch do: it finishes what processes left open, handles what no event
// came for, gives hosts back to the scheduler, and looks for hosts that are silent.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failfast"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/journaling"
	"one-ft/pkg/process"
	"one-ft/pkg/recovery"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Resuming says what oneft resume does with what nobody has handled.
type Resuming struct {
	// Hosts is the action for a host in ERROR, Failed and Unknown those for VMs whose host is fine; config.ResumeNone names
	// them only.
	Hosts, Failed, Unknown string
	Suspended              bool // include suspended and powered-off VMs of a host
	// Confirm is how long a host in ERROR is watched, counted from when it failed.
	Confirm time.Duration
	// Cycle is a monitoring cycle.
	Cycle time.Duration
}

// sweeper is one run of oneft resume.
type sweeper struct {
	s       app.Session
	opt     Resuming
	notify  *journaling.Notifications
	journal *incident.Journal // nil without one
	// past is what the journal knows of each object, the newest first and without the VMs.
	past map[object][]incident.Record
}

// object is a host or VM.
type object struct {
	kind string
	id   int
}

// lookTwice is the time between the two scans that make something missed: the event may be on its way. Hooks start within a
// second, and VMs of a host that is back run again within a monitoring message. A choice.
const lookTwice = 10 * time.Second

// Sweep finishes what processes before have left open, and handles what no event came for. It is safe beside hooks.
func Sweep(ctx context.Context, s app.Session, opt Resuming) (app.Answer, error) {
	follower, err := s.Client.Follows(ctx)
	if err != nil {
		return nil, err
	}
	b, err := sweep(ctx, s, opt, follower)
	noted := noteSweep(s)
	if err != nil {
		return nil, err
	}
	if noted != nil {
		b.Errors = append(b.Errors, text.Printable(noted.Error()))
	}
	return b, nil
}

// sweep is Sweep, on the leader or a follower.
func sweep(ctx context.Context, s app.Session, opt Resuming, follower bool) (b coordinator.Batch, err error) {
	if follower {
		s.Log.Say(wording.Follower)
		warm(ctx, s) // it may lead next
		if measured(s) {
			await(behind(func() { writeSwept(ctx, s, metrics.Swept{At: time.Now()}) }), metricsLimit) // the leader sees the rest
		}
		return coordinator.Batch{Alone: true, Lines: []string{wording.Of(wording.Follower).String()}}, nil
	}
	notify := journaling.NewNotifications(s)
	defer notify.Close()
	notify.Deliver()
	if s.DryRun { // a dry run takes no lock, and leaves what somebody works on all the same
		s.Locks = incident.LookAtLocks(statedir.Dir(s.StateDir).Locks())
	}
	w := &sweeper{s: s, opt: opt, notify: notify}
	if !s.DryRun {
		w.sweepMarks(ctx)
	}
	all, err := w.scan(ctx)
	if err != nil {
		return b, err
	}
	missed := func(f found) bool { return f.swept.Verdict == recovery.SweepMissed }
	if !s.DryRun && slices.ContainsFunc(all, func(f found) bool { return missed(f) && f.why.IsZero() }) {
		s.Log.Say(wording.LookingAgain, lookTwice)
		if !process.Pause(ctx, lookTwice) {
			return b, ctx.Err()
		}
		first := all
		if all, err = w.scan(ctx); err != nil {
			return b, err
		}
		all = slices.DeleteFunc(all, func(f found) bool {
			return missed(f) && !slices.ContainsFunc(first, func(b found) bool { return b.object() == f.object() && b.same == f.same })
		})
	}
	paused := coordinator.PausedNow(s)
	if s.Cli.Bool("override-pause") {
		paused = wording.Message{}
	}
	if paused.IsZero() {
		w.ask(ctx, all)
	}
	for i, f := range all { // what was begun before is finished
		if !paused.IsZero() && f.why.IsZero() && !f.request.Follow {
			all[i].why = paused
		}
	}
	before := w.measure(ctx, all, false)
	b = w.act(ctx, all)
	if err := statedir.Dir(s.StateDir).Closed(); err != nil { // it may be paused, and what was left open is not known
		b.Errors = append(b.Errors, s.StateUnusable(err).Error())
	}
	if s.DryRun {
		w.stand(ctx, &b, all)
	}
	if paused.IsZero() {
		b.Lines = append(b.Lines, w.releaseClean(ctx)...)
	} else if !slices.Contains(b.Lines, paused.String()) {
		b.Lines = append(b.Lines, paused.String())
	}
	await(before, metricsLimit) // what was seen last is written last
	after := w.measure(ctx, all, true)
	warm(ctx, s)
	await(after, metricsLimit)
	return b, nil
}

// warm keeps what ssh says of the way to the hosts for the next recovery, at the end of a run: nothing waits for it.
func warm(ctx context.Context, s app.Session) {
	if s.DryRun {
		return
	}
	hosts, err := s.Client.Hosts(ctx)
	if err == nil {
		err = coordinator.Warm(ctx, s, hosts)
	}
	if err != nil && ctx.Err() == nil {
		s.Log.Say(wording.Trouble, err)
	}
}

// sweepMarks removes marks that processes which died have left. They do nothing any more.
func (w *sweeper) sweepMarks(ctx context.Context) {
	removed, err := failfast.Open(w.s.StateDir).Sweep(ctx)
	for _, m := range removed {
		w.s.Log.Say(wording.MarkRemoved, text.Printable(m.Name))
	}
	if err != nil {
		w.s.Log.Say(wording.MarksRemain, err)
	}
}

// act does what was found, hosts and VMs at the same time.
func (w *sweeper) act(ctx context.Context, all []found) (b coordinator.Batch) {
	says := map[recovery.Sweep]wording.Kind{
		recovery.SweepContinue: wording.SweptOpen, recovery.SweepMissed: wording.SweptMissed, recovery.SweepAgain: wording.SweptAgain,
	}
	var hosts, vms []incident.Request
	for _, f := range all {
		switch {
		case f.swept.Verdict == recovery.SweepHandled:
		case !f.why.IsZero():
			log, why := w.s.Log, f.why
			if w.s.Attended { // who sees the answer has it there
				log = log.InFile()
			}
			if why.Kind == wording.Paused { // the last line says it
				why = wording.Of(wording.LeftForPause)
			}
			b.Lines = append(b.Lines, f.what+": "+why.String())
			log.VM(wording.Info, -1, f.why.After(f.what))
		case w.s.DryRun:
			w.would(ctx, &b, f)
		default:
			why := says[f.swept.Verdict]
			switch past := f.swept.Past; {
			case past.Status == incident.Refused && past.Reason.Is(wording.Paused):
				why = wording.SweptPause
			case past.Status == incident.Refused:
				why = wording.SweptProof
			}
			w.s.Log.VM(wording.Info, -1, wording.Of(why).After(f.what))
			if f.request.Kind == "VM" {
				vms = append(vms, f.request)
			} else {
				hosts = append(hosts, f.request)
			}
		}
	}
	recovered := make(chan []coordinator.Result, 1)
	go func() { recovered <- w.runVMs(ctx, vms) }()
	if len(hosts) > 0 {
		b.Add(coordinator.Coordinate(ctx, w.s, hosts, w.notify), hosts)
	}
	b.Add(<-recovered, nil)
	return b
}

// stand adds what stands between the hosts in ERROR and the recovery of their VMs, whoever works on them.
func (w *sweeper) stand(ctx context.Context, b *coordinator.Batch, all []found) {
	onlooker := coordinator.NewOnlooker(ctx, w.s)
	for _, f := range all {
		if !f.host.State.Failed() || len(f.host.VMs) == 0 {
			continue
		}
		s := onlooker.Stand(ctx, f.request, f.host)
		b.Standings = append(b.Standings, s)
		if s.Refuses() {
			b.Held++
			b.Lines = append(b.Lines, s.Line(time.Now()))
		}
	}
}

// would adds what would be done about something that a dry run has found.
func (w *sweeper) would(ctx context.Context, b *coordinator.Batch, f found) {
	line := fmt.Sprintf("%s: %s: it would be handled: %s", f.what, f.swept.Verdict, f.request.Action)
	var o fence.Outlook // of a VM, and of a host whose VMs have all left, there is none
	if len(f.host.VMs) > 0 {
		o = coordinator.NewFences(w.s, nil).Outlook(ctx, fence.Mode(coordinator.Complete(w.s, f.request).Fencing), f.host)
	}
	if row := o.Row(f.request.Action == string(recovery.Delete)); row != "" {
		line += "; its VMs " + row
	}
	b.Would++
	if o.Verdict == fence.Refused {
		b.WouldRefuse++
	}
	b.Lines = append(b.Lines, line)
}

// runVMs recovers VMs, several at a time.
func (w *sweeper) runVMs(ctx context.Context, vms []incident.Request) []coordinator.Result {
	results := make([]coordinator.Result, len(vms))
	process.Each(len(vms), w.s.Parallel, func(i int) {
		s := w.s
		s.Log = w.s.Log.Of("VM", vms[i].ID)
		report, err := coordinator.RunVM(ctx, s, vms[i], w.notify)
		if errors.Is(err, failover.ErrNoVM) {
			report, err = report.Saying(wording.Of(wording.Gone)), nil
		}
		results[i] = coordinator.Result{ID: vms[i].ID, Report: report, Err: err}
	})
	return results
}

// ResumeOne resumes one incident, or retries what it left undone. confirmedOff is the word of an admin that its host is off.
func ResumeOne(ctx context.Context, s app.Session, number int, confirmedOff bool, opt Resuming) (app.Answer, error) {
	journal, err := incident.OpenJournal(statedir.Dir(s.StateDir).Incidents())
	if err != nil {
		return nil, s.StateUnusable(err)
	}
	r, err := journal.Load(number)
	switch {
	case errors.Is(err, incident.ErrNoIncident):
		return nil, app.Usagef("%w; oneft incidents lists them", err)
	case err != nil:
		return nil, err
	case confirmedOff && r.Kind != "host":
		return nil, app.Usagef("incident %d is about VM %d: --confirm-off is for hosts", number, r.ID)
	case r.Status == incident.Unproven && r.Kind == "host":
		return nil, app.Usagef("incident %d has ended, and nothing proves that host %d is off: its VMs run elsewhere, and nothing can be resumed; oneft incidents show %d says how to make sure of the host", number, r.ID, number)
	case r.Status == incident.Done || r.Status == incident.CameBack || r.Status == incident.Unproven:
		return nil, app.Usagef("incident %d has ended (%s): nothing is left to do", number, r.Status)
	}
	q := (&sweeper{s: s, opt: opt}).requestOf(r)
	if q.Action == config.ResumeNone {
		return nil, app.Usagef("incident %d does not say what was requested; run host_error, vm_failure or vm_unknown for %s %d", number, r.Kind, r.ID)
	}
	q.ConfirmedOff, q.Follow = confirmedOff, r.Status == incident.Following || journaling.GivenUpMoving(r)
	if r.Kind == "host" {
		q.Verify = "" // an admin waits now: as the flags say
	}
	q.DuringPause = s.Cli.Bool("override-pause")
	asked := s
	asked.Attended = true // no timer names an incident
	if left, paused := coordinator.Left(asked, q); paused {
		return left, nil
	}
	if confirmedOff { // nothing is left to be found out about the host
		q.Confirm, q.Override, q.AnyState = 0, true, true
	}
	notify := journaling.NewNotifications(s)
	defer notify.Close()
	s.Log.Say(wording.ResumedOne, number, r.Kind, r.ID, r.Name)
	if r.Kind == "VM" {
		return coordinator.RunVM(ctx, s, q, notify)
	}
	report, err := coordinator.RunHost(ctx, s, q, notify)
	return report, coordinator.Explain(err)
}
