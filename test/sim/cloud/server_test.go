package cloud

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// overHTTP posts to a real server and gives the answer with whether the server
// closes the connection.
func overHTTP(t *testing.T, url string, body []byte) (status int, data []byte, closes bool, err error) {
	t.Helper()
	resp, err := http.Post(url, "text/xml", bytes.NewReader(body))
	if err != nil {
		return 0, nil, false, err
	}
	defer func() {
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	data, err = io.ReadAll(resp.Body)
	return resp.StatusCode, data, resp.Close, err
}

func TestServeHTTP(t *testing.T) {
	for _, version := range families() {
		t.Run(version, func(t *testing.T) {
			c := newCloud(t, version, nil)
			server := httptest.NewServer(c)
			defer server.Close()
			status, body, closes, err := overHTTP(t, server.URL+rpcPath, encodeCall("one.system.version", adminSession))
			if err != nil || status != 200 || !bytes.Contains(body, []byte("<string>"+version+"</string>")) {
				t.Fatalf("%d %s %v", status, body, err)
			}
			if closes != from(version, "5.8") {
				t.Errorf("the server closes: %v", closes)
			}
			if calls := c.Calls(); len(calls) != 1 || !strings.HasPrefix(calls[0].Remote, "127.0.0.1:") {
				t.Errorf("calls %+v", calls)
			}
			status, body, _, _ = overHTTP(t, server.URL+rpcPath, nil)
			if status != 400 || !bytes.HasPrefix(body, []byte("<HTML>")) {
				t.Errorf("empty body: %d %s", status, body)
			}
			if status, _, _, _ := overHTTP(t, server.URL+"/elsewhere", []byte("x")); status != 404 {
				t.Errorf("other path: %d", status)
			}
			c.Inject(Rule{ID: -1, Truncate: 100, Times: 1})
			_, body, _, err = overHTTP(t, server.URL+rpcPath, encodeCall("one.system.version", adminSession))
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) != 100 {
				t.Errorf("cut body: %d bytes, %v", len(body), err)
			}
			c.SetDown(true)
			if _, _, _, err := overHTTP(t, server.URL+rpcPath, []byte("x")); err == nil {
				t.Error("an answer while oned is down")
			}
		})
	}
}

func TestAliceAndHerVM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) {
			mine := vmIn(t, 1, 0, "HOLD")
			mine.UID = AliceID
			cfg.VMs = []VM{mine, runningOn(2, 0)}
		})
		for _, tc := range []struct {
			method string
			args   []any
			code   string
		}{
			{"one.vm.info", []any{1}, "0"},
			{"one.vm.action", []any{"release", 1}, "0"},
			{"one.vm.update", []any{1, `COLOR = "red"`, 1}, "0"},
			{"one.vm.recover", []any{1, 4}, "512"},
			{"one.vm.action", []any{"resched", 1}, "512"},
			{"one.vm.info", []any{2}, "512"},
			{"one.host.update", []any{0, `A = "b"`, 1}, "512"},
			{"one.datastore.info", []any{0}, "512"},
			{"one.hook.allocate", []any{`NAME = "x"`}, "512"},
			{"one.hookpool.info", []any{-2, -1, -1}, "0"},
			{"one.clusterpool.info", nil, "0"},
			{"one.userpool.info", nil, "0"},
			{"one.user.info", []any{-1}, "0"},
			{"one.user.info", []any{AliceID}, "0"},
			{"one.user.info", []any{AdminID}, "512"},
			{"one.user.info", []any{77}, "1024"},
		} {
			g, err := tryAs(c, aliceSession, tc.method, tc.args...)
			if err != nil || g.code() != tc.code {
				t.Errorf("%s%v: %v %v, want code %s", tc.method, tc.args, g, err, tc.code)
			}
		}
		g, err := tryAs(c, aliceSession, "one.vmpool.info", -2, -1, -1, -1, "")
		if err != nil || strings.Count(g.text(), "<VM>") != 1 {
			t.Errorf("pool %v %v", g, err)
		}
		if v, _ := c.VM(1); v.UserTemplate["COLOR"] != "red" {
			t.Errorf("template %v", v.UserTemplate)
		}
	})
}

// TestUser: who asks is known, with all groups.
func TestUser(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, nil)
		for session, admin := range map[string]bool{adminSession: true, aliceSession: false} {
			client, err := one.New(one.Options{Endpoint: endpoint, Credentials: session, Transport: c.Transport()})
			if err != nil {
				t.Fatal(err)
			}
			if u, err := client.OwnUser(t.Context()); err != nil || u.Admin() != admin || session != u.Name+":"+strings.SplitN(session, ":", 2)[1] {
				t.Errorf("%s: %+v, %v", session, u, err)
			}
		}
	})
}

// TestUserPool: the quotas stand beside the users, from 4.6 on, and a client that reads the pool passes over them.
func TestUserPool(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, nil)
		pool := must(t, c, "one.userpool.info")
		want := 2
		if version == "4.4" {
			want = 0
		}
		if strings.Count(pool, "</USER><QUOTAS><ID>") != want || !strings.HasSuffix(pool, "</DEFAULT_USER_QUOTAS></USER_POOL>") {
			t.Error(pool)
		}
		client, err := one.New(one.Options{Endpoint: endpoint, Credentials: adminSession, Transport: c.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		var groups [][]int
		err = client.Each(t.Context(), "USER", func(e *one.Element) error {
			u, err := e.User()
			groups = append(groups, u.Groups)
			return err
		}, "one.userpool.info")
		slices.SortFunc(groups, slices.Compare)
		if err != nil || !slices.EqualFunc(groups, [][]int{{0}, {1}}, slices.Equal) {
			t.Errorf("%v, %v", groups, err)
		}
	})
}

func TestUpdates(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.Hosts[0].Template = map[string]string{"FENCE_IP": "10.0.0.1"}
			cfg.VMs = []VM{runningOn(1, 0)}
		})
		must(t, c, "one.host.update", 0, "ft_incident = \"a \\\"b\\\" c\"\n# note\nPLAIN = x y \n", 1)
		text := c.HostXML(0)
		for _, want := range []string{`<FT_INCIDENT><![CDATA[a "b" c]]>`, "<PLAIN><![CDATA[x y]]>", "<FENCE_IP>", "<ARCH>"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
		must(t, c, "one.host.update", 0, "<TEMPLATE><ONLY><![CDATA[me]]></ONLY></TEMPLATE>", 0)
		if h, _ := c.Host(0); len(h.Template) != 1 || h.Template["ONLY"] != "me" {
			t.Errorf("template %v", h.Template)
		}
		must(t, c, "one.vm.update", 1, `SCHED_REQUIREMENTS = "ID = 2"`)
		if v, _ := c.VM(1); v.Requirements != "ID = 2" {
			t.Errorf("requirements %q", v.Requirements)
		}
		for _, text := range []string{`A = [ B = "c" ]`, "nonsense", `A = "open`, "<A", "<T><A><B>c</B></A></T>"} {
			if g, err := try(c, "one.vm.update", 1, text, 1); err != nil || g.code() != "8192" {
				t.Errorf("%q: %v %v", text, g, err)
			}
		}
		if g, err := try(c, "one.vm.update", 1, "A = b", 7); err != nil || g.code() != "4096" {
			t.Errorf("update type 7: %v %v", g, err)
		}
	})
}

func TestHooks(t *testing.T) {
	c := newCloud(t, "5.10", nil)
	must(t, c, "one.hook.allocate", "NAME = he\nTYPE = state\nRESOURCE = HOST\nSTATE = ERROR\nCOMMAND = ft/host_error")
	id := must(t, c, "one.hook.allocate", "NAME = vu\nTYPE = state\nRESOURCE = VM\nON = UNKNOWN\nCOMMAND = ft/vm_unknown")
	if id != "1" {
		t.Errorf("ID %s", id)
	}
	text := must(t, c, "one.hook.info", 1)
	for _, want := range []string{"<STATE><![CDATA[ACTIVE]]>", "<LCM_STATE><![CDATA[UNKNOWN]]>",
		"<REMOTE><![CDATA[NO]]>", "<HOOKLOG></HOOKLOG>"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	must(t, c, "one.hook.update", 1, `ARGUMENTS = "$TEMPLATE"`, 1)
	pool := must(t, c, "one.hookpool.info", -2, -1, -1)
	if strings.Count(pool, "<HOOK>") != 2 || !strings.Contains(pool, "$TEMPLATE") {
		t.Errorf("pool %s", pool)
	}
	must(t, c, "one.hook.delete", 0)
	base := "NAME = x\nTYPE = state\nCOMMAND = y\n"
	for template, want := range map[string]string{
		"TYPE = state\nCOMMAND = y":                           "No NAME in template for Hook.",
		"NAME = x\nTYPE = state":                              "No COMMAND in template for Hook.",
		"NAME = x\nCOMMAND = y":                               "No TYPE or invalid one in template for Hook.",
		base + "RESOURCE = IMAGE":                             "Invalid resource type: IMAGE",
		base + "RESOURCE = VM\nON = FAILED":                   "Unkown state condition: FAILED",
		base + "RESOURCE = VM\nON = CUSTOM\nSTATE = FAILED":   "Wrong STATE: FAILED",
		base + "RESOURCE = VM\nON = CUSTOM\nSTATE = ACTIVE":   "Wrong LCM_STATE: ",
		"NAME = vu\nTYPE = api\nCOMMAND = y\nCALL = one.vm.x": "NAME is already taken by Hook 1.",
	} {
		g, err := try(c, "one.hook.allocate", template)
		if err != nil || g.text() != "[one.hook.allocate] "+want || g.code() != "8192" {
			t.Errorf("%q: %v %v", template, g, err)
		}
	}
	if g, err := try(newCloud(t, "4.4", nil), "one.hook.info", 0); err != nil || g.code() != "-506" {
		t.Errorf("4.4: %v %v", g, err)
	}
}

func TestPools(t *testing.T) {
	eachVersion(t, func(t *testing.T, version string) {
		c := newCloud(t, version, func(cfg *Config) {
			cfg.VMs = []VM{runningOn(1, 0), vmIn(t, 2, 0, "POWEROFF"), vmIn(t, 3, 0, "DONE")}
			cfg.VMs[0].UserTemplate = map[string]string{"FT_ACTION": "none"}
		})
		text := must(t, c, "one.vmpool.info", -2, -1, -1, -1)
		order := "<ID>2</ID>"
		if !from(version, "5.8") {
			order = "<ID>1</ID>"
		}
		if strings.Count(text, "<VM>") != 2 || !strings.HasPrefix(text, "<VM_POOL><VM>"+order) {
			t.Errorf("pool %s", text)
		}
		if full := strings.Contains(text, "FT_ACTION"); full != !from(version, "5.8") {
			t.Errorf("custom attributes in the pool: %v", full)
		}
		g, err := try(c, "one.vmpool.info", -2, -1, -1, int(one.Poweroff))
		if err != nil || g.ok() != from(version, "4.14") {
			t.Errorf("state 8: %v %v", g, err)
		}
		if text := must(t, c, "one.vmpool.info", -2, -1, -1, -2); strings.Count(text, "<VM>") != 3 {
			t.Errorf("all states: %s", text)
		}
		if text := must(t, c, "one.vmpool.info", -2, 2, 3, -2); strings.Count(text, "<VM>") != 2 {
			t.Errorf("range: %s", text)
		}
		ds := must(t, c, "one.datastore.info", 0)
		if !strings.Contains(ds, "<SHARED><![CDATA[YES]]>") {
			t.Errorf("datastore %s", ds)
		}
		g, err = try(c, "one.vmpool.infoset", "1, 3,x,77", true)
		if err != nil || g.ok() != from(version, "5.12") || g.ok() && strings.Count(g.text(), "<VM>") != 2 {
			t.Errorf("infoset: %v %v", g, err)
		}
	})
}

func TestMoveChecks(t *testing.T) {
	c := newCloud(t, "6.10", func(cfg *Config) {
		cfg.Hosts[3].CPU, cfg.Hosts[2].MemMB = 10, 10
		cfg.VMs = []VM{runningOn(1, 0), vmIn(t, 2, 0, "HOLD")}
	})
	for _, tc := range []struct {
		method string
		args   []any
		text   string
	}{
		{"one.vm.migrate", []any{1, 0, false}, "VM is already running on host [0]"},
		{"one.vm.migrate", []any{1, 3, false, true}, "virtual machine [1] does not fit in host [3]. Not enough CPU: 50/10"},
		{"one.vm.migrate", []any{1, 2, true, true},
			"virtual machine [1] does not fit in host [2]. Not enough memory: 131072/10240"},
		{"one.vm.deploy", []any{2, 3, true}, "virtual machine [2] does not fit in host [3]. Not enough CPU: 50/10"},
		{"one.vm.action", []any{"recover:4", 1}, `Action "recover:4" is not supported`},
		{"one.vm.action", []any{"deploy", 1}, `Action "deploy" is not supported`},
	} {
		g, err := try(c, tc.method, tc.args...)
		if err != nil || g.text() != "["+tc.method+"] "+tc.text || g.code() != "2048" {
			t.Errorf("%s%v: %v %v", tc.method, tc.args, g, err)
		}
	}
	must(t, c, "one.vm.migrate", 1, 3, false)
	must(t, c, "one.vm.deploy", 2, 3)
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"old version":       {Version: "3.8.1"},
		"no version":        {Version: "nightly"},
		"two hosts":         {Hosts: []Host{{ID: 1}, {ID: 1}}},
		"two VMs":           {VMs: []VM{{ID: 1, State: one.Hold}, {ID: 1, State: one.Hold}}},
		"no such host":      {VMs: []VM{runningOn(1, 7)}},
		"no such datastore": {Hosts: fourHosts(), VMs: []VM{{State: one.Hold, History: []Record{{DSID: 9}}}}},
		"no history":        {VMs: []VM{{State: one.Active, LCM: one.Running}}},
		"no source":         {Hosts: fourHosts(), VMs: []VM{{State: one.Active, LCM: one.Migrate, History: []Record{{}}}}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]family{
		"4.4.1": f44, "4.12.3": f44, "4.13.80": f414, "4.14.2": f414, "4.90.0": f54, "5.0.2": f54, "5.6.2": f54, "5.7.80": f58, "5.8.5": f58, "5.9.80": f510, "5.10.6": f510,
		"5.11.80": f512, "5.12.0": f512, "5.13.80": f64, "6.0.0": f64, "6.8.3": f64, "6.9.80": f610, "6.10.0": f610,
		"7.0.1": f610, "7.3.80": f74, "7.4.1": f74, "8.0.0": f74,
	} {
		c := newCloud(t, version, nil)
		if c.fam != want || must(t, c, "one.system.version") != version {
			t.Errorf("%s behaves as %s", version, families()[c.fam])
		}
	}
}

// TestFixesOf512: the set of VMs and the old guests of a host came with fixes of 5.12.
func TestFixesOf512(t *testing.T) {
	for version, want := range map[string]struct{ set, guests bool }{
		"5.11.80": {}, "5.12.0": {}, "5.12.0.3": {}, "5.12.0.4": {set: true}, "5.12.0.5": {set: true}, "5.12.1": {}, "5.12.5": {},
		"5.12.6": {set: true}, "5.12.7": {set: true}, "5.12.8": {true, true}, "5.12.13": {true, true}, "6.0.0": {true, true}, "6.8.3": {true, true},
	} {
		c := newCloud(t, version, nil)
		if err := c.StartGuest(0, 42); err != nil {
			t.Fatal(err)
		}
		if g, err := try(c, "one.vmpool.infoset", "1", true); err != nil || g.ok() != want.set {
			t.Errorf("%s: infoset: %v %v", version, g, err)
		}
		if told := strings.Contains(c.HostXML(0), "ZOMBIES"); told != want.guests {
			t.Errorf("%s: the old guest is told: %v", version, told)
		}
	}
}

func TestUpdateVM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, "6.10", func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
		if err := c.UpdateVM(9, func(*VM) {}); err == nil {
			t.Error("VM 9 exists")
		}
		if err := c.UpdateVM(1, func(v *VM) { v.History = nil }); err == nil {
			t.Error("a running VM without history")
		}
		if err := c.UpdateVM(1, func(v *VM) { v.CPU, v.History[0].HostID = 2, 3 }); err != nil {
			t.Fatal(err)
		}
		if len(c.Guests(0)) != 0 || len(c.Guests(3)) != 1 ||
			!strings.Contains(c.HostXML(3), "<CPU_USAGE>200</CPU_USAGE>") ||
			!strings.Contains(c.HostXML(0), "<CPU_USAGE>0</CPU_USAGE>") {
			t.Errorf("hosts %s %s", c.HostXML(0), c.HostXML(3))
		}
		if err := c.UpdateVM(1, func(v *VM) { v.State, v.Requirements = one.Pending, "ID = 2" }); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		if v, _ := c.VM(1); v.last().HostID != 2 {
			t.Errorf("VM %+v", v)
		}
	})
}
