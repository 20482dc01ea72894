package fence

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/wording"
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

// TestCycleCommand: a site's command is tried, too, and an agent that sees the host on has the last word; the host is on
// again when a later level can do it.
func TestCycleCommand(t *testing.T) {
	g := newGear(t)
	g.path("x")
	command := func(name, script string) Device { // without #!, as sites have them
		g.write("x", name, script)
		path := filepath.Join(g.dir, "x", name)
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return Device{Kind: KindCommand, Command: []string{path, "22,443"}}
	}
	agent := g.agent("a", "fence_good")
	power := filepath.Join(g.dir, "a", "power")
	works := command("works", "[ \"$1\" = 22,443 ] && echo off >"+power+"\n")
	s := g.settings(level(command("lies", "exit 0\n")), level(command("fails", "exit 7\n")), level(works), level(agent), level(works))
	tests, err := Cycle(t.Context(), theHost, s)
	if err != nil || len(tests) != 5 {
		t.Fatalf("%+v, %v", tests, err)
	}
	for i, want := range []string{"the command says off, but it says on", "exit code 7", "", "", ""} {
		got := ""
		if tests[i].Err != nil {
			got = tests[i].Err.Error()
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) || tests[i].Skipped != "" || (len(tests[i].Commands) == 1) == (i == 3) {
			t.Errorf("%+v, want %q", tests[i], want)
		}
	}
	if tests[3].On == 0 || tests[4].On != 0 || g.read("a", "power") != "off" {
		t.Errorf("%+v; the power is %s", tests, g.read("a", "power"))
	}
}
