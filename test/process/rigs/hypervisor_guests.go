package rigs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Guests are the names of the guests whose QEMU lives, sorted. It asks neither libvirt nor
// anything else inside the machine, only the real machine's /proc, and is quick enough to
// be called each 10 ms. A zombie is dead, unless one of its threads still runs.
func (h *Hypervisor) Guests() []string {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := map[int]string{}
	var names []string
	for _, pid := range h.processes("qemu-system") {
		name := guestName(pid)
		if name == "" {
			// It is about to end, and has no arguments any more; or it is no guest:
			// libvirtd asks QEMU what it can do.
			name = h.names[pid]
		}
		if name == "" {
			continue
		}
		seen[pid] = name
		if threadLives(pid) {
			names = append(names, name)
		}
	}
	h.names = seen
	slices.Sort(names)
	return names
}

// libvirtd gives the process IDs of libvirtd.
func (h *Hypervisor) libvirtd() []int {
	h.t.Helper()
	return slices.DeleteFunc(h.processes("libvirtd"), func(pid int) bool { return !Alive(pid) })
}

// processes are the IDs, outside, of the machine's processes whose name begins with a word.
func (m *Machine) processes(word string) []int {
	m.t.Helper()
	proc, err := os.Open("/proc")
	if err != nil {
		m.t.Error(err)
		return nil
	}
	defer proc.Close()
	entries, err := proc.Readdirnames(-1)
	if err != nil {
		m.t.Error(err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry)
		if err != nil || !m.owns(int(proc.Fd()), pid) {
			continue
		}
		// A process that has just ended has no name.
		name, err := os.ReadFile(filepath.Join("/proc", entry, "comm"))
		if err == nil && strings.HasPrefix(string(name), word) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// owns reports whether a process is one of the machine; proc is the open /proc.
func (m *Machine) owns(proc, pid int) bool {
	var buf [64]byte
	n, err := unix.Readlinkat(proc, strconv.Itoa(pid)+"/ns/pid", buf[:])
	return err == nil && string(buf[:n]) == m.pidns
}

// kill sends a signal to a process of the machine, and never to another one that has got
// its process ID.
func (m *Machine) kill(pid int, s unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	if now, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid)); err != nil || now != m.pidns {
		return nil // it is gone
	}
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send signal %d to process %d: %w", s, pid, err)
	}
	return nil
}

// guestName is the name of the guest that a QEMU process was started for; "" when there is
// none.
func guestName(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := bytes.Cut(text, []byte("\x00-name\x00guest="))
	// Behind it are other options; a comma of the name is written twice.
	name, _, _ := bytes.Cut(rest, []byte("\x00"))
	name, _, _ = bytes.Cut(name, []byte(",debug-threads="))
	return strings.ReplaceAll(string(name), ",,", ",")
}

// threadLives reports whether a thread of a process is neither a zombie nor gone.
func threadLives(pid int) bool {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(threads, func(thread os.DirEntry) bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, thread.Name()))
		s := stateOf(text)
		return err == nil && s != 'Z' && s != 'X'
	})
}

// state is the state of a process, such as 'S', 'T' or 'Z'; 'X' when it is gone.
func state(pid int) byte {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 'X'
	}
	return stateOf(text)
}

// stateOf finds the state in the text of a file stat: behind the name, which may contain
// anything.
func stateOf(text []byte) byte {
	_, rest, found := bytes.Cut(text, []byte(") "))
	if !found || len(rest) == 0 {
		return 'X'
	}
	return rest[0]
}
