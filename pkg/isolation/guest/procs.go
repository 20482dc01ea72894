package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

const (
	readers = 64 // processes that are read at the same time
	// stuckAfter is how long the kernel may take to show the arguments of a process; a sound one takes some
	// microseconds.
	stuckAfter = time.Second
	// maxArgs is the most bytes of arguments that are read. libvirt writes -name at the beginning, and less than 32
	// KiB altogether.
	maxArgs = 256 << 10
	// kernelThread is PF_KTHREAD in the flags of a process (include/linux/sched.h).
	kernelThread = 0x00200000
)

// errNoProcesses means that Host.Proc does not show processes; this one is always there.
var errNoProcesses = errors.New("it shows no processes; is it mounted?")

// procs looks at the processes of a host again and again. It remembers which VM a process was, because one that is
// ending has no arguments any more.
type procs struct {
	dir string

	mu    sync.Mutex
	names map[identity]string // domain of a process that was QEMU
	stuck map[int]*reading    // that the kernel has not answered, by PID
}

// identity is what no two processes have in common, also when a PID is used again.
type identity struct {
	pid   int
	start uint64
}

func (g Guest) process() identity { return identity{g.PID, g.start} }

func newProcs(dir string) *procs {
	return &procs{dir: dir, names: map[identity]string{}, stuck: map[int]*reading{}}
}

// scan looks at all processes once. With an error, which names those that could not be judged, there may be more VMs
// than it returns.
func (p *procs) scan(ctx context.Context) (found []Guest, err error) {
	entries, err := process.Bounded(ctx, func() ([]os.DirEntry, error) { return os.ReadDir(p.dir) })
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.ParseUint(entry.Name(), 10, 31); err == nil && pid > 0 {
			pids = append(pids, int(pid))
		}
	}
	if err == nil && len(pids) == 0 {
		err = errNoProcesses
	}
	if err != nil {
		return nil, fmt.Errorf("read the processes in %s: %w", text.Printable(p.dir), err)
	}
	slices.Sort(pids)
	seen, unclear := make([]Guest, len(pids)), make([]bool, len(pids))
	process.Each(len(pids), readers, func(i int) { seen[i], unclear[i] = p.judge(ctx, pids[i]) })
	var unknown []string
	for i, g := range seen {
		if unclear[i] {
			unknown = append(unknown, strconv.Itoa(g.PID))
		} else if _, ours := ParseName(g.Name); ours {
			found = append(found, g)
		}
	}
	if ctx.Err() != nil {
		return found, fmt.Errorf("read the processes in %s: timed out", text.Printable(p.dir))
	}
	if len(unknown) > 0 {
		return found, fmt.Errorf("the kernel does not show what these processes are, which may be VMs: PID %s", listed(unknown))
	}
	return found, nil
}

// judge looks at one process, for stuckAfter at most; its stat can be read always. The name is that of any domain.
// unclear: it may be a VM of OpenNebula.
func (p *procs) judge(ctx context.Context, pid int) (g Guest, unclear bool) {
	g.PID = pid
	dir := filepath.Join(p.dir, strconv.Itoa(pid))
	stat, err := process.ReadStat(dir)
	g.start = stat.Started
	switch {
	case ctx.Err() != nil, err != nil && !isMissing(err):
		return g, true
	case err != nil || stat.Ended():
		p.remember(g.process(), nil)
		return g, false
	}
	r := p.reading(dir, pid, stat)
	timer := time.NewTimer(time.Until(r.began.Add(stuckAfter)))
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	stuck := !isClosed(r.done)
	if stuck {
		p.stuck[pid] = r
	} else {
		delete(p.stuck, pid)
	}
	var known bool
	g.Name, known = p.names[g.process()]
	p.mu.Unlock()
	if !stuck && (isMissing(r.err) || len(r.argv) > 0) {
		g.Name = p.remember(g.process(), r.argv)
	} else {
		// By the name that the kernel has for it.
		unclear = !known && stat.Flags&kernelThread == 0 && (strings.Contains(stat.Name, "qemu") || stat.Name == "kvm")
	}
	g.ID, _ = ParseName(g.Name)
	return g, unclear
}

// reading is how the arguments of a process are read: in a goroutine of its own, because the kernel does not show those
// of a process whose memory is locked.
type reading struct {
	began time.Time
	done  chan struct{} // closed when they have been read; what follows counts only then
	argv  []string
	err   error
}

// reading returns the reading of a process that has not ended yet, or begins one.
func (p *procs) reading(dir string, pid int, stat process.Stat) *reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.stuck[pid]; r != nil && !isClosed(r.done) {
		return r
	}
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

// remember keeps the domain of a QEMU, whatever the process was before, and returns it.
func (p *procs) remember(id identity, argv []string) (name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, qemu := domainOf(argv)
	if qemu {
		p.names[id] = name
	} else {
		delete(p.names, id)
	}
	return name
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func isMissing(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// threadArgs returns the arguments of a process whose first thread has ended: its other threads still have them.
func threadArgs(dir string) []string {
	tasks, _ := filepath.Glob(filepath.Join(dir, "task", "[0-9]*", "cmdline")) // the pattern is right
	for _, task := range tasks {
		if argv, err := readArgs(task); err == nil && len(argv) > 0 {
			return argv
		}
	}
	return nil
}

// readArgs reads a file like /proc/PID/cmdline; without arguments it is empty.
func readArgs(file string) ([]string, error) {
	text, err := process.ReadStart(file, maxArgs)
	return splitArgs(text), err
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

// ParseName returns the ID of the VM that OpenNebula gives a domain of exactly this name to: "one-7", without
// anything before, behind or between, and without leading zeros.
func ParseName(name string) (id int, ok bool) {
	digits, ok := strings.CutPrefix(name, "one-")
	if !ok {
		return 0, false
	}
	// IDs of OpenNebula are 32-bit numbers.
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return int(n), true
}

// domainOf returns whether these are the arguments of a QEMU, and the name of the domain that it runs; "" when it has
// none. libvirt writes "-name guest=one-7,debug-threads=on", older ones "-name one-7".
func domainOf(argv []string) (name string, qemu bool) {
	if len(argv) == 0 {
		return "", false
	}
	if program := path.Base(argv[0]); program != "kvm" && !strings.Contains(program, "qemu") {
		return "", false
	}
	for i, arg := range argv[:len(argv)-1] {
		if arg == "-name" || arg == "--name" { // QEMU takes both
			return guestOption(argv[i+1]), true
		}
	}
	return "", true
}

// guestOption returns the guest in the value of QEMU's option -name: a list of KEY=VALUE separated by commas. The
// first item may be the guest without its key, a comma in a value is written twice, and of several guests the last
// one counts.
func guestOption(value string) string {
	name := ""
	const comma = "\x00" // no argument holds it
	for i, item := range strings.Split(strings.ReplaceAll(value, ",,", comma), ",") {
		key, text, keyed := strings.Cut(strings.ReplaceAll(item, comma, ","), "=")
		switch {
		case keyed && key == "guest":
			name = text
		case !keyed && i == 0:
			name = key
		}
	}
	return name
}
