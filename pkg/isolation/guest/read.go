package guest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// maxStat is the most bytes of /proc/PID/stat; real ones have about 300.
	maxStat = 4 << 10
	// maxArgs is the most bytes of arguments that are read. libvirt writes -name at the
	// beginning, and less than 32 KiB altogether.
	maxArgs = 256 << 10
)

// reading is what is read about a process in a goroutine of its own, because the kernel
// does not show the arguments of a process whose memory is locked.
type reading struct {
	began time.Time
	done  chan struct{} // closed when all has been read

	mu      sync.Mutex
	known   bool // stat has been read
	stat    stat
	argv    []string
	missing bool // there is no such process
}

// startReading begins to read about a process.
func startReading(dir string, pid int) *reading {
	r := &reading{began: time.Now(), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.fill(filepath.Join(dir, strconv.Itoa(pid)))
	}()
	return r
}

// fill reads the state first: it can be read always.
func (r *reading) fill(dir string) {
	line, err := readSome(filepath.Join(dir, "stat"), maxStat)
	if err != nil {
		r.set(func() { r.missing = isMissing(err) })
		return
	}
	s := parseStat(string(line))
	r.set(func() { r.known, r.stat = true, s })
	if s.gone() {
		return
	}
	argv, err := readArgs(filepath.Join(dir, "cmdline"))
	if len(argv) == 0 && s.zombie() {
		argv = threadArgs(dir)
	}
	r.set(func() { r.argv, r.missing = argv, isMissing(err) })
}

// set changes r while nobody looks at it.
func (r *reading) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// get returns what has been read so far.
func (r *reading) get() (s stat, known bool, argv []string, missing bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stat, r.known, r.argv, r.missing
}

// threadArgs returns the arguments of a process whose first thread has ended: its other
// threads still have them.
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
	text, err := readSome(path, maxArgs)
	if err != nil {
		return nil, err
	}
	return splitArgs(text), nil
}

// splitArgs splits arguments that end with a zero byte each. The rest of one that was
// cut off is no argument; when there is no zero byte at all, the process has written
// something else there.
func splitArgs(text []byte) []string {
	end := bytes.LastIndexByte(text, 0)
	if end < 0 {
		if len(text) == 0 {
			return nil
		}
		return []string{string(text)}
	}
	return strings.Split(string(text[:end]), "\x00")
}

// readSome reads a file up to a limit.
func readSome(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// isMissing reports whether an error of a file of a process means that the process has
// ended.
func isMissing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
