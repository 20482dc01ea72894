package failover

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"one-ft/pkg/one"
)

// Shared is what the recoveries of several hosts in one process have in common: they look at
// the hosts together, and act on their VMs in one order.
type Shared struct {
	pool    *pool
	pending *pending
	turns   *turns
	// overrides are hosts for which the storm guard was overridden after their recovery began.
	overrides sync.Map

	mu     sync.Mutex
	proven map[int]time.Time // hosts whose VMs may be acted on, and since when
}

// NewShared makes it for recoveries that act on so many VMs at the same time.
func NewShared(cloud Cloud, parallel int) *Shared {
	return &Shared{
		pool: &pool{cloud: newObserved(cloud), busy: make(chan struct{}, 1)}, pending: &pending{Cloud: cloud, busy: make(chan struct{}, 1)},
		turns: newTurns(parallel), proven: map[int]time.Time{},
	}
}

// Cloud is the one that the recoveries read and act through.
func (s *Shared) Cloud() Cloud { return s.pending }

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

// Crowd is from how many recoveries on all hosts are read in one call instead of each by
// itself: a pool costs oned about as much as a few hosts.
const Crowd = 4

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
func (p *pool) crowded() bool { return p.users.Load() >= Crowd }

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
