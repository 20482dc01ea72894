package lab

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/process/programs"
)

// stock is an oned.conf with what a parser may stumble over.
const stock = `# OpenNebula
LOG = [ SYSTEM = "file", DEBUG_LEVEL = 3 ]
# HOST_HOOK = [ NAME = "error", ON = "ERROR", COMMAND = "ft/host_error.rb" ]
HM_MAD = [ EXECUTABLE = "one_hm" ]   # the hook driver
DEFAULT_DEVICE_PREFIX = "hd"`

// TestInstalledHooks installs the hooks with oneft, has them called, and takes them out again: the hooks of oned are what they
// were before.
func TestInstalledHooks(t *testing.T) {
	bin := programs.Dir(t)
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			cfg.Interval = 2 * time.Second // on 4.4 the next call comes only then
			l := begin(t, cfg)
			conf := filepath.Join(l.Dir(), "etc", "oned.conf")
			if version == "4.4.1" {
				if err := os.WriteFile(conf, []byte(stock), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			before := hooksOf(t, l, conf)
			for range 2 {
				oneft(t, l, bin, "hooks", "install", "--dir", bin, "--pause", "0")
			}
			if out := oneft(t, l, bin, "hooks", "show", "--dir", bin); !strings.Contains(out, "are in order") {
				t.Error(out)
			}
			ask(t, l, Request{Command: Crash, Object: "3"}) // oned 4.4 has not read them yet
			ask(t, l, Request{Command: Restart})
			recovers(t, l)
			oneft(t, l, bin, "hooks", "remove", "--dir", bin)
			ask(t, l, Request{Command: Restart})
			if after := hooksOf(t, l, conf); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			ran := strings.Count(hooksText(t, l), " start: ")
			ask(t, l, Request{Command: Fail, Object: "node02"})
			until(t, l, Goal{Host: "node02", State: "ERROR"})
			if again := strings.Count(hooksText(t, l), " start: "); again != ran {
				t.Errorf("%d hooks, %d when they were taken out", again, ran)
			}
			if crashed := strings.Contains(hooksText(t, l), "VM 3 (vm03) is UNKNOWN: vm_unknown"); crashed == (version == "4.4.1") {
				t.Errorf("called for VM 3: %t", crashed)
			}
		})
	}
}

// TestOnedConf: up to 5.8 there is one, with which oned would start; one that it would not read stops the lab as it stops oned,
// and changes nothing in one that runs.
func TestOnedConf(t *testing.T) {
	for version, interval := range map[string]string{"4.4.1": "\nMONITORING_INTERVAL = 1\n", "5.8.5": "\nMONITORING_INTERVAL_HOST = 1\n", "6.10.0": ""} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cfg := fast(t, version)
			l := begin(t, cfg)
			conf := filepath.Join(l.Dir(), "etc", "oned.conf")
			text, err := os.ReadFile(conf)
			if interval == "" {
				reply := ask(t, l, Request{Command: Restart})
				if !errors.Is(err, os.ErrNotExist) || !strings.Contains(reply.Text, "are in its pool") {
					t.Errorf("%v, %s", err, reply.Text)
				}
				return
			}
			if err != nil || !strings.Contains(string(text), interval) || !strings.Contains(string(text), "HM_MAD") {
				t.Errorf("%v, %s", err, text)
			}
			hooks := `HOST_HOOK = [ NAME = a, ON = DISABLE, COMMAND = "/bin/echo", ARGUMENTS = "off $ID" ]
VM_HOOK = [ NAME = b, ON = CREATE, COMMAND = "/bin/echo" ]
VM_HOOK = [ NAME = c, ON = CUSTOM, STATE = ACTIVE, LCM_STATE = UNKNOWN, COMMAND = "none/here", ARGUMENTS = "$ID $PREV_LCM_STATE" ]
`
			if err := os.WriteFile(conf, append(text, hooks...), 0o600); err != nil {
				t.Fatal(err)
			}
			if reply := ask(t, l, Request{Command: Restart}); !strings.Contains(reply.Text, "2 hooks") {
				t.Error(reply.Text)
			}
			if err := os.WriteFile(conf, []byte("HOST_HOOK = [ x"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Ask(l.Dir(), Request{Command: Restart}); err == nil || !strings.Contains(err.Error(), "oned would not start: ") {
				t.Error(err)
			}
			ask(t, l, Request{Command: Crash, Object: "3"})
			if err := l.cloud.SetHostState(1, one.HostDisabled); err != nil {
				t.Fatal(err)
			}
			until(t, l, Goal{Hooks: 2})
			wantLines(t, l, "this VM_HOOK is for ON = CREATE, which a lab never calls", "VM 3 (vm03) is UNKNOWN: here $ID $PREV_LCM_STATE", "end: exit code 127",
				"host 1 (node01) is DISABLED: echo off $ID", "off 1")
		})
	}
}

// oneft runs oneft on the front-end of a lab.
func oneft(t *testing.T, l *Lab, bin string, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "oneft"), words...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.Dir(), "ONE_LOCATION=" + l.Dir()}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("oneft %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// client talks to the oned of a lab.
func client(t *testing.T, l *Lab) *one.Client {
	t.Helper()
	access, err := one.FindAccess(func(name string) string { return map[string]string{"HOME": l.Dir()}[name] }, one.Given{}, one.Given{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := one.New(one.Options{Endpoint: access.Endpoint, Credentials: access.Credentials, Transport: http.DefaultTransport})
	if err == nil {
		_, _, err = c.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hooksOf is everything that oned has of hooks, as it has it.
func hooksOf(t *testing.T, l *Lab, conf string) string {
	t.Helper()
	text, err := os.ReadFile(conf)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // from 5.10 on there is none
		t.Fatal(err)
	}
	pool, err := client(t, l).HookPool(t.Context())
	if err != nil {
		pool = "" // before 5.10
	}
	return string(text) + "\n" + pool
}

// recovers has a host fail in a lab, and its VMs run elsewhere.
func recovers(t *testing.T, l *Lab) {
	t.Helper()
	ask(t, l, Request{Command: Fail, Object: "node01"})
	waitFor(t, "the VMs to leave node01", func() bool {
		h, _ := l.cloud.Host(1)
		for _, v := range l.cloud.VMs() {
			if n := len(v.History); n > 0 && v.History[n-1].HostID == h.ID && v.State == one.Active {
				return false
			}
		}
		return true
	})
	waitFor(t, "the end of the hook", func() bool {
		return slices.ContainsFunc(l.Runs(), func(r HookRun) bool { return r.What == "host 1 (node01) is ERROR" && r.Exit == 0 })
	})
}
