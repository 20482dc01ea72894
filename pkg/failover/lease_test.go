package failover_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// leasedHosts is a cloud whose hosts are fenced by a lease of a minute.
func leasedHosts(version string, attributes ...string) cloud.Config {
	cfg := fourHosts(version, someRunning(3)...)
	for i := range cfg.Hosts {
		cfg.Hosts[i].Template = map[string]string{"FENCE_LEASE": "60", "FENCE_LEASE_REACTION": "40"}
		for _, a := range attributes {
			name, value, _ := strings.Cut(a, "=")
			cfg.Hosts[i].Template[name] = value
		}
	}
	return cfg
}

// leaseWait is what host_error waits for those: with the default margin.
const leaseWait = 110 * time.Second

// leasing makes the world fence as host_error does.
func (w *world) leasing() {
	fences := fencing.Resolver{XML: w.client.HostXML}
	w.job.Fencing, w.job.Fence = failover.FencingRequired, fences.Prove
}

// firstChange is when the first call that changes a VM left.
func (w *world) firstChange() time.Time {
	for _, c := range w.cloud.Calls() {
		if strings.HasPrefix(c.Method, "one.vm.") && c.Method != "one.vm.info" {
			return c.At
		}
	}
	return time.Time{}
}

// The lease is waited for from the beginning of the recovery, and the time for which the
// host was watched counts.
func TestLease(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for _, confirm := range []time.Duration{0, time.Minute, 3 * time.Minute} {
			w := newWorld(t, leasedHosts(version))
			w.failHost()
			w.leasing()
			w.job.Confirm = confirm
			start := time.Now()
			report := w.recover()
			took := w.firstChange().Sub(start)
			if want := max(leaseWait, confirm); took < want || took > want+3*time.Second {
				t.Errorf("confirm %s: the first call left after %s, want %s\n%s", confirm, took, want, w.said())
			}
			if !strings.Contains(report.Fence, "lease of 1m0s has run out") || report.ExitCode() != 0 {
				t.Errorf("%+v", report)
			}
			w.allElsewhere(3)
		}
	})
}

// What happens to the host while the lease is waited for.
func TestLeaseIsBroken(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   one.HostState
		summary string
		code    int
	}{
		{"it comes back", one.HostMonitored, "the host came back: nothing to recover", 0},
		{"an admin disables it", one.HostDisabled, "it keeps its VMs then", 3},
		{"an admin enables it", one.HostInit, "it keeps its VMs then", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, leasedHosts("7.4.1"))
				w.failHost()
				w.leasing()
				go func() {
					time.Sleep(leaseWait - 2*time.Second)
					_ = w.cloud.SetHostState(dead, c.state)
				}()
				report := w.recover()
				if !strings.Contains(report.Summary, c.summary) || report.ExitCode() != c.code || !w.firstChange().IsZero() {
					t.Errorf("%+v\n%s", report, w.said())
				}
			})
		})
	}
}

// An admin who sets the host offline says that it is off, and then it renews nothing.
func TestLeaseOfAnOfflineHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, leasedHosts("7.4.1"))
		w.failHost()
		w.leasing()
		w.opt.AnyState = true
		if err := w.cloud.SetHostState(dead, one.HostOffline); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		w.recover()
		if took := w.firstChange().Sub(start); took < leaseWait || took > leaseWait+3*time.Second {
			t.Errorf("after %s", took)
		}
	})
}

// oned that does not answer for a while leaves a gap in what is known of the host.
func TestLeaseBeginsAnewAfterAGap(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, leasedHosts(version))
		w.failHost()
		w.leasing()
		const gapAt, gap = 40 * time.Second, 20 * time.Second
		go func() {
			time.Sleep(gapAt)
			remove := w.cloud.Inject(cloud.Rule{ID: -1, DropBefore: true})
			time.Sleep(gap)
			remove()
		}()
		start := time.Now()
		w.recover()
		if took := w.firstChange().Sub(start); took < gapAt+gap+leaseWait-time.Second || took > gapAt+gap+leaseWait+5*time.Second {
			t.Errorf("after %s\n%s", took, w.said())
		}
	})
}

// An admin who enables the host while it is watched grants it a lease for a moment.
func TestLeaseBeginsAnewAfterInit(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, leasedHosts(version))
		w.failHost()
		w.leasing()
		w.job.Confirm = 10 * time.Minute
		again := make(chan time.Time, 1) // when it was in ERROR again
		go func() {
			time.Sleep(8 * time.Minute)
			_ = w.cloud.SetHostState(dead, one.HostInit)
			for range 1200 {
				if h, _ := w.cloud.Host(dead); h.State.Failed() {
					again <- time.Now()
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		}()
		w.recover()
		var failed time.Time
		select {
		case failed = <-again:
		default:
		}
		if took := w.firstChange().Sub(failed); failed.IsZero() || took < leaseWait-time.Second {
			t.Errorf("%s after the host was in ERROR again\n%s", took, w.said())
		}
	})
}

// A host that has published that it needs longer is not believed to be off.
func TestLeaseTooShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, attribute := range []string{"FT_LEASE_REACTION=60", "FT_LEASE_ARMED=NO"} {
			w := newWorld(t, leasedHosts("7.4.1", "FT_LEASE=60", "FT_LEASE_REACTION=40", attribute))
			w.failHost()
			w.leasing()
			if report := w.recover(); report.ExitCode() != 3 || !w.firstChange().IsZero() {
				t.Errorf("%s: %+v", attribute, report)
			}
		}
	})
}

// What the configuration says of a host goes first; a lease in its template is the last
// resort behind it.
func TestLeaseBehindTheConfiguration(t *testing.T) {
	entry := config.Entry{Hosts: []string{"*"}, Levels: []fence.Level{{Name: "bmc", Devices: []fence.Device{{Kind: fence.KindAgent, Agent: "fence_ipmilan"}}}}}
	for _, c := range []struct {
		template map[string]string
		entries  []config.Entry
		want     []string
	}{
		{map[string]string{"FENCE_LEASE": "60"}, nil, []string{"lease of 1m0s, waited for 2m0s"}},
		{map[string]string{"FENCE_LEASE": "60"}, []config.Entry{entry}, []string{"fence_ipmilan", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_IP": "10.0.0.1"}, []config.Entry{entry}, []string{"fence_ipmilan", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_AGENT": "fence_ilo"}, []config.Entry{entry}, []string{"fence_ilo", "lease of 1m0s"}},
		{map[string]string{"FENCE_LEASE": "60", "FENCE_IP": "10.0.0.1"}, nil, []string{"FENCE_AGENT is missing"}},
		{map[string]string{"FENCE_LEASE": "a minute"}, []config.Entry{entry}, []string{"FENCE_LEASE: "}},
	} {
		fences, host := fencing.Resolver{Config: config.File{Fence: c.entries}}, one.Host{ID: 1, Name: "node1", Template: c.template}
		lines := fences.Describe(host)
		if o := fences.Outlook(failover.FencingAuto, host); o.Reason == fence.Misconfigured {
			lines = o.Lines()
		}
		good := len(lines) == len(c.want)
		for i := range min(len(lines), len(c.want)) {
			good = good && strings.Contains(lines[i], c.want[i])
		}
		if !good {
			t.Errorf("%v: %q, want %q", c.template, lines, c.want)
		}
	}
}
