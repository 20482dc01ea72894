package failover

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

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
