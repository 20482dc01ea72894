package failover_test

import (
	"fmt"
	"strings"
	"testing"

	"one-ft/pkg/failover"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/test/sim/cloud"
)

// elsewhere matches a VM that runs on any host but the failed one.
const elsewhere = "RUNNING elsewhere"

// endsAs compares where a VM ended with what was expected.
func endsAs(v cloud.VM, want string) bool {
	got := place(v)
	if want == elsewhere {
		return strings.HasPrefix(got, "RUNNING on ") && got != fmt.Sprintf("RUNNING on %d", dead)
	}
	return got == want
}

// TestEveryState puts a VM into each state on the host that fails, recovers the
// host in each mode, and looks where the VM ends. Nothing that oned refuses may
// be tried, except while a suspended VM is resumed.
func TestEveryState(t *testing.T) {
	const stays = ""
	rows := []struct {
		vm                        cloud.VM
		idle                      bool // y
		recreate, delete, migrate string
	}{
		{vm(7, one.Active, one.Running, dead), false, elsewhere, "DONE on 1", elsewhere},
		{vm(7, one.Active, one.Prolog, dead), false, elsewhere, "DONE on 1", stays},
		{vm(7, one.Active, one.Boot, dead), false, elsewhere, "DONE on 1", stays},
		{vm(7, one.Active, one.Shutdown, dead), false, "DONE on 1", "DONE on 1", stays},
		{vm(7, one.Active, one.Epilog, dead), false, "DONE on 1", "DONE on 1", stays},
		{vm(7, one.Active, one.SaveSuspend, dead), false, "SAVE_SUSPEND on 1", "SAVE_SUSPEND on 1", "SAVE_SUSPEND on 1"},
		{vm(7, one.Active, one.SaveSuspend, dead), true, elsewhere, "DONE on 1", stays},
		{vm(7, one.Active, one.Hotplug, dead), false, elsewhere, "DONE on 1", stays},
		{vm(7, one.Active, one.Migrate, 2, dead), false, "RUNNING on 2", "DONE on 1", stays},
		{vm(7, one.Active, one.SaveMigrate, 2, dead), false, "RUNNING on 2", "DONE on 1", stays},
		{vm(7, one.Active, one.Migrate, dead, 2), false, elsewhere, "DONE on 2", stays},
		{vm(7, one.Active, one.SaveMigrate, dead, 2), false, elsewhere, "DONE on 2", stays},
		{vm(7, one.Suspended, 0, dead), false, "SUSPENDED on 1", "SUSPENDED on 1", "SUSPENDED on 1"},
		{vm(7, one.Poweroff, 0, dead), false, "POWEROFF on 1", "POWEROFF on 1", "POWEROFF on 1"},
		{vm(7, one.Suspended, 0, dead), true, elsewhere, "DONE on 1", "SUSPENDED moved"},
		{vm(7, one.Poweroff, 0, dead), true, elsewhere, "DONE on 1", "POWEROFF moved"},
		{vm(7, one.Stopped, 0, dead), true, "STOPPED on 1", "STOPPED on 1", "STOPPED on 1"},
		{vm(7, one.Active, one.Running, dead, 2), true, "RUNNING on 2", "RUNNING on 2", "RUNNING on 2"},
	}
	onEach(t, func(t *testing.T, version string) {
		for _, row := range rows {
			for mode, want := range map[recovery.Mode]string{recovery.Recreate: row.recreate, recovery.Delete: row.delete, recovery.Migrate: row.migrate} {
				w := newWorld(t, fourHosts(version, row.vm))
				w.failHost()
				before, _ := w.cloud.VM(7)
				w.job.Policy = recovery.Policy{Mode: mode, Idle: row.idle}
				report := w.recover()
				after := w.settled(7)
				name := fmt.Sprintf("%s of %s on %v, y=%v", mode, place(row.vm), row.vm.History, row.idle)
				want := want
				refused := mode == recovery.Migrate && strings.HasPrefix(version, "4.4")
				if want == stays || refused && want != place(before) {
					want = place(before)
					if o := w.outcome(report, 7); o.Result != failover.Incomplete || o.Detail == "" {
						t.Errorf("%s: %s %q, want incomplete with a reason", name, o.Result, o.Detail)
					}
				}
				if state, moved := strings.CutSuffix(want, " moved"); moved {
					if !strings.HasPrefix(place(after), state) || place(after) == place(before) {
						t.Errorf("%s: ends %s, want %s on another host\n%s", name, place(after), state, w.said())
					}
				} else if !endsAs(after, want) {
					t.Errorf("%s: ends %s, want %s\n%s\n%v", name, place(after), want, w.said(), w.changes(7))
				}
				for _, call := range w.changes(7) {
					if strings.HasSuffix(call, "!") && !(row.idle && mode == recovery.Recreate) {
						t.Errorf("%s: oned refused %s", name, call)
					}
				}
				w.nobodyTwice()
			}
		}
	})
}
