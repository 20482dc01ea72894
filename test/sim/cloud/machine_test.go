package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// path records the states that a VM goes through.
func path(c *Cloud, id int) *[]string {
	var names []string
	c.OnVMState(func(e VMEvent) {
		if e.VM.ID == id {
			names = append(names, e.VM.state().String())
		}
	})
	return &names
}

// deadHost is a cloud whose host 0 is in ERROR, with some VMs.
func deadHost(t *testing.T, version string, vms ...VM) *Cloud {
	return newCloud(t, version, func(cfg *Config) {
		cfg.Hosts[0].State = one.HostError
		cfg.VMs = vms
		cfg.MonitorInterval = time.Hour
	})
}

func TestRecreate(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := deadHost(t, version, vmIn(t, 1, 0, "UNKNOWN"))
		went := path(c, 1)
		if g, err := recreate(c, 1); err != nil || !g.ok() || g.text() != "1" {
			t.Fatal(g, err)
		}
		if !from(version, "5.4") {
			wantState(t, c, 1, "CLEANUP_RESUBMIT")
		} else {
			wantState(t, c, 1, "UNKNOWN")
		}
		pass(recreateTime)
		wantState(t, c, 1, "CLEANUP_RESUBMIT")
		if strings.Contains(c.HostXML(0), "<VMS><ID>1") {
			t.Error("the VM is still on its host's list")
		}
		if v, _ := c.VM(1); v.last().HostID != 0 || len(v.History) != 1 {
			t.Errorf("history %+v", v.History)
		}
		pass(5 * time.Second)
		want := []string{"CLEANUP_RESUBMIT", "PENDING", "PROLOG", "BOOT", "RUNNING"}
		if !slices.Equal(*went, want) {
			t.Errorf("went %v, want %v", *went, want)
		}
		v, _ := c.VM(1)
		before, now := v.History[0], v.History[1]
		if before.Action != 14 || before.ETime == 0 || before.RETime == 0 || now.Seq != 1 || now.HostID != 1 ||
			now.RSTime == 0 || now.ETime != 0 || now.Action != 0 {
			t.Errorf("history %+v", v.History)
		}
		if !from(version, "5.4") && before.Reason != reasonUser {
			t.Errorf("reason %d", before.Reason)
		}
		if !strings.Contains(c.HostXML(1), "<VMS><ID>1</ID></VMS>") {
			t.Error("the VM is not on its new host's list")
		}
		// The old guest was never reached.
		if !slices.Equal(c.Guests(0), []int{1}) || !slices.Equal(c.Guests(1), []int{1}) {
			t.Errorf("guests %v and %v", c.Guests(0), c.Guests(1))
		}
		if !strings.Contains(v.UserTemplate["ERROR"], "host01") {
			t.Errorf("ERROR %q", v.UserTemplate["ERROR"])
		}
	})
}

func TestSuspendedVM(t *testing.T) {
	for _, from := range []string{"SUSPENDED", "POWEROFF"} {
		for _, version := range []string{"4.4", "4.14", "5.4", "5.8", "5.10", "5.12", "6.4"} {
			t.Run(version+"/"+from, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { resumeAndRecreate(t, version, from) })
			})
		}
	}
}

// resumeAndRecreate tries the two calls that move a suspended VM off a dead
// host before 6.10, and what happens when the second comes late.
func resumeAndRecreate(t *testing.T, version, from string) {
	c := deadHost(t, version, vmIn(t, 1, 0, from), vmIn(t, 2, 0, from))
	if g, err := recreate(c, 1); err != nil || g.ok() || g.code() != "2048" {
		t.Fatalf("recreate from %s: %v %v", from, g, err)
	}
	must(t, c, "one.vm.action", "resume", 1)
	shown, err := parseNode(c.VMXML(1))
	if err != nil {
		t.Fatal(err)
	}
	old, lcm := vmIn(t, 0, 0, from).State, map[string]string{"SUSPENDED": "21", "POWEROFF": "20"}[from]
	if shown.get("STATE").text != fmt.Sprint(int(old)) || shown.get("LCM_STATE").text != lcm {
		t.Errorf("STATE %s, LCM_STATE %s", shown.get("STATE").text, shown.get("LCM_STATE").text)
	}
	if g, err := recreate(c, 1); err != nil || !g.ok() {
		t.Fatalf("recreate after resume: %v %v", g, err)
	}
	pass(5 * time.Second)
	wantState(t, c, 1, "RUNNING")
	if v, _ := c.VM(1); v.last().HostID == 0 {
		t.Error("still on the dead host")
	}

	must(t, c, "one.vm.action", "resume", 2)
	pass(resumeTime + time.Millisecond)
	if !strings.Contains(c.VMXML(2), "<STATE>3</STATE><LCM_STATE>"+lcm) {
		t.Error("the resume is not seen")
	}
	pass(time.Second)
	wantState(t, c, 2, from)
	if g, err := recreate(c, 2); err != nil || g.ok() {
		t.Fatalf("recreate after the resume fell back: %v %v", g, err)
	}
}

func TestSecondRecreate(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := deadHost(t, version, vmIn(t, 1, 0, "UNKNOWN"), vmIn(t, 2, 0, "UNKNOWN"))
		for _, id := range []int{1, 2} { // two VMs at once are fine
			if g, err := recreate(c, id); err != nil || !g.ok() {
				t.Fatal(g, err)
			}
		}
		g, err := recreate(c, 1)
		if !old(version) {
			if err != nil || !g.ok() || c.Deadlocked() {
				t.Fatal(g, err, c.Deadlocked())
			}
			pass(5 * time.Second)
			wantState(t, c, 1, "RUNNING")
			return
		}
		if !errors.Is(err, context.DeadlineExceeded) || !c.Deadlocked() {
			t.Fatalf("answer %v, error %v, deadlocked %v", g, err, c.Deadlocked())
		}
		if g, err := try(c, "one.vm.action", "resched", 2); err == nil {
			t.Errorf("a call for another VM is answered: %v", g)
		}
		must(t, c, "one.vm.info", 1)
		pass(time.Minute)
		if stateOf(t, c, 2) == "RUNNING" {
			t.Error("VMs move in a deadlocked oned")
		}
		c.SetDown(true)
		c.SetDown(false)
		if c.Deadlocked() {
			t.Error("a restart does not end the deadlock")
		}
		if g, err := recreate(c, 1); err != nil || !g.ok() {
			t.Fatal(g, err)
		}
		pass(5 * time.Second)
		wantState(t, c, 1, "RUNNING")
	})
}

func TestLaterRecreateIsHarmless(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := deadHost(t, version, vmIn(t, 1, 0, "UNKNOWN"))
		for range 2 {
			if g, err := recreate(c, 1); err != nil || !g.ok() {
				t.Fatal(g, err)
			}
			pass(recreateTime + time.Millisecond)
		}
		wantState(t, c, 1, "PENDING")
	})
}

func TestTrapsOnADeadHost(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := deadHost(t, version, vmIn(t, 1, 0, "UNKNOWN"), vmIn(t, 2, 0, "UNKNOWN"))
		if version == "4.4" {
			must(t, c, "one.vm.recover", 1, true)
			must(t, c, "one.vm.action", "boot", 2)
		} else {
			must(t, c, "one.vm.recover", 1, 1)
			must(t, c, "one.vm.action", "resume", 2)
		}
		wantState(t, c, 1, "RUNNING")
		wantState(t, c, 2, "BOOT_UNKNOWN")
		pass(time.Second)
		wantState(t, c, 1, "RUNNING")
		wantState(t, c, 2, "UNKNOWN")
		if v, _ := c.VM(1); v.last().HostID != 0 {
			t.Error("it left the dead host")
		}
	})
}

func TestMigration(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0), runningOn(2, 0)} })
		went := path(c, 1)
		must(t, c, "one.vm.migrate", 1, 2, false)
		must(t, c, "one.vm.migrate", 2, 3, true)
		for _, at := range []struct{ host, vm int }{{0, 1}, {2, 1}, {0, 2}, {3, 2}} {
			if !strings.Contains(c.HostXML(at.host), fmt.Sprintf("<ID>%d</ID>", at.vm)) {
				t.Errorf("host %d does not list VM %d while it migrates", at.host, at.vm)
			}
		}
		if v, _ := c.VM(1); v.last().HostID != 2 {
			t.Error("the last record is not the destination")
		}
		pass(c.cfg.Step + time.Millisecond)
		if strings.Contains(c.HostXML(0), "<VMS><ID>") {
			t.Error("the source still lists a VM after the save")
		}
		pass(time.Second)
		want := []string{"SAVE_MIGRATE", "PROLOG_MIGRATE", "BOOT_MIGRATE", "RUNNING"}
		if version == "4.4" {
			want[2] = "BOOT"
		}
		if !slices.Equal(*went, want) {
			t.Errorf("went %v, want %v", *went, want)
		}
		wantState(t, c, 2, "RUNNING")
		if !slices.Equal(c.Guests(2), []int{1}) || !slices.Equal(c.Guests(3), []int{2}) || len(c.Guests(0)) != 0 {
			t.Errorf("guests %v %v %v", c.Guests(0), c.Guests(2), c.Guests(3))
		}
	})
}

func TestMigrationFromADyingHost(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.VMs = []VM{runningOn(1, 0), runningOn(2, 0), runningOn(3, 1)}
		})
		must(t, c, "one.vm.migrate", 1, 2, true)  // its source dies
		must(t, c, "one.vm.migrate", 2, 1, false) // its source dies before the save
		must(t, c, "one.vm.migrate", 3, 0, false) // its destination dies
		if err := c.FailHost(0); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		failed := "BOOT_MIGRATE_FAILURE"
		if version == "4.4" {
			failed = "FAILED"
		}
		wantState(t, c, 3, failed)
		lost := "RUNNING"
		if old(version) {
			lost = "UNKNOWN"
		}
		for _, id := range []int{1, 2} {
			wantState(t, c, id, lost)
			if v, _ := c.VM(id); len(v.History) != 3 || v.last().HostID != 0 {
				t.Errorf("VM %d: %+v", id, v.History)
			}
		}
	})
}

func TestFailingStart(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.VMs = []VM{{ID: 1, State: one.Pending, BootFails: true}, {ID: 2, State: one.Pending, PrologFails: true}}
		})
		pass(3 * time.Second)
		boot, prolog := "BOOT_FAILURE", "PROLOG_FAILURE"
		if version == "4.4" {
			boot, prolog = "FAILED", "FAILED"
		}
		wantState(t, c, 1, boot)
		wantState(t, c, 2, prolog)
		for _, id := range []int{1, 2} {
			v, _ := c.VM(id)
			if v.UserTemplate["ERROR"] == "" {
				t.Errorf("VM %d has no ERROR", id)
			}
			listed := strings.Contains(c.HostXML(v.last().HostID), fmt.Sprintf("<ID>%d</ID>", id))
			if listed != (version != "4.4") {
				t.Errorf("VM %d on its host's list: %v", id, listed)
			}
		}
		if version == "4.4" {
			return
		}
		if err := c.UpdateVM(1, func(v *VM) { v.BootFails = false }); err != nil {
			t.Fatal(err)
		}
		must(t, c, "one.vm.recover", 1, 2)
		must(t, c, "one.vm.recover", 2, 2)
		pass(time.Second)
		wantState(t, c, 1, "RUNNING")
		wantState(t, c, 2, prolog)
	})
}

func TestHangingDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) { cfg.VMs = []VM{vmIn(t, 1, 0, "PROLOG")} })
		pass(time.Hour)
		wantState(t, c, 1, "PROLOG")
		must(t, c, "one.vm.recover", 1, 2)
		pass(time.Second)
		wantState(t, c, 1, "RUNNING")
		must(t, c, "one.vm.action", "poweroff", 1)
		if err := c.UpdateVM(1, func(v *VM) { v.LCM = one.Shutdown }); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		wantState(t, c, 1, "SHUTDOWN")
	})
}

func TestDeadStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) {
			cfg.Hosts[0].State = one.HostError
			cfg.DeadStep = time.Minute
			cfg.VMs = []VM{vmIn(t, 1, 0, "UNKNOWN")}
		})
		must(t, c, "one.vm.recover", 1, 4)
		pass(59 * time.Second)
		wantState(t, c, 1, "CLEANUP_RESUBMIT")
		pass(5 * time.Second)
		wantState(t, c, 1, "RUNNING")
	})
}

func TestCrashedVM(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
		if err := c.CrashVM(1); err != nil {
			t.Fatal(err)
		}
		if err := c.CrashVM(1); err == nil {
			t.Error("a VM crashes twice")
		}
		wantState(t, c, 1, "UNKNOWN")
		if len(c.Guests(0)) != 0 {
			t.Error("the guest still runs")
		}
		action := "resume"
		if version == "4.4" {
			action = "boot"
		}
		must(t, c, "one.vm.action", action, 1)
		pass(time.Second)
		wantState(t, c, 1, "RUNNING")
		if !slices.Equal(c.Guests(0), []int{1}) {
			t.Error("no guest runs")
		}
	})
}

func TestStoppedOned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := deadHost(t, "5.10", vmIn(t, 1, 0, "UNKNOWN"), vmIn(t, 2, 0, "UNKNOWN"))
		c.SetShuttingDown(true)
		must(t, c, "one.vm.recover", 2, 4)
		pass(time.Minute)
		wantState(t, c, 2, "UNKNOWN")
		c.SetShuttingDown(false)
		must(t, c, "one.vm.recover", 1, 4)
		pass(recreateTime)
		c.SetDown(true)
		pass(time.Minute)
		wantState(t, c, 1, "CLEANUP_RESUBMIT")
		c.SetDown(false)
		pass(5 * time.Second)
		wantState(t, c, 1, "RUNNING")
	})
}
