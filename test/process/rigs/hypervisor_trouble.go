package rigs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What guests run: machine code of 16 bits in the first sector of their disk, which the BIOS loads.
const (
	halts = "\xf4\xeb\xfd" // again: hlt; jmp again
	// writes writes sector 63 of the first disk (int 13h, AH = 3), from where the sector itself was loaded.
	writes = "\xb8\x01\x03\xb9\x3f\x00\xba\x80\x00\xbb\x00\x7c\xcd\x13" + halts
	// panics tells the device pvpanic, at port 505h, that the guest has crashed.
	panics = "\xba\x05\x05\xb0\x01\xee" + halts
	// works changes 128 pages at each tick of the clock: more than is copied meanwhile when the guest migrates with 1 MiB/s, so
	// that this never ends.
	works = "\xfb\xf4\xb8\x00\x10\x8e\xc0\x26\xff\x06\x00\x00\x05\x00\x01\x3d\x00\x90\x72\xf1\xeb\xeb"
)

// sector is the size of the first sector; its last two bytes make it one to boot from.
const sector = 512

// boot starts a guest that runs a program from a disk in a directory, and has more XML.
func (h *Hypervisor) boot(name, dir, program, more string) {
	h.t.Helper()
	disk := filepath.Join(dir, name+".disk")
	text := program + strings.Repeat("\x00", sector-2-len(program)) + "\x55\xaa"
	plain := filepath.Join(h.Dir, name+".boot")
	if err := os.WriteFile(plain, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.run("sh", "-c", `cp "$1" "$2" && truncate -s 1M "$2"`, "sh", plain, disk) // the directory may be mounted inside only
	h.start(name, "", fmt.Sprintf(`%s<devices><disk type='file' device='disk'><driver name='qemu' type='raw' error_policy='stop'/>
    <source file='%s'/><target dev='hda' bus='ide'/></disk></devices>`, more, disk), "create")
}

// FillDisk starts a guest that cannot write to its disk, because the file system is full, and waits until QEMU has paused it.
func (h *Hypervisor) FillDisk(name string) {
	h.t.Helper()
	full := filepath.Join(h.Dir, "full")
	if err := os.MkdirAll(full, 0o755); err != nil {
		h.t.Fatal(err)
	}
	h.run("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", full) // a page, which the first sector needs
	h.boot(name, full, writes, "")
	h.awaitState(name, "paused (I/O error)")
}

// Crash starts a guest whose kernel panics, and waits until libvirt keeps it as crashed.
func (h *Hypervisor) Crash(name string) {
	h.t.Helper()
	h.boot(name, h.Dir, panics, "<on_crash>preserve</on_crash><devices><panic model='isa'/></devices>")
	h.awaitState(name, "crashed (panicked)")
}

// Migrate starts a guest and migrates it to another hypervisor, which does not come to an end. It waits until its QEMU runs on
// both.
func (h *Hypervisor) Migrate(name string, to *Hypervisor) {
	h.t.Helper()
	h.boot(name, h.Dir, works, "")
	h.Virsh("migrate-setmaxdowntime", name, "1") // ms: not even a guest that a busy machine hardly runs is copied in that
	h.begin("virsh", "-c", h.URI, "migrate", "--live", "--p2p", "--unsafe", "--bandwidth", "1", name, "qemu+tcp://"+to.node.IP+"/system")
	await(h.t, "the migration of "+name, func() (bool, error) {
		return slices.Contains(to.Guests(), name) && strings.Contains(h.ask("domjobinfo", name), "Outgoing migration"), nil
	})
}

// Restore starts a guest, saves it, and restores it from a disk that stops to answer in the middle. It waits until its new QEMU
// runs.
func (h *Hypervisor) Restore(name string) {
	h.t.Helper()
	h.Start(name)
	image := filepath.Join(h.Dir, name+".image")
	h.Virsh("save", name, image)
	if err := unix.Mkfifo(image+".slow", 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.begin("sh", "-c", `(head -c -4096 "$1"; exec sleep 1000) >"$1.slow"`, "sh", image)
	h.begin("virsh", "-c", h.URI, "restore", image+".slow")
	await(h.t, "the QEMU that "+name+" is restored into", func() (bool, error) { return slices.Contains(h.Guests(), name), nil })
}

// begin starts a program inside the machine, which ends with it.
func (h *Hypervisor) begin(argv ...string) {
	h.t.Helper()
	cmd := h.Command(context.Background(), argv...)
	cmd.Env = []string{"PATH=" + programPath}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
}

// ask runs virsh inside the machine, which may fail, and returns what it prints.
func (h *Hypervisor) ask(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
	defer cancel()
	cmd := h.Command(ctx, append([]string{"virsh", "-c", h.URI}, args...)...)
	cmd.Env = []string{"PATH=" + programPath}
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}

// awaitState waits until libvirt says this of a guest, with the reason.
func (h *Hypervisor) awaitState(name, state string) {
	h.t.Helper()
	await(h.t, name+" to be "+state, func() (bool, error) { return h.ask("domstate", "--reason", name) == state, nil })
}

// Reboot is a power cut as far as libvirt can see: its guests and what it knows of them are gone, and it starts those that it
// starts after a boot.
func (h *Hypervisor) Reboot() {
	h.t.Helper()
	h.StopLibvirtd()
	for _, pid := range h.processes("qemu-system") {
		if err := h.kill(pid, unix.SIGKILL); err != nil {
			h.t.Fatal(err)
		}
	}
	await(h.t, "the end of the guests", func() (bool, error) { return len(h.Guests()) == 0, nil })
	h.run("rm", "-rf", "/run/libvirt")
	h.StartLibvirtd()
}
