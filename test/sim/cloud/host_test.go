package cloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// eachVersion runs a test in a synctest bubble for each family.
func eachVersion(t *testing.T, f func(t *testing.T, version string)) {
	for _, version := range families() {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, version) })
		})
	}
}

// old reports whether a version is 4.4 or 5.10, which poll hosts.
func old(version string) bool { return !from(version, "5.12") }

func TestFailingHost(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.MonitorInterval = 10 * time.Second
			cfg.VMs = []VM{runningOn(1, 0), vmIn(t, 2, 0, "SUSPENDED"), vmIn(t, 3, 0, "BOOT"), runningOn(4, 1)}
		})
		var seen []string
		c.OnHostState(func(e HostEvent) {
			seen = append(seen, fmt.Sprint(e.Host.ID, " ", int(e.Prev), ">", int(e.State)))
		})
		if err := c.FailHost(0); err != nil {
			t.Fatal(err)
		}
		pass(9 * time.Second)
		if h, _ := c.Host(0); h.State != one.HostMonitored {
			t.Fatalf("state %s before the first cycle", h.State)
		}
		wantState(t, c, 1, "RUNNING")
		untilError := time.Second
		if old(version) {
			untilError += time.Second // the probe times out
		}
		pass(untilError + lostDelay/2)
		wantState(t, c, 1, "RUNNING")
		pass(lostDelay)
		wantState(t, c, 1, "UNKNOWN")
		wantState(t, c, 2, "SUSPENDED")
		wantState(t, c, 3, "BOOT")
		wantState(t, c, 4, "RUNNING")
		pass(20 * time.Second)
		want := []string{"0 2>3"}
		if old(version) {
			want = []string{"0 2>1", "0 1>3", "0 3>5", "0 5>3", "0 3>5", "0 5>3"}
		}
		if !slices.Equal(seen, want) {
			t.Errorf("states went %v, want %v", seen, want)
		}
		if text := c.HostXML(0); !strings.Contains(text, " : Error monitoring Host host01 (0): ") {
			t.Errorf("no ERROR in %s", text)
		}
	})
}

func TestHealedHost(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.MonitorInterval = 10 * time.Second
			cfg.VMs = []VM{runningOn(1, 0), runningOn(2, 0), runningOn(3, 0)}
		})
		if err := c.FailHost(0); err != nil {
			t.Fatal(err)
		}
		pass(12 * time.Second)
		if g, err := recreate(c, 1); err != nil || !g.ok() {
			t.Fatal(g, err)
		}
		if err := c.StopGuest(0, 3); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		wantState(t, c, 1, "RUNNING")
		if err := c.HealHost(0); err != nil {
			t.Fatal(err)
		}
		pass(11 * time.Second)
		h, _ := c.Host(0)
		if h.State != one.HostMonitored {
			t.Fatalf("state %s", h.State)
		}
		wantState(t, c, 2, "RUNNING")
		zombies, lost := "<ZOMBIES><![CDATA[1]]>", "POWEROFF"
		if old(version) {
			zombies, lost = "<ZOMBIES><![CDATA[one-1]]>", "UNKNOWN"
		}
		wantState(t, c, 3, lost)
		text := c.HostXML(0)
		if !strings.Contains(text, zombies) || strings.Contains(text, "<ERROR>") {
			t.Errorf("host %s", text)
		}
		if !slices.Equal(c.Guests(0), []int{1, 2}) {
			t.Errorf("guests %v", c.Guests(0))
		}
		if err := c.StopGuest(0, 1); err != nil {
			t.Fatal(err)
		}
		if text := c.HostXML(0); strings.Contains(text, "ZOMBIES") {
			t.Errorf("zombies after they were stopped: %s", text)
		}
	})
}

func TestDisabledHostNeverFails(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) { cfg.MonitorInterval = 10 * time.Second })
		if err := c.SetHostState(2, one.HostDisabled); err != nil {
			t.Fatal(err)
		}
		c.OnHostState(func(e HostEvent) {
			if e.State == one.HostError {
				t.Errorf("host went to ERROR from %s", e.Prev)
			}
		})
		if err := c.FailHost(2); err != nil {
			t.Fatal(err)
		}
		pass(40 * time.Second)
		if err := c.SetHostState(2, one.HostOffline); err != nil {
			t.Fatal(err)
		}
		pass(40 * time.Second)
		if h, _ := c.Host(2); h.State != one.HostOffline {
			t.Errorf("state %s, want OFFLINE", h.State)
		}
	})
}

func TestEnabledHostIsMonitored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "5.10", func(cfg *Config) { cfg.MonitorInterval = 10 * time.Second })
		for status, want := range []one.HostState{one.HostInit, one.HostDisabled, one.HostOffline} {
			must(t, c, "one.host.status", 1, status)
			if h, _ := c.Host(1); h.State != want {
				t.Errorf("status %d makes %s, want %s", status, h.State, want)
			}
		}
		must(t, c, "one.host.status", 1, 0)
		pass(11 * time.Second)
		if h, _ := c.Host(1); h.State != one.HostMonitored {
			t.Errorf("state %s after a cycle", h.State)
		}
	})
}

func TestPowerOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "4.4", func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
		if err := c.PowerOff(0); err != nil {
			t.Fatal(err)
		}
		if len(c.Guests(0)) != 0 || !slices.Equal(c.Guests(9), nil) {
			t.Error("a host without power has guests")
		}
		pass(2 * time.Minute)
		if err := c.HealHost(0); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		wantState(t, c, 1, "UNKNOWN")
	})
}

func TestNoSuchHost(t *testing.T) {
	c := newCloud(t, "", nil)
	for name, err := range map[string]error{
		"FailHost": c.FailHost(9), "HealHost": c.HealHost(9), "PowerOff": c.PowerOff(9),
		"SetHostState": c.SetHostState(9, one.HostDisabled), "StopGuest": c.StopGuest(9, 1),
	} {
		if err == nil {
			t.Errorf("%s knows host 9", name)
		}
	}
	if c.HostXML(9) != "" || c.VMXML(9) != "" {
		t.Error("bodies of objects that do not exist")
	}
}

func TestHostThatBeginsInError(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.Hosts[1].State = one.HostError
			unknown := vmIn(t, 5, 1, "UNKNOWN")
			cfg.VMs = []VM{unknown}
		})
		if !slices.Equal(c.Guests(1), []int{5}) {
			t.Errorf("guests %v", c.Guests(1))
		}
		if err := c.HealHost(1); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		wantState(t, c, 5, "RUNNING")
	})
}
