package drill_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// TestPlacerStarts: on each version the VMs of a dead host that wait are deployed where Place says,
// the one with the highest priority first, long before the scheduler looks; none on a host that must not
// be used. A second deployment is refused as the wrong state.
func TestPlacerStarts(t *testing.T) {
	for _, version := range versions() {
		synctest.Test(t, func(t *testing.T) {
			cluster := 0
			if version == "4.4.1" {
				cluster = -1
			}
			cfg := cloud.Config{Version: version, MonitorInterval: 10 * time.Second, Step: 10 * time.Millisecond, SchedInterval: 10 * time.Hour}
			for id, cores := range []int{4, 8, 1, 4} {
				cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%d", id), CPU: 100 * cores, MemMB: 8192, Cluster: cluster, State: one.HostMonitored})
			}
			for id := range 5 {
				cfg.VMs = append(cfg.VMs, cloud.VM{ID: id, State: one.Active, LCM: one.Running, CPU: 1, MemMB: 512, History: []cloud.Record{{HostID: dying, STime: 1, PSTime: 1, PETime: 2, RSTime: 2}}})
			}
			cfg.VMs[4].CPU, cfg.VMs[2].Requirements = 4, "CURRENT_VMS != 3"
			w := newWorld(t, cfg)
			plan := w.read(t).Plan(dying, w.dialect, recovery.Policy{Mode: recovery.Recreate}, false)
			w.fail(t)
			w.carryOut(t, plan, 0)
			time.Sleep(time.Minute)

			all, err := drill.Place(t.Context(), w.client, []int{4, 3, 2, 1, 0}, map[int]bool{0: true})
			if err != nil || len(all) != 5 {
				t.Fatalf("%s: %+v, %v", version, all, err)
			}
			want := []int{3, 2, -1, -1, -1} // 4 takes host 3 as a whole, 3 takes host 2
			for i, p := range all {
				if p.Host != want[i] || p.Placed() != (len(p.Left) == 0) {
					t.Errorf("%s: %+v, want host %d", version, p, want[i])
				}
				if !p.Placed() {
					continue
				}
				if err := w.client.Deploy(t.Context(), p.VM, p.Host, p.Datastore); err != nil {
					t.Errorf("%s: %v", version, err)
				}
				if err := w.client.Deploy(t.Context(), p.VM, p.Host, p.Datastore); !errors.Is(err, one.ErrWrongState) {
					t.Errorf("%s: deployed twice: %v", version, err)
				}
			}
			if err := w.client.Deploy(t.Context(), 0, 2, -1); !errors.Is(err, one.ErrWrongState) {
				t.Errorf("%s: more than the host has room for: %v", version, err)
			}
			time.Sleep(time.Minute)
			for vm, at := range map[int]int{4: 3, 3: 2} {
				v, _ := w.cloud.VM(vm)
				if v.LCM != one.Running || v.History[len(v.History)-1].HostID != at {
					t.Errorf("%s: VM %d is %+v", version, vm, v)
				}
			}
		})
	}
}
