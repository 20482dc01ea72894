package failover_test

import (
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
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
	opt := w.opt
	opt.Request.ID = id
	report, err := failover.RecoverVM(w.t.Context(), w.client, w.locks, failover.VMJob{Dialect: w.job.Dialect, Decide: decide}, opt)
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

// TestFailsAgain: the VM fails for ever, also so quickly that nobody sees it move; vm_failure does not loop.
func TestFailsAgain(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for _, step := range []time.Duration{0, time.Millisecond} { // of the cloud; 0 is its default
			broken := failsToBoot(version)
			broken.BootFails = true
			cfg := fourHosts(version, broken)
			cfg.Step, cfg.SchedInterval = step, step
			w := newWorld(t, cfg)
			report := w.failure(7, recovery.FailurePolicy{Mode: recovery.Recreate})
			if o := w.outcome(report, 7); o.Result != failover.Incomplete || o.Calls != 1 {
				t.Errorf("step %s: %+v\n%s", step, o, w.said())
			}
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

// TestBootOfAVMAtRest: a resume that has begun shows the VM POWEROFF for a moment, with a new history record. That is no fall
// back; a boot that fails so quickly that nobody sees it is.
func TestBootOfAVMAtRest(t *testing.T) {
	for _, fails := range []bool{false, true} {
		onEach(t, func(t *testing.T, version string) {
			v := vm(7, one.Poweroff, 0, 2)
			v.BootFails = fails
			cfg := fourHosts(version, v)
			if fails {
				cfg.Step = time.Millisecond
			}
			w := newWorld(t, cfg)
			report := w.single(7, func(s recovery.Single) recovery.Step {
				return recovery.Step{VM: s.VM, Verb: recovery.VerbBoot, Target: -1}
			})
			want := map[bool]failover.Result{true: failover.Incomplete, false: failover.Done}[fails]
			if o := w.outcome(report, 7); o.Result != want || o.Calls != 1 {
				t.Errorf("fails: %v: %+v\n%s", fails, o, w.said())
			}
		})
	}
}

// TestSingleCallLost: a call that a stopping daemon lost.
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

// budget is the default one, with its notes below a directory.
func budget(dir string) *failover.Budget {
	v := config.Default()
	return &failover.Budget{GiveUp: v.StormGiveUp, Notes: incident.NewAttempts(dir), Rate: incident.NewRate(dir, v.BudgetPerMinute), Policy: recovery.Budget{
		Attempts: v.BudgetAttempts, Window: v.BudgetWindow, BackOff: v.BudgetBackOff, RanWell: v.BudgetRanWell,
	}}
}

func recreating(s recovery.Single) recovery.Step {
	return recovery.Failure(s, recovery.FailurePolicy{Mode: recovery.Recreate})
}

// A host that dies while a failed VM on it waits for its next attempt: host_error has the VM
// at once, and nothing is done to it twice.
func TestHostDiesDuringTheBackOff(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		if version == "4.4.1" {
			return // a FAILED VM is on no host there
		}
		waiting := vm(7, one.Active, one.BootFailure, dead)
		w := newWorld(t, fourHosts(version, waiting, running(8, dead)))
		dir := t.TempDir()
		w.locks = lockDir(t, "host_error", dir)
		b := budget(t.TempDir())
		b.Policy.BackOff = 10 * time.Minute
		if err := b.Notes.Add(7, time.Now()); err != nil {
			t.Fatal(err)
		}
		ended := make(chan failover.Report)
		go func() {
			opt := w.opt
			opt.Request.ID, opt.Budget = 7, b
			report, err := failover.RecoverVM(t.Context(), w.client, lockDir(t, "vm_failure", dir), failover.VMJob{Dialect: w.job.Dialect, Decide: recreating}, opt)
			if err != nil {
				t.Error(err)
			}
			ended <- report
		}()
		w.failHost()
		w.wants(w.recover(), 7, recovery.VerbRecreate, failover.Done, "")
		<-ended
		if calls := w.changes(7); len(calls) != 1 {
			t.Errorf("%v\n%s", calls, w.said())
		}
	})
}
