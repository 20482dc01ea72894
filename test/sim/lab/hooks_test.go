package lab

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	given "one-ft/pkg/hook"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// checkTemplate checks a template as oned of a version hands it over.
func checkTemplate(t *testing.T, version string, kind given.Kind, word string, id, prev int) {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(word)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Count(string(text), "\n")
	if old := version == "4.4.1"; old != (lines == 0) || strings.HasPrefix(string(text), "<?") {
		t.Errorf("the template has %d line breaks:\n%s", lines, text)
	}
	e, _, err := given.Parse(kind, []string{word})
	if err != nil || e.ID != id || e.Damaged {
		t.Fatalf("the template gives %+v, %v; want ID %d\n%s", e, err, id, text)
	}
	if got := map[given.Kind]int{given.Host: e.PrevState, given.VM: e.PrevLCMState}[kind]; version != "4.4.1" && got != prev {
		t.Errorf("the state before is %d, want %d", got, prev)
	}
}

// hostBefore is the state from which a host goes to ERROR first.
func hostBefore(version string) int {
	if version == "5.10.5" {
		return int(one.HostMonitoringMonitored)
	}
	return int(one.HostMonitored)
}

// failing starts a lab with a hook and has node01 fail and the hook run once.
func failing(t *testing.T, version, args string, stdin bool) (*Lab, record) {
	t.Helper()
	cfg := fast(t, version)
	cfg.HostHook, cfg.Stdin = script(t, recorder)+" "+args, stdin
	if version == "4.4.1" {
		cfg.Interval = 2 * time.Second // the next call comes only then
	}
	l := begin(t, cfg)
	ask(t, l, Request{Command: Fail, Object: "node01"})
	until(t, l, Goal{Hooks: 1})
	return l, onlyRecord(t, l)
}

func TestWordsAsArguments(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			args := "$TEMPLATE $ID -r $HID n"
			if version == "4.4.1" {
				args = "$ID -r $HID n $TEMPLATE"
			}
			l, r := failing(t, version, args, false)
			word, cwd := "", "/"
			if version == "4.4.1" {
				word, cwd = r.args[len(r.args)-1], filepath.Join(l.Dir(), "var")
				r.args = r.args[:len(r.args)-1]
				r.args[0] += " "
				if r.argc != "4" || strings.Join(r.args, " ") != "1  -r n" {
					t.Errorf("got %s words, %q before the template", r.argc, r.args)
				}
			} else {
				word = r.args[0]
				if r.argc != "3" || !slices.Equal(r.args[1:], []string{"-r", "n"}) {
					t.Errorf("got %s words, %q after the template", r.argc, r.args[1:])
				}
			}
			checkTemplate(t, version, given.Host, word, 1, hostBefore(version))
			if r.other["cwd"] != cwd || r.other["stdin"] != "" {
				t.Errorf("working directory %q, stdin %q; want %q and none", r.other["cwd"], r.other["stdin"], cwd)
			}
			checkEnv(t, l, r)
			wantLines(t, l, "hook 1 start: host 1 (node01) is ERROR: hook ", "hook 1 end: exit code 0 after ")
			if strings.Contains(hooksText(t, l), "driver message") {
				t.Error("a hook that prints nothing gave a driver message")
			}
		})
	}
}

// checkEnv checks the environment and the process group of a hook.
func checkEnv(t *testing.T, l *Lab, r record) {
	t.Helper()
	for name, want := range map[string]string{
		"ONE_LOCATION": l.Dir(), "HOME": l.Dir(), "PATH": os.Getenv("PATH"), "ONE_XMLRPC": "", "ONE_AUTH": "",
	} {
		if r.env[name] != want {
			t.Errorf("%s=%q, want %q", name, r.env[name], want)
		}
	}
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(string(own)); r.other["group"] == "" || r.other["group"] == fields[4] {
		t.Errorf("process group %q is that of the lab", r.other["group"])
	}
	access, err := one.FindAccess(func(name string) string { return r.env[name] }, one.Given{}, one.Given{})
	if err != nil || access.Endpoint != l.Endpoint() || access.Credentials != user+":"+l.password {
		t.Errorf("a hook finds oned at %q (%v), want %q", access.Endpoint, err, l.Endpoint())
	}
}

func TestWordsOnStdin(t *testing.T) {
	for _, version := range versions()[1:] {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			_, r := failing(t, version, "$TEMPLATE  -r n $ID", true)
			words := strings.Split(r.other["stdin"], " ")
			if r.argc != "0" || !slices.Equal(words[1:], []string{"-r", "n", "$ID"}) {
				t.Fatalf("got %s words as arguments and %q on stdin after the template", r.argc, words[1:])
			}
			checkTemplate(t, version, given.Host, words[0], 1, hostBefore(version))
		})
	}
}

// 4.4 calls the hook on every failed cycle, 5.10 goes on polling but calls it once.
func TestHookAgainOnEachCycle(t *testing.T) {
	for _, version := range versions()[:2] {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.HostHook = script(t, "#!/bin/sh\n")
			l := begin(t, cfg)
			cycles := make(chan struct{}, 100)
			l.Cloud().OnHostState(func(e cloud.HostEvent) {
				if e.State == one.HostError {
					cycles <- struct{}{}
				}
			})
			ask(t, l, Request{Command: Fail, Object: "2"})
			for range 4 {
				<-cycles
			}
			want := 1
			if version == "4.4.1" {
				want = 4
			}
			until(t, l, Goal{Hooks: want})
			if n := strings.Count(hooksText(t, l), "start:"); version != "4.4.1" && n != 1 {
				t.Errorf("the hook ran %d times in 4 cycles, want once", n)
			}
		})
	}
}

func TestHookOncePerFailure(t *testing.T) {
	for _, version := range versions()[1:] {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.HostHook = script(t, "#!/bin/sh\n")
			l := begin(t, cfg)
			for failure := range 3 {
				ask(t, l, Request{Command: Fail, Object: "2", How: Cut})
				until(t, l, Goal{Host: "2", State: "ERROR", Hooks: failure + 1})
				ask(t, l, Request{Command: Heal, Object: "2"})
				until(t, l, Goal{Host: "2", State: "MONITORED"})
			}
			if n := len(l.Runs()); n != 3 {
				t.Errorf("the hook ran %d times, want 3\n%s", n, hooksText(t, l))
			}
		})
	}
}

func TestVMHook(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			args := "$TEMPLATE"
			if version == "4.4.1" {
				args = "$TEMPLATE $ID $PREV_STATE,$PREV_LCM_STATE"
			}
			hookPath := script(t, recorder)
			cfg.VMHooks = []string{"UNKNOWN=" + hookPath + " " + args, "BOOT_FAILURE=" + hookPath + " wrong", "DONE=" + hookPath + " wrong"}
			l := begin(t, cfg)
			ask(t, l, Request{Command: Crash, Object: "vm02"})
			until(t, l, Goal{Hooks: 1})
			r := onlyRecord(t, l)
			checkTemplate(t, version, given.VM, r.args[0], 2, int(one.Running))
			if version == "4.4.1" && !slices.Equal(r.args[1:], []string{"2", "ACTIVE,RUNNING"}) {
				t.Errorf("got %q after the template", r.args[1:])
			}
		})
	}
}

// What a hook prints, how it ends, and what happens to one that prints much.
func TestOutput(t *testing.T) {
	text := "#!/bin/sh\necho EXECUTE SUCCESS 0 x\nprintf 'a\\033[1mb\\n' >&2\nexit 3\n"
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.HostHook = script(t, text)
			l := begin(t, cfg)
			ask(t, l, Request{Command: Fail, Object: "2"})
			until(t, l, Goal{Hooks: 1})
			name := map[bool]string{true: "driver message", false: "stdout"}[version == "4.4.1"]
			wantLines(t, l, "hook 1 "+name+": EXECUTE SUCCESS 0 x\n", `hook 1 stderr: a\x1b[1mb`, "hook 1 end: exit code 3 after ")
			if run := l.Runs()[0]; run.Exit != 3 || run.Stdout != "EXECUTE SUCCESS 0 x\n" || run.Problem != "" {
				t.Errorf("got %+v", run)
			}
		})
	}
}

func TestMuchOnStderr(t *testing.T) {
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.HostHook = script(t, "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' x >&2\nexit 4\n")
			want := "end: exit code 4"
			if version == "4.4.1" {
				cfg.HookTimeout, want = 300*time.Millisecond, "end: no exit code after "
			}
			l := begin(t, cfg)
			ask(t, l, Request{Command: Fail, Object: "2"})
			until(t, l, Goal{Hooks: 1})
			wantLines(t, l, want)
		})
	}
}

func TestTemplateTooLongForArguments(t *testing.T) {
	for _, stdin := range []bool{false, true} {
		t.Run(fmt.Sprint("stdin=", stdin), func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, "6.10.0")
			cfg.HostHook, cfg.Stdin = script(t, recorder)+" $TEMPLATE -r", stdin
			l := begin(t, cfg)
			big := event{hook: l.hooks[0], xml: "<HOST><ID>1</ID><A>" + strings.Repeat("x", 120<<10) + "</A></HOST>"}
			l.runner.submit(big)
			until(t, l, Goal{Hooks: 1})
			if stdin {
				checkTemplate(t, "6.10.0", given.Host, strings.Fields(onlyRecord(t, l).other["stdin"])[0], 1, given.Unknown)
				return
			}
			wantLines(t, l, "argument list too long")
			if len(records(t, l)) > 0 || l.Runs()[0].Exit != -1 {
				t.Error("the hook ran")
			}
		})
	}
}

func TestAtMostSoManyAtOnce(t *testing.T) {
	for _, version := range []string{"4.4.1", "6.10.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.Hosts, cfg.Interval = 20, 2*time.Second // 4.4 would call again
			cfg.HostHook = script(t, "#!/bin/sh\nuntil [ -e \"$HOME/go\" ]; do sleep 0.05; done\n")
			l := begin(t, cfg)
			for id := range cfg.Hosts {
				ask(t, l, Request{Command: Fail, Object: fmt.Sprint(id)})
			}
			for id := range cfg.Hosts {
				until(t, l, Goal{Host: fmt.Sprint(id), State: "ERROR"})
			}
			running := func() int {
				l.runner.mu.Lock()
				defer l.runner.mu.Unlock()
				return l.runner.running
			}
			// A process takes a moment to start.
			want := map[string]int{"4.4.1": 15, "6.10.0": 10}[version]
			waitFor(t, fmt.Sprintf("%d hooks at once", want), func() bool { return running() >= want })
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for range 60 { // the others would follow at once
				if n := running(); n != want {
					t.Fatalf("%d hooks run at once, want %d", n, want)
				}
				<-tick.C
			}
			if err := os.WriteFile(filepath.Join(l.Dir(), "go"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			until(t, l, Goal{Hooks: cfg.Hosts})
		})
	}
}

// A hook that does not end is killed with all that it started, by its time limit
// and by the end of the lab.
func TestHookIsKilled(t *testing.T) {
	text := "#!/bin/sh\nsleep 300 &\necho $! >\"$HOME/new\"\nmv \"$HOME/new\" \"$HOME/child\"\nsleep 300\n"
	for _, version := range []string{"4.4.1", "6.10.0"} {
		for _, limit := range []time.Duration{3 * time.Second, time.Hour} {
			t.Run(fmt.Sprint(version, " ", limit), func(t *testing.T) {
				t.Parallel()
				cfg := fast(t, version)
				cfg.HostHook, cfg.HookTimeout = script(t, text), limit
				l, err := Start(cfg)
				if err != nil {
					t.Fatal(err)
				}
				ask(t, l, Request{Command: Fail, Object: "1"})
				defer func() {
					if t.Failed() {
						t.Log(hooksText(t, l))
					}
				}()
				child := waitForFile(t, filepath.Join(l.Dir(), "child"))
				want := "killed: the lab stops"
				if limit < time.Hour {
					until(t, l, Goal{Hooks: 1})
					want = "killed after 3s"
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				wantLines(t, l, want)
				waitForEnd(t, strings.TrimSpace(child))
			})
		}
	}
}
