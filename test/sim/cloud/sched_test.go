package cloud

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

func TestSchedulerFillsHosts(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.Hosts[0].State = one.HostError
			cfg.Hosts[1].State = one.HostDisabled
			cfg.Hosts[2].CPU, cfg.Hosts[3].CPU = 200, 300
			for id := range 6 {
				cfg.VMs = append(cfg.VMs, VM{ID: id, State: one.Pending, CPU: 1, MemMB: 100})
			}
		})
		pass(3 * time.Second)
		var placed []string
		for _, v := range c.VMs() {
			at := "nowhere"
			if v.last() != nil {
				at = fmt.Sprint(v.last().HostID)
			}
			placed = append(placed, at)
		}
		// Most free CPU first: 3 (300), then 2 and 3 in turn; the sixth fits nowhere.
		if got := strings.Join(placed, " "); got != "3 2 3 2 3 nowhere" {
			t.Errorf("placed on %s", got)
		}
		v, _ := c.VM(5)
		want := map[string]string{
			"4.4":  " : No host meets SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES)",
			"4.14": " : No host meets capacity and SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES)",
			"5.8":  " : No host meets capacity and SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES)",
			"5.4":  " : No host meets capacity and SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES)",
			"5.12": " : No host meets capacity and SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)",
			"5.10": " : No host meets capacity and SCHED_REQUIREMENTS: !(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)",
			"6.4": ": Cannot dispatch VM: No host meets capacity and SCHED_REQUIREMENTS: " +
				"!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)",
			"6.10": ": Cannot dispatch VM: No host meets capacity and SCHED_REQUIREMENTS: " +
				"!(PUBLIC_CLOUD = YES) & !(PIN_POLICY = PINNED)",
			"7.4": ": Cannot dispatch VM: No host meets SCHED_REQUIREMENTS",
		}[version]
		if msg := v.UserTemplate["SCHED_MESSAGE"]; v.State != one.Pending || !strings.HasSuffix(msg, want) {
			t.Errorf("%s with %q", v.state(), msg)
		}
		if !from(version, "5.4") {
			must(t, c, "one.vm.action", "delete", 0)
		} else {
			must(t, c, "one.vm.recover", 0, 3)
		}
		pass(3 * time.Second)
		wantState(t, c, 5, "RUNNING")
		if v, _ := c.VM(5); v.UserTemplate["SCHED_MESSAGE"] != "" {
			t.Error("the message stays")
		}
	})
}

// Without a scheduler a VM waits, and nothing says why.
func TestSchedulerThatDoesNotRun(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) { cfg.VMs = []VM{{State: one.Pending}} })
		c.SetScheduler(false)
		pass(time.Hour)
		if v, _ := c.VM(0); v.State != one.Pending || v.UserTemplate["SCHED_MESSAGE"] != "" {
			t.Errorf("%s with %q", v.state(), v.UserTemplate["SCHED_MESSAGE"])
		}
		c.SetScheduler(true)
		pass(3 * time.Second)
		wantState(t, c, 0, "RUNNING")
	})
}

func TestRequirements(t *testing.T) {
	for text, want := range map[string]string{
		`NAME = "host03"`:             "host03",
		`ID = 1`:                      "host02",
		`ID != 0`:                     "host02",
		`ID != 0 & ID != 1`:           "host03",
		`(NAME != "host01") & ID = 3`: "host04",
		`HYPERVISOR = "kvm"`:          "host01",
		``:                            "host01",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, "7.4", func(cfg *Config) {
				cfg.VMs = []VM{{ID: 1, State: one.Pending, Requirements: text}}
			})
			pass(3 * time.Second)
			v, _ := c.VM(1)
			if v.last() == nil || c.Hosts()[v.last().HostID].Name != want || v.Requirements != text {
				t.Errorf("%q: %+v, want %s", text, v, want)
			}
		})
	}
}

func TestResched(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := deadHost(t, version, vmIn(t, 1, 0, "UNKNOWN"), vmIn(t, 2, 0, "POWEROFF"), vmIn(t, 3, 0, "SUSPENDED"),
			runningOn(4, 1))
		for id, want := range map[int]bool{1: from(version, "4.14"), 2: from(version, "5.10"), 3: false, 4: true} {
			if g, err := try(c, "one.vm.action", "resched", id); err != nil || g.ok() != want {
				t.Errorf("resched of VM %d: %v %v", id, g, err)
			}
		}
		if !strings.Contains(c.VMXML(4), "<RESCHED>1</RESCHED>") {
			t.Error("no flag")
		}
		pass(3 * time.Second)
		moved := map[int]string{4: "RUNNING"}
		if from(version, "4.14") {
			moved[1] = "RUNNING"
		}
		if from(version, "5.10") {
			moved[2] = "POWEROFF"
		}
		for id, want := range moved {
			wantState(t, c, id, want)
			if v, _ := c.VM(id); v.last().HostID == 0 || len(v.History) != 2 || v.Resched {
				t.Errorf("VM %d: %+v", id, v)
			}
		}
	})
}

func TestReschedTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "5.10", func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
		must(t, c, "one.vm.action", "resched", 1)
		must(t, c, "one.vm.action", "unresched", 1)
		pass(time.Minute)
		if v, _ := c.VM(1); len(v.History) != 1 {
			t.Errorf("it moved: %+v", v.History)
		}
	})
}

func TestMoveWithoutSharedDatastore(t *testing.T) {
	for from, want := range map[string]string{
		"UNKNOWN": "PROLOG_MIGRATE_UNKNOWN_FAILURE", "POWEROFF": "PROLOG_MIGRATE_POWEROFF_FAILURE",
		"SUSPENDED": "PROLOG_MIGRATE_SUSPEND_FAILURE",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, "6.10", func(cfg *Config) {
				cfg.Hosts[0].State = one.HostError
				cfg.Datastores = []Datastore{{ID: 0, Name: "system", Type: 1}}
				cfg.VMs = []VM{vmIn(t, 1, 0, from)}
			})
			must(t, c, "one.vm.migrate", 1, 2, false)
			pass(3 * time.Second)
			wantState(t, c, 1, want)
			// Recover failure: back where it came from.
			must(t, c, "one.vm.recover", 1, 0)
			pass(time.Second)
			v, _ := c.VM(1)
			back := map[string]string{"UNKNOWN": "BOOT_FAILURE", "POWEROFF": "POWEROFF", "SUSPENDED": "SUSPENDED"}[from]
			if v.state().String() != back || v.last().HostID != 0 || len(v.History) != 3 {
				t.Errorf("%s in %+v, want %s", v.state(), v.History, back)
			}
		})
	}
}

// BenchmarkLargeCloud is what a call costs in a cloud of 100 hosts and 10,000 VMs.
func BenchmarkLargeCloud(b *testing.B) {
	const hosts, vms = 100, 10000
	cfg := Config{Version: "6.10.0"}
	for id := range hosts {
		cfg.Hosts = append(cfg.Hosts, Host{ID: id, Name: fmt.Sprintf("node%03d", id), CPU: 6400, MemMB: 1 << 20})
	}
	for id := range vms {
		v := runningOn(id, id%hosts)
		v.CPU = 0.1
		cfg.VMs = append(cfg.VMs, v)
	}
	c, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	i := 0
	for b.Loop() {
		must(b, c, "one.host.info", i%hosts)
		must(b, c, "one.vm.info", i%vms)
		i++
	}
}
