package recovery

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"one-ft/pkg/one"
)

// FuzzPolicy: whatever owners and admins write into FT_ACTION, FT_PRIORITY and FT_MAX_ATTEMPTS, an
// owner only gets less, a priority stays in the range, and a reason is fit for a log.
func FuzzPolicy(f *testing.F) {
	for _, s := range [][2]string{{"none", "recreate"}, {" None ", "DELETE"}, {"delete", ""}, {"", "none"}, {"recreate", "\x1b[2J"}, {"50", "-1"}, {"100", "101"}, {"9999999999999999999", " 7 "}, {"NaN", "0x10"}} {
		f.Add(s[0], s[1], s[0], s[1], 10, 60, 3)
	}
	f.Fuzz(func(t *testing.T, owner, template, admin, cluster string, low, high, attempts int) {
		all := func(value string) map[string]string {
			return map[string]string{attrAction: value, attrPriority: value, attrMaxAttempts: value}
		}
		vm, host := one.VM{ID: 7, UserTemplate: all(owner), Template: all(template)}, one.Host{ID: 3, Template: all(admin)}
		for _, mode := range []Mode{Recreate, Delete, Migrate} {
			withoutOwner, _ := action(one.VM{ID: 7}, host, mode)
			got, why := action(vm, host, mode)
			switch {
			case got != withoutOwner && got != "":
				t.Errorf("the owner's %q and %q make %s of %s", owner, template, got, withoutOwner)
			case !slices.Contains([]Mode{"", Recreate, Delete, Migrate}, got), got == "" && why.IsZero():
				t.Errorf("mode %q, %q", got, why)
			case strings.ContainsFunc(why.String(), func(r rune) bool { return !unicode.IsPrint(r) }):
				t.Errorf("%q", why)
			}
		}
		if low >= 0 && high >= low && high <= 100 {
			allowed := Range{low, high}
			if p := priority(vm, allowed); allowed != (Range{}) && p != defaultPriority && (p < low || p > high) || p < 0 || p > 100 {
				t.Errorf("priority %d of %q, %q in %+v", p, owner, template, allowed)
			}
		}
		if p := priority(vm, Range{}); p < 0 || p > 100 {
			t.Errorf("priority %d", p)
		}
		budget(t, vm, host, attempts)
	})
}

// budget checks how many attempts a VM gets.
func budget(t *testing.T, vm one.VM, host one.Host, attempts int) {
	if attempts < 0 || attempts > 100 {
		return
	}
	b := Budget{Attempts: attempts, Window: time.Hour, BackOff: time.Minute, RanWell: time.Hour}
	now := time.Unix(1_700_000_000, 0)
	alone := b.Judge(one.VM{ID: 7}, &host, nil, now)
	if s := b.Judge(vm, &host, nil, now); s.Limit > alone.Limit || s.Limit < 0 || s.Limit > 100 {
		t.Errorf("the owner gets %d attempts of %d", s.Limit, alone.Limit)
	}
	if s := b.Judge(vm, nil, []time.Time{now.Add(-time.Second)}, now); s.Limit > attempts || s.Wait < 0 || s.Wait > time.Hour {
		t.Errorf("%+v of %d attempts", s, attempts)
	}
}

// FuzzHistory: no history of a VM, whatever its times, makes attempts out of nothing, or a wait that
// has no end.
func FuzzHistory(f *testing.F) {
	f.Add(int64(1_699_999_000), int64(1_699_999_500), int64(0), uint8(3), 3)
	f.Add(int64(-1), int64(1)<<62, int64(1)<<61, uint8(50), 1)
	f.Add(int64(1_700_000_001), int64(-1)<<63, int64(5), uint8(1), 0)
	f.Fuzz(func(t *testing.T, began, step, ran int64, n uint8, attempts int) {
		if attempts < 0 || attempts > 100 {
			return
		}
		vm := one.VM{ID: 7, State: one.Active, LCM: one.BootFailure}
		for i := range int64(n) {
			at := began + i*step
			vm.History = append(vm.History, one.Record{Seq: int(i), HostID: 3, Action: one.ActionRecreate, End: at, RunningStart: at - ran, RunningEnd: at})
		}
		b := Budget{Attempts: attempts, Window: time.Hour, BackOff: time.Minute, RanWell: 10 * time.Minute}
		s := b.Judge(vm, nil, nil, time.Unix(1_700_000_000, 0))
		if s.Attempts > int(n) || s.Attempts < 0 || s.Wait < 0 || s.Wait > time.Minute<<maxDoublings || s.Exhausted != (s.Attempts >= attempts) {
			t.Errorf("%+v", s)
		}
	})
}
