package rigs

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Hypervisor is a Machine with a libvirtd of its own, whose guests are real QEMU
// processes.
type Hypervisor struct {
	*Machine
	// URI is the one of libvirt, inside the machine.
	URI string

	node   *Node
	kvm    bool   // the next guest is one of KVM
	socket string // of virtqemud; "" for that of libvirtd
	mu     sync.Mutex
	names  map[int]string // of guests that were seen, by process ID
}

// StartHypervisor starts a hypervisor without guests, in the network of a node and with its
// name as host name; without a node, in the network of this process and as "node1". It
// ends with the test.
func StartHypervisor(t testing.TB, node *Node) *Hypervisor {
	t.Helper()
	Need(t, HypervisorPackages, "qemu-system-x86_64", "libvirtd", "virsh", "systemctl")
	name, listen := "node1", "listen_tls = 0\n"
	if node != nil { // it takes guests that migrate
		name, listen = node.Name, listen+"listen_tcp = 1\nauth_tcp = \"none\"\n"
	}
	h := &Hypervisor{Machine: StartMachine(t, name, node), URI: "qemu:///system", node: node, kvm: kvmWorks(), names: map[int]string{}}
	dir := filepath.Join(h.Dir, "etc/libvirt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{
		"libvirtd.conf": "auth_unix_ro = \"none\"\nauth_unix_rw = \"none\"\n" + listen,
		// No other users, cgroups, labels or helpers: only what a guest needs to run.
		"qemu.conf": "user = \"root\"\ngroup = \"root\"\nsecurity_driver = \"none\"\nnamespaces = []\ncgroup_controllers = []\nremember_owner = 0\nstdio_handler = \"file\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.StartLibvirtd()
	return h
}

// StartLibvirtd starts libvirtd, as after StopLibvirtd; it finds its guests again.
func (h *Hypervisor) StartLibvirtd() {
	h.t.Helper()
	script, err := h.script("libvirtd.sh")
	if err != nil {
		h.t.Fatal(err)
	}
	h.run("bash", script, h.Dir, h.URI, h.socket)
}

// SplitDaemon makes libvirt one that is reached as virtqemud is.
func (h *Hypervisor) SplitDaemon() {
	h.t.Helper()
	h.StopLibvirtd()
	h.socket = "virtqemud-sock"
	h.StartLibvirtd()
}

// Start starts a tiny guest (16 MiB, no disk) and waits until its process is seen.
func (h *Hypervisor) Start(name string) { h.StartWith(name, "", "create") }

// StartWith starts a guest whose domain has more XML, such as its metadata, by commands of virsh: create for one that libvirt
// forgets when it ends; define, and then start NAME or autostart NAME, for one that it keeps. Its processor halts at once: the
// usual firmware, which looks for a disk, takes KVM inside of a virtual machine seconds of processor time.
func (h *Hypervisor) StartWith(name, more string, commands ...string) {
	h.t.Helper()
	const size, reset = 1 << 16, 16 // where an x86 begins: so far before the end
	rom := make([]byte, size)
	copy(rom[size-reset:], "\xfa\xf4\xeb\xfd") // cli; hlt, again and again
	file := filepath.Join(h.Dir, "halt.rom")
	if err := os.WriteFile(file, rom, 0o644); err != nil {
		h.t.Fatal(err)
	}
	h.start(name, "<loader type='rom'>"+file+"</loader>", more, commands...)
}

func (h *Hypervisor) start(name, firmware, more string, commands ...string) {
	h.t.Helper()
	kind := "qemu"
	if h.kvm {
		kind, h.kvm = "kvm", false // one is enough
	}
	var text bytes.Buffer
	if err := xml.EscapeText(&text, []byte(name)); err != nil {
		h.t.Fatal(err)
	}
	file, err := os.CreateTemp(h.Dir, "guest-*.xml")
	if err != nil {
		h.t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, `<domain type='%s'>
  <name>%s</name>
  <memory unit='MiB'>16</memory>
  %s
  <os><type arch='x86_64'>hvm</type>%s</os>
  <devices><controller type='usb' model='none'/><memballoon model='none'/></devices>
</domain>
`, kind, &text, more, firmware); err != nil {
		h.t.Fatal(err)
	}
	for _, command := range commands {
		argument := name
		if command == "create" || command == "define" {
			argument = file.Name()
		}
		h.Virsh(command, argument)
	}
	await(h.t, "the process of "+name, func() (bool, error) {
		return slices.Contains(h.Guests(), name), nil
	})
}

// Virsh runs virsh inside the machine; the test fails when it does.
func (h *Hypervisor) Virsh(args ...string) {
	h.t.Helper()
	h.run(append([]string{"virsh", "-c", h.URI}, args...)...)
}

// FreezeGuest stops (SIGSTOP) the QEMU of a guest.
func (h *Hypervisor) FreezeGuest(name string) {
	h.t.Helper()
	for _, pid := range h.processes("qemu-system") {
		if guestName(pid) == name {
			if err := h.kill(pid, unix.SIGSTOP); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// StopLibvirtd kills libvirtd; its guests go on.
func (h *Hypervisor) StopLibvirtd() {
	h.t.Helper()
	h.signal(unix.SIGKILL)
	await(h.t, "the end of libvirtd", func() (bool, error) { return len(h.libvirtd()) == 0, nil })
}

// FreezeLibvirtd stops libvirtd (SIGSTOP): it takes connections and does not answer.
func (h *Hypervisor) FreezeLibvirtd() {
	h.t.Helper()
	h.signal(unix.SIGSTOP)
	await(h.t, "libvirtd to stop", func() (bool, error) {
		return !slices.ContainsFunc(h.libvirtd(), func(pid int) bool { return state(pid) != 'T' }), nil
	})
}

// ThawLibvirtd lets a frozen libvirtd go on.
func (h *Hypervisor) ThawLibvirtd() {
	h.t.Helper()
	h.signal(unix.SIGCONT)
}

// signal sends a signal to libvirtd.
func (h *Hypervisor) signal(s unix.Signal) {
	h.t.Helper()
	pids := h.libvirtd()
	if len(pids) == 0 {
		h.t.Fatal("libvirtd does not run")
	}
	for _, pid := range pids {
		if err := h.kill(pid, s); err != nil {
			h.t.Fatalf("libvirtd: %v", err)
		}
	}
}

// run runs a tool inside the machine; the test fails when it does.
func (h *Hypervisor) run(argv ...string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := h.Command(ctx, argv...)
	cmd.Env = []string{"PATH=" + programPath}
	if _, err := tool(cmd); err != nil {
		h.t.Fatal(err)
	}
}

// kvmWorks reports whether the kernel makes a virtual machine when it is asked to.
func kvmWorks() bool {
	fd, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	const createVM = 0xae01 // KVM_CREATE_VM of linux/kvm.h
	vm, err := unix.IoctlRetInt(fd, createVM)
	if err != nil {
		return false
	}
	unix.Close(vm)
	return true
}
