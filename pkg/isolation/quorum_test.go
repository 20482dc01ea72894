package isolation

import (
	"errors"
	"testing"
	"time"

	"one-ft/pkg/one"
)

func TestQuorum(t *testing.T) {
	down := Answer{Err: errors.New("time-out")}
	said := func(says Reported, asked time.Duration) Answer { return Answer{Reported: says, Asked: asked} }
	const m, e = ReportedMonitored, ReportedError
	for _, c := range []struct {
		name    string
		answers []Answer
		says    Reported
		asked   time.Duration
		via     int
	}{
		{"nobody", nil, ReportedNothing, 0, -1},
		{"down", []Answer{down}, ReportedNothing, 0, -1},
		{"alone", []Answer{said(m, 7)}, m, 7, 0},
		{"one of two", []Answer{down, said(m, 7)}, ReportedNothing, 0, -1},
		{"two that differ", []Answer{said(m, 7), said(e, 8)}, e, 7, 1},
		{"all three", []Answer{said(m, 5), said(m, 7), said(m, 6)}, m, 5, 0},
		{"two of three", []Answer{down, said(m, 7), said(m, 6)}, m, 6, 1},
		{"one of three, cut off with the host", []Answer{down, said(m, 7), down}, ReportedNothing, 0, -1},
		{"two of four", []Answer{down, said(m, 7), said(m, 6), down}, ReportedNothing, 0, -1},
		{"an old leader and one that knows more", []Answer{said(m, 5), said(e, 7), down}, e, 5, 1},
		{"every state", []Answer{said(m, 9), said(ReportedDisabled, 9), said(ReportedInit, 9), said(ReportedOther, 9), said(ReportedOffline, 9)}, ReportedOffline, 9, 4},
		{"INIT is worse than DISABLED", []Answer{said(ReportedDisabled, 9), said(ReportedInit, 9)}, ReportedInit, 9, 1},
	} {
		word, via := Quorum(c.answers)
		if word.Reported != c.says || word.Asked != c.asked || via != c.via {
			t.Errorf("%s: %+v, via %d", c.name, word, via)
		}
		if (via < 0) != (word.Err != nil) && len(c.answers) > 0 {
			t.Errorf("%s: via %d, why %v", c.name, via, word.Err)
		}
	}
}

func TestStale(t *testing.T) {
	here, there := one.Record{Seq: 0, HostID: 1}, one.Record{Seq: 1, HostID: 2}
	vm := func(state one.VMState, lcm one.LCMState, history ...one.Record) one.VM {
		return one.VM{ID: 5, State: state, LCM: lcm, History: history}
	}
	for _, c := range []struct {
		name string
		vm   one.VM
		want bool
	}{
		{"runs here", vm(one.Active, one.Running, here), false},
		{"unknown here", vm(one.Active, one.Unknown, here), false},
		{"runs elsewhere", vm(one.Active, one.Running, here, there), true},
		{"starts elsewhere", vm(one.Active, one.Boot, here, there), true},
		{"failed elsewhere", vm(one.Active, one.BootFailure, here, there), true},
		{"off elsewhere", vm(one.Poweroff, one.LCMInit, here, there), true},
		{"only the last record is known", vm(one.Active, one.Running, there), true},
		{"live migration from here", vm(one.Active, one.Migrate, here, there), false},
		{"failed migration from here", vm(one.Active, one.PrologMigrateFailure, here, there), false},
		{"migration from a third host", vm(one.Active, one.Migrate, here, one.Record{Seq: 1, HostID: 3}, one.Record{Seq: 2, HostID: 2}), true},
		{"migration to here", vm(one.Active, one.Migrate, there, one.Record{Seq: 2, HostID: 1}), false},
		{"pending again", vm(one.Pending, one.LCMInit, here), true},
		{"being recreated", vm(one.Active, one.CleanupResubmit, here), true},
		{"on hold", vm(one.Hold, one.LCMInit, here), true},
		{"ended", vm(one.Done, one.LCMInit, here), true},
		{"suspended here", vm(one.Suspended, one.LCMInit, here), false},
		{"never placed", vm(one.Active, one.Running), false},
	} {
		if why, stale := Stale(c.vm, 1); stale != c.want || stale == why.IsZero() {
			t.Errorf("%s: %v, %s", c.name, stale, why)
		}
	}
}
