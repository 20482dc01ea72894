package recovery

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/incident"
)

// TestStand: nothing is clear while a storm holds, a wait is not over or the host answers; and what stands there longest is
// said first.
func TestStand(t *testing.T) {
	now := time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)
	later := now.Add(time.Second)
	all := Waits{Young: later, Settled: later, Calm: later}
	answers := Reply{Answers: true, Address: "node1:22", Until: later}
	for _, c := range []struct {
		v    Verdict
		w    Waits
		r    Reply
		want incident.Stand
	}{
		{Verdict{Hold: true}, all, answers, incident.StandStorm},
		{Verdict{Blind: true}, all, answers, incident.StandYoung},
		{Verdict{Blind: true}, Waits{Settled: later, Calm: later}, answers, incident.StandSettling},
		{Verdict{}, Waits{Settled: later, Calm: later}, answers, incident.StandEbbing},
		{Verdict{}, Waits{Settled: later}, answers, incident.StandAnswers},
		{Verdict{Blind: true}, Waits{Young: now, Settled: now, Calm: now}, Reply{}, incident.StandClear},
	} {
		if got := Stand(c.v, c.w, c.r, now); got.State != c.want {
			t.Errorf("%+v %+v %+v: %s, want %s", c.v, c.w, c.r, got.State, c.want)
		}
	}
	at := rapid.Map(rapid.IntRange(-5, 5), func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) })
	rapid.Check(t, func(rt *rapid.T) {
		v := Verdict{Hold: rapid.Bool().Draw(rt, "hold"), Blind: rapid.Bool().Draw(rt, "blind")}
		w := Waits{Young: at.Draw(rt, "young"), Settled: at.Draw(rt, "settled"), Calm: at.Draw(rt, "calm")}
		r := Reply{Answers: rapid.Bool().Draw(rt, "answers")}
		holds := v.Hold || w.Young.After(now) || v.Blind && w.Settled.After(now) || w.Calm.After(now) || r.Answers
		if Stand(v, w, r, now).Holds() != holds {
			rt.Fatalf("%+v %+v %+v", v, w, r)
		}
	})
}
