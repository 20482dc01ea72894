package install

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A one-ft.yaml is replaced as a whole, with its mode; a missing one is made; a link stays; and what
// somebody else has written meanwhile is not lost.
func TestWriteSettings(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "one-ft.yaml"), filepath.Join(dir, "link.yaml")
	holds := func(want string, mode fs.FileMode) {
		t.Helper()
		text, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		entries, _ := os.ReadDir(dir)
		if err != nil || statErr != nil || string(text) != want || info.Mode().Perm() != mode || len(entries) > 3 {
			t.Errorf("%v, %v: %q, %v, %v", err, statErr, text, info.Mode(), entries)
		}
	}
	if text, err := Settings().Read(path); err != nil || len(text) > 0 {
		t.Errorf("missing: %q, %v", text, err)
	}
	if _, err := Settings().Write(path, nil, []byte("a\n"), time.Now()); err != nil {
		t.Fatal(err)
	}
	holds("a\n", 0o644)
	if err := errors.Join(os.Chmod(path, 0o640), os.Symlink("one-ft.yaml", link)); err != nil {
		t.Fatal(err)
	}
	if backup, err := Settings().Write(link, []byte("a\n"), []byte("b\n"), time.Now()); err != nil || backup == "" {
		t.Fatal(err)
	}
	holds("b\n", 0o640)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	for _, old := range [][]byte{[]byte("a\n"), nil} {
		if _, err := Settings().Write(path, old, []byte("c\n"), time.Now()); err == nil {
			t.Errorf("what somebody else wrote is lost: %q", old)
		}
	}
	if _, err := Settings().Write(filepath.Join(dir, "none", "x.yaml"), nil, []byte("c\n"), time.Now()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	holds("b\n", 0o640)
}

// Who may not write it is told so, and nothing is left behind.
func TestWriteSettingsForbidden(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one-ft.yaml")
	if err := errors.Join(os.WriteFile(path, []byte("a\n"), 0o644), os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // of this thread only, for files; it ends with the test
		runtime.LockOSThread()
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Fatal(err)
		}
	}
	_, existing := Settings().Write(path, []byte("a\n"), []byte("b\n"), time.Now())
	_, missing := Settings().Write(filepath.Join(dir, "two.yaml"), nil, []byte("b\n"), time.Now())
	if os.Geteuid() == 0 {
		if _, err := unix.SetfsuidRetUid(0); err != nil {
			t.Fatal(err)
		}
		runtime.UnlockOSThread()
	}
	if !errors.Is(existing, fs.ErrPermission) || !errors.Is(missing, fs.ErrPermission) {
		t.Errorf("%v; %v", existing, missing)
	}
	text, err := os.ReadFile(path)
	entries, _ := os.ReadDir(dir)
	if err != nil || string(text) != "a\n" || len(entries) != 1 {
		t.Errorf("%v: %q, %v", err, text, entries)
	}
}
