package coordinator_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reconcile"
)

// usual is what oneft resume does without configuration, for a cycle of a minute.
func usual() reconcile.Resuming {
	return reconcile.Resuming{Hosts: "recreate", Failed: "none", Unknown: "boot", Confirm: 2 * time.Minute, Cycle: time.Minute}
}

// TestSweepBesideHook: the timer runs while the hook watches the host: the hook decides.
func TestSweepBesideHook(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		f.config(fences)
		began := time.Now()
		queue := newHooks(10)
		queue.start(func() ran {
			time.Sleep(2 * time.Second) // the event is on its way
			return f.hostError(t.Context(), 1, func(q *incident.Request) { q.Confirm = 200 })
		})
		for range 3 {
			if r := f.sweep(t.Context(), usual()); r.code != 0 || r.took > 15*time.Second {
				t.Errorf("exit %d after %s: %s", r.code, r.took, r.stderr)
			}
		}
		queue.wait()
		w.once(11)
		f.wants("host 1: done")
		if _, last := w.recreates(); last.Sub(began) < 200*time.Second {
			t.Errorf("recreated after %s: the hook was to watch for longer", last.Sub(began))
		}
	})
}

// TestResumeStopped: a process is told to end while it watches a host; the timer goes on with
// what it was asked for. Another one whose host came back meanwhile is closed.
func TestResumeStopped(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0), running(21, 2, 0)))
		w.cut(1, 2)
		f := w.frontEnd()
		stopped, stop := context.WithCancel(t.Context())
		queue := newHooks(10)
		for _, h := range []int{1, 2} {
			queue.start(func() ran {
				return f.hostError(stopped, h, func(q *incident.Request) { q.Confirm, q.Action = 100, "delete" })
			})
		}
		time.Sleep(30 * time.Second)
		stop()
		queue.wait()
		f.wants("host 1: open", "host 2: open")
		if err := w.cloud.HealHost(2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if r := f.sweep(t.Context(), usual()); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		f.wants("host 1: unproven", "host 2: came back")
		w.once()
		time.Sleep(time.Minute)
		if vm, _ := w.cloud.VM(11); vm.State != one.Done {
			t.Errorf("VM 11 is %s: the hook was to delete it", vm.State)
		}
	})
}

// TestNewOutage: a process dies in the middle, its host comes back and fails again: that is a
// new incident, where oned tells that the host was back (5.12 and later).
func TestNewOutage(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0)))
		w.cut(1)
		f := w.frontEnd()
		stopped, stop := context.WithCancel(t.Context())
		queue := newHooks(10)
		queue.start(func() ran { return f.hostError(stopped, 1, func(q *incident.Request) { q.Confirm = 100 }) })
		time.Sleep(10 * time.Second)
		stop()
		queue.wait()
		if err := w.cloud.HealHost(1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		w.cut(1)
		if !tells(version) {
			time.Sleep(time.Hour) // nobody went on for so long
		}
		if r := f.hostError(t.Context(), 1, nil); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11)
		first := map[bool]string{true: "failed", false: "came back"}[!tells(version)]
		f.wants("host 1: "+first, "host 1: unproven")
	})
}

// TestResumeVM: a process is told to end while it waits for the next attempt at a VM; the
// timer goes on.
func TestResumeVM(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		broken := running(12, 2, 0)
		broken.LCM = one.BootFailure
		if version == "4.4.1" {
			broken.State, broken.LCM = one.Failed, 0
		}
		broken.UserTemplate = map[string]string{"FT_ATTEMPTS": strconv.FormatInt(time.Now().Unix()-1, 10)}
		w := newWorld(t, hosts(version, 6, broken))
		f := w.frontEnd()
		stopped, stop := context.WithCancel(t.Context())
		queue := newHooks(1)
		queue.start(func() ran { return f.vmFailure(stopped, 12) })
		time.Sleep(5 * time.Second)
		f.sweep(t.Context(), usual()) // it is at work
		w.once()
		stop()
		queue.wait()
		f.wants("VM 12: open")
		f.sweep(t.Context(), usual())
		w.once(12)
		time.Sleep(time.Minute)
		f.sweep(t.Context(), usual())
		w.once(12)
		f.wants("VM 12: done")
	})
}

// TestConfirmationIsOfTheMoment: an admin confirmed that a host is off, and the process was
// killed. Whoever goes on does not take that word for granted in a storm hours later.
func TestConfirmationIsOfTheMoment(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 4, running(11, 1, 0), running(21, 2, 0), running(31, 3, 0)))
		w.cut(1, 2, 3)
		f := w.frontEnd()
		f.config("storm: {give_up: 5m}\n") // it looks each second until then
		j, err := incident.OpenJournal(filepath.Join(f.root, "var", "one-ft", "incidents"))
		if err != nil {
			t.Fatal(err)
		}
		q := incident.Request{Kind: "host", ID: 1, Tool: "oneft", Action: "recreate", ConfirmedOff: true, Override: true, AnyState: true, At: time.Now()}
		c, err := j.Begin(incident.Record{Kind: "host", ID: 1, Name: "node01", Tool: "oneft", Request: &q})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		opt := usual()
		opt.Hosts = "none"
		f.sweep(t.Context(), opt)
		w.once()
		f.wants("host 1: refused")
		has(t, f.log("oneft"), "holding: 3 of 4 hosts")
	})
}

// TestHomeless: a VM whose host no longer exists is named, and left to a person: nobody knows where it may run.
func TestHomeless(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 3, running(11, 1, 0), running(21, 2, 0)))
		if err := w.cloud.Remove(2); err != nil {
			t.Fatal(err)
		}
		f := w.frontEnd()
		r := f.sweep(t.Context(), usual())
		if r.code != 0 || !strings.Contains(r.stdout+r.stderr, "names host 2 (node02), which no longer exists") || strings.Contains(r.stderr, "VM 11") {
			t.Errorf("exit %d: %s%s", r.code, r.stdout, r.stderr)
		}
		w.once()
	})
}
