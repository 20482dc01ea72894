package fence

import (
	"context"
	"one-ft/pkg/wording"
	"strings"
	"testing"
	"time"
)

func TestCycle(t *testing.T) {
	g := newGear(t)
	s := g.settings(level(g.agent("a", "fence_good"), g.agent("b", "fence_good")), level(Device{Kind: KindManual}),
		level(Device{Kind: KindLease, Lease: Lease{Length: time.Minute}}), level(g.agent("c", "fence_lie")))
	tests, err := Cycle(t.Context(), Host{ID: 3, Name: "node3"}, s)
	if err != nil || len(tests) != 4 {
		t.Fatalf("%v, %v", tests, err)
	}
	if tests[0].Err != nil || tests[0].Skipped != "" || len(tests[0].Devices) != 2 || g.read("a", "power") != "on" || g.read("b", "power") != "on" {
		t.Errorf("two devices: %+v", tests[0])
	}
	if g.calls("a", "off") != 1 || g.calls("a", "on") != 1 {
		t.Errorf("asked for off %d times, for on %d times", g.calls("a", "off"), g.calls("a", "on"))
	}
	if tests[1].Skipped == "" || tests[2].Skipped == "" {
		t.Errorf("an admin and a lease were tested: %+v", tests)
	}
	if e := tests[3].Err; e == nil || !strings.Contains(e.Error(), "its status is still on") {
		t.Errorf("a device that lies: %v", e)
	}
	if _, err := Cycle(t.Context(), Host{ID: 3}, g.settings()); err == nil {
		t.Error("nothing is configured, and it was tested")
	}
}

// TestCycleStopped: whoever stops the test does not leave the host without power.
func TestCycleStopped(t *testing.T) {
	g := newGear(t)
	ctx, stop := context.WithCancel(t.Context())
	s := g.settings(level(g.agent("a", "fence_good")), level(g.agent("b", "fence_good")))
	s.Notify = func(e Event) {
		if e.Message.Kind == wording.FenceAnswer && e.Message.Args[0] == actionOff {
			stop()
		}
	}
	tests, err := Cycle(ctx, Host{ID: 3}, s)
	if err != nil || g.read("a", "power") != "on" || g.calls("a", "on") != 1 {
		t.Errorf("%+v, %v; the power is %s", tests, err, g.read("a", "power"))
	}
	if tests[1].Skipped == "" || g.calls("b", "off") != 0 {
		t.Errorf("it went on with the next level: %+v", tests[1])
	}
}
