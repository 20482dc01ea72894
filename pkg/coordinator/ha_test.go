package coordinator_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/test/sim/cloud"
)

// clusters are the versions that have HA front-ends.
var clusters = []string{"5.10.6", "6.10.0", "7.4.1"}

// two are two front-ends of one cloud with separate disks; the first is the leader.
func two(w *world) (a, b *frontEnd, roleA, roleB *cloud.FrontEnd) {
	roleA, roleB = w.cloud.FrontEnd(cloud.Leader), w.cloud.FrontEnd(cloud.Follower)
	a, b = w.frontEnd(), w.frontEnd()
	a.oned, b.oned = roleA, roleB
	return a, b, roleA, roleB
}

func onClusters(t *testing.T, f func(t *testing.T, version string)) {
	for _, v := range clusters {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, v) })
		})
	}
}

// TestFailoverOfFrontEnd: the leader watches two hosts and dies. The timer of the follower did
// nothing; as the new leader it sees in the hosts what was begun, and finishes it, without
// watching anew where oned tells that the hosts were not back.
func TestFailoverOfFrontEnd(t *testing.T) {
	onClusters(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0), running(21, 2, 0)))
		w.fail(1, 2)
		a, b, roleA, roleB := two(w)
		a.config(fences)
		b.config(fences)
		began := time.Now()
		killed, kill := context.WithCancel(t.Context())
		queue := newHooks(10)
		for _, h := range []int{1, 2} {
			queue.start(func() ran {
				return a.hostError(killed, h, func(q *incident.Request) { q.Confirm = 300 })
			})
		}
		time.Sleep(100 * time.Second)
		opt := usual()
		opt.Hosts = "none" // what is gone on with was asked for by the hook
		if r := b.sweep(t.Context(), opt); r.code != 0 || !strings.Contains(b.log("oneft"), "follows another one") {
			t.Errorf("exit %d: %s", r.code, b.log("oneft"))
		}
		kill()
		roleA.SetDown(true)
		queue.wait()
		roleB.SetRole(cloud.Leader)
		time.Sleep(10 * time.Second)
		w.once()
		if r := b.sweep(t.Context(), opt); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11, 21)
		b.wants("host 1: done", "host 2: done")
		for _, r := range b.incidents() {
			if !strings.Contains(r.From, "incident") {
				t.Errorf("incident %d does not say where it comes from: %q", r.Number, r.From)
			}
		}
		// From 5.12 on oned tells that the hosts were not back: 300 s in all.
		if _, last := w.recreates(); version[0] >= '6' && last.Sub(began) > 320*time.Second {
			t.Errorf("recreated after %s", last.Sub(began))
		}
		// The old front-end comes back and finds everything done.
		roleA.SetDown(false)
		roleA.SetRole(cloud.Leader)
		time.Sleep(time.Minute)
		if r := a.sweep(t.Context(), usual()); r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11, 21)
		a.wants("host 1: done", "host 2: done")
	})
}

// TestTwoFrontEndsAtOnce: both take themselves for the leader. The second one sees that the
// first one is at work, and leaves the host to it.
func TestTwoFrontEndsAtOnce(t *testing.T) {
	onClusters(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0)))
		w.fail(1)
		a, b, _, roleB := two(w)
		roleB.SetRole(cloud.Leader)
		queue := newHooks(10)
		queue.start(func() ran { return a.hostError(t.Context(), 1, func(q *incident.Request) { q.Confirm = 200 }) })
		time.Sleep(5 * time.Second)
		r := b.hostError(t.Context(), 1, nil)
		if r.code != 0 || !strings.Contains(b.log("host_error"), "already being handled: incident 1 of front-end") {
			t.Errorf("exit %d: %s", r.code, b.log("host_error"))
		}
		queue.wait()
		w.once(11)
		if n := len(b.incidents()); n != 0 {
			t.Errorf("the second one has %d incidents", n)
		}
	})
}

// TestNoLeader: oned answers for a while that there is no leader, or not at all; that is
// waited for.
func TestNoLeader(t *testing.T) {
	onClusters(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 8, running(11, 1, 0)))
		w.fail(1)
		a, _, roleA, _ := two(w)
		queue := newHooks(10)
		queue.start(func() ran { return a.hostError(t.Context(), 1, func(q *incident.Request) { q.Confirm = 20 }) })
		time.Sleep(10 * time.Second)
		roleA.SetRole(cloud.Candidate)
		time.Sleep(40 * time.Second)
		w.once()
		roleA.SetDown(true)
		time.Sleep(30 * time.Second)
		roleA.SetDown(false)
		roleA.SetRole(cloud.Leader)
		if r := queue.wait()[0]; r.code != 0 {
			t.Errorf("exit %d: %s", r.code, r.stderr)
		}
		w.once(11)
	})
}

// TestForeignClaims: what stands in the template of a host is not obeyed blindly.
func TestForeignClaims(t *testing.T) {
	for name, text := range map[string]string{
		"nonsense": "v=1 fe=$(reboot) n=1", "huge": strings.Repeat("x", 100_000), "other action": "v=1 fe=b n=1 began=1 seen=1 ended=false status=open action=explode idle=true fencing=off verify=- confirm=0",
		"old": failover.Claim{FrontEnd: "b", Incident: 3, Began: time.Unix(1, 0), Seen: time.Unix(1, 0), Status: "open", Action: "delete", Idle: true}.String(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := hosts("7.4.1", 6, running(11, 1, 0))
				cfg.Hosts[1].Template = map[string]string{failover.AttrIncident: text}
				w := newWorld(t, cfg)
				w.fail(1)
				f := w.frontEnd()
				f.config(fences)
				if r := f.sweep(t.Context(), usual()); r.code != 0 {
					t.Errorf("exit %d: %s", r.code, r.stderr)
				}
				w.once(11) // recreated as configured, not deleted
				f.wants("host 1: done")
			})
		})
	}
}
