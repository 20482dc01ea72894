package lab

import (
	"errors"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// runProgram runs a program that must succeed.
func runProgram(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// waitForFile waits for a file to appear and returns its text.
func waitForFile(t *testing.T, path string) (text string) {
	t.Helper()
	waitFor(t, path, func() bool {
		data, err := os.ReadFile(path)
		text = string(data)
		return err == nil
	})
	return text
}

func TestTables(t *testing.T) {
	l := begin(t, fast(t, "6.10.0"))
	ask(t, l, Request{Command: Fail, Object: "node03", How: Cut})
	until(t, l, Goal{Host: "3", State: "error"})
	rows := ask(t, l, Request{Command: ListHosts}).Table
	if got := strings.Join(rows[4], "|"); len(rows) != 5 || got != "3|node03|ERROR|3 7 11|3 7 11" {
		t.Errorf("hosts: %q", rows)
	}
	vms := ask(t, l, Request{Command: ListVMs}).Table
	if got := strings.Join(vms[6], "|"); len(vms) != 13 || got != "5|vm05|RUNNING|node01|node01|-" {
		t.Errorf("VMs: %q", vms)
	}
}

// VMs that are suspended, or that fail; only those that run can be.
func TestSuspendAndBreak(t *testing.T) {
	for version, broken := range map[string]string{"4.4.1": "FAILED", "6.10.0": "BOOT_FAILURE"} {
		l := begin(t, fast(t, version))
		for _, req := range []Request{{Command: Suspend, Object: "vm01"}, {Command: Break, Object: "2"}} {
			ask(t, l, req)
			if _, err := Ask(l.Dir(), req); err == nil || !strings.Contains(err.Error(), "not RUNNING") {
				t.Errorf("%s again: %v", req.Command, err)
			}
		}
		vms := ask(t, l, Request{Command: ListVMs}).Table
		if vms[2][2] != "SUSPENDED" || vms[3][2] != broken || vms[4][2] != "RUNNING" {
			t.Errorf("%s: %q", version, vms)
		}
		for _, h := range l.Cloud().Hosts() {
			for _, id := range l.Cloud().Guests(h.ID) {
				if id == 1 || id == 2 {
					t.Errorf("VM %d still runs", id)
				}
			}
		}
	}
}

// A frozen host is not in ERROR. A dead one takes what ssh takes, until one-ft has marked it.
func TestNetwork(t *testing.T) {
	cfg := fast(t, "6.10.0")
	cfg.Network, cfg.Faster, cfg.CleanUpsHang = cloud.Routed, 100, "never"
	l := begin(t, cfg)
	if text := ask(t, l, Request{Command: Fail, Object: "0", How: Freeze}).Text; !strings.Contains(text, "oned does not notice") {
		t.Error(text)
	}
	ask(t, l, Request{Command: Fail, Object: "1"})
	until(t, l, Goal{Host: "1", State: "ERROR"})
	if h, _ := l.Cloud().Host(0); !h.State.Back() {
		t.Errorf("the frozen host is %s", h.State)
	}
	client, err := one.New(one.Options{Endpoint: "http://lab/RPC2", Credentials: user + ":" + l.password, Transport: l.Cloud().Transport()})
	if err == nil {
		_, _, err = client.Connect(t.Context())
	}
	if err == nil {
		err = client.Do(t.Context(), one.Recreate, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "an ssh to node01", func() bool { return len(l.Cloud().SSHs("node01")) == 1 })
	state := filepath.Join(cfg.Dir, "var", "one-ft")
	if err := os.MkdirAll(state, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := config.Load(filepath.Join(cfg.Dir, "etc", "one-ft.yaml"), "")
	if err != nil {
		t.Fatal(err)
	}
	machine := failfast.OS{Proc: "/proc", Client: file.Values().SSH}
	ssh, err := failfast.NewClient(machine, state)
	if err != nil {
		t.Fatal(err)
	}
	if force := ssh.InForce(t.Context(), failfast.Open(state)); force.State != failfast.InForce {
		t.Errorf("the block is not in force: %+v", force)
	}
	if err := failfast.Open(state).Set(t.Context(), []string{"node01"}, failfast.Hold{Host: 1, Until: time.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the end of the clean-up", func() bool { v, _ := l.Cloud().VM(1); return v.LCM != one.CleanupResubmit })
}

func TestCallsShowNoCredentials(t *testing.T) {
	rows := callTable([]cloud.Call{
		{Method: "one.vm.recover", Args: []any{3, 4}, OK: true, BytesOut: 10},
		{Method: "one.vm.update", Args: []any{3, "A=\"1\"\n"}, Code: 1024, Text: "no\x1b", BytesOut: 10},
		{Method: "", BytesOut: -1},
	})
	for i, want := range []string{"one.vm.recover|3 4|ok", `one.vm.update|3 "A=\"1\"\n"|1024 no\x1b`, "(no XML-RPC call)||connection broken"} {
		if got := strings.Join(rows[i+1][1:], "|"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFind(t *testing.T) {
	hosts := []cloud.Host{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}, {ID: 3, Name: "b"}, {ID: 4, Name: "7"}}
	for word, want := range map[string]any{
		"1": 1, "a": 1, "3": 3, "7": 4,
		"b": `2 hosts have the name "b": give the ID`,
		"9": `no host has the ID or name "9"`, "": `no host has the ID or name ""`,
	} {
		h, err := findHost(hosts, word)
		var usage *UsageError
		if id, ok := want.(int); ok && (err != nil || h.ID != id) || !ok && (!errors.As(err, &usage) || err.Error() != want) {
			t.Errorf("%q: got %d, %v; want %v", word, h.ID, err, want)
		}
	}
}

func TestControlErrors(t *testing.T) {
	l := begin(t, fast(t, "6.10.0"))
	for _, tc := range []struct {
		req   Request
		usage bool
		want  string
	}{
		{Request{Command: Fail, Object: "node9"}, true, `no host has the ID or name "node9"`},
		{Request{Command: Crash, Object: "node01"}, true, "no VM"},
		{Request{Command: Fail, Object: "node01", How: "melt"}, true, `hosts do not fail by "melt"`},
		{Request{Command: Suspend, Object: "vm99"}, true, `no VM has the ID or name "vm99"`},
		{Request{Command: "reboot"}, true, `no command "reboot"`},
		{Request{Command: Wait, Timeout: time.Second}, true, "nothing to wait for"},
		{Request{Command: Wait, Goal: Goal{Host: "1"}}, true, "belong together"},
		{Request{Command: Wait, Goal: Goal{Host: "1", State: "BROKEN"}}, true, "no host state"},
		{Request{Command: Wait, Goal: Goal{VMs: "BROKEN"}}, true, "no VM state"},
		{Request{Command: Wait, Goal: Goal{Hooks: 1}, Timeout: time.Millisecond}, false, "of the first 1 hooks 0 have ended"},
		{Request{Command: Wait, Goal: Goal{Host: "1", State: "ERROR"}, Timeout: time.Millisecond}, false, "host 1 (node01) is MONITORED"},
		{Request{Command: Wait, Goal: Goal{VMs: "POWEROFF"}, Timeout: time.Millisecond}, false, "VM 0 is RUNNING on host 0"},
	} {
		_, err := Ask(l.Dir(), tc.req)
		var usage *UsageError
		if err == nil || errors.As(err, &usage) != tc.usage || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %q", tc.req, err, tc.want)
		}
	}
	conn, err := net.Dial("unix", socketFile(l.Dir()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("fail node01\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1000)
	if n, err := conn.Read(answer); err != nil || !strings.Contains(string(answer[:n]), "not a request") {
		t.Errorf("got %q, %v", answer[:n], err)
	}
}

// Whoever connects and says nothing does not keep the lab from ending.
func TestSilentClient(t *testing.T) {
	cfg := fast(t, "6.10.0")
	l, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", socketFile(cfg.Dir))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begun := time.Now()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took >= requestTime {
		t.Errorf("the end took %s", took)
	}
}

func TestStop(t *testing.T) {
	cfg := fast(t, "6.10.0")
	l, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() {
		<-l.StopAsked()
		closed <- l.Close()
	}()
	if reply, err := Ask(cfg.Dir, Request{Command: Stop}); err != nil || !strings.Contains(reply.Text, cfg.Dir) {
		t.Errorf("got %+v, %v", reply, err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := Ask(cfg.Dir, Request{Command: ListHosts}); err == nil || !strings.Contains(err.Error(), "no lab runs in") {
		t.Errorf("after the end: %v", err)
	}
	if _, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(l.Endpoint(), "http://"), "/RPC2")); err == nil {
		t.Error("the API still answers")
	}
	// The directory of a lab that has ended can be used again.
	begin(t, cfg)
	if _, err := Start(cfg); err == nil || !strings.Contains(err.Error(), "a lab runs there already") {
		t.Errorf("a second lab in one directory: %v", err)
	}
}

func TestLabThatWasKilled(t *testing.T) {
	cfg := fast(t, "6.10.0")
	begin(t, cfg) // for its files
	if err := os.Rename(socketFile(cfg.Dir), filepath.Join(cfg.Dir, "away")); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socketFile(cfg.Dir))
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(cfg.Dir, Request{Command: ListHosts}); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
	begin(t, cfg)
}

func TestStartRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "oned.conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"--version 3.8.0":           func(c *Config) { c.Version = "3.8.0" },
		"--version new":             func(c *Config) { c.Version = "new" },
		"--version 5.11":            func(c *Config) { c.Version = "5.11" },
		"give one of 4.4, 4.6":      func(c *Config) { c.Version = "9.9.9" },
		"--version 6.10.0-final":    func(c *Config) { c.Version = "6.10.0-final" },
		"--network far":             func(c *Config) { c.Network = "far" },
		"--faster 0.5":              func(c *Config) { c.Network, c.Faster = cloud.Local, 0.5 },
		"--faster NaN":              func(c *Config) { c.Network, c.Faster = cloud.Local, math.NaN() },
		"are about ssh":             func(c *Config) { c.CleanUpsHang = "never" },
		"--clean-ups-hang often":    func(c *Config) { c.Network, c.CleanUpsHang = cloud.Local, "often" },
		"--hosts 0":                 func(c *Config) { c.Hosts = 0 },
		"--vms -1":                  func(c *Config) { c.VMs = -1 },
		"--port 70000":              func(c *Config) { c.Port = 70000 },
		"--interval 0s":             func(c *Config) { c.Interval = 0 },
		"only from OpenNebula 5.10": func(c *Config) { c.Version, c.Stdin = "5.8.5", true },
		"must be an executable":     func(c *Config) { c.HostHook = filepath.Join(full, "oned.conf") + " $ID" },
		"write STATE=COMMAND":       func(c *Config) { c.VMHooks = []string{"/bin/true"} },
		"no VM state":               func(c *Config) { c.VMHooks = []string{"BROKEN=/bin/true"} },
		"has no such state":         func(c *Config) { c.VMHooks = []string{"FAILED=/bin/true"} },
		"choose a shorter one":      func(c *Config) { c.Dir = filepath.Join(full, strings.Repeat("x", 100)) },
		"was not made by onelab":    func(c *Config) { c.Dir = full },
		"not a directory":           func(c *Config) { c.Dir = filepath.Join(full, "oned.conf") },
	} {
		cfg := fast(t, "6.10.0")
		change(&cfg)
		l, err := Start(cfg)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want a usage error with %q", err, want)
		}
		if l != nil {
			t.Error(want, "started:", l.Close())
		}
	}
}

func TestPortTaken(t *testing.T) {
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	cfg := fast(t, "6.10.0")
	cfg.Dir, cfg.Port = "", other.Addr().(*net.TCPAddr).Port
	t.Setenv("TMPDIR", t.TempDir())
	if _, err := Start(cfg); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExports(t *testing.T) {
	got := strings.Join(Exports("/tmp/it's a lab", "http://127.0.0.1:1/RPC2"), "\n") + "\necho \"$ONE_LOCATION\"\n"
	if out := runProgram(t, "sh", "-c", got); out != "/tmp/it's a lab\n" {
		t.Errorf("%s gave %q", got, out)
	}
}
