package cloud

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// networked is a cloud with a network in which clean-ups do not hang, with four hosts and vms.
func networked(t *testing.T, version string, n Network, vms []VM, change ...func(*Config)) *Cloud {
	t.Helper()
	return newCloud(t, version, func(cfg *Config) {
		cfg.Network, cfg.CleanUpsHang, cfg.VMs, cfg.MonitorInterval = n, NoHang, vms, 20*time.Second
		for _, f := range change {
			f(cfg)
		}
	})
}

// errorAfter kills a host and waits until oned says ERROR, for an hour at the most.
func errorAfter(t *testing.T, c *Cloud, host int, how Death) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := c.KillHost(host, how); err != nil {
		t.Fatal(err)
	}
	return until(t, begun, func() bool { h, _ := c.Host(host); return h.State == one.HostError })
}

// until waits for something, and tells how long it took since begun; an hour when it never happens.
func until(t *testing.T, begun time.Time, so func() bool) time.Duration {
	t.Helper()
	for !so() && time.Since(begun) < time.Hour {
		pass(100 * time.Millisecond)
	}
	return time.Since(begun).Round(100 * time.Millisecond)
}

// isIn reports whether a VM is in a state.
func isIn(c *Cloud, id int, name string) func() bool {
	return func() bool { v, _ := c.VM(id); return v.state().String() == name }
}

// near reports whether a time is as measured, within a second.
func near(got, want time.Duration) bool { return math.Abs((got - want).Seconds()) <= 1 }

// The times from death to ERROR, with a monitoring interval of 20 s (opennebula.md).
func TestDetection(t *testing.T) {
	for _, tc := range []struct {
		network Network
		death   Death
		want    time.Duration
	}{
		{"", Cut, 20 * time.Second},
		{Local, Cut, 34 * time.Second},
		{Routed, Cut, 290 * time.Second},
		{Routed, Unreachable, 77 * time.Second},
		{Local, Refused, 28 * time.Second},
		{Local, Frozen, time.Hour},
		{"", Frozen, time.Hour},
		{"5 s", Cut, 38 * time.Second}, // 33 to 45 s
		{"5 s", Frozen, 38 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			timeout := time.Duration(0)
			if tc.network == "5 s" {
				tc.network, timeout = Routed, 5*time.Second
			}
			c := networked(t, "6.10", tc.network, []VM{runningOn(1, 0)}, func(cfg *Config) { cfg.ConnectTimeout = timeout })
			if got := errorAfter(t, c, 0, tc.death); !near(got, tc.want) {
				t.Errorf("%s, %s: ERROR after %s, want %s", tc.network, tc.death, got, tc.want)
			}
			if tc.want < time.Hour {
				pass(time.Second)
				wantState(t, c, 1, "UNKNOWN")
			} else if !slices.Equal(c.Guests(0), []int{1}) || !strings.Contains(c.HostXML(0), "<STATE>2</STATE>") {
				t.Errorf("a frozen host: guests %v, %s", c.Guests(0), c.HostXML(0))
			}
		})
	}
}

// The time from a recreate to PENDING of a VM with one disk, which is three commands to the host.
func TestCleanUp(t *testing.T) {
	for name, tc := range map[string]struct {
		network Network
		death   Death
		state   string
		change  func(*Cloud)
		want    time.Duration
	}{
		"no ARP":                {Local, Cut, "RUNNING", nil, 9210 * time.Millisecond},
		"dropped":               {Routed, Cut, "RUNNING", nil, 403500 * time.Millisecond}, // 404 s
		"unreachable":           {Routed, Unreachable, "RUNNING", nil, 7200 * time.Millisecond},
		"refused":               {Local, Refused, "RUNNING", nil, 0},
		"frozen":                {Local, Frozen, "RUNNING", nil, time.Hour},
		"no deploy ID":          {Routed, Cut, "PROLOG_FAILURE", nil, 269 * time.Second},
		"a stale master":        {Routed, Cut, "RUNNING", func(c *Cloud) { _ = c.LeaveMaster(0) }, 443500 * time.Millisecond},
		"a stale master, ended": {Routed, Cut, "RUNNING", func(c *Cloud) { _ = c.LeaveMaster(0); c.EndMaster("host01") }, 403500 * time.Millisecond},
		"fail fast":             {Routed, Cut, "RUNNING", func(c *Cloud) { c.SetFailFast(func(name string) bool { return name == "host01" }) }, 0},
		"ConnectTimeout":        {Routed, Cut, "RUNNING", func(c *Cloud) { c.cfg.ConnectTimeout = 5 * time.Second }, 15 * time.Second},
		"a tenth":               {Routed, Cut, "RUNNING", func(c *Cloud) { c.cfg.Faster = 10 }, 40350 * time.Millisecond},
		"fail fast elsewhere":   {Local, Cut, "RUNNING", func(c *Cloud) { c.SetFailFast(func(name string) bool { return name == "host02" }) }, 9210 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := vmIn(t, 1, 0, tc.state)
				v.Requirements = "ID = 77" // stays PENDING
				c := networked(t, "6.10", tc.network, []VM{v})
				if strings.HasSuffix(tc.state, "_FAILURE") {
					c.vms[1].deployID = ""
				}
				errorAfter(t, c, 0, tc.death)
				if tc.change != nil {
					tc.change(c)
				}
				if _, err := recreate(c, 1); err != nil {
					t.Fatal(err)
				}
				if got := until(t, time.Now(), isIn(c, 1, "PENDING")); !near(got, tc.want) {
					t.Errorf("PENDING after %s, want %s", got, tc.want)
				}
			})
		})
	}
}

// Fifteen clean-ups at a time, for all hosts together; the others wait in line.
func TestThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vms []VM
		for id := range 20 {
			v := runningOn(id, id%2)
			v.Requirements = "ID = 77"
			vms = append(vms, v)
		}
		c := networked(t, "6.10", Local, vms)
		errorAfter(t, c, 0, Cut)
		errorAfter(t, c, 1, Cut)
		for id := range 20 {
			if _, err := recreate(c, id); err != nil {
				t.Fatal(err)
			}
		}
		pending := func() (n int) {
			for _, v := range c.VMs() {
				if v.State == one.Pending {
					n++
				}
			}
			return n
		}
		pass(time.Second)
		if n := len(c.SSHs("host01")) + len(c.SSHs("host02")); n != driverThreads {
			t.Errorf("%d commands at once", n)
		}
		pass(9 * time.Second)
		if n := pending(); n != 15 {
			t.Errorf("%d PENDING after the first round", n)
		}
		pass(10 * time.Second)
		if n := pending(); n != 20 {
			t.Errorf("%d PENDING in the end", n)
		}
	})
}

// The measured share of clean-ups never ends, always the same ones; recover moves them on.
func TestBrokenPipe(t *testing.T) {
	hung := func(seed int, share float64, state string) (list []int) {
		synctest.Test(t, func(t *testing.T) {
			var vms []VM
			for id := range 60 {
				v := vmIn(t, id, 0, state)
				v.Requirements, v.CPU = "ID = 77", 0.1
				vms = append(vms, v)
			}
			c := networked(t, "6.10", Local, vms, func(cfg *Config) { cfg.CleanUpsHang, cfg.Seed = share, seed })
			errorAfter(t, c, 0, Cut)
			for id := range 60 {
				if _, err := recreate(c, id); err != nil {
					t.Fatal(err)
				}
			}
			pass(10 * time.Minute) // the threads are free again: nobody waits for them
			for _, v := range c.VMs() {
				if v.LCM == one.CleanupResubmit {
					list = append(list, v.ID)
				}
			}
			if len(list) > 0 {
				must(t, c, "one.vm.recover", list[0], 2)
				pass(time.Minute)
				wantState(t, c, list[0], "CLEANUP_RESUBMIT")
				must(t, c, "one.vm.recover", list[0], 1)
				pass(time.Second)
				wantState(t, c, list[0], "PENDING")
			}
		})
		return list
	}
	measured := hung(1, 0, "RUNNING")
	if n := len(measured); n < 42 || n > 57 {
		t.Errorf("%d of 60 hang, want about 50", n)
	}
	if !slices.Equal(measured, hung(1, 0, "RUNNING")) || slices.Equal(measured, hung(2, 0, "RUNNING")) {
		t.Error("the seed does not decide which")
	}
	if n := len(hung(1, NoHang, "RUNNING")); n > 0 {
		t.Errorf("%d hang with NoHang", n)
	}
	if n := len(hung(1, 1, "RUNNING")); n != 60 {
		t.Errorf("%d of 60 hang when all do", n)
	}
	if n := len(hung(1, 1, "PROLOG_FAILURE")); n > 0 {
		t.Errorf("%d without a cancel hang", n)
	}
}

// Before 5.4 a thread that dies takes its host with it: nothing else is done on that host, also when it lives
// again, until oned is restarted.
func TestLostThreads(t *testing.T) {
	for version, want := range map[string]string{"4.4.1": "BOOT", "5.2.1": "BOOT", "5.4.15": "RUNNING", "6.10.0": "RUNNING"} {
		synctest.Test(t, func(t *testing.T) {
			c := networked(t, version, Local, []VM{runningOn(1, 0), vmIn(t, 2, 1, "PENDING")}, func(cfg *Config) { cfg.CleanUpsHang = 1 })
			for _, v := range c.vms {
				v.UserTemplate[schedRequirements] = "ID = 77"
			}
			errorAfter(t, c, 0, Cut)
			if err := c.PowerOff(0); err != nil {
				t.Fatal(err)
			}
			if _, err := recreate(c, 1); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
			wantState(t, c, 1, "CLEANUP_RESUBMIT")
			if err := c.HealHost(0); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
			must(t, c, "one.vm.deploy", 2, 0)
			pass(time.Hour)
			wantState(t, c, 2, want)
		})
	}
}

// EndSSH ends what connects now: each clean-up goes on with its next command.
func TestEndSSH(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := runningOn(1, 0)
		v.Requirements = "ID = 77"
		c := networked(t, "6.10", Routed, []VM{v})
		errorAfter(t, c, 0, Cut)
		if _, err := recreate(c, 1); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		for _, want := range []string{"cancel", "delete", "delete"} {
			list := c.SSHs("host01")
			if len(list) != 1 || list[0].Command != want || list[0].VM != 1 || time.Since(list[0].Since) > 2*time.Second {
				t.Fatalf("commands %v, want %s", list, want)
			}
			if want == "cancel" {
				if !c.KillSSH(list[0].ID) || c.KillSSH(list[0].ID) {
					t.Error("a command ends once")
				}
				continue
			}
			if n := c.EndSSH("host01"); n != 1 {
				t.Fatalf("ended %d", n)
			}
		}
		pass(time.Second)
		wantState(t, c, 1, "PENDING")
		if n := c.EndSSH("host01"); n != 0 {
			t.Errorf("ended %d when there are none", n)
		}
	})
}

// A host that is back while its cancel connects is cleaned by oned itself, when the SYN is sent again before
// the command gives up: no guest is left then.
func TestBackDuringCleanUp(t *testing.T) {
	for _, tc := range []struct {
		network    Network
		back, want time.Duration
		guests     []int
	}{
		{Routed, 20 * time.Second, 32 * time.Second, nil}, // sent again after 31 s
		{Local, 2 * time.Second, 4 * time.Second, nil},    // after 3 s
		{Local, 3050 * time.Millisecond, 4 * time.Second, []int{1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := runningOn(1, 0)
			v.Requirements = "ID = 77"
			c := networked(t, "6.10", tc.network, []VM{v})
			errorAfter(t, c, 0, Cut)
			if _, err := recreate(c, 1); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			time.Sleep(tc.back)
			if err := c.HealHost(0); err != nil {
				t.Fatal(err)
			}
			if got := until(t, begun, isIn(c, 1, "PENDING")); !near(got, tc.want) {
				t.Errorf("%s, back after %s: PENDING after %s", tc.network, tc.back, got)
			}
			if !slices.Equal(c.Guests(0), tc.guests) || len(c.Harms()) > 0 {
				t.Errorf("%s, back after %s: guests %v, harm %v", tc.network, tc.back, c.Guests(0), c.Harms())
			}
		})
	}
}

// Drivers end with oned: what they were doing is not begun again.
func TestDriversEndWithOned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var vms []VM
		for id := range 20 {
			vms = append(vms, runningOn(id, 0))
		}
		c := networked(t, "6.10", Local, vms)
		errorAfter(t, c, 0, Cut)
		for id := range 20 {
			if _, err := recreate(c, id); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Second)
		c.SetDown(true)
		if n := len(c.SSHs("")); n != 0 {
			t.Errorf("%d commands without oned", n)
		}
		c.SetDown(false)
		pass(time.Hour)
		wantState(t, c, 0, "CLEANUP_RESUBMIT")
		wantState(t, c, 19, "CLEANUP_RESUBMIT")
		must(t, c, "one.vm.recover", 19, 1)
		pass(time.Minute)
		wantState(t, c, 19, "RUNNING")
	})
}

// A host leaves a persistent connection for 70 s; drivers of 5.10 leave none.
func TestMasters(t *testing.T) {
	for version, want := range map[string][]string{"6.10": {"host01"}, "5.10": nil} {
		synctest.Test(t, func(t *testing.T) {
			v := vmIn(t, 1, 0, "PENDING")
			v.Requirements = "ID = 0"
			c := networked(t, version, Local, []VM{v})
			pass(10 * time.Second)
			wantState(t, c, 1, "RUNNING")
			if got := c.Masters(); !slices.Equal(got, want) {
				t.Errorf("%s: %v", version, got)
			}
			if c.EndMaster("host01") != (want != nil) || c.EndMaster("host01") {
				t.Error("a master ends once")
			}
			_ = c.LeaveMaster(0)
			pass(71 * time.Second)
			if got := c.Masters(); got != nil {
				t.Errorf("%s: %v after %s", version, got, controlPersist)
			}
		})
	}
}

// Work on a host that freezes hangs for ever, and new VMs are placed there. Ending its commands fails them.
func TestFrozenHost(t *testing.T) {
	for _, n := range []Network{"", Local} {
		synctest.Test(t, func(t *testing.T) {
			v := vmIn(t, 1, 1, "PENDING")
			v.Requirements = "ID = 0"
			c := networked(t, "6.10", n, []VM{v})
			if err := c.FreezeHost(0); err != nil {
				t.Fatal(err)
			}
			if err := c.FreezeHost(0); err != nil {
				t.Fatal(err)
			}
			pass(time.Hour)
			wantState(t, c, 1, "PROLOG")
			if n == "" {
				if err := c.HealHost(0); err != nil {
					t.Fatal(err)
				}
				pass(time.Minute)
				wantState(t, c, 1, "RUNNING")
				return
			}
			if err := c.PowerOff(0); err != nil {
				t.Fatal(err)
			}
			pass(time.Hour)
			wantState(t, c, 1, "PROLOG")
			if h, _ := c.Host(0); h.State != one.HostError || len(c.SSHs("host01")) != 1 {
				t.Errorf("a frozen host that is off: %s, %v", h.State, c.SSHs("host01"))
			}
			c.EndSSH("host01")
			pass(time.Second)
			wantState(t, c, 1, "PROLOG_FAILURE")
		})
	}
}

// The network of a host in ERROR is back: its VMs and its monitoring are, its state is not for 600 s.
func TestBackWhileError(t *testing.T) {
	for _, tc := range []struct {
		version string
		off     bool
		want    time.Duration
	}{{"6.10", false, 600 * time.Second}, {"7.4", false, 600 * time.Second}, {"6.10", true, 20 * time.Second}, {"5.10", false, 20 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			c := networked(t, tc.version, Local, []VM{runningOn(1, 0), runningOn(2, 0)}, func(cfg *Config) { cfg.HostMessage = 600 * time.Second })
			errorAfter(t, c, 0, Cut)
			pass(time.Minute)
			if tc.off {
				if err := c.PowerOff(0); err != nil {
					t.Fatal(err)
				}
			}
			must(t, c, "one.vm.recover", 2, 4)
			pass(time.Minute)
			begun := time.Now()
			if err := c.HealHost(0); err != nil {
				t.Fatal(err)
			}
			pass(30 * time.Second)
			if tc.want > time.Minute {
				wantState(t, c, 1, "RUNNING")
				text := c.HostXML(0)
				if !strings.Contains(text, "<STATE>3</STATE>") || !strings.Contains(text, fmt.Sprintf("<TIMESTAMP>%d<", time.Now().Unix()-time.Now().Unix()%20)) {
					t.Errorf("a host that is back: %s", text)
				}
				if !strings.Contains(text, "<ZOMBIES><![CDATA[2]]>") {
					t.Errorf("no zombie: %s", text)
				}
			}
			if got := until(t, begun, func() bool { h, _ := c.Host(0); return h.State == one.HostMonitored }); got < tc.want-time.Second || got > tc.want+11*time.Second {
				t.Errorf("%s: MONITORED after %s, want %s", tc.version, got, tc.want)
			}
		})
	}
}
