package fence

import (
	"errors"
	"testing"
)

// Each agent waits for the other hosts to be fenced, too: whoever fences one after
// another never gets there.
func TestDifferentHostsAtOnce(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	errs := make(chan error)
	names := []string{"n1", "n2", "n3", "n4"}
	for i, name := range names {
		s := g.settings(level(with(g.agent(name, "fence_meet"), "need", "4")))
		go func() {
			proof, err := Prove(t.Context(), Host{ID: i}, s)
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

// A host that comes back is still powered off on request, and each time anew: an old
// proof is not handed out again.
func TestHostThatComesBack(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	s := g.settings(level(g.agent("bmc", "fence_good")))
	for n := range 3 {
		g.write("bmc", "power", "on") // somebody powers it on
		proof, err := Prove(t.Context(), theHost, s)
		if err != nil || !proof.Certain() || g.read("bmc", "power") != "off" {
			t.Fatalf("time %d: proof %v, %v", n+1, proof, err)
		}
	}
	if n := g.calls("bmc", "off"); n != 3 {
		t.Errorf("powered off %d times", n)
	}
}
