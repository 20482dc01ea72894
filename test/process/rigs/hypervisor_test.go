package rigs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/test/process/rigs"
)

// inside runs a program in a hypervisor.
func inside(t *testing.T, h *rigs.Hypervisor, argv ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := h.Command(ctx, argv...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// must runs a program in a hypervisor that has to succeed.
func must(t *testing.T, h *rigs.Hypervisor, argv ...string) string {
	t.Helper()
	out, err := inside(t, h, argv...)
	if err != nil {
		t.Fatalf("%v: %v: %s", argv, err, out)
	}
	return out
}

// safe checks that a hypervisor has the fakes, before any of them is called.
func safe(t *testing.T, h *rigs.Hypervisor) {
	t.Helper()
	fake := must(t, h, "stat", "-L", "-c", "%d:%i", filepath.Join(h.Dir, "fake"))
	found := 0
	for _, dir := range []string{"/bin", "/sbin", "/usr/bin", "/usr/sbin"} {
		for _, name := range []string{"systemctl", "poweroff", "reboot", "halt", "shutdown"} {
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err != nil {
				continue
			}
			found++
			if got := must(t, h, "stat", "-L", "-c", "%d:%i", path); got != fake {
				t.Fatalf("%s is not the fake: %s, not %s", path, got, fake)
			}
		}
	}
	if found == 0 {
		t.Fatal("there is no systemctl")
	}
	if !h.HasSysrq() {
		return
	}
	file := must(t, h, "stat", "-c", "%d:%i %F", "/proc/sysrq-trigger")
	if own := must(t, h, "stat", "-c", "%d:%i %F", filepath.Join(h.Dir, "sysrq")); file != own {
		t.Fatalf("/proc/sysrq-trigger is not the fake: %s, not %s", file, own)
	}
}

func TestHypervisorIsHarmless(t *testing.T) {
	t.Parallel()
	h := rigs.StartHypervisor(t, nil)
	safe(t, h)
	if calls := h.PowerCommands(); len(calls) != 0 || h.SysrqWritten() != "" {
		t.Fatalf("power commands before the first: %q", calls)
	}
	must(t, h, "systemctl", "poweroff", "--force")
	must(t, h, "/usr/bin/systemctl", "reboot")
	if calls := h.PowerCommands(); !slices.Equal(calls, []string{"systemctl poweroff --force", "systemctl reboot"}) {
		t.Errorf("power commands: %q", calls)
	}
	if h.HasSysrq() {
		must(t, h, "sh", "-c", "printf o >/proc/sysrq-trigger")
		if got := h.SysrqWritten(); got != "o" {
			t.Errorf("written to sysrq-trigger: %q", got)
		}
	}
	if name := must(t, h, "hostname"); name != "node1" {
		t.Errorf("host name %q", name)
	}
	if name, err := os.Hostname(); err != nil || name == "node1" {
		t.Errorf("host name outside: %q, %v", name, err)
	}
	if comm := must(t, h, "cat", "/proc/1/comm"); comm != "bash" {
		t.Errorf("its first process is %q", comm)
	}
	if !h.Alive() {
		t.Error("it is off")
	}
}

// virsh is quick: it fails, or is killed.
func virsh(t *testing.T, h *rigs.Hypervisor, limit time.Duration, words ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := h.Command(ctx, append([]string{"virsh", "-c", h.URI}, words...)...).CombinedOutput()
	if ctx.Err() != nil {
		return string(out), ctx.Err()
	}
	return strings.TrimSpace(string(out)), err
}

// seen waits until exactly these guests live.
func seen(t *testing.T, h *rigs.Hypervisor, want ...string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !slices.Equal(h.Guests(), want); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("guests %q, not %q", h.Guests(), want)
		}
	}
}

func TestGuests(t *testing.T) {
	t.Parallel()
	h := rigs.StartHypervisor(t, nil)
	seen(t, h)
	h.Start("one-42")
	h.Start("one-7")
	h.Start("other, & <one>")
	seen(t, h, "one-42", "one-7", "other, & <one>")
	if out, err := virsh(t, h, 20*time.Second, "destroy", "one-42"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// libvirt has waited for its end.
	if got := h.Guests(); !slices.Equal(got, []string{"one-7", "other, & <one>"}) {
		t.Errorf("guests %q", got)
	}
	h.FreezeLibvirtd()
	if out, err := virsh(t, h, time.Second, "list"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("virsh with a frozen libvirtd: %v: %s", err, out)
	}
	h.ThawLibvirtd()
	if out, err := virsh(t, h, 20*time.Second, "list", "--name"); err != nil || !strings.Contains(out, "one-7") {
		t.Errorf("%v: %s", err, out)
	}
	h.StopLibvirtd()
	var exit *exec.ExitError
	if out, err := virsh(t, h, 20*time.Second, "list"); !errors.As(err, &exit) {
		t.Errorf("virsh without libvirtd: %v: %s", err, out)
	}
	seen(t, h, "one-7", "other, & <one>")
	h.StartLibvirtd()
	if out, err := virsh(t, h, 20*time.Second, "destroy", "one-7"); err != nil {
		t.Errorf("destroy after libvirtd has come back: %v: %s", err, out)
	}
	seen(t, h, "other, & <one>")
}

// zombie is a program that looks like a guest: first its main thread ends, when it has
// printed a line; the other one when a file exists.
const zombie = `
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
libc.prctl(15, b"qemu-system-x86")
def run():
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.01)
    os._exit(0)
threading.Thread(target=run).start()
while not os.path.exists(sys.argv[1] + ".main"):
    time.sleep(0.01)
libc.syscall(60, 0)
`

func TestZombieIsDead(t *testing.T) {
	t.Parallel()
	rigs.Need(t, "python3", "python3")
	h := rigs.StartHypervisor(t, nil)
	end := filepath.Join(t.TempDir(), "end")
	// sleep does not wait for its child.
	cmd := h.Command(t.Context(), "sh", "-c", `python3 -c "$1" "$2" -name guest=one-9,debug-threads=on & echo $!; exec sleep 1000`, "sh", zombie, end)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid string
	if _, err := fmt.Fscanln(pipe, &pid); err != nil {
		t.Fatal(err)
	}
	seen(t, h, "one-9")
	state := func(want string) {
		t.Helper()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(20 * time.Second); ; <-tick.C {
			// The state of the main thread, and how many threads there are.
			out := must(t, h, "sh", "-c", "cut -d' ' -f3 /proc/"+pid+"/stat; ls /proc/"+pid+"/task | wc -l")
			if strings.Join(strings.Fields(out), " ") == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("state %q, not %q", out, want)
			}
		}
	}
	write(t, end+".main", "")
	state("Z 2")
	if got := h.Guests(); !slices.Equal(got, []string{"one-9"}) {
		t.Errorf("a thread of it runs, and the guests are %q", got)
	}
	write(t, end, "")
	state("Z 1")
	if got := h.Guests(); len(got) != 0 {
		t.Errorf("it is a zombie, and the guests are %q", got)
	}
}

// Two hypervisors in a network: what one loses does not touch the other.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	n := rigs.StartNet(t, 2)
	a, b := rigs.StartHypervisor(t, n.Hosts[0]), rigs.StartHypervisor(t, n.Hosts[1])
	safe(t, a)
	for _, h := range []*rigs.Hypervisor{a, b} {
		h.Start("one-1")
		seen(t, h, "one-1")
	}
	if name := must(t, a, "hostname"); name != "h1" {
		t.Errorf("host name %q", name)
	}
	if out := must(t, b, "ip", "-4", "-o", "addr", "show", "eth0"); !strings.Contains(out, n.Hosts[1].IP+"/24") {
		t.Errorf("address %q", out)
	}
	heal := n.CutCable(n.Hosts[0])
	if got := must(t, a, "cat", "/sys/class/net/eth0/carrier"); got != "0" {
		t.Errorf("carrier %s", got)
	}
	heal()
	other := a.Command(t.Context(), "sh", "-c", "echo started; exec sleep 1000")
	pipe, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(pipe, make([]byte, len("started"))); err != nil {
		t.Fatal(err)
	}
	a.PowerCut()
	if got := a.Guests(); a.Alive() || len(got) != 0 {
		t.Errorf("after the power cut: %q", got)
	}
	if err := other.Wait(); err == nil {
		t.Error("a program has survived the power cut")
	}
	if err := a.Command(t.Context(), "true").Run(); err == nil || err.Error() != "the machine is off" {
		t.Errorf("a program without power: %v", err)
	}
	if got := b.Guests(); !b.Alive() || !slices.Equal(got, []string{"one-1"}) {
		t.Errorf("the other one: %q", got)
	}
	b.PowerCut()
	b.PowerCut() // again, and nothing happens
}

func BenchmarkGuests(b *testing.B) {
	h := rigs.StartHypervisor(b, nil)
	h.Start("one-1")
	for b.Loop() {
		if len(h.Guests()) != 1 {
			b.Fatal("the guest is gone")
		}
	}
}
