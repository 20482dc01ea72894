package check

import (
	"errors"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/watch"
)

var (
	v44  = one.Version{Major: 4, Minor: 4, Patch: 1}
	v510 = one.Version{Major: 5, Minor: 10, Patch: 6}
	v74  = one.Version{Major: 7, Minor: 4, Patch: 1}
	// noon is when all judgements take place.
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

var errTest = errors.New("no\x1bway")

// good is a cloud about which there is nothing to say.
func good(t testing.TB, v one.Version) Facts {
	t.Helper()
	d, err := one.DialectFor(v)
	if err != nil {
		t.Fatal(err)
	}
	f := Facts{
		Now: noon, Version: v, Dialect: d, Endpoint: "http://localhost:2633/RPC2",
		User: one.User{ID: 0, Name: "oneadmin", Groups: []int{0}},
		Given: Given{
			Own: "v1.2", ConfigFile: "/etc/one/one-ft.yaml", Values: config.Default(), HostHook: HostHook{Action: "recreate"},
			Hooks: []Finding{{Severity: OK, What: "hook 0 (host_error) runs host_error on HOST/ERROR"}},
			Place: downtime.Place{Etc: "/etc/one", Config: "/etc/one/one-ft.yaml"}, LastSweep: noon.Add(-time.Minute),
		},
		FrontEnd: FrontEnd{Local: true, OnedUID: 9869, OnedUser: "oneadmin", UID: 9869, Manager: true, ManagerState: "S", Timer: true},
		SSH:      goodSSH(),
		Watch:    Watch{Enabled: true, State: watch.State{At: noon}},
		Survey:   Survey{Asked: true, Ways: []reach.Way{{Host: 1, Name: "node1", Answer: reach.Reachable}, {Host: 2, Name: "node2", Answer: reach.Reachable}, {Host: 3, Name: "node3", Answer: reach.Refused}}},
		Settings: downtime.ShippedSettings(v),
		VMs:      VMs{Count: 2, Active: map[int]int{1: 1, 2: 1}, On: map[int]int{0: 2}}, Datastores: []Datastore{{Datastore: one.Datastore{ID: 0, Name: "system", Shared: true}}},
		Clock: Clock{Newest: noon.Add(-time.Minute), Of: "host 1 was monitored", Monitored: noon.Add(-time.Minute)},
		Dirs:  []Path{{Path: "/var/lib/one/one-ft", For: "the state"}}, Programs: []Path{{Path: "/bin/true", For: "notify"}},
	}
	if v.Before(5, 9) {
		f.Written = []HookLine{{"HOST", "host_error", "ERROR", "/x/host_error", "$ID -r n"}}
		f.Loaded = []HookLine{f.Written[0]}
	}
	for id := 1; id <= 3; id++ {
		f.Hosts = append(f.Hosts, hostWith(id, agentLevel(id, fence.PowerOn, nil)))
	}
	return f
}

func hostWith(id int, levels ...[]Device) Host {
	return Host{Host: one.Host{ID: id, Name: "node" + string(rune('0'+id)), State: one.HostMonitored, Template: map[string]string{}}, Levels: levels, Asked: true}
}

func agentLevel(id int, power fence.Power, err error) []Device {
	outlet := string(rune('0' + id))
	return []Device{{Kind: fence.KindAgent, Label: "fence_ipmilan on 10.0.0." + outlet, Key: outlet, Power: power, Err: err}}
}

// leased is a host with a lease that waits for 60 + 50 + 10 s.
func leased(id int, promise fence.Promise) Host {
	h := hostWith(id, []Device{{Kind: fence.KindLease, Label: "lease of 1m0s", FromTemplate: true,
		Lease: fence.Lease{Length: time.Minute, Reaction: fence.DefaultReaction, Margin: fence.DefaultMargin}}})
	h.Promise, h.Promised = promise, promise != fence.Promise{}
	return h
}

// inQuarantine is a host that one-ft has taken out of scheduling.
func inQuarantine(h *Host, zombies string) {
	q := hostmark.Quarantine{FrontEnd: "one1-1f3a", Incident: 12, At: noon.Add(-time.Hour), Proven: true}
	h.State, h.Template[hostmark.AttrQuarantine] = one.HostDisabled, q.String()
	if zombies != "" {
		h.Template["ZOMBIES"] = zombies
	}
}
