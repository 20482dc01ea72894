package failover_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// budget is the default one, with its notes below a directory.
func budget(dir string) *failover.Budget {
	v := config.Default()
	return &failover.Budget{GiveUp: v.StormGiveUp, Notes: incident.NewAttempts(dir), Rate: incident.NewRate(dir, v.BudgetPerMinute), Policy: recovery.Budget{
		Attempts: v.BudgetAttempts, Window: v.BudgetWindow, BackOff: v.BudgetBackOff, RanWell: v.BudgetRanWell,
	}}
}

// hooked calls what oned would call for each VM that fails, as often as it would, for a
// time, and returns the reports.
func (w *world) hooked(length time.Duration, budgets func() *failover.Budget, decide func(recovery.Single) recovery.Step) []failover.Report {
	w.t.Helper()
	var mu sync.Mutex
	var reports []failover.Report
	failed := make(chan int, 10_000)
	w.cloud.OnVMState(func(e cloud.VMEvent) {
		if e.VM.State == one.Failed || e.VM.State == one.Active && (strings.HasSuffix(e.VM.LCM.String(), "FAILURE") || e.VM.LCM == one.Unknown) {
			failed <- e.VM.ID
		}
	})
	end := time.After(length)
	var wg sync.WaitGroup
	slots := make(chan struct{}, 10) // hooks at the same time, 5.10 and later
	for {
		select {
		case id := <-failed:
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				report, err := failover.VM(w.t.Context(), w.client, w.locks, failover.VMJob{VMID: id, Dialect: w.job.Dialect, Decide: decide, Budget: budgets()}, w.opt)
				if err != nil {
					w.t.Errorf("VM %d: %v", id, err)
				}
				mu.Lock()
				defer mu.Unlock()
				reports = append(reports, report)
			})
		case <-end:
			wg.Wait()
			return reports
		}
	}
}

func recreating(s recovery.Single) recovery.Step {
	return recovery.Failure(s, recovery.FailurePolicy{Mode: recovery.Recreate})
}

// A VM whose disks can never be copied is recreated three times with growing pauses, and
// then left as it is; one line says what to do. It does not matter which front-end counts.
func TestBrokenImage(t *testing.T) {
	for _, c := range []struct {
		name    string
		step    time.Duration // of the cloud; 0 is its default
		several bool          // front-ends
		budgets func(t *testing.T) func() *failover.Budget
	}{
		{"oned is so quick that nobody sees the VM move", time.Millisecond, false, func(t *testing.T) func() *failover.Budget {
			b := budget(t.TempDir())
			return func() *failover.Budget { return b }
		}},
		{"one front-end", 0, false, func(t *testing.T) func() *failover.Budget {
			b := budget(t.TempDir())
			return func() *failover.Budget { return b }
		}},
		{"another front-end each time", 0, true, func(t *testing.T) func() *failover.Budget {
			dir, n := t.TempDir(), 0
			return func() *failover.Budget { n++; return budget(filepath.Join(dir, fmt.Sprint(n))) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				if c.several && version == "4.4.1" {
					return // front-ends share their data since 5.4
				}
				broken := vm(7, one.Active, one.Running, 2)
				broken.PrologFails = true
				cfg := fourHosts(version, broken)
				cfg.Step, cfg.SchedInterval = c.step, c.step
				w := newWorld(t, cfg)
				w.locks = lockDir(t, "vm_failure", t.TempDir())
				var times []time.Time
				for _, method := range []string{"one.vm.recover", "one.vm.action"} {
					w.cloud.Inject(cloud.Rule{Method: method, ID: -1, Hook: func(cloud.Call) { times = append(times, time.Now()) }})
				}
				if err := w.client.Do(t.Context(), one.Recreate, 7); err != nil { // an admin, once
					t.Fatal(err)
				}
				reports := w.hooked(3*time.Hour, c.budgets(t), recreating)
				if version == "4.4.1" {
					times = times[1:] // the admin's does not count beside what is noted
				}
				if len(times) != 3 {
					t.Fatalf("%d recreates at %v\n%s", len(times), times, w.said())
				}
				if first, second := times[1].Sub(times[0]), times[2].Sub(times[1]); first < 30*time.Second || second < time.Minute {
					t.Errorf("pauses of %s and %s", first, second)
				}
				last := reports[slices.IndexFunc(reports, func(r failover.Report) bool { return r.ExitCode() == 1 })]
				w.wants(last, 7, recovery.VerbRecreate, failover.Incomplete, "given up after 3 of 3 attempts within 1h0m0s, and left as it is")
				if last.ExitCode() != 1 || strings.Count(w.said(), "given up") != 1 {
					t.Errorf("%+v\n%s", last, w.said())
				}
			})
		})
	}
}

// A VM that crashes again and again is booted three times. Boots leave nothing in its
// history: they are counted by the front-end and, for others, in its template.
func TestCrashLoop(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for _, shared := range []bool{true, false} {
			w := newWorld(t, fourHosts(version, running(7, 2)))
			crash := func() {
				for range 100 {
					time.Sleep(2 * time.Minute)
					_ = w.cloud.CrashVM(7)
				}
			}
			go crash()
			dir, n := t.TempDir(), 0
			reports := w.hooked(4*time.Hour, func() *failover.Budget {
				if !shared {
					n++ // a front-end without any files
				}
				return budget(filepath.Join(dir, fmt.Sprint(n)))
			}, func(s recovery.Single) recovery.Step { return recovery.Unknown(s, false) })
			if calls := w.changes(7); boots(calls) != 3 {
				t.Errorf("files shared %v: %v", shared, calls)
			}
			if len(reports) > 0 {
				w.wants(reports[len(reports)-1], 7, recovery.VerbBoot, failover.Incomplete, "run vm_unknown 7 with --no-budget")
			}
			time.Sleep(time.Hour)
		}
	})
}

// boots counts the calls that are no notes.
func boots(calls []string) (n int) {
	for _, c := range calls {
		if !strings.HasPrefix(c, "one.vm.update") {
			n++
		}
	}
	return n
}

// When a thousand VMs fail at once, they are not all recreated at once.
func TestManyFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 120 // six minutes
		var vms []cloud.VM
		for id := range many {
			vms = append(vms, vm(id, one.Active, one.BootFailure, id%4))
		}
		w := newWorld(t, fourHosts("6.10.0", vms...))
		b := budget(t.TempDir())
		var mu sync.Mutex
		var times []time.Time
		w.cloud.Inject(cloud.Rule{Method: "one.vm.recover", ID: -1, Hook: func(cloud.Call) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
		}})
		var wg sync.WaitGroup
		slots := make(chan struct{}, 15) // hooks at the same time on 4.4
		for id := range many {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				_, err := failover.VM(t.Context(), w.client, nil, failover.VMJob{VMID: id, Dialect: w.job.Dialect, Decide: recreating, Budget: b}, w.opt)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(times) != many {
			t.Errorf("%d recreates", len(times))
		}
		most := 0
		for i := range times {
			n := 0
			for _, other := range times[i:] {
				if other.Sub(times[i]) < time.Minute-time.Second {
					n++
				}
			}
			most = max(most, n)
		}
		if most > config.Default().BudgetPerMinute {
			t.Errorf("%d recreates within a minute", most)
		}
	})
}

// A VM that ran well has earned its budget back; one whose owner wants no attempts gets
// none; and a person decides without a budget.
func TestBudgetOfAVM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		recreated := func(id int) cloud.VM {
			v := vm(id, one.Active, one.BootFailure, 2, 3, 1, 2)
			for i := range 3 {
				at := now.Add(-time.Duration(50-10*i) * time.Minute).Unix()
				v.History[i].Action, v.History[i].Reason, v.History[i].ETime, v.History[i].RSTime, v.History[i].RETime = one.ActionRecreate, 0, at, 0, 0
			}
			return v
		}
		well, none := recreated(8), failsToBoot("6.10.0")
		well.History[3].RSTime, well.History[3].RETime = now.Add(-25*time.Minute).Unix(), now.Add(-5*time.Minute).Unix()
		none.ID, none.UserTemplate = 9, map[string]string{"FT_MAX_ATTEMPTS": "0"}
		w := newWorld(t, fourHosts("6.10.0", recreated(7), well, none))
		b := budget(t.TempDir())
		try := func(id int, b *failover.Budget) failover.Report {
			report, err := failover.VM(t.Context(), w.client, nil, failover.VMJob{VMID: id, Dialect: w.job.Dialect, Decide: recreating, Budget: b}, w.opt)
			if err != nil {
				t.Fatal(err)
			}
			return report
		}
		w.wants(try(7, b), 7, recovery.VerbRecreate, failover.Incomplete, "given up after 3 of 3 attempts")
		w.wants(try(9, b), 9, recovery.VerbRecreate, failover.Incomplete, "FT_MAX_ATTEMPTS is 0")
		w.wants(try(8, b), 8, recovery.VerbRecreate, failover.Done, "")
		w.wants(try(7, nil), 7, recovery.VerbRecreate, failover.Done, "")
	})
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
			report, err := failover.VM(t.Context(), w.client, lockDir(t, "vm_failure", dir), failover.VMJob{VMID: 7, Dialect: w.job.Dialect, Decide: recreating, Budget: b}, w.opt)
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
