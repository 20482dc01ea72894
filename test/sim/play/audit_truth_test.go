package play

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// wantProblem looks, and expects one problem with this text, or none with "".
func wantProblem(t *testing.T, w *world, want string) {
	t.Helper()
	w.problems = nil
	w.audit.look()
	if want == "" && len(w.problems) > 0 || want != "" && (len(w.problems) != 1 || !strings.Contains(w.problems[0], want)) {
		t.Errorf("problems %q, want %q", w.problems, want)
	}
}

// A mark for a host that is not off, and one that stays when its host is back.
func TestAuditOfMarks(t *testing.T) {
	inWorld(t, []string{"network local"}, func(t *testing.T, w *world, _ sshMachine) {
		marks := failfast.Open(filepath.Join(w.frontEnds[0].root, "var", "one-ft"))
		mark := func() {
			if err := marks.Set(t.Context(), []string{"host0"}, failfast.Hold{Until: time.Now().Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		w.node(0).cut()
		wantProblem(t, w, "")
		mark()
		wantProblem(t, w, "A keeps ssh from host0, which is not off")
		if err := w.cloud.StopGuest(0, 1); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, w, "A keeps ssh from host0, which is not off") // although nothing runs there
		w.spec.isolated[0] = true
		wantProblem(t, w, "")
		w.spec.isolated[0] = false
		w.node(0).powerOff("")
		wantProblem(t, w, "")
		w.node(0).heal()
		wantProblem(t, w, "")
		time.Sleep(50 * time.Second)
		mark()
		wantProblem(t, w, "")
		time.Sleep(55 * time.Second)
		mark()
		wantProblem(t, w, "A keeps ssh from host0, which is reached again since 1m45s")
	})
}

// A guest that runs for longer than host_isolated on its host has promised; one that is not watched has promised nothing.
func TestAuditOfLeases(t *testing.T) {
	inWorld(t, []string{"network local"}, func(t *testing.T, w *world, _ sshMachine) {
		n, tenth := w.node(0), 100*time.Millisecond
		n.setWatched(time.Now())
		wantProblem(t, w, "")
		time.Sleep(time.Minute)
		wantProblem(t, w, "") // it has its network
		n.cut()
		wantProblem(t, w, "")
		time.Sleep(promised - tenth)
		wantProblem(t, w, "")
		time.Sleep(2 * tenth)
		wantProblem(t, w, "vm 1 still runs on host0 1m48s after that lost its network")
		n.setWatched(time.Time{})
		wantProblem(t, w, "")
		n.wake() // it has until so long after its boot
		w.must(w.cloud.StartGuest(0, 1))
		n.setWatched(time.Now())
		wantProblem(t, w, "")
		time.Sleep(promised + tenth)
		wantProblem(t, w, "vm 1 still runs on host0")
		n.reconnect()
		wantProblem(t, w, "")
	})
}

// Harm is a problem, unless an admin has brought the VM there: here to the host where its old guest runs.
func TestAuditOfHarm(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		inWorld(t, []string{"network local", "clean-ups hang never"}, func(t *testing.T, w *world, _ sshMachine) {
			w.cloud.OnVMState(w.vmChanged)
			w.node(0).cut()
			time.Sleep(40 * time.Second)
			client, err := w.byHandClient()
			if err != nil {
				t.Fatal(err)
			}
			if byHand {
				w.audit.byHand(1)
			}
			if err := errors.Join(w.cloud.SetHostState(1, one.HostOffline), w.cloud.SetHostState(2, one.HostOffline), client.Do(t.Context(), one.Recreate, 1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			wantProblem(t, w, "")
			w.node(0).heal()
			time.Sleep(11 * time.Minute)
			w.audit.look()
			all := strings.Join(w.problems, "\n")
			if wanted := strings.Contains(all, "vm 1, host0: disk overwritten") && strings.Contains(all, "vm 1, host0: old guest"); wanted == byHand {
				t.Errorf("by hand %t: %s", byHand, all)
			}
			if v, _ := w.cloud.VM(1); w.audit.truth.runs(v) {
				t.Error("the old guest counts as running")
			}
		})
	}
}

// A clean-up that oned no longer waits for connects when its host is back, and deletes the directory of the new copy.
func TestAuditOfLateCleanUps(t *testing.T) {
	for _, byHand := range []bool{false, true} {
		inWorld(t, []string{"network routed", "clean-ups hang never"}, func(t *testing.T, w *world, _ sshMachine) {
			w.node(0).powerOff("")
			time.Sleep(5 * time.Minute)
			client, err := w.byHandClient()
			if err != nil {
				t.Fatal(err)
			}
			if byHand {
				w.audit.byHand(1)
			}
			for _, a := range []one.Action{one.Recreate, one.RecoverFailure} {
				if err := client.Do(t.Context(), a, 1); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
			}
			if v, _ := w.cloud.VM(1); !w.audit.truth.runs(v) {
				t.Fatalf("vm 1 is %s", v.LCM)
			}
			wantProblem(t, w, "")
			w.node(0).heal()
			time.Sleep(5 * time.Minute)
			w.audit.look()
			if got := strings.Contains(strings.Join(w.problems, "\n"), "promise 1: vm 1, host1: disks deleted"); got == byHand {
				t.Errorf("by hand %t: %q", byHand, w.problems)
			}
		})
	}
}

// What a journal calls done has to run, or to have run since.
func TestAuditOfDone(t *testing.T) {
	for verify, want := range map[string]string{"running": "calls vm 1 done (recreate), which is UNKNOWN", "left": ""} {
		inWorld(t, []string{"network local"}, func(t *testing.T, w *world, _ sshMachine) {
			w.cloud.OnVMState(w.vmChanged)
			dir := filepath.Join(w.frontEnds[0].root, "var", "one-ft", "incidents")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			w.node(0).powerOff("")
			time.Sleep(40 * time.Second)
			wantProblem(t, w, "")
			record(t, dir, verify, "starting")
			wantProblem(t, w, "")
			record(t, dir, verify, "done")
			wantProblem(t, w, want)
			wantProblem(t, w, "") // once
		})
	}
}

// record writes an incident with a VM.
func record(t *testing.T, dir, verify, result string) {
	t.Helper()
	j, err := incident.OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := j.Begin(incident.Record{Kind: "host", ID: 0, Request: &incident.Request{Kind: "host", Verify: verify}, Began: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	c.VMs([]incident.VM{{ID: 1, Action: "recreate", Result: result}})
	c.End(incident.Done, "done")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
