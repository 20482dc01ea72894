package coordinator_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// TestEventsOfOneMoment: 50 events for one host, and 50 for 50 hosts (10 on versions but the
// last one): one process acts.
func TestEventsOfOneMoment(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		n := 10
		if version == versions[len(versions)-1] {
			n = 25
		}
		var vms []cloud.VM
		var dead, want []int
		for h := 1; h <= n; h++ {
			vms = append(vms, running(h*10, h, 0))
			dead, want = append(dead, h), append(want, h*10)
		}
		w := newWorld(t, hosts(version, n+10, vms...))
		w.fail(dead...)
		f := w.frontEnd()
		queue := newHooks(100)
		for _, h := range dead {
			queue.start(func() ran { return f.hostError(t.Context(), h, func(q *incident.Request) { q.Override = true }) })
			queue.start(func() ran { return f.hostError(t.Context(), 1, func(q *incident.Request) { q.Override = true }) })
		}
		for _, r := range queue.wait() {
			if r.code != 0 {
				t.Errorf("exit %d: %s", r.code, r.stderr)
			}
		}
		w.once(want...)
		if got := len(f.incidents()); got != n {
			t.Errorf("%d incidents", got)
		}
	})
}

// TestCoordinatorHangs: the process that has all hosts was stopped (SIGSTOP, a dead disk) and
// still holds its locks. The next event is not lost to it.
func TestCoordinatorHangs(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0), running(21, 2, 0)))
		w.fail(1, 2)
		f := w.frontEnd()
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 { // makes the files
			t.Fatal(r.stderr)
		}
		locks, err := incident.OpenLocks(filepath.Join(f.root, "var", "one-ft", "locks"), "host_error, pid 4711")
		if err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(f.root, "var", "one-ft", "locks", "coordinator-*.lock"))
		if err != nil || len(names) != 1 {
			t.Fatalf("%v, %v", names, err)
		}
		release, err := locks.Acquire(strings.TrimSuffix(filepath.Base(names[0]), "-0.lock"), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if r := f.hostError(t.Context(), 2, nil); r.code != 0 {
			t.Error(r.stderr)
		}
		w.once(11) // it was at work a moment ago: handed over
		time.Sleep(2 * time.Minute)
		if r := f.hostError(t.Context(), 2, nil); r.code != 0 {
			t.Error(r.stderr)
		}
		w.once(11, 21)
		has(t, f.log("host_error"), "has not responded for 1m0s; recovering this host independently")
	})
}

// TestOldRequest: a request that nobody worked on for hours, and that may be about an outage
// before, is not obeyed; oneft resume handles the host as it is configured.
func TestOldRequest(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0), running(21, 2, 0)))
		w.fail(1, 2)
		f := w.frontEnd()
		f.config(fences)
		old := func(q *incident.Request) {
			q.ID, q.Action, q.Override, q.At = 2, "delete", true, time.Now().Add(-2*time.Hour)
		}
		if r := f.hostError(t.Context(), 2, old); r.code != 0 {
			t.Error(r.stderr)
		}
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 {
			t.Error(r.stderr)
		}
		time.Sleep(time.Minute)
		if vm, _ := w.cloud.VM(21); vm.State == one.Done {
			t.Error("VM 21 was deleted")
		}
		f.wants("host 1: done")
		f.sweep(t.Context(), usual())
		w.once(11, 21)
		f.wants("host 1: done", "host 2: done")
	})
}
