package fence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/process"
)

// diskCluster is a host with sbd on shared disks, as sbd and fence_sbd 4.12.1 behave.
type diskCluster struct {
	slot    string        // clear or off
	msgwait time.Duration // in the header of each disk
	unread  int           // disks whose header cannot be read
	reacts  time.Duration // of sbd on the host after a pill is written, at most msgwait; less than 0: it does not run
	fails   bool          // the pill cannot be written
	early   bool          // success is said before msgwait is over
	alive   bool
	off     int // how often a pill was written
}

func (c *diskCluster) run(ctx context.Context, limit time.Duration, p process.Program) process.Result {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, process.ErrTimeout)
	defer cancel()
	wait := func(d time.Duration) bool { return process.Pause(ctx, d) }
	killed := process.Result{Code: -1, Err: process.ErrTimeout}
	if filepath.Base(p.Path) == "sbd" {
		if strings.HasSuffix(p.Args[1], "bad") {
			return process.Result{Code: 1, Output: "sbd: header NOT dumped"}
		}
		return process.Result{Output: fmt.Sprintf("==Dumping header on disk %s\nHeader version     : 2.1\nTimeout (watchdog) : 5\nTimeout (msgwait)  : %d\n", p.Args[1], int(c.msgwait.Seconds()))}
	}
	status := process.Result{Code: exitOn, Output: "Status: ON"}
	if c.slot == "off" {
		status = process.Result{Code: exitOff, Output: "Status: OFF"}
	}
	if !wait(200 * time.Millisecond) {
		return killed
	}
	switch action, _, _ := strings.Cut(strings.TrimPrefix(string(p.Stdin), "action="), "\n"); {
	case action == actionStatus:
		return status
	case c.slot == "off":
		return process.Result{Output: "Success: Already OFF"}
	case c.fails:
		return process.Result{Code: 1, Output: "Failed: Unable to power off"}
	}
	c.slot, c.off = "off", c.off+1
	if c.reacts >= 0 {
		time.AfterFunc(c.reacts, func() { c.alive = false })
	}
	if !c.early && !wait(c.msgwait+time.Second) {
		return killed
	}
	return process.Result{Output: "Success: Powered OFF"}
}

func sbdSettings(t interface{ Fatal(...any) }, dir string, c *diskCluster, timeout time.Duration) Settings {
	if err := os.WriteFile(filepath.Join(dir, agentSBD), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	disks := []string{"/dev/a", "/dev/b", "/dev/c"}
	for i := range c.unread {
		disks[i] += "-bad"
	}
	d := Device{Kind: KindAgent, Agent: agentSBD, Params: map[string]string{"devices": strings.Join(disks, ","), "plug": "node1"}}
	return Settings{Levels: []Level{level(d)}, AgentDir: []string{dir}, Timeout: timeout, Run: c.run}
}

// A proof by fence_sbd exists only when the host is off, whatever the time-out, the slot before and the disks, as long as sbd
// runs on the host; where it does not, an old pill shows it. Nothing is proven without msgwait.
func TestSBDProof(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		msgwait := time.Duration(rapid.IntRange(1, 120).Draw(rt, "msgwait")) * time.Second
		c := &diskCluster{
			slot: rapid.SampledFrom([]string{"clear", "off"}).Draw(rt, "slot"), msgwait: msgwait, alive: true,
			unread: rapid.IntRange(0, 3).Draw(rt, "unread"), fails: rapid.Bool().Draw(rt, "fails"), early: rapid.Bool().Draw(rt, "early"),
			reacts: time.Duration(rapid.Float64Range(0, 1).Draw(rt, "reacts") * float64(msgwait)),
		}
		if c.slot == "off" {
			c.reacts = -1 // else the host would be off
		}
		timeout := time.Duration(rapid.IntRange(1, 60).Draw(rt, "timeout")) * time.Second
		before := c.slot
		var proof Proof
		var err error
		synctest.Test(t, func(t *testing.T) { proof, err = Prove(t.Context(), theHost, sbdSettings(t, dir, c, timeout)) })
		usable := before == "clear" && c.unread < 2 && !c.fails && !c.early
		if proof.Certain() != usable || usable == (err != nil) {
			rt.Fatalf("%+v: %v, %v", c, proof, err)
		}
		if proof.Certain() && c.alive {
			rt.Fatalf("%+v: proven, and the host runs", c)
		}
		if c.off > 1 {
			rt.Fatalf("%d pills", c.off)
		}
	})
}

// What is said of it, and by oneft check beforehand.
func TestSBDSays(t *testing.T) {
	for name, c := range map[string]struct {
		cluster diskCluster
		proves  bool
		status  Power
		says    string
	}{
		"clear":           {diskCluster{slot: "clear", msgwait: 90 * time.Second}, true, PowerOn, ""},
		"old pill":        {diskCluster{slot: "off", msgwait: 10 * time.Second, reacts: -1}, false, PowerUnknown, "was there before, which says nothing about the host"},
		"no header":       {diskCluster{slot: "clear", msgwait: 10 * time.Second, unread: 2}, false, PowerUnknown, "/usr/sbin/sbd -d /dev/a-bad dump does not tell msgwait"},
		"far too long":    {diskCluster{slot: "clear", msgwait: time.Hour}, false, PowerUnknown, "msgwait of /dev/a is 3600 s: allowed are 1 to 600 s"},
		"cannot write":    {diskCluster{slot: "clear", msgwait: 10 * time.Second, fails: true}, false, PowerOn, "is no proof"},
		"one disk is bad": {diskCluster{slot: "clear", msgwait: 10 * time.Second, unread: 1}, true, PowerOn, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			cluster := c.cluster
			s := sbdSettings(t, t.TempDir(), &cluster, time.Second)
			list, err := Status(t.Context(), theHost, s)
			if err != nil || list[0].Power != c.status || (list[0].Err != nil) != (c.status == PowerUnknown) {
				t.Errorf("%s: status %+v, %v", name, list, err)
			}
			_, err = Prove(t.Context(), theHost, s)
			if (err == nil) != c.proves || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
			if name == "old pill" && !errors.Is(err, errOldPill) {
				t.Errorf("%s: %v", name, err)
			}
			if tests, err := Cycle(t.Context(), theHost, s); err != nil || tests[0].Skipped == "" {
				t.Errorf("%s: a test would leave the host off: %+v, %v", name, tests, err)
			}
		})
	}
}
