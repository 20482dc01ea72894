package coordinator

import (
	"sync"
	"time"

	"one-ft/pkg/app"
	"one-ft/pkg/failover"
	"one-ft/pkg/incident"
	"one-ft/pkg/statedir"
)

// maxAgents is how many fence agents and commands run at the same time: an agent is a Python program of some 30 MB. A
// choice.
const maxAgents = 32

// shared is what the recoveries of several hosts in one process have in common. That of a process that works on one host or
// VM only has no failover.Shared.
type shared struct {
	*failover.Shared
	agents chan struct{} // bounds how many fence agents run at the same time

	mu      sync.Mutex
	journal *incident.Journal // opened once: it remembers what its records are about
	started time.Time         // when the front-end was, or became leader
	looked  time.Time         // when that was looked up
}

func newShared(s app.Session) *shared {
	return &shared{Shared: failover.NewShared(s.Client, s.Parallel), agents: make(chan struct{}, maxAgents)}
}

func (c *shared) alone() bool { return c.Shared == nil }

// frontEndStarted is when this front-end was started or became leader. It is looked up once in a second, which reads a file
// of each process of this machine.
func (c *shared) frontEndStarted(of app.Session) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looked.IsZero() || time.Since(c.looked) >= time.Second {
		c.started, c.looked = of.Started(), time.Now()
	}
	return c.started
}

// openJournal opens the journal, and again until that works.
func (c *shared) openJournal(s app.Session) (_ *incident.Journal, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal == nil {
		c.journal, err = openJournal(s)
	}
	return c.journal, err
}

func openJournal(s app.Session) (*incident.Journal, error) {
	return incident.OpenJournal(statedir.Dir(s.StateDir).Incidents())
}
