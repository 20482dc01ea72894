package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/fence"
)

func TestValues(t *testing.T) {
	if got := (File{}).Values(); !reflect.DeepEqual(got, Default()) {
		t.Errorf("the zero File gives %+v", got)
	}
	f := loaded(t, `
wait: 1h30m
confirm: [[/a, 1, yes, ""], [/b]]
fencing: required
fence_first: true
quarantine: false
storm: {share: 7%, hosts: 9, window: 11m, cool_down: 0s, give_up: 1500ms, quiet: 0s, per_cluster: false}
survey: {port: 16509, skip: ["a*", b], settle: 0s, alive: 90s}
put_to_rest: {action: report, window: 20m}
priority: {min: 10, max: 10}
parallel: 12
timeout: 24h
oned_wait: 0s
verify: none
endpoint: https://one.example/RPC2
auth_file: /a
ca_file: /c
ssh: /ssh
log_file: "-"
state_dir: /s
resume: {hosts: migrate, suspended: true, unknown: none, failed: retry}
notify:
- command: [/t, -x]
- {command: [/u], on: [problem, begin], timeout: 10m}
metrics_file: /m.prom
`)
	want := Values{
		Wait: 90 * time.Minute, Confirm: [][]string{{"/a", "1", "yes", ""}, {"/b"}}, Fencing: FencingRequired, FencingSet: true, FenceFirst: true,
		StormShare: 7, StormHosts: 9, StormWindow: 11 * time.Minute, StormGiveUp: 1500 * time.Millisecond,
		SurveyPort: 16509, SurveySkip: []string{"a*", "b"}, SurveyAlive: 90 * time.Second,
		BudgetAttempts: 3, BudgetWindow: time.Hour, BudgetBackOff: 30 * time.Second, BudgetRanWell: 10 * time.Minute, BudgetPerMinute: 20,
		PutToRest: RestReport, RestWindow: 20 * time.Minute, PriorityMin: 10, PriorityMax: 10, Parallel: 12, Timeout: 24 * time.Hour, TimeoutSet: true, Verify: "none",
		Endpoint: "https://one.example/RPC2", AuthFile: "/a", CAFile: "/c", SSH: "/ssh", LogFile: "-", StateDir: "/s",
		ResumeHosts: ResumeMigrate, ResumeSuspended: true, ResumeUnknown: ResumeNone, ResumeFailed: ResumeRetry,
		Notify: []Notification{
			{Command: []string{"/t", "-x"}, On: DefaultNotifyOn(), Timeout: DefaultNotifyTimeout},
			{Command: []string{"/u"}, On: []string{NotifyProblem, NotifyBegin}, Timeout: 10 * time.Minute},
		},
		MetricsFile: "/m.prom",
	}
	if got := f.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for text, want := range map[string][2]bool{"fencing: auto": {true, false}, "timeout: 10m": {false, true}, "wait: 1s": {}} {
		if v := loaded(t, text).Values(); v.FencingSet != want[0] || v.TimeoutSet != want[1] {
			t.Errorf("%s: a default and what is not set are mixed up: %+v", text, v)
		}
	}
}

func TestFenceEntry(t *testing.T) {
	f := loaded(t, device("agent: fence_ipmilan", "params: {ip: 10.0.0.11, ipport: 0623, lanplus: yes, login: \"\"}")+
		"  - {name: x, devices: [{command: [/f, -a]}, {agent: fence_b}]}\n  - devices: [{manual: true}]\n  - devices: [{lease: 60s}]\n  - devices: [{lease: 1h, reaction: 1h, margin: 10m}]\n")
	want := []Entry{{
		Hosts: []string{"a"}, // the rest is not set
		Settings: fence.Settings{Levels: []fence.Level{
			{Name: "level-1", Devices: []fence.Device{agentOf("fence_ipmilan", map[string]string{"ip": "10.0.0.11", "ipport": "0623", "lanplus": "yes", "login": ""})}},
			{Name: "x", Devices: []fence.Device{{Kind: fence.KindCommand, Command: []string{"/f", "-a"}}, agentOf("fence_b", nil)}},
			{Name: "level-3", Devices: []fence.Device{{Kind: fence.KindManual}}},
			{Name: "level-4", Devices: []fence.Device{{Kind: fence.KindLease, Lease: fence.Lease{Length: time.Minute}}}},
			{Name: "level-5", Devices: []fence.Device{{Kind: fence.KindLease, Lease: fence.Lease{Length: time.Hour, Reaction: time.Hour, Margin: 10 * time.Minute}}}},
		}},
	}}
	if !reflect.DeepEqual(f.Fence, want) {
		t.Errorf("got %+v\nwant %+v", f.Fence, want)
	}
}

func TestFenceFor(t *testing.T) {
	const levels = "levels: [{devices: [{manual: true}]}]}\n"
	f := loaded(t, "fence:\n- {hosts: ['node0*', 'gpu?', 'r[12]'], attempts: 1, "+levels+
		"- {clusters: [default, Prod], attempts: 2, "+levels+
		"- {hosts: [both], clusters: [rest], attempts: 3, "+levels+
		"- {hosts: ['node*'], attempts: 4, "+levels)
	for _, test := range []struct {
		host, cluster string
		attempts      int // 0: no entry
	}{
		{"node01", "", 1}, {"node01", "default", 1}, {"gpu1", "x", 1}, {"gpu", "x", 0}, {"gpu12", "x", 0}, {"r2", "x", 1}, {"r3", "x", 0},
		{"gpu12", "default", 2}, {"x", "Prod", 2}, {"x", "prod", 0}, {"both", "", 3}, {"x", "rest", 3}, {"node1", "", 4},
		{"Node01", "x", 0}, {"", "", 0}, {"node0/1", "", 0}, {"gpu\n", "", 1},
	} {
		e, ok := f.FenceFor(test.host, test.cluster)
		if ok != (test.attempts > 0) || e.Attempts != test.attempts {
			t.Errorf("%q in %q: entry with %d attempts, %v; want %d", test.host, test.cluster, e.Attempts, ok, test.attempts)
		}
	}
	if _, ok := (File{}).FenceFor("a", "b"); ok {
		t.Error("the zero File fences")
	}
}

// agentOf is a device that is an agent.
func agentOf(name string, params map[string]string) fence.Device {
	return fence.Device{Kind: fence.KindAgent, Agent: name, Params: params}
}

func TestLevelsFor(t *testing.T) {
	params := map[string]string{"ip": "%h-bmc.%i.example", "plug": "100%%h%%", "password": "%h%%", "plain": "x"}
	e := Entry{Settings: fence.Settings{Levels: []fence.Level{{Devices: []fence.Device{{Kind: fence.KindManual}}}, {Name: "b", Devices: []fence.Device{agentOf("fence_a", params)}}}}}
	got, err := e.LevelsFor("node%i", 12)
	want := map[string]string{"ip": "node%i-bmc.12.example", "plug": "100%h%", "password": "%h%%", "plain": "x"}
	if err != nil || len(got) != 2 || got[1].Name != "b" || !reflect.DeepEqual(got[1].Devices, []fence.Device{agentOf("fence_a", want)}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if params["ip"] != "%h-bmc.%i.example" {
		t.Error("the parameters themselves were changed")
	}
	if _, err := e.LevelsFor("a\naction=on", 3); err == nil || err.Error() != `host 3: the name "a\naction=on" has characters that cannot be printed` {
		t.Errorf("line break: %v", err)
	}
}

// Parameters are printed without secrets, also inside of other things.
func TestSecretsAreNotPrinted(t *testing.T) {
	f := loaded(t, device("agent: fence_a", "params: {password: s3cret, ip: a}"))
	text, err := json.Marshal(f.Fence[0].Levels)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprintf("%v", f), fmt.Sprintf("%+v", f), fmt.Sprintf("%#v", f), string(text)} {
		if strings.Contains(shown, "s3cret") || !strings.Contains(shown, "fence_a") {
			t.Error(shown)
		}
	}
}
