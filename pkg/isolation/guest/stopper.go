package guest

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// pollPause is the time between two looks.
	pollPause = 50 * time.Millisecond
	// maxVirsh is how many virsh destroy VMs at the same time; libvirtd serves 20 clients
	// at once in its default configuration (max_workers).
	maxVirsh = 16
)

// pause waits for pollPause or the end of ctx.
func pause(ctx context.Context) {
	timer := time.NewTimer(pollPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// stopper stops the VMs of a host once.
type stopper struct {
	host  Host
	only  string // the domain that it is about; "": all
	procs *procs
	steps *steps

	slots chan struct{} // one for each virsh that may run

	mu     sync.Mutex
	muted  bool              // libvirt is not asked any more
	orders map[string]bool   // by domain that virsh was told to destroy; true: at work
	found  []sighting        // all that were seen
	killed map[identity]bool // true: SIGKILL was sent; false: that failed, and was told
}

func newStopper(h Host, only string) *stopper {
	return &stopper{
		host: h, only: only, procs: newProcs(h.Proc), steps: newSteps(h.Notify),
		slots: make(chan struct{}, maxVirsh), orders: map[string]bool{}, killed: map[identity]bool{},
	}
}

// mute stops asking libvirt: it has failed or hung once.
func (s *stopper) mute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.muted = true
}

// answers reports whether libvirt has answered each time so far.
func (s *stopper) answers() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.muted
}

// saw remembers who was there.
func (s *stopper) saw(pic picture) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range pic.left {
		at := slices.IndexFunc(s.found, func(f sighting) bool {
			return f.Name == one.Name && (f.PID == one.PID && f.start == one.start || f.PID == 0)
		})
		switch {
		case at < 0 && (one.PID != 0 || !s.sawName(one.Name)):
			s.found = append(s.found, one)
		case at >= 0 && s.found[at].PID == 0 && one.PID != 0:
			one.Source = SourceBoth
			s.found[at] = one
		case at >= 0 && one.Source == SourceBoth:
			s.found[at] = one
		}
	}
	sortSightings(s.found)
}

// sawName reports whether a domain was seen already; s.mu is held.
func (s *stopper) sawName(name string) bool {
	return slices.ContainsFunc(s.found, func(f sighting) bool { return f.Name == name })
}
