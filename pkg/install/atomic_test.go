package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// when is the time of a change, and stamp how it is in the name of the backup.
var when = time.Date(2026, 11, 22, 9, 8, 7, 0, time.UTC)

const stamp = ".one-ft-20261122-090807"

// conf makes an oned.conf in a new directory.
func conf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oned.conf")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// names are the files beside an oned.conf.
func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := OnedConf().Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWriteFile(t *testing.T) {
	path := conf(t, "A = 1\n")
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	_ = os.Chown(path, 12345, 54321) // works for root only
	attribute := unix.Setxattr(path, "user.one", []byte("kept"), 0) == nil
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := OnedConf().Write(path, []byte("A = 1\n"), []byte("A = 2\n"), when)
	if err != nil || backup != path+stamp {
		t.Fatalf("%q, %v", backup, err)
	}
	if content(t, path) != "A = 2\n" || content(t, backup) != "A = 1\n" {
		t.Errorf("%q, backup %q", content(t, path), content(t, backup))
	}
	for _, name := range []string{path, backup} {
		after, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		was, is := before.Sys().(*syscall.Stat_t), after.Sys().(*syscall.Stat_t)
		if after.Mode() != before.Mode() || was.Uid != is.Uid || was.Gid != is.Gid {
			t.Errorf("%s: %s, %d, %d", name, after.Mode(), is.Uid, is.Gid)
		}
		value := make([]byte, 10)
		if n, err := unix.Getxattr(name, "user.one", value); attribute && (err != nil || string(value[:n]) != "kept") {
			t.Errorf("%s: attribute %q, %v", name, value, err)
		}
	}
	if all := names(t, path); !slices.Equal(all, []string{"oned.conf", "oned.conf" + stamp}) {
		t.Errorf("%q", all)
	}
}

func TestWriteNothing(t *testing.T) {
	path := conf(t, "A = 1\n")
	for _, name := range []string{path, path + "-that-is-not-there"} {
		if backup, err := OnedConf().Write(name, []byte("A = 1\n"), []byte("A = 1\n"), when); backup != "" || err != nil {
			t.Errorf("%q, %v", backup, err)
		}
	}
	if all := names(t, path); len(all) != 1 {
		t.Errorf("%q", all)
	}
}

func TestWriteThroughALink(t *testing.T) {
	path := conf(t, "A = 1\n")
	link := filepath.Join(t.TempDir(), "oned.conf")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	backup, err := OnedConf().Write(link, []byte("A = 1\n"), []byte("A = 2\n"), when)
	if err != nil || filepath.Dir(backup) != filepath.Dir(path) {
		t.Fatalf("%q, %v", backup, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || content(t, path) != "A = 2\n" || len(names(t, link)) != 1 {
		t.Errorf("%v, %q", err, content(t, path))
	}
}

func TestWriteRefuses(t *testing.T) {
	old := "A = 1\n"
	for name, tc := range map[string]struct {
		prepare   func(path string) error
		old, want string
		part      string
	}{
		"changed meanwhile": {func(string) error { return nil }, "A = 0\n", "A = 2\n", "has changed in the meantime"},
		"not readable":      {func(string) error { return nil }, old, "A = [", "nothing was changed"},
		"gone":              {os.Remove, old, "A = 2\n", "no such file"},
	} {
		path := conf(t, old)
		if err := tc.prepare(path); err != nil {
			t.Fatal(err)
		}
		before := names(t, path)
		_, err := OnedConf().Write(path, []byte(tc.old), []byte(tc.want), when)
		wantError(t, err, tc.part)
		if text, err := os.ReadFile(path); err == nil && string(text) != old || !slices.Equal(before, names(t, path)) {
			t.Errorf("%s: %q, %q", name, text, names(t, path))
		}
	}
}

func TestReadFile(t *testing.T) {
	path := conf(t, strings.Repeat("x", maxSize))
	if text, err := OnedConf().Read(path); err != nil || len(text) != maxSize {
		t.Error(len(text), err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := OnedConf().Read(path)
	wantError(t, err, "4194304")
	_, err = OnedConf().Read(filepath.Dir(path))
	wantError(t, err, "not a regular file")
	if _, err = OnedConf().Read(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestPutBack: a file that is not what was written is replaced by the old text.
func TestPutBack(t *testing.T) {
	path := conf(t, "A = 3\n")
	old, fresh := []byte("A = 1\n"), []byte("A = 2\n")
	wantError(t, OnedConf().readBack(path, path+stamp, old, fresh), "has changed in the meantime", "put back")
	if content(t, path) != "A = 1\n" {
		t.Errorf("%q", content(t, path))
	}
	if err := OnedConf().readBack(path, path+stamp, fresh, old); err != nil || content(t, path) != "A = 1\n" {
		t.Errorf("%v, %q", err, content(t, path))
	}
	wantError(t, OnedConf().readBack(path+"x", path+stamp, old, fresh), "could not be put back", "copy ")
	// A change that could not be written leaves no backup, one that half was leaves it.
	for backup, was := range map[string][]byte{"": old, path + stamp: fresh} {
		if err := os.WriteFile(path+stamp, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		left, err := OnedConf().failed(path, path+stamp, was, errors.New("no space"))
		wantError(t, err, "no space")
		if _, missing := os.Stat(path + stamp); left != backup || (missing == nil) != (backup != "") || strings.Contains(err.Error(), "nothing") != (backup == "") {
			t.Errorf("%q, %v, %v", left, err, missing)
		}
	}
}

func TestReplaceFails(t *testing.T) {
	path := conf(t, "")
	// No original; and one that cannot be replaced, so that a temporary file has to go.
	for _, name := range []string{path + "x", filepath.Dir(path)} {
		beside := names(t, name)
		if err := replace(name, name, nil, false); err == nil || !slices.Equal(names(t, name), beside) {
			t.Errorf("%v, %q", err, names(t, name))
		}
	}
}

func TestExecutable(t *testing.T) {
	path := conf(t, "")
	wantError(t, Executable(path), "not executable")
	wantError(t, Executable(filepath.Dir(path)), "not a file")
	if err := Executable(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o710); err != nil {
		t.Fatal(err)
	}
	if err := Executable(path); err != nil {
		t.Error(err)
	}
}

// TestSecondBackup: two changes in one second, or a link in the way, leave every backup as it
// is.
func TestSecondBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oned.conf")
	if err := os.WriteFile(path, []byte("A = 1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", path+stamp+"-2"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := 1; n < 4; n++ {
		name, err := OnedConf().Write(path, fmt.Appendf(nil, "A = %d\n", n), fmt.Appendf(nil, "A = %d\n", n+1), when)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if err != nil || string(text) != fmt.Sprintf("A = %d\n", n) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		names = append(names, filepath.Base(name))
	}
	if names[0] == names[1] || names[1] == names[2] || names[1] == "oned.conf"+stamp+"-2" {
		t.Errorf("backups: %v", names)
	}
}
