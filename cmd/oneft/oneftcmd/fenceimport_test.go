package oneftcmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
	"one-ft/pkg/fence/roster"
)

// When the configuration cannot be written no password is left, and one that was there before is not touched.
func TestWriteFencesUndone(t *testing.T) {
	dir := t.TempDir()
	path, fresh, there := filepath.Join(dir, config.Name), filepath.Join(dir, "fence", "node3"), filepath.Join(dir, "fence", "node4")
	if err := errors.Join(os.WriteFile(path, []byte("wait: 1s\n"), 0o640), os.Mkdir(filepath.Dir(there), 0o700), os.WriteFile(there, []byte("old\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := app.Session{Settings: app.Settings{StateDir: filepath.Join(dir, "var", "one-ft")}}
	agents := []config.HostAgent{{Host: "node3", Agent: "fence_ipmilan", Params: map[string]string{"ip": "a"}, SecretFile: fresh}}
	for name, c := range map[string]struct {
		secrets   []roster.Secret
		old, says string
	}{
		"changed meanwhile":   {[]roster.Secret{{Path: fresh, Password: "s3cret"}}, "wait: 2s\n", "has changed in the meantime"},
		"a password is there": {[]roster.Secret{{Path: fresh, Password: "s3cret"}, {Path: there, Password: "new"}}, "wait: 1s\n", "write a password"},
	} {
		_, err := writeFences(s, path, []byte(c.old), []byte("wait: 3s\n"), roster.Change{Agents: agents, Secrets: c.secrets})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the password is left: %v", name, err)
		}
		old, err := os.ReadFile(there)
		text, failed := os.ReadFile(path)
		if err := errors.Join(err, failed); err != nil || string(old) != "old\n" || string(text) != "wait: 1s\n" {
			t.Errorf("%s: %q, %q, %v", name, old, text, err)
		}
	}
}

// Passwords belong to whom the state belongs, which hooks write, be its directory there or not.
func TestHooksOwner(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 4242, 4243); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{dir, dir + "/", filepath.Join(dir, "var", "one-ft")} {
		uid, gid, err := hooksOwner(state)
		if want := os.Geteuid() == 0; err != nil || want && (uid != 4242 || gid != 4243) || !want && uid != os.Getuid() {
			t.Errorf("%s: %d, %d, %v (%v)", state, uid, gid, err, info)
		}
	}
}
