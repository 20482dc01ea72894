package failfast

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// addProcess makes a process in a /proc.
func addProcess(t testing.TB, proc string, pid, uid int, state string, started int, cmdline string) {
	t.Helper()
	dir := filepath.Join(proc, fmt.Sprint(pid))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"stat":    fmt.Sprintf("%d (a) b) %s %s%d 1", pid, state, strings.Repeat("0 ", 18), started),
		"status":  fmt.Sprintf("Name:\ta\nUid:\t%d\t0\t0\t0\n", uid),
		"cmdline": cmdline,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	proc := t.TempDir()
	addProcess(t, proc, 10, 9869, "S", 500, "ssh\x00node1\x00bash\x00-s\x00")
	addProcess(t, proc, 11, 0, "S", 501, "ssh\x00node1\x00")
	addProcess(t, proc, 12, 9869, "Z", 502, "")
	addProcess(t, proc, 13, 9869, "S", 503, "ssh: /x/y [mux]\x00\x00\x00")
	addProcess(t, proc, 14, 9869, "R", 504, "")
	if err := os.WriteFile(filepath.Join(proc, "uptime"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(proc, "15"), 0o755); err != nil {
		t.Fatal(err)
	}
	all, err := OS{Proc: proc}.Processes(9869)
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %v", all, err)
	}
	if p := all[0]; p.PID != 10 || p.Started != 500 || p.UID != 9869 || Destination(p.Args) != "node1" {
		t.Errorf("%+v", p)
	}
	c := Client{Machine: OS{Proc: proc}, User: User{UID: 9869}}
	for socket, want := range map[string]int{"/x/y": 1, "/x": 0, "": 0} {
		if masters, err := c.Masters(socket); err != nil || len(masters) != want {
			t.Errorf("%q: %v, %v", socket, masters, err)
		}
	}
	if _, err := (OS{Proc: filepath.Join(proc, "none")}).Processes(0); err == nil {
		t.Error("no /proc is no error")
	}
}

// TestSignal: a process whose number another has now is never signalled.
func TestSignal(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	machine := OS{Proc: "/proc"}
	stat, err := machine.stat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := Process{PID: cmd.Process.Pid, Started: stat.Started}
	if err := machine.Signal(Process{PID: p.PID, Started: stat.Started - 1}, syscall.SIGKILL); !errors.Is(err, ErrGone) {
		t.Errorf("another process was signalled: %v", err)
	}
	proc := t.TempDir()
	addProcess(t, proc, p.PID, 0, "S", int(stat.Started)+7, "ssh")
	if err := (OS{Proc: proc}).Signal(p, syscall.SIGKILL); !errors.Is(err, ErrGone) {
		t.Errorf("another process was signalled: %v", err)
	}
	if err := machine.Signal(p, 0); err != nil {
		t.Errorf("it lives: %v", err)
	}
	if err := machine.Signal(p, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-ended
	if err := machine.Signal(p, 0); !errors.Is(err, ErrGone) {
		t.Errorf("it has ended: %v", err)
	}
}

// TestEnd: what ignores SIGTERM gets SIGKILL.
func TestEnd(t *testing.T) {
	t.Parallel()
	machine := OS{Proc: "/proc"}
	c := Client{Machine: machine}
	var all []Process
	for _, script := range []string{"trap '' TERM; echo ready; while :; do sleep 1; done", "echo ready; exec sleep 60"} {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		if _, err := out.Read(make([]byte, 1)); err != nil { // the trap is set
			t.Fatal(err)
		}
		go func() { _ = cmd.Wait() }()
		stat, err := machine.stat(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Process{PID: cmd.Process.Pid, Started: stat.Started})
	}
	if err := c.End(t.Context(), all); err != nil {
		t.Error(err)
	}
	for _, p := range all {
		if err := machine.Signal(p, 0); !errors.Is(err, ErrGone) {
			t.Errorf("%d is left: %v", p.PID, err)
		}
	}
	if err := c.End(t.Context(), all); err != nil {
		t.Errorf("those that have ended: %v", err)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte("Uid:\t0\t0\t0\t0\n"))
	f.Fuzz(func(t *testing.T, status []byte) {
		if uid, ok := uidIn(status); ok && !strings.Contains(string(status), strconv.Itoa(uid)) && uid != 0 {
			t.Fatalf("%d is not in %q", uid, status)
		}
	})
}
