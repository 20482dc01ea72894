package fence

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestAgents is one level with one device, for everything that an agent may do.
func TestAgents(t *testing.T) {
	for _, c := range []struct {
		agent       string
		power, need string
		proven      bool
		offs        int    // how often it is asked for off
		says        string // in the proof or error
	}{
		{agent: "fence_good", proven: true, offs: 1, says: "says off (level 1)"},
		{agent: "fence_good", power: "off", proven: true, offs: 1, says: "says off (level 1)"},
		{agent: "fence_once", proven: true, offs: 1, says: "says off"},
		{agent: "fence_late", proven: true, offs: 1, says: "says off"},
		{agent: "fence_flaky", need: "2", proven: true, offs: 2, says: "says off"},
		{agent: "fence_flaky", need: "3", offs: 2, says: "off: exit code 1: Connection timed out; status: exit code 1: Connection timed out"},
		{agent: "fence_flood", proven: true, offs: 1, says: "says off"},
		{agent: "fence_pipes", proven: true, offs: 1, says: "says off"},
		{agent: "fence_lie", offs: 2, says: "off: exit code 0: Success: Powered OFF; but its status is still on"},
		{agent: "fence_denied", offs: 2, says: "Unable to obtain correct plug status"},
		{agent: "fence_broken", says: "it does not understand the request"},
		{agent: "fence_killed", offs: 2, says: "ended by signal 9 (killed)"},
		{agent: "fence_missing", says: "fence_missing is not installed (package fence-agents)"},
	} {
		t.Run(c.agent+c.power+c.need, func(t *testing.T) {
			t.Parallel()
			g := newGear(t)
			s := g.settings(level(with(g.agent("bmc", c.agent), "need", c.need)))
			s.Late = 300 * time.Millisecond
			if c.agent == "fence_late" {
				s.Late = 20 * time.Second
			}
			if c.power != "" {
				g.write("bmc", "power", c.power)
			}
			if c.agent == "fence_pipes" {
				signs := g.alive("bmc")
				defer sign(t, signs, "")
				defer sign(t, signs, "ready")
			}
			proof, err := Prove(t.Context(), theHost, s)
			if c.proven != (err == nil) || proof.Covers(0) != c.proven || proof.Certain() != c.proven {
				t.Fatalf("proof %v, %v", proof, err)
			}
			text := proof.String()
			if err != nil {
				text = err.Error()
			}
			if !strings.Contains(text, c.says) {
				t.Errorf("it says %q, want %q", text, c.says)
			}
			g.checkMachine("bmc", c.offs, c.proven)
		})
	}
}

// checkMachine looks at what a device was asked for, and at its machine.
func (g *gear) checkMachine(name string, offs int, proven bool) {
	g.t.Helper()
	if n := g.calls(name, "off"); n != offs {
		g.t.Errorf("asked %d times for off, want %d", n, offs)
	}
	if proven && g.read(name, "power") != "off" {
		g.t.Error("proven, but the machine is on")
	}
	if g.calls(name, "on")+g.calls(name, "reboot") > 0 {
		g.t.Error("it was asked for something that powers on")
	}
}

func TestLevelsGoOnWhenOneFails(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	s := g.settings(
		Level{Name: "bmc", Devices: []Device{g.agent("bmc", "fence_denied")}},
		Level{Name: "strip", Devices: []Device{with(g.agent("strip", "fence_good"), "plug", "7")}},
		Level{Name: "never", Devices: []Device{g.agent("never", "fence_good")}},
	)
	proof, err := Prove(t.Context(), theHost, s)
	if err != nil || !proof.Certain() || !strings.Contains(proof.String(), "plug 7 says off (level 2)") {
		t.Fatalf("proof %v, %v", proof, err)
	}
	if age := time.Since(proof.At()); age < 0 || age > time.Minute {
		t.Errorf("the proof is %s old", age)
	}
	if g.calls("never", "off") > 0 {
		t.Error("the third level was used")
	}
}

func TestAllDevicesOfALevel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, a, b string
		proven     bool
		says       string
	}{
		{"both", "fence_good", "fence_good", true, "say off (level 1)"},
		{"one of two", "fence_good", "fence_denied", false, "Unable to obtain"},
		{"one late", "fence_late", "fence_good", true, "say off"},
		{"one comes on again", "fence_again", "fence_good", false, "it was off, but came on again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := newGear(t)
			s := g.settings(level(g.agent("a", c.a), g.agent("b", c.b)))
			s.Late = 20 * time.Second
			proof, err := Prove(t.Context(), theHost, s)
			text := proof.String()
			if err != nil {
				text = err.Error()
			}
			if (err == nil) != c.proven || proof.Certain() != c.proven || !strings.Contains(text, c.says) {
				t.Fatalf("proof %v, %v", proof, err)
			}
			if c.proven && (g.calls("a", "status") < 2 || g.calls("b", "status") < 2) {
				t.Error("the devices were not asked again after all were off")
			}
		})
	}
}

// Both outlets go off only when they are asked at the same time.
func TestDevicesOfALevelAtOnce(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	s := g.settings(level(with(g.agent("a", "fence_meet"), "need", "2"), with(g.agent("b", "fence_meet"), "need", "2")))
	if _, err := Prove(t.Context(), theHost, s); err != nil {
		t.Fatal(err)
	}
}

func TestManual(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	manual := level(Device{Kind: KindManual})
	_, err := Prove(t.Context(), theHost, g.settings(level(g.agent("bmc", "fence_denied")), manual))
	var failed *FailedError
	if !errors.Is(err, ErrManual) || !errors.As(err, &failed) || len(failed.Errs) != 2 {
		t.Fatalf("error %v", err)
	}
	if proof, err := Prove(t.Context(), theHost, g.settings(manual, level(g.agent("strip", "fence_good")))); err != nil || !proof.Certain() {
		t.Fatalf("a level after the manual one: %v, %v", proof, err)
	}
	if _, err := Prove(t.Context(), theHost, g.settings(level(g.agent("bmc", "fence_denied")))); errors.Is(err, ErrManual) {
		t.Fatalf("without a manual level: %v", err)
	}
}

func TestNotInstalled(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	_, err := Prove(t.Context(), theHost, g.settings(level(g.agent("bmc", "fence_none"))))
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "fence-agents") {
		t.Fatalf("error %v", err)
	}
}

func TestNothingConfigured(t *testing.T) {
	if proof, err := Prove(t.Context(), theHost, Settings{}); !errors.Is(err, ErrNotConfigured) || proof.Covers(0) {
		t.Fatalf("proof %v, %v", proof, err)
	}
	if _, err := Status(t.Context(), theHost, Settings{}); !errors.Is(err, ErrNotConfigured) {
		t.Fatal(err)
	}
}

func TestProofs(t *testing.T) {
	var zero Proof
	if zero.Covers(0) || zero.Certain() || zero.String() != "no proof" {
		t.Error("the zero value proves something")
	}
	w := WithoutProof(0, "fencing is off (-u)\x1b[31m")
	if !w.Covers(0) || w.Covers(1) || w.Certain() || w.String() != `fencing is off (-u)\x1b[31m` {
		t.Errorf("waiver: %v", w)
	}
	c := ConfirmedOff(3, "admin mary")
	if !c.Covers(3) || c.Covers(0) || !c.Certain() || c.String() != "admin mary confirmed that host 3 is off" {
		t.Errorf("confirmation: %v", c)
	}
}

// An unattended end of time: whatever is tried, it stops, and the next level is not
// begun.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	s := g.settings(level(g.agent("bmc", "fence_hang")), level(g.agent("strip", "fence_good")))
	signs := g.alive("bmc")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-signs
		cancel()
	}()
	proof, err := Prove(ctx, theHost, s)
	if !errors.Is(err, context.Canceled) || proof.Covers(0) {
		t.Fatalf("proof %v, %v", proof, err)
	}
	sign(t, signs, "")
	var failed *FailedError
	if !errors.As(err, &failed) || len(failed.Errs) != 2 || g.calls("strip", "off") > 0 {
		t.Error("another level was begun")
	}
}

func TestStatusChangesNothing(t *testing.T) {
	t.Parallel()
	g := newGear(t)
	off := g.agent("off", "fence_good")
	g.write("off", "power", "off")
	command := Device{Kind: KindCommand, Command: []string{"/nonexistent"}}
	s := g.settings(level(g.agent("on", "fence_good"), off), level(g.agent("bad", "fence_denied")), level(command), level(Device{Kind: KindManual}))
	list, err := Status(t.Context(), theHost, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		text := string(d.Power)
		if d.Err != nil {
			text += " error"
		}
		got = append(got, text)
	}
	if want := "on, off, unknown error, unknown, unknown"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, name := range []string{"on", "off", "bad"} {
		if g.calls(name, "status") != 1 || g.calls(name, "off") != 0 {
			t.Errorf("%s was asked: %q", name, g.read(name, "calls"))
		}
	}
}

func TestAdvisesSystem(t *testing.T) {
	for text, want := range map[string]bool{
		"fence_redfish ip=10.0.0.1": true, "fence_redfish systems_uri=/redfish/v1/Systems/1": false, "fence_redfish systems-uri=/x": false,
		"fence_redfish systems_uri=": true, "fence_ipmilan ip=10.0.0.1": false,
	} {
		agent, param, _ := strings.Cut(text, " ")
		name, value, _ := strings.Cut(param, "=")
		if got := (Device{Kind: KindAgent, Agent: agent, Params: map[string]string{name: value}}).AdvisesSystem(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
