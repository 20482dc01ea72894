package rigs_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/fence"
	"one-ft/test/process/rigs"
)

// device is fence_ipmilan for a BMC.
func device(b *rigs.BMC) fence.Device {
	return fence.Device{Kind: fence.KindAgent, Agent: "fence_ipmilan", Params: b.Params()}
}

// hasty is fence_ipmilan for a BMC that will not do it: the agent soon gives up.
func hasty(b *rigs.BMC) fence.Device {
	d := device(b)
	d.Params["power_timeout"] = "3"
	return d
}

// settings are quick enough for a test; every device is a level.
func settings(devices ...fence.Device) fence.Settings {
	s := fence.Settings{Timeout: 20 * time.Second, Attempts: 2, Backoff: 100 * time.Millisecond, Late: 500 * time.Millisecond, Poll: 100 * time.Millisecond}
	for _, d := range devices {
		s.Levels = append(s.Levels, fence.Level{Devices: []fence.Device{d}})
	}
	return s
}

// prove fences host 3 and checks that proof, error and machine agree.
func prove(t *testing.T, s fence.Settings, b *rigs.BMC, proven bool) error {
	t.Helper()
	machine := b.Machine()
	proof, err := fence.Prove(t.Context(), fence.Host{ID: 3, Name: "node3"}, s)
	if (err == nil) != proven || proof.Covers(3) != proven || proof.Certain() != proven {
		t.Fatalf("proof %v, %v", proof, err)
	}
	if proven && rigs.Alive(machine) {
		t.Fatal("proven, but the machine runs")
	}
	if err != nil && strings.Contains(err.Error(), rigs.BMCPassword) {
		t.Errorf("the password is in %q", err)
	}
	return err
}

func TestOff(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	if !rigs.Alive(b.Machine()) {
		t.Fatal("the machine is not on")
	}
	prove(t, settings(device(b)), b, true)
	if b.Asked("set power 0") == 0 || b.Asked("set power 1") != 1 {
		t.Error("it was not switched off, or switched on")
	}
}

// TestPowerCycle is what oneft drill --fence-test does: off, proven, and on again.
func TestPowerCycle(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	before := b.Machine()
	tests, err := fence.Cycle(t.Context(), fence.Host{ID: 3, Name: "node3"}, settings(device(b)))
	if err != nil || len(tests) != 1 || tests[0].Err != nil || tests[0].Skipped != "" {
		t.Fatalf("%+v, %v", tests, err)
	}
	if rigs.Alive(before) || !rigs.Alive(b.Machine()) || b.Asked("set power 0") == 0 || b.Asked("set power 1") != 2 {
		t.Errorf("the machine of before is alive: %t, that of now: %t", rigs.Alive(before), rigs.Alive(b.Machine()))
	}
}

func TestAlreadyOff(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	b.PowerOff()
	prove(t, settings(device(b)), b, true)
}

func TestStatusOnly(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	wrong := device(b)
	wrong.Params["password"] = "wrong-password"
	list, err := fence.Status(t.Context(), fence.Host{ID: 3}, settings(device(b), wrong))
	if err != nil || list[0].Power != fence.PowerOn || list[1].Power != fence.PowerUnknown || list[1].Err == nil {
		t.Errorf("status %+v, %v", list, err)
	}
	if b.Asked("set power 0") != 0 || !rigs.Alive(b.Machine()) {
		t.Error("a question has changed something")
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	d := device(b)
	d.Params["password"] = "wrong-password"
	err := prove(t, settings(d), b, false)
	if strings.Contains(err.Error(), "wrong-password") || !strings.Contains(err.Error(), "Unable to obtain correct plug status") {
		t.Error(err)
	}
	if !rigs.Alive(b.Machine()) {
		t.Error("the machine is off")
	}
}

func TestPasswordInAFile(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "node3"), []byte(rigs.BMCPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	levels, err := fence.FromTemplate(map[string]string{
		"FENCE_AGENT": "fence_ipmilan", "FENCE_IP": b.IP, "FENCE_IPPORT": strconv.Itoa(b.Port), "FENCE_USER": rigs.BMCUser,
		"FENCE_PASSWORD_FILE": "node3", "FENCE_LANPLUS": "1", "FENCE_CIPHER": "3", "FENCE_POWER_WAIT": "0",
	})
	if err != nil {
		t.Fatal(err)
	}
	s := settings()
	s.Levels, s.SecretDir = levels, dir
	prove(t, s, b, true)
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	d := hasty(b)
	d.Params["ipport"] = "6231" // nobody is there
	d.Params["login_timeout"] = "1"
	s := settings(d)
	s.Attempts = 1
	prove(t, s, b, false)
	if !rigs.Alive(b.Machine()) {
		t.Error("the machine is off")
	}
}

func TestBMCThatLies(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	b.SetMode(rigs.Lies)
	s := settings(hasty(b))
	s.Attempts = 1
	if err := prove(t, s, b, false); !strings.Contains(err.Error(), "its status is still on") {
		t.Error(err)
	}
}

// The agent gives up, and the machine goes off afterwards.
func TestLatePowerOff(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	b.SetMode(rigs.Late)
	s := settings(hasty(b))
	s.Late = 15 * time.Second
	gaveUp := false
	s.Notify = func(e fence.Event) { gaveUp = gaveUp || strings.HasPrefix(e.Message.String(), "off: exit code 1") }
	prove(t, s, b, true)
	if !gaveUp {
		t.Error("the agent did not give up before")
	}
}

// The BMC of a host may die with it: the next level is used.
func TestSecondLevel(t *testing.T) {
	t.Parallel()
	dead, works := rigs.StartBMC(t), rigs.StartBMC(t)
	dead.SetMode(rigs.Lies)
	prove(t, settings(hasty(dead), device(works)), works, true)
}

// Two power supplies: one of them is not enough.
func TestTwoDevicesOneFails(t *testing.T) {
	t.Parallel()
	a, b := rigs.StartBMC(t), rigs.StartBMC(t)
	both := settings()
	both.Levels = []fence.Level{{Devices: []fence.Device{device(a), hasty(b)}}}
	b.SetMode(rigs.Lies)
	prove(t, both, b, false)
	b.SetMode(rigs.Honest)
	prove(t, both, b, true)
	if a.Machine() != 0 {
		t.Error("one machine is on")
	}
}

func TestFourHostsAtOnce(t *testing.T) {
	t.Parallel()
	errs := make(chan error)
	var machines []int
	for id := range 4 {
		b := rigs.StartBMC(t)
		machines = append(machines, b.Machine())
		go func() {
			proof, err := fence.Prove(t.Context(), fence.Host{ID: id}, settings(device(b)))
			if err == nil && !proof.Covers(id) {
				err = fmt.Errorf("host %d: %v", id, proof)
			}
			errs <- err
		}()
	}
	for range machines {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, m := range machines {
		if rigs.Alive(m) {
			t.Errorf("machine %d runs", m)
		}
	}
}

// A BMC that takes everything and answers nothing: agent and ipmitool are killed.
func TestHangingAgentIsKilled(t *testing.T) {
	t.Parallel()
	b := rigs.StartBMC(t)
	hole, err := net.ListenPacket("udp", net.JoinHostPort(b.IP, "6232"))
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	d := device(b)
	d.Params["ipport"] = "6232"
	d.Params["disable_timeout"] = "true"
	s := settings(d)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		// ipmitool runs when its first packet is here.
		buf := make([]byte, 1000)
		_, _, _ = hole.ReadFrom(buf)
		cancel()
	}()
	start := time.Now()
	if _, err := fence.Prove(ctx, fence.Host{ID: 3}, s); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	// A killed process needs a moment; ipmitool would go on for 20 s.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); len(talkingTo(t, b.IP)) > 0; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("processes are left: %v", talkingTo(t, b.IP))
		}
	}
}

// talkingTo finds the processes with an address in their arguments.
func talkingTo(t *testing.T, ip string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "ipmitool") || !strings.Contains(string(text), ip+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && rigs.Alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}
