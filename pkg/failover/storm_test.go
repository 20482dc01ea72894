package failover_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// region is a cloud in which every host that fails gets its hook, as oned delivers
// it: once per transition, or on 4.x on every failed cycle.
type region struct {
	*world
	t        testing.TB
	hosts    int
	mu       sync.Mutex
	wg       sync.WaitGroup
	reports  map[int][]failover.Report
	fenced   map[int]int // how often each host was fenced
	touched  map[int]int // calls that change a VM, by VM
	problems []string    // what the audit found
	storm    failover.Storm
}

// limits are the defaults of the storm guard.
func limits() failover.Storm {
	return failover.Storm{
		Policy:   recovery.GuardPolicy{Share: 0.5, Hosts: 3, Window: time.Hour, PerCluster: true},
		CoolDown: time.Minute, GiveUp: 30 * time.Minute,
	}
}

// newRegion builds a cloud of n hosts with two VMs each. Each hook watches its host for
// two minutes, holds in a storm, fences, and recovers.
func newRegion(t *testing.T, version string, n int) *region {
	cfg := cloud.Config{Version: version, MonitorInterval: 20 * time.Second}
	for id := range n {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id)})
		for i := range 2 {
			v := running(2*id+i, id)
			v.CPU, v.MemMB = 0.1, 64
			cfg.VMs = append(cfg.VMs, v)
		}
	}
	r := &region{world: newWorld(t, cfg), t: t, hosts: n,
		reports: map[int][]failover.Report{}, fenced: map[int]int{}, touched: map[int]int{}, storm: limits()}
	dir := t.TempDir()
	r.cloud.OnHostState(func(e cloud.HostEvent) {
		again := strings.HasPrefix(version, "4.") && e.Prev.Failed()
		if e.State == one.HostError && (!e.Prev.Failed() || again) {
			locks := lockDir(t, fmt.Sprintf("host_error %d", e.Host.ID), dir)
			r.wg.Go(func() { r.hook(e.Host.ID, locks) })
		}
	})
	for _, method := range []string{"one.vm.recover", "one.vm.action"} {
		r.cloud.Inject(cloud.Rule{Method: method, ID: -1, Hook: r.audit})
	}
	return r
}

// hook is host_error for one host.
func (r *region) hook(host int, locks failover.Locker) {
	job := r.job
	job.HostID, job.Confirm, job.Storm, job.Fencing = host, 2*time.Minute, r.storm, failover.FencingRequired
	job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.fenced[host]++
		r.judge(fmt.Sprintf("fence of host %d", host), host)
		_ = r.cloud.PowerOff(host)
		return fence.WithoutProof(host, "test"), nil
	}
	report, err := failover.Host(r.t.Context(), r.client, locks, job, r.opt)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && !one.Temporary(err) {
		r.problems = append(r.problems, err.Error())
	}
	r.reports[host] = append(r.reports[host], report)
}

// audit looks at each call that changes a VM, before it is executed.
func (r *region) audit(c cloud.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range c.Args {
		if id, ok := a.(int); ok {
			r.touched[id]++
			v, _ := r.cloud.VM(id)
			host := v.History[len(v.History)-1].HostID
			r.judge(fmt.Sprintf("%s of VM %d", c.Method, id), host)
			if r.fenced[host] == 0 {
				r.problems = append(r.problems, fmt.Sprintf("VM %d was touched before host %d was fenced", id, host))
			}
			return
		}
	}
}

// judge holds an action against the promises: no storm, and the host is in ERROR.
func (r *region) judge(what string, host int) {
	var hosts []one.Host
	for _, h := range r.cloud.Hosts() {
		hosts = append(hosts, one.Host{ID: h.ID, State: h.State})
		if h.ID == host && !h.State.Failed() && !h.State.SetByAdmin() {
			r.problems = append(r.problems, fmt.Sprintf("%s although host %d is %s", what, host, h.State))
		}
	}
	if v := recovery.Guard(hosts, nil, time.Now(), limits().Policy, host); v.Hold {
		r.problems = append(r.problems, fmt.Sprintf("%s in a storm: %v", what, v.Worst))
	}
}

// end waits for all hooks and fails the test with what the audit found.
func (r *region) end() {
	r.t.Helper()
	r.wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.problems {
		r.t.Error(p)
	}
}

// untouched fails the test if anything was fenced or any VM touched.
func (r *region) untouched() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.fenced) > 0 || len(r.touched) > 0 {
		r.t.Errorf("fenced %v, touched %v\n%s", r.fenced, r.touched, r.said())
	}
}

// elsewhere fails the test unless the VMs of a host run on other hosts, or were named because they could not be started on
// another host that had died, too.
func (r *region) elsewhere(host int) {
	r.t.Helper()
	for id := 2 * host; id < 2*host+2; id++ {
		v, _ := r.cloud.VM(id)
		named := strings.Contains(r.said(), fmt.Sprintf("VM %d: recreate: incomplete", id))
		if at := v.History[len(v.History)-1].HostID; at == host || v.LCM != one.Running && !(named && recovery.IsFailure(v.LCM.String()) || named && v.State == one.Failed) {
			r.t.Errorf("VM %d of host %d: %s\n%s", id, host, place(v), r.said())
		}
	}
}

// at runs f after a time; fail and heal are what happens to hosts.
func (r *region) at(after time.Duration, f func()) { time.AfterFunc(after, f) }

func (r *region) fail(hosts ...int) func() {
	return func() {
		for _, h := range hosts {
			_ = r.cloud.FailHost(h)
		}
	}
}

func (r *region) heal(hosts ...int) func() {
	return func() {
		for _, h := range hosts {
			_ = r.cloud.HealHost(h)
		}
	}
}

func onRegions(t *testing.T, n int, f func(t *testing.T, r *region)) {
	onEach(t, func(t *testing.T, version string) { f(t, newRegion(t, version, n)) })
}

func TestOneHostDies(t *testing.T) {
	onRegions(t, 4, func(t *testing.T, r *region) {
		r.fail(1)()
		time.Sleep(10 * time.Minute)
		r.end()
		r.elsewhere(1)
		if r.fenced[1] != 1 {
			t.Errorf("fenced %d times", r.fenced[1])
		}
	})
}

func TestGlitchOfAMinute(t *testing.T) {
	onRegions(t, 4, func(t *testing.T, r *region) {
		r.fail(1)()
		r.at(time.Minute, r.heal(1))
		time.Sleep(30 * time.Minute)
		r.end()
		r.untouched()
	})
}

func TestHostFlapsFiveTimes(t *testing.T) {
	onRegions(t, 4, func(t *testing.T, r *region) {
		for i := range 5 {
			r.at(time.Duration(2*i)*time.Minute, r.fail(1))
			r.at(time.Duration(2*i+1)*time.Minute, r.heal(1))
		}
		time.Sleep(30 * time.Minute)
		r.end()
		r.untouched()
		if len(r.reports[1]) < 5 {
			t.Errorf("%d hooks, want at least 5", len(r.reports[1]))
		}
	})
}

// TestFullTimeFromTheLastError: the host was back for a while; it gets the whole
// waiting time again.
func TestFullTimeFromTheLastError(t *testing.T) {
	onRegions(t, 4, func(t *testing.T, r *region) {
		r.fail(1)()
		r.at(90*time.Second, r.heal(1))
		var failedAgain, fenced time.Time
		r.cloud.OnHostState(func(e cloud.HostEvent) {
			if e.State == one.HostError && !e.Prev.Failed() {
				failedAgain = time.Now()
			}
		})
		r.at(3*time.Minute, r.fail(1))
		for range 600 {
			time.Sleep(time.Second)
			r.mu.Lock()
			if r.fenced[1] > 0 && fenced.IsZero() {
				fenced = time.Now()
			}
			r.mu.Unlock()
		}
		r.end()
		if waited := fenced.Sub(failedAgain); waited < 2*time.Minute {
			t.Errorf("fenced %s after the last ERROR, want at least 2m", waited)
		}
		r.elsewhere(1)
	})
}

func TestMostHostsFailOverTwoMinutesAndComeBack(t *testing.T) {
	onRegions(t, 6, func(t *testing.T, r *region) {
		for i := range 4 {
			r.at(time.Duration(i)*25*time.Second, r.fail(i))
		}
		r.at(5*time.Minute, r.heal(0, 1, 2, 3))
		time.Sleep(time.Hour)
		r.end()
		r.untouched()
	})
}

func TestStormClearsExceptForOneHost(t *testing.T) {
	onRegions(t, 6, func(t *testing.T, r *region) {
		r.fail(0, 1, 2, 3)()
		r.at(4*time.Minute, r.heal(0, 1, 2))
		time.Sleep(4 * time.Minute)
		r.untouched()
		time.Sleep(30 * time.Second)
		r.untouched() // the cool-down
		time.Sleep(time.Hour)
		r.end()
		r.elsewhere(3)
	})
}

// TestStormThatDoesNotClear: nothing is touched, and every hook gives up in the end. It looks at
// the cloud each second until then, so the limit is shorter than the 30m of the default.
func TestStormThatDoesNotClear(t *testing.T) {
	onRegions(t, 6, func(t *testing.T, r *region) {
		r.storm.GiveUp = 5 * time.Minute
		r.fail(0, 1, 2, 3)()
		if strings.HasPrefix(r.job.Dialect.Name, "4.4") {
			r.at(11*time.Minute, r.heal(0, 1, 2, 3)) // else its hook is called for ever
		}
		time.Sleep(20 * time.Minute)
		r.end()
		r.untouched()
		for host := range 4 {
			if report := r.reports[host][0]; report.ExitCode() != 0 && report.ExitCode() != 3 {
				t.Errorf("host %d: exit %d: %s", host, report.ExitCode(), report.Summary)
			}
		}
		refused := 0
		for _, reports := range r.reports {
			for _, report := range reports {
				if report.Refused && strings.Contains(report.Summary, "held for 5m0s and given up: 4 of 6 hosts in service of the cloud failed") {
					refused++
				}
			}
		}
		if refused < 4 {
			t.Errorf("%d of 4 hosts were refused with the reason", refused)
		}
	})
}

func TestSmallClouds(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for n := 2; n <= 3; n++ {
			r := newRegion(t, version, n)
			r.fail(1)()
			time.Sleep(15 * time.Minute)
			r.end()
			r.elsewhere(1)
		}
	})
}

func TestDaemonRestartsDuringAStorm(t *testing.T) {
	onRegions(t, 6, func(t *testing.T, r *region) {
		r.fail(0, 1, 2, 3)()
		r.at(3*time.Minute, func() { r.cloud.SetDown(true) })
		r.at(5*time.Minute, func() { r.cloud.SetDown(false) })
		r.at(7*time.Minute, r.heal(0, 1, 2))
		time.Sleep(time.Hour)
		r.wg.Wait()
		r.elsewhere(3)
		for _, p := range r.problems {
			t.Error(p)
		}
	})
}

// TestDaemonAwayWhileWatching: nothing is known about the host, so nothing is done.
func TestDaemonAwayWhileWatching(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(2)...))
		w.failHost()
		w.job.Confirm = 2 * time.Minute
		time.AfterFunc(30*time.Second, func() { w.cloud.SetDown(true) })
		if _, err := failover.Host(t.Context(), w.client, nil, w.job, w.opt); err == nil || !one.Temporary(err) {
			t.Errorf("error %v, want that oned is not there", err)
		}
		if n := len(w.changes(0)) + len(w.changes(1)); n > 0 {
			t.Errorf("%d calls", n)
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
			w.job.Confirm = 3 * time.Minute
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
		w.job.Storm = limits()
		if _, err := failover.Host(t.Context(), w.client, nil, w.job, w.opt); err == nil || !strings.Contains(err.Error(), "this user does not see all hosts") {
			t.Errorf("error %v", err)
		}
		if n := len(w.changes(0)); n > 0 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestQuietTime(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(1)...))
		w.failHost()
		w.job.Storm = limits()
		w.job.Storm.QuietUntil = time.Now().Add(3 * time.Minute)
		start := time.Now()
		w.recover()
		if waited := time.Since(start); waited < 3*time.Minute || waited > 4*time.Minute {
			t.Errorf("acted after %s, want after the quiet time of 3m", waited)
		}
	})
}

func TestOverrideOfTheStormGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(2)...))
		for _, id := range []int{0, 2} {
			if err := w.cloud.PowerOff(id); err != nil {
				t.Fatal(err)
			}
		}
		w.failHost()
		w.job.Storm = limits()
		w.job.Storm.GiveUp = time.Minute
		if report := w.recover(); !report.Refused || report.ExitCode() != 3 {
			t.Fatalf("%+v", report)
		}
		w.job.Storm.Override = true
		w.recover()
		w.allElsewhere(2)
	})
}
