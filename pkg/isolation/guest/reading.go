package guest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"one-ft/pkg/process"
)

const (
	// maxArgs is the most bytes of arguments that are read. libvirt writes -name at the beginning, and less than 32
	// KiB altogether.
	maxArgs = 256 << 10
	// kernelThread is PF_KTHREAD in the flags of a process (include/linux/sched.h).
	kernelThread = 0x00200000
)

// reading is what is read about a process in a goroutine of its own, because the kernel does not show the arguments
// of a process whose memory is locked.
type reading struct {
	began time.Time
	stat  atomic.Pointer[process.Stat] // nil until it has been read

	done    chan struct{} // closed when all has been read; what follows counts only then
	argv    []string
	missing bool // there is no such process
}

// startReading begins to read about a process.
func startReading(dir string, pid int) *reading {
	r := &reading{began: time.Now(), done: make(chan struct{})}
	go r.fill(filepath.Join(dir, strconv.Itoa(pid)))
	return r
}

// fill reads the state first: it can be read always.
func (r *reading) fill(dir string) {
	defer close(r.done)
	s, err := process.ReadStat(dir)
	if err == nil {
		r.stat.Store(&s)
		if s.Ended() {
			return
		}
		r.argv, err = readArgs(filepath.Join(dir, "cmdline"))
		if len(r.argv) == 0 && s.Zombie() {
			r.argv = threadArgs(dir)
		}
	}
	r.missing = errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// threadArgs returns the arguments of a process whose first thread has ended: its other threads still have them.
func threadArgs(dir string) []string {
	tasks, err := filepath.Glob(filepath.Join(dir, "task", "[0-9]*", "cmdline"))
	if err != nil {
		return nil
	}
	for _, path := range tasks {
		if argv, err := readArgs(path); err == nil && len(argv) > 0 {
			return argv
		}
	}
	return nil
}

// readArgs reads a file like /proc/PID/cmdline; without arguments it is empty.
func readArgs(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxArgs))
	if err != nil {
		return nil, err
	}
	return splitArgs(text), nil
}

// splitArgs splits arguments that end with a zero byte each. The rest of one that was cut off is no argument; when
// there is no zero byte at all, the process has written something else there.
func splitArgs(text []byte) []string {
	end := bytes.LastIndexByte(text, 0)
	switch {
	case end >= 0:
		return strings.Split(string(text[:end]), "\x00")
	case len(text) > 0:
		return []string{string(text)}
	}
	return nil
}

// likeQEMU reports whether a process may be QEMU by the name that the kernel has for it. Only for one whose arguments
// cannot be read.
func likeQEMU(s process.Stat) bool {
	return s.Flags&kernelThread == 0 && (strings.Contains(s.Name, "qemu") || s.Name == "kvm")
}
