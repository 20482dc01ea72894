package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"one-ft/pkg/incident"
)

// way is a VM that was seen in these states, one each second from 1 on.
func way(action, result string, states ...string) incident.VM {
	vm := incident.VM{Action: action, Result: result}
	for i, state := range states {
		vm.Path = append(vm.Path, incident.Hop{At: at(float64(i + 1)), State: state})
	}
	return vm
}

// restarted is an incident that brought a VM to RUNNING after 6 s.
func restarted(r incident.Record) incident.Record {
	r.VMs = []incident.VM{way("recreate", "done", "UNKNOWN", "CLEANUP_RESUBMIT", "PENDING", "PROLOG", "BOOT", "RUNNING")}
	return r
}

func TestRunningSeconds(t *testing.T) {
	far := func(seconds float64) incident.VM {
		vm := way("boot", "done", "UNKNOWN", "RUNNING")
		vm.Path[1].At = at(seconds)
		return vm
	}
	for name, c := range map[string]struct {
		failed time.Time
		vm     incident.VM
		want   string
	}{
		"done":                       {vm: way("recreate", "done", "UNKNOWN", "PENDING", "RUNNING"), want: "[3]"},
		"since ERROR":                {failed: at(-40), vm: way("recreate", "done", "UNKNOWN", "PENDING", "RUNNING"), want: "[43]"},
		"unproven":                   {vm: way("resume, then recreate", "unproven", "SUSPENDED", "RUNNING"), want: "[2]"},
		"still starting":             {vm: way("recreate", "starting", "UNKNOWN", "PENDING"), want: "[]"},
		"not handled":                {vm: way("recreate", "incomplete", "UNKNOWN", "RUNNING"), want: "[]"},
		"oned did it":                {vm: way("already being recovered", "already", "BOOT", "RUNNING"), want: "[]"},
		"deleted":                    {vm: way("delete", "done", "UNKNOWN", "CLEANUP_DELETE", "DONE"), want: "[]"},
		"left":                       {vm: way("leave", "left", "POWEROFF"), want: "[]"},
		"planned while RUNNING":      {vm: way("recreate", "done", "RUNNING", "CLEANUP_RESUBMIT", "DONE"), want: "[]"},
		"ran again on the dead host": {vm: way("recreate", "done", "RUNNING", "UNKNOWN", "RUNNING", "CLEANUP_RESUBMIT", "PENDING", "RUNNING"), want: "[6]"},
		"of one-ft without ways":     {vm: incident.VM{Action: "recreate", Result: "done"}, want: "[]"},
		"action of a later version":  {vm: way("other", "done", "UNKNOWN", "RUNNING"), want: "[]"},
		"result of a later version":  {vm: way("recreate", "other", "UNKNOWN", "RUNNING"), want: "[]"},
		"clock set back":             {vm: far(-5), want: "[0]"},
	} {
		r := incident.Record{Began: began(), VMs: []incident.VM{c.vm}}
		if !c.failed.IsZero() {
			r.Host = &incident.HostRecord{Failed: c.failed}
		}
		if got := fmt.Sprint(runningSeconds(r)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// A bound is part of its bucket, and every later bucket has what an earlier one has.
func TestBuckets(t *testing.T) {
	s := newState()
	r := ended("host", incident.Unproven, 4000)
	for _, seconds := range []float64{0, 5, 5.01, 14, 150, 3600, 3601} {
		vm := way("recreate", "unproven", "UNKNOWN", "RUNNING")
		vm.Path[1].At = at(seconds)
		r.VMs = append(r.VMs, vm)
	}
	s.add(r, at(5000))
	s.add(restarted(ended("VM", incident.Done, 9)), at(5000))
	found := samples(t, string(s.exposition()))
	for bound, want := range map[string]float64{"5": 2, "10": 3, "15": 4, "90": 4, "150": 5, "1800": 5, "3600": 6, "+Inf": 7} {
		if got := found[`one_ft_error_to_running_seconds_bucket{kind="host",le="`+bound+`"}`]; got != want {
			t.Errorf("%s: %g, want %g", bound, got, want)
		}
	}
	if sum, n := found[`one_ft_error_to_running_seconds_sum{kind="host"}`], found[`one_ft_error_to_running_seconds_count{kind="host"}`]; sum != 7375.01 || n != 7 {
		t.Errorf("%g in %g", sum, n)
	}
	if n := found[`one_ft_error_to_running_seconds_bucket{kind="VM",le="10"}`]; n != 1 {
		t.Errorf("%g VMs", n)
	}
}

// Counters of one-ft without the histogram go on.
func TestOlderState(t *testing.T) {
	dir := t.TempDir()
	stateFile, promFile := filepath.Join(dir, "metrics.json"), filepath.Join(dir, "one.prom")
	const older = `{"version":1,"incidents":{"host":{"done":4}},"vms":{"recreate":{"done":40}},"step_seconds":{"act":2.5},"step_count":{"act":4},"storm_holds":1,"last_incident":{"host":1.7e9}}`
	if err := os.WriteFile(stateFile, []byte(older), 0o640); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and the counters that it writes itself
		if err := Add(t.Context(), stateFile, promFile, restarted(ended("host", incident.Done, 9)), at(10)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(promFile)
	if err != nil {
		t.Fatal(err)
	}
	found := samples(t, string(text))
	if done, ran := found[`one_ft_incidents_total{kind="host",status="done"}`], found[`one_ft_error_to_running_seconds_count{kind="host"}`]; done != 6 || ran != 2 {
		t.Errorf("%g incidents, %g VMs ran", done, ran)
	}
}
