package failover

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
)

// Shared is what recoveries in one process have in common: they look at hosts together, and act on VMs in one order.
type Shared struct {
	pool    *pool
	pending *pending
	turns   *turns
	survey  *surveyor
	refuge  gated[MayTake] // what the recoveries of one moment know of where VMs could go
	// overrides are hosts for which the storm guard was overridden after their recovery began.
	overrides sync.Map
	proven    sync.Map // hosts whose VMs may be acted on, each with its clearance
}

// NewShared makes it for recoveries that act on so many VMs at the same time; survey may be nil.
func NewShared(cloud Cloud, parallel int, survey Survey) *Shared {
	return &Shared{
		pool: &pool{cloud: cloud, hosts: newGated[[]one.Host]()}, pending: &pending{cloud, newGated[[]one.VM]()},
		turns: newTurns(parallel), survey: newSurveyor(survey), refuge: newGated[MayTake](),
	}
}

// clearance is when a host was proven off, or it was decided to do without, and whether by a lease; the zero value for not.
type clearance struct {
	at      time.Time
	byLease bool
}

// clear says that a host was proven off, or that it was decided to do without.
func (s *Shared) clear(host int, proof fence.Proof) {
	s.proven.Store(host, clearance{time.Now(), proof.Leased()})
}

func (s *Shared) cleared(host int) clearance {
	c, _ := s.proven.Load(host)
	is, _ := c.(clearance)
	return is
}

// Take says that a host is worked on from now on, and Leave that it is not any more.
func (s *Shared) Take(host int) {
	s.pool.users.Add(1)
	s.pool.old.Store(true)
	s.turns.hold(host, true)
}

// Override says that a later event for a host overrides the storm guard.
func (s *Shared) Override(host int) { s.overrides.Store(host, true) }

func (s *Shared) overridden(host int) bool {
	_, is := s.overrides.Load(host)
	return is
}

// Leave is the end of Take.
func (s *Shared) Leave(host int) {
	s.overrides.Delete(host)
	s.pool.users.Add(-1)
	s.turns.hold(host, false)
}

// pending is a Cloud that reads the VMs that wait for a host once for all who ask at about the
// same time: each of many hosts asks for those of the whole cloud where oned has no call for
// some VMs (before 5.12), and all VMs of the other hosts are among them.
type pending struct {
	Cloud
	vms gated[[]one.VM]
}

// PendingVMs gives the VMs in PENDING as they were after it was called. It reads once in watchEvery at most.
func (p *pending) PendingVMs(ctx context.Context) ([]one.VM, error) {
	asked := time.Now()
	since := func(_ []one.VM, sent time.Time) bool { return sent.After(asked) }
	vms, _, err := p.vms.get(ctx, since, func(_ []one.VM, before time.Time) ([]one.VM, time.Time, error) {
		if left := watchEvery - time.Since(before); left > 0 && !process.Pause(ctx, left) {
			return nil, before, ctx.Err()
		}
		sent := time.Now()
		vms, err := p.Cloud.PendingVMs(ctx)
		return vms, sent, err
	})
	return vms, err
}

// The VMs of hosts that failed together wait for each other, so that those of the highest priority go first: gather at most for a
// host that is about to be acted on, and until eventsCome after the first one for a host whose event has not come. oned starts 10
// hooks (4.4: 15) at the same time, which hand over within 0.2 s (median, 500 hosts: test/README.md). Choices.
const (
	gather     = 2 * time.Second
	eventsCome = 250 * time.Millisecond
)

// turns lets a bounded number of VMs be acted on at the same time, those of the highest priority first.
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

// turn is one VM that waits. It has no goroutine until its turn comes: of 500 hosts 20,000 wait.
type turn struct {
	priority, vm int
	begin        func() // called when it is its turn, in a goroutine of its own
	late         func() // called instead when it was dropped
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

// line puts VMs into the queue, all at once. When nothing is going on the queue is shut, for open to open it.
func (q *turns) line(host int, mine []*turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.coming, host)
	if len(q.queue) == 0 && q.free == q.all {
		q.shut = true
	}
	q.queue = append(q.queue, mine...)
	slices.SortStableFunc(q.queue, func(a, b *turn) int { return cmp.Or(b.priority-a.priority, a.vm-b.vm) })
	q.grant()
}

// open waits for hosts that will be ready soon, for gather at most, and lets the queue go.
func (q *turns) open(ctx context.Context, failed func() []int) {
	for end := time.Now().Add(gather); time.Now().Before(end) && q.others(failed) && process.Pause(ctx, firstPause/2); {
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shut = false
	q.grant()
}

// others reports whether other hosts will be ready soon, or the event of one that has failed may be on its way.
func (q *turns) others(failed func() []int) bool {
	ids := failed()
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.shut {
		return false
	}
	young := time.Since(q.began) < eventsCome
	return len(q.coming) > 0 || young && slices.ContainsFunc(ids, func(id int) bool { return !q.inHand[id] })
}

// drop takes those out of the queue whose turn has not come.
func (q *turns) drop(mine []*turn) {
	q.mu.Lock()
	var late []*turn
	q.queue = slices.DeleteFunc(q.queue, func(t *turn) bool {
		is := slices.Contains(mine, t)
		if is {
			late = append(late, t)
		}
		return is
	})
	q.mu.Unlock()
	for _, t := range late {
		t.late()
	}
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
		go q.queue[0].begin()
		q.queue = q.queue[1:]
		q.free--
	}
}
