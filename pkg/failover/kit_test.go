// Package failover_test runs pkg/failover against the simulated cloud in virtual
// time: every row of the per-state table on every version, and everything that
// can go wrong on the way.
package failover_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/failover"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// versions are those that were measured live.
var versions = []string{"4.4.1", "4.14.2", "5.4.16", "5.10.6", "5.12.0.5", "6.10.0", "7.4.1"}

// dead is the host that fails in all tests.
const dead = 1

// onEach runs a test on each version in a bubble of virtual time.
func onEach(t *testing.T, f func(t *testing.T, version string)) {
	for i, v := range versions {
		if raceEnabled() && i != len(t.Name())%len(versions) {
			continue // make test plays all of them without the race detector
		}
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { f(t, v) })
		})
	}
}

// fourHosts is a cloud of hosts 0 to 3 with the given VMs.
func fourHosts(version string, vms ...cloud.VM) cloud.Config {
	cfg := cloud.Config{Version: version, VMs: vms}
	for id := range 4 {
		cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id)})
	}
	return cfg
}

// vm is a VM that was placed on the hosts, the last one being where it is.
func vm(id int, state one.VMState, lcm one.LCMState, hosts ...int) cloud.VM {
	v := cloud.VM{ID: id, Name: fmt.Sprintf("vm%d", id), State: state, LCM: lcm}
	for seq, host := range hosts {
		r := cloud.Record{Seq: seq, HostID: host, STime: 1, PSTime: 1, PETime: 2, RSTime: 2}
		if seq < len(hosts)-1 {
			r.Action, r.Reason, r.ETime, r.RETime = one.ActionMigrate, 2, 3, 3
		}
		v.History = append(v.History, r)
	}
	return v
}

func running(id, host int) cloud.VM { return vm(id, one.Active, one.Running, host) }

// world is a cloud with a client.
type world struct {
	t      *testing.T
	cloud  *cloud.Cloud
	client *one.Client
	job    failover.HostJob
	opt    failover.Options
	locks  *incident.Locks
	mu     sync.Mutex
	log    []string
}

// newWorld builds a cloud and connects to it.
func newWorld(t *testing.T, cfg cloud.Config) *world {
	t.Helper()
	c, err := cloud.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w := &world{t: t, cloud: c, job: failover.HostJob{Policy: recovery.Policy{Mode: recovery.Recreate}, Fence: off}}
	w.client = w.connect("oneadmin:opennebula")
	w.opt = failover.Options{Request: incident.Request{ID: dead, Action: "recreate", Fencing: "required", Verify: failover.VerifyRunning}, Parallel: 8, Timeout: 5 * time.Minute, Notify: func(e failover.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, fmt.Sprintf("VM %d: %s", e.VM, e.Message.String()))
	}}
	return w
}

// off is the fence of the host: hosts of these tests are powered off.
func off(_ context.Context, h one.Host, _ fence.Look) (fence.Proof, error) {
	return fence.ConfirmedOff(h.ID, "the test"), nil
}

// said is the log so far.
func (w *world) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.log, "\n")
}

func (w *world) connect(credentials string) *one.Client {
	w.t.Helper()
	client, err := one.New(one.Options{Endpoint: "http://cloud/RPC2", Credentials: credentials, Transport: w.cloud.Transport(), Patience: time.Minute})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, w.job.Dialect, err = client.Connect(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return client
}

// failHost cuts the host off and waits until oned has noticed and its VMs are UNKNOWN.
func (w *world) failHost() {
	w.t.Helper()
	if err := w.cloud.PowerOff(dead); err != nil {
		w.t.Fatal(err)
	}
	for range 600 {
		time.Sleep(time.Second)
		if h, _ := w.cloud.Host(dead); h.State == one.HostError {
			time.Sleep(500 * time.Millisecond)
			w.cloud.ResetCalls()
			return
		}
	}
	w.t.Fatal("the host never became ERROR")
}

// recover runs host_error's work.
func (w *world) recover() failover.Report {
	w.t.Helper()
	report, err := failover.RecoverHost(w.t.Context(), w.client, w.locks, w.job, w.opt)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.said())
	}
	return report
}

// outcome finds the outcome of a VM.
func (w *world) outcome(r failover.Report, id int) failover.Outcome {
	w.t.Helper()
	for _, o := range r.Outcomes {
		if o.VM == id {
			return o
		}
	}
	w.t.Fatalf("VM %d is not in the report: %+v", id, r.Outcomes)
	return failover.Outcome{}
}

// wants checks one outcome; detail is a part of the text.
func (w *world) wants(r failover.Report, id int, action recovery.Verb, result failover.Result, detail string) {
	w.t.Helper()
	if o := w.outcome(r, id); o.Action != action || o.Result != result || !strings.Contains(o.Detail, detail) {
		w.t.Errorf("VM %d: %s, %s: %q; want %s, %s: %q\n%s", id, o.Action, o.Result, o.Detail, action, result, detail, w.said())
	}
}

// changes are the calls for a VM that change it, refused ones marked with "!".
func (w *world) changes(id int) (calls []string) {
	for _, c := range w.cloud.Calls() {
		text := fmt.Sprint(c.Method, c.Args)
		i := slices.IndexFunc(c.Args, func(a any) bool { _, number := a.(int); return number })
		if i < 0 || c.Args[i] != id || !strings.HasPrefix(c.Method, "one.vm.") || c.Method == "one.vm.info" {
			continue
		}
		if !c.OK {
			text += "!"
		}
		calls = append(calls, text)
	}
	return calls
}

// settled waits a while of virtual time and gives the VM.
func (w *world) settled(id int) cloud.VM {
	w.t.Helper()
	time.Sleep(time.Minute)
	v, ok := w.cloud.VM(id)
	if !ok {
		w.t.Fatalf("VM %d is gone", id)
	}
	return v
}

// place tells in one word where a VM is.
func place(v cloud.VM) string {
	switch {
	case v.State == one.Active && len(v.History) > 0:
		return fmt.Sprintf("%s on %d", v.LCM, v.History[len(v.History)-1].HostID)
	case len(v.History) > 0:
		return fmt.Sprintf("%s on %d", v.State, v.History[len(v.History)-1].HostID)
	}
	return v.State.String()
}

// nobodyTwice fails the test when a VM runs on two hosts.
func (w *world) nobodyTwice() {
	w.t.Helper()
	where := map[int]int{}
	for _, h := range w.cloud.Hosts() {
		for _, id := range w.cloud.Guests(h.ID) {
			if before, twice := where[id]; twice {
				w.t.Errorf("VM %d runs on hosts %d and %d", id, before, h.ID)
			}
			where[id] = h.ID
		}
	}
	if w.cloud.Deadlocked() {
		w.t.Error("oned is deadlocked: two calls for one VM at the same time")
	}
}

// lockDir makes a lock directory in real time's file system.
func lockDir(t *testing.T, holder string, dir string) *incident.Locks {
	t.Helper()
	l, err := incident.OpenLocks(dir, holder)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
