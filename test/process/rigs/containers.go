package rigs

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Containers are the containers of LXC on a machine, whose root file systems are busybox.
type Containers struct {
	*Machine
	names []string
}

// StartLXC makes a machine one that has containers.
func StartLXC(t testing.TB, m *Machine) *Containers {
	t.Helper()
	Need(t, LXCPackages, "lxc-start", "lxc-stop", "busybox", "losetup", "mkfs.ext4")
	needLoop(t)
	return &Containers{Machine: m}
}

// needLoop skips the test where the kernel has no loop devices. In CI (CI is in the environment) it fails.
func needLoop(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		lacking(t, "this test mounts the disks of containers, and the kernel has no loop devices (/dev/loop-control): load the module loop")
	}
}

// Start starts a container, and waits until its init is seen. With an ID it is that of a VM of OpenNebula, whose disk is on a
// loop device; else it is one of somebody else.
func (c *Containers) Start(name, id string) {
	c.t.Helper()
	script, err := c.script("lxc.sh")
	if err != nil {
		c.t.Fatal(err)
	}
	vm := ""
	if id != "" {
		vm = filepath.Join(c.Dir, "datastores/0", id)
	}
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := c.Command(ctx, "bash", script, c.Dir, name, vm)
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = []string{"PATH=" + programPath}, &said
	out, err := cmd.Output()
	if device := strings.TrimSpace(string(out)); device != "" {
		// When the test fails, or the power is cut, it stays behind.
		c.t.Cleanup(func() { _ = exec.Command("losetup", "-d", device).Run() })
	}
	if err != nil {
		c.t.Fatalf("start container %s: %v: %s", name, err, said.String())
	}
	c.names = append(c.names, name)
	await(c.t, "the init of "+name, func() (bool, error) { return slices.Contains(c.Running(), name), nil })
}

// Running are the names of the containers in which a process lives, sorted. It asks nothing inside the machine.
func (c *Containers) Running() (names []string) {
	c.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, file := range files {
		text, _ := os.ReadFile(file) // a process that has just ended has none
		for _, name := range c.names {
			if bytes.HasSuffix(text, []byte("\x00"+filepath.Join(c.Dir, name)+"\x00")) && bytes.HasPrefix(text, []byte("/bin/busybox\x00")) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Disks are the mounts and loop devices of containers of OpenNebula that the machine still has.
func (c *Containers) Disks() (left []string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	out, err := tool(c.Command(ctx, "sh", "-c", "cat /proc/self/mountinfo; losetup --list --noheadings --output NAME,BACK-FILE"))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, c.Dir+"/datastores/") || strings.Contains(line, " /var/lib/lxc-one/") {
			left = append(left, strings.TrimSpace(line))
		}
	}
	return left
}

// FreezeMonitors stops (SIGSTOP) the processes that watch over the containers of OpenNebula: lxc-stop waits for them for ever.
func (c *Containers) FreezeMonitors() { c.monitors(unix.SIGSTOP) }

// KillMonitors kills them, and the kernel the containers with them; the disks stay as they are.
func (c *Containers) KillMonitors() { c.monitors(unix.SIGKILL) }

func (c *Containers) monitors(s unix.Signal) {
	c.t.Helper()
	n := 0
	for _, pid := range c.processes("lxc-start") {
		title, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if !bytes.HasPrefix(title, []byte("[lxc monitor] ")) || !bytes.Contains(title, []byte(" one-")) {
			continue
		}
		if err := c.kill(pid, s); err != nil {
			c.t.Fatal(err)
		}
		await(c.t, "the signal to arrive", func() (bool, error) { return strings.ContainsRune("TXZ", rune(state(pid))), nil })
		n++
	}
	if n == 0 {
		c.t.Fatalf("no monitors of %v", c.names)
	}
}
