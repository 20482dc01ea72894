package install

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"one-ft/pkg/failfast"
)

// userHome makes a home with a ~/.ssh; text is its configuration.
func userHome(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		if err := os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

func readSSH(t *testing.T, home string, uid int) SSHConfig {
	t.Helper()
	c, err := ReadSSHConfig(home, uid)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func withBlock(t *testing.T, c SSHConfig) []byte {
	t.Helper()
	fresh, err := failfast.Install(c.Text, failfast.Block{StateDir: "/var/lib/one/one-ft"}, c.Owner == SSHMissing)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

// TestSSHConfigOwn: the file keeps its mode, gets a backup, and is what it was when the block is taken
// out again.
func TestSSHConfigOwn(t *testing.T) {
	const text = "Host *\n  User x"
	c := readSSH(t, userHome(t, text, 0o640), os.Geteuid())
	if c.Owner != SSHOwn || !c.Usual() || string(c.Text) != text {
		t.Fatalf("%+v", c)
	}
	fresh := withBlock(t, c)
	backup, err := c.Write(fresh, when)
	if err != nil || backup != c.Path+stamp || content(t, backup) != text || content(t, c.Path) != string(fresh) {
		t.Fatalf("%q, %v", backup, err)
	}
	if info, err := os.Stat(c.Path); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := c.Write(fresh, when); err == nil || !strings.Contains(err.Error(), "has changed in the meantime") {
		t.Errorf("a file that is not as it was read: %v", err)
	}
	c = readSSH(t, filepath.Dir(filepath.Dir(c.Path)), os.Geteuid())
	rest, _, err := failfast.Remove(c.Text)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(rest, when); err != nil || content(t, c.Path) != text {
		t.Errorf("%v, %q", err, content(t, c.Path))
	}
	if _, err := c.Write([]byte("# BEGIN one-ft\n"), when); err == nil || content(t, c.Path) != text {
		t.Errorf("a damaged block was written: %v", err)
	}
}

// TestSSHConfigMissing: the file is made for its user alone, and is gone again.
func TestSSHConfigMissing(t *testing.T) {
	home := userHome(t, "", 0)
	c := readSSH(t, home, os.Geteuid())
	if c.Owner != SSHMissing || !c.Usual() || c.Text != nil {
		t.Fatalf("%+v", c)
	}
	if backup, err := c.Write(withBlock(t, c), when); backup != "" || err != nil {
		t.Fatalf("%q, %v", backup, err)
	}
	info, err := os.Stat(c.Path)
	if err != nil || info.Mode() != 0o600 || int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := c.Write(withBlock(t, c), when); err == nil {
		t.Error("a file that somebody has made meanwhile was replaced")
	}
	made := readSSH(t, home, os.Geteuid())
	if rest, fromNothing, err := failfast.Remove(made.Text); err != nil || !fromNothing || len(rest) != 0 {
		t.Errorf("%q, %v, %v", rest, fromNothing, err)
	}
	if err := made.Delete(); err != nil {
		t.Error(err)
	}
	if left := names(t, c.Path); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

// TestSSHConfigOthers: what something else manages is changed only on request.
func TestSSHConfigOthers(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(elsewhere, []byte("Host *\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	linked := userHome(t, "", 0)
	inside := userHome(t, "", 0)
	dangling := userHome(t, "", 0)
	if err := os.WriteFile(filepath.Join(inside, ".ssh", "real"), []byte("Host *\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for home, target := range map[string]string{linked: elsewhere, inside: "real", dangling: "/nonexistent/config"} {
		if err := os.Symlink(target, filepath.Join(home, ".ssh", "config")); err != nil {
			t.Fatal(err)
		}
	}
	self, other := os.Geteuid(), os.Geteuid()+1
	for name, c := range map[string]struct {
		home    string
		uid     int
		owner   SSHOwner
		refused bool
	}{
		"link elsewhere":       {linked, self, SSHLinked, false},
		"link beside it":       {inside, self, SSHOwn, false},
		"link to nothing":      {dangling, self, SSHLinked, true},
		"of another user":      {userHome(t, "Host *\n", 0o600), other, SSHForeign, true},
		"missing, of another":  {userHome(t, "", 0), other, SSHForeign, true},
		"no directory":         {t.TempDir(), self, SSHNoDir, true},
		"no home":              {"/nonexistent", self, SSHNoDir, true},
		"link, and of another": {linked, other, SSHForeign, true},
	} {
		got := readSSH(t, c.home, c.uid)
		if got.Owner != c.owner || got.Usual() != (c.owner == SSHOwn) || (got.Refusal() != nil) != c.refused {
			t.Errorf("%s: %+v, %v", name, got, got.Refusal())
		}
		if !c.refused {
			continue
		}
		if _, err := got.Write([]byte("x"), when); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
	c := readSSH(t, linked, self)
	if backup, err := c.Write(withBlock(t, c), when); err != nil || filepath.Dir(backup) != filepath.Dir(elsewhere) {
		t.Errorf("%q, %v", backup, err)
	}
	if info, err := os.Lstat(c.Path); err != nil || info.Mode()&fs.ModeSymlink == 0 || !strings.HasPrefix(content(t, elsewhere), "# BEGIN one-ft") {
		t.Errorf("the link is gone, or its target was not changed: %v", err)
	}
	directory := userHome(t, "", 0)
	if err := os.Mkdir(filepath.Join(directory, ".ssh", "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSSHConfig(directory, self); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}

func TestDiffSSH(t *testing.T) {
	c := readSSH(t, userHome(t, "Host *\n", 0o600), os.Geteuid())
	lines := strings.Split(c.DiffSSH(withBlock(t, c)), "\n")
	if !slices.Contains(lines, "+  ControlPath none") || !slices.Contains(lines, " Host *") ||
		!strings.HasSuffix(lines[0], ".ssh/config") {
		t.Errorf("%q", lines)
	}
	if c.DiffSSH(c.Text) != "" {
		t.Error("no change is no diff")
	}
}
