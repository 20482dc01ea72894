package oneftcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/check"
	"one-ft/pkg/install"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// callCheck runs oneft check in an OpenNebula of its own and returns its exit code and output.
func callCheck(t *testing.T, location string, transport http.RoundTripper, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	tool := &tool{env: app.Env{Stdout: &out, Stderr: &problems, Transport: transport, Getenv: func(name string) string {
		return map[string]string{"ONE_LOCATION": location, "HOME": location, "ONE_XMLRPC": "http://cloud/RPC2"}[name]
	}}}
	return called(app.Dispatch(t.Context(), tool.check(), args, &out), &out, &problems)
}

// called is the exit code and the output of a command; -1 with an error that is not printed yet.
func called(err error, stdout, stderr *bytes.Buffer) (int, string, string) {
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return app.ExitDone, stdout.String(), stderr.String()
	case errors.As(err, &exit):
		return exit.ExitCode(), stdout.String(), stderr.String()
	}
	return -1, stdout.String(), err.Error()
}

// newLocation makes the directories of an OpenNebula.
func newLocation(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"var", "etc", ".one"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files[".one/one_auth"] += "oneadmin:opennebula\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCheck: on each version hooks are read where that version has them, the verdict comes last,
// and no locks are made.
func TestCheck(t *testing.T) {
	for _, version := range []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1"} {
		c, err := cloud.New(cloud.Config{Version: version, Hosts: []cloud.Host{{ID: 0, Name: "node0"}, {ID: 1, Name: "node1"}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		dir := newLocation(t, map[string]string{"etc/oned.conf": "HM_MAD = [ EXECUTABLE = \"one_hm\" ]\nHOST_HOOK = [ NAME = \"error\", ON = \"ERROR\", COMMAND = \"host_error.rb\", ARGUMENTS = \"$HID -r\" ]\n"})
		prom := filepath.Join(dir, "check.prom")
		code, out, problems := callCheck(t, dir, c.Transport(), "--prometheus", prom)
		want := "no hook recovers the VMs of a failed host"
		if version == "4.4.1" {
			want = `runs OpenNebula's host_error.rb on HOST/ERROR`
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 1 || problems != "" || !strings.Contains(out, want) || !strings.HasPrefix(lines[len(lines)-1], "a host that fails now would NOT be recovered safely: ") {
			t.Errorf("%s: %d\n%s%s", version, code, out, problems)
		}
		if text, err := os.ReadFile(prom); err != nil || !strings.Contains(string(text), "one_ft_check_ok 0\n") || !strings.Contains(string(text), `host="node1"} 0`) {
			t.Errorf("%s: %v\n%s", version, err, text)
		}
		if _, err := os.Stat(filepath.Join(dir, "var", "one-ft")); err == nil {
			t.Errorf("%s: a check made the state directory", version)
		}
		code, out, _ = callCheck(t, dir, c.Transport(), "--json", "--no-fencing")
		var report struct {
			OK       *bool
			Findings []struct{ Topic string }
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 || report.OK == nil || *report.OK || len(report.Findings) < 8 {
			t.Errorf("%s: %d %v\n%s", version, code, err, out)
		}
	}
}

// TestCheckErrors: a check that cannot begin ends in a verdict, too, and in a file for Prometheus.
func TestCheckErrors(t *testing.T) {
	c, err := cloud.New(cloud.Config{Version: "6.10.0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for name, want := range map[string]struct {
		files map[string]string
		args  []string
		code  int
		says  string // on standard error
	}{
		"credentials":   {map[string]string{".one/one_auth": "oneadmin:wrong\n"}, nil, 2, "are not valid there"},
		"configuration": {map[string]string{"etc/one-ft.yaml": "fencing: perhaps\n"}, nil, 2, "one-ft.yaml"},
		"no oned":       {map[string]string{}, []string{"--endpoint", "http://none/RPC2", "--oned-wait", "0s"}, 1, "cannot reach oned"},
	} {
		dir := newLocation(t, want.files)
		transport := http.RoundTripper(c.Transport())
		if name == "no oned" {
			down, err := cloud.New(cloud.Config{})
			if err != nil {
				t.Fatal(err)
			}
			down.Close()
			transport = down.Transport()
		}
		prom := filepath.Join(dir, "check.prom")
		code, out, problems := callCheck(t, dir, transport, append(want.args, "--prometheus", prom)...)
		if code != want.code || !strings.Contains(problems, want.says) || strings.Contains(problems, "wrong\n") || !strings.HasPrefix(out, "a host that fails now would NOT be recovered") {
			t.Errorf("%s: %d\n%s%s", name, code, out, problems)
		}
		if text, err := os.ReadFile(prom); err != nil || !strings.Contains(string(text), "one_ft_check_ok 0\n") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if _, out, _ := callCheck(t, dir, transport, append(want.args, "--json")...); !json.Valid([]byte(out)) {
			t.Errorf("%s: %s", name, out)
		}
	}
	for _, args := range [][]string{{"12"}, {"--prometheus", "/x/check.txt"}, {"--prometheus", ""}} {
		if code, _, problems := callCheck(t, newLocation(t, map[string]string{}), c.Transport(), args...); code != -1 || problems == "" {
			t.Errorf("%q: %d %s", args, code, problems)
		}
	}
}

// TestHostHook: what the hook for hosts does is read out of its arguments, on both kinds of versions.
func TestHostHook(t *testing.T) {
	none, err := app.Read(t.Context(), &cli.Command{Name: "check"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	judge := func(file string) (in check.Input) {
		s := app.Session{Cli: none, Version: one.Version{Major: 4, Minor: 4, Patch: 1}, Paths: app.Paths{Etc: filepath.Dir(file)}}
		judgeHooks(t.Context(), s, install.Facts{Version: s.Version}, &in)
		return in
	}
	for arguments, want := range map[string]check.HostHook{
		"$ID -r n -p 2": {Action: "recreate"}, "$ID --delete y -u": {Action: "delete", Fencing: "off"}, "$ID -m --fencing required": {Action: "migrate", Fencing: "required"},
		"$ID n --fencing=auto --recreate": {Action: "recreate", Fencing: "auto"}, "$ID n --no-fencing": {Fencing: "off"}, "$ID": {},
	} {
		file := filepath.Join(t.TempDir(), "oned.conf")
		text := "HM_MAD = [ EXECUTABLE = \"one_hm\" ]\nVM_HOOK = [ NAME = \"other\", ON = \"RUNNING\", COMMAND = \"/x/mail\", ARGUMENTS = \"-d -u\" ]\n" +
			"HOST_HOOK = [ NAME = \"error\", ON = \"ERROR\", COMMAND = \"/x/host_error\", ARGUMENTS = \"" + arguments + "\" ]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		in := judge(file)
		if in.HostHook != want || len(in.Written) != 2 || in.Written[1].Arguments != arguments || len(in.Hooks) == 0 {
			t.Errorf("%s: %+v", arguments, in)
		}
	}
	for text, says := range map[string]string{"HOST_HOOK = [": "oned.conf", "": "not known"} {
		file := filepath.Join(t.TempDir(), "oned.conf")
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		in := judge(file)
		if len(in.Hooks) != 1 || in.Hooks[0].Severity != check.Problem || in.Hooks[0].Fix == "" || !strings.Contains(in.Hooks[0].What+in.Hooks[0].Fix, says) || in.Written != nil {
			t.Errorf("%q: %+v", text, in)
		}
	}
}
