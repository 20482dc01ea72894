package guest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"one-ft/pkg/process"
)

// destroy destroys all VMs, those that come while it works, too: through libvirt until then, and with SIGKILL where
// libvirt does not answer or has not done it. It ends KillLimit after the last order to libvirt has ended, which is
// not after until + KillLimit, and a last look.
func (s *stopper) destroy(ctx context.Context, snap snapshot, until time.Time) snapshot {
	orders, cancel := context.WithDeadlineCause(ctx, until, process.ErrTimeout)
	defer cancel()
	end := time.Now().Add(s.host.KillLimit)
	for ctx.Err() == nil {
		if snap.none() {
			return snap
		}
		acting, acted := context.WithDeadline(ctx, end)
		s.act(acting, orders, snap)
		acted()
		if s.waiting(orders) {
			end = time.Now().Add(s.host.KillLimit)
		}
		if !time.Now().Before(end) {
			break
		}
		process.Pause(ctx, pollPause)
		looking, looked := context.WithDeadline(ctx, end)
		snap = s.look(looking)
		looked()
	}
	return s.lastLook(ctx)
}

// lastLook is a look that does not depend on the time that is left, nor on ctx.
func (s *stopper) lastLook(ctx context.Context) snapshot {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLimit)
	defer cancel()
	return s.look(ctx)
}

// act does the next thing about each VM: libvirt is told until orders ends, unless it has failed before; then the
// process is killed.
func (s *stopper) act(ctx, orders context.Context, snap snapshot) {
	kill := slices.DeleteFunc(slices.Clone(snap.left), func(g Guest) bool { return s.order(orders, g.Name) || g.PID == 0 })
	process.Each(len(kill), readers, func(i int) { s.kill(ctx, kill[i]) })
}

// order tells libvirt to destroy a domain, once. It reports whether libvirt is at it.
func (s *stopper) order(ctx context.Context, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.muted.Load() || ctx.Err() != nil {
		return false
	}
	open, given := s.orders[name]
	if !given {
		s.orders[name], open = true, true
		go func() {
			s.virshDestroy(ctx, name)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.orders[name] = false
		}()
	}
	return open
}

// waiting reports whether there is an order that libvirt has not answered.
func (s *stopper) waiting(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.muted.Load() && ctx.Err() == nil && slices.Contains(slices.Collect(maps.Values(s.orders)), true)
}

// virshDestroy runs virsh until ctx ends. That it fails is no more than told: the domain may have ended meanwhile.
func (s *stopper) virshDestroy(ctx context.Context, name string) {
	var err error
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		_, err = s.host.virsh(ctx, "destroy", name)
	case <-ctx.Done():
	}
	switch {
	case errors.Is(context.Cause(ctx), process.ErrTimeout):
		// Asking it again would only cost time.
		s.muted.Store(true)
		s.warn("virsh destroy %s: timed out", name)
	case ctx.Err() != nil:
	case err != nil:
		s.did("virsh destroy %s: %v", name, err)
	default:
		s.did("virsh destroy %s: done", name)
	}
}

// kill kills the process of a VM, once, and says so.
func (s *stopper) kill(ctx context.Context, g Guest) {
	s.mu.Lock()
	sent, told := s.killed[g.process()]
	s.mu.Unlock()
	if sent {
		return
	}
	sent, err := s.procs.kill(ctx, g)
	switch {
	case told && !sent:
		return
	case err != nil:
		s.warn("%s: process %d: %v", g.Name, g.PID, err)
	case sent:
		s.warn("%s: SIGKILL to process %d", g.Name, g.PID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killed[g.process()] = sent
}

// kill sends SIGKILL to a process if it is the one that was seen, and runs the domain. It reports whether the signal
// was sent; one that has ended needs none.
func (p *procs) kill(ctx context.Context, g Guest) (bool, error) {
	if g.PID <= 1 || g.PID == os.Getpid() {
		return false, errors.New("this process is not killed")
	}
	// A pidfd stands for this process whoever gets its number later (Linux 5.3 and Go 1.23). So what is read after it
	// was opened is about the one that is killed.
	proc, err := os.FindProcess(g.PID)
	if err != nil {
		return false, fmt.Errorf("find it: %w", err)
	}
	defer func() { _ = proc.Release() }()
	_, ours := ParseName(g.Name)
	if seen, unclear := p.judge(ctx, g.PID); !ours || unclear || seen != g {
		return false, nil
	}
	if err := proc.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("SIGKILL: %w", err)
	}
	return true, nil
}
