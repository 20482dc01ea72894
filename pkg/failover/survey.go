package failover

import (
	"context"
	"errors"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// Survey begins to ask the way to hosts. It does not wait for any of them, and ends asking with the process or after a time.
type Survey func(hosts []one.Host) *reach.Inquiry

const (
	// surveyed is how old what the hosts answered may be: as old as the pool of hosts, and what asking takes.
	surveyed = 2 * time.Second
	// settleEvery is how often the hosts are looked at while others may follow into ERROR.
	settleEvery = time.Second
)

// surveyor asks the way to hosts, once for all recoveries that ask at about the same time. A nil surveyor asks nobody.
type surveyor struct {
	survey Survey
	asked  gated[*reach.Inquiry]
}

func newSurveyor(survey Survey) *surveyor {
	if survey == nil {
		return nil
	}
	return &surveyor{survey: survey, asked: newGated[*reach.Inquiry]()}
}

// ask gives what the hosts in service answer, in a survey that began less than surveyed ago; nil for nobody.
func (s *surveyor) ask(ctx context.Context, hosts []one.Host) *reach.Inquiry {
	if s == nil {
		return nil
	}
	young := func(q *reach.Inquiry, begun time.Time) bool { return q != nil && time.Since(begun) < surveyed }
	q, _, err := s.asked.get(ctx, young, func(*reach.Inquiry, time.Time) (*reach.Inquiry, time.Time, error) {
		var inService []one.Host
		for _, h := range hosts {
			if !h.State.SetByAdmin() {
				inService = append(inService, h)
			}
		}
		return s.survey(inService), time.Now(), nil
	})
	if err != nil {
		return nil
	}
	return q
}

// sights is what the front-end sees of hosts that oned does not call failed: those that are lost, and those of which
// nothing is known.
type sights struct {
	lost, unknown map[int]bool
	answer        bool // a host other than the failed one answers
}

// lookAround waits for what those hosts answer; where the way to one cannot be asked, when oned last heard of it tells. Without a survey
// nothing is known of any, and that is no reason to wait.
func (o *HostObserver) lookAround(ctx context.Context, hosts []one.Host) (seen sights) {
	q := o.survey.ask(ctx, hosts)
	if q == nil {
		return seen
	}
	seen = sights{lost: map[int]bool{}, unknown: map[int]bool{}}
	for _, h := range hosts {
		if h.State.SetByAdmin() || h.State.Failed() {
			continue
		}
		switch way := q.Of(ctx, h.ID); {
		case way.Answer.Dumb():
			seen.lost[h.ID] = true
		case !way.Answer.Alive():
			seen.unknown[h.ID] = true
		case h.ID != o.id:
			seen.answer = true
		}
	}
	if len(seen.unknown) > 0 {
		o.hear(ctx, hosts, seen)
	}
	return seen
}

// hear counts hosts as lost that oned has not heard of for too long.
func (o *HostObserver) hear(ctx context.Context, hosts []one.Host, seen sights) {
	heard, err := o.HeardOf(ctx)
	if err != nil && !errors.Is(err, one.ErrUnsupported) {
		return
	}
	cycle := o.cycleTime(ctx)
	for _, h := range hosts {
		if !seen.unknown[h.ID] {
			continue
		}
		if recovery.Overdue(h, heard[h.ID], time.Now(), cycle, len(hosts)) {
			delete(seen.unknown, h.ID)
			seen.lost[h.ID] = true
		}
	}
}

// cycleTime is the time between two monitorings of a host; 0 where it cannot be found out.
func (o *HostObserver) cycleTime(ctx context.Context) time.Duration {
	if o.cycle == nil {
		return 0
	}
	cycle, err := o.cycle(ctx)
	if err != nil {
		return 0
	}
	return cycle
}

// lately is what one host answered in a survey that began less than surveyed ago, or answers now.
func (s *surveyor) lately(ctx context.Context, host one.Host) reach.Way {
	if s == nil {
		return s.wayTo(ctx, host)
	}
	last := func(*reach.Inquiry, time.Time) bool { return true }
	q, begun, err := s.asked.get(ctx, last, nil)
	if err != nil || q == nil || time.Since(begun) >= surveyed || !q.Asked(host.ID) {
		return s.wayTo(ctx, host)
	}
	return q.Of(ctx, host.ID)
}

// wayTo is what one host answers now.
func (s *surveyor) wayTo(ctx context.Context, host one.Host) reach.Way {
	if s == nil {
		return reach.Way{Host: host.ID, Answer: reach.Unknown, Cause: reach.CauseSkipped}
	}
	return s.survey([]one.Host{host}).Of(ctx, host.ID)
}

// settled is when others have had their time to follow the host into ERROR, for a guard that cannot know that they are
// lost: one monitoring cycle after this outage began, at most storm.Settle.
func (r *runner) settled(ctx context.Context, storm Storm) time.Time {
	begun := r.started
	for _, earlier := range []time.Time{r.before.Watched, r.before.Began} {
		if !earlier.IsZero() && earlier.Before(begun) {
			begun = earlier
		}
	}
	return r.cloud.settled(ctx, begun, storm.Settle)
}

// answers watches a failed host that nothing proves off, and that answers the front-end all the same: a dead libvirtd, a probe
// that cannot run or a full disk makes a living host ERROR, and its guests run. It ends when the host is silent, or else with
// a refusal after the time for that.
func (r *runner) answers(ctx context.Context, host one.Host) *ending {
	if r.opt.Request.AnyState || r.opt.Request.ConfirmedOff || r.opt.DryRun {
		return nil
	}
	way := r.cloud.survey.lately(ctx, host) // the guard has just asked all of them
	if !way.Answer.Alive() {
		return nil
	}
	r.say(-1, wording.HostAnswers, way.Address, r.job.Alive)
	r.stands(recovery.Stand(r.verdict, recovery.Waits{}, recovery.Reply{Answers: true, Address: way.Address, Until: time.Now().Add(r.job.Alive)}, time.Now()))
	r.rec.Stage(incident.StepConfirm)
	r.turns.expect(r.hostID, false)
	broken := ended(endRefused, wording.MonitoringBroken, way.Address, r.job.Alive, wording.Resume(r.journal.Number()))
	for end := time.Now().Add(r.job.Alive); way.Answer.Alive(); {
		left := time.Until(end)
		if left <= 0 {
			return broken
		}
		switch by, ok := r.rest(ctx, min(guardEvery, left)); {
		case !ok: // interrupted, which the caller sees
			return broken
		case by != "":
			return ended(endElsewhere, wording.LeftToPerson, by)
		}
		if now, err := r.cloud.Read(ctx); err == nil && now.State.Back() {
			r.stands(incident.Standing{})
			return backIf(true)
		}
		way = r.cloud.survey.wayTo(ctx, host)
	}
	r.stands(incident.Standing{})
	r.say(-1, wording.HostSilent, way.Address)
	return nil
}

// judge is the verdict of the guard with what the front-end sees, and whether those of which it knows nothing could make it
// a storm.
func judge(hosts []one.Host, since map[int]time.Time, began time.Time, policy recovery.GuardPolicy, about int, seen sights) recovery.Verdict {
	v := recovery.Guard(hosts, since, began, policy, about, seen.lost)
	if !v.Hold && len(seen.unknown) > 0 {
		worst := make(map[int]bool, len(seen.lost)+len(seen.unknown))
		for _, some := range []map[int]bool{seen.lost, seen.unknown} {
			for id := range some {
				worst[id] = true
			}
		}
		v.Blind = recovery.Guard(hosts, since, began, policy, about, worst).Hold
	}
	return v
}
