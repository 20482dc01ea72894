package cloud

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// kinds are the kinds of all harm so far.
func kinds(c *Cloud) (list []HarmKind) {
	for _, h := range c.Harms() {
		list = append(list, h.Kind)
	}
	return list
}

// A clean-up goes on behind oned's back when recover moves the VM on; what it does when its host
// is reachable again depends on the datastore, and on where the VM is then.
func TestLateCleanUp(t *testing.T) {
	for name, tc := range map[string]struct {
		shared bool
		host   int           // where the VM is deployed again, -1 nowhere
		back   time.Duration // when the old host is reachable again, after the recover
		ended  bool          // its ssh are ended until there is none any more
		want   []HarmKind
		guests []int // on the old host
	}{
		"shared, elsewhere":     {true, 1, time.Minute, false, []HarmKind{DisksDeleted}, nil},
		"shared, still PENDING": {true, -1, time.Minute, false, nil, nil},
		"not shared":            {false, 1, time.Minute, false, nil, nil},
		"too late":              {true, 1, 10 * time.Minute, false, nil, []int{1}},
		"its ssh were ended":    {true, 1, time.Minute, true, nil, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := runningOn(1, 0)
				v.Requirements = "ID = 77"
				c := networked(t, "6.10", Routed, []VM{v}, func(cfg *Config) {
					cfg.Datastores = []Datastore{{ID: 0, Name: "system", Type: 1, Shared: tc.shared}}
				})
				errorAfter(t, c, 0, Cut)
				must(t, c, "one.vm.recover", 1, 4)
				pass(time.Second)
				must(t, c, "one.vm.recover", 1, 1)
				pass(time.Second)
				wantState(t, c, 1, "PENDING")
				if len(c.SSHs("host01")) != 1 {
					t.Fatal("the thread does not go on")
				}
				for tc.ended && c.EndSSH("host01") > 0 {
					pass(10 * time.Millisecond)
				}
				if tc.host >= 0 {
					must(t, c, "one.vm.deploy", 1, tc.host)
					pass(5 * time.Second)
					wantState(t, c, 1, "RUNNING")
				}
				pass(tc.back)
				if err := c.HealHost(0); err != nil {
					t.Fatal(err)
				}
				pass(10 * time.Minute)
				if got := kinds(c); !slices.Equal(got, tc.want) {
					t.Errorf("harm %v, want %v", got, tc.want)
				}
				if !slices.Equal(c.Guests(0), tc.guests) {
					t.Errorf("guests %v, want %v", c.Guests(0), tc.guests)
				}
				if harms := c.Harms(); len(harms) > 0 && (harms[0].Host != tc.host || harms[0].VM != 1) {
					t.Errorf("harm %v", harms)
				}
			})
		})
	}
}

// The cancel of a late clean-up ends whatever is called one-1 on its host.
func TestLateCancelEndsTheNewGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := networked(t, "6.10", Routed, []VM{runningOn(1, 0)})
		errorAfter(t, c, 0, Cut)
		if err := c.PowerOff(0); err != nil {
			t.Fatal(err)
		}
		v := c.vms[1]
		v.UserTemplate[schedRequirements] = "ID = 77"
		must(t, c, "one.vm.recover", 1, 4)
		pass(1500 * time.Millisecond)
		must(t, c, "one.vm.recover", 1, 0)
		if err := c.HealHost(0); err != nil {
			t.Fatal(err)
		}
		// The cancel connects 3 s after it began: before that the VM is there again.
		must(t, c, "one.vm.deploy", 1, 0)
		pass(time.Second)
		wantState(t, c, 1, "BOOT")
		pass(2 * time.Minute)
		if got := kinds(c); !slices.Equal(got, []HarmKind{GuestEnded, DisksDeleted}) {
			t.Errorf("harm %v", got)
		}
		if len(c.Guests(0)) > 0 {
			t.Errorf("guests %v", c.Guests(0))
		}
	})
}

// A VM that is placed where its old guest runs: the prolog overwrites the disk, the boot fails, and then the old
// guest counts as the new one. In 4.4 the VM stays FAILED.
func TestOldGuest(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		v := vmIn(t, 1, 0, "PENDING")
		c := networked(t, version, Local, []VM{v})
		c.hosts[0].guests[1] = true
		c.vms[1].UserTemplate[schedRequirements] = "ID = 0"
		failure, end, harm := "BOOT_FAILURE", "RUNNING", []HarmKind{DiskOverwritten, OldGuest}
		if version == "4.4" {
			failure, end, harm = "FAILED", "FAILED", harm[:1]
		}
		begun := time.Now()
		took := until(t, begun, isIn(c, 1, failure))
		if took > 5*time.Second || !strings.Contains(c.VMXML(1), "domain is already active") {
			t.Errorf("%s after %s: %s", failure, took, c.VMXML(1))
		}
		pass(3 * time.Second)
		wantState(t, c, 1, end)
		if got := kinds(c); !slices.Equal(got, harm) {
			t.Errorf("harm %v, want %v", got, harm)
		}
	})
}

// A disabled host goes on being monitored: one that is disabled in ERROR and comes back stays disabled, and its
// guests are zombies. Since 6.x enabling a disabled host makes it MONITORED at once.
func TestQuarantine(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := networked(t, version, Local, []VM{runningOn(1, 0), runningOn(2, 0)}, func(cfg *Config) { cfg.HostMessage = 600 * time.Second })
		errorAfter(t, c, 0, Cut)
		disable, enable := []any{"one.host.status", 0, 1}, []any{"one.host.status", 0, 0}
		if !from(version, "5.4") {
			disable, enable = []any{"one.host.enable", 0, false}, []any{"one.host.enable", 0, true}
		}
		must(t, c, disable[0].(string), disable[1:]...)
		recreate(c, 1)
		pass(time.Minute)
		if err := c.HealHost(0); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		wantState(t, c, 2, "RUNNING")
		text := c.HostXML(0)
		zombies, fresh := "<ZOMBIES><![CDATA[1]]>", "TIMESTAMP"
		if old(version) {
			zombies, fresh = "<ZOMBIES><![CDATA[one-1]]>", "LAST_MON_TIME"
		}
		if !strings.Contains(text, zombies) || !strings.Contains(text, "<STATE>4</STATE>") {
			t.Errorf("a disabled host that is back: %s", text)
		}
		seen := number(text, fresh)
		// 5.10 keeps the records of good monitorings in one.host.monitoring.
		for _, at := range []int64{seen, number(must(t, c, "one.host.monitoring", 0), fresh)} {
			if age := time.Now().Unix() - at; age > 20 {
				t.Errorf("%s is %d s old", fresh, age)
			}
		}
		if err := c.StopGuest(0, 1); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.HostXML(0), "ZOMBIES") {
			t.Error("the zombie is gone, and is still listed")
		}
		must(t, c, enable[0].(string), enable[1:]...)
		state := one.HostMonitored
		if old(version) {
			state = one.HostInit
		}
		if h, _ := c.Host(0); h.State != state {
			t.Errorf("enabled: %s, want %s", h.State, state)
		}
	})
}

// number is the number in an element.
func number(text, name string) (n int64) {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	for _, r := range rest {
		if r < '0' || r > '9' {
			break
		}
		n = 10*n + int64(r-'0')
	}
	return n
}

// A disabled host that dies never is in ERROR, and its VMs are lost all the same.
func TestDisabledHostLosesItsVMs(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := networked(t, version, Local, []VM{runningOn(1, 0)})
		if err := c.SetHostState(0, one.HostDisabled); err != nil {
			t.Fatal(err)
		}
		if got := errorAfter(t, c, 0, Cut); got < time.Hour {
			t.Errorf("ERROR after %s", got)
		}
		wantState(t, c, 1, "UNKNOWN")
	})
}

// The schedulers as shipped: one VM per host and run. 40 VMs on 4 hosts take 150 s on 6.10.
func TestShippedScheduler(t *testing.T) {
	for version, want := range map[string]time.Duration{"4.4": 300 * time.Second, "5.10": 300 * time.Second, "6.10": 150 * time.Second, "7.4": 100 * time.Second} {
		t.Run(version, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var vms []VM
				for id := range 40 {
					v := vmIn(t, id, 0, "PENDING")
					v.CPU, v.MemMB = 0.1, 64
					vms = append(vms, v)
				}
				c := networked(t, version, Local, vms, func(cfg *Config) { cfg.ShippedScheduler = true })
				begun := time.Now()
				got := until(t, begun, func() bool {
					for _, v := range c.VMs() {
						if v.State == one.Pending {
							return false
						}
					}
					return true
				})
				if !near(got, want) {
					t.Errorf("all placed after %s, want %s", got, want)
				}
			})
		})
	}
}

// The scheduler says why a VM waits only after a while.
func TestLateWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := vmIn(t, 1, 0, "PENDING")
		v.Requirements = "ID = 77"
		c := networked(t, "7.4", Local, []VM{v}, func(cfg *Config) { cfg.SchedWord = 5 * time.Second })
		c.vms[1].waiting = time.Now()
		got := until(t, time.Now(), func() bool { return strings.Contains(c.VMXML(1), "No host meets") })
		if !near(got, 5*time.Second) {
			t.Errorf("the word came after %s", got)
		}
	})
}
