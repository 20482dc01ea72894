package failover_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/failover"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
	"one-ft/test/sim/cloud"
)

// barrier is ssh of the simulated drivers that fails at once.
type barrier struct {
	cloud *cloud.Cloud
	names []string
	mu    sync.Mutex
	open  bool
	times int  // it was opened
	busy  bool // a driver has no free thread, so that it is not closed
}

// bar makes Options.Bar of a cloud.
func (w *world) bar() *barrier {
	b := &barrier{cloud: w.cloud, open: true}
	w.opt.Bar = func(_ context.Context, _ one.Host, names []string, _ int) (failfast.Barrier, error) {
		b.mu.Lock()
		b.names, b.open = names, false
		b.mu.Unlock()
		b.cloud.SetFailFast(func(name string) bool {
			b.mu.Lock()
			defer b.mu.Unlock()
			return !b.open && slices.Contains(b.names, name)
		})
		for _, n := range names {
			b.cloud.EndMaster(n)
			b.cloud.EndSSH(n)
		}
		return b, nil
	}
	return b
}

func (b *barrier) Names() []string { return b.names }

func (b *barrier) Closed() bool {
	return !b.busy && !slices.ContainsFunc(b.names, func(n string) bool { return len(b.cloud.SSHs(n)) > 0 })
}

func (b *barrier) up() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

func (b *barrier) Open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = true
	b.times++
}

// deadWorld is a cloud with real drivers and VMs on the host that dies.
func deadWorld(t *testing.T, version string, network cloud.Network, vms int) *world {
	cfg := fourHosts(version, someRunning(vms)...)
	cfg.Network, cfg.MonitorInterval = network, 20*time.Second
	w := newWorld(t, cfg)
	w.opt.Estimate = shipped(t, version)
	return w
}

// allRun fails the test unless all VMs run elsewhere, no disk of them was harmed and none runs twice.
func (w *world) allRun(r failover.Report) {
	w.t.Helper()
	for _, o := range r.Outcomes {
		v, _ := w.cloud.VM(o.VM)
		if o.Result != failover.Done || v.State != one.Active || v.LCM != one.Running || v.History[len(v.History)-1].HostID == dead {
			w.t.Errorf("VM %d: %s: %s, is %s\n%s", o.VM, o.Result, o.Detail, place(v), w.said())
		}
	}
	if harms := w.cloud.Harms(); len(harms) > 0 {
		w.t.Errorf("harm: %+v", harms)
	}
	w.nobodyTwice()
}

// TestCleanupsOnADeadHostAreEnded: with a proof and ssh that fails at once all VMs run elsewhere within seconds, those
// too whose clean-ups would never have ended.
func TestCleanupsOnADeadHostAreEnded(t *testing.T) {
	for _, network := range []cloud.Network{cloud.Local, cloud.Routed} {
		t.Run(string(network), func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				w := deadWorld(t, version, network, 20)
				w.failHost()
				b := w.bar()
				began := time.Now()
				report := w.recover()
				if took := time.Since(began); took > time.Minute {
					t.Errorf("it took %s", took)
				}
				w.allRun(report)
				if !b.open || b.times != 1 {
					t.Errorf("the barrier is up: %t, opened %d times", !b.open, b.times)
				}
			})
		})
	}
}

// TestNoCleanupIsEndedWithoutAProof: without one nothing is ended, and what hangs is reported, not called done.
func TestNoCleanupIsEndedWithoutAProof(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Local, 2)
		w.failHost()
		w.bar()
		w.opt.Request.Fencing = "off"
		w.opt.Timeout = time.Hour
		report := w.recover()
		for _, c := range w.cloud.Calls() {
			if recoverFailure(c) {
				t.Errorf("a clean-up was ended: %v", c.Args)
			}
		}
		for _, o := range report.Outcomes {
			v, _ := w.cloud.VM(o.VM)
			hangs := v.State == one.Active && v.LCM == one.CleanupResubmit
			if want := map[bool]failover.Result{true: failover.Incomplete, false: failover.Unproven}[hangs]; o.Result != want {
				t.Errorf("VM %d is %s: %s, want %s", o.VM, place(v), o.Result, want)
			}
		}
		if !report.Unproven {
			t.Error("the report does not say that nothing was proven")
		}
	})
}

// shipped is a cloud with the settings of its release.
func shipped(t *testing.T, version string) failover.Estimate {
	v, err := one.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return func(context.Context, string) downtime.Input {
		return downtime.Input{Settings: downtime.ShippedSettings(v)}
	}
}

// recoverFailure reports whether a call is what ends a clean-up.
func recoverFailure(c cloud.Call) bool {
	return c.Method == "one.vm.recover" && len(c.Args) > 1 && (c.Args[1] == 0 || c.Args[1] == false)
}

// TestCleanupsWithoutFailFast: where ssh does not fail at once a clean-up is ended only after its commands must be over, and no
// disk is harmed when the host is back meanwhile.
func TestCleanupsWithoutFailFast(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Routed, 2)
		w.failHost()
		w.opt.Timeout = time.Hour
		began := time.Now()
		report := w.recover()
		w.allRun(report)
		for _, c := range w.cloud.Calls() {
			if recoverFailure(c) && c.At.Sub(began) < 2*135*time.Second {
				t.Errorf("a clean-up was ended after %s: %v", c.At.Sub(began), c.Args)
			}
		}
	})
}

// TestHostIsBackInTheMiddleOfCleanups: the proof does not hold for a machine that was switched on again. Its clean-ups are
// left to oned, which can do them now.
func TestHostIsBackInTheMiddleOfCleanups(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Routed, 4)
		w.failHost()
		w.opt.Timeout = time.Hour
		go func() {
			time.Sleep(time.Minute)
			_ = w.cloud.HealHost(dead)
		}()
		w.recover()
		time.Sleep(30 * time.Minute)
		if harms := w.cloud.Harms(); len(harms) > 0 {
			t.Errorf("harm: %+v\n%s", harms, w.said())
		}
		w.nobodyTwice()
	})
}

// TestEnabledHostGetsSSHBack: an admin who enables the host wants it monitored, and up to 5.10 oned needs ssh for that.
func TestEnabledHostGetsSSHBack(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Local, 2)
		w.failHost()
		w.opt.Timeout = 30 * time.Second
		b := w.bar()
		b.busy = true
		go func() {
			for !b.up() {
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(5 * time.Second)
			if !b.up() {
				t.Error("the barrier was down before the host was enabled")
			}
			if err := w.cloud.SetHostState(dead, one.HostInit); err != nil {
				t.Error(err)
			}
			time.Sleep(6 * time.Second)
			if b.up() {
				t.Error("ssh still fails for a host that was enabled 6 s ago")
			}
		}()
		w.recover()
	})
}

// TestHostIsBackWhileCleanupsAreEnded: it is switched on while the first of many clean-ups is ended, with ssh to it that
// still fails at once. As soon as oned says so those that are left are left to oned.
func TestHostIsBackWhileCleanupsAreEnded(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		const slow = 2 * time.Second // longer than what is known of a host may be old
		w := deadWorld(t, version, cloud.Local, 20)
		w.failHost()
		b := w.bar()
		w.opt.Parallel = 1
		var back time.Time
		w.cloud.Inject(cloud.Rule{Method: "one.vm.recover", ID: -1, Hook: func(c cloud.Call) {
			if !recoverFailure(c) {
				return
			}
			time.Sleep(slow)
			if back.IsZero() {
				back = time.Now()
				if err := errors.Join(w.cloud.HealHost(dead), w.cloud.SetHostState(dead, one.HostMonitored)); err != nil {
					t.Error(err)
				}
			}
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // much later their commands must be over
		defer cancel()
		if _, err := failover.RecoverHost(ctx, w.client, w.locks, w.job, w.opt); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		if back.IsZero() {
			t.Fatalf("no clean-up was ended\n%s", w.said())
		}
		for _, c := range w.cloud.Calls() {
			// What is known of a host is at most a second old when a call begins.
			if late := c.At.Sub(back); recoverFailure(c) && late > time.Second+slow {
				t.Errorf("a clean-up was ended %s after the host was back: %v", late, c.Args)
			}
		}
		if !b.open || b.times != 1 {
			t.Errorf("the barrier is up: %t, opened %d times", !b.open, b.times)
		}
		time.Sleep(30 * time.Minute)
		if harms := w.cloud.Harms(); len(harms) > 0 {
			t.Errorf("harm: %+v\n%s", harms, w.said())
		}
		w.nobodyTwice()
	})
}

// TestWayIsWrittenDown: each state that a VM passes is in its outcome, with what was waited for.
func TestWayIsWrittenDown(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Local, 1)
		w.failHost()
		w.bar()
		report := w.recover()
		path := w.outcome(report, 0).Path
		var states []string
		for i, h := range path {
			states = append(states, h.State)
			if i > 0 && h.At.Before(path[i-1].At) {
				t.Errorf("%s was seen before %s", h.State, path[i-1].State)
			}
		}
		for _, want := range []string{"UNKNOWN", "CLEANUP_RESUBMIT", "PENDING", "RUNNING"} {
			if !slices.Contains(states, want) {
				t.Errorf("%s is missing: %v", want, states)
			}
		}
		if i := slices.Index(states, "CLEANUP_RESUBMIT"); i >= 0 && path[i].Waits != wording.WaitCleanup {
			t.Errorf("in CLEANUP_RESUBMIT it waits for %q", path[i].Waits)
		}
	})
}

// TestQuarantine: a failed host is disabled before the first call, with the reason on it, and so the VMs cannot be placed
// there when it is back at once.
func TestQuarantine(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Local, 3)
		w.opt.Quarantine, w.opt.FrontEnd = true, "fe-1"
		w.failHost()
		w.bar()
		w.recover()
		h, _ := w.cloud.Host(dead)
		if h.State != one.HostDisabled && h.State != one.HostMonitoringDisabled {
			t.Fatalf("the host is %s", h.State)
		}
		q, in := hostmark.ParseQuarantine(h.Template[hostmark.AttrQuarantine])
		if !in || q.FrontEnd != "fe-1" || !q.Proven {
			t.Errorf("%+v, %t", q, in)
		}
		disabled := -1
		for i, c := range w.cloud.Calls() {
			switch {
			case c.Method == "one.host.status" || c.Method == "one.host.enable":
				disabled = i
			case disabled < 0 && (c.Method == "one.vm.recover" || fmt.Sprint(c.Args[:min(1, len(c.Args))]) == "[delete-recreate]"):
				t.Errorf("recreated before the host was disabled: %v", c.Args)
			}
		}
		// A second process sees it as failed, also where oned says DISABLED.
		report := w.recover()
		if report.Refused || report.Summary != "no VMs on the host" {
			t.Errorf("%q", report.Summary)
		}
	})
}

// TestLivingHostInError: from 6.0 on a host that can be reached again stays in ERROR for ten minutes, while its VMs run.
func TestLivingHostInError(t *testing.T) {
	for _, version := range []string{"6.10.0", "7.4.1"} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := fourHosts(version, someRunning(3)...)
				cfg.Network, cfg.MonitorInterval, cfg.HostMessage = cloud.Local, 20*time.Second, 600*time.Second
				w := newWorld(t, cfg)
				if err := w.cloud.FailHost(dead); err != nil {
					t.Fatal(err)
				}
				for h, _ := w.cloud.Host(dead); h.State != one.HostError; h, _ = w.cloud.Host(dead) {
					time.Sleep(time.Second)
				}
				time.Sleep(5 * time.Second)
				if err := w.cloud.HealHost(dead); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if h, _ := w.cloud.Host(dead); h.State != one.HostError {
					t.Fatalf("the host is %s", h.State)
				}
				report := w.recover()
				if !report.Back {
					t.Errorf("%s\n%s", report.Summary, w.said())
				}
				w.nobodyTwice()
			})
		})
	}
}

// TestStrays: VMs that somebody else has recreated, such as OpenNebula's own hook, and whose clean-ups hang, are found by a
// person and by oneft resume, and run elsewhere after the host was proven off.
func TestStrays(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := deadWorld(t, version, cloud.Local, 4)
		w.failHost()
		for id := range 4 {
			if err := w.client.Do(t.Context(), one.Recreate, id); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute)
		stuck := 0
		for _, v := range w.cloud.VMs() {
			if v.State == one.Active && v.LCM == one.CleanupResubmit {
				stuck++
			}
		}
		if stuck == 0 {
			t.Fatal("no clean-up hangs")
		}
		if report := w.recover(); len(report.Outcomes) > 0 {
			t.Errorf("a hook found %+v", report.Outcomes)
		}
		w.bar()
		w.opt.Strays = true
		report := w.recover()
		if len(report.Outcomes) != stuck {
			t.Errorf("%d VMs in the report, %d were stuck\n%s", len(report.Outcomes), stuck, w.said())
		}
		w.allRun(report)
	})
}
