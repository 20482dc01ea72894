package failover_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

func TestSecondOpinion(t *testing.T) {
	for _, c := range []struct {
		alive   bool
		err     error
		refused bool
	}{{true, nil, true}, {false, nil, false}, {true, errors.New("time-out"), false}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
			w.failHost()
			w.job.Opinions = []failover.Opinion{{Name: "is-alive", Ask: func(_ context.Context, h one.Host) (bool, error) {
				if h.ID != dead {
					t.Errorf("asked about host %d", h.ID)
				}
				return c.alive, c.err
			}}}
			report := w.recover()
			if report.Refused != c.refused || c.refused != (len(w.changes(0)) == 0) {
				t.Errorf("alive %v, %v: %+v", c.alive, c.err, report)
			}
		})
	}
}

func TestFencingModes(t *testing.T) {
	broken := errors.New("the BMC does not answer")
	for _, c := range []struct {
		mode    failover.Fencing
		err     error
		refused string
	}{
		{failover.FencingAuto, nil, ""},
		{failover.FencingAuto, fence.ErrNotConfigured, ""},
		{failover.FencingAuto, broken, "fencing failed, and nothing was touched: the BMC does not answer"},
		{failover.FencingRequired, nil, ""},
		{failover.FencingRequired, fence.ErrNotConfigured, "fencing is required, and none is configured for this host; nothing was touched"},
		{failover.FencingRequired, broken, "fencing failed, and nothing was touched: the BMC does not answer"},
		{failover.FencingOff, broken, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
			w.failHost()
			w.job.Fencing = c.mode
			w.job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) {
				return fence.WithoutProof(dead, "test"), c.err
			}
			report := w.recover()
			if report.Refused != (c.refused != "") || c.refused != "" && report.Summary != c.refused || report.Refused != (len(w.changes(0)) == 0) {
				t.Errorf("%s, %v: %+v, calls %v", c.mode, c.err, report, w.changes(0))
			}
		})
	}
}

// TestProofOfAnotherHost: acting on a proof for another host is refused.
func TestProofOfAnotherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		w.job.Fencing = failover.FencingRequired
		for _, proof := range []fence.Proof{{}, fence.WithoutProof(2, "test")} {
			w.job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) { return proof, nil }
			if _, err := failover.Host(t.Context(), w.client, nil, w.job, w.opt); err == nil || len(w.changes(0)) > 0 {
				t.Errorf("%s: error %v, calls %v", proof, err, w.changes(0))
			}
		}
	})
}

func TestFenceFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		w.job.Confirm, w.job.FenceFirst, w.job.Fencing = time.Hour, true, failover.FencingRequired
		w.job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) {
			return fence.WithoutProof(dead, "test"), nil
		}
		start := time.Now()
		w.recover()
		if took := time.Since(start); took > time.Minute {
			t.Errorf("it took %s although the host was fenced at once", took)
		}
		w.allElsewhere(1)
	})
}

// TestHostComesBackWhileItIsFenced: oned monitors the host once more before the power
// is gone. No VM is touched; its next ERROR is a new event.
func TestHostComesBackWhileItIsFenced(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(3)...))
		w.failHost()
		w.job.Fencing = failover.FencingRequired
		w.job.Fence = func(context.Context, one.Host, fence.Look) (fence.Proof, error) {
			return fence.WithoutProof(dead, "test"), w.cloud.SetHostState(dead, one.HostMonitored)
		}
		report := w.recover()
		if report.Summary != "the host came back: nothing to recover" || report.ExitCode() != 0 {
			t.Errorf("%+v", report)
		}
		for id := range 3 {
			if c := w.changes(id); len(c) > 0 {
				t.Errorf("VM %d: %v", id, c)
			}
		}
	})
}

// TestStoppedInTheMiddle: the process is told to end while VMs are acted on. It ends
// at once, and the report still names every VM.
func TestStoppedInTheMiddle(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(12)...))
		w.failHost()
		w.opt.Parallel = 2
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: -1, Delay: time.Second})
		}
		start := time.Now()
		report, err := failover.Host(ctx, w.client, nil, w.job, w.opt)
		if took := time.Since(start); err != nil || took > 10*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		if report.ExitCode() != 1 || len(report.Outcomes) != 12 {
			t.Errorf("%+v", report)
		}
		for _, o := range report.Outcomes {
			if o.Result == "" || o.Detail == "" {
				t.Errorf("%+v", o)
			}
		}
		w.nobodyTwice()
	})
}

// TestToldToEndWhileFencing holds that a process that is told to end does not say that fencing
// failed: nobody is asked to confirm that the host is off, and another process goes on.
func TestToldToEndWhileFencing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("7.4.1", someRunning(1)...))
		w.failHost()
		ctx, end := context.WithCancel(t.Context())
		w.job.Fence = func(ctx context.Context, _ one.Host, _ fence.Look) (fence.Proof, error) {
			end()
			return fence.Proof{}, ctx.Err()
		}
		report, err := failover.Host(ctx, w.client, nil, w.job, w.opt)
		if !errors.Is(err, context.Canceled) || report.Refused || len(w.changes(0)) > 0 {
			t.Errorf("%v, %+v", err, report)
		}
	})
}
