package guest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// reading is how the arguments of a process are read: in a goroutine of its own, because the kernel does not show those
// of a process whose memory is locked.
type reading struct {
	began time.Time
	done  chan struct{} // closed when they have been read; what follows counts only then
	argv  []string
	err   error
}

// startReading begins to read the arguments of a process that stat is about.
func startReading(dir string, stat process.Stat) *reading {
	r := &reading{began: time.Now(), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.argv, r.err = readArgs(filepath.Join(dir, "cmdline"))
		if len(r.argv) == 0 && stat.Zombie() {
			r.argv = threadArgs(dir)
		}
	}()
	return r
}

func isMissing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
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
	text, err := process.ReadStart(path, maxArgs)
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
