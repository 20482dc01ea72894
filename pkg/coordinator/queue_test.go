package coordinator_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// TestQueueIsNotBlocked: 12 hosts fail, only 10 hooks run at a time, and each host is watched
// for 40 s. One process works on all of them, the others end within a second, and the
// last VM is recreated right after the 40 s and not after two batches of them.
func TestQueueIsNotBlocked(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		const failed, each = 12, 2
		var vms []cloud.VM
		var want, dead []int
		for h := 1; h <= failed; h++ {
			dead = append(dead, h)
			for i := range each {
				vms = append(vms, running(h*10+i, h, 0))
				want = append(want, h*10+i)
			}
		}
		w := newWorld(t, hosts(version, 25, vms...))
		w.fail(dead...)
		f := w.frontEnd()
		f.config(fences)
		began := time.Now()
		queue := newHooks(10)
		for _, h := range dead {
			queue.start(func() ran {
				return f.hostError(t.Context(), h, func(q *incident.Request) { q.Confirm, q.Override = 40, true })
			})
		}
		ended := queue.wait()
		for _, r := range ended[:failed-1] {
			if r.code != 0 || r.took > time.Second {
				t.Fatalf("a hook that handed over took %s, exit %d: %s", r.took, r.code, r.stderr)
			}
		}
		w.once(want...)
		if _, last := w.recreates(); last.Sub(began) > 50*time.Second || last.Sub(began) < 40*time.Second {
			t.Errorf("the last recreate left after %s", last.Sub(began))
		}
		all := f.incidents()
		if len(all) != failed {
			t.Errorf("%d incidents: %v", len(all), f.statuses())
		}
		for _, r := range all {
			if r.Status != incident.Done || len(r.VMs) != each {
				t.Errorf("incident %d: %s, %d VMs: %s", r.Number, r.Status, len(r.VMs), r.Summary)
			}
		}
		if reads := w.calls("one.host.info"); reads > failed*25 {
			t.Errorf("%d reads of single hosts: the pool tells about all of them", reads)
		}
	})
}

// TestPriorityAcrossHosts: two hosts fail together; the VMs go in the order of their priority,
// whichever host they were on, also without any watching.
func TestPriorityAcrossHosts(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8,
			running(11, 1, 10), running(12, 1, 90), running(13, 1, 50), running(21, 2, 95), running(22, 2, 40), running(23, 2, 5)))
		w.fail(1, 2)
		f := w.frontEnd()
		f.config(fences)
		queue := newHooks(10)
		for _, h := range []int{1, 2} {
			queue.start(func() ran { return f.hostError(t.Context(), h, nil, "--parallel", "1") })
			time.Sleep(300 * time.Millisecond)
		}
		queue.wait()
		if got, _ := w.recreates(); !slices.Equal(got, []int{21, 12, 13, 22, 11, 23}) {
			t.Errorf("recreated in the order %v", got)
		}
		f.wants("host 1: done", "host 2: done")
	})
}

// TestCoordinatorTakesOver: the process that works on all hosts is told to end while it
// watches them; the next event goes on with all of them, and does not watch them anew
// where oned tells that they were not back in between.
func TestCoordinatorTakesOver(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0), running(21, 2, 0), running(31, 3, 0)))
		w.fail(1, 2, 3)
		f := w.frontEnd()
		f.config(fences)
		began := time.Now()
		slow := func(q *incident.Request) { q.Confirm, q.Override = 120, true }
		first, end := context.WithCancel(t.Context())
		queue := newHooks(10)
		queue.start(func() ran { return f.hostError(first, 1, slow) })
		time.Sleep(time.Second)
		if r := f.hostError(t.Context(), 2, slow); r.code != 0 {
			t.Fatal(r.stderr)
		}
		time.Sleep(40 * time.Second)
		end()
		queue.wait()
		w.once()
		if r := f.hostError(t.Context(), 3, slow); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11, 21, 31)
		f.wants("host 1: done", "host 2: done", "host 3: done")
		_, last := w.recreates()
		if took := last.Sub(began); took > 170*time.Second {
			t.Errorf("the last one was recreated after %s", took)
		}
		for _, c := range w.cloud.Calls() {
			if version[0] >= '6' && c.OK && c.Method == "one.vm.recover" && c.Args[0] == 11 && c.At.Sub(began) > 130*time.Second {
				t.Errorf("host 1 was watched anew: its VM was recreated after %s", c.At.Sub(began))
			}
		}
	})
}

// TestGuardOverAll: three of four hosts are handed over one after the other; nothing is
// touched while the storm lasts, and nothing at all when they come back.
func TestGuardOverAll(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 4, running(11, 1, 0), running(21, 2, 0), running(31, 3, 0)))
		for id := 1; id <= 3; id++ { // the switch of the front-end
			if err := w.cloud.FailHost(id); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Minute)
		w.cloud.ResetCalls()
		f := w.frontEnd()
		queue := newHooks(10)
		for h := 1; h <= 3; h++ {
			queue.start(func() ran { return f.hostError(t.Context(), h, nil) })
		}
		time.Sleep(3 * time.Minute)
		for id := 1; id <= 3; id++ {
			if err := w.cloud.HealHost(id); err != nil {
				t.Fatal(err)
			}
		}
		queue.wait()
		w.once()
		f.wants("host 1: came back", "host 2: came back", "host 3: came back")
	})
}

// calls counts the calls of a method.
func (w *world) calls(method string) (n int) {
	for _, c := range w.cloud.Calls() {
		if c.Method == method {
			n++
		}
	}
	return n
}

// TestEventsOfOneMoment: 50 events for one host, and 50 for 50 hosts (10 on versions but the
// last one): one process acts.
func TestEventsOfOneMoment(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		n := 10
		if version == versions[len(versions)-1] {
			n = 50
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
		has(t, f.log("host_error"), "has not been at work for 1m0s; working without it")
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
