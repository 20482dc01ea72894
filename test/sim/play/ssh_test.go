package play

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/test/sim/cloud"
)

// inWorld runs a test in a world with these lines of a cloud, in which host0 is dead and vm 1 of it is cleaned up.
func inWorld(t *testing.T, lines []string, test func(t *testing.T, w *world, m sshMachine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		defer end()
		w, err := newWorld(ctx, Scenario{Cloud: append([]string{"hosts 3", "vm 1 on host0", "fencing none"}, lines...)}, "6.10", t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer w.cloud.Close()
		test(t, w, sshMachine{&process{frontEnd: w.frontEnds[0]}})
	})
}

// cleansUp kills host0 and has vm 1 recreated.
func cleansUp(t *testing.T, w *world) {
	t.Helper()
	if err := errors.Join(w.cloud.LeaveMaster(0), w.cloud.PowerOff(0)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(40 * time.Second)
	client, err := w.byHandClient()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Do(t.Context(), "recreate", 1); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
}

// The package failfast as it is, on the simulated front-end: it sees its block in force, ends what connects, and
// from then on the drivers fail at once, until the mark expires.
func TestFailFast(t *testing.T) {
	inWorld(t, []string{"network routed", "clean-ups hang never"}, func(t *testing.T, w *world, m sshMachine) {
		state := filepath.Join(w.frontEnds[0].root, "var", "one-ft")
		client, err := failfast.NewClient(m, state)
		if err != nil {
			t.Fatal(err)
		}
		marks := failfast.Open(state)
		if force := client.InForce(t.Context(), marks); force.State != failfast.InForce || force.ConnectTimeout != 0 {
			t.Errorf("%+v", force)
		}
		cleansUp(t, w)
		done, err := client.Engage(t.Context(), marks, []string{"host0"}, failfast.Hold{Host: 0, Until: time.Now().Add(failfast.MaxHold)})
		if err != nil || len(done.Connections) != 1 || len(done.Masters) != 1 || !slices.Equal(done.Names, []string{"host0"}) {
			t.Fatalf("%+v, %v", done, err)
		}
		time.Sleep(time.Second)
		if v, _ := w.cloud.VM(1); v.LCM.String() == "CLEANUP_RESUBMIT" || len(w.cloud.Masters()) != 0 && w.failsFast("host1") {
			t.Errorf("%s, masters %v", v.LCM, w.cloud.Masters())
		}
		if err := m.Signal(done.Connections[0], syscall.SIGTERM); !errors.Is(err, failfast.ErrGone) {
			t.Errorf("a process that has ended: %v", err)
		}
		if settings, err := client.Resolve(t.Context(), "host0"); err != nil || settings.ControlPath != "" || settings.Direct() {
			t.Errorf("%+v, %v", settings, err)
		}
		time.Sleep(failfast.MaxHold)
		if w.failsFast("host0") {
			t.Error("a mark that has expired is in force")
		}
	})
}

// Without the block marks do nothing, and ssh -G says what is configured.
func TestNoFailFast(t *testing.T) {
	inWorld(t, []string{"network routed", "ssh fail-fast off", "ssh connect-timeout 10s"}, func(t *testing.T, w *world, m sshMachine) {
		state := filepath.Join(w.frontEnds[0].root, "var", "one-ft")
		client, err := failfast.NewClient(m, state)
		if err != nil {
			t.Fatal(err)
		}
		force := client.InForce(t.Context(), failfast.Open(state))
		if force.State != failfast.NotInstalled || force.ConnectTimeout != 10*time.Second {
			t.Errorf("%+v", force)
		}
		if err := os.MkdirAll(filepath.Join(state, "off"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := failfast.Open(state).Set(t.Context(), []string{"host0"}, failfast.Hold{Until: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		if w.failsFast("host0") {
			t.Error("a mark is in force without the block")
		}
	})
}

// What a process gets that was killed, and on a front-end that does not lead, where no drivers run.
func TestSSHElsewhere(t *testing.T) {
	inWorld(t, []string{"network local", "clean-ups hang never"}, func(t *testing.T, w *world, m sshMachine) {
		cleansUp(t, w)
		if all, err := m.Processes(0); err != nil || len(all) != 2 {
			t.Errorf("%v, %v", all, err)
		}
		w.frontEnds[0].role = cloud.Follower
		if all, err := m.Processes(0); err != nil || len(all) != 0 {
			t.Errorf("of a follower: %v, %v", all, err)
		}
		m.process.dead.Store(true)
		if _, err := m.Processes(0); !errors.Is(err, errDead) {
			t.Errorf("of a dead process: %v", err)
		}
	})
}

// Lines about the network of a cloud, and what is no such line.
func TestNetworkLines(t *testing.T) {
	for line, want := range map[string]string{
		"network local": "", "network instant": "", "network far": "known are local, routed and instant",
		"clean-ups hang 83%": "", "clean-ups hang never": "", "clean-ups hang always": "", "clean-ups hang 0%": "a share such as 83%", "clean-ups hang 5": "a share such as 83%", "clean-ups hang 101%": "a share",
		"host message 600s": "", "host message soon": "invalid duration", "scheduler as shipped": "", "scheduler's word after 5s": "",
		"ssh fail-fast off": "", "ssh fail-fast perhaps": "on or off", "ssh connect-timeout 5s": "", "seed 3": "", "seed x": "invalid syntax", "ssh fail-fast": `what is "ssh"?`,
	} {
		_, err := newSpec("6.10", "", []string{"hosts 2", line})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
