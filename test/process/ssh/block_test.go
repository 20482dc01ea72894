package ssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/test/process/rigs"
)

// block is an ssh configuration with the block in it, and marks.
type block struct {
	config string
	marks  failfast.Marks
	env    []string
}

func newBlock(t *testing.T, config string, marked ...string) *block {
	t.Helper()
	rigs.Need(t, rigs.SSHPackages, "ssh")
	state := filepath.Join(t.TempDir(), "st ate 100%")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &block{config: filepath.Join(state, "config"), marks: failfast.Open(state), env: os.Environ()}
	text, err := failfast.Install([]byte(config), failfast.Block{StateDir: state, Timeout: true}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.marks.Set(t.Context(), marked, failfast.Hold{Until: time.Now().Add(failfast.MaxHold)}); err != nil {
		t.Fatal(err)
	}
	return b
}

// resolve asks ssh what it would do: settings by keyword in small letters.
func (b *block) resolve(t *testing.T, args ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("ssh", append([]string{"-F", b.config, "-G"}, args...)...)
	cmd.Env = b.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		settings[key] = value
	}
	return settings
}

// fails reports whether ssh fails at once.
func (b *block) fails(t *testing.T, args ...string) bool {
	return strings.Contains(b.resolve(t, args...)["proxycommand"], said)
}

// TestBlockNames: a mark counts for the name that ssh was called with, whatever else it is called with.
func TestBlockNames(t *testing.T) {
	t.Parallel()
	b := newBlock(t, "Host alias\n  HostName real.example\nHost other\n  HostName node1\n", "node1", "NODE2", "alias", "2001:db8::1")
	for call, want := range map[string]bool{
		"node1": true, "root@node1": true, "a@b@node1": true, "ssh://root@node1:2222": true, "2001:db8::1": true,
		"-p 2222 -l x node1": true, "-o ControlMaster=no -o ControlPath=none -o ForwardAgent=yes node1": true, "-o ControlPath=/x/y node1": true,
		"alias": true, "NODE2": true,
		"node2": false, "Node1": false, "node10": false, "node1.example": false, "real.example": false, "other": false, "2001:db8::2": false,
	} {
		if got := b.fails(t, strings.Fields(call)...); got != want {
			t.Errorf("ssh %s fails at once: %v", call, got)
		}
	}
	if s := b.resolve(t, "-o", "ProxyCommand=none", "node1"); s["proxycommand"] != "" {
		t.Errorf("nobody gets past a mark: %v", s)
	}
	s := b.resolve(t, "-o", "ControlMaster=auto", "node1")
	if s["controlpath"] != "" {
		t.Errorf("a master would be used: %v", s)
	}
}

// TestBlockTwice: where ssh reads its configuration twice, the second time with the name that it connects
// to, a mark of either counts.
func TestBlockTwice(t *testing.T) {
	t.Parallel()
	b := newBlock(t, "Host alias one\n  HostName real.example\nMatch final host nobody\n  User nobody\n", "alias", "lower")
	for name, want := range map[string]bool{"alias": true, "LOWER": true, "one": false} {
		if got := b.fails(t, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	b = newBlock(t, "Host alias one\n  HostName real.example\nMatch final host nobody\n  User nobody\n", "real.example")
	if !b.fails(t, "alias") || !b.fails(t, "real.example") {
		t.Error("the mark of the name that ssh connects to")
	}
}

// TestBlockLeavesTheRest: what stands behind the block, also outside of Host, holds as before.
func TestBlockLeavesTheRest(t *testing.T) {
	t.Parallel()
	included := filepath.Join(t.TempDir(), "included")
	if err := os.WriteFile(included, []byte("ServerAliveInterval 7\nHost node1 node2\n  Port 2222\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for eol, name := range map[string]string{"\n": "LF", "\r\n": "CRLF"} {
		text := strings.ReplaceAll("User oned\nInclude "+included+"\nHost *\n  ControlPath /x/%h\n  ProxyJump jump", "\n", eol)
		b := newBlock(t, text, "node1")
		for _, host := range []string{"node1", "node2"} {
			s := b.resolve(t, host)
			if s["user"] != "oned" || s["serveraliveinterval"] != "7" || s["port"] != "2222" || s["connecttimeout"] != "10" {
				t.Errorf("%s, %s: %v", name, host, s)
			}
		}
		if s := b.resolve(t, "node2"); s["controlpath"] != "/x/node2" || s["proxyjump"] != "jump" || s["proxycommand"] != "" {
			t.Errorf("%s: %v", name, s)
		}
		if s := b.resolve(t, "node1"); s["controlpath"] != "" || s["proxyjump"] != "" || !strings.Contains(s["proxycommand"], said) {
			t.Errorf("%s: %v", name, s)
		}
	}
}

// TestBlockShells: $SHELL reads the condition. Whatever it is, a mark counts until it expires, and never
// without /proc.
func TestBlockShells(t *testing.T) {
	t.Parallel()
	b := newBlock(t, "", "node1", "old")
	if err := os.Chtimes(b.marks.Path("old"), time.Time{}, time.Now().Add(-2*time.Second)); err != nil {
		t.Fatal(err)
	}
	condition := ""
	text, err := os.ReadFile(b.config)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, rest, found := strings.Cut(line, `exec "`); found {
			condition, _, _ = strings.Cut(rest, `"`)
		}
	}
	condition = strings.NewReplacer("%%", "%", "%h", "node1").Replace(condition)
	tried := 0
	for _, shell := range []string{"sh", "dash", "bash", "zsh", "fish", "tcsh", "ksh", "mksh"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		tried++
		b.env = append(os.Environ(), "SHELL="+path)
		for name, want := range map[string]bool{"node1": true, "old": false, "none": false} {
			if got := b.fails(t, name); got != want {
				t.Errorf("%s: %s: %v", shell, name, got)
			}
		}
		if os.Geteuid() != 0 {
			continue
		}
		script := `umount -l /proc && exec "$@"`
		if exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", path, "-c", condition).Run() == nil {
			t.Errorf("%s: without /proc a mark counts for ever", shell)
		}
	}
	if tried < 2 {
		t.Errorf("only %d shells are here", tried)
	}
	b.env = append(os.Environ(), "SHELL=/usr/sbin/nologin")
	if b.fails(t, "node1") {
		t.Error("a shell that runs nothing finds a mark")
	}
}

// TestBlockNoCode: no name gets into the shell as code. ssh itself refuses such names only since 9.6, and
// only those from its command line.
func TestBlockNoCode(t *testing.T) {
	t.Parallel()
	b := newBlock(t, "", "node1")
	proof := filepath.Join(t.TempDir(), "run")
	for _, name := range []string{"x';touch " + proof + ";'", "x$(touch " + proof + ")", "x`touch " + proof + "`", "x;touch " + proof, `x\';touch ` + proof + `;`} {
		cmd := exec.Command("ssh", "-F", b.config, "-o", `HostName="`+strings.ReplaceAll(name, `\`, `\\`)+`"`, "-G", "host")
		if out, err := cmd.CombinedOutput(); err != nil && len(out) == 0 {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := os.Stat(proof); err == nil {
			t.Fatalf("%q ran as code", name)
		}
	}
}
