package crash_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tracer stops a process at every call of the kernel that changes a file, and kills it at one. It
// counts over all threads of the process, which strace -e inject does not: it counts each
// thread by itself.
type tracer struct {
	dir    string // what is written elsewhere, such as to sockets, does not count
	point  int    // kill at this change, from 1
	before bool   // kill before it is made, else after
	// from, when set, says whether changes count already.
	from   func() bool
	seen   int
	inside map[int]string // the change that a thread is about to make
	killed string         // the change that it was killed at
	pid    int
}

// trace runs a process, which must not have been started, and kills it at a change of a file in a
// directory. It returns what the change was; "" when the process ended before.
func trace(ctx context.Context, cmd *exec.Cmd, t *tracer) (where string, err error) {
	// The kernel knows the thread that started the process as the tracer. The thread ends with
	// this goroutine.
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- t.run(cmd)
	}()
	select {
	case err = <-done:
	case <-ctx.Done(): // the command kills its process, which ends run
		err = errors.Join(ctx.Err(), <-done)
	}
	return t.killed, err
}

// run is all that the thread of the tracer does.
func (t *tracer) run(cmd *exec.Cmd) error {
	t.inside = map[int]string{}
	// In a group of its own it and its threads can be waited for without taking the exit
	// status of other processes away.
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("trace: %w; a container needs --cap-add SYS_PTRACE on old kernels", err)
	}
	t.pid = cmd.Process.Pid
	err := t.follow()
	// follow has taken the exit status away from Wait, which only cleans up.
	_ = cmd.Wait()
	return err
}

// follow lets the process go on from stop to stop until it has ended.
func (t *tracer) follow() error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(t.pid, &status, unix.WALL, nil); err != nil || !status.Stopped() {
		return fmt.Errorf("trace: it has not stopped at its begin: %v", err)
	}
	options := unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(t.pid, options); err != nil {
		return fmt.Errorf("trace: set options: %w", err)
	}
	for tid, signal := t.pid, 0; ; {
		// A thread that was killed meanwhile is gone: then Wait4 tells.
		if err := unix.PtraceSyscall(tid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("trace: go on: %w", err)
		}
		var err error
		for {
			tid, err = unix.Wait4(-t.pid, &status, unix.WALL, nil)
			if !errors.Is(err, unix.EINTR) && (err != nil || status.Stopped() || tid == t.pid) {
				break
			}
		}
		switch {
		case err != nil:
			return fmt.Errorf("trace: wait: %w", err)
		case status.Exited() && status.ExitStatus() != 0:
			return fmt.Errorf("exit code %d", status.ExitStatus())
		case status.Exited():
			return nil
		case status.Signaled() && status.Signal() == unix.SIGKILL && t.killed != "":
			return nil
		case status.Signaled():
			return fmt.Errorf("killed by %s", status.Signal())
		}
		signal = t.stopped(tid, status)
	}
}

// stopped does what is to be done when a thread has stopped, and returns the signal that it
// goes on with.
func (t *tracer) stopped(tid int, status unix.WaitStatus) (signal int) {
	switch stop := status.StopSignal(); {
	case stop == unix.SIGTRAP|0x80: // of TRACESYSGOOD
		t.syscall(tid)
		return 0
	case stop == unix.SIGTRAP, stop == unix.SIGSTOP: // a thread begins another, and begins
		return 0
	default:
		return int(stop)
	}
}

// syscall looks at a call of the kernel, at its begin or its end.
func (t *tracer) syscall(tid int) {
	info, ok := syscallInfo(tid)
	if !ok || t.killed != "" {
		return
	}
	if info.op == unix.PTRACE_SYSCALL_INFO_ENTRY {
		change := t.change(tid, info)
		if change == "" || t.from != nil && !t.from() {
			return
		}
		t.seen++
		t.inside[tid] = fmt.Sprintf("%s (change %d)", change, t.seen)
		if t.seen != t.point {
			delete(t.inside, tid)
		} else if t.before {
			t.kill(tid)
		}
		return
	}
	if t.inside[tid] != "" {
		t.kill(tid)
	}
}

func (t *tracer) kill(tid int) {
	t.killed = t.inside[tid]
	_ = unix.Kill(t.pid, unix.SIGKILL) // it is stopped, so it is there
}

// change names the change of a file that a call is about to make; "" when it makes none.
func (t *tracer) change(tid int, info callInfo) string {
	name, byFile := changing(info.nr)
	switch {
	case name == "":
		return ""
	case name == "openat":
		if info.args[2]&(unix.O_CREAT|unix.O_TRUNC) == 0 {
			return ""
		}
	case byFile:
		path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, info.args[0]))
		if err != nil || !strings.HasPrefix(path, t.dir+"/") {
			return ""
		}
		if name == "close" && !strings.HasSuffix(path, ".lock") { // which gives the lock back
			return ""
		}
		return name + " of " + path[len(t.dir)+1:]
	}
	return name
}

// changing names a call of the kernel that changes files or locks; "" for others. byFile
// tells that its first argument is an open file.
func changing(nr uint64) (name string, byFile bool) {
	switch nr {
	case unix.SYS_WRITE:
		return "write", true
	case unix.SYS_PWRITE64:
		return "pwrite64", true
	case unix.SYS_FSYNC:
		return "fsync", true
	case unix.SYS_FDATASYNC:
		return "fdatasync", true
	case unix.SYS_FTRUNCATE:
		return "ftruncate", true
	case unix.SYS_FCHMOD:
		return "fchmod", true
	case unix.SYS_FCHOWN:
		return "fchown", true
	case unix.SYS_FLOCK:
		return "flock", true
	case unix.SYS_CLOSE:
		return "close", true
	case unix.SYS_OPENAT:
		return "openat", false
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		return "rename", false
	case unix.SYS_UNLINKAT:
		return "unlink", false
	case unix.SYS_MKDIRAT:
		return "mkdir", false
	case unix.SYS_FCHMODAT:
		return "chmod", false
	case unix.SYS_FCHOWNAT:
		return "chown", false
	case unix.SYS_LINKAT, unix.SYS_SYMLINKAT:
		return "link", false
	}
	// The calls that newer architectures do not have; Go uses lchown on amd64.
	if runtime.GOARCH == "amd64" {
		old := map[uint64]string{76: "truncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat", 86: "link", 87: "unlink",
			88: "symlink", 90: "chmod", 92: "chown", 94: "lchown"}
		return old[nr], false
	}
	return "", false
}

// callInfo is the begin or the end of a call of the kernel.
type callInfo struct {
	op   uint8
	nr   uint64
	args [6]uint64
}

// syscallInfo asks the kernel which call a stopped thread is in (ptrace(2), struct
// ptrace_syscall_info: op in byte 0, nr at 24 and the arguments from 32 on at the begin of a call).
func syscallInfo(tid int) (info callInfo, ok bool) {
	var raw [88]byte
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), uintptr(len(raw)), uintptr(unsafe.Pointer(&raw[0])), 0, 0)
	if errno != 0 {
		return callInfo{}, false
	}
	info.op, info.nr = raw[0], binary.NativeEndian.Uint64(raw[24:])
	for i := range info.args {
		info.args[i] = binary.NativeEndian.Uint64(raw[32+8*i:])
	}
	return info, true
}
