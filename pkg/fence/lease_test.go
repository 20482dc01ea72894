package fence

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// leased is a host that is fenced by a lease of a minute.
func leased(look Look) Settings {
	return Settings{Look: look, Levels: []Level{{Devices: []Device{{Kind: KindLease, Lease: Lease{Length: time.Minute}}}}}}
}

// wait is how long a lease of a minute is waited for.
const wait = time.Minute + DefaultReaction + DefaultMargin

// The wait is the whole of lease, reaction and margin, from the beginning of the row.
func TestLeaseIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		name string
		// since is when the row of looks that see ERROR began, n seconds after the start.
		since  func(n time.Duration) time.Duration
		proven time.Duration // when, after the start
	}{
		{"in ERROR now", func(time.Duration) time.Duration { return 0 }, wait},
		{"in ERROR for a minute already", func(time.Duration) time.Duration { return -time.Minute }, wait - time.Minute},
		{"long enough already", func(time.Duration) time.Duration { return -2 * time.Minute }, 0},
		{"a gap after 100 s", func(n time.Duration) time.Duration {
			if n < 100*time.Second {
				return 0
			}
			return 100 * time.Second
		}, 100*time.Second + wait},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			looks := 0
			proof, err := Prove(t.Context(), theHost, leased(func(context.Context) (time.Time, error) {
				looks++
				return start.Add(c.since(time.Since(start))), nil
			}))
			if took := time.Since(start); err != nil || took != c.proven || !proof.Covers(theHost.ID) || !proof.Certain() {
				t.Errorf("%s: %v after %s, %v", c.name, proof, took, err)
			}
			if want := int(c.proven/time.Second) + 1; looks < want {
				t.Errorf("%s: %d looks", c.name, looks)
			}
		})
	}
}

// A lease that comes after another device runs out while that is tried.
func TestLeaseRunsOutMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, last := time.Now(), time.Now()
		s := leased(func(context.Context) (time.Time, error) {
			if gap := time.Since(last); gap > 5*time.Second {
				t.Errorf("nobody looked for %s", gap)
			}
			last = time.Now()
			return start, nil
		})
		s.Levels = append([]Level{{Devices: []Device{{Kind: KindCommand, Command: []string{"/bin/true"}}}}}, s.Levels...)
		s.Timeout, s.Attempts = 5*time.Minute, 1
		s.Run = func(ctx context.Context, _ time.Duration, _ process.Program) process.Result {
			process.Pause(ctx, wait-10*time.Second)
			return process.Result{Code: 1}
		}
		_, err := Prove(t.Context(), theHost, s)
		if took := time.Since(start); err != nil || took < wait || took > wait+time.Second {
			t.Errorf("proven after %s, %v; without looking meanwhile it takes %s", took, err, 2*wait)
		}
	})
}

// Whatever says that the host may be granted a lease ends the wait without a proof.
func TestLeaseIsNoProof(t *testing.T) {
	failing := errors.New("the host is DISABLED")
	good := func(context.Context) (time.Time, error) { return time.Now(), nil }
	for _, c := range []struct {
		name     string
		look     Look
		template map[string]string
		says     string
	}{
		{"the host is not in ERROR any more", func(context.Context) (time.Time, error) { return time.Time{}, failing }, nil, failing.Error()},
		{"never without a gap", good, nil, "was never seen in ERROR for 2m0s without a gap"},
		{"nothing known", func(context.Context) (time.Time, error) { return time.Time{}, nil }, nil, "is not known"},
		{"nothing to look with", nil, nil, "no way to verify"},
		{"the host needs longer", good, map[string]string{"FT_LEASE": "90", "FT_LEASE_REACTION": "40"}, "the wait for the lease is too short: the host needs up to 2m10s"},
		{"the host reacts slower", good, map[string]string{"FT_LEASE": "60", "FT_LEASE_REACTION": "59"}, "too short"},
		{"damaged", good, map[string]string{"FT_LEASE": "60", "FT_LEASE_REACTION": "x"}, "number of seconds"},
		{"half of it", good, map[string]string{"FT_LEASE": "60"}, "FT_LEASE_REACTION: it is missing"},
		{"not armed", good, map[string]string{"FT_LEASE": "60", "FT_LEASE_REACTION": "40", "FT_LEASE_ARMED": "NO"}, "keeps no lease"},
		{"not strict", good, map[string]string{"FT_ISOLATED_AFTER": "60", "FT_LEASE_ARMED": "NO"}, "keeps no lease"},
	} {
		synctest.Test(t, func(t *testing.T) {
			host := theHost
			host.Template = c.template
			proof, err := Prove(t.Context(), host, leased(c.look))
			var failed *FailedError
			if proof.Covers(theHost.ID) || !errors.As(err, &failed) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, %v", c.name, proof, err)
			}
		})
	}
}

// A published promise that fits is trusted instead of the warning that there is none.
func TestPromiseOfTheHost(t *testing.T) {
	for _, published := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			host := theHost
			if published {
				host.Template = map[string]string{"FT_LEASE": "60", "FT_LEASE_REACTION": "53", "FT_LEASE_ARMED": "yes"}
			}
			warned := false
			s := leased(func(context.Context) (time.Time, error) { return time.Now().Add(-time.Hour), nil })
			s.Notify = func(e Event) { warned = warned || e.Message.Kind == wording.LeaseUnpublished }
			if _, err := Prove(t.Context(), host, s); err != nil || warned == published {
				t.Errorf("published %v: warned %v, %v", published, warned, err)
			}
		})
	}
}

// A lease is the last resort behind a BMC that does not answer, and its wait has been
// running meanwhile.
func TestLeaseBehindAgent(t *testing.T) {
	levels, err := FromTemplate(map[string]string{"FENCE_AGENT": "fence_missing_agent", "FENCE_LEASE": "30", "FENCE_LEASE_REACTION": "20", "FENCE_MANUAL": "yes"})
	if err != nil || len(levels) != 3 || levels[1].Devices[0].Kind != KindLease || levels[2].Devices[0].Kind != KindManual {
		t.Fatalf("%+v, %v", levels, err)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		proof, err := Prove(t.Context(), theHost, Settings{Levels: levels, Look: func(context.Context) (time.Time, error) { return start, nil }})
		if took := time.Since(start); err != nil || took != time.Minute || !strings.Contains(proof.String(), "level 2") {
			t.Errorf("%v, %v after %s", proof, err, took)
		}
	})
}

// The inequality itself: the wait is longer than what the host promises by 1 %.
func TestCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string, least int) time.Duration {
			return time.Duration(rapid.IntRange(least, 5000).Draw(t, name)) * time.Second
		}
		l := Lease{Length: seconds("length", 10), Reaction: seconds("reaction", 1), Margin: seconds("margin", 1)}
		p := Promise{Lease: seconds("lease", 10), Reaction: seconds("host", 1)}
		worst := (p.Lease + p.Reaction).Seconds()
		if fits := l.Wait().Seconds() >= worst*1.01-1e-6; fits != (l.Covers(p) == nil) {
			t.Fatalf("%+v, %+v: %v", l, p, l.Covers(p))
		}
		if (l.check() == nil) != (l.Length <= MaxLease && l.Margin.Seconds() >= (l.Length+l.Reaction).Seconds()/100-1e-6) {
			t.Fatalf("%+v: %v", l, l.check())
		}
	})
	if err := (Lease{Length: time.Minute}).WithDefaults().check(); err != nil {
		t.Error(err)
	}
}
