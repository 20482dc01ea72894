package failover

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// maxAgents is how many fence agents and commands run at the same time: an agent is a
// Python program of some 30 MB. A choice.
const maxAgents = 32

// Shared is what the recoveries of several hosts in one process have in common: they look at
// the hosts together, and act on their VMs in one order.
type Shared struct {
	pool    *pool
	pending *pending
	turns   *turns
	// overrides are hosts for which the storm guard was overridden after their recovery began.
	overrides sync.Map
	// Agents bounds how many fence agents run at the same time.
	Agents chan struct{}
	// journal is opened once: it remembers what its records are about.
	journal func(dir string) (*incident.Journal, error)

	mu      sync.Mutex
	proven  map[int]time.Time // hosts whose VMs may be acted on, and since when
	started time.Time         // when the front-end was, or became leader
	looked  time.Time         // when that was looked up
}

// frontEndStarted is when this front-end was started or became leader. It is looked up once in
// watchEvery, which reads a file of each process of this machine.
func (s *Shared) frontEndStarted(of app.Session) time.Time {
	if s == nil {
		return of.Started()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looked.IsZero() || time.Since(s.looked) >= watchEvery {
		s.started, s.looked = of.Started(), time.Now()
	}
	return s.started
}

// NewShared makes it for recoveries that act on so many VMs at the same time.
func NewShared(cloud Cloud, parallel int) *Shared {
	return &Shared{
		pool: &pool{cloud: newObserved(cloud), busy: make(chan struct{}, 1)}, pending: &pending{Cloud: cloud, busy: make(chan struct{}, 1)},
		turns: newTurns(parallel), proven: map[int]time.Time{}, Agents: make(chan struct{}, maxAgents), journal: openedOnce(),
	}
}

// openedOnce opens a journal, and again until that works.
func openedOnce() func(dir string) (*incident.Journal, error) {
	var mu sync.Mutex
	var journal *incident.Journal
	return func(dir string) (*incident.Journal, error) {
		mu.Lock()
		defer mu.Unlock()
		var err error
		if journal == nil {
			journal, err = incident.OpenJournal(dir)
		}
		return journal, err
	}
}

// clear says that a host was proven off, or that it was decided to do without; clearedAt is when,
// the zero time for not.
func (s *Shared) clear(host int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proven[host] = time.Now()
}

func (s *Shared) clearedAt(host int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proven[host]
}

// take says that a host is worked on from now on, and leave that it is not any more.
func (s *Shared) take(host int) {
	s.pool.users.Add(1)
	s.pool.old.Store(true)
	s.turns.hold(host, true)
}

// override says that a later event for a host overrides the storm guard.
func (s *Shared) override(host int) { s.overrides.Store(host, true) }

func (s *Shared) overridden(host int) bool {
	_, is := s.overrides.Load(host)
	return is
}

func (s *Shared) leave(host int) {
	s.overrides.Delete(host)
	s.pool.users.Add(-1)
	s.turns.hold(host, false)
}

// crowd is from how many recoveries on all hosts are read in one call instead of each by
// itself: a pool costs oned about as much as a few hosts.
const crowd = 4

// pool reads all hosts, once for all who want to see them at about the same time.
type pool struct {
	cloud Cloud
	users atomic.Int32 // recoveries under way
	// old is set when a recovery begins: what was read before may show its host before
	// it failed, which must not be taken for one that came back.
	old   atomic.Bool
	busy  chan struct{} // its holder reads, or uses what is below
	sent  time.Time
	hosts []one.Host
	err   error
	// inError are the hosts in ERROR among them that have VMs.
	inError atomic.Pointer[[]int]
}

// crowded reports whether reading the pool is the cheaper way.
func (p *pool) crowded() bool { return p.users.Load() >= crowd }

// read gives all hosts as they were less than watchEvery ago and since the last recovery began,
// and when they were asked for.
func (p *pool) read(ctx context.Context) ([]one.Host, time.Time, error) {
	select { // not a mutex: nobody can wait for one in virtual time
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	case <-ctx.Done():
		return nil, time.Time{}, ctx.Err()
	}
	if p.old.Swap(false) || p.sent.IsZero() || time.Since(p.sent) >= watchEvery {
		sent := time.Now()
		hosts, err := p.cloud.Hosts(ctx)
		if ctx.Err() != nil {
			p.old.Store(true)
			return nil, time.Time{}, err // of this caller only
		}
		p.hosts, p.err, p.sent = hosts, err, sent
		ids := make([]int, 0, len(hosts))
		for _, h := range hosts {
			if h.State.Failed() && len(h.VMs) > 0 {
				ids = append(ids, h.ID)
			}
		}
		p.inError.Store(&ids)
		if err != nil {
			p.sent = time.Now() // it may have tried for minutes
		}
	}
	return p.hosts, p.sent, p.err
}

// failed are the hosts in ERROR that had VMs when the pool was last read.
func (p *pool) failed() []int {
	if ids := p.inError.Load(); ids != nil {
		return *ids
	}
	return nil
}

// pending is a Cloud that reads the VMs that wait for a host once for all who ask at about the
// same time: each of many hosts asks for those of the whole cloud where oned has no call for
// some VMs (before 5.12), and all VMs of the other hosts are among them.
type pending struct {
	Cloud
	busy chan struct{} // its holder reads, or uses what is below
	sent time.Time
	vms  []one.VM
	err  error
}

// PendingVMs gives the VMs in PENDING as they were after it was called. It reads once in
// watchEvery at most.
func (p *pending) PendingVMs(ctx context.Context) ([]one.VM, error) {
	asked := time.Now()
	select { // as in pool.read
	case p.busy <- struct{}{}:
		defer func() { <-p.busy }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !p.sent.After(asked) {
		if left := watchEvery - time.Since(p.sent); left > 0 && !wait(ctx, left) {
			return nil, ctx.Err()
		}
		sent := time.Now()
		vms, err := p.Cloud.PendingVMs(ctx)
		if ctx.Err() != nil {
			return nil, err // of this caller only
		}
		p.vms, p.err, p.sent = vms, err, sent
	}
	return p.vms, p.err
}

// gather is how long the VMs of hosts that failed together wait for each other, so that those
// of the highest priority go first. Hooks of one moment come within a second. A choice.
const gather = 2 * time.Second

// turns lets a bounded number of VMs be acted on at the same time, those of the highest
// priority first.
type turns struct {
	mu     sync.Mutex
	free   int
	all    int
	began  time.Time
	queue  []*turn
	shut   bool         // nothing is granted until others have come
	coming map[int]bool // hosts that will be ready to be acted on soon
	inHand map[int]bool // all hosts
}

// turn is one VM that waits.
type turn struct {
	priority, vm int
	begin        chan struct{} // closed when it is its turn
}

func newTurns(parallel int) *turns {
	n := max(parallel, 1)
	return &turns{free: n, all: n, began: time.Now(), coming: map[int]bool{}, inHand: map[int]bool{}}
}

// expect says whether a host will be ready soon.
func (q *turns) expect(host int, soon bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if soon {
		q.coming[host] = true
	} else {
		delete(q.coming, host)
	}
}

// hold says whether a host is in the hands of this process.
func (q *turns) hold(host int, held bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if held {
		q.inHand[host], q.coming[host] = true, true // until it is known that it will be watched
		return
	}
	delete(q.inHand, host)
	delete(q.coming, host)
}

// line puts VMs into the queue, all at once. When nothing is going on the queue is shut, for
// open to open it.
func (q *turns) line(host int, tasks []*task) []*turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.coming, host)
	if len(q.queue) == 0 && q.free == q.all {
		q.shut = true
	}
	mine := make([]*turn, len(tasks))
	for i, t := range tasks {
		mine[i] = &turn{priority: t.step.Priority, vm: t.out.VM, begin: make(chan struct{})}
	}
	q.queue = append(q.queue, mine...)
	slices.SortStableFunc(q.queue, func(a, b *turn) int { return cmp.Or(b.priority-a.priority, a.vm-b.vm) })
	q.grant()
	return mine
}

// open waits for hosts that will be ready soon, for gather at most, and lets the queue go.
func (q *turns) open(ctx context.Context, failed func() []int) {
	for end := time.Now().Add(gather); time.Now().Before(end) && q.others(failed) && wait(ctx, firstPause/2); {
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shut = false
	q.grant()
}

// others reports whether other hosts will be ready soon, or the event of one that has failed
// may be on its way.
func (q *turns) others(failed func() []int) bool {
	ids := failed()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.shut {
		return false
	}
	young := time.Since(q.began) < gather
	return len(q.coming) > 0 || young && slices.ContainsFunc(ids, func(id int) bool { return !q.inHand[id] })
}

// take waits for a turn; false means that the context ended first.
func (q *turns) take(ctx context.Context, t *turn) bool {
	select {
	case <-t.begin:
		return true
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.queue, t); i >= 0 {
		q.queue = slices.Delete(q.queue, i, i+1)
	} else {
		q.free++
		q.grant()
	}
	return false
}

// done gives a turn back.
func (q *turns) done() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.grant()
}

// grant lets those go for whom there is room. The lock is held.
func (q *turns) grant() {
	for !q.shut && q.free > 0 && len(q.queue) > 0 {
		close(q.queue[0].begin)
		q.queue = q.queue[1:]
		q.free--
	}
}
