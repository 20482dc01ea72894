package drill_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/drill"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// dying is the host that dies in all clouds.
const dying = 1

// randomCloud draws a cloud of a few hosts that are nearly full, and VMs in the states that a host has.
func randomCloud(rt *rapid.T) cloud.Config {
	cfg := cloud.Config{
		Version: rapid.SampledFrom(versions()).Draw(rt, "version"), MonitorInterval: 10 * time.Second, Step: 10 * time.Millisecond,
		SchedInterval: time.Hour,
	}
	hosts := rapid.IntRange(2, 6).Draw(rt, "hosts")
	for id := range hosts {
		h := cloud.Host{
			ID: id, Name: fmt.Sprintf("node%d", id), CPU: 100 * rapid.IntRange(1, 8).Draw(rt, "cpu"),
			MemMB: 512 * rapid.IntRange(1, 16).Draw(rt, "memory"), State: one.HostMonitored,
		}
		if strings.HasPrefix(cfg.Version, "4.4") {
			h.Cluster = -1 // where its datastore is, which only later versions have in all clusters
		}
		if id != dying && rapid.IntRange(0, 9).Draw(rt, "off") == 0 {
			h.State = rapid.SampledFrom([]one.HostState{one.HostDisabled, one.HostOffline, one.HostError}).Draw(rt, "state")
		}
		cfg.Hosts = append(cfg.Hosts, h)
	}
	states := []cloud.VM{
		{State: one.Active, LCM: one.Running}, {State: one.Active, LCM: one.Running}, {State: one.Active, LCM: one.Running},
		{State: one.Active, LCM: one.Unknown}, {State: one.Poweroff}, {State: one.Suspended},
		{State: one.Active, LCM: one.BootFailure}, {State: one.Active, LCM: one.Epilog},
	}
	if strings.HasPrefix(cfg.Version, "4.4") {
		states = states[:6] // failures are FAILED there, and not on the host
	}
	for id := range rapid.IntRange(1, 14).Draw(rt, "vms") {
		v := rapid.SampledFrom(states).Draw(rt, "state")
		v.ID = id
		at := dying
		if rapid.Bool().Draw(rt, "elsewhere") {
			at = rapid.IntRange(0, hosts-1).Draw(rt, "at")
		}
		v.History = []cloud.Record{{HostID: at, STime: 1, PSTime: 1, PETime: 2, RSTime: 2}}
		v.CPU = float64(rapid.IntRange(1, 30).Draw(rt, "share")) / 10
		v.MemMB = 128 * rapid.IntRange(1, 24).Draw(rt, "size")
		v.Requirements = randomRequirements(rt, hosts)
		v.UserTemplate = map[string]string{"FT_PRIORITY": fmt.Sprint(rapid.IntRange(40, 60).Draw(rt, "priority"))}
		if rapid.IntRange(0, 9).Draw(rt, "none") == 0 {
			v.UserTemplate["FT_ACTION"] = "none"
		}
		cfg.VMs = append(cfg.VMs, v)
	}
	return cfg
}

// randomRequirements draws what the simulated scheduler understands.
func randomRequirements(rt *rapid.T, hosts int) string {
	var terms []string
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(rt, "terms") {
		id := rapid.IntRange(0, hosts).Draw(rt, "term")
		terms = append(terms, rapid.SampledFrom([]string{
			fmt.Sprintf("ID = %d", id), fmt.Sprintf("ID != %d", id), fmt.Sprintf("(ID!=%d)", id),
			fmt.Sprintf("NAME = \"node%d\"", id), fmt.Sprintf("NAME != \"node%d\"", id),
		}).Draw(rt, "as"))
	}
	return strings.Join(terms, " & ")
}

// fail lets the host die, and waits until oned has seen it.
func (w *world) fail(t *testing.T) {
	t.Helper()
	if err := w.cloud.PowerOff(dying); err != nil {
		t.Fatal(err)
	}
	time.Sleep(25 * time.Second)
}

// where are the VMs of a plan that were to be placed: the host, or -1 for those that wait.
func (w *world) where(places map[int]int) map[int]int {
	at := map[int]int{}
	for id := range places {
		v, _ := w.cloud.VM(id)
		at[id] = v.History[len(v.History)-1].HostID
		if at[id] == dying || v.State == one.Pending {
			at[id] = -1
		}
	}
	return at
}

// TestAgrees: all VMs wait when the scheduler looks, so its strategy is ByID and FreeCPU: each
// VM is where Place says. Where the verdict is Fits none waits, where it is DoesNotFit one
// does, and each VM that Fits runs and each that DoesNotFit waits.
func TestAgrees(t *testing.T) {
	seen := map[drill.Verdict]int{}
	rapid.Check(t, func(rt *rapid.T) {
		cfg := randomCloud(rt)
		policy := recovery.Policy{Idle: rapid.Bool().Draw(rt, "idle"), Mode: rapid.SampledFrom([]recovery.Mode{recovery.Recreate, recovery.Recreate, recovery.Migrate}).Draw(rt, "mode")}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, cfg)
			c := w.read(t)
			plan := c.Plan(dying, w.dialect, policy, false)
			report, err := drill.Drill(c, dying, plan, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.Place(dying, plan, drill.Strategy{Order: drill.ByID, Rank: drill.FreeCPU})
			if err != nil {
				t.Fatal(err)
			}
			w.fail(t)
			w.carryOut(t, plan, 0)
			time.Sleep(2 * time.Hour)
			got := w.where(want)
			if !maps.Equal(got, want) {
				rt.Errorf("placed %v, drilled %v\n%s", got, want, strings.Join(report.Problems(), "\n"))
			}
			if problem := disagreement(report, got); problem != "" {
				rt.Error(problem)
			}
			seen[report.Verdict]++
		})
	})
	if seen[drill.Fits] == 0 || seen[drill.DoesNotFit] == 0 {
		t.Errorf("the clouds are no test: %v", seen)
	}
}

// disagreement says what of a report is not what happened.
func disagreement(r drill.Report, at map[int]int) string {
	waiting := 0
	for _, host := range at {
		if host < 0 {
			waiting++
		}
	}
	switch {
	case r.Verdict <= drill.Fits && waiting > 0:
		return fmt.Sprintf("the verdict is %s and %d VMs wait", r.Verdict, waiting)
	case r.Verdict == drill.DoesNotFit && waiting == 0:
		return "the verdict is that it does not fit, and all VMs run"
	}
	for _, v := range r.VMs {
		host, placed := at[v.VM]
		switch {
		case placed == (v.Capacity.Verdict == drill.NoNeed):
			return fmt.Sprintf("VM %d has the verdict %s", v.VM, v.Capacity.Verdict)
		case placed && v.Capacity.Verdict == drill.Fits && host < 0, placed && v.Capacity.Verdict == drill.DoesNotFit && host >= 0:
			return fmt.Sprintf("VM %d %s and is on host %d", v.VM, v.Capacity.Verdict, host)
		}
	}
	return ""
}

// TestCertain: whenever the scheduler looks while VMs are recovered one by one, those that
// no single host has room for, or whose requirements none meets, wait for good; and the
// survey has the same verdict as the drill of the host.
func TestCertain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := randomCloud(rt)
		cfg.SchedInterval = time.Duration(rapid.IntRange(20, 3000).Draw(rt, "interval")) * time.Millisecond
		pause := time.Duration(rapid.IntRange(0, 500).Draw(rt, "pause")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, cfg)
			c := w.read(t)
			policy := recovery.Policy{Mode: recovery.Recreate}
			plan := c.Plan(dying, w.dialect, policy, false)
			report, err := drill.Drill(c, dying, plan, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			survey := drill.All(c, "the cloud", drill.WholeCloud, func(host int) recovery.Plan { return c.Plan(host, w.dialect, policy, false) }, nil)
			for _, l := range survey.Losses {
				if l.HostID == dying && l.Verdict != report.Verdict {
					rt.Errorf("the survey says %s, the drill %s", l.Verdict, report.Verdict)
				}
			}
			w.fail(t)
			w.carryOut(t, plan, pause)
			time.Sleep(time.Minute)
			for _, v := range report.VMs {
				now, _ := w.cloud.VM(v.VM)
				certain := v.Capacity.Verdict == drill.DoesNotFit && !strings.HasPrefix(v.Capacity.Reason, "the other VMs")
				if certain && now.State != one.Pending {
					rt.Errorf("VM %d runs: %s", v.VM, v.Capacity.Reason)
				}
				if report.Verdict == drill.NoNeed && now.State == one.Pending {
					rt.Errorf("VM %d waits, and none needs a host", v.VM)
				}
			}
		})
	})
}
