package recovery

import (
	"testing"
	"time"

	"one-ft/pkg/one"
)

func TestBudget(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b := Budget{Attempts: 3, Window: time.Hour, BackOff: 30 * time.Second, RanWell: 10 * time.Minute}
	ago := func(minutes ...int) (times []time.Time) {
		for _, m := range minutes {
			times = append(times, now.Add(-time.Duration(m)*time.Minute))
		}
		return times
	}
	unix := func(minutes int) int64 { return now.Add(-time.Duration(minutes) * time.Minute).Unix() }
	recreated := func(minutes ...int) (vm one.VM) {
		for i, m := range minutes {
			vm.History = append(vm.History, one.Record{Seq: i, Action: one.ActionRecreate, End: unix(m)})
		}
		vm.History = append(vm.History, one.Record{Seq: len(minutes)})
		return vm
	}
	with := func(vm one.VM, value string) one.VM {
		vm.UserTemplate = map[string]string{"FT_MAX_ATTEMPTS": value}
		return vm
	}
	host := func(value string) *one.Host {
		return &one.Host{Template: map[string]string{"FT_MAX_ATTEMPTS": value}}
	}
	ran := func(vm one.VM, from, to int) one.VM {
		r := one.Record{Seq: 9, RunningStart: unix(from), Action: one.ActionPoffMigrate}
		if to > 0 {
			r.RunningEnd = unix(to)
		}
		vm.History = append(vm.History, r)
		return vm
	}
	up := func(vm one.VM) one.VM {
		vm.State, vm.LCM = one.Active, one.Unknown
		return vm
	}
	for _, c := range []struct {
		name  string
		vm    one.VM
		host  *one.Host
		noted []time.Time
		want  Spent
	}{
		{"the first time", one.VM{}, nil, nil, Spent{Limit: 3}},
		{"the second, at once", one.VM{}, nil, ago(0), Spent{Attempts: 1, Limit: 3, Wait: 30 * time.Second}},
		{"the second, later", one.VM{}, nil, ago(1), Spent{Attempts: 1, Limit: 3}},
		{"the third, at once", one.VM{}, nil, ago(1, 0), Spent{Attempts: 2, Limit: 3, Wait: time.Minute}},
		{"in any order", one.VM{}, nil, ago(0, 1), Spent{Attempts: 2, Limit: 3, Wait: time.Minute}},
		{"the fourth", one.VM{}, nil, ago(50, 1, 0), Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(10 * time.Minute)}},
		{"more than the limit", one.VM{}, nil, ago(50, 40, 30, 20, 10), Spent{Attempts: 5, Limit: 3, Exhausted: true, Until: now.Add(30 * time.Minute)}},
		{"the oldest is out of the window", one.VM{}, nil, ago(61, 40, 20), Spent{Attempts: 2, Limit: 3}},
		{"from the future", one.VM{}, nil, ago(-5, -6, -7), Spent{Limit: 3}},
		{"by the history alone", recreated(50, 40, 30), nil, nil, Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(10 * time.Minute)}},
		{"the larger number counts", recreated(50, 40), nil, ago(30, 20, 10), Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(30 * time.Minute)}},
		{"moves are no attempts", ran(one.VM{}, 5, 4), nil, nil, Spent{Limit: 3}},
		{"it ran well afterwards", ran(recreated(50, 40, 30), 25, 5), nil, nil, Spent{Limit: 3}},
		{"a boot that hung for long", ran(recreated(50, 40, 30), 25, 0), nil, nil, Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(10 * time.Minute)}},
		{"it runs well until now", up(ran(recreated(50, 40, 30), 25, 0)), nil, ago(50, 40, 30), Spent{Limit: 3}},
		{"it ran well in between", ran(recreated(50, 40, 10), 35, 12), nil, nil, Spent{Attempts: 1, Limit: 3}},
		{"it ran, but not for long", ran(recreated(50, 40, 30), 25, 16), nil, nil, Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(10 * time.Minute)}},
		{"its owner wants less", with(one.VM{}, "1"), nil, ago(30), Spent{Attempts: 1, Limit: 1, Exhausted: true, Until: now.Add(30 * time.Minute)}},
		{"its owner wants none", with(one.VM{}, "0"), nil, nil, Spent{Exhausted: true}},
		{"its owner wants more", with(recreated(3, 2, 1), "99"), nil, nil, Spent{Attempts: 3, Limit: 3, Exhausted: true, Until: now.Add(57 * time.Minute)}},
		{"its owner writes nonsense", with(one.VM{}, "many"), nil, nil, Spent{Limit: 3}},
		{"an admin wants more", one.VM{}, host("5"), ago(40, 30, 20), Spent{Attempts: 3, Limit: 5}},
		{"an admin wants more, its owner less", with(one.VM{}, "4"), host("5"), nil, Spent{Limit: 4}},
		{"negative", one.VM{}, host("-1"), nil, Spent{Limit: 3}},
	} {
		if got := b.Judge(c.vm, c.host, c.noted, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	huge := Budget{Attempts: 100, Window: 1000 * time.Hour, BackOff: time.Minute, RanWell: time.Hour}
	var many []time.Time
	for range 60 {
		many = append(many, now)
	}
	if got := huge.Judge(one.VM{}, nil, many, now); got.Wait <= 0 || got.Exhausted {
		t.Errorf("60 attempts: %+v", got)
	}
}
