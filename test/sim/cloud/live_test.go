package cloud

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// What OpenNebula 6.10.5 did with its own drivers, real ssh, libvirt and QEMU (test/README.md, "What real drivers do"): with a share of
// actions that never end of all and of none.

// What is begun on a host that is dead never ends where the thread of the driver dies, or falls back when ssh gives up.
func TestActionsBegunOnADeadHost(t *testing.T) {
	for _, tc := range []struct{ state, call, at, back string }{
		{"RUNNING", "suspend", "SAVE_SUSPEND", "RUNNING"},
		{"RUNNING", "terminate", "SHUTDOWN", "RUNNING"},
		{"RUNNING", "poweroff", "SHUTDOWN_POWEROFF", "RUNNING"},
		{"POWEROFF", "resume", "BOOT_POWEROFF", "POWEROFF"},
		{"SUSPENDED", "resume", "BOOT_SUSPENDED", "SUSPENDED"},
	} {
		for share, want := range map[float64]string{1: tc.at, NoHang: tc.back} {
			synctest.Test(t, func(t *testing.T) {
				c := networked(t, "6.10", Local, []VM{vmIn(t, 1, 0, tc.state)}, func(cfg *Config) { cfg.CleanUpsHang = share })
				if err := c.PowerOff(0); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				if err := c.Ask(tc.call, 1); err != nil {
					t.Fatal(err)
				}
				pass(10 * time.Second) // 3 s of them for ssh; ERROR comes later
				wantState(t, c, 1, want)
			})
		}
	}
}

// A command that was connected when its host died fails, and oned is told.
func TestActionsUnderWhichTheHostDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := networked(t, "6.10", Local, []VM{vmIn(t, 1, 0, "RUNNING")}, func(cfg *Config) { cfg.CleanUpsHang, cfg.MonitorInterval = 1, time.Minute })
		if err := c.Ask("terminate", 1); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		if err := c.PowerOff(0); err != nil {
			t.Fatal(err)
		}
		if got := until(t, time.Now(), isIn(c, 1, "RUNNING")); !near(got, 40*time.Second) {
			t.Errorf("RUNNING after %s", got)
		}
	})
}

// A cold migration to a dead host gets as far as booting there when the datastore is shared: nothing is to be moved.
func TestColdMigrationToADeadHost(t *testing.T) {
	for shared, want := range map[bool]string{true: "BOOT_MIGRATE_FAILURE", false: "PROLOG_MIGRATE_FAILURE"} {
		synctest.Test(t, func(t *testing.T) {
			c := networked(t, "6.10", Local, []VM{runningOn(1, 1)}, func(cfg *Config) {
				cfg.Datastores = []Datastore{{ID: 0, Name: "system", Type: 1, Shared: shared}}
			})
			if err := c.PowerOff(0); err != nil {
				t.Fatal(err)
			}
			must(t, c, "one.vm.migrate", 1, 0, false, false, 0, 0)
			pass(10 * time.Second)
			wantState(t, c, 1, want)
		})
	}
}

// A live migration to a host that is dead, or dies: the script on the source finds out by and by, and the VM is RUNNING there again.
func TestLiveMigrationToADeadHost(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // of the death behind the begin
		back  time.Duration // of the host behind its death
		want  time.Duration // from the death, or the begin when that is later
	}{
		"begun after the death": {-time.Second, 0, 9 * time.Second},
		"dies while it arrives": {100 * time.Millisecond, 0, 932 * time.Second},
		"is back":               {100 * time.Millisecond, 3 * time.Minute, 4 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := networked(t, "6.10", Local, []VM{runningOn(1, 1)}, func(cfg *Config) { cfg.CleanUpsHang = 1 })
			die := func() {
				if err := c.PowerOff(0); err != nil {
					t.Fatal(err)
				}
			}
			if tc.after < 0 {
				die()
				pass(-tc.after)
			}
			if err := c.MigrateLive(1, 0); err != nil {
				t.Fatal(err)
			}
			if tc.after > 0 {
				pass(tc.after)
				die()
			}
			begun := time.Now()
			if tc.back > 0 {
				pass(tc.back)
				if err := c.HealHost(0); err != nil {
					t.Fatal(err)
				}
			}
			got := until(t, begun, isIn(c, 1, "RUNNING"))
			if v, _ := c.VM(1); !near(got, tc.want) || v.last().HostID != 1 || !slices.Equal(c.Guests(1), []int{1}) || len(c.Guests(0)) > 0 {
				t.Errorf("%s: RUNNING on host %d after %s, guests %v and %v", name, v.last().HostID, got, c.Guests(0), c.Guests(1))
			}
		})
	}
}

// The script of a live migration that oned has given up goes on: when it fails it destroys the guest of that name where it was to
// arrive, although that may be one that has been started there meanwhile.
func TestLiveMigrationThatFailsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := networked(t, "6.10", Local, []VM{runningOn(1, 1)})
		if err := c.MigrateLive(1, 0); err != nil {
			t.Fatal(err)
		}
		pass(100 * time.Millisecond)
		if err := c.PowerOff(0); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		must(t, c, "one.vm.recover", 1, 0)
		pass(time.Second)
		wantState(t, c, 1, "RUNNING")
		if err := c.HealHost(0); err != nil {
			t.Fatal(err)
		}
		must(t, c, "one.vm.migrate", 1, 0, false, false, 0, 0)
		pass(30 * time.Second)
		wantState(t, c, 1, "RUNNING")
		if v, _ := c.VM(1); v.last().HostID != 0 {
			t.Fatal("it is not on the host that is back")
		}
		pass(time.Minute)
		if !slices.Equal(kinds(c), []HarmKind{GuestEnded}) || len(c.Guests(0)) > 0 {
			t.Errorf("harm %v, guests %v", c.Harms(), c.Guests(0))
		}
	})
}

// What the first monitoring of a host that is back says of guests that are missing: what was to be ended is, also where the driver is
// stuck; what was to run is POWEROFF. Everything else stays, for ever.
func TestMissingWhenTheHostIsBack(t *testing.T) {
	for state, want := range map[string]string{
		"RUNNING": "POWEROFF", "UNKNOWN": "POWEROFF", "SHUTDOWN": "DONE", "SHUTDOWN_POWEROFF": "POWEROFF", "SHUTDOWN_UNDEPLOY": "UNDEPLOYED",
		"SAVE_SUSPEND": "SAVE_SUSPEND", "BOOT_POWEROFF": "BOOT_POWEROFF", "BOOT_MIGRATE": "BOOT_MIGRATE",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := networked(t, "6.10", Local, []VM{vmIn(t, 1, 0, state)})
			if err := c.PowerOff(0); err != nil {
				t.Fatal(err)
			}
			pass(5 * time.Second)
			if err := c.HealHost(0); err != nil {
				t.Fatal(err)
			}
			pass(time.Minute)
			if v, _ := c.VM(1); v.State != one.Done || want != "DONE" {
				wantState(t, c, 1, want)
			}
		})
	}
}
