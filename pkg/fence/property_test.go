package fence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/process"
)

// scripted are devices that answer as a script says, and a protocol of it.
type scripted struct {
	mu      sync.Mutex
	scripts map[*device][]int
	calls   []scriptedCall
}

type scriptedCall struct {
	device *device
	action string
	code   int
}

func (s *scripted) call(ctx context.Context, d *device, action string) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := 1
	if left := s.scripts[d]; len(left) > 0 {
		code, s.scripts[d] = left[0], left[1:]
	}
	s.calls = append(s.calls, scriptedCall{d, action, code})
	if code < 0 {
		return answer{code: -1, err: process.ErrTimeout}
	}
	return answer{code: code}
}

// seenOff reports whether all devices of a level were off at one moment, as far as the
// answers tell: the last status of each is off, and between the first and the last
// "off" of each, without an "on", there is a moment that all of them share.
func (s *scripted) seenOff(devices []*device) bool {
	lastFirst := -1 // when the last of them was off, too
	last := map[*device]int{}
	for _, d := range devices {
		first := -1
		for i, c := range s.calls {
			switch {
			case c.device != d || c.action != actionStatus:
			case c.code == exitOn:
				first = -1
				delete(last, d)
			case c.code != exitOff:
				delete(last, d)
			default:
				if first < 0 {
					first = i
				}
				last[d] = i
			}
		}
		if _, off := last[d]; !off {
			return false
		}
		lastFirst = max(lastFirst, first)
	}
	for _, at := range last {
		if at < lastFirst {
			return false
		}
	}
	return true
}

// A certain proof exists only if some level was seen off as a whole, and nothing but
// off and status is ever asked for.
func TestCertainOnlyWhenSeenOff(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w, tape := drawWork(r)
		var proof Proof
		var err error
		seconds := rapid.IntRange(0, 40).Draw(r, "seconds until the end")
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(seconds)*time.Second)
			defer cancel()
			proof, err = w.prove(ctx)
		})
		checkCertain(r, tape, w, proof, err)
	})
}

// drawWork is any host with any devices that answer anything.
func drawWork(t *rapid.T) (*work, *scripted) {
	codes := rapid.SampledFrom([]int{0, 0, 1, 2, 2, 2, -1, 127})
	s := Settings{Attempts: rapid.IntRange(1, 3).Draw(t, "attempts"), Late: 3 * time.Second}
	for range rapid.IntRange(1, 3).Draw(t, "levels") {
		var l Level
		for range rapid.IntRange(1, 3).Draw(t, "devices") {
			l.Devices = append(l.Devices, Device{Kind: KindAgent, Agent: "fence_test"})
		}
		s.Levels = append(s.Levels, l)
	}
	w, err := newWork(Host{ID: 7}, s)
	if err != nil {
		t.Fatal(err)
	}
	tape := &scripted{scripts: map[*device][]int{}}
	w.call = tape.call
	for _, d := range slices.Concat(w.devices...) {
		d.err = nil
		tape.scripts[d] = rapid.SliceOfN(codes, 0, 12).Draw(t, "answers")
	}
	return w, tape
}

func checkCertain(t *rapid.T, tape *scripted, w *work, proof Proof, err error) {
	seen := slices.ContainsFunc(w.devices, tape.seenOff)
	var failed *FailedError
	switch {
	case proof.Certain() && !seen:
		t.Fatalf("certain, but never seen off: %+v", tape.calls)
	case proof.Covers(7) != (err == nil) || proof.Certain() != (err == nil):
		t.Fatalf("proof %v with error %v", proof, err)
	case err != nil && !errors.As(err, &failed):
		t.Fatalf("error %v", err)
	}
	for _, c := range tape.calls {
		if c.action != actionOff && c.action != actionStatus {
			t.Fatalf("asked for %q", c.action)
		}
	}
}

// The pauses grow, are bounded by the context, and no call is made after its end.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		s := Settings{Attempts: 4, Backoff: time.Second, Levels: []Level{{Devices: []Device{{Kind: KindAgent, Agent: "fence_test"}}}}}
		w, err := newWork(Host{ID: 7}, s)
		if err != nil {
			t.Fatal(err)
		}
		w.devices[0][0].err = nil
		w.call = func(_ context.Context, _ *device, action string) answer {
			if action == actionOff {
				at = append(at, time.Since(begin))
			}
			return answer{code: 1}
		}
		if _, err := w.prove(t.Context()); err == nil || len(at) != 4 {
			t.Fatalf("%v, attempts at %v", err, at)
		}
		for i, least := range []time.Duration{1, 2, 4} {
			gap := at[i+1] - at[i]
			if gap < least*time.Second || gap > least*time.Second*3/2+1 {
				t.Errorf("pause %d was %s", i+1, gap)
			}
		}
		at, begin = nil, time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := w.prove(ctx); !errors.Is(err, context.DeadlineExceeded) || len(at) != 1 || time.Since(begin) != 500*time.Millisecond {
			t.Errorf("%v, attempts at %v, ended after %s", err, at, time.Since(begin))
		}
	})
}
