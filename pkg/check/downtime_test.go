package check

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/one"
)

// set changes a setting, as if its file had that.
func set(f *Facts, name downtime.Setting, n int) {
	f.Settings = f.Settings.With(name, n, downtime.ByOned)
}

// withoutTimeout is an ssh that only the kernel bounds; that is told by topic ssh, too.
func withoutTimeout(f *Facts) {
	f.SSH = SSH{}
}

func downtimeTroubles() []trouble {
	v610 := one.Version{Major: 6, Minor: 10}
	return []trouble{
		{"frozen, 7.4", v74, withoutTimeout, []string{"warning downtime |2m36s to 3m21s in the same network, after 6m57s to 7m45s when packets to it are dropped; one whose processes hang (frozen) never|ConnectTimeout 10"}, ""},
		{"frozen, 4.4", v44, withoutTimeout, []string{"warning downtime |(frozen) never|ConnectTimeout 10"}, ""},
		{"frozen, set elsewhere", v74, func(f *Facts) { f.SSH.Timeouts[0].Timeout = 0 }, []string{"warning ssh |after 6m57s to 7m45s instead of 2m50s to 3m36s, and one that hangs perhaps never|", "warning downtime |(frozen) never|ConnectTimeout 10 for all hosts at the end of ~/.ssh/config"}, ""},
		{"detection, 5.10", v510, withoutTimeout, []string{"warning downtime |after 8m3s to 9m18s when packets to it are dropped|ConnectTimeout 10"}, ""},
		{"interval", v610, func(f *Facts) { set(f, downtime.HostInterval, 600) }, []string{"warning downtime |after 9m36s to 10m21s in the same network|MONITORING_INTERVAL_HOST = 60 (now 600) in /etc/one/monitord.conf; then systemctl restart opennebula"}, ""},
		{"scheduler", v610, func(f *Facts) { f.VMs.Active = map[int]int{1: 40, 2: 3} },
			[]string{"warning downtime |host 1 (node1) has the most VMs, 40: if it dies, the scheduler needs 4m45s to 5m to start them on 2 other hosts|MAX_HOST = 20 (now 1) in /etc/one/sched.conf; then systemctl restart opennebula-scheduler"}, ""},
		{"scheduler, 7.4", v74, func(f *Facts) { f.VMs.Active = map[int]int{1: 40} }, []string{"warning downtime |has the most VMs, 40|MAX_ACTIONS_PER_HOST = 20 (now 1) in /etc/one/oned.conf"}, ""},
		{"scheduler, set", v610, func(f *Facts) {
			f.VMs.Active = map[int]int{1: 40}
			set(f, downtime.MaxHost, 20)
			set(f, downtime.MaxDispatch, 0)
		}, nil, ""},
		{"placed", v610, func(f *Facts) { f.VMs.Active, f.Values.Place = map[int]int{1: 400}, true }, nil, ""},
		{"no limit", v610, func(f *Facts) { set(f, downtime.MaxHost, 0) }, []string{"problem downtime everything|starts no VM at all: MAX_HOST is 0|MAX_HOST = 1 (now 0)"}, ""},
		{"settings unknown", v610, func(f *Facts) { f.Settings.Values = nil }, nil, ""},
		{"files unknown", v610, func(f *Facts) { f.NotRead = []downtime.Problem{{Kind: downtime.FileMissing, File: downtime.FileSched}} }, nil, "/etc/one/sched.conf is not there"},
	}
}

// TestDowntimeData: the same as data, with the slowest host of those that ssh told of.
func TestDowntimeData(t *testing.T) {
	f := good(t, v74)
	f.VMs.Active = map[int]int{3: 40}
	f.SSH.Timeouts = append(f.SSH.Timeouts, HostTimeout{Host: 3, Timeout: 30 * time.Second}, HostTimeout{Host: 4, Err: errTest})
	r := Evaluate(f)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"downtime":{"detection":[{"failure":"silent","span":{"low_s":156,"high_s":201.2}},{"failure":"dropped","span":{"low_s":210.2,"high_s":256.2}}`,
		`{"failure":"no_sshd","span":{"low_s":null,"high_s":null}}`, `"scheduler":{"host":3,"vms":40,"hosts":2,"span":{"low_s":38,"high_s":1440},"lever":"max_host"`,
		`{"setting":"MAX_HOST","value":1,"file":"schedulers/rank.conf","origin":"shipped"}`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in\n%s", part, text)
		}
	}
	f.Settings = downtime.Settings{}
	if r := Evaluate(f); r.Downtime != nil {
		t.Errorf("%+v", r.Downtime)
	}
}
