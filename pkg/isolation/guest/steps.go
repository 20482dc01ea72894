package guest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/one"
)

// steps is what was done so far. Whoever is told gets it from a goroutine of its own: a
// log that is on a dead disk must not hold up the work.
type steps struct {
	notify func(text string, warning bool)
	wake   chan struct{} // something to tell, or the end
	done   chan struct{} // closed when all has been told

	mu     sync.Mutex
	list   []string
	untold []note
	ended  bool // nothing is added any more
	quiet  bool // nothing is told any more
}

// note is what Notify is told.
type note struct {
	text    string
	warning bool
}

func newSteps(notify func(string, bool)) *steps {
	s := &steps{notify: notify, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if notify == nil {
		close(s.done)
	} else {
		go s.tell()
	}
	return s
}

// did adds a step.
func (s *steps) did(format string, args ...any) { s.add(false, format, args...) }

// warn adds a step that went wrong, or that is stronger than usual.
func (s *steps) warn(format string, args ...any) { s.add(true, format, args...) }

// add adds a step until the end; later ones come from what was left behind.
func (s *steps) add(warning bool, format string, args ...any) {
	text := one.Printable(fmt.Sprintf(format, args...))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.list = append(s.list, text)
	if s.notify != nil {
		s.untold = append(s.untold, note{text, warning})
		s.awake()
	}
}

// awake says that there is something to do.
func (s *steps) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tell calls Notify until the end.
func (s *steps) tell() {
	defer close(s.done)
	for {
		n, more, end := s.next()
		switch {
		case more:
			s.notify(n.text, n.warning)
		case end:
			return
		default:
			<-s.wake
		}
	}
}

// next takes what is to be told next.
func (s *steps) next() (n note, more, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.untold) == 0 || s.quiet {
		return note{}, false, s.ended
	}
	n, s.untold = s.untold[0], s.untold[1:]
	return n, true, false
}

// end returns all steps when they have been told, or when that takes too long.
func (s *steps) end() []string {
	s.mu.Lock()
	s.ended = true
	s.awake()
	s.mu.Unlock()
	timer := time.NewTimer(notifyLimit)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = true
	return slices.Clone(s.list)
}
