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
	// EachCycle: oned calls the hook each time that monitoring a host fails, which is each Cycle.
	EachCycle bool
	Cycle     func(context.Context) (time.Duration, error)
}

// Handled recognizes an event that only repeats one about an outage that has been worked on, and says how that ended; it is
// the zero Message when there is something to do. Such an event comes while the work is under way (of oneft resume, or of an
// oned that calls the hook twice), and up to 5.8 on each failed cycle, for as long as the host is dead. What was left on
// purpose would be planned again and again, and the host fenced each time, also while an operator repairs it; what was
// refused is for an operator, and what is incomplete has its pauses.
func (rec *Recorder) Handled(ctx context.Context, host one.Host) wording.Message {
	if rec.c.Repeats == nil {
		return wording.Message{}
	}
	last := rec.find(rec.journal.LastOf)
	if last == nil || last.Ended == nil || last.Request == nil || !rec.sameWish(*last.Request) || !rec.repeated(ctx, *last) {
		return wording.Message{}
	}
	past := PastOf(*last)
	swept := recovery.SweepHost(host, []recovery.Past{past}, time.Now())
	var how wording.Message
	switch summary := wording.Words(past.Summary); swept.Verdict {
	case recovery.SweepHandled:
		how = wording.Of(wording.LeftOnPurpose)
	case recovery.SweepPerson:
		how = wording.Of(wording.NotByItself, summary)
	case recovery.SweepLater:
		how = wording.Of(wording.TriedLater, summary, swept.At)
	default:
		return wording.Message{}
	}
	return wording.Of(wording.OutageHandled, past.Number, how)
}

// sameWish reports whether an event requests what was requested before. A call with other words is one of an operator.
func (rec *Recorder) sameWish(before incident.Request) bool {
	now := rec.c.Request
	return (now.Tool != before.Tool || slices.Equal(now.Call, before.Call)) &&
		now.Action == before.Action && now.Idle == before.Idle && now.AnyState == before.AnyState && now.Override == before.Override &&
		(now.Fencing == before.Fencing || before.Fencing == "") && // earlier versions left it to the configuration
		now.ConfirmedOff == before.ConfirmedOff
}

// repeated reports whether the event came while the incident was worked on, or, where oned calls the hook on each failed
// cycle, a cycle after the one before: when the host is back the hook is not called for at least one cycle. The event is
// written down for the next one.
func (rec *Recorder) repeated(ctx context.Context, last incident.Record) bool {
	at := rec.c.Request.At
	meanwhile := !at.After(*last.Ended)
	if !rec.c.Repeats.EachCycle {
		return meanwhile
	}
	if !meanwhile {
		cycle, err := rec.c.Repeats.Cycle(ctx)
		if err != nil || at.Sub(last.Request.At) > cycle*3/2 {
			return false
		}
	}
	_ = within(rec, func() error { return rec.journal.Touch(last.Number, at) }) // else the next event is taken for a new outage
	return true
}
