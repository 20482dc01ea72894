package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"one-ft/pkg/coordinator"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

const (
	// askTime bounds all questions of a run together: hosts that fail must not wait for it. The slowest status seen of a BMC
	// took 14 s (fence_ipmilan without cipher).
	askTime = 20 * time.Second
	// askAtOnce is how many hosts are asked about at the same time: an agent has some 30 MB. A choice.
	askAtOnce = 16
)

// ask asks about hosts that were refused for lack of a proof whether there could be one now. Those are retried; the others
// are asked about again later. Nothing is switched, and a dry run asks nobody.
func (w *sweeper) ask(ctx context.Context, all []found) {
	var due []*found
	for i := range all {
		f := &all[i]
		switch {
		case f.swept.Verdict != recovery.SweepAsk || !f.why.IsZero():
		case w.s.DryRun:
			f.why = wording.Of(wording.SweptPerson, f.swept.Past.Number, wording.Words(f.swept.Past.Summary))
		default:
			due = append(due, f)
		}
	}
	slices.SortStableFunc(due, func(a, b *found) int { return cmp.Compare(a.swept.Past.Asked, b.swept.Past.Asked) })
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	process.Each(len(due), askAtOnce, func(i int) {
		f := due[i]
		past := f.swept.Past
		if ctx.Err() != nil { // the time is up: the next run asks
			f.why = asksAgain(past, time.Now())
			return
		}
		could := w.couldBeProven(ctx, f.host, past)
		w.noteAsked(past)
		if could {
			f.swept.Verdict, f.request.Again = recovery.SweepAgain, true
			return
		}
		past.Asked, past.AskedAt = past.Asked+1, time.Now()
		f.why = asksAgain(past, recovery.SweepHost(f.host, []incident.Record{past}, time.Now()).At)
	})
}

// couldBeProven reports whether what was missing is there: its fence devices answer, or the host has gone silent.
func (w *sweeper) couldBeProven(ctx context.Context, host one.Host, past incident.Record) bool {
	if past.Reason.Is(wording.MonitoringBroken) {
		asker := coordinator.NewAsker(w.s)
		return asker.Ask(ctx, coordinator.Targets([]one.Host{host})).Of(ctx, host.ID).Answer == reach.Silent
	}
	set, err := coordinator.NewFences(w.s, nil).Settings(host)
	if err != nil {
		return false
	}
	answers, err := fence.Answers(ctx, fencing.HostOf(host), set)
	return err == nil && answers
}

// noteAsked writes it down, for the next pause. Whoever has the host now ends the question anyway.
func (w *sweeper) noteAsked(past incident.Record) {
	release, err := w.s.Locks.Acquire("host", past.ID)
	if err != nil {
		return
	}
	defer release()
	if err := w.journal.Asked(past.Number); err != nil {
		w.s.Log.Say(wording.Trouble, err)
	}
}

// asksAgain says when it is asked again; the zero time for never.
func asksAgain(past incident.Record, at time.Time) wording.Message {
	kind := wording.SweptAsks
	switch {
	case at.IsZero():
		return wording.Of(wording.SweptPerson, past.Number, wording.Words(past.Summary))
	case past.Reason.Is(wording.MonitoringBroken):
		kind = wording.SweptStays
	}
	return wording.Of(kind, past.Number, wording.Words(past.Summary), at)
}
