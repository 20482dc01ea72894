package failover_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/hook"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// someRunning are n VMs on the host that will fail.
func someRunning(n int) (vms []cloud.VM) {
	for id := range n {
		v := running(id, dead)
		v.CPU, v.MemMB = 0.1, 64
		vms = append(vms, v)
	}
	return vms
}

// allElsewhere fails the test unless each VM runs on a host that is alive, and was
// recreated once.
func (w *world) allElsewhere(n int) {
	w.t.Helper()
	for id := range n {
		if v := w.settled(id); !endsAs(v, elsewhere) {
			w.t.Errorf("VM %d: %s", id, place(v))
		}
	}
	w.nobodyTwice()
	if w.t.Failed() {
		w.t.Log(w.said())
	}
}

// TestOneDoesNotStopTheOthers: one VM is refused, one cannot be read, one may not
// be touched; the others are recovered, and each is named.
func TestOneDoesNotStopTheOthers(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(5)...))
		w.failHost()
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: 1, Refuse: &cloud.Refusal{Code: 2048, Text: "[one.vm.recover] no"}})
			w.cloud.Inject(cloud.Rule{Method: method, ID: 2, Refuse: &cloud.Refusal{Code: 512, Text: "[one.vm.recover] User [2] : Not authorized to perform ADMIN VM [2]."}})
		}
		w.cloud.Inject(cloud.Rule{Method: "one.vm.info", ID: 3, Mangle: func(b []byte) []byte {
			return bytes.Replace(b, []byte("&lt;/VM&gt;"), []byte("&lt;/VN&gt;"), 1)
		}})
		w.cloud.Inject(cloud.Rule{Method: "one.vmpool.infoset", ID: -1, Mangle: func(b []byte) []byte { return b[:len(b)/2] }})
		report := w.recover()
		if report.ExitCode() != 1 {
			t.Errorf("exit %d", report.ExitCode())
		}
		w.wants(report, 0, recovery.VerbRecreate, failover.Done, "")
		w.wants(report, 1, recovery.VerbRecreate, failover.Incomplete, "[one.vm.recover] no (code 2048)")
		w.wants(report, 2, recovery.VerbRecreate, failover.Incomplete, "Not authorized")
		w.wants(report, 3, recovery.VerbLeave, failover.Incomplete, "read VM 3")
		w.wants(report, 4, recovery.VerbRecreate, failover.Done, "")
	})
}

// TestVMLockedByAnother: vm_failure works on one of the VMs meanwhile.
func TestVMLockedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("5.10.6", someRunning(2)...))
		w.failHost()
		dir := t.TempDir()
		other, err := incident.OpenLocks(dir, "vm_failure, pid 17")
		if err != nil {
			t.Fatal(err)
		}
		release, err := other.Acquire("VM", 1)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		w.locks = lockDir(t, "host_error, pid 18", dir)
		report := w.recover()
		w.wants(report, 0, recovery.VerbRecreate, failover.Done, "")
		w.wants(report, 1, recovery.VerbRecreate, failover.Already, "VM 1 is already being handled by vm_failure, pid 17")
	})
}

func TestNeverMoreCallsThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(30)...))
		w.failHost()
		var mu sync.Mutex
		now, most := 0, 0
		w.cloud.Inject(cloud.Rule{Method: "one.vm.recover", ID: -1, Delay: time.Second, Hook: func(cloud.Call) {
			mu.Lock()
			defer mu.Unlock()
			now++
			most = max(most, now)
			time.AfterFunc(900*time.Millisecond, func() { mu.Lock(); now--; mu.Unlock() })
		}})
		w.opt.Parallel = 3
		w.recover()
		if most != 3 {
			t.Errorf("%d calls at the same time, want 3", most)
		}
	})
}

// TestBackBetweenTwoLooks: oned does not answer while the host is back for a moment.
// Since 5.12 oned tells when the last contact was.
func TestBackBetweenTwoLooks(t *testing.T) {
	for _, version := range []string{"6.10.0", "7.4.1"} {
		synctest.Test(t, func(t *testing.T) {
			cfg := fourHosts(version, someRunning(1)...)
			cfg.MonitorInterval = 10 * time.Second
			w := newWorld(t, cfg)
			w.failHost()
			w.opt.Request.Confirm = 180
			w.cloud.Inject(cloud.Rule{Method: "one.host.info", ID: dead, Skip: 100, Times: 1, Delay: 29 * time.Second})
			time.AfterFunc(101*time.Second, func() { _ = w.cloud.HealHost(dead) })
			time.AfterFunc(115*time.Second, func() { _ = w.cloud.PowerOff(dead) })
			start := time.Now()
			report := w.recover()
			if took := time.Since(start); report.Summary == "" || len(report.Outcomes) > 0 && took < 4*time.Minute+30*time.Second {
				t.Errorf("%s: acted after %s, want the whole 3m after the last ERROR\n%s", version, took, w.said())
			}
		})
	}
}

func TestUserWhoSeesNoHosts(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(1)...))
		w.failHost()
		w.cloud.Inject(cloud.Rule{Method: "one.hostpool.info", ID: -1, Mangle: func(b []byte) []byte {
			from, to := bytes.Index(b, []byte("&lt;HOST&gt;")), bytes.LastIndex(b, []byte("&lt;/HOST_POOL&gt;"))
			return append(append([]byte{}, b[:from]...), b[to:]...)
		}})
		w.job.Storm = failover.Storm{Policy: recovery.GuardPolicy{Share: 0.5, Hosts: 3, Window: time.Hour}, GiveUp: time.Minute}
		if _, err := failover.RecoverHost(t.Context(), w.client, nil, w.job, w.opt); err == nil || !strings.Contains(err.Error(), "this user does not see all hosts") {
			t.Errorf("error %v", err)
		}
		if n := len(w.changes(0)); n > 0 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestNoSuchHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0"))
		w.opt.Request.ID = 99
		if _, err := failover.RecoverHost(t.Context(), w.client, nil, w.job, w.opt); !errors.Is(err, failover.ErrNoHost) {
			t.Errorf("host 99: %v", err)
		}
	})
}

// TestProofOfAnotherHost: acting on a proof for another host is refused.
func TestProofOfAnotherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		for _, proof := range []fence.Proof{{}, fence.WithoutProof(2, "test")} {
			w.job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) { return proof, nil }
			if _, err := failover.RecoverHost(t.Context(), w.client, nil, w.job, w.opt); err == nil || len(w.changes(0)) > 0 {
				t.Errorf("%s: error %v, calls %v", proof, err, w.changes(0))
			}
		}
	})
}

// TestOpinionThatFails: a second opinion that cannot be had, whatever it answers, is none.
func TestOpinionThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		w.job.Opinions = []failover.Opinion{{Name: "is-alive", Ask: func(context.Context, one.Host) (bool, error) { return true, errors.New("time-out") }}}
		if report := w.recover(); report.Refused || len(w.changes(0)) == 0 {
			t.Errorf("%+v", report)
		}
	})
}

// TestEventOfAnotherCloud: the hook was called for an object of another name; that is said, and no reason to stop.
func TestEventOfAnotherCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		w.opt.Request.Event = &hook.Event{Name: "elsewhere-1", State: int(one.HostMonitored)}
		w.recover()
		for _, want := range []string{"called the hook for elsewhere-1, and answers node1", "it was MONITORED when oned called the hook; it is ERROR now"} {
			if !strings.Contains(w.said(), want) {
				t.Errorf("%q is not in\n%s", want, w.said())
			}
		}
		w.allElsewhere(1)
	})
}
