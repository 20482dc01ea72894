package oneftcmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/check"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// broken is an output that nobody reads.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }

// TestScreen: a terminal is redrawn, anything else gets what is new, with the time; it ends when nobody reads or the context ends.
func TestScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		n := 0
		view := func(context.Context) []string {
			n++
			return []string{"same", fmt.Sprint("round\x1b ", n/2)}
		}
		var plain, drawn bytes.Buffer
		(&screen{out: &plain}).follow(ctx, 2*time.Second, view)
		if got := plain.String(); got != "00:00:00 same\n00:00:00 round\\x1b 0\n00:00:02 round\\x1b 1\n00:00:06 round\\x1b 2\n" {
			t.Errorf("%s", got)
		}
		n = 0
		over, end := context.WithTimeout(t.Context(), 3*time.Second)
		defer end()
		(&screen{out: &drawn, terminal: true}).follow(over, 2*time.Second, view)
		if got := drawn.String(); strings.Count(got, clear) != 2 || strings.Count(got, "same\n") != 2 {
			t.Errorf("%q", got)
		}
		(&screen{out: broken{}}).follow(t.Context(), time.Second, view)
	})
}

// TestFollow: incidents --follow says what goes on, from the journal alone, and that nothing does where there is no journal yet.
func TestFollow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	follow := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		env := app.Env{Args: []string{"oneft", "incidents", "--follow", "--state-dir", dir}, Stdout: ender{&out, cancel}, Stderr: &out, Getenv: func(string) string { return "" }}
		if code := Run(ctx, env); code != 0 {
			t.Errorf("exit code %d", code)
		}
		return out.String()
	}
	if got := follow(); !strings.Contains(got, "no incident is open") || !strings.Contains(got, dir+" is not there yet (named by --state-dir)") {
		t.Error(got)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := follow(); !strings.Contains(got, "no incident is open") || strings.Contains(got, "not there yet") {
		t.Error(got)
	}
	j, err := incident.OpenJournal(filepath.Join(dir, "incidents"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Begin(incident.Record{Kind: "host", ID: 3, Name: "node03", Tool: "host_error", Call: []string{"3"}}); err != nil {
		t.Fatal(err)
	}
	if got := follow(); !strings.Contains(got, "incident 1: host 3 (node03): it has begun") {
		t.Error(got)
	}
	if code, _, problems := call(t, "incidents", "--follow", "--json"); code != 2 || !strings.Contains(problems, "contradicts") {
		t.Error(code, problems)
	}
}

// ender ends the context as soon as something was shown.
type ender struct {
	out *bytes.Buffer
	end func()
}

func (e ender) Write(p []byte) (int, error) {
	e.end()
	return e.out.Write(p)
}

// awayTransport is an oned that is away.
type awayTransport struct{}

func (awayTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, syscall.ECONNREFUSED
}

// TestStatus: one screen, on each version, also while one-ft is paused, and while oned is away.
func TestStatus(t *testing.T) {
	for _, version := range []string{"4.4.1", "7.4.1"} {
		c, err := cloud.New(cloud.Config{Version: version, Hosts: []cloud.Host{{ID: 0, Name: "node0"}, {ID: 1, Name: "node1"}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		dir := newLocation(t, map[string]string{"etc/oned.conf": "HM_MAD = [ EXECUTABLE = \"one_hm\" ]\n"})
		runWith := func(transport http.RoundTripper, args ...string) (int, string) {
			var out bytes.Buffer
			env := app.Env{Args: append([]string{"oneft"}, args...), Stdout: &out, Stderr: &out, Transport: transport, Getenv: func(name string) string {
				return map[string]string{"ONE_LOCATION": dir, "HOME": dir, "ONE_XMLRPC": "http://cloud/RPC2", "USER": "ann"}[name]
			}}
			return Run(t.Context(), env), out.String()
		}
		run := func(args ...string) (int, string) { return runWith(c.Transport(), args...) }
		code, out := run("status")
		for _, want := range []string{"no hook of one-ft is known", "oneft resume never ran here", "2 of 2 hosts in service", "no incident is open", "to do", "fix: "} {
			if code != 1 || !strings.Contains(out, want) {
				t.Errorf("%s: %d, without %q:\n%s", version, code, want, out)
			}
		}
		if code, out := run("resume"); code != 0 {
			t.Error(out)
		}
		if code, out := run("pause", "2h", "new", "switches"); code != 0 || !strings.Contains(out, "by ann (new switches)") {
			t.Error(code, out)
		}
		code, out = runWith(awayTransport{}, "status", "--oned-wait", "0s")
		for _, want := range []string{"oneft: ", "PAUSED until", "by ann: new switches", "oneft resume ran last at", "no incident is open", "hosts      not known", "from the state directory alone"} {
			if code != 1 || !strings.Contains(out, want) {
				t.Errorf("%s: oned is away: %d, without %q:\n%s", version, code, want, out)
			}
		}
		if code, out = runWith(awayTransport{}, "status", "--oned-wait", "0s", "--json"); code != 1 || !strings.Contains(out, `"exit_code": 1`) {
			t.Errorf("%s: oned is away: %d\n%s", version, code, out)
		}
		_, out = run("status")
		for _, want := range []string{"PAUSED until", "by ann: new switches", "oneft resume ran last at"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: without %q:\n%s", version, want, out)
			}
		}
		if code, out := run("unpause"); code != 0 || !strings.Contains(out, "the pause is over") {
			t.Error(code, out)
		}
		for _, args := range [][]string{{"pause"}, {"pause", "2h"}, {"pause", "soon", "x"}, {"pause", "1s", "x"}, {"pause", "25h", "x"}, {"unpause", "x"}, {"status", "12"}, {"check", "--watch", "--json"}} {
			if code, out := run(args...); code != 2 || strings.Count(out, "\n") != 1 {
				t.Errorf("%q: %d %s", args, code, out)
			}
		}
	}
}

// TestSweepText: a timer that does not run is named.
func TestSweepText(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for last, want := range map[time.Time]string{{}: "never", now.Add(-time.Minute): "ran last at 11:59:00", now.Add(-6 * time.Minute): "too long ago", now.Add(-48 * time.Hour): "2026-11-28",
		now.Add(time.Second): "ran last at 12:00:01", now.Add(5 * time.Second): "12:00:05 (in the future: the clocks differ), so nobody knows whether it runs", now.Add(48 * time.Hour): "2026-12-02"} {
		if got := sweepText(last, now); !strings.Contains(got, want) {
			t.Errorf("%s: %s", last, got)
		}
	}
}

// TestHostsText: hosts that need somebody are named.
func TestHostsText(t *testing.T) {
	q := hostmark.Quarantine{FrontEnd: "one1", Incident: 2, At: time.Now()}
	hosts := []check.Host{
		{Host: one.Host{ID: 0, Name: "node0", State: one.HostMonitored}}, {Host: one.Host{ID: 1, Name: "node1", State: one.HostError}},
		{Host: one.Host{ID: 2, Name: "node2", State: one.HostDisabled, Template: map[string]string{hostmark.AttrQuarantine: q.String()}}},
		{Host: one.Host{ID: 3, Name: "node3", State: one.HostOffline}},
	}
	if got, want := hostsText(hosts), "1 of 4 hosts in service; ERROR: 1 (node1); in quarantine: 2 (node2); 1 disabled, offline or new"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestOnText: HA is not just on where nothing would be recovered.
func TestOnText(t *testing.T) {
	const on = "on: the VMs of a failed host are handled with recreate"
	be := func(all ...string) (r check.Report) {
		for id, what := range all {
			r.Hosts = append(r.Hosts, check.HostFencing{ID: id, WouldBe: what})
		}
		return r
	}
	nothing := be("refused")
	nothing.Findings = []check.Finding{{Severity: check.Problem, Stops: check.StopsEverything}}
	for want, r := range map[string]check.Report{
		on: be("", ""),
		on + "; REFUSED, because nothing proves it off: host 0, 2":                                                    be("refused", "", "refused"),
		on + "; REFUSED, because nothing proves it off: host 1; UNPROVEN, because nothing proves it off: host 0":      be("unproven", "refused"),
		"on, but a host that fails now would NOT be recovered safely; REFUSED, because nothing proves it off: host 0": nothing,
	} {
		if got := onText(r, "recreate"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
