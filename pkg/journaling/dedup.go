package journaling

import (
	"context"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Repeats says how events repeat one another.
type Repeats struct {
	// EachCycle: oned calls the hook each time that a host is monitored in vain, which is each Cycle.
	EachCycle bool
	Cycle     func(context.Context) (time.Duration, error)
	// Fencing is what the configuration says, for requests that do not.
	Fencing string
}

// Handled says that an event only repeats one about an outage that has been worked on, and what
// became of that; the zero Message when there is something to do. Such an event comes while the work is under
// way (of oneft resume, or of an oned that calls the hook twice), and up to 5.8 on each failed
// cycle, for as long as the host is dead. What was left on purpose would be looked at again and again,
// and the host fenced each time, also while somebody repairs it; what was refused is for a person,
// and what was not completed has its pauses.
func (rec *Recorder) Handled(ctx context.Context, host one.Host) wording.Message {
	if rec.repeats == nil || rec.journal == nil {
		return wording.Message{}
	}
	type known struct {
		last  incident.Record
		found bool
	}
	read := make(chan known, 1)
	if !rec.bounded(func() {
		last, found, _ := rec.journal.LastOf("host", host.ID) // one that cannot be read is not known
		read <- known{last, found}
	}) {
		return wording.Message{}
	}
	k := <-read
	if !k.found || k.last.Ended == nil || k.last.Request == nil || !rec.sameWish(*k.last.Request) || !rec.repeated(ctx, k.last) {
		return wording.Message{}
	}
	past := PastOf(k.last)
	swept := recovery.SweepHost(host, []recovery.Past{past}, time.Now())
	var why wording.Message
	switch swept.Verdict {
	case recovery.SweepHandled:
		why = wording.Of(wording.LeftOnPurpose)
	case recovery.SweepPerson:
		why = wording.Of(wording.NotByItself, wording.Words(past.Summary))
	case recovery.SweepLater:
		why = wording.Of(wording.TriedLater, wording.Words(past.Summary), swept.At)
	default:
		return wording.Message{}
	}
	return wording.Of(wording.OutageHandled, past.Number, why)
}

// repeated reports whether the event came while the incident was worked on, or, where oned calls
// the hook on each failed cycle, a cycle after the one before: when the host is back the hook is not called
// for at least one cycle. The event is written down for the next one.
func (rec *Recorder) repeated(ctx context.Context, last incident.Record) bool {
	at := rec.record.Request.At
	meanwhile := !at.After(*last.Ended)
	if !rec.repeats.EachCycle {
		return meanwhile
	}
	if !meanwhile {
		cycle, err := rec.repeats.Cycle(ctx)
		if err != nil || at.Sub(last.Request.At) > cycle*3/2 {
			return false
		}
	}
	rec.bounded(func() { _ = rec.journal.Heard(last.Number, at) }) // else the next event is taken for a new outage
	return true
}

// sameWish reports whether an event asks for what was asked for before. A call with other words is
// one of a person.
func (rec *Recorder) sameWish(before incident.Request) bool {
	now := *rec.record.Request
	if now.Tool == before.Tool && !slices.Equal(now.Call, before.Call) {
		return false
	}
	fencing := func(q incident.Request) string {
		if q.Fencing == "" {
			return rec.repeats.Fencing
		}
		return q.Fencing
	}
	return now.Action == before.Action && now.Idle == before.Idle && now.AnyState == before.AnyState && now.Override == before.Override &&
		fencing(now) == fencing(before) && now.ConfirmedOff == before.ConfirmedOff
}
