// Package reconcile is what oneft resume and oneft release do: it finishes what processes left open, handles what no
// event came for, and gives hosts back to the scheduler.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/coordinator"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/journaling"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Resuming says what oneft resume does with what nobody has handled.
type Resuming struct {
	// Hosts is the action for a host in ERROR, Failed and Unknown those for VMs whose host is
	// fine; config.ResumeNone names them only.
	Hosts, Failed, Unknown string
	Suspended              bool // include suspended and powered-off VMs of a host
	// Confirm is how long a host in ERROR is watched, counted from when it failed.
	Confirm time.Duration
	// Cycle is a monitoring cycle.
	Cycle time.Duration
}

// lookTwice is the time between the two looks that make something missed: the event may be on
// its way. Hooks start within a second, and VMs of a host that is back run again within a
// monitoring message. A choice.
const lookTwice = 10 * time.Second

// Sweep finishes what processes before have left open, and handles what no event came for. It
// is safe beside hooks.
func Sweep(ctx context.Context, s app.Session, opt Resuming) (app.Answer, error) {
	follower, err := s.Client.Follows(ctx)
	if err != nil {
		return nil, err
	}
	if follower {
		s.Log.Say(wording.Follower)
		return coordinator.Batch{Lines: []string{wording.Of(wording.Follower).String()}}, nil
	}
	notify := coordinator.NewNotifications(s)
	defer notify.Close()
	notify.Deliver()
	w := &sweeper{s: s, opt: opt, notify: notify}
	if !s.DryRun {
		w.sweepMarks(ctx)
	}
	first, err := w.look(ctx)
	if err != nil {
		return nil, err
	}
	if first.missed() && !s.DryRun {
		s.Log.Say(wording.LookingAgain, lookTwice)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookTwice):
		}
		second, err := w.look(ctx)
		if err != nil {
			return nil, err
		}
		first = second.confirmedBy(first)
	}
	answer, err := w.act(ctx, first)
	if b, is := answer.(coordinator.Batch); is {
		b.Lines = append(b.Lines, w.releaseClean(ctx)...)
		answer = b
	}
	return answer, err
}

// sweeper is one run of oneft resume.
type sweeper struct {
	s      app.Session
	opt    Resuming
	notify *journaling.Notifications
	// cleanups is how many VMs oned cleans up on a host, as the last look has seen it.
	cleanups map[int]int
}

// sight is what one look has found.
type sight struct {
	hosts []found
	vms   []found
}

// found is a host in ERROR, or a VM that failed, with what to do.
type found struct {
	id      int
	what    string // such as "host 3 (node03) ERROR"
	same    string // what is the same in two looks; 4.4 and 5.10 show a host in ERROR in two states
	swept   recovery.Swept
	request incident.Request
	host    one.Host        // of a host
	why     wording.Message // nothing is done; zero when it is
}

// missed reports whether something was found that an event may still come for.
func (s sight) missed() bool {
	is := func(f found) bool { return f.swept.Verdict == recovery.SweepMissed && f.why.IsZero() }
	return slices.ContainsFunc(s.hosts, is) || slices.ContainsFunc(s.vms, is)
}

// confirmedBy leaves what was missed in both looks only.
func (s sight) confirmedBy(first sight) sight {
	keep := func(now, before []found) []found {
		return slices.DeleteFunc(now, func(f found) bool {
			return f.swept.Verdict == recovery.SweepMissed && !slices.ContainsFunc(before, func(b found) bool { return b.id == f.id && b.same == f.same })
		})
	}
	return sight{hosts: keep(s.hosts, first.hosts), vms: keep(s.vms, first.vms)}
}

// act does what was found, hosts and VMs at the same time.
func (w *sweeper) act(ctx context.Context, s sight) (app.Answer, error) {
	b := coordinator.Batch{Reports: []failover.Report{}}
	var requests []incident.Request
	for _, f := range slices.Concat(s.hosts, s.vms) {
		if f.swept.Verdict == recovery.SweepHandled {
			continue
		}
		if !f.why.IsZero() {
			b.Lines = append(b.Lines, f.what+": "+f.why.String())
			w.s.Log.VM(wording.Info, -1, f.why.After(f.what))
			continue
		}
		if w.s.DryRun {
			b = would(b, f, w.outlook(f))
			continue
		}
		w.s.Log.VM(wording.Info, -1, wording.Of(map[recovery.Sweep]wording.Kind{
			recovery.SweepContinue: wording.SweptOpen, recovery.SweepMissed: wording.SweptMissed, recovery.SweepAgain: wording.SweptAgain,
		}[f.swept.Verdict]).After(f.what))
		requests = append(requests, f.request)
	}
	vms := make(chan []coordinator.Result, 1)
	go func() { vms <- w.runVMs(ctx, requests) }()
	hosts := slices.DeleteFunc(slices.Clone(requests), func(q incident.Request) bool { return q.Kind != "host" })
	if len(hosts) > 0 {
		answer, err := coordinator.Coordinate(ctx, w.s, hosts, w.notify)
		if err != nil {
			b.Errors = append(b.Errors, fmt.Sprintf("host %d: %v", hosts[0].ID, err))
		}
		b = b.With(answer)
	}
	b = b.With(coordinator.NewBatch(<-vms, nil))
	return b, nil
}

// ResumeOne goes on with one incident, or tries again what it left undone. confirmedOff is the
// word of an admin that its host is off.
func ResumeOne(ctx context.Context, s app.Session, number int, confirmedOff bool, opt Resuming) (app.Answer, error) {
	journal, err := incident.OpenJournal(filepath.Join(s.StateDir, "incidents"))
	if err != nil {
		return nil, err
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
	notify := coordinator.NewNotifications(s)
	defer notify.Close()
	q := (&sweeper{s: s, opt: opt}).requestOf(r)
	if q.Action == config.ResumeNone {
		return nil, app.Usagef("incident %d does not say what was asked for; run host_error, vm_failure or vm_unknown for %s %d", number, r.Kind, r.ID)
	}
	q.ConfirmedOff, q.At = confirmedOff, time.Now().Truncate(time.Millisecond)
	if r.Kind == "host" {
		q.Verify = coordinator.VerifyOf(s, r.Kind) // a person waits now
	}
	q.Follow = r.Status == incident.Following || journaling.GivenUpMoving(r)
	if confirmedOff { // nothing is left to be found out about the host
		q.Confirm, q.Override, q.AnyState = 0, true, true
	}
	s.Log.Say(wording.ResumedOne, number, r.Kind, r.ID, r.Name)
	if r.Kind == "VM" {
		return coordinator.RunVM(ctx, s, q, notify)
	}
	report, err := coordinator.RunHost(ctx, s, q, notify)
	return report, coordinator.ExplainHost(err)
}

// runVMs recovers VMs, several at a time.
func (w *sweeper) runVMs(ctx context.Context, requests []incident.Request) []coordinator.Result {
	vms := slices.DeleteFunc(slices.Clone(requests), func(q incident.Request) bool { return q.Kind != "VM" })
	results := make([]coordinator.Result, len(vms))
	failover.Each(w.s.Parallel, len(vms), func(i int) {
		s := w.s
		s.Log = w.s.Log.Of("VM", vms[i].ID)
		report, err := coordinator.RunVM(ctx, s, vms[i], w.notify)
		if errors.Is(err, failover.ErrNoVM) {
			err = nil
			report.Sum(wording.Gone)
		}
		results[i] = coordinator.Result{ID: vms[i].ID, Report: report, Err: err}
	})
	return results
}
