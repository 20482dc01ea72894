package isolation

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/wording"
)

const second = time.Second

// steady is how most tests decide: rounds every 5 s, a minute of patience.
func steady(strict bool) Policy {
	return Policy{Strict: strict, After: time.Minute, Lease: time.Minute, Quiet: time.Minute, Every: 5 * second, Asks: strict}
}

// leased is a host that has a lease since t, told MONITORED.
func leased(t time.Duration) History {
	return History{Armed: true, Renewed: t, Told: ReportedMonitored, Last: t}
}

// at is a round that began at t and took a second.
func at(t time.Duration, front, witness probe.Reach, says Reported) Round {
	return Round{Began: t, Ended: t + second, FrontEnd: front, Witness: witness, Reported: says, Asked: t}
}

// The decision table of the design, each row in both modes, for two minutes.
func TestDecisionTable(t *testing.T) {
	const un, un1, refused, reach = probe.Unreachable, probe.Unknown, probe.Refused, probe.Reachable
	for _, c := range []struct {
		name           string
		front, witness probe.Reach
		says           Reported
		plain, strict  Phase
	}{
		{"all is well", reach, reach, ReportedMonitored, Fine, Fine},
		{"starting", reach, reach, ReportedInit, Fine, Fine},
		{"disabled by an admin", reach, reach, ReportedDisabled, Fine, Fine},
		{"witnesses do not matter", reach, un, ReportedMonitored, Fine, Fine},
		{"oned says ERROR", reach, reach, ReportedError, Holding, Act},
		{"offline by an admin", reach, reach, ReportedOffline, Fine, Act},
		{"a state of the future", reach, reach, ReportedOther, Fine, Act},
		{"oned hangs", reach, reach, ReportedNothing, Fine, Act},
		{"oned does not listen", refused, un, ReportedNothing, Holding, Act},
		{"the front-end is gone", un, reach, ReportedNothing, Holding, Act},
		{"the front-end is gone, a witness refuses", un, refused, ReportedNothing, Holding, Act},
		{"isolated", un, un, ReportedNothing, Act, Act},
		{"no witness could be asked", un, un1, ReportedNothing, Holding, Act},
		{"the front-end could not be asked", un1, un, ReportedNothing, Holding, Act},
		{"nothing could be asked", un1, un1, ReportedNothing, Holding, Act},
		{"the front-end could not be asked, a witness answers", un1, reach, ReportedNothing, Holding, Act},
	} {
		for _, strict := range []bool{false, true} {
			want := c.plain
			if strict {
				want = c.strict
			}
			h, start := leased(1000*second), 1005*second
			var v Verdict
			acted := time.Duration(0)
			for now := start; now <= start+120*second; now += 5 * second {
				h, v = Decide(h, at(now, c.front, c.witness, c.says), steady(strict))
				if v.Phase == Act && acted == 0 {
					acted = now + second
				}
				if v.Why.IsZero() {
					t.Errorf("%s, strict %v: no reason", c.name, strict)
				}
			}
			if v.Phase != want {
				t.Errorf("%s, strict %v: %s (%s), want %s", c.name, strict, v.Phase, v.Why, want)
			}
			// Not before the time is over, and one round after it at the latest.
			if over := map[bool]time.Duration{false: start + 60*second, true: 1060 * second}[strict]; want == Act && (acted < over || acted > over+6*second) {
				t.Errorf("%s, strict %v: acted at %s, the time was over at %s", c.name, strict, acted, over)
			}
		}
	}
}

// What is lost in between, and how often, decides nothing.
func TestOneLostRoundNeverActs(t *testing.T) {
	const un, reach = probe.Unreachable, probe.Reachable
	good, bad := at(0, reach, reach, ReportedMonitored), at(0, un, un, ReportedNothing)
	for _, c := range []struct {
		name  string
		round func(n int) Round
		acts  bool
	}{
		{"every second", func(n int) Round { return []Round{good, bad}[n%2] }, false},
		{"eleven of twelve", func(n int) Round { return map[bool]Round{true: good, false: bad}[n%12 == 0] }, false},
		{"all", func(int) Round { return bad }, true},
	} {
		for _, strict := range []bool{false, true} {
			h, acted := leased(1000*second), false
			for n := range 200 {
				r := c.round(n)
				d := 1005*second + time.Duration(n)*5*second
				r.Began, r.Asked, r.Ended = d, d, d+second
				var v Verdict
				h, v = Decide(h, r, steady(strict))
				acted = acted || v.Phase == Act
			}
			if acted != c.acts {
				t.Errorf("%s, strict %v: acted %v", c.name, strict, acted)
			}
		}
	}
}

// A host that slept, or whose cron stood still, is not condemned by one round.
func TestAfterAGap(t *testing.T) {
	bad := at(5000*second, probe.Unreachable, probe.Unreachable, ReportedNothing)
	h, v := Decide(leased(1000*second), bad, steady(true))
	if v.Phase != Isolated || !v.Again {
		t.Errorf("the first round: %+v", v)
	}
	bad.Began, bad.Ended = bad.Began+2*second, bad.Ended+2*second
	h, v = Decide(h, bad, steady(true))
	if v.Phase != Isolated || !v.Again {
		t.Errorf("the second round: %+v", v)
	}
	if _, v = Decide(h, bad, steady(true)); v.Phase != Act {
		t.Errorf("the third round: %+v", v)
	}
	before := History{Isolated: 2, Since: 1000 * second, Last: 1005 * second}
	if h, v := Decide(before, bad, steady(false)); v.Phase != Isolated || h.Isolated != 1 || h.Since != bad.Began {
		t.Errorf("not strict: %+v, %+v", h, v)
	}
}

// The lease begins when the request was sent, not when its answer came.
func TestLeaseBeginsWithTheRequest(t *testing.T) {
	r := at(1000*second, probe.Reachable, probe.Reachable, ReportedMonitored)
	r.Ended = 1003 * second
	h, _ := Decide(leased(0), r, steady(true))
	if h.Renewed != 1000*second {
		t.Errorf("renewed at %s", h.Renewed)
	}
}

// INIT comes from an admin's onehost enable, too; after ERROR it renews nothing.
func TestInitAfterError(t *testing.T) {
	h := leased(1000 * second)
	round := func(now time.Duration, says Reported) Verdict {
		var v Verdict
		h, v = Decide(h, at(now, probe.Reachable, probe.Reachable, says), steady(true))
		return v
	}
	if v := round(1005*second, ReportedInit); v.Phase != Fine || h.Renewed != 1005*second {
		t.Errorf("INIT after MONITORED: %+v", v)
	}
	round(1010*second, ReportedError)
	round(1015*second, ReportedNothing)
	if v := round(1020*second, ReportedInit); v.Phase != Holding || h.Renewed != 1005*second {
		t.Errorf("INIT after ERROR: %+v", v)
	}
	if v := round(1025*second, ReportedInit); v.Phase != Fine {
		t.Errorf("INIT after INIT after ERROR: %+v", v)
	}
}

// Nothing is stopped within the quiet time, and a host without a lease has none to lose.
func TestQuietAndUnarmed(t *testing.T) {
	for _, strict := range []bool{false, true} {
		h := History{Armed: strict}
		p := steady(strict)
		p.Quiet = 10 * time.Minute
		for now := 5 * second; now < 20*time.Minute; now += 5 * second {
			var v Verdict
			h, v = Decide(h, at(now, probe.Unreachable, probe.Unreachable, ReportedNothing), p)
			if quiet := now+second < p.Quiet; quiet == (v.Phase == Act) && now > 70*second {
				t.Fatalf("strict %v, %s after the boot: %+v", strict, now, v)
			}
			if v.Phase == Isolated && v.At == 0 {
				t.Fatalf("%+v does not say when", v)
			}
		}
	}
	h := History{}
	for now := time.Hour; now < 2*time.Hour; now += 5 * second {
		var v Verdict
		if h, v = Decide(h, at(now, probe.Unreachable, probe.Unreachable, ReportedNothing), steady(true)); v.Phase != Holding || v.Why.Kind != wording.LeaseNever {
			t.Fatalf("never armed: %+v", v)
		}
	}
}

// There is something to compare after each time without contact, once.
func TestReturned(t *testing.T) {
	const un, reach = probe.Unreachable, probe.Reachable
	for _, asks := range []bool{false, true} {
		p := steady(false)
		p.Asks = asks
		says := map[bool]Reported{true: ReportedError}[asks] // ERROR is contact, too
		h, v := Decide(History{}, at(1000*second, reach, reach, says), p)
		if v.Returned != asks { // whoever can be asked is asked when nobody watched before
			t.Errorf("asks %v: %+v at first", asks, v)
		}
		h, v = Decide(h, at(1005*second, un, un, ReportedNothing), p)
		if v.Returned {
			t.Errorf("asks %v: %+v", asks, v)
		}
		for range 3 { // until somebody has compared
			if h, v = Decide(h, at(1010*second, reach, reach, says), p); !v.Returned {
				t.Errorf("asks %v: %+v", asks, v)
			}
		}
		h.Unchecked = false
		if _, v = Decide(h, at(1015*second, reach, reach, says), p); v.Returned {
			t.Errorf("asks %v: compared already", asks)
		}
	}
}

// Whatever comes: VMs are never stopped within the lease, and always within one round
// after it when at least three rounds were lost.
func TestLeaseIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := steady(true)
		h := leased(1000 * second)
		renewed, missed := h.Renewed, 0
		now := 1000 * second
		for range rapid.IntRange(1, 200).Draw(t, "rounds") {
			now += time.Duration(rapid.IntRange(1, 5).Draw(t, "pause")) * second
			took := time.Duration(rapid.IntRange(0, 3).Draw(t, "took")) * second
			says := rapid.SampledFrom([]Reported{ReportedNothing, ReportedNothing, ReportedMonitored, ReportedInit, ReportedError, ReportedDisabled, ReportedOffline}).Draw(t, "says")
			reach := rapid.SampledFrom([]probe.Reach{probe.Unknown, probe.Unreachable, probe.Refused, probe.Reachable}).Draw(t, "reach")
			r := Round{Began: now, Asked: now, Ended: now + took, FrontEnd: reach, Witness: reach, Reported: says}
			before := h
			var v Verdict
			h, v = Decide(h, r, p)
			good := says == ReportedMonitored || says == ReportedDisabled || says == ReportedInit && before.Told != ReportedError
			if missed++; good {
				renewed, missed = now, 0
			}
			if h.Renewed != renewed {
				t.Fatalf("renewed %s, want %s", h.Renewed, renewed)
			}
			if must := now+took >= renewed+p.Lease && missed >= 3; must != (v.Phase == Act) {
				t.Fatalf("%s after the renewal, %d missed: %+v", now+took-renewed, missed, v)
			}
			now += took
		}
	})
}

// A round ends when VMs have to be stopped, however long rounds take; before and after that they follow each other as they should.
func TestNextRound(t *testing.T) {
	const every = 5 * second
	for _, c := range []struct {
		name               string
		phase              Phase
		at                 time.Duration
		began, ended, next time.Duration
	}{
		{"all is well", Fine, 0, 1000 * second, 1000 * second, 1005 * second},
		{"the end is far", Holding, 1060 * second, 1000 * second, 1003 * second, 1005 * second},
		{"the round after the next one would be late", Holding, 1010 * second, 1000 * second, 1003 * second, 1007*second + atEnd},
		{"the next one would be late", Holding, 1007 * second, 1000 * second, 1003 * second, 1004*second + atEnd},
		{"it is late in any case", Isolated, 1005 * second, 1000 * second, 1003 * second, 1003 * second},
		{"rounds take no time", Holding, 1004 * second, 1000 * second, 1000 * second, 1004*second + atEnd},
		{"rounds take no time, and the end is after the next one", Holding, 1006 * second, 1000 * second, 1000 * second, 1005 * second},
		{"it has come, and was found to be so", Act, 1002 * second, 1000 * second, 1003 * second, 1005 * second},
	} {
		if got := nextRound(Verdict{Phase: c.phase, At: c.at}, c.began, c.ended, every); got != c.next {
			t.Errorf("%s: %s, want %s", c.name, got, c.next)
		}
	}
}
