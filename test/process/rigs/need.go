package rigs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the rigs need, as packages of Debian and Ubuntu.
const (
	// BMCPackages are for StartBMC and fence_ipmilan.
	BMCPackages = "openipmi ipmitool fence-agents"
	// NetPackages are for StartNet.
	NetPackages = "iproute2 nftables"
	// HypervisorPackages are for StartHypervisor; systemd because of systemctl, which
	// the programs under test call and the rig replaces.
	HypervisorPackages = "qemu-system-x86 libvirt-daemon-system libvirt-clients systemd"
	// LXCPackages are for StartLXC.
	LXCPackages = "lxc busybox-static mount e2fsprogs"
	// CronPackages are for StartCron.
	CronPackages = "cron faketime"
)

// Need skips the test when a program is missing. In CI (CI is in the environment) it
// fails.
func Need(t testing.TB, packages string, programs ...string) {
	t.Helper()
	var missing []string
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	lacking(t, strings.Join(missing, ", ")+" is missing: apt-get install --no-install-recommends "+packages)
}

// NeedRoot skips the test when it may not make namespaces and mount in them. In CI (CI
// is in the environment) it fails.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		lacking(t, "this test makes namespaces: run it as root")
	}
	// Root of an ordinary container may not, either.
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	if err := cmd.Run(); err != nil {
		lacking(t, fmt.Sprintf("this test makes namespaces, and may not (%v): run it as root, in a container with --privileged", err))
	}
}

// lacking skips the test, or fails it in CI.
func lacking(t testing.TB, text string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
}

const (
	// toolLimit is the most time for a tool that makes or removes a part of a rig: those
	// of the network take some ms, virsh create up to 1 s; the rest is for a busy machine.
	toolLimit = time.Minute
	// pipeDelay is how long the output of a program that has ended is waited for: on a busy
	// machine another child that is just being started may still hold it.
	pipeDelay = 30 * time.Second
	// pollPeriod is the time from one look at a condition to the next.
	pollPeriod = 10 * time.Millisecond
)

// tool runs a tool to its end and returns what it printed, which is also in the error.
func tool(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(out.String()))
	}
	return out.String(), nil
}

// grouped is a command in a process group of its own, which is killed as a whole when the
// context ends.
func grouped(ctx context.Context, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		} else if err != nil {
			return fmt.Errorf("kill process group %d: %w", cmd.Process.Pid, err)
		}
		return nil
	}
	cmd.WaitDelay = pipeDelay
	return cmd
}

// await looks at a condition again and again until it holds. It fails the test after
// toolLimit, and when the condition has an error.
func await(t testing.TB, what string, holds func() (bool, error)) {
	t.Helper()
	tick := time.NewTicker(pollPeriod)
	defer tick.Stop()
	for end := time.Now().Add(toolLimit); ; <-tick.C {
		done, err := holds()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, toolLimit)
		}
	}
}
