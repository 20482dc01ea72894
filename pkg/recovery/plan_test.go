package recovery

import (
	"fmt"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// The hosts of all tests: the failed one and two that are fine.
const (
	failed = 1
	fine   = 2
	dead   = 3 // another failed one
)

// dialect gives the dialect of a version that was measured live.
func dialect(t testing.TB, version string) one.Dialect {
	t.Helper()
	v, err := one.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	d, err := one.DialectFor(v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// on makes a VM with a history on the given hosts, the last one being where it is.
func on(state one.VMState, lcm one.LCMState, hosts ...int) one.VM {
	vm := one.VM{ID: 42, Name: "web", State: state, LCM: lcm, CPU: 1, Memory: 1024}
	for i, h := range hosts {
		vm.History = append(vm.History, one.Record{Seq: i, HostID: h, Host: fmt.Sprintf("node%d", h), ClusterID: 0, DatastoreID: 100})
	}
	return vm
}

func active(lcm one.LCMState, hosts ...int) one.VM { return on(one.Active, lcm, hosts...) }

// snapshot is a cloud of three hosts with the VMs on host 1.
func snapshot(d one.Dialect, vms ...one.VM) Snapshot {
	s := Snapshot{
		Dialect: d,
		Host:    one.Host{ID: failed, Name: "node1", State: one.HostError},
		VMs:     vms,
		Hosts: []one.Host{
			{ID: fine, Name: "node2", State: one.HostMonitored, MaxCPU: 800, MaxMemory: 16 << 20},
			{ID: dead, Name: "node3", State: one.HostError, MaxCPU: 800, MaxMemory: 64 << 20},
		},
		Datastores: []one.Datastore{{ID: 100, Name: "system", Shared: true}, {ID: 101, Name: "local"}},
	}
	for _, vm := range vms {
		s.Host.VMs = append(s.Host.VMs, vm.ID)
	}
	return s
}

var versions = []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"}

// TestSourceThatMayRunTheVM: whatever is not in ERROR may run the VM, INIT too; a VM that was
// UNKNOWN at a source in ERROR may run there as well.
func TestSourceThatMayRunTheVM(t *testing.T) {
	for state, want := range map[one.HostState]Verb{
		one.HostMonitored: VerbReturn, one.HostInit: VerbReturn, one.HostMonitoringInit: VerbReturn, one.HostDisabled: VerbReturn,
		one.HostOffline: VerbReturn, one.HostError: VerbLeave, one.HostMonitoringError: VerbLeave,
	} {
		for _, lcm := range []one.LCMState{one.Migrate, one.SaveMigrate, one.PrologMigrateUnknown} {
			s := snapshot(dialect(t, "7.4.1"), active(lcm, dead, failed))
			for i := range s.Hosts {
				if s.Hosts[i].ID == dead {
					s.Hosts[i].State = state
				}
			}
			if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != want {
				t.Errorf("%s from a host that is %s: %s (%s), want %s", lcm, state, step.Verb, step.Reason, want)
			}
		}
	}
}

// TestPerStateTable is the per-state table of the design, cell by cell, on all
// four versions. A cell says what is done; "!" marks a VM that is left although
// it was to be recovered; "4.4: x, y" is x on 4.4 and y later.
func TestPerStateTable(t *testing.T) {
	const idle44 = "4.4: resume, then recreate; 5.10: resume, then recreate; recreate"
	rows := []struct {
		vms                       []one.VM
		flag                      string // "n", "y" or "any"
		recreate, delete, migrate string
	}{
		{[]one.VM{active(one.Running, failed), active(one.Unknown, failed)},
			"any", "recreate", "delete", "4.4: leave!; resched"},
		{[]one.VM{active(one.Hotplug, failed), active(one.HotplugNic, failed), active(one.HotplugSnapshot, failed), active(one.HotplugSaveas, failed),
			active(one.HotplugResize, failed), active(one.DiskSnapshot, failed), active(one.DiskResize, failed), active(one.Backup, failed),
			active(99, failed)},
			"any", "recreate", "delete", "leave!"},
		{onTheWayToAStop(), "n", "leave", "leave", "leave"},
		{onTheWayToAStop(), "y", "recreate", "delete", "leave!"},
		{[]one.VM{active(one.Prolog, failed), active(one.PrologResume, failed), active(one.PrologUndeploy, failed), active(one.Boot, failed),
			active(one.BootUnknown, failed), active(one.BootPoweroff, failed), active(one.BootSuspended, failed), active(one.BootStopped, failed),
			active(one.BootUndeploy, failed), active(one.BootMigrate, failed)},
			"any", "recreate", "delete", "leave!"},
		{[]one.VM{active(one.BootFailure, failed), active(one.PrologFailure, failed), active(one.BootMigrateFailure, failed),
			active(one.PrologResumeFailure, failed), active(one.Failure, failed)},
			"any", "recreate", "delete", "leave!"},
		{[]one.VM{active(one.Shutdown, failed), active(one.Cancel, failed), active(one.Epilog, failed), active(one.EpilogFailure, failed), active(one.CleanupDelete, failed)},
			"any", "delete", "delete", "leave!"},
		{[]one.VM{active(one.Migrate, fine, failed), active(one.SaveMigrate, fine, failed)},
			"any", "recover failure", "delete", "leave!"},
		{[]one.VM{active(one.PrologMigrate, fine, failed)},
			"any", "4.4: recreate; recover failure", "delete", "leave!"},
		{[]one.VM{active(one.Migrate, failed, fine), active(one.SaveMigrate, failed, fine), active(one.PrologMigrate, failed, fine)},
			"any", "recreate", "delete", "leave!"},
		// Both ends are dead, and the other one, which may run it, is not proven off.
		{[]one.VM{active(one.Migrate, dead, failed), active(one.SaveMigrate, dead, failed), active(one.Migrate, failed, dead)},
			"any", "leave!", "delete", "leave!"},
		{[]one.VM{active(one.PrologMigrate, dead, failed), active(one.SaveMigrate, failed, dead), active(one.PrologMigrate, failed, dead)},
			"any", "recreate", "delete", "leave!"},
		{[]one.VM{on(one.Suspended, 0, failed), on(one.Poweroff, 0, failed), active(one.DiskSnapshotPoweroff, failed), active(one.HotplugNicPoweroff, failed)},
			"n", "leave", "leave", "leave"},
		{[]one.VM{on(one.Suspended, 0, failed)}, "y", idle44, "delete", "4.4: leave!; migrate"},
		{[]one.VM{on(one.Poweroff, 0, failed)}, "y", idle44, "delete", "4.4: leave!; resched"},
		{[]one.VM{active(one.DiskSnapshotPoweroff, failed), active(one.BackupPoweroff, failed)}, "y", "recreate", "delete", "leave!"},
		{[]one.VM{on(one.Stopped, 0, failed), on(one.Undeployed, 0, failed), on(one.Hold, 0, failed), on(one.Done, 0, failed), on(one.Failed, 0, failed),
			on(one.Init, 0, failed), on(one.Cloning, 0, failed), active(one.HotplugSaveasStopped, failed)},
			"any", "leave", "leave", "leave"},
		{[]one.VM{on(one.Pending, 0, failed), active(one.CleanupResubmit, failed)},
			"any", "already being recovered", "already being recovered", "already being recovered"},
		{[]one.VM{on(55, 0, failed)}, "any", "leave!", "leave!", "leave!"},
		// Not here: the last record decides, whatever came before and whatever it is named.
		{[]one.VM{active(one.Running, failed, fine), active(one.Unknown, failed, dead), active(one.Running), on(one.Poweroff, 0, failed, fine),
			active(one.Migrate, dead, fine)},
			"any", "leave", "leave", "leave"},
	}
	for _, row := range rows {
		for _, vm := range row.vms {
			for _, version := range versions {
				for mode, want := range map[Mode]string{Recreate: row.recreate, Delete: row.delete, Migrate: row.migrate} {
					for _, idle := range []bool{false, true} {
						if row.flag == "y" && !idle || row.flag == "n" && idle {
							continue
						}
						step := Make(snapshot(dialect(t, version), vm), Policy{Mode: mode, Idle: idle}).Steps[0]
						got := string(step.Verb)
						if step.Unhandled {
							got += "!"
						}
						if want := forVersion(want, version); got != want {
							t.Errorf("%s, %s on hosts %v, %s, suspended included: %v: %s (%s), want %s", version, vm.Status(), hosts(vm), mode, idle, got, step.Reason, want)
						}
						if step.Verb == VerbLeave && step.Reason.IsZero() {
							t.Errorf("%s, %s, %s: left without a reason", version, vm.Status(), mode)
						}
					}
				}
			}
		}
	}
}

// onTheWayToAStop are VMs that are not to run although their guests do.
func onTheWayToAStop() []one.VM {
	return []one.VM{active(one.SaveSuspend, failed), active(one.SaveStop, failed), active(one.ShutdownPoweroff, failed), active(one.ShutdownUndeploy, failed),
		active(one.EpilogStop, failed), active(one.EpilogUndeploy, failed)}
}

// forVersion picks the part of a cell that is for the version.
func forVersion(cell, version string) string {
	rest := cell
	for part := range strings.SplitSeq(cell, "; ") {
		name, verb, special := strings.Cut(part, ": ")
		if special && strings.HasPrefix(version, name+".") {
			return verb
		}
		rest = part
	}
	return rest
}

func hosts(vm one.VM) (ids []int) {
	for _, r := range vm.History {
		ids = append(ids, r.HostID)
	}
	return ids
}

// TestRowsAreDisjoint: each state is in one row of the table, so that the order of rows means
// nothing.
func TestRowsAreDisjoint(t *testing.T) {
	lcm, states := map[one.LCMState]string{}, map[one.VMState]string{}
	for _, r := range table() {
		if r.source == "" {
			t.Errorf("row %q names no source", r.name)
		}
		for _, s := range r.active {
			if lcm[s] != "" {
				t.Errorf("%s is in %q and %q", s, lcm[s], r.name)
			}
			lcm[s] = r.name
		}
		for _, s := range r.states {
			if states[s] != "" {
				t.Errorf("%s is in %q and %q", s, states[s], r.name)
			}
			states[s] = r.name
		}
	}
	for s := one.LCMInit; s <= one.Restore; s++ {
		if lcm[s] == "" {
			t.Errorf("%s is in no row", s)
		}
	}
}

// TestSetAnswer: an answer about several VMs has the last history record only,
// and a migrating VM is then found by the list of VMs of its source.
func TestSetAnswer(t *testing.T) {
	vm := active(one.Migrate, failed, fine)
	vm.History = vm.History[1:]
	s := snapshot(dialect(t, "6.10.0"), vm)
	if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != VerbRecreate {
		t.Errorf("listed on the failed host: %s (%s), want recreate", step.Verb, step.Reason)
	}
	s.Host.VMs = nil
	if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != VerbLeave || step.Unhandled {
		t.Errorf("not listed on the failed host: %s (%s), want leave", step.Verb, step.Reason)
	}
}

func TestRefusedCellsSayWhy(t *testing.T) {
	local := active(one.Unknown, failed)
	local.History[0].DatastoreID = 101
	lost := active(one.Unknown, failed)
	lost.History[0].DatastoreID = 102
	alone := on(one.Suspended, 0, failed)
	alone.History[0].ClusterID = 7
	for _, c := range []struct {
		version string
		vm      one.VM
		mode    Mode
		want    string
	}{
		{"4.4.1", active(one.Unknown, failed), Migrate, `cannot-move-away version="4.4 to 4.8"`},
		{"4.4.1", on(one.Suspended, 0, failed), Migrate, `cannot-move version="4.4 to 4.8" state=SUSPENDED`},
		{"4.4.1", on(one.Suspended, 0, failed), Recreate, `idle-resumed version="4.4 to 4.8" state=SUSPENDED`},
		{"5.10.6", on(one.Poweroff, 0, failed), Recreate, `idle-resumed version=5.10 state=POWEROFF`},
		{"6.10.0", local, Migrate, "datastore-local datastore=101 name=local"},
		{"6.10.0", lost, Migrate, "datastore-unknown datastore=102"},
		{"6.10.0", alone, Migrate, "no-host-has-room"},
		{"7.4.1", active(one.Boot, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.BootFailure, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.Shutdown, failed), Migrate, "being-ended"},
		{"7.4.1", active(one.Migrate, fine, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.SaveSuspend, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.Hotplug, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.BackupPoweroff, failed), Migrate, "cannot-move-now"},
		{"7.4.1", active(one.Migrate, failed), Recreate, "source-unknown"},
		{"7.4.1", active(one.Shutdown, failed), Recreate, "owner-ending"},
		{"7.4.1", active(one.Migrate, fine, failed), Recreate, "goes-back on=2 name=node2"},
		{"7.4.1", active(one.Running, fine), Recreate, "other-host on=2 name=node2"},
	} {
		step := Make(snapshot(dialect(t, c.version), c.vm), Policy{Mode: c.mode, Idle: true}).Steps[0]
		if step.Reason.Plain() != c.want {
			t.Errorf("%s %s %s:\n got %q\nwant %q", c.version, c.vm.Status(), c.mode, step.Reason.Plain(), c.want)
		}
	}
}

func TestTargetsAreChosenByRoom(t *testing.T) {
	var vms []one.VM
	for id := range 3 {
		vm := on(one.Suspended, 0, failed)
		vm.ID, vm.Memory = id, 9<<10
		vms = append(vms, vm)
	}
	s := snapshot(dialect(t, "6.10.0"), vms...)
	s.Hosts = append(s.Hosts, one.Host{ID: 4, Name: "node4", State: one.HostMonitored, MaxCPU: 800, MaxMemory: 12 << 20})
	var got []int
	for _, step := range Make(s, Policy{Mode: Migrate, Idle: true}).Steps {
		got = append(got, step.Target)
	}
	if fmt.Sprint(got) != "[2 4 -1]" {
		t.Errorf("targets %v, want the fuller host 2 first, then 4, then none: room is used up", got)
	}
}

func TestPolicyOfOneVM(t *testing.T) {
	for _, c := range []struct {
		user, template, host string
		want                 Verb
		reason               string
	}{
		{"", "", "", VerbRecreate, ""},
		{"none", "", "", VerbLeave, "owner-none"},
		{"", " None ", "", VerbLeave, "owner-none"},
		{"delete", "", "", VerbRecreate, ""}, // an owner may ask for less, not for something else
		{"", "", "none", VerbLeave, "host-none on=1"},
		{"", "", "delete", VerbDelete, "host-action on=1 mode=delete"},
		{"", "", "explode", VerbRecreate, "host-action-unknown on=1 word=\"\\\"explode\\\"\""},
		{"No", "", "", VerbRecreate, "vm-action-unknown word=\"\\\"No\\\"\""}, // ignored, and never in silence
		{"", "no\x1b", "explode", VerbRecreate, "vm-action-unknown word=\"\\\"no\\\\x1b\\\"\""},
		{"No", "", "delete", VerbDelete, "host-action on=1 mode=delete"},
		{"No", "none", "", VerbLeave, "owner-none"},
		{"No", "", "none", VerbLeave, "host-none on=1"},
		{" ", "", "", VerbRecreate, ""},
	} {
		vm := active(one.Unknown, failed)
		vm.UserTemplate, vm.Template = attribute("FT_ACTION", c.user), attribute("FT_ACTION", c.template)
		s := snapshot(dialect(t, "6.10.0"), vm)
		s.Host.Template = attribute("FT_ACTION", c.host)
		if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != c.want || step.Reason.Plain() != c.reason || step.Unhandled {
			t.Errorf("user %q, template %q, host %q: %s (%s)", c.user, c.template, c.host, step.Verb, step.Reason.Plain())
		} else if word := c.user + c.template; strings.HasPrefix(strings.ToLower(word), "no") && !strings.Contains(strings.ToLower(word), "none") && step.Ignored.Kind != wording.VMActionBad {
			t.Errorf("user %q, template %q, host %q: %s is ignored in silence", c.user, c.template, c.host, word)
		}
	}
}

func attribute(name, value string) map[string]string {
	if value == "" {
		return nil
	}
	return map[string]string{name: value}
}

func TestOrder(t *testing.T) {
	var vms []one.VM
	for id, priority := range []string{"", "60", "-7", "1000", "60", "junk"} {
		vm := active(one.Unknown, failed)
		vm.ID, vm.UserTemplate = id, attribute("FT_PRIORITY", priority)
		vms = append(vms, vm)
	}
	var got []int
	for _, step := range Make(snapshot(dialect(t, "4.4.1"), vms...), Policy{Mode: Recreate}).Steps {
		got = append(got, step.VM.ID)
	}
	if fmt.Sprint(got) != "[3 1 4 0 5 2]" {
		t.Errorf("order %v, want by priority (100 at most, 50 when not given, 0 at least), then by ID", got)
	}
	p := Policy{Mode: Recreate, Priorities: Range{Min: 40, Max: 55}}
	if first := Make(snapshot(dialect(t, "4.4.1"), vms...), p).Steps[0]; first.VM.ID != 1 || first.Priority != 55 {
		t.Errorf("owners may ask for 40 to 55: VM %d comes first with %d", first.VM.ID, first.Priority)
	}
}

// TestBothEndsProvenOff: a VM that was migrating between two failed hosts is recovered when the
// other one was proven off, too.
func TestBothEndsProvenOff(t *testing.T) {
	for _, vm := range []one.VM{active(one.Migrate, dead, failed), active(one.SaveMigrate, dead, failed), active(one.Migrate, failed, dead)} {
		s := snapshot(one.Dialect{}, vm)
		s.Cleared = []int{dead}
		if step := Make(s, Policy{Mode: Recreate}).Steps[0]; step.Verb != VerbRecreate {
			t.Errorf("%s: %s: %s", vm.Status(), step.Verb, step.Reason)
		}
	}
}
