package cloud

import (
	"context"
	"sync"
	"time"
)

// gate lets only so many requests in at once: half of the limit is served, as
// many wait in line (MAX_CONN and MAX_CONN_BACKLOG of oned). For one more the
// front-end's kernel drops the SYN packet; the client's sends it again after
// 1, 2, 4 and more seconds (tcp_syn_retries of Linux).
type gate struct {
	mu       sync.Mutex
	maxServe int
	maxWait  int
	serving  int
	line     []chan struct{}
}

// init sets the limit.
func (g *gate) init(limit int) {
	g.maxServe = (limit + 1) / 2
	g.maxWait = limit - g.maxServe
}

// enter waits for a place and reports whether it got one before ctx or the
// cloud ended; leave gives it back.
func (g *gate) enter(ctx context.Context, closed <-chan struct{}) bool {
	for again := time.Second; ; again *= 2 {
		turn, in := g.try()
		if in {
			return true
		}
		if turn != nil {
			select {
			case <-turn:
				return true
			case <-ctx.Done():
			case <-closed:
			}
			g.giveUp(turn)
			return false
		}
		if !wait(ctx, closed, again) {
			return false
		}
	}
}

// try takes a place, or else a place in the line; neither when both are full.
func (g *gate) try() (turn chan struct{}, in bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.serving < g.maxServe {
		g.serving++
		return nil, true
	}
	if len(g.line) < g.maxWait {
		turn = make(chan struct{})
		g.line = append(g.line, turn)
	}
	return turn, false
}

// giveUp leaves the line; a turn that has come meanwhile goes to the next.
func (g *gate) giveUp(turn chan struct{}) {
	g.mu.Lock()
	for i, other := range g.line {
		if other == turn {
			g.line = append(g.line[:i], g.line[i+1:]...)
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	g.leave()
}

// leave gives the place to the first in line.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.line) > 0 {
		close(g.line[0])
		g.line = g.line[1:]
		return
	}
	g.serving--
}

// wait waits for d and reports whether neither ctx nor the cloud ended.
func wait(ctx context.Context, closed <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-closed:
	}
	return false
}
