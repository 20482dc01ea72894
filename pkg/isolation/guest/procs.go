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
	maxStat = 4 << 10 // the most bytes of /proc/PID/stat that are read; real ones have about 300
	// kernelThread is PF_KTHREAD in the flags of a process (include/linux/sched.h).
	kernelThread = 0x00200000
)

// errNoProcesses means that Host.Proc does not show processes; this one is always there.
var errNoProcesses = errors.New("it shows no processes; is it mounted?")

// procs looks at the processes of a host again and again. It remembers which VM a process was, because one that is
// ending has no arguments any more.
type procs struct {
	system     System
	dir        string
	identify   func(d *domain) (id int, ours bool)
	containers bool // LXC is installed

	mu    sync.Mutex
	known map[identity]member // what a process was that is a QEMU
	stuck map[int]*reading    // that the kernel has not answered, by PID
}

// member is a process as a part of a VM.
type member struct {
	Guest
	ours bool // a VM of OpenNebula
	init bool // of a container
}

// identity is what no two processes have in common, also when a PID is used again.
type identity struct {
	pid   int
	start uint64
}

func (g Guest) process() identity { return identity{g.PID, g.start} }

func newProcs(h Host) *procs {
	return &procs{system: h.System, dir: h.Proc, identify: h.identify, known: map[identity]member{}, stuck: map[int]*reading{}}
}

// scan looks at all processes once. With an error, which names those that could not be judged, there may be more VMs
// than it returns.
func (p *procs) scan(ctx context.Context) (found []Guest, err error) {
	names, err := process.Bounded(ctx, func() ([]string, error) { return p.system.List(p.dir) })
	var pids []int
	for _, name := range names {
		if pid, err := strconv.ParseUint(name, 10, 31); err == nil && pid > 0 {
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
	seen, unclear := make([]member, len(pids)), make([]bool, len(pids))
	process.Each(len(pids), readers, func(i int) { seen[i], unclear[i] = p.judge(ctx, pids[i]) })
	var unknown []string
	inits := map[string]bool{}
	for i, m := range seen {
		if unclear[i] {
			unknown = append(unknown, strconv.Itoa(m.PID))
		}
		inits[m.Name] = inits[m.Name] || m.init
	}
	for i, m := range seen {
		if m.ours && !unclear[i] && (m.init || !m.Container || !inits[m.Name]) {
			found = append(found, m.Guest)
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

// judge looks at one process, for stuckAfter at most; its stat can be read always. The name is that of any domain or
// container. unclear: it may be a VM of OpenNebula.
func (p *procs) judge(ctx context.Context, pid int) (m member, unclear bool) {
	m.PID = pid
	dir := filepath.Join(p.dir, strconv.Itoa(pid))
	line, err := p.system.Read(filepath.Join(dir, "stat"), maxStat)
	stat := process.ParseStat(string(line))
	m.start = stat.Started
	switch {
	case ctx.Err() != nil, err != nil && !isMissing(err):
		return m, true
	case err != nil || stat.Ended():
		p.forget(m.process())
		return m, false
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
	before, known := p.known[m.process()]
	p.mu.Unlock()
	switch {
	case isClosed(r.placed) && r.place.container != "" && (r.place.init || isOurs(r.place.container)):
		m.Name, m.Container, m.init = r.place.container, true, r.place.init
		m.ID, m.ours = ParseName(m.Name)
	case !stuck && (isMissing(r.err) || len(r.argv) > 0):
		m = p.remember(m, r.argv)
	case known:
		m = before
	case stat.Flags&kernelThread == 0:
		// By the name that the kernel has for it; where not even its container is shown, it may be anything.
		unclear = strings.Contains(stat.Name, "qemu") || stat.Name == "kvm" || !isClosed(r.placed)
	}
	return m, unclear
}

func isOurs(name string) bool {
	_, ours := ParseName(name)
	return ours
}

// reading is how the container and the arguments of a process are read: in a goroutine of its own, because the kernel does
// not show the arguments of a process whose memory is locked.
type reading struct {
	began  time.Time
	placed chan struct{} // closed when its container is known
	place  place
	done   chan struct{} // closed when all has been read; what follows counts only then
	argv   []string
	err    error
}

// reading returns the reading of a process that has not ended yet, or begins one.
func (p *procs) reading(dir string, pid int, stat process.Stat) *reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.stuck[pid]; r != nil && !isClosed(r.done) {
		return r
	}
	r := &reading{began: time.Now(), placed: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if p.containers {
			r.place = p.placeOf(dir, stat)
		}
		close(r.placed)
		r.argv, r.err = p.readArgs(filepath.Join(dir, "cmdline"))
		if len(r.argv) == 0 && stat.Zombie() {
			r.argv = p.threadArgs(dir)
		}
	}()
	return r
}

// remember keeps what a QEMU is, whatever the process was before, and returns it.
func (p *procs) remember(m member, argv []string) member {
	d, qemu := domainOf(argv)
	if !qemu {
		p.forget(m.process())
		return m
	}
	p.mu.Lock()
	before, known := p.known[m.process()]
	p.mu.Unlock()
	if known && before.Name == d.name {
		return before
	}
	m.Name = d.name
	if m.ID, m.ours = p.identify(&d); !isOurs(d.name) {
		m.uuid = d.uuid
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[m.process()] = m
	return m
}

func (p *procs) forget(id identity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, id)
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
func (p *procs) threadArgs(dir string) []string {
	tasks, _ := p.system.List(filepath.Join(dir, "task")) // without it there are none
	for _, task := range tasks {
		if argv, err := p.readArgs(filepath.Join(dir, "task", task, "cmdline")); err == nil && len(argv) > 0 {
			return argv
		}
	}
	return nil
}

// readArgs reads a file like /proc/PID/cmdline; without arguments it is empty.
func (p *procs) readArgs(file string) ([]string, error) {
	text, err := p.system.Read(file, maxArgs)
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
	return number(digits)
}

// domainOf returns whether these are the arguments of a QEMU, and the domain that it runs. libvirt writes "-name
// guest=one-7,debug-threads=on", older ones "-name one-7", and behind it "-uuid UUID".
func domainOf(argv []string) (d domain, qemu bool) {
	if len(argv) == 0 {
		return d, false
	}
	if program := path.Base(argv[0]); program != "kvm" && !strings.Contains(program, "qemu") {
		return d, false
	}
	return domain{name: guestOption(option(argv, "name")), uuid: option(argv, "uuid")}, true
}

// option returns the value of the first option of this name of QEMU, which takes -name and --name.
func option(argv []string, name string) string {
	for i, arg := range argv[:len(argv)-1] {
		if arg == "-"+name || arg == "--"+name {
			return argv[i+1]
		}
	}
	return ""
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
