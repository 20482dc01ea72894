package failover_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// failure runs vm_failure's work.
func (w *world) failure(id int, p recovery.FailurePolicy) failover.Report {
	return w.single(id, func(s recovery.Single) recovery.Step { return recovery.Failure(s, p) })
}

func (w *world) single(id int, decide func(recovery.Single) recovery.Step) failover.Report {
	w.t.Helper()
	report, err := failover.VM(w.t.Context(), w.client, w.locks, failover.VMJob{VMID: id, Dialect: w.job.Dialect, Decide: decide}, w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// failsToBoot is a VM whose first boot fails, as the version shows it.
func failsToBoot(version string) cloud.VM {
	v := vm(7, one.Active, one.BootFailure, 2)
	if strings.HasPrefix(version, "4.4") {
		v.State, v.LCM = one.Failed, 0
	}
	return v
}

func TestFailedBoot(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for _, c := range []struct {
			mode   recovery.Mode
			action recovery.Verb
			ends   string
		}{
			{recovery.Recreate, recovery.VerbRecreate, elsewhere},
			{recovery.Delete, recovery.VerbDelete, "DONE on 2"},
			{recovery.Retry, recovery.VerbRetry, "RUNNING on 2"},
		} {
			w := newWorld(t, fourHosts(version, failsToBoot(version)))
			report := w.failure(7, recovery.FailurePolicy{Mode: c.mode})
			if c.mode == recovery.Retry && version == "4.4.1" {
				w.wants(report, 7, recovery.VerbLeave, failover.Incomplete, "cannot retry a failed VM")
				continue
			}
			w.wants(report, 7, c.action, failover.Done, "")
			v := w.settled(7)
			if c.ends == elsewhere && v.LCM != one.Running || c.ends != elsewhere && place(v) != c.ends {
				t.Errorf("%s: ends %s, want %s\n%s", c.mode, place(v), c.ends, w.said())
			}
		}
	})
}

func TestFailedMigrationGoesBack(t *testing.T) {
	for _, version := range versions[1:] {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fourHosts(version, vm(7, one.Active, one.PrologMigrateFailure, 2, 3)))
			w.opt.Verify = failover.VerifyRunning
			w.wants(w.failure(7, recovery.FailurePolicy{Mode: recovery.Recreate}), 7, recovery.VerbReturn, failover.Done, "running on host 2 (node2)")
			if place(w.settled(7)) != "RUNNING on 2" {
				t.Errorf("%s: ends %s", version, place(w.settled(7)))
			}
		})
	}
}

func TestFailedEpilogIsFinished(t *testing.T) {
	for _, version := range versions[1:] {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fourHosts(version, vm(7, one.Active, one.EpilogFailure, 2)))
			w.wants(w.failure(7, recovery.FailurePolicy{Mode: recovery.Recreate}), 7, recovery.VerbDelete, failover.Done, "")
			if v := w.settled(7); v.State != one.Done {
				t.Errorf("%s: ends %s", version, place(v))
			}
		})
	}
}

// TestFailsAgain: the VM fails for ever; vm_failure does not loop.
func TestFailsAgain(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		broken := failsToBoot(version)
		broken.BootFails = true
		w := newWorld(t, fourHosts(version, broken))
		w.opt.Verify = failover.VerifyRunning
		report := w.failure(7, recovery.FailurePolicy{Mode: recovery.Recreate})
		if o := w.outcome(report, 7); o.Result != failover.Incomplete || o.Calls != 1 {
			t.Errorf("%+v", o)
		}
	})
}

func TestCrashedVMIsBooted(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, running(7, 2)))
		if err := w.cloud.CrashVM(7); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		report := w.single(7, func(s recovery.Single) recovery.Step { return recovery.Unknown(s, false) })
		w.wants(report, 7, recovery.VerbBoot, failover.Done, "running on host 2")
		if got := w.changes(7); len(got) != 1 {
			t.Errorf("calls %v", got)
		}
	})
}

func TestCrashedVMDoesNotBoot(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		broken := running(7, 2)
		broken.BootFails = true
		w := newWorld(t, fourHosts(version, broken))
		if err := w.cloud.CrashVM(7); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		report := w.single(7, func(s recovery.Single) recovery.Step { return recovery.Unknown(s, false) })
		if o := w.outcome(report, 7); o.Result != failover.Incomplete || o.Calls > 2 {
			t.Errorf("%+v\n%s", o, w.said())
		}
	})
}

// TestUnknownLeavesFailedHostsToHostError: oned fires both hooks within 0.1 s.
func TestUnknownLeavesFailedHostsToHostError(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, running(7, dead)))
		w.failHost()
		report := w.single(7, func(s recovery.Single) recovery.Step { return recovery.Unknown(s, false) })
		w.wants(report, 7, recovery.VerbLeave, failover.Left, "its host 1 (node1) is in ERROR: host_error owns its VMs")
		if len(w.changes(7)) > 0 || report.ExitCode() != 0 {
			t.Errorf("%v, exit %d", w.changes(7), report.ExitCode())
		}
	})
}

// TestRetryIsAskedForAgainWhenLost: a call that a stopping daemon lost.
func TestSingleCallLost(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, failsToBoot(version)))
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: 7, Times: 1, Lose: true})
		}
		report := w.failure(7, recovery.FailurePolicy{Mode: recovery.Recreate})
		if o := w.outcome(report, 7); o.Result != failover.Done || o.Calls != 2 {
			t.Errorf("%+v\n%s", o, w.said())
		}
	})
}
