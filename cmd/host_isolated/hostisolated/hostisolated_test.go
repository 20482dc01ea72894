package hostisolated

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence"
)

// call runs host_isolated and returns its exit code and what it printed.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	env := app.Env{Args: append([]string{"host_isolated"}, args...), Stdout: &out, Stderr: &problems, Getenv: func(string) string { return "" }}
	world := OS()
	world.Env, world.Pin = env, func() {}
	code = Run(t.Context(), world)
	return code, out.String(), problems.String()
}

// token is a file with a token.
func token(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("isolated:secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What is wrong is said in one line that says what to do, and the exit code is 2.
func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "host_isolated.yaml")
	if err := os.WriteFile(file, []byte("front_ends: [10.0.0.1]\nlease: 20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--watch", "--config", "/nonexistent/x.yaml"}, "/nonexistent/x.yaml: cannot be read"},
		{[]string{"--watch", "--config", file}, file + `:2: lease: "20" has no unit`},
		{[]string{"--watch"}, "no front_ends"},
		{[]string{"--front-end", "user:pw@host"}, "they belong into auth_file"},
		{[]string{"--front-end", "a", "--watch", "now"}, `"now" is not an option`},
		{[]string{"--front-end", "a", "--wacth"}, "-wacth"},
		{[]string{"--front-end", "a", "--watch", "--strict"}, "strict without auth_file"},
		{[]string{"--front-end", "a", "--watch", "--strict", "--auth-file", "/nonexistent"}, "no OpenNebula credentials"},
		{[]string{"--front-end", "a", "--after", "1m"}, "after 1m is too short; allowed is 2m3s or more"},
		{[]string{"--front-end", "a", "--watch", "--action", "reboot"}, "--action reboot: allowed are destroy"},
		{[]string{"--front-end", "a", "--watch", "--lease", "soon"}, "soon"},
	} {
		code, out, err := call(t, c.args...)
		if code != app.ExitUsage || out != "" || !strings.Contains(err, c.says) || strings.Count(err, "\n") != 1 || strings.Contains(err, "pw@") {
			t.Errorf("%v: exit code %d, %q, %q", c.args, code, out, err)
		}
	}
}

// The default of the front-end covers the defaults of a host, and README of fence says the
// numbers that are true.
func TestDefaultsFitTogether(t *testing.T) {
	readme, err := os.ReadFile("../../../pkg/fence/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var waits, reactions []string
	for _, c := range []struct {
		args  []string
		lease time.Duration
	}{
		{[]string{"--watch"}, time.Minute},
		{[]string{"--lease", "150s"}, 150 * time.Second},
	} {
		code, out, _ := call(t, append(c.args, "--print-bound", "--front-end", "a", "--strict", "--auth-file", token(t), "--run-dir", t.TempDir())...)
		found := regexp.MustCompile(`^FT_LEASE=(\d+)\nFT_LEASE_REACTION=(\d+)\nFT_LEASE_ARMED=NO\nFT_LEASE_COVERS="libvirt(?: lxc)?"\nFT_ISOLATED_VERSION="[^"]+"\n$`).FindStringSubmatch(out)
		if code != app.ExitDone || found == nil {
			t.Fatalf("%v: %d, %q", c.args, code, out)
		}
		template := map[string]string{"FENCE_LEASE": found[1], "FENCE_LEASE_REACTION": found[2], "FT_LEASE": found[1], "FT_LEASE_REACTION": found[2]}
		l, _, err := fence.TemplateLease(template)
		promise, _, promiseErr := fence.TemplatePromise(template)
		if err != nil || promiseErr != nil || l.Length != c.lease || l.Covers(promise) != nil {
			t.Errorf("%v: %+v, %v, %+v, %v", c.args, l, err, promise, promiseErr)
		}
		waits, reactions = append(waits, fmt.Sprintf("**%d s**", int(l.Wait().Seconds()))), append(reactions, found[2]+" s")
		if len(waits) == 1 && (fence.Lease{Length: config.DefaultIsolation().Lease, Reaction: fence.DefaultReaction, Margin: fence.DefaultMargin}).Covers(promise) != nil {
			t.Errorf("fence.DefaultReaction does not cover %+v", promise)
		}
	}
	for _, row := range [][]string{waits, reactions} {
		if want := "| " + strings.Join(row, " | ") + " |"; !strings.Contains(string(readme), want) {
			t.Errorf("pkg/fence/README.md does not say %q", want)
		}
	}
}

// Every setting of the file has a flag, with the same name but for its dashes.
func TestFlagsAndSettings(t *testing.T) {
	text, err := os.ReadFile("../../../scripts/host_isolated.yaml")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range Command().Flags {
		for _, name := range f.Names() {
			have[name] = true
		}
	}
	others := map[string]string{"front_ends": "front-end", "witnesses": "witness"}
	onlyInFile := map[string]bool{"shutdown": true, "power_off": true} // lists of programs
	keys := regexp.MustCompile(`(?m)^#([a-z_]+):`).FindAllStringSubmatch(string(text), -1)
	if len(keys) < 20 {
		t.Fatalf("%d keys", len(keys))
	}
	for _, key := range keys {
		name := strings.ReplaceAll(key[1], "_", "-")
		if other := others[key[1]]; other != "" {
			name = other
		}
		if !have[name] && !onlyInFile[key[1]] {
			t.Errorf("%s has no flag --%s", key[1], name)
		}
	}
}
