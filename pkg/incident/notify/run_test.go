package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/incident"
	"one-ft/pkg/process"
)

// A command that fails is run twice and never again.
func TestFailingCommand(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.answer = []process.Result{
			{Code: 75, Output: "connecting\nno route to \x1b[31mhost\r\n\n"},
			{Code: -1, Err: errors.New("start: no such file")},
		}
		n := b.process(mail("end"))
		n.Enqueue(End, 1)
		n.Deliver(t.Context())
		n.Deliver(t.Context())
		b.toldThat([]string{"end 1", "end 1"},
			`/bin/mail failed to notify of the end of incident 1: exit code 75: no route to \x1b[31mhost; retrying once`,
			`/bin/mail failed to notify of the end of incident 1: start: no such file; given up`)
		if pause := b.calls[1].at.Sub(b.calls[0].at); pause != 2*time.Second {
			t.Errorf("the second try after %s", pause)
		}
		b.isEmpty()
	})
}

// The second try may be the right one.
func TestSecondTry(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.answer = []process.Result{{Code: 1}}
		n := b.process(mail("end"))
		n.Enqueue(End, 1)
		n.Deliver(t.Context())
		b.toldThat([]string{"end 1", "end 1"}, "/bin/mail failed to notify of the end of incident 1: exit code 1; retrying")
	})
}

// If a process ends before the second try, the next one makes it, for this command only,
// and nobody makes a third.
func TestInterruptedCommand(t *testing.T) {
	for _, last := range []int{0, 1} {
		bubble(t, func(t *testing.T, b *bench) {
			b.record(1, incident.Done)
			b.record(2, incident.Done)
			pager := config.Notification{Command: []string{"/bin/pager"}, On: []string{"end"}, Timeout: time.Minute}
			n := b.process(mail("end"), pager)
			ctx, cancel := context.WithCancel(t.Context())
			n.run = func(ctx context.Context, limit time.Duration, p process.Program) process.Result {
				if p.Path == "/bin/pager" {
					<-ctx.Done()
					return process.Result{Code: -1, Err: ctx.Err()}
				}
				return b.run(ctx, limit, p)
			}
			time.AfterFunc(time.Second, cancel)
			n.Enqueue(End, 1)
			n.Deliver(ctx)
			if got := b.files(); !slices.Equal(got, []string{"end-1-again-" + id(pager)}) {
				t.Errorf("in the spool is %v", got)
			}
			b.answer = []process.Result{{Code: last}, {}}
			next := b.process(mail("end"), pager)
			next.Deliver(t.Context())
			next.Deliver(t.Context())
			wrong := []string{"/bin/pager failed to notify of the end of incident 1: context canceled; retrying once"}
			if last > 0 {
				wrong = append(wrong, "/bin/pager failed to notify of the end of incident 1: exit code 1; given up")
			}
			b.toldThat([]string{"end 1", "end 1"}, wrong...)
			if b.calls[0].argv[0] != "/bin/mail" || b.calls[1].argv[0] != "/bin/pager" {
				t.Errorf("run were %q and %q", b.calls[0].argv, b.calls[1].argv)
			}
			b.isEmpty()
		})
	}
}

// A deadline that leaves no time for the second try is as good as the end.
func TestDeadlineBeforeSecondTry(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.record(1, incident.Done)
		b.answer = []process.Result{{Code: 1}}
		n := b.process(mail("end"))
		n.Enqueue(End, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n.Deliver(ctx)
		if got := b.files(); len(b.events()) != 1 || !slices.Equal(got, []string{"end-1-again-" + id(mail())}) {
			t.Errorf("told %q, in the spool is %v", b.events(), got)
		}
	})
}

// A command that hangs is killed with what it started, and others tell meanwhile.
func TestHangingCommand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.record(1, incident.Done)
	out := filepath.Join(b.dir, "out")
	hang := config.Notification{Command: []string{"/bin/sh", "-c", "echo begin >&2; sleep 1000 & echo $! >> $0.pids; wait", out}, On: []string{"end"}, Timeout: 300 * time.Millisecond}
	good := config.Notification{Command: []string{"/bin/sh", "-c", `cat >> "$0"; echo " $FT_EVENT $FT_OBJECT" >> "$0"`, out}, On: []string{"end"}, Timeout: time.Minute}
	n := New(b.spoolDir(), b.journal, []config.Notification{hang, good}, nil, b.say)
	n.Enqueue(End, 1)
	n.Deliver(t.Context())
	text, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(text), `{"version":1,"incident":1,`) || !strings.HasSuffix(string(text), "} end host 101 (node1)\n") {
		t.Errorf("%v: %s", err, text)
	}
	b.toldThat([]string{}, "/bin/sh failed to notify of the end of incident 1: no answer in time; killed with all that it had started: begin; retrying once",
		"/bin/sh failed to notify of the end of incident 1: no answer in time")
	b.isEmpty()
	pids, err := os.ReadFile(out + ".pids")
	if err != nil || len(strings.Fields(string(pids))) != 2 {
		t.Fatalf("%v: %q", err, pids)
	}
	for _, word := range strings.Fields(string(pids)) {
		pid, _ := strconv.Atoi(word)
		for deadline := time.Now().Add(10 * time.Second); alive(pid); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is left", pid)
			}
		}
	}
}

// alive reports whether a process runs; one that nobody has reaped does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// child makes this test, when it is run again, one of many processes.
const child = "NOTIFY_TEST_DIR"

// Of many processes at once one tells, once.
func TestManyProcesses(t *testing.T) {
	const processes = 8
	dir := os.Getenv(child)
	b := newBench(t)
	if dir != "" {
		b.dir = dir
		journal, err := incident.OpenJournal(filepath.Join(dir, "incidents"))
		if err != nil {
			t.Fatal(err)
		}
		b.journal = journal
	}
	tell := config.Notification{Command: []string{"/bin/sh", "-c", `echo "$FT_EVENT $FT_INCIDENT $FT_SUMMARY" >> "$0"`, filepath.Join(b.dir, "out")}, On: []string{"end"}, Timeout: time.Minute}
	n := New(b.spoolDir(), b.journal, []config.Notification{tell}, nil, b.say)
	if dir != "" {
		number, _ := strconv.Atoi(os.Getenv(child + "_NUMBER"))
		_, _ = io.Copy(io.Discard, os.Stdin) // all begin together
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		n.Enqueue(End, number)
		n.Deliver(ctx)
		b.toldThat([]string{})
		return
	}
	start, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range processes {
		b.record(i+1, incident.Done)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), child+"="+b.dir, fmt.Sprintf("%s_NUMBER=%d", child, i+1))
		cmd.Stdin = start
		out := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	if err := errors.Join(write.Close(), start.Close()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	read := func() []string {
		text, err := os.ReadFile(filepath.Join(b.dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
	if lines := read(); len(lines) != 1 || !strings.HasPrefix(lines[0], "end ") || len(b.files()) != processes-1 {
		t.Fatalf("told %q, and %v waits", lines, b.files())
	}
	if err := os.Truncate(filepath.Join(b.spoolDir(), lockName), 0); err != nil { // as if it were long ago
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n.Deliver(ctx)
	if lines := read(); len(lines) != 2 || len(b.files()) != processes-2 {
		t.Fatalf("told %q, and %v waits", lines, b.files())
	}
}

// A spool that somebody spoiled tells what is in it all the same, once.
func TestSpoiledSpool(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"told is a file": func(dir string) error {
			told := filepath.Join(dir, toldName)
			return errors.Join(os.Remove(told), os.WriteFile(told, nil, 0o600))
		},
		"told is missing":     func(dir string) error { return os.Remove(filepath.Join(dir, toldName)) },
		"told cannot hold it": func(dir string) error { return os.MkdirAll(filepath.Join(dir, toldName, "hold-1", "x"), 0o700) },
		"lock is a directory": func(dir string) error { return os.Mkdir(filepath.Join(dir, lockName), 0o700) },
		"lock is a pipe":      func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, lockName), 0o600) },
		"lock is a link":      func(dir string) error { return os.Symlink("/dev/null", filepath.Join(dir, lockName)) },
	} {
		bubble(t, func(t *testing.T, b *bench) {
			b.record(1, incident.Open)
			b.record(2, incident.Done)
			n := b.process(mail("hold", "end"))
			n.Enqueue(Hold, 1)
			n.Enqueue(End, 2)
			if err := spoil(b.spoolDir()); err != nil {
				t.Fatal(err)
			}
			n.Deliver(t.Context())
			if got := b.events(); !slices.Equal(got, []string{"hold 1", "end 2"}) {
				t.Errorf("%s: told %q, said %q", name, got, b.said)
			}
			n.Enqueue(End, 2)
			n.Deliver(t.Context())
			if got := b.events(); len(got) > 2 {
				t.Errorf("%s: told again %q", name, got)
			}
			b.isEmpty()
		})
	}
}

// Without the right to write there nobody is told, and that is said. A thread of its own gives up
// root's right.
func TestNoRight(t *testing.T) {
	b := newBench(t)
	b.record(1, incident.Done)
	n := b.process(mail("end"))
	n.Enqueue(End, 1)
	journal := filepath.Join(b.dir, "incidents")
	if err := errors.Join(os.Chmod(b.spoolDir(), 0o555), os.Chmod(b.dir, 0o755), os.Chmod(filepath.Dir(b.dir), 0o755),
		os.Chmod(journal, 0o755), os.Chmod(filepath.Join(journal, "incident-000001.json"), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(b.spoolDir(), 0o755) })
	added := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := syscall.Setfsuid(65534); err != nil {
				t.Error(err)
			}
		}
		n.Deliver(t.Context())
		added <- n.spool.add(event{End, 2, ""})
	}()
	if err := <-added; !errors.Is(err, os.ErrPermission) {
		t.Errorf("added: %v", err)
	}
	b.toldThat([]string{}, "no notifications are sent: failed to lock them: ")
	// With the lock it can neither send nor drop, and does not try again and again.
	b.said = nil
	n.unlock(makeLock(t, n.spool))
	deliver := func(n *Notifier) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if os.Getuid() == 0 {
				if err := syscall.Setfsuid(65534); err != nil {
					t.Error(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			n.Deliver(ctx)
		}()
		<-done
	}
	deliver(b.process(mail("problem")))
	deliver(n)
	b.toldThat([]string{}, "some notifications are not sent yet: ", "some notifications are not sent yet: ")
	if got := b.files(); !slices.Equal(got, []string{"end-1"}) {
		t.Errorf("in the spool is %v", got)
	}
}

// makeLock makes the file of the lock for everybody.
func makeLock(t *testing.T, s spool) lock {
	t.Helper()
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := s.lock(t.Context())
	if err == nil {
		err = errors.Join(os.Chmod(s.path(lockName), 0o666), os.Chmod(s.dir, 0o555))
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A spool that cannot be made is said, too.
func TestNoSpool(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(b.spoolDir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := b.process(mail("end"))
	n.Enqueue(End, 1)
	n.Deliver(t.Context())
	b.toldThat([]string{}, "notification of the end of incident 1 may be lost: ", "failed to read the notifications: ")
}

// Whatever else is in the spool is removed and not obeyed.
func TestForeignFiles(t *testing.T) {
	b := newBench(t)
	b.record(1, incident.Done)
	b.record(2, incident.Done)
	n := b.process(mail("end"))
	n.Enqueue(End, 1)
	in := func(name string) string { return filepath.Join(b.spoolDir(), name) }
	target := filepath.Join(b.dir, "target")
	err := errors.Join(os.WriteFile(target, nil, 0o600), os.WriteFile(in("end-1x"), []byte("x"), 0o600), os.WriteFile(in("\x1b[2J"), nil, 0o600),
		os.Symlink(target, in("end-2")), os.Mkdir(in("begin-2"), 0o700), syscall.Mkfifo(in("hold-2"), 0o600),
		os.MkdirAll(in("full/of"), 0o700), os.WriteFile(in("end-1-again-zz"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	n.Deliver(t.Context())
	b.toldThat([]string{"end 1"})
	if got := b.files(); !slices.Equal(got, []string{"full"}) { // which is not ours to empty
		t.Errorf("in the spool is %q", got)
	}
	if _, err := os.Stat(target); err != nil {
		t.Error(err)
	}
}
