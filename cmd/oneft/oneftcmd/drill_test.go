package oneftcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/test/sim/cloud"
)

// callDrill runs oneft drill in an OpenNebula of its own and returns its exit code and output.
func callDrill(t *testing.T, location string, c *cloud.Cloud, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	tool := &tool{env: app.Env{Stdout: &out, Stderr: &problems, Transport: c.Transport(), Getenv: func(name string) string {
		return map[string]string{"ONE_LOCATION": location, "HOME": location, "ONE_XMLRPC": "http://cloud/RPC2"}[name]
	}}}
	return called(app.Dispatch(t.Context(), tool.drill(), args, &out), &out, &problems)
}

// TestDrillDowntime: on each version the settings are read where that version has them, and told as a
// table, as data, and in a line for each host.
func TestDrillDowntime(t *testing.T) {
	for version, want := range map[string]struct {
		files      map[string]string
		detection  string // in the same network
		scheduling float64
		origin     downtime.Origin
	}{
		// 4 s of the simulated cloud's own interval, told by oned up to 5.10.
		"4.4.1":  {map[string]string{"etc/sched.conf": "SCHED_INTERVAL = 10 max_host = 2\n"}, "", 20, downtime.Configured},
		"5.10.6": {map[string]string{"etc/sched.conf": "SCHED_INTERVAL = 10\n"}, "", 30, downtime.Configured},
		"6.10.0": {map[string]string{"etc/sched.conf": "sched_interval\n= 20\n", "etc/monitord.conf": "A = 1 monitoring_interval_host = 60\r\n"}, "36s to 1m31s", 60, downtime.Configured},
		"7.4.1":  {map[string]string{"etc/oned.conf": "SCHED_MAX_WND_TIME = 1\n"}, "2m36s to 3m21s", 0, downtime.Configured},
	} {
		cfg := cloud.Config{Version: version}
		for id := range 3 {
			cfg.Hosts = append(cfg.Hosts, cloud.Host{ID: id, Name: "node", CPU: 1600, MemMB: 65536, State: one.HostMonitored})
		}
		for id := range 5 {
			cfg.VMs = append(cfg.VMs, cloud.VM{ID: id, State: one.Active, LCM: one.Running, CPU: 1, MemMB: 512, History: []cloud.Record{{HostID: 1, STime: 1, PSTime: 1, PETime: 3, RSTime: 3}}})
		}
		c, err := cloud.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		dir := newLocation(t, want.files)
		_, out, problems := callDrill(t, dir, c, "1")
		for _, part := range []string{"downtime until the last of 5 VMs runs again on 2 other hosts:", want.detection, "disks (prolog)", "to shorten it, the largest saving first:", "only sshd is dead: never ERROR"} {
			if !strings.Contains(out, part) || problems != "" && strings.Contains(problems, "panic") {
				t.Errorf("%s: %q is not in\n%s%s", version, part, out, problems)
			}
		}
		_, out, problems = callDrill(t, dir, c, "--json", "1")
		var report struct {
			Downtime struct {
				Forecasts []struct {
					Stages []struct {
						Stage downtime.StageKind
						Low   float64 `json:"low_s"`
						High  float64 `json:"high_s"`
					}
				}
				Settings []downtime.Value
				Timeout  float64 `json:"timeout_needed_s"`
			}
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Downtime.Forecasts) != len(downtime.Failures()) || report.Downtime.Timeout < 600 {
			t.Fatalf("%s: %v\n%s%s", version, err, out, problems)
		}
		for _, s := range report.Downtime.Forecasts[0].Stages {
			if s.Stage == downtime.StageScheduling && want.scheduling > 0 && s.High != want.scheduling {
				t.Errorf("%s: the scheduler takes %g s, want %g", version, s.High, want.scheduling)
			}
			if s.Stage == downtime.StageProlog && (s.Low != 2 || s.High != 2) {
				t.Errorf("%s: the prolog takes %g to %g s", version, s.Low, s.High)
			}
		}
		if v := report.Downtime.Settings[0]; v.Origin != want.origin && version != "7.4.1" {
			t.Errorf("%s: %+v", version, v)
		}
		_, out, _ = callDrill(t, dir, c, "--all")
		if !strings.Contains(out, "DOWN AT MOST") || strings.Count(out, "MONITORED") < 3 {
			t.Errorf("%s:\n%s", version, out)
		}
	}
}

// sshMachine answers what ssh -G says.
type sshMachine struct {
	failfast.Machine
	says string
	code int
}

func (m sshMachine) SSH() (string, error) { return "/usr/bin/ssh", nil }

func (m sshMachine) Run(context.Context, time.Duration, process.Program) process.Result {
	return process.Result{Output: m.says, Code: m.code}
}

// TestDrillSSH: on the front-end ssh of the drivers is asked for its ConnectTimeout; an ssh that does not tell is
// said, and what OpenNebula ships is assumed.
func TestDrillSSH(t *testing.T) {
	c, err := cloud.New(cloud.Config{Version: "6.10.0", Hosts: []cloud.Host{{ID: 0, Name: "node0"}, {ID: 1, Name: "node1"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, want := range map[string]struct {
		machine sshMachine
		says    string
	}{
		"timeout": {sshMachine{says: "hostname node0\nport 22\nconnecttimeout 5\n"}, "frozen: the kernel answers, no process does: ERROR after 2m40s to 3m26s"},
		"none":    {sshMachine{says: "hostname node0\nport 22\nconnecttimeout none\n"}, "frozen: the kernel answers, no process does: never ERROR"},
		"broken":  {sshMachine{says: "Bad configuration\x1b", code: 255}, "failed to read the settings of ssh, those that OpenNebula ships are assumed"},
	} {
		var out, problems bytes.Buffer
		dir := newLocation(t, map[string]string{})
		tool := &tool{env: app.Env{Stdout: &out, Stderr: &problems, Transport: c.Transport(), Machine: want.machine, Getenv: func(name string) string {
			return map[string]string{"ONE_LOCATION": dir, "HOME": dir, "ONE_XMLRPC": "http://localhost:2633/RPC2"}[name]
		}}}
		if err := app.Dispatch(t.Context(), tool.drill(), []string{"0"}, &out); err != nil || !strings.Contains(out.String(), want.says) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: %v\n%s%s", name, err, out.String(), problems.String())
		}
	}
}
