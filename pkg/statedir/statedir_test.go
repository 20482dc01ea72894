package statedir_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/statedir"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	when := time.Unix(1700000000, 0)
	if err := (statedir.File{Mode: 0o640, ModTime: when}).Replace(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 || !info.ModTime().Equal(when) {
		t.Errorf("%v, %v", info, err)
	}
	if err := (statedir.File{Volatile: true}).Replace(path, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if err := (statedir.File{CreateOnly: true}).Replace(path, []byte("three")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that exists was created: %v", err)
	}
	if err := (statedir.File{Prepare: func(*os.File) error { return fs.ErrInvalid }}).Replace(path, []byte("four")); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if text, err := statedir.ReadSmall(path, 3); err != nil || string(text) != "two" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := statedir.ReadSmall(path, 2); err == nil {
		t.Error("a longer file was read")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestReadConfig: a link is followed where an admin may have made it, and only files are read, which a pipe is not.
func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	file, link, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "pipe")
	if err := errors.Join(os.WriteFile(file, []byte("one"), 0o600), os.Symlink("file", link), syscall.Mkfifo(pipe, 0o600)); err != nil {
		t.Fatal(err)
	}
	if text, err := statedir.ReadConfig(link, 3); err != nil || string(text) != "one" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := statedir.ReadSmall(link, 3); err == nil {
		t.Error("ReadSmall followed a link")
	}
	for _, path := range []string{pipe, dir} {
		if _, err := statedir.ReadConfig(path, 3); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestMakeDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := errors.Join(statedir.MakeDir(dir), statedir.MakeDir(dir)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, under := range []string{file, filepath.Join(file, "c")} {
		if err := statedir.MakeDir(under); err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("%s: %v", under, err)
		}
	}
}

func TestLockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, release, err := statedir.LockFile(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := statedir.LockFile(t.Context(), path, 0); !errors.Is(err, statedir.ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := statedir.LockFile(ended, path, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	other, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if !statedir.Locked(other) {
		t.Error("the lock does not show")
	}
	go func() { time.Sleep(10 * time.Millisecond); release() }()
	_, again, err := statedir.LockFile(t.Context(), path, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if statedir.Locked(other) {
		t.Error("the lock stays")
	}
}
