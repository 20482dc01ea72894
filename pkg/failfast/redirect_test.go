package failfast

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	programs "one-ft/pkg/process"
)

// home makes a home directory with these files below .ssh, and the lines of the system's own files that ask nothing of us.
func home(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, ".ssh", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readRedirects(dir string) (r Redirects) {
	r.read(filepath.Join(dir, ".ssh", "config"), filepath.Join(dir, ".ssh"), dir, nil, 0)
	return r
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	block, err := Install(nil, Block{StateDir: "/var/lib/one/one-ft"}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		files    map[string]string
		concerns []string // of node1, NODE2 and rack3-a
	}{
		{name: "no files"},
		{name: "what OpenNebula's documentation asks for", files: map[string]string{"config": "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  ControlMaster auto\n  ControlPath /run/one/ctl-%C\n"}},
		{name: "our block", files: map[string]string{"config": string(block)}},
		{name: "a host of its own", files: map[string]string{"config": "Host node1\n Port 2222\nHost *\n User oneadmin\n"}, concerns: []string{"node1"}},
		{name: "patterns", files: map[string]string{"config": "host = rack?-* node[12]\n  hostname %h.example\n"}, concerns: []string{"node1", "NODE2", "rack3-a"}},
		{name: "capitals", files: map[string]string{"config": "HOST Node2\n\tPROXYJUMP gate\n"}, concerns: []string{"NODE2"}},
		{name: "but not", files: map[string]string{"config": "Host * !node1\n Port 2222\n"}, concerns: []string{"node1", "NODE2", "rack3-a"}},
		{name: "nobody", files: map[string]string{"config": "Host !node1\n Port 2222\n"}},
		{name: "containers of systemd", files: map[string]string{"config": "Host unix/* vsock/*\n ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n ProxyUseFdpass yes\n"}},
		{name: "Match", files: map[string]string{"config": "Match originalhost node1\n \"Port\" 2222\n"}, concerns: []string{"node1", "NODE2", "rack3-a"}},
		{name: "Match without an address", files: map[string]string{"config": "Match final all\n Ciphers aes256-ctr\n"}},
		{name: "included", files: map[string]string{"config": "Include hosts.*\n", "hosts.a": "Host node1\n", "hosts.b": "Host rack*\n HostName 10.0.0.1\n"}, concerns: []string{"rack3-a"}},
		{name: "included for some", files: map[string]string{"config": "Host node1\n Include ~/.ssh/more\n", "more": "Port 2222\n"}, concerns: []string{"node1"}},
		{name: "included by itself", files: map[string]string{"config": "Include config\n"}, concerns: []string{"node1", "NODE2", "rack3-a"}},
		{name: "too large", files: map[string]string{"config": strings.Repeat("# a comment\n", maxConfig/12+1)}, concerns: []string{"node1", "NODE2", "rack3-a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := readRedirects(home(t, c.files))
			for _, name := range []string{"node1", "NODE2", "rack3-a"} {
				if got := r.Concern(name); got != slices.Contains(c.concerns, name) {
					t.Errorf("%s: %v", name, got)
				}
			}
		})
	}
	for _, name := range []string{"-oProxyCommand=x", "10.0.0.1:2222", "fe80::1%eth0", "me@node1", ""} {
		if !(Redirects{}).Concern(name) {
			t.Errorf("%q is no plain name", name)
		}
	}
}

// TestRedirectsAndSSH: where ssh itself connects elsewhere than to port 22 of a name, the name is one of the Redirects.
func TestRedirectsAndSSH(t *testing.T) {
	t.Parallel()
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"node1", "node2", "rack3-a", "gate"}
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "redirects")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		line := rapid.OneOf(
			rapid.Custom(func(t *rapid.T) string {
				words := rapid.SliceOfN(rapid.SampledFrom([]string{"node1", "node?", "NODE2", "*", "!node1", "rack*", "ga*e", "*-a", "\"gate\""}), 1, 3).Draw(t, "patterns")
				return rapid.SampledFrom([]string{"Host ", "host=", "HOST\t"}).Draw(t, "host") + strings.Join(words, " ")
			}),
			rapid.SampledFrom([]string{"Match all", "Match originalhost rack*", "Match host node1,gate", "Include " + filepath.Join(dir, "more"), "Include " + filepath.Join(dir, "no*")}),
			rapid.SampledFrom([]string{"Port 2222", "port=2222", "  HostName 10.0.0.9", "ProxyJump jump", "ProxyCommand nc %h %p", "User oneadmin", "# Port 2223", "", "ServerAliveInterval 5"}),
			rapid.SampledFrom([]string{"ConnectTimeout 7", "connecttimeout=3", "# ConnectTimeout 4"}),
		)
		file := rapid.Map(rapid.SliceOfN(line, 0, 8), func(lines []string) string { return strings.Join(lines, "\n") + "\n" })
		config := filepath.Join(dir, "config")
		text := file.Draw(t, "config")
		if b := (Block{StateDir: dir, Timeout: rapid.Bool().Draw(t, "timeout")}); rapid.Bool().Draw(t, "block") {
			with, err := Install([]byte(text), b, false)
			if err != nil {
				t.Fatal(err)
			}
			text = string(with)
		}
		for path, text := range map[string]string{config: text, filepath.Join(dir, "more"): strings.ReplaceAll(file.Draw(t, "more"), "Include", "#")} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var r Redirects
		r.read(config, dir, dir, nil, 0)
		for _, name := range names {
			out, err := exec.Command(ssh, "-F", config, "-G", "--", name).Output()
			if err != nil {
				return // ssh does not take that file, and connects nowhere
			}
			if s := parseSettings(string(out)); (!s.Direct() || s.HostName != name) && !r.Concern(name) {
				t.Fatalf("ssh connects to %+v for %s, and %v does not concern it", s, name, r.patterns)
			}
			if timeout, known := r.ConnectTimeout(); known && timeout != parseSettings(string(out)).ConnectTimeout {
				t.Fatalf("the files set a ConnectTimeout of %s, and ssh has %+v for %s", timeout, parseSettings(string(out)), name)
			}
		}
	})
}

// TestConnectTimeout: ssh is asked where its files do not tell it for all hosts, and where something else is in its place.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	block, err := Install(nil, Block{StateDir: "/var/lib/one/one-ft", Timeout: true}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config string
		path   string
		want   time.Duration
		asked  int
	}{
		{name: "nobody sets one", config: "Host *\n User oneadmin\n", path: stockSSH},
		{name: "our block", config: string(block), path: stockSSH, want: Timeout},
		{name: "somebody else", config: "Host node1\n ConnectTimeout 5\n", path: stockSSH, want: 7 * time.Second, asked: 1},
		{name: "another ssh", path: "/opt/bin/ssh", want: 7 * time.Second, asked: 1},
	} {
		m := &machine{settings: map[string]string{"node1": "connecttimeout 7\n"}}
		client := Client{Machine: m, Path: c.path, User: User{Home: home(t, map[string]string{"config": c.config})}}
		if _, known := ReadRedirects(t.TempDir()).ConnectTimeout(); !known { // by what this machine has in /etc/ssh
			c.want, c.asked = 7*time.Second, 1
		}
		if got, err := client.ConnectTimeout(t.Context(), "node1"); err != nil || got != c.want || len(m.ran) != c.asked {
			t.Errorf("%s: %s, %v, asked %d times", c.name, got, err, len(m.ran))
		}
	}
}

// TestResolveWays: ssh is asked once for all names that its files say nothing about, and about each where one is not enough.
func TestResolveWays(t *testing.T) {
	t.Parallel()
	dir := home(t, map[string]string{"config": "Host gate*\n Port 2222\n"})
	names := []string{"gate1"}
	for i := range 100 {
		names = append(names, fmt.Sprintf("Node%d", i))
	}
	for _, c := range []struct {
		name     string
		settings map[string]string
		result   *programs.Result
		asked    int
	}{
		{name: "by the files", settings: map[string]string{"gate1": "port 2222\n"}, asked: 2},
		{name: "a script in the place of ssh", settings: map[string]string{"Node0": "port 2223\n"}, asked: len(names)},
		{name: "ssh says nothing", result: &programs.Result{Code: 255}, asked: len(names)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := &machine{settings: c.settings, result: c.result}
			all := Client{Machine: m, User: User{Home: dir}}.ResolveWays(t.Context(), names)
			if ReadRedirects(dir).Concern("Node0") { // by what this machine has in /etc/ssh
				c.asked = len(names)
			}
			if len(m.ran) != c.asked {
				t.Errorf("ssh was asked %d times, want %d", len(m.ran), c.asked)
			}
			for i, a := range all {
				port := 22
				if i == 0 && c.settings["gate1"] != "" {
					port = 2222
				}
				if c.result == nil && c.asked == 2 && (a.Err != nil || a.Port != port || !strings.EqualFold(a.HostName, names[i])) || c.result != nil && a.Err == nil {
					t.Errorf("%s: %+v", names[i], a)
				}
			}
		})
	}
}
