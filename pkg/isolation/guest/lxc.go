package guest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// A container of OpenNebula's driver lxc (6.0 and later) is called one-<ID>, too. It is there as long as one of its processes
// is, or one of its disks is mounted on this host: what was written to that may still be on its way to the disk.

// lxcStop returns the path of lxc-stop; "" when LXC is not installed. Where that cannot be told in time, it is called so and
// will fail.
func (h Host) lxcStop(ctx context.Context) string {
	path, err := process.Bounded(ctx, func() (string, error) { return h.System.Find("lxc-stop"), nil })
	if err != nil {
		return "/usr/bin/lxc-stop"
	}
	return path
}

const (
	// maxGroups is the most bytes of the control groups or of the status of a process that are read: some 2 KB.
	maxGroups = 64 << 10
	// maxMounts is the most bytes of the list of mounts that are read: some 200 bytes each.
	maxMounts = 16 << 20
)

// place is where a process belongs to.
type place struct {
	container string // "" for none
	init      bool   // the first process of the container: with it the kernel ends all others
}

// placeOf finds out which container a process is in. One that ends meanwhile is in none. The monitor of a container is a part of
// it: it ends with it, and one that hangs keeps its disks busy.
func (p *procs) placeOf(dir string, stat process.Stat) (at place) {
	groups, _ := p.system.Read(filepath.Join(dir, "cgroup"), maxGroups)
	if at.container = payload(string(groups)); at.container == "" {
		if strings.Contains(string(groups), "lxc.monitor") {
			title, _ := p.system.Read(filepath.Join(dir, "cmdline"), maxArgs)
			at.container = monitored(string(title))
		}
		return at
	}
	status, _ := p.system.Read(filepath.Join(dir, "status"), maxGroups)
	at.init = isInit(string(status))
	if _, ours := ParseName(at.container); !ours && at.init {
		// LXC appends a number where something was left of the control group before.
		title, _ := p.system.Read(filepath.Join(p.dir, strconv.Itoa(stat.Parent), "cmdline"), maxArgs)
		if name := monitored(string(title)); name != "" && strings.HasPrefix(at.container, name+"-") {
			at.container = name
		}
	}
	return at
}

// payload returns the name of the container in which processes with these control groups run: that of the outermost one,
// which is in lxc.payload.NAME (LXC 4 and later), lxc.payload/NAME (3.1 and 3.2) or lxc/NAME.
func payload(groups string) string {
	for line := range strings.Lines(groups) {
		_, line, _ = strings.Cut(line, ":")
		_, dir, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), " (deleted)"), ":")
		parts := strings.Split(dir, "/")
		for i, part := range parts {
			if name, found := strings.CutPrefix(part, "lxc.payload."); found {
				return name
			}
			if (part == "lxc.payload" || part == "lxc") && i+1 < len(parts) {
				return parts[i+1]
			}
		}
	}
	return ""
}

// isInit reports whether a process is the first one of a PID namespace right below this one, by its /proc/PID/status.
func isInit(status string) bool {
	_, pids, _ := strings.Cut(status, "\nNSpid:")
	pids, _, _ = strings.Cut(pids, "\n")
	fields := strings.Fields(pids)
	return len(fields) == 2 && fields[1] == "1"
}

// monitored returns the name of the container that a process is the monitor of, by its title.
func monitored(title string) string {
	title = strings.TrimRight(title, "\x00 ")
	if !strings.HasPrefix(title, "[lxc monitor] ") {
		return ""
	}
	return title[strings.LastIndexByte(title, ' ')+1:]
}

// mount is a file system of a disk of a container.
type mount struct {
	id            int // of the VM
	point, source string
}

// mounts returns the mounts of the disks of containers of OpenNebula, in the order in which they were made.
func (h Host) mounts(ctx context.Context) ([]mount, error) {
	list, err := process.Bounded(ctx, func() ([]byte, error) {
		return h.System.Read(filepath.Join(h.Proc, "self/mountinfo"), maxMounts)
	})
	if err == nil && len(list) == maxMounts {
		err = errors.New("the list is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("read the mounts of this host: %w", err)
	}
	return containerMounts(string(list)), nil
}

func containerMounts(list string) (found []mount) {
	for line := range strings.Lines(list) {
		front, back, _ := strings.Cut(line, " - ") // proc_pid_mountinfo(5)
		fields, more := strings.Fields(front), strings.Fields(back)
		if len(fields) < 5 || len(more) < 2 {
			continue
		}
		point := unescape.Replace(fields[4])
		if id, ours := idOfMount(point); ours {
			found = append(found, mount{id, point, unescape.Replace(more[1])})
		}
	}
	return found
}

// unescape is for what the kernel escapes in its list of mounts.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// idOfMount returns the VM whose disk is mounted at a directory: the driver (opennebula_vm.rb) mounts the disk at
// DATASTORE/ID/mapper/disk.N, and that again, with other owners, at /var/lib/lxc-one/ID/disk.N, below which more may be.
func idOfMount(point string) (id int, ours bool) {
	if below, found := strings.CutPrefix(point, "/var/lib/lxc-one/"); found {
		digits, _, _ := strings.Cut(below, "/")
		return number(digits)
	}
	dir, disk := path.Split(point)
	if digits, found := strings.CutPrefix(disk, "disk."); !found || path.Base(dir) != "mapper" || !path.IsAbs(dir) {
		return 0, false
	} else if _, isDisk := number(digits); !isDisk {
		return 0, false
	}
	return number(path.Base(path.Dir(path.Clean(dir))))
}

// unmount unmounts the disks of a container that has ended, and detaches them. Until that is done, which may be never, the
// container counts as left.
func (s *stopper) unmount(ctx context.Context, g Guest) {
	mounts, err := s.host.mounts(ctx)
	mounts = slices.DeleteFunc(mounts, func(m mount) bool { return m.id != g.ID })
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || s.unmounting[g.ID] {
		return // the next look says why
	}
	s.unmounting[g.ID] = true
	go func() {
		err := s.host.detach(mounts)
		s.mu.Lock()
		told := s.unmountErr[g.ID]
		s.unmountErr[g.ID] = fmt.Sprint(err)
		delete(s.unmounting, g.ID)
		s.mu.Unlock()
		switch {
		case err == nil:
			s.did("%s: its disks are unmounted", g.Name)
		case told != err.Error():
			s.warn("%s: %v", g.Name, err)
		}
	}()
}

// detach unmounts file systems, the last one first, and detaches the devices that they are on. Several may be on one device.
func (h Host) detach(mounts []mount) error {
	for _, m := range mounts {
		if strings.HasPrefix(m.source, "/dev/loop") {
			_ = h.System.Control(m.source, unix.LOOP_CLR_FD) // it is detached with its last file system
		}
	}
	for _, m := range slices.Backward(mounts) {
		if err := h.System.Unmount(m.point); err != nil {
			return fmt.Errorf("unmount %s: %w", text.Printable(m.point), err)
		}
	}
	for _, m := range mounts {
		device := path.Base(m.source)
		switch {
		case strings.HasPrefix(m.source, "/dev/loop"):
			h.awaitNone(filepath.Join(h.Sys, "block", device, "loop/backing_file"))
		case strings.HasPrefix(m.source, "/dev/nbd"): // of qemu-nbd and rbd-nbd
			_ = h.System.Control(m.source, nbdDisconnect)
			h.awaitNone(filepath.Join(h.Sys, "block", device, "pid"))
		}
	}
	return nil
}

// nbdDisconnect is NBD_DISCONNECT (include/uapi/linux/nbd.h): what was written is written out, and the server ends.
const nbdDisconnect = 0xab08

// awaitNone waits until the kernel does not show a file any more.
func (h Host) awaitNone(file string) {
	for {
		if _, err := h.System.Read(file, 1); isMissing(err) {
			return
		}
		process.Pause(context.Background(), pollPause)
	}
}
