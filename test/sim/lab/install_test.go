package lab

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/test/process/programs"
)

// stock is an oned.conf with what a parser may stumble over.
const stock = `# OpenNebula
LOG = [ SYSTEM = "file", DEBUG_LEVEL = 3 ]
# HOST_HOOK = [ NAME = "error", ON = "ERROR", COMMAND = "ft/host_error.rb" ]
HM_MAD = [ EXECUTABLE = "one_hm" ]   # the hook driver
DEFAULT_DEVICE_PREFIX = "hd"`

// TestInstalledHooks installs the hooks with oneft, has oned call what is installed, and takes
// them out again: the hooks of oned are what they were before.
func TestInstalledHooks(t *testing.T) {
	bin := programs.Dir(t)
	for _, version := range versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			l := begin(t, fast(t, version))
			conf := filepath.Join(l.Dir(), "etc", "oned.conf")
			if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(conf, []byte(stock), 0o640); err != nil {
				t.Fatal(err)
			}
			before := hooksOf(t, l, conf)
			for range 2 {
				oneft(t, l, bin, "hooks", "install", "--dir", bin, "--pause", "0")
			}
			out := oneft(t, l, bin, "hooks", "show", "--dir", bin)
			if !strings.Contains(out, "are in order") {
				t.Error(out)
			}
			called := hostHook(t, l, version, conf)
			recovers(t, version, called)
			oneft(t, l, bin, "hooks", "remove", "--dir", bin)
			if after := hooksOf(t, l, conf); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
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
	access, err := one.FindAccess(func(name string) string { return map[string]string{"HOME": l.Dir()}[name] }, "", "")
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
	if err != nil {
		t.Fatal(err)
	}
	pool, err := client(t, l).HookPool(t.Context())
	if err != nil {
		pool = "" // before 5.10
	}
	return string(text) + "\n" + pool
}

// hostHook is the hook for hosts that was installed.
func hostHook(t *testing.T, l *Lab, version, conf string) Config {
	t.Helper()
	cfg := fast(t, version)
	if version == "4.4.1" {
		text, err := install.OnedConf().Read(conf)
		if err != nil {
			t.Fatal(err)
		}
		f, err := install.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Entries {
			if e.Name == "HOST_HOOK" {
				cfg.HostHook = e.Get("COMMAND") + " " + e.Get("ARGUMENTS")
			}
		}
		return cfg
	}
	pool, err := client(t, l).HookPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := install.ParsePool(pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hooks {
		if h.Attributes["RESOURCE"] == "HOST" {
			cfg.HostHook = h.Attributes["COMMAND"] + " " + h.Attributes["ARGUMENTS"]
			cfg.Stdin = strings.EqualFold(h.Attributes["ARGUMENTS_STDIN"], "yes")
		}
	}
	return cfg
}

// recovers has a host fail in a lab with a hook, and its VMs run elsewhere.
func recovers(t *testing.T, version string, cfg Config) {
	t.Helper()
	if cfg.HostHook == "" || cfg.Stdin == (version == "4.4.1") {
		t.Fatalf("installed: %q, words on stdin: %t", cfg.HostHook, cfg.Stdin)
	}
	cfg.Interval = 2 * time.Second // on 4.4 the next call comes only then
	l := begin(t, cfg)
	ask(t, l, Request{Command: Fail, Object: "node01"})
	until(t, l, Goal{Hooks: 1})
	wantLines(t, l, "hook 1 end: exit code 0 after ")
	waitFor(t, "the VMs to leave node01", func() bool {
		h, _ := l.cloud.Host(1)
		for _, v := range l.cloud.VMs() {
			if n := len(v.History); n > 0 && v.History[n-1].HostID == h.ID && v.State == one.Active {
				return false
			}
		}
		return true
	})
}
