package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

const (
	// readers is how many processes are read at the same time.
	readers = 64
	// stuckAfter is how long the kernel may take to show the arguments of a process; a sound one takes some
	// microseconds.
	stuckAfter = time.Second
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

type kind int

const (
	other   kind = iota // none of OpenNebula, or gone
	vm                  // a VM of OpenNebula
	unclear             // perhaps one
)

// verdict is what one look says about a process; its name is that of any domain.
type verdict struct {
	Guest
	kind kind
}

func newProcs(dir string) *procs {
	return &procs{dir: dir, names: map[identity]string{}, stuck: map[int]*reading{}}
}

// scan looks at all processes once. With an error, which names those that could not be judged, there may be more VMs
// than it returns.
func (p *procs) scan(ctx context.Context) (found []Guest, err error) {
	pids, err := p.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the processes in %s: %w", text.Printable(p.dir), err)
	}
	verdicts := make([]verdict, len(pids))
	process.Each(len(pids), readers, func(i int) { verdicts[i] = p.judge(ctx, pids[i]) })
	var unknown []string
	for _, v := range verdicts {
		switch v.kind {
		case vm:
			found = append(found, v.Guest)
		case unclear:
			unknown = append(unknown, strconv.Itoa(v.PID))
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

func (p *procs) list(ctx context.Context) (pids []int, err error) {
	if p.dir == "" {
		return nil, errors.New("no directory is configured")
	}
	names, err := process.Bounded(ctx, func() ([]string, error) {
		f, err := os.Open(p.dir)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.Readdirnames(-1)
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if pid, err := strconv.ParseUint(name, 10, 31); err == nil && pid > 0 {
			pids = append(pids, int(pid))
		}
	}
	if len(pids) == 0 {
		return nil, errNoProcesses
	}
	slices.Sort(pids)
	return pids, nil
}

// judge looks at one process, for stuckAfter at most. Its stat can be read always.
func (p *procs) judge(ctx context.Context, pid int) verdict {
	v := verdict{Guest: Guest{PID: pid}}
	dir := filepath.Join(p.dir, strconv.Itoa(pid))
	stat, err := process.ReadStat(dir)
	v.start = stat.Started
	switch {
	case ctx.Err() != nil, err != nil && !isMissing(err):
		v.kind = unclear
		return v
	case err != nil || stat.Ended():
		p.remember(v.process(), nil)
		return v
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
	v.Name, known = p.names[v.process()]
	p.mu.Unlock()
	switch {
	case !stuck && isMissing(r.err):
		p.remember(v.process(), nil)
		v.Name = ""
	case !stuck && len(r.argv) > 0:
		v.Name = p.remember(v.process(), r.argv)
	case !known && likeQEMU(stat):
		v.kind = unclear
	}
	if id, ours := ParseName(v.Name); ours {
		v.ID, v.kind = id, vm
	}
	return v
}

// reading returns the reading of a process that has not ended yet, or begins one.
func (p *procs) reading(dir string, pid int, stat process.Stat) *reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.stuck[pid]; r != nil && !isClosed(r.done) {
		return r
	}
	return startReading(dir, stat)
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
