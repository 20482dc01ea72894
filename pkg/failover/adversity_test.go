package failover_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
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

// recreates counts the calls that recreate a VM.
func (w *world) recreates(id int) int {
	n := 0
	for _, c := range w.changes(id) {
		if strings.Contains(c, "delete-recreate") || strings.HasPrefix(c, "one.vm.recover") {
			n++
		}
	}
	return n
}

func TestHostComesBackWhileWatched(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(3)...))
		w.failHost()
		w.job.Confirm = 5 * time.Minute
		time.AfterFunc(90*time.Second, func() { _ = w.cloud.HealHost(dead) })
		start := time.Now()
		report := w.recover()
		if report.Summary != "the host came back: nothing to recover" || report.ExitCode() != 0 || len(report.Outcomes) != 0 {
			t.Errorf("%+v", report)
		}
		if took := time.Since(start); took > 3*time.Minute {
			t.Errorf("it took %s although the host was back after about 2 minutes", took)
		}
		for id := range 3 {
			if c := w.changes(id); len(c) > 0 {
				t.Errorf("VM %d: %v", id, c)
			}
		}
	})
}

func TestDisabledWhileWatchedIsNotBack(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(2)...))
		w.failHost()
		w.job.Confirm = 2 * time.Minute
		time.AfterFunc(30*time.Second, func() { _ = w.cloud.SetHostState(dead, one.HostDisabled) })
		if report := w.recover(); report.ExitCode() != 0 || len(report.Outcomes) != 2 {
			t.Errorf("%+v", report)
		}
		w.allElsewhere(2)
	})
}

func TestHostNotInError(t *testing.T) {
	for state, want := range map[one.HostState]int{one.HostMonitored: 0, one.HostInit: 0, one.HostDisabled: 3, one.HostOffline: 3} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
			if err := w.cloud.SetHostState(dead, state); err != nil {
				t.Fatal(err)
			}
			if report := w.recover(); report.ExitCode() != want || len(w.changes(0)) > 0 {
				t.Errorf("%s: exit %d, want %d: %s", state, report.ExitCode(), want, report.Summary)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // an admin who evacuates a dead, disabled host
		w := newWorld(t, fourHosts("6.10.0", someRunning(1)...))
		w.failHost()
		if err := w.cloud.SetHostState(dead, one.HostOffline); err != nil {
			t.Fatal(err)
		}
		w.opt.AnyState = true
		w.recover()
		w.allElsewhere(1)
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fourHosts("6.10.0"))
		w.job.HostID = 99
		if _, err := failover.Host(t.Context(), w.client, nil, w.job, w.opt); !errors.Is(err, failover.ErrNoHost) {
			t.Errorf("host 99: %v", err)
		}
	})
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

// TestNamesThatBreakAnswers: bad UTF-8, control characters and "]]>" in one VM must
// not hide the others.
func TestNamesThatBreakAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		vms := someRunning(3)
		vms[1].Name = "evil\x1b[2J]]>name"
		vms[1].UserTemplate = map[string]string{"NOTE": "a]]>b\x01\x02 & c"}
		vms[2].UserTemplate = map[string]string{"NOTE": "a]]><broken>"} // no XML can be made of that
		w := newWorld(t, fourHosts(version, vms...))
		w.failHost()
		w.cloud.Inject(cloud.Rule{ID: -1, Mangle: func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("name"), []byte("n\xffme"))
		}})
		report := w.recover()
		w.wants(report, 0, recovery.VerbRecreate, failover.Done, "")
		w.wants(report, 1, recovery.VerbRecreate, failover.Done, "")
		w.wants(report, 2, recovery.VerbLeave, failover.Incomplete, "read VM 2: [one.vm.info] damaged object")
		if name := w.outcome(report, 1).Name; name != text.Printable(name) {
			t.Errorf("the name came through raw: %q", name)
		}
		w.allElsewhere(2)
	})
}

// TestLooksAgainBeforeActing: what happens to a VM between the plan and the call
// decides.
func TestLooksAgainBeforeActing(t *testing.T) {
	set := func(state one.VMState, lcm one.LCMState, host int) func(*cloud.VM) {
		return func(v *cloud.VM) {
			v.State, v.LCM = state, lcm
			if host != dead {
				v.History = append(v.History, cloud.Record{Seq: len(v.History), HostID: host, STime: 9, PSTime: 9, PETime: 9, RSTime: 9})
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*cloud.VM)
		result failover.Result
		ends   string
	}{
		"moved":            {set(one.Active, one.Running, 2), failover.Left, "RUNNING on 2"},
		"ended by owner":   {set(one.Active, one.Shutdown, dead), failover.Done, "DONE on 1"},
		"being placed":     {func(v *cloud.VM) { v.State, v.LCM, v.Requirements = one.Pending, 0, `NAME = "none"` }, failover.Already, "PENDING on 1"},
		"stopped by owner": {set(one.Stopped, 0, dead), failover.Left, "STOPPED on 1"},
		"suspended":        {set(one.Suspended, 0, dead), failover.Left, "SUSPENDED on 1"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				w := newWorld(t, fourHosts(version, someRunning(2)...))
				w.failHost()
				// VM 0 is slow to be acted on, so that VM 1, which waits for it, is planned from
				// an old reading.
				w.opt.Parallel = 1
				for _, method := range []string{"one.vm.recover", "one.vm.action"} {
					w.cloud.Inject(cloud.Rule{Method: method, ID: 0, Times: 1, Delay: 20 * time.Second, Hook: func(cloud.Call) {
						if err := w.cloud.UpdateVM(1, c.change); err != nil {
							t.Error(err)
						}
					}})
				}
				report := w.recover()
				if o := w.outcome(report, 1); o.Result != c.result {
					t.Errorf("%s %s: %s, want %s", o.Action, o.Result, o.Detail, c.result)
				}
				if v := w.settled(1); !endsAs(v, c.ends) {
					t.Errorf("it ends %s, want %s", place(v), c.ends)
				}
				w.nobodyTwice()
			})
		})
	}
}

func TestHostComesBackBetweenPlanAndAct(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		cfg := fourHosts(version, someRunning(4)...)
		cfg.MonitorInterval = 5 * time.Second
		w := newWorld(t, cfg)
		if err := w.cloud.FailHost(dead); err != nil { // its guests go on running
			t.Fatal(err)
		}
		for {
			time.Sleep(time.Second)
			if h, _ := w.cloud.Host(dead); h.State == one.HostError {
				break
			}
		}
		time.Sleep(time.Second)
		w.opt.Parallel, w.job.Fencing = 1, failover.FencingOff
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: 0, Times: 1, DropBefore: true, Delay: 10 * time.Minute, Hook: func(cloud.Call) {
				_ = w.cloud.HealHost(dead)
			}})
		}
		w.opt.Timeout = time.Hour
		report := w.recover()
		for id := range 4 {
			if o := w.outcome(report, id); o.Result != failover.Left || len(w.changes(id)) > 1 {
				t.Errorf("VM %d: %s %q %v", id, o.Result, o.Detail, w.changes(id))
			}
		}
		w.nobodyTwice()
	})
}

func TestNoRoomElsewhere(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		vms := someRunning(2)
		vms[1].Requirements = `NAME = "node1"`
		w := newWorld(t, fourHosts(version, vms...))
		w.failHost()
		w.opt.Verify = failover.VerifyRunning
		report := w.recover()
		w.wants(report, 0, recovery.VerbRecreate, failover.Done, "running on host")
		w.wants(report, 1, recovery.VerbRecreate, failover.Incomplete, "no host has room for it (the scheduler says: ")
		if report.ExitCode() != 1 {
			t.Errorf("exit %d, want 1", report.ExitCode())
		}
	})
}

// TestNoRoomIsNamedByHooks: with --verify left it is no failure, but the report names the VM
// when the scheduler has said so by then.
func TestNoRoomIsNamedByHooks(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		vms := someRunning(2)
		vms[1].Requirements = `NAME = "node1"`
		vms[0].UserTemplate = map[string]string{"FT_PRIORITY": "1"}
		w := newWorld(t, fourHosts(version, vms...))
		w.failHost()
		w.opt.Verify = failover.VerifyLeft
		w.opt.Parallel = 1 // VM 0 is slow, so the scheduler has seen VM 1 when it is done
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: 0, Delay: 10 * time.Second})
		}
		report := w.recover()
		w.wants(report, 0, recovery.VerbRecreate, failover.Starting, "left the host")
		w.wants(report, 1, recovery.VerbRecreate, failover.Starting, "left the host, PENDING: no host has room for it (the scheduler says: ")
		if report.ExitCode() != 0 {
			t.Errorf("exit %d", report.ExitCode())
		}
	})
}

// TestTwoAtOnce: the hook is delivered twice, or an admin runs it beside the
// hook. One acts; the other says so.
func TestTwoAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(20)...))
		w.failHost()
		dir := t.TempDir()
		reports := make([]failover.Report, 10)
		var wg sync.WaitGroup
		for i := range reports {
			locks := lockDir(t, fmt.Sprintf("host_error, pid %d", i), dir)
			wg.Go(func() {
				var err error
				if reports[i], err = failover.Host(t.Context(), w.client, locks, w.job, w.opt); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		acted := 0
		for _, r := range reports {
			switch {
			case len(r.Outcomes) > 0:
				acted++
			case r.Summary == "no VMs on the host": // it came when the first had finished
			case !strings.HasPrefix(r.Summary, "host 1 is already being handled by ") || r.ExitCode() != 0:
				t.Errorf("%q, exit %d", r.Summary, r.ExitCode())
			}
		}
		if acted != 1 {
			t.Errorf("%d of 10 acted", acted)
		}
		for id := range 20 {
			if n := w.recreates(id); n != 1 {
				t.Errorf("VM %d was recreated %d times", id, n)
			}
		}
		w.allElsewhere(20)
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

// TestGivesUpInTime: oned never answers again. The report names every VM.
func TestGivesUpInTime(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(3)...))
		w.failHost()
		for _, method := range []string{"one.vm.recover", "one.vm.action"} {
			w.cloud.Inject(cloud.Rule{Method: method, ID: -1, Times: 1, Hook: func(cloud.Call) { w.cloud.SetDown(true) }})
		}
		w.opt.Timeout = 2 * time.Minute
		start := time.Now()
		report := w.recover()
		if took := time.Since(start); took > 3*time.Minute {
			t.Errorf("it took %s with a limit of 2 minutes", took)
		}
		if report.ExitCode() != 1 || len(report.Outcomes) != 3 {
			t.Errorf("%+v", report)
		}
		for _, o := range report.Outcomes {
			if o.Result != failover.Incomplete || o.Detail == "" {
				t.Errorf("%+v", o)
			}
		}
	})
}

func TestOrderOfPriority(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		vms := someRunning(6)
		for id, p := range map[int]string{5: "100", 2: "90", 0: "1"} {
			vms[id].UserTemplate = map[string]string{"FT_PRIORITY": p}
		}
		w := newWorld(t, fourHosts(version, vms...))
		w.failHost()
		w.opt.Parallel = 1
		w.recover()
		var order []int
		for _, c := range w.cloud.Calls() {
			if c.Method == "one.vm.recover" {
				order = append(order, c.Args[0].(int))
			} else if c.Method == "one.vm.action" {
				order = append(order, c.Args[1].(int))
			}
		}
		if !slices.Equal(order, []int{5, 2, 1, 3, 4, 0}) {
			t.Errorf("order %v", order)
		}
	})
}

func TestDryRunChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, append(someRunning(3), vm(9, one.Suspended, 0, dead))...))
		w.failHost()
		w.opt.DryRun = true
		w.job.Confirm = time.Hour
		report := w.recover()
		w.wants(report, 0, recovery.VerbRecreate, failover.Planned, "")
		w.wants(report, 9, recovery.VerbLeave, failover.Left, "unless y or -f")
		for id := range 10 {
			if c := w.changes(id); len(c) > 0 {
				t.Errorf("VM %d: %v", id, c)
			}
		}
	})
}
