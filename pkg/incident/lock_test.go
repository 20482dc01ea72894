package incident

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// holdDir, when set, makes the test binary a process that takes the lock of VM 42 in
// that directory, says how that went, and keeps it until its stdin ends.
const holdDir = "LOCK_TEST_HOLD"

func TestMain(m *testing.M) {
	dir := os.Getenv(holdDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	locks, err := OpenLocks(dir, "another, pid 4711")
	if err == nil {
		_, err = locks.Acquire("VM", 42)
	}
	fmt.Println(err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// process starts another process that tries to hold the lock, and gives what it said.
func process(t *testing.T, dir string, as *syscall.Credential) (cmd *exec.Cmd, stop func(), said string) {
	t.Helper()
	binary := os.Args[0]
	if as != nil { // the directory of the test binary may be closed to others
		// cp writes it: a process that this one starts meanwhile would hold it open for writing, and it could not be run.
		binary = filepath.Join(dir, "holder.test")
		if out, err := exec.CommandContext(t.Context(), "cp", os.Args[0], binary).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	cmd = exec.CommandContext(t.Context(), binary)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), holdDir+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, _ = bufio.NewReader(stdout).ReadString('\n')
	return cmd, func() { stdin.Close(); _ = cmd.Wait() }, strings.TrimSpace(said)
}

func open(t *testing.T, dir string) *Locks {
	t.Helper()
	locks, err := OpenLocks(dir, "this, pid 1")
	if err != nil {
		t.Fatal(err)
	}
	return locks
}

// take takes the lock of VM 42.
func take(t *testing.T, locks *Locks) (release func()) {
	t.Helper()
	release, err := locks.Acquire("VM", 42)
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// busy makes sure that VM 42 is held by holder.
func busy(t *testing.T, locks *Locks, holder string) {
	t.Helper()
	release, err := locks.Acquire("VM", 42)
	var e *BusyError
	if !errors.As(err, &e) || !errors.Is(err, ErrBusy) || e.Object != "VM 42" || e.Holder != holder || release != nil {
		t.Fatalf("%#v", err)
	}
	if want := "VM 42 is already being handled by "; !strings.HasPrefix(e.Error(), want) {
		t.Error(e)
	}
}

func TestExclusiveInOneProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	first, second := open(t, dir), open(t, dir)
	release := take(t, first)
	busy(t, first, "this, pid 1")
	busy(t, second, "this, pid 1")
	for _, other := range []func() (func(), error){
		func() (func(), error) { return second.Acquire("VM", 4) },
		func() (func(), error) { return second.Acquire("VM", 421) },
		func() (func(), error) { return second.Acquire("host", 42) },
	} {
		free, err := other()
		if err != nil {
			t.Fatal(err)
		}
		free()
	}
	release()
	release = take(t, second)
	release()
	release() // the second time does nothing
	take(t, first)()
}

func TestExclusiveBetweenProcesses(t *testing.T) {
	dir := t.TempDir()
	_, stop, said := process(t, dir, nil)
	if said != "<nil>" {
		t.Fatal(said)
	}
	busy(t, open(t, dir), "another, pid 4711")
	stop()
	release := take(t, open(t, dir))
	defer release()
	_, stop, said = process(t, dir, nil)
	defer stop()
	if said != "VM 42 is already being handled by this, pid 1" {
		t.Error(said)
	}
}

func TestReleasedWhenKilled(t *testing.T) {
	dir := t.TempDir()
	cmd, stop, said := process(t, dir, nil)
	if said != "<nil>" {
		t.Fatal(said)
	}
	busy(t, open(t, dir), "another, pid 4711")
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	stop()
	take(t, open(t, dir))()
}

// TestFileOfAnotherUser: a lock file that this user may only read locks as well.
func TestFileOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 { // read-only for its owner is all that can be had
		dir := t.TempDir()
		take(t, open(t, dir))()
		if err := os.Chmod(filepath.Join(dir, "VM-42.lock"), 0o444); err != nil {
			t.Fatal(err)
		}
		release := take(t, open(t, dir))
		defer release()
		busy(t, open(t, dir), "this, pid 1")
		return
	}
	dir, err := os.MkdirTemp("/tmp", "locks")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	_, stop, said := process(t, dir, nobody)
	stop()
	if !strings.Contains(said, "denied") { // there is no file yet, and it may make none
		t.Error(said)
	}
	take(t, open(t, dir))()
	_, stop, said = process(t, dir, nobody)
	if said != "<nil>" {
		t.Fatal(said)
	}
	if _, err := open(t, dir).Acquire("VM", 42); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	stop()
	take(t, open(t, dir))()
}

func TestDirectoriesThatDoNotWork(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, file + "/below", "/proc/no/such"} {
		if locks, err := OpenLocks(bad, "x"); err == nil || locks != nil || !strings.HasPrefix(err.Error(), "make the directory for locks") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	locks := open(t, filepath.Join(dir, "gone"))
	if err := os.Remove(filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if _, err := locks.Acquire("VM", 42); err == nil || errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "VM 42") {
		t.Error(err)
	}
}

// TestStrangeLockFiles: what stands in a lock file is for people only.
func TestStrangeLockFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "VM-42.lock")
	release := take(t, open(t, dir))
	defer release()
	for text, want := range map[string]string{"": "", "\n": "", "one\ntwo\n": "one", strings.Repeat("x", 1<<20): strings.Repeat("x", maxHolder)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var e *BusyError
		if _, err := open(t, dir).Acquire("VM", 42); !errors.As(err, &e) || e.Holder != want {
			t.Errorf("%.20q: %v", text, err)
		}
		if want == "" && e.Error() != "VM 42 is already being handled by another process" {
			t.Error(e)
		}
	}
}

// TestHolder: who looks at a lock finds its holder, and is in nobody's way.
func TestHolder(t *testing.T) {
	mine, err := OpenLocks(t.TempDir(), "oneft, pid 7")
	if err != nil {
		t.Fatal(err)
	}
	looks := func(want string) {
		t.Helper()
		if got := mine.Holder("person-for-host", 3); got != want {
			t.Errorf("holder %q, want %q", got, want)
		}
		looker := LookAtLocks(mine.dir)
		if got := looker.Holder("person-for-host", 3); got != want {
			t.Errorf("a tool that changes nothing: holder %q, want %q", got, want)
		}
		if _, err := looker.Acquire("person-for-host", 3); err != nil {
			t.Error(err)
		}
	}
	looks("")
	for range 2 {
		release, err := mine.Acquire("person-for-host", 3)
		if err != nil {
			t.Fatal(err)
		}
		looks("oneft, pid 7")
		release()
		looks("")
	}
}
