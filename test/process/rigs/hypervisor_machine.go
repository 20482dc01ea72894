package rigs

import (
	"bufio"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scripts run inside machines; embedded, so that tests of other packages have them.
//
//go:embed testdata/machine.sh testdata/libvirtd.sh testdata/lxc.sh testdata/cron.sh
var scripts embed.FS

// programPath is where programs of a machine are looked for.
const programPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// powerPrograms are the names of the programs that a machine has only as fakes.
const powerPrograms = "systemctl poweroff reboot halt shutdown telinit init"

// Machine is a simulated machine: PID, mount and UTS namespaces of its own, with its own
// /proc, an empty /run and its own /etc/hosts. Processes of the test's process are outside. It shares the
// kernel, its clocks and the time of its boot with the real machine, and its files, but
// for /run: a directory such as t.TempDir() has the same path inside and outside.
//
// It cannot power off the real machine: systemctl, poweroff, reboot, halt, shutdown, telinit
// and init are fakes that only note how they were called, /proc/sysrq-trigger and watchdogs
// are plain files, and the system call reboot ends the PID namespace.
type Machine struct {
	// Dir belongs to the machine, and has the same path inside and outside.
	Dir string

	t          testing.TB
	init       *exec.Cmd
	life       *os.File   // open as long as the machine shall run
	namespaces []*os.File // keep them from being used for something else
	pidns      string     // what /proc/PID/ns/pid of its processes says
	ended      chan struct{}
}

// StartMachine starts a machine with a host name. It has the network of the node, or that
// of this process when there is none. It ends with the test.
func StartMachine(t testing.TB, name string, node *Node) *Machine {
	t.Helper()
	Need(t, "bash util-linux", "bash", "nsenter", "mount")
	NeedRoot(t)
	m := &Machine{Dir: t.TempDir(), t: t, ended: make(chan struct{})}
	ready, err := m.boot(name, node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	// It speaks when it is ready, or ends.
	_ = ready.SetReadDeadline(time.Now().Add(toolLimit))
	line, err := bufio.NewReader(ready).ReadString('\n')
	ready.Close()
	if err != nil || line != "ready\n" {
		m.PowerCut()
		t.Fatalf("machine %s: not ready: %q, %v: %s", name, line, err, m.init.Stderr)
	}
	if err := m.harmless(); err != nil {
		m.PowerCut()
		t.Fatal(err)
	}
	return m
}

// boot starts the first process, and returns what it prints.
func (m *Machine) boot(name string, node *Node) (*os.File, error) {
	script, err := m.script("machine.sh")
	if err != nil {
		return nil, err
	}
	if err := m.names(name, node); err != nil {
		return nil, err
	}
	in, life, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	ready, out, err := os.Pipe()
	if err != nil {
		life.Close()
		return nil, err
	}
	defer out.Close()
	m.life = life
	m.init = exec.Command("bash", script, m.Dir, name)
	m.init.Env = []string{"PATH=" + programPath}
	m.init.Stdin, m.init.Stdout, m.init.Stderr = in, out, new(strings.Builder)
	m.init.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS}
	m.init.WaitDelay = pipeDelay
	start := m.init.Start
	if node != nil {
		start = func() error { return node.inside(m.init.Start) }
	}
	err = start()
	if err == nil {
		err = m.hold()
	}
	if err != nil {
		life.Close()
		ready.Close()
		return nil, fmt.Errorf("start machine %s: %w", name, err)
	}
	return ready, nil
}

// names writes what the machine knows of names: its own; with a network, also the other
// nodes, and that the gateway is to be asked for more.
func (m *Machine) names(name string, node *Node) error {
	hosts := "127.0.0.1 localhost\n"
	if node == nil {
		return os.WriteFile(filepath.Join(m.Dir, "hosts"), []byte(hosts+"127.0.0.1 "+name+"\n"), 0o644)
	}
	for _, n := range node.net.nodes() {
		hosts += n.IP + " " + n.Name + "\n"
	}
	if err := os.WriteFile(filepath.Join(m.Dir, "hosts"), []byte(hosts), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.Dir, "resolv.conf"), []byte("nameserver "+node.net.GW.IP+"\n"), 0o644)
}

// script writes a script into the directory of the machine, and returns its path.
func (m *Machine) script(name string) (string, error) {
	text, err := scripts.ReadFile("testdata/" + name)
	if err != nil {
		return "", err
	}
	file := filepath.Join(m.Dir, name)
	return file, os.WriteFile(file, text, 0o644)
}

// hold opens the namespaces, and then waits for the end of the first process: until then
// its process ID is its own.
func (m *Machine) hold() error {
	pid := m.init.Process.Pid
	defer func() {
		go func() {
			defer close(m.ended)
			_ = m.init.Wait()
		}()
	}()
	var err error
	if m.pidns, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); err != nil {
		return err
	}
	for _, name := range []string{"mnt", "pid", "uts", "net"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, name))
		if err != nil {
			return err
		}
		m.namespaces = append(m.namespaces, f)
	}
	return nil
}

// Command is a program that is to run inside the machine, in the directory /. It has a
// process group of its own, which is killed when the context ends. The caller sets its
// environment. It does not start when the power has been cut.
func (m *Machine) Command(ctx context.Context, argv ...string) *exec.Cmd {
	args := []string{"nsenter"}
	for i, kind := range []string{"mount", "pid", "uts", "net"} {
		// Not by the ID of the first process: when that is dead, another process may
		// have it, one of the real machine.
		args = append(args, fmt.Sprintf("--%s=/proc/%d/fd/%d", kind, os.Getpid(), m.namespaces[i].Fd()))
	}
	cmd := grouped(ctx, append(append(args, "--"), argv...)...)
	if !m.Alive() {
		cmd.Err = errors.New("the machine is off")
	}
	return cmd
}

// Alive reports whether the machine has power.
func (m *Machine) Alive() bool {
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// PowerCut ends the machine: when it returns, each of its processes is dead.
func (m *Machine) PowerCut() {
	m.t.Helper()
	_ = m.init.Process.Kill()
	// The kernel lets the first process go when all others are gone.
	select {
	case <-m.ended:
	case <-time.After(toolLimit):
		m.t.Errorf("the machine is not off after %s", toolLimit)
	}
}

// close ends the machine and what is kept of it.
func (m *Machine) close() {
	m.PowerCut()
	m.life.Close()
	for _, f := range m.namespaces {
		f.Close()
	}
}

// PowerCommands are the calls of systemctl, poweroff and the like inside, in their order,
// such as "systemctl poweroff --force".
func (m *Machine) PowerCommands() []string {
	m.t.Helper()
	var calls []string
	for line := range strings.Lines(m.read("power")) {
		calls = append(calls, strings.TrimSuffix(line, "\n"))
	}
	return calls
}

// HasSysrq reports whether the kernel has /proc/sysrq-trigger. Without, it is missing inside
// the machine, too.
func (m *Machine) HasSysrq() bool {
	_, err := os.Stat("/proc/sysrq-trigger")
	return err == nil
}

// SysrqWritten is what was written to /proc/sysrq-trigger inside; a later call of open
// may have truncated it.
func (m *Machine) SysrqWritten() string {
	m.t.Helper()
	return m.read("sysrq")
}

func (m *Machine) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.Dir, name))
	if err != nil {
		m.t.Error(err)
	}
	return string(text)
}

// harmless checks, from inside, that what could power off the real machine is fake.
func (m *Machine) harmless() error {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := m.Command(ctx, "sh", "-c", `
for name in $2; do
	for path in $(command -v "$name") /bin/$name /sbin/$name /usr/bin/$name /usr/sbin/$name; do
		[ ! -e "$path" ] || [ "$path" -ef "$1/fake" ] || echo "$path"
	done
done
[ ! -e /proc/sysrq-trigger ] || [ /proc/sysrq-trigger -ef "$1/sysrq" ] || echo /proc/sysrq-trigger
[ "$(cat /proc/1/comm)" = bash ] || echo /proc
[ ! -e /run/netns ] || echo /run
echo checked`, "harmless", m.Dir, powerPrograms)
	out, err := tool(cmd)
	if err != nil {
		return err
	}
	if out != "checked\n" {
		return fmt.Errorf("not safe: inside the machine these are real: %s", out)
	}
	return nil
}
