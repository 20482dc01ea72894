package guest

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/config"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// The actions, and the last way to force a host off.
const (
	Destroy       = config.ActionDestroy
	Shutdown      = config.ActionShutdown
	Command       = config.ActionCommand
	PowerOffSysrq = config.PowerOffSysrq
)

// helperMode is the variable that makes the test binary a fake QEMU.
const helperMode = "ONE_FT_TEST_GUEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(helperMode); mode != "" {
		fakeQEMU(mode)
		os.Exit(0)
	}
	// Most of the tests wait for limits to run out, all at the same time.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set("8")
	}
	os.Exit(m.Run())
}

// ignoring is the mode of a fake QEMU that SIGTERM does not end.
const ignoring = "ignores TERM"

// fakeQEMU lives until its standard input ends, which is with the test at the latest.
func fakeQEMU(mode string) {
	switch mode {
	case ignoring:
		signal.Ignore(syscall.SIGTERM)
	case "first thread ends":
		endFirstThread()
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// endFirstThread ends the thread that gave the process its number, and no other.
func endFirstThread() {
	for !firstThreadEnded() {
		tried := make(chan struct{})
		go func() {
			runtime.LockOSThread() // and so no goroutine gets this thread again
			if unix.Gettid() == os.Getpid() {
				syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
			}
			close(tried)
			select {}
		}()
		for !isClosed(tried) && !firstThreadEnded() {
			runtime.Gosched()
		}
	}
}

func firstThreadEnded() bool {
	s, err := process.ReadStat("/proc/self")
	return err == nil && s.Zombie()
}

// system is this machine with programs of its own.
type system struct {
	OS
	virsh, lxcStop string                   // their paths
	unmount        func(point string) error // nil: by the kernel
}

// Find finds no program of this machine.
func (s *system) Find(program string) string {
	switch {
	case program == "virsh":
		return s.virsh
	case program == "lxc-stop" && process.Runnable(s.lxcStop):
		return s.lxcStop
	}
	return ""
}

// Unmount unmounts in a test.
func (s *system) Unmount(point string) error {
	if s.unmount == nil {
		return s.OS.Unmount(point)
	}
	return s.unmount(point)
}

// noSuchPID is more than PIDs can be (2^22), so that a fake process with this number can
// never be a real one.
const noSuchPID = 5_000_000

// site is a host with a directory of its own instead of /proc, so that no other process
// of this machine can be seen, and with programs that change only files.
type site struct {
	t    *testing.T
	dir  string
	proc string
	host Host
	system

	mu   sync.Mutex
	told []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, proc: filepath.Join(dir, "proc")}
	for _, name := range []string{"proc", "domains", "running"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"list", "destroy", "calls", "busy", "power", "sysrq"} {
		s.write(name, "")
	}
	virsh, err := filepath.Abs("testdata/virsh")
	if err != nil {
		t.Fatal(err)
	}
	s.show(os.Getpid())
	s.virsh, s.lxcStop = virsh, filepath.Join(dir, "lxc-stop.sh")
	s.host = Host{
		System: &s.system, Proc: s.proc, Sys: filepath.Join(dir, "sys"), Run: filepath.Join(dir, "run"), SysrqTrigger: filepath.Join(dir, "sysrq"),
		// Generous, because a test must not fail on a busy machine; those that wait for the
		// end of a limit make it small.
		Settings: config.Isolation{
			Libvirt: "fake://" + dir, Shutdown: s.script("shutdown", "exit 0"), Command: s.script("command", "exit 0"),
			PowerOff:     [][]string{s.script("poweroff", "exit 0"), {PowerOffSysrq}},
			DestroyLimit: time.Minute, ShutdownLimit: time.Minute, CommandLimit: time.Minute,
		},
		KillLimit: 20 * time.Second, PowerOffLimit: time.Second,
		Notify: func(m wording.Message) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, m.String())
		},
	}
	return s
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// script makes a program that writes its name to the file power and goes on with a text.
func (s *site) script(name, text string) []string {
	s.t.Helper()
	path := filepath.Join(s.dir, name+".sh")
	text = fmt.Sprintf("#!/bin/sh\ncd '%s' || exit 9\necho %s >>power\n%s\n", s.dir, name, text)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return []string{path}
}

// powers are the programs that ran.
func (s *site) powers() string {
	s.t.Helper()
	return strings.Join(strings.Fields(s.read("power")), " ")
}

// show lets a real process be seen.
func (s *site) show(pid int) {
	s.t.Helper()
	if err := os.Symlink(fmt.Sprintf("/proc/%d", pid), filepath.Join(s.proc, strconv.Itoa(pid))); err != nil {
		s.t.Fatal(err)
	}
}

// qemu is a real process that looks like QEMU.
type qemu struct {
	t    *testing.T
	pid  int
	done chan struct{}  // closed when it has ended and was reaped
	end  syscall.Signal // by which it ended then
}

// qemu starts a process with these arguments and shows it.
func (s *site) qemu(mode string, argv ...string) *qemu {
	s.t.Helper()
	q := startQEMU(s.t, mode, argv...)
	s.show(q.pid)
	return q
}

func startQEMU(t *testing.T, mode string, argv ...string) *qemu {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: argv, Env: []string{helperMode + "=" + cmp.Or(mode, "plain"), "GORACE=atexit_sleep_ms=0"}}
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
	if _, err := io.ReadFull(stdout, make([]byte, len("ready"))); err != nil {
		t.Fatalf("the fake QEMU did not start: %v", err)
	}
	q := &qemu{t: t, pid: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		defer close(q.done)
		_ = cmd.Wait()
		if status, is := cmd.ProcessState.Sys().(syscall.WaitStatus); is && status.Signaled() {
			q.end = status.Signal()
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		<-q.done
	})
	return q
}

// domain starts a VM that libvirt knows.
func (s *site) domain(mode, name string) *qemu {
	s.t.Helper()
	q := s.qemu(mode, "/usr/bin/qemu-system-x86_64", "-name", "guest="+name+",debug-threads=on", "-S")
	s.write("domains/"+name, strconv.Itoa(q.pid))
	return q
}

// alive fails when the process has ended.
func (q *qemu) alive(what string) {
	q.t.Helper()
	if isClosed(q.done) {
		q.t.Errorf("%s was killed", what)
	}
}

// ended waits until the process has ended.
func (q *qemu) ended(what string) {
	q.t.Helper()
	select {
	case <-q.done:
	case <-time.After(20 * time.Second):
		q.t.Errorf("%s still runs", what)
	}
}

// fake shows a process that does not exist.
func (s *site) fake(pid int, stat string, argv ...string) {
	s.t.Helper()
	dir := filepath.Join("proc", strconv.Itoa(pid))
	if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write(dir+"/cmdline", strings.Join(append(argv, ""), "\x00"))
	s.write(dir+"/stat", stat)
}

// statLine is a line of /proc/PID/stat.
func statLine(pid int, comm, state string, flags, threads, start int) string {
	return fmt.Sprintf("%d (%s) %s 1 2 3 0 -1 %d 0 0 0 0 0 0 0 0 20 0 %d 0 %d 0 0\n", pid, comm, state, flags, threads, start)
}

// unkillable shows a VM that waits for a disk for ever.
func (s *site) unkillable(pid int, name string) {
	s.t.Helper()
	s.fake(pid, statLine(pid, "qemu-system-x86", "D", 0, 4, 100), "/usr/bin/qemu-system-x86_64", "-name", "guest="+name)
}

// vanish removes a fake process.
func (s *site) vanish(pid int) {
	if err := os.RemoveAll(filepath.Join(s.proc, strconv.Itoa(pid))); err != nil {
		s.t.Error(err)
	}
}

// plain are VMs as callers see them.
func plain(all []Guest) (seen []Guest) {
	for _, g := range all {
		seen = append(seen, Guest{ID: g.ID, Name: g.Name, PID: g.PID})
	}
	return seen
}

// outcome is an Outcome with what Notify got.
type outcome struct {
	Outcome
	steps []string
}

// stop calls Stop and checks that it keeps its bound.
func (s *site) stop(action string) outcome {
	s.t.Helper()
	begin := time.Now()
	s.host.Settings.Action = action
	o := s.host.Stop(s.t.Context())
	if took := time.Since(begin); took > s.host.Bound() && s.host.Bound() > 0 {
		s.t.Errorf("it took %s; its bound is %s", took, s.host.Bound())
	}
	if o.Gone != (len(o.Left) == 0 && o.Err == nil) {
		s.t.Errorf("gone %v, but left %v, error %v", o.Gone, o.Left, o.Err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	steps := s.told
	s.told = nil
	return outcome{o, steps}
}

// said fails when the steps do not have a text.
func said(t *testing.T, o outcome, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(o.steps, "\n"), text) {
		t.Errorf("no step has %q: %q", text, o.steps)
	}
}
