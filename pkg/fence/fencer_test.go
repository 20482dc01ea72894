package fence

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// The same host asked several times at once is fenced once.
func TestSameHostIsFencedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Fencer
		a, mine := f.join(3)
		if !mine {
			t.Fatal("somebody else is at it")
		}
		type got struct {
			proof Proof
			err   error
		}
		answers := make(chan got, 3)
		s := Settings{Levels: []Level{{Devices: []Device{{Kind: KindManual}}}}}
		for range 3 {
			go func() {
				proof, err := f.Prove(t.Context(), Host{ID: 3}, s)
				answers <- got{proof, err}
			}()
		}
		synctest.Wait() // all of them wait
		w := newWork(Host{ID: 3}, Settings{Levels: []Level{{Devices: []Device{{Kind: KindAgent, Agent: "fence_test"}}}}})
		calls := 0
		w.devices[0][0].err = nil
		w.call = func(context.Context, *device, string) answer {
			calls++
			return answer{code: (calls - 1) * exitOff} // off: 0, status: off
		}
		f.lead(t.Context(), a, w)
		for range 3 {
			if x := <-answers; x.err != nil || !x.proof.Covers(3) || !x.proof.Certain() {
				t.Errorf("proof %v, %v", x.proof, x.err)
			}
		}
		if calls != 2 || len(f.running) != 0 {
			t.Errorf("%d calls, %d running", calls, len(f.running))
		}
	})
}

// When the one who began gives up, the next one does it itself.
func TestWaiterTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Fencer
		a, _ := f.join(3)
		answers := make(chan error, 1)
		go func() {
			_, err := f.Prove(t.Context(), Host{ID: 3}, Settings{Levels: []Level{{Devices: []Device{{Kind: KindManual}}}}})
			answers <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.lead(ctx, a, newWork(Host{ID: 3}, Settings{Levels: []Level{{Devices: []Device{{Kind: KindManual}}}}}))
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("the first: %v", a.err)
		}
		if err := <-answers; !errors.Is(err, ErrManual) {
			t.Errorf("the second: %v", err)
		}
	})
}

// Whoever does not want to wait any more stops waiting, and disturbs nobody.
func TestWaiterGivesUp(t *testing.T) {
	var f Fencer
	f.join(3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Prove(ctx, Host{ID: 3, Name: "node3"}, Settings{Levels: []Level{{Devices: []Device{{Kind: KindManual}}}}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "host 3") {
		t.Errorf("error %v", err)
	}
	if _, mine := f.join(3); mine {
		t.Error("the attempt is gone")
	}
}

// Each agent waits for the other hosts to be fenced, too: whoever fences one after
// another never gets there.
func TestDifferentHostsAtOnce(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	var f Fencer
	errs := make(chan error)
	names := []string{"n1", "n2", "n3", "n4"}
	for i, name := range names {
		s := g.settings(level(with(g.agent(name, "fence_meet"), "need", "4")))
		go func() {
			proof, err := f.Prove(t.Context(), Host{ID: i}, s)
			if err == nil && (!proof.Covers(i) || proof.Covers(i+1)) {
				err = errors.New("the proof is for another host")
			}
			errs <- err
		}()
	}
	for range names {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// A host that comes back is still powered off when it is asked for, and each time
// anew: an old proof is not handed out again.
func TestHostThatComesBack(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	var f Fencer
	s := g.settings(level(g.agent("bmc", "fence_good")))
	for n := range 3 {
		g.write("bmc", "power", "on") // somebody powers it on
		proof, err := f.Prove(t.Context(), theHost, s)
		if err != nil || !proof.Certain() || g.read("bmc", "power") != "off" {
			t.Fatalf("time %d: proof %v, %v", n+1, proof, err)
		}
	}
	if n := g.calls("bmc", "off"); n != 3 {
		t.Errorf("powered off %d times", n)
	}
}
