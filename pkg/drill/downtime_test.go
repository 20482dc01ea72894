package drill

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

func levels(devices ...fence.Device) fence.Settings {
	return fence.Settings{Levels: []fence.Level{{Devices: devices}}, Timeout: 10 * time.Second, Attempts: 3, Backoff: 4 * time.Second}
}

// TestProof: how long fencing takes, with the configured values.
func TestProof(t *testing.T) {
	agent := fence.Device{Kind: fence.KindAgent}
	command := fence.Device{Kind: fence.KindCommand}
	lease := fence.Device{Kind: fence.KindLease, Lease: fence.Lease{Length: 30 * time.Second}}
	manual := fence.Device{Kind: fence.KindManual}
	for name, c := range map[string]struct {
		f       Fencing
		fencing string
		watched time.Duration
		kind    ProofKind
		span    downtime.Span
		shorter time.Duration
	}{
		// Attempts of 10+20+1+10 s with pauses of 4 and 8 s, half as long again.
		"agent":           {Fencing{Settings: levels(agent)}, config.FencingAuto, 0, ProofDevices, downtime.Between(0, 141), 88 * time.Second},
		"command":         {Fencing{Settings: levels(command)}, config.FencingAuto, 0, ProofDevices, downtime.Between(0, 48), 26 * time.Second},
		"lease":           {Fencing{Settings: levels(lease)}, config.FencingAuto, 0, ProofDevices, downtime.Between(90, 90), 0},
		"watched lease":   {Fencing{Settings: levels(lease)}, config.FencingAuto, time.Minute, ProofDevices, downtime.Between(30, 30), 0},
		"long watch":      {Fencing{Settings: levels(lease)}, config.FencingAuto, 5 * time.Minute, ProofDevices, downtime.Span{}, 0},
		"agent and lease": {Fencing{Settings: fence.Settings{Levels: []fence.Level{{Devices: []fence.Device{agent}}, {Devices: []fence.Device{lease}}}, Timeout: 10 * time.Second, Attempts: 1}}, config.FencingAuto, 0, ProofDevices, downtime.Between(0, 131), 0},
		"an admin":        {Fencing{Settings: levels(manual)}, config.FencingAuto, 0, ProofManual, downtime.Span{High: downtime.Unbounded}, 0},
		"nothing":         {Fencing{Err: fence.ErrNotConfigured}, config.FencingAuto, 0, ProofNone, downtime.Span{}, 0},
		"no levels":       {Fencing{}, config.FencingAuto, 0, ProofNone, downtime.Span{}, 0},
		"off":             {Fencing{Settings: levels(agent)}, config.FencingOff, 0, ProofOff, downtime.Span{}, 0},
	} {
		v := config.Default()
		v.Fencing = c.fencing
		got, shorter := c.f.Proof(v, c.watched), c.f.shorter(v, c.watched)
		if got.Kind != c.kind || got.Span != c.span || shorter.High != c.shorter || got.Proven() != (c.kind == ProofDevices || c.kind == ProofManual) {
			t.Errorf("%s: %+v, shorter %s", name, got, shorter)
		}
	}
}

// conditions are those of a cloud as OpenNebula 6.10 ships it, with an agent.
func conditions() Conditions {
	return Conditions{
		Settings: downtime.ShippedSettings(one.Version{Major: 6, Minor: 10}), FailFast: failfast.NotInstalled, Values: config.Default(), Wait: 6 * time.Minute,
		Fencing: Fencing{Settings: levels(fence.Device{Kind: fence.KindAgent})}, Place: downtime.Place{Etc: "/etc/one", Config: "/etc/one/one-ft.yaml"},
	}
}

// forty is a cloud whose host 0 has 40 VMs with a disk each, and 4 other hosts.
func forty() Cloud {
	var c Cloud
	var ids []int
	for id := range 40 {
		ids = append(ids, id)
		c.VMs = append(c.VMs, with(vm(id, 0, 1, 1), func(v *VM) {
			v.DiskCount, v.History[0].PrologStart, v.History[0].PrologEnd = 1, 100, int64(103+id%5)
		}))
	}
	c.Hosts = []Host{host(0, 40, 40, ids...)}
	for id := 1; id < 5; id++ {
		c.Hosts = append(c.Hosts, host(id, 40, 40))
	}
	return c
}

// foretell foretells the death of host 0.
func foretell(t *testing.T, c Cloud, in Conditions) Downtime {
	t.Helper()
	d, err := one.DialectFor(in.Settings.Version)
	if err != nil {
		t.Fatal(err)
	}
	return Foretell(c, 0, c.Plan(0, d, recovery.Policy{Mode: recovery.Recreate}, false), in)
}

// TestForetell: the stages come from the plan, the settings and the configuration; the measured 40 VMs on 4
// hosts take 150 s to start.
func TestForetell(t *testing.T) {
	d := foretell(t, forty(), conditions())
	routed := d.forecast(downtime.Dropped)
	if d.VMs != 40 || d.Hosts != 4 || len(d.Forecasts) != len(downtime.Failures()) || d.Forecasts[0].Failure != downtime.Silent {
		t.Errorf("%+v", d)
	}
	for kind, want := range map[downtime.StageKind]downtime.Span{
		downtime.StageWatch: downtime.Between(360, 360), downtime.StageProof: downtime.Between(0, 141), downtime.StageScheduling: downtime.Between(135, 150),
		downtime.StageProlog: downtime.Between(3, 7), downtime.StageOpinion: {},
	} {
		if got := routed.Stage(kind); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if !routed.Total.Bounded() || d.Needed <= 600 || d.Timeout != d.Needed || d.Levers[0].Kind != downtime.LeverConnectTimeout || !d.Levers[0].Gains[len(d.Levers[0].Gains)-1].Ends {
		t.Errorf("%+v", d)
	}
	in := conditions()
	in.Values.FenceFirst, in.Values.Place, in.Values.Confirm, in.FailFast, in.SSH.ConnectTimeout = true, true, [][]string{{"/bin/ask"}}, failfast.InForce, 5*time.Second
	fast := foretell(t, forty(), in).forecast(downtime.Dropped)
	if fast.Stage(downtime.StageWatch) != (downtime.Span{}) || fast.Stage(downtime.StageOpinion).High != 32*time.Second || fast.Total.High > 8*time.Minute || fast.Total.High*5 > routed.Total.High*2 {
		t.Errorf("%+v", fast)
	}
	in.Values.Fencing = config.FencingOff
	if unproven := foretell(t, forty(), in); unproven.forecast(downtime.Dropped).Total.Bounded() || unproven.Levers[0].Kind != downtime.LeverFencing {
		t.Errorf("%+v", unproven)
	}
	if none := foretell(t, Cloud{Hosts: []Host{host(0, 1, 1)}}, conditions()); none.VMs != 0 || none.Hosts != 0 {
		t.Errorf("%+v", none)
	}
}

// TestDowntimeLines: an admin sees the stages, what never becomes ERROR, and the setting to write, with its file.
func TestDowntimeLines(t *testing.T) {
	in := conditions()
	in.NotRead = []downtime.Problem{{Kind: downtime.FileMissing, File: downtime.FileSched}}
	in.SSHErr = errors.New("x\x1b[31m")
	d := foretell(t, forty(), in)
	text := strings.Join(d.lines(), "\n")
	for _, part := range []string{
		"downtime until the last of 40 VMs runs again on 4 other hosts:", "oned notices (ERROR)  2m36s to 3m21s     6m57s to 7m45s",
		"the host is watched   6m                 6m", "scheduler             2m15s to 2m30s",
		"frozen: the kernel answers, no process does: never ERROR", "only libvirtd is dead: ERROR after up to 10m", "held for 1m, at most 30m (storm)",
		"1. ConnectTimeout 10 in the ssh configuration of the user that oned runs as: oneft hooks install --ssh (", "sooner in the same network, ", " when routed or filtered; a frozen host, which otherwise never becomes ERROR, is recovered)",
		"MAX_DISPATCH = 40 (now 30) in /etc/one/sched.conf, MAX_HOST = 10 (now 1) in /etc/one/sched.conf; then systemctl restart opennebula-scheduler (2m15s sooner)",
		"MONITORING_INTERVAL_HOST = 60 (now 180) in /etc/one/monitord.conf; then systemctl restart opennebula (", "fence_first: true in /etc/one/one-ft.yaml", "place: true in /etc/one/one-ft.yaml",
		"/etc/one/sched.conf is not there; the settings that OpenNebula ships are assumed", "failed to read the settings of ssh",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	// host_error takes the time that it needs, unless an admin has set another one.
	const short = "timeout: 10m in the configuration is too short to follow all VMs; it must be at least "
	if strings.Contains(text, "too short") || d.Timeout != d.Needed {
		t.Errorf("timeout %g s, needed %g s:\n%s", d.Timeout, d.Needed, text)
	}
	in.Values.TimeoutSet = true
	if set := foretell(t, forty(), in); !strings.Contains(strings.Join(set.lines(), "\n"), short) || set.Timeout != 600 {
		t.Errorf("timeout %g s: %q is not in\n%s", set.Timeout, short, strings.Join(set.lines(), "\n"))
	}
	for kind, part := range map[ProofKind]string{ProofOff: "fencing is off", ProofNone: "nothing fences this host", ProofManual: "an admin has to confirm"} {
		d.Proof.Kind = kind
		if text := strings.Join(d.lines(), "\n"); !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	for state, part := range map[failfast.ForceState]string{failfast.InForce: "fails at once", failfast.AlwaysFails: "fails for every host"} {
		d.FailFast, d.sshErr = state, nil
		if text := strings.Join(d.lines(), "\n"); !strings.Contains(text, part) {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
	if most, lever := d.inShort(); most == "-" || lever != "ConnectTimeout of ssh" {
		t.Errorf("%s, %s", most, lever)
	}
	if most, lever := (*Downtime)(nil).inShort(); most != "-" || lever != "-" {
		t.Errorf("%s, %s", most, lever)
	}
}

// TestDowntimeJSON: the same as data; nothing in it is read as words.
// TestSaving: what has no limit in several ways is said once.
func TestSaving(t *testing.T) {
	t.Parallel()
	got := saving([]downtime.Gain{{Failure: downtime.Silent, Ends: true}, {Failure: downtime.Dropped, Ends: true}, {Failure: downtime.Frozen, Ends: true}})
	if want := "off, same network; off, routed or filtered: without it there is no limit; a frozen host, which otherwise never becomes ERROR, is recovered"; got != want {
		t.Error(got)
	}
}

func TestDowntimeJSON(t *testing.T) {
	d := foretell(t, forty(), conditions())
	text, err := json.Marshal(Report{Downtime: &d})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"downtime":{"vms":40,"hosts":4,"forecasts":[{"failure":"silent","stages":[{"stage":"detection","low_s":156,"high_s":201.2},`, `"proof":{"kind":"devices"`,
		`{"lever":"max_host","changes":[{"file":"sched.conf","setting":"MAX_DISPATCH","now":"30","value":"40"},`, `"ssh_fail_fast":"not_installed"`, `"timeout_s":2100,"timeout_needed_s":2100,`,
		`{"setting":"SCHED_INTERVAL","value":15,"file":"sched.conf","origin":"shipped"}`, `{"failure":"frozen","saves_s":0,"ends":true}`, `"storm":{"low_s":60,"high_s":1800}`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in\n%s", part, text)
		}
	}
}

// TestSurveyDowntime: a column for each host.
func TestSurveyDowntime(t *testing.T) {
	c := forty()
	d, _ := one.DialectFor(one.Version{Major: 6, Minor: 10})
	s := All(c, "the cloud", WholeCloud, func(id int) recovery.Plan { return c.Plan(id, d, recovery.Policy{Mode: recovery.Recreate}, false) },
		func(id int, plan recovery.Plan) *Downtime {
			down := Foretell(c, id, plan, conditions())
			return &down
		})
	rows := s.Table()
	if len(rows) != 6 || rows[0][9] != "DOWN AT MOST" || rows[1][10] != "ConnectTimeout of ssh" && rows[5][10] != "ConnectTimeout of ssh" {
		t.Errorf("%q", rows)
	}
}
