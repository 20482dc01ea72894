package guest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/process"
)

// Guest is a VM of OpenNebula on this host.
type Guest struct {
	ID   int    // of the VM
	Name string // of its domain, "one-<ID>"
	// PID is its QEMU process; 0 when only libvirt knows the VM. A VM with two processes is in a list twice.
	PID int

	start uint64 // what tells its process from a later one with the same PID
}

type snapshot struct {
	left []Guest
	err  error // there may be more of them
}

// none reports whether it is certain that there are no VMs.
func (s snapshot) none() bool { return len(s.left) == 0 && s.err == nil }

func (s snapshot) names() (all []string) {
	for _, g := range s.left {
		all = append(all, g.Name)
	}
	return slices.Compact(all)
}

// String says what is left.
func (s snapshot) String() string {
	var parts []string
	if len(s.left) > 0 {
		parts = append(parts, "left: "+listed(s.names()))
	}
	if s.err != nil {
		parts = append(parts, s.err.Error())
	}
	return strings.Join(parts, "; ")
}

// Guests returns the VMs on this host, by ID: those that libvirt lists and those that have a QEMU process. Both are
// asked at the same time, libvirt for half of DestroyLimit at most, the kernel for 2 s. An error comes together with
// the VMs that were found all the same: there may be more.
func (h Host) Guests(ctx context.Context) ([]Guest, error) {
	s := newStopper(h, "")
	defer s.end()
	snap, err := s.find(ctx)
	return snap.left, errors.Join(err, snap.err)
}

// find looks at libvirt and at the processes for the first time, for half of DestroyLimit. The error is that libvirt
// does not answer.
func (s *stopper) find(ctx context.Context) (snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.host.Settings.DestroyLimit/2, process.ErrTimeout)
	defer cancel()
	var names []string
	var err error
	var asking sync.WaitGroup // ends with ctx
	asking.Go(func() { names, err = s.host.domains(ctx) })
	snap := s.scan(ctx)
	if snap.none() {
		process.Pause(ctx, pollPause)
		snap = s.scan(ctx) // one that was just being started
	}
	for len(snap.left) == 0 && snap.err != nil && ctx.Err() == nil {
		process.Pause(ctx, pollPause)
		if again := s.scan(ctx); ctx.Err() == nil {
			snap = again // one that was just ending
		}
	}
	if asking.Wait(); err != nil {
		s.muted.Store(true)
		return snap, err
	}
	snap.left = s.merge(snap.left, names)
	return snap, nil
}

// look looks again. It is none only when two looks at the processes saw none, and libvirt, as long as it answers,
// lists none between them.
func (s *stopper) look(ctx context.Context) snapshot {
	snap := s.scan(ctx)
	switch {
	case !snap.none():
		return snap
	case s.muted.Load():
		process.Pause(ctx, pollPause)
		return s.scan(ctx)
	}
	// libvirt gets half of what is left, because the processes are looked at again after it. When that is not enough
	// for a sound one, it must not be taken for one that hangs.
	limit := s.host.Settings.DestroyLimit / 2
	fair := min(fairAsk, limit)
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	if limit < fair {
		return snapshot{err: errNotAsked}
	}
	asking, cancel := context.WithTimeoutCause(ctx, limit, process.ErrTimeout)
	names, err := s.host.domains(asking)
	cancel()
	if err != nil {
		s.muted.Store(true)
		s.warn("%v; from here on only the processes say what runs", err)
	}
	if left := s.merge(nil, names); len(left) > 0 {
		return snapshot{left: left}
	}
	return s.scan(ctx)
}

// errNotAsked is why a look at the end of a stage is not complete.
var errNotAsked = errors.New("there was no time to ask libvirt")

// scan looks at the processes only.
func (s *stopper) scan(ctx context.Context) snapshot {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	all, err := s.procs.scan(ctx)
	all = slices.DeleteFunc(all, func(g Guest) bool { return !s.concerns(g.Name) })
	s.sortAndRemember(all)
	return snapshot{all, err}
}

func (s *stopper) merge(list []Guest, names []string) []Guest {
	for _, name := range names {
		known := slices.ContainsFunc(list, func(g Guest) bool { return g.Name == name })
		if id, ours := ParseName(name); ours && !known && s.concerns(name) {
			list = append(list, Guest{ID: id, Name: name})
		}
	}
	s.sortAndRemember(list)
	return list
}

// concerns reports whether a domain is one that has to be stopped.
func (s *stopper) concerns(name string) bool { return s.only == "" || s.only == name }

// sortAndRemember sorts a list by ID, and remembers who was there.
func (s *stopper) sortAndRemember(list []Guest) {
	slices.SortFunc(list, func(a, b Guest) int { return cmp.Or(a.ID-b.ID, a.PID-b.PID) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range list {
		g.PID = cmp.Or(g.PID, s.found[g.ID].PID)
		s.found[g.ID] = g
	}
}
