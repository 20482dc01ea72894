package check_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/check"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// TestCollect: a cloud of each version is seen as it is, agents are asked for their status only, and
// nothing is written.
func TestCollect(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			kept := map[string]string{"PERSISTENT": "YES", "SAVE": "YES", "LN_TARGET": "NONE"}
			moved := map[string]string{"PERSISTENT": "YES", "LN_TARGET": "SYSTEM"}
			cd := map[string]string{"TYPE": "CDROM", "READONLY": "YES"}
			w := newWorld(t, version, 3, func(c *cloud.Config) {
				c.VMs = []cloud.VM{running(1, 0, kept, cd), running(2, 1, map[string]string{"SAVE": "NO"}), running(3, 1, moved), running(4, 1, map[string]string{"SAVE": "NO"}), running(5, 0)}
				c.VMs[3].UserTemplate = map[string]string{"FT_ACTION": "NONE"}
				c.VMs[4].History[0].DSID = 100
				c.VMs[4].State, c.VMs[4].LCM = one.Poweroff, one.LCMInit
			})
			f, r := w.look(t)
			v := f.VMs
			if f.Version.String() != version || !f.User.Admin() || f.ConfigErr != nil || f.Follows {
				t.Errorf("%+v", f)
			}
			if v.Count != 5 || fmt.Sprint(v.Loses, v.Stay, v.Active, v.On, v.Failed, v.Unread) != "[2 3] [4] map[0:1 1:2] map[0:4 100:1] [] []" {
				t.Errorf("VMs: %+v", v)
			}
			if len(f.Datastores) != 2 || !f.Datastores[0].Shared || f.Datastores[1].Shared || f.Datastores[1].Name != "local" {
				t.Errorf("datastores: %+v", f.Datastores)
			}
			if since := f.Now.Sub(f.Clock.Monitored); since < -time.Second || since > 2*time.Minute || f.Clock.Newest.IsZero() {
				t.Errorf("clock: %+v", f.Clock)
			}
			for _, h := range f.Hosts {
				if calls := w.calls(t, h.ID); !slices.Equal(calls, []string{"status"}) || !h.Asked || h.Levels[0][0].Power != fence.PowerOn {
					t.Errorf("host %d: %q %+v", h.ID, calls, h.Levels)
				}
			}
			if got := findings(r); !slices.Equal(got, []string{"warning hook manager", "warning timer", "warning watch", "warning VMs"}) || !r.Works {
				t.Errorf("%q %s", got, r.Verdict)
			}
			if entries, err := os.ReadDir(filepath.Join(w.dir, "state")); err != nil || len(entries) > 0 {
				t.Errorf("written: %v %v", entries, err)
			}
		})
	}
}

// TestFencing: what is wrong with the fencing of each host, on each version.
func TestFencing(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, version, 7, func(c *cloud.Config) {
				c.Hosts[1].Template["FENCE_AGENT"] = "fence_broken"
				c.Hosts[2].Template["FENCE_AGENT"] = "fence_off"
				c.Hosts[3].Template = nil
				c.Hosts[4].Template["FENCE_AGENT"] = "fence_missing"
				c.Hosts[5].Template = map[string]string{"FENCE_LEASE": "60", "FENCE_LEASE_REACTION": "48", "FT_LEASE": "60", "FT_LEASE_REACTION": "60", "FT_LEASE_ARMED": "YES", "FT_ISOLATED_VERSION": "v1.1"}
				c.Hosts[6].Template["FENCE_PORT"] = "1"
			})
			f, r := w.look(t)
			var said []string
			for _, x := range r.Findings {
				if x.Severity == check.Problem {
					said = append(said, fmt.Sprint(x.Topic, x.Hosts))
				}
				if strings.Contains(x.What+x.Fix, "geheim") {
					t.Errorf("a secret: %+v", x)
				}
			}
			if want := []string{"fencing[1]", "fencing[2]", "fencing[3]", "fencing[4]", "fencing[6]", "lease[5]"}; !slices.Equal(said, want) {
				t.Errorf("%q\n%q", said, r.Table())
			}
			if r.Verdict != "hosts 1, 2, 3, 4, 5, 6 would NOT be recovered safely if they failed now: 6 problems, 4 warnings" {
				t.Error(r.Verdict)
			}
			if !errors.Is(f.Hosts[4].Levels[0][0].Err, fence.ErrNotInstalled) || f.Hosts[5].Isolated != "v1.1" {
				t.Errorf("%+v", f.Hosts)
			}
			for id := range 7 {
				if slices.ContainsFunc(w.calls(t, id), func(action string) bool { return action != "status" }) {
					t.Errorf("host %d: %q", id, w.calls(t, id))
				}
			}
		})
	}
}

// TestIgnoredParameters: parameters that an agent does not know are named, once for all hosts that have them; those of an agent
// without metadata are not judged.
func TestIgnoredParameters(t *testing.T) {
	w := newWorld(t, "6.10.0", 6, func(c *cloud.Config) {
		for i := range 5 {
			c.Hosts[i].Template["FENCE_AGENT"] = "fence_known"
			c.Hosts[i].Template["FENCE_POWER-WAIT"] = "2"
		}
		for _, i := range []int{1, 2, 3, 4, 5} {
			c.Hosts[i].Template["FENCE_POWER_WAITT"] = "2"
		}
	})
	_, r := w.look(t)
	var said []string
	for _, x := range r.Findings {
		if strings.Contains(x.What, "ignores") {
			said = append(said, fmt.Sprint(x.Severity, x.Hosts, x.What, x.Fix))
		}
	}
	if len(said) != 1 || !strings.Contains(said[0], "warning[1 2 3 4]") || !strings.Contains(said[0], "fence_known ignores power_waitt: it has no such parameter") ||
		!strings.Contains(said[0], "fence_known -o metadata") {
		t.Errorf("%q", said)
	}
}

// TestNoFencing: with NoFencing no agent runs.
func TestNoFencing(t *testing.T) {
	w := newWorld(t, "6.10.0", 2, nil)
	w.in.NoFencing = true
	f, r := w.look(t)
	if len(w.calls(t, 0))+len(w.calls(t, 1)) > 0 || f.Hosts[0].Asked || len(f.Hosts[0].Levels) != 1 {
		t.Errorf("%+v", f.Hosts[0])
	}
	if !slices.ContainsFunc(r.Skipped, func(s string) bool { return strings.Contains(s, "not asked") }) {
		t.Errorf("%q", r.Skipped)
	}
}

// TestReadiness: what the front-end sees by itself makes a host one that cannot be proven off,
// whether agents are asked or not; and who does not ask gets no series.
func TestReadiness(t *testing.T) {
	w := newWorld(t, "6.10.0", 4, func(c *cloud.Config) {
		for i, secret := range []string{"root", "exposed", "none"} {
			delete(c.Hosts[i].Template, "FENCE_PASSWORD")
			c.Hosts[i].Template["FENCE_PASSWORD_FILE"] = secret
		}
		c.Hosts[3].Template["FENCE_AGENT"] = "fence_missing"
	})
	secrets := filepath.Join(w.dir, "secrets")
	if err := errors.Join(os.Mkdir(secrets, 0o755), os.WriteFile(filepath.Join(secrets, "root"), []byte("geheim\n"), 0o600),
		os.WriteFile(filepath.Join(secrets, "exposed"), []byte("geheim\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, notAsked := range []bool{false, true} {
		w.in.NoFencing = notAsked
		_, r := w.look(t)
		ok := []bool{}
		for _, h := range r.Hosts {
			ok = append(ok, h.OK)
		}
		if want := []bool{true, false, false, false}; !slices.Equal(ok, want) || r.FencingNotAsked != notAsked {
			t.Errorf("not asked %v: %v, %v; %+v", notAsked, ok, r.FencingNotAsked, r.Hosts)
		}
		for i, want := range []string{"", "everybody can use it", "does not exist", "fence_missing is not installed (package fence-agents)"} {
			if !strings.Contains(r.Hosts[i].Fencing, want) {
				t.Errorf("host %d: %s", i, r.Hosts[i].Fencing)
			}
		}
		path := filepath.Join(t.TempDir(), "check.prom")
		if err := check.WriteMetrics(path, r); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), "fencing_ok") == notAsked || !notAsked && !strings.Contains(string(text), `fencing_ok{host_id="3",host="node3"} 0`) {
			t.Errorf("not asked %v: %v\n%s", notAsked, err, text)
		}
	}
}

// TestOffline: the agent of a host that an admin has taken out is not asked.
func TestOffline(t *testing.T) {
	w := newWorld(t, "6.10.0", 3, func(c *cloud.Config) { c.Hosts[2].State = one.HostOffline })
	_, r := w.look(t)
	if len(w.calls(t, 2)) > 0 || len(w.calls(t, 1)) != 1 || len(r.Hosts) != 2 {
		t.Errorf("%q %+v", w.calls(t, 2), r.Hosts)
	}
}

// TestManyHosts: at most 16 agents run at the same time, and calls follow neither hosts nor VMs.
func TestManyHosts(t *testing.T) {
	const hosts, vms = 40, 640
	w := newWorld(t, "7.4.1", hosts, func(c *cloud.Config) {
		for id := range vms {
			c.VMs = append(c.VMs, running(id, id%hosts))
		}
	})
	f, _ := w.look(t)
	if f.VMs.Count != vms || f.VMs.Active[7] != vms/hosts {
		t.Errorf("%d VMs, %d on host 7", f.VMs.Count, f.VMs.Active[7])
	}
	if n := len(w.cloud.Calls()); n > 16 {
		t.Errorf("%d calls", n)
	}
	most := 0
	for id := range hosts {
		text, err := os.ReadFile(filepath.Join(w.dir, fmt.Sprint("host", id), "count"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, n)
	}
	if most > 16 || most < 2 {
		t.Errorf("%d agents at the same time", most)
	}
}

// TestOrdinaryUser: who sees nothing is told so, on all versions.
func TestOrdinaryUser(t *testing.T) {
	for _, version := range versions() {
		w := newWorld(t, version, 2, func(c *cloud.Config) { c.VMs = []cloud.VM{running(1, 0)} })
		w.in.Client = w.client(t, "alice:secret")
		_, r := w.look(t)
		text := fmt.Sprint(r.Table())
		if r.ExitCode() != 1 || !slices.Contains(findings(r), "problem rights") || !strings.Contains(text, "user 2 (alice) is not in the group oneadmin") ||
			!strings.Contains(r.Verdict, "a host that fails now would NOT") {
			t.Errorf("%s: %s", version, text)
		}
		w.in.Client = w.client(t, "oneadmin:wrong")
		if _, err := check.Collect(t.Context(), w.in); !errors.Is(err, one.ErrAuthentication) {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// TestDamaged: one VM that cannot be read hides no others.
func TestDamaged(t *testing.T) {
	for _, version := range versions() {
		w := newWorld(t, version, 2, func(c *cloud.Config) {
			for id := range 9 {
				c.VMs = append(c.VMs, running(id, 0))
			}
			c.VMs[5].Name = "poison"
		})
		w.cloud.Inject(cloud.Rule{ID: -1, Mangle: func(body []byte) []byte { return bytes.ReplaceAll(body, []byte("poison"), []byte("&lt;/X&gt;")) }})
		f, r := w.look(t)
		if f.VMs.Count != 8 || !slices.Equal(f.VMs.Unread, []int{5}) || !slices.Contains(findings(r), "warning VMs") {
			t.Errorf("%s: %+v", version, f.VMs)
		}
	}
}

// TestBudgets: failed VMs are found with what is left of their budgets.
func TestBudgets(t *testing.T) {
	for _, version := range versions() {
		w := newWorld(t, version, 2, func(c *cloud.Config) {
			c.VMs = []cloud.VM{running(1, 0), running(2, 0), running(3, 0)}
			c.VMs[0].LCM, c.VMs[1].LCM = one.Unknown, one.Unknown
			c.VMs[2].LCM = one.BootFailure
			if strings.HasPrefix(version, "4.4") {
				c.VMs[2].State, c.VMs[2].LCM = one.Failed, one.LCMInit
			}
		})
		notes := incident.NewAttempts(filepath.Join(w.dir, "state", "attempts"))
		for i := range config.Default().BudgetAttempts {
			if err := notes.Add(2, time.Now().Add(-time.Minute*time.Duration(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		f, r := w.look(t)
		got := ""
		for _, v := range f.VMs.Failed {
			got += fmt.Sprintf("%d %v %v %d;", v.ID, v.Judged, v.Spent.Exhausted, v.Spent.Attempts)
		}
		if got != "1 true false 0;2 true true 3;3 true false 0;" {
			t.Errorf("%s: %s", version, got)
		}
		if want := []string{"problem budgets", "warning hook manager", "warning timer", "warning watch", "warning VMs", "warning VMs"}; !slices.Equal(findings(r), want) {
			t.Errorf("%s: %q", version, findings(r))
		}
	}
}

// TestNoAnswer: when oned goes away in the middle, the check ends, and says what it did not see.
func TestNoAnswer(t *testing.T) {
	w := newWorld(t, "6.10.0", 2, func(c *cloud.Config) { c.VMs = []cloud.VM{running(1, 0)} })
	for _, method := range []string{"one.vmpool.infoset", "one.datastore.info", "one.system.config", "one.host.info"} {
		w.cloud.Inject(cloud.Rule{Method: method, ID: -1, DropBefore: true})
	}
	f, r := w.look(t)
	if !slices.Equal(f.VMs.Unread, []int{1}) || !slices.Contains(findings(r), "warning VMs") {
		t.Errorf("%+v", f.VMs)
	}
	text := strings.Join(r.Skipped, "\n")
	for _, part := range []string{"VMs from 1 on", "configuration of oned", "clock"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %q", part, text)
		}
	}
	w.cloud.SetDown(true)
	if _, err := check.Collect(t.Context(), w.in); err == nil {
		t.Error("oned is down: no error")
	}
}

// TestWhatNothingRecovers: VMs whose host no longer exists are named, and words of FT_ACTION that mean nothing.
func TestWhatNothingRecovers(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, version, 5, func(c *cloud.Config) {
				c.VMs = []cloud.VM{running(1, 0), running(2, 1), running(3, 3), running(4, 3), running(5, 4)}
				c.VMs[0].UserTemplate = map[string]string{"FT_ACTION": "No"}
				c.VMs[1].UserTemplate = map[string]string{"FT_ACTION": "recreate"}
				c.VMs[3].State, c.VMs[3].LCM = one.Suspended, one.LCMInit
				c.Hosts[2].Template = map[string]string{"FT_ACTION": "leave"}
			})
			for _, id := range []int{3, 4} {
				if err := w.cloud.Remove(id); err != nil {
					t.Fatal(err)
				}
			}
			f, r := w.look(t)
			if fmt.Sprint(f.VMs.Homeless, f.VMs.Ignored) != `map[3:[3 4] 4:[5]] map["No":[1]]` {
				t.Errorf("%v %v", f.VMs.Homeless, f.VMs.Ignored)
			}
			for _, want := range []string{"2 VMs (3, 4) on host 3, which no longer exists", "1 VM (5) on host 4", `1 VM (1) with FT_ACTION = "No", which is not none`, `FT_ACTION = "leave", which is not recreate`} {
				if !slices.ContainsFunc(r.Findings, func(f check.Finding) bool {
					return f.Severity == check.Warning && strings.Contains(f.What, want) && f.Fix != ""
				}) {
					t.Errorf("nothing says %q", want)
				}
			}
		})
	}
}
