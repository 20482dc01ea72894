package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"one-ft/pkg/one"
)

const (
	// readers is how many processes are read at the same time.
	readers = 64
	// stuckAfter is how long the kernel may take to show the arguments of a process; a
	// sound one takes some microseconds.
	stuckAfter = time.Second
)

// errNoProcesses means that Host.Proc does not show processes; this one is always there.
var errNoProcesses = errors.New("it shows no processes; is it mounted?")

// procs looks at the processes of a host again and again. It remembers which VM a
// process was, because one that is ending has no arguments any more.
type procs struct {
	dir string

	mu    sync.Mutex
	names map[identity]string // domain of a process
	stuck map[int]*reading    // that the kernel has not answered, by PID
}

// identity is what no two processes have in common, also when a PID is used again.
type identity struct {
	pid   int
	start uint64
}

// kind is what a process is.
type kind int

const (
	other   kind = iota // none of OpenNebula, or gone
	vm                  // a VM of OpenNebula
	unclear             // perhaps one
)

// verdict is what one look says about a process.
type verdict struct {
	kind kind
	id   identity
	name string // of the domain
}

func newProcs(dir string) *procs {
	return &procs{dir: dir, names: map[identity]string{}, stuck: map[int]*reading{}}
}

// scan looks at all processes once. With an error, which names those that could not be
// judged, there may be more VMs than it returns.
func (p *procs) scan(ctx context.Context) ([]verdict, error) {
	pids, err := p.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the processes in %s: %w", one.Printable(p.dir), err)
	}
	verdicts := make([]verdict, len(pids))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(readers, len(pids)) {
		wg.Go(func() {
			for i := range next {
				verdicts[i] = p.judge(ctx, pids[i])
			}
		})
	}
	for i := range pids {
		next <- i
	}
	close(next)
	wg.Wait()
	var found []verdict
	var unknown []int
	for i, v := range verdicts {
		switch v.kind {
		case vm:
			found = append(found, v)
		case unclear:
			unknown = append(unknown, pids[i])
		}
	}
	if ctx.Err() != nil {
		return found, fmt.Errorf("look at the processes in %s: not all were read in time", one.Printable(p.dir))
	}
	if len(unknown) > 0 {
		return found, fmt.Errorf("the kernel does not show what these processes are, which may be VMs: PID %s", numbers(unknown))
	}
	return found, nil
}

// list returns the PIDs.
func (p *procs) list(ctx context.Context) ([]int, error) {
	if p.dir == "" {
		return nil, errors.New("no directory is configured")
	}
	type listing struct {
		names []string
		err   error
	}
	l, err := bounded(ctx, func() listing {
		f, err := os.Open(p.dir)
		if err != nil {
			return listing{err: err}
		}
		defer f.Close()
		names, err := f.Readdirnames(-1)
		return listing{names, err}
	})
	if err = errors.Join(err, l.err); err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range l.names {
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

// judge looks at one process, for stuckAfter at most.
func (p *procs) judge(ctx context.Context, pid int) verdict {
	if ctx.Err() != nil {
		return verdict{kind: unclear, id: identity{pid: pid}}
	}
	r := p.reading(pid)
	timer := time.NewTimer(time.Until(r.began.Add(stuckAfter)))
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if isClosed(r.done) {
		delete(p.stuck, pid)
	} else {
		p.stuck[pid] = r
	}
	return p.decide(pid, r)
}

// reading returns the reading of a process that has not ended yet, or begins one.
func (p *procs) reading(pid int) *reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.stuck[pid]; r != nil && !isClosed(r.done) {
		return r
	}
	return startReading(p.dir, pid)
}

// decide judges by what has been read of a process.
func (p *procs) decide(pid int, r *reading) verdict {
	s, known, argv, missing := r.get()
	v := verdict{kind: other, id: identity{pid, s.start}}
	switch {
	case missing || known && s.gone():
		delete(p.names, v.id)
		return v
	case !known:
		v.kind = unclear
		return v
	case len(argv) > 0:
		p.remember(v.id, argv)
	case !p.remembers(v.id) && s.likeQEMU():
		v.kind = unclear
		return v
	}
	v.name = p.names[v.id]
	if _, ours := ParseName(v.name); ours {
		v.kind = vm
	}
	return v
}

// remember keeps the domain of a QEMU; whatever else the process was before.
func (p *procs) remember(id identity, argv []string) {
	if name, qemu := domainOf(argv); qemu {
		p.names[id] = name
	} else {
		delete(p.names, id)
	}
}

// remembers reports whether a process was QEMU.
func (p *procs) remembers(id identity) bool {
	_, ok := p.names[id]
	return ok
}

// isClosed reports whether a channel that nobody sends to is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
