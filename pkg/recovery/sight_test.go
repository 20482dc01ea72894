package recovery

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// sighted is a snapshot with one VM that was something else when the host was first seen failed.
func sighted(t testing.TB, version string, now one.VM, was one.LCMState, hosts ...int) Snapshot {
	s := snapshot(dialect(t, version), now)
	s.Sight = SightOf(time.Unix(1000, 0), []one.VM{active(was, hosts...)})
	return s
}

// TestFirstSight: what an owner had asked for counts also when the VM is RUNNING or UNKNOWN again, for all versions and
// modes as if the VM still were in that state; in any other state, and with another record, it does not.
func TestFirstSight(t *testing.T) {
	for was := one.LCMInit; was <= one.Restore; was++ {
		asked := rowFor(active(was, failed)).asked
		for _, version := range versions {
			for _, mode := range []Mode{Recreate, Delete, Migrate} {
				for _, idle := range []bool{false, true} {
					p := Policy{Mode: mode, Idle: idle}
					for _, now := range []one.LCMState{one.Running, one.Unknown} {
						got := Make(sighted(t, version, active(now, failed), was, failed), p).Steps[0]
						like := now
						if asked {
							like = was
						}
						if want := Make(snapshot(dialect(t, version), active(like, failed)), p).Steps[0]; got.Verb != want.Verb || got.Unhandled != want.Unhandled {
							t.Errorf("%s, %s, y %v: %s, first seen %s: %s (%s), want %s", version, mode, idle, now, was, got.Verb, got.Reason, want.Verb)
						}
						moved := Make(sighted(t, version, active(now, fine, failed), was, failed), p).Steps[0] // it was placed anew
						if want := Make(snapshot(dialect(t, version), active(now, failed)), p).Steps[0]; was != one.Migrate && moved.Verb != want.Verb {
							t.Errorf("%s, %s: %s in a new record, first seen %s: %s", version, mode, now, was, moved.Verb)
						}
					}
				}
			}
		}
	}
}

// TestReturnedMigration: a VM that was migrating live, and is on the failed host again by oned's word, may have arrived.
func TestReturnedMigration(t *testing.T) {
	for _, c := range []struct {
		was     one.LCMState
		to      int
		cleared bool
		mode    Mode
		want    Verb
	}{
		{one.Migrate, fine, false, Recreate, VerbLeave}, {one.Migrate, fine, false, Migrate, VerbLeave}, {one.Migrate, fine, false, Delete, VerbDelete},
		{one.Migrate, dead, false, Recreate, VerbLeave}, {one.Migrate, dead, true, Recreate, VerbRecreate},
		{one.Migrate, 77, false, Recreate, VerbRecreate}, // that host is gone
		{one.SaveMigrate, fine, false, Recreate, VerbRecreate},
	} {
		s := sighted(t, "7.4.1", active(one.Unknown, failed, c.to, failed), c.was, failed, c.to)
		if c.cleared {
			s.Cleared = []int{c.to}
		}
		if step := Make(s, Policy{Mode: c.mode}).Steps[0]; step.Verb != c.want || step.Unhandled != (c.want == VerbLeave) {
			t.Errorf("%+v: %s (%s)", c, step.Verb, step.Reason)
		}
	}
}

// TestFirstSightOfAnotherProcess: it counts unless the host may have been back since.
func TestFirstSightOfAnotherProcess(t *testing.T) {
	before := SightOf(time.Unix(1000, 0), []one.VM{active(one.Shutdown, failed)})
	for _, c := range []struct {
		before  *incident.Sight
		contact int64
		now     int64
		want    string
	}{
		{nil, 0, 1010, "UNKNOWN"}, {&before, 900, 99999, "SHUTDOWN"}, {&before, 1001, 1010, "UNKNOWN"}, {&before, 0, 1010, "SHUTDOWN"}, {&before, 0, 1000 + 3600, "UNKNOWN"},
	} {
		contact := time.Time{}
		if c.contact > 0 {
			contact = time.Unix(c.contact, 0)
		}
		other := active(one.Running, failed)
		other.ID = 43
		got := FirstSight(c.before, SightOf(time.Unix(c.now, 0), []one.VM{active(one.Unknown, failed), other}), contact, time.Hour)
		if v, _ := seenIn(got, 42); v.State != c.want || len(got.VMs) != 2 {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

// rest is a VM at rest with a last record of that action, which ran until then.
func rest(state one.VMState, action int, until int64) one.VM {
	vm := on(state, 0, failed)
	vm.History[0].Action, vm.History[0].RunningStart, vm.History[0].RunningEnd = action, 10, until
	return vm
}

// TestPutToRest: what each release leaves in the last record (src/lcm/LifeCycleStates.cc).
func TestPutToRest(t *testing.T) {
	undated := rest(one.Poweroff, one.ActionMonitor, 0)
	worked := rest(one.Poweroff, one.ActionMonitor, 10) // a disk was attached to it while it was off
	for _, c := range []struct {
		version string
		vm      one.VM
		want    bool
	}{
		{"4.4.1", rest(one.Suspended, 0, 99), true}, {"4.4.1", rest(one.Suspended, one.ActionSuspend, 99), false}, {"4.4.1", rest(one.Poweroff, 0, 99), false},
		{"4.8.0", rest(one.Poweroff, 0, 99), true}, {"4.14.2", rest(one.Poweroff, 11, 99), true}, {"4.14.2", rest(one.Poweroff, one.ActionPoweroff, 99), false},
		{"5.2.0", rest(one.Poweroff, one.ActionPoweroffHard, 99), false}, {"5.2.0", on(one.Poweroff, 0, failed), false},
		{"5.4.0", rest(one.Poweroff, 0, 99), false}, {"5.4.0", rest(one.Poweroff, one.ActionMonitor, 99), true}, {"5.12.3", undated, true},
		{"7.4.1", rest(one.Suspended, one.ActionMonitor, 99), true}, {"7.4.1", rest(one.Poweroff, one.ActionPoweroff, 99), false},
		{"7.4.1", rest(one.Undeployed, one.ActionMonitor, 99), false}, {"7.4.1", worked, false}, {"7.4.1", one.VM{State: one.Poweroff}, false},
	} {
		if at, is := PutToRest(c.vm, dialect(t, c.version)); is != c.want || is && c.vm.History[0].RunningEnd == 99 && at.Unix() != 99 {
			t.Errorf("%s, %s, %+v: %v %s", c.version, c.vm.Status(), c.vm.History, is, at)
		}
	}
}

// TestRestedVMs: what is done about VMs that the failure put to rest.
func TestRestedVMs(t *testing.T) {
	const window = 15 * time.Minute
	failedAt := time.Unix(100_000, 0)
	for _, c := range []struct {
		name   string
		vm     one.VM
		was    one.LCMState // at first sight; 0 for as it is
		rest   Rest
		proven bool
		want   string
	}{
		{"within the window", rest(one.Poweroff, one.ActionMonitor, 100_000-899), 0, RestRecover, true, "put-to-rest"},
		{"before it", rest(one.Poweroff, one.ActionMonitor, 100_000-901), 0, RestRecover, true, "idle-left"},
		{"by its owner", rest(one.Poweroff, one.ActionPoweroff, 99_999), 0, RestRecover, true, "idle-left"},
		{"without a proof", rest(one.Poweroff, one.ActionMonitor, 99_999), 0, RestRecover, false, "rest-unproven"},
		{"reported", rest(one.Suspended, one.ActionMonitor, 99_999), 0, RestReport, true, "rest-reported"},
		{"left", rest(one.Poweroff, one.ActionMonitor, 99_999), 0, RestLeave, true, "idle-left"},
		{"undated", rest(one.Poweroff, one.ActionMonitor, 0), 0, RestRecover, true, "rest-undated"},
		{"undated, seen running", rest(one.Poweroff, one.ActionMonitor, 0), one.Unknown, RestRecover, true, "put-to-rest"},
		{"in the outage, was to be powered off", rest(one.Poweroff, one.ActionMonitor, 100_010), one.ShutdownPoweroff, RestRecover, true, "idle-left"},
	} {
		s := snapshot(dialect(t, "7.4.1"), c.vm)
		s.Failed, s.Proven, s.Sight = failedAt, c.proven, SightOf(failedAt, []one.VM{c.vm})
		if c.was != 0 {
			s.Sight = SightOf(failedAt, []one.VM{active(c.was, failed)})
		}
		step := Make(s, Policy{Mode: Recreate, Rest: c.rest, RestWindow: window}).Steps[0]
		name := string(step.Reason.Kind.Name())
		if name != c.want || (step.Verb == VerbRecreate) != (c.want == "put-to-rest") || step.Unhandled != (c.want[:5] == "rest-") {
			t.Errorf("%s: %s, unhandled %v (%s), want %s", c.name, step.Verb, step.Unhandled, step.Reason, c.want)
		}
	}
}

// TestOutageThatIsOver: what an outage put to rest is booted where it is, and nothing else.
func TestOutageThatIsOver(t *testing.T) {
	o := Outage{Failed: time.Unix(10_000, 0), Back: time.Unix(20_000, 0), Window: 15 * time.Minute}
	for _, c := range []struct {
		vm   one.VM
		was  one.VM
		want bool
	}{
		{rest(one.Poweroff, one.ActionMonitor, 20_010), active(one.Unknown, failed), true},
		{rest(one.Poweroff, one.ActionMonitor, 20_010), active(one.Running, failed), true},
		{rest(one.Poweroff, one.ActionMonitor, 20_901), active(one.Unknown, failed), false}, // long after it was back
		{rest(one.Poweroff, one.ActionMonitor, 20_010), active(one.ShutdownPoweroff, failed), false},
		{rest(one.Poweroff, one.ActionMonitor, 20_010), active(one.Shutdown, failed), false},
		{rest(one.Poweroff, one.ActionMonitor, 9_990), rest(one.Poweroff, one.ActionMonitor, 9_990), true}, // as it failed
		{rest(one.Poweroff, one.ActionMonitor, 9_000), rest(one.Poweroff, one.ActionMonitor, 9_000), false},
		{rest(one.Poweroff, one.ActionPoweroff, 20_010), active(one.Unknown, failed), false},
		{active(one.Running, failed), active(one.Unknown, failed), false},
		{rest(one.Poweroff, one.ActionMonitor, 20_010), active(one.Unknown, fine, failed), false}, // another record
	} {
		o.Sight = SightOf(o.Failed, []one.VM{c.was})
		if got := o.Rested(c.vm, dialect(t, "7.4.1")); got != c.want {
			t.Errorf("%s at %d, was %s: %v", c.vm.Status(), c.vm.History[0].RunningEnd, c.was.Status(), got)
		}
	}
}

// TestRestNeverWithoutAProof: whatever is in its history, a VM at rest is acted on only with y, or when monitoring and not a
// person put it to rest and the host is proven off.
func TestRestNeverWithoutAProof(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vm := rest(rapid.SampledFrom([]one.VMState{one.Suspended, one.Poweroff}).Draw(t, "state"), rapid.IntRange(0, 65).Draw(t, "action"), rapid.Int64Range(0, 3000).Draw(t, "end"))
		s := Snapshot{Host: one.Host{ID: failed, State: one.HostError, VMs: []int{vm.ID}}, VMs: []one.VM{vm}, Failed: time.Unix(2000, 0), Proven: rapid.Bool().Draw(t, "proven"),
			Dialect: one.Dialect{MonitorSigns: rapid.Bool().Draw(t, "signs"), MonitorSuspendsOnly: rapid.Bool().Draw(t, "old"), RecreatesIdle: rapid.Bool().Draw(t, "recreates")}}
		if rapid.Bool().Draw(t, "seen") {
			was := one.LCMState(rapid.IntRange(0, int(one.Restore)).Draw(t, "was"))
			s.Sight = SightOf(time.Unix(2000, 0), []one.VM{active(was, failed)})
		}
		step := Make(s, Policy{Mode: rapid.SampledFrom([]Mode{Recreate, Delete}).Draw(t, "mode"), Rest: RestRecover, RestWindow: 10 * time.Minute}).Steps[0]
		asked := slices.Contains([]int{one.ActionUndeploy, one.ActionUndeployHard, one.ActionStop, one.ActionSuspend, one.ActionPoweroff, one.ActionPoweroffHard}, vm.History[0].Action)
		if step.Verb.Acts() && (!s.Proven || asked && !s.Dialect.MonitorSigns || asked && vm.History[0].Action != one.ActionMonitor) {
			t.Fatalf("%s of %+v", step.Verb, vm)
		}
	})
}
