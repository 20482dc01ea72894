package guest

import (
	"fmt"
	"sync"
	"time"

	"one-ft/pkg/text"
)

// progress passes what is done on to Notify, from a goroutine of its own: a log that is on a dead
// disk must not hold up the work.
type progress struct {
	notify func(text string, warning bool)
	done   chan struct{} // closed when Notify has got all

	mu    sync.Mutex
	added sync.Cond // a step, or the end
	queue []step
	ended bool // nothing is added any more
	quiet bool // Notify is not called any more
}

// step is what Notify gets.
type step struct {
	text    string
	warning bool
}

func newProgress(notify func(string, bool)) *progress {
	p := &progress{notify: notify, done: make(chan struct{})}
	p.added.L = &p.mu
	if notify == nil {
		close(p.done)
	} else {
		go p.tell()
	}
	return p
}

// did adds a step.
func (p *progress) did(format string, args ...any) { p.add(false, format, args...) }

// warn adds a step that went wrong, or that is stronger than usual.
func (p *progress) warn(format string, args ...any) { p.add(true, format, args...) }

// add adds a step until the end; later ones come from what was left behind.
func (p *progress) add(warning bool, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && p.notify != nil {
		p.queue = append(p.queue, step{text.Printable(fmt.Sprintf(format, args...)), warning})
		p.added.Signal()
	}
}

// tell calls Notify until the end.
func (p *progress) tell() {
	defer close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.quiet {
		for len(p.queue) == 0 && !p.ended {
			p.added.Wait()
		}
		if len(p.queue) == 0 {
			return
		}
		s := p.queue[0]
		p.queue = p.queue[1:]
		p.mu.Unlock()
		p.notify(s.text, s.warning)
		p.mu.Lock()
	}
}

// end returns when Notify has got all steps, or when that takes too long.
func (p *progress) end() {
	p.mu.Lock()
	p.ended = true
	p.added.Signal()
	p.mu.Unlock()
	select {
	case <-p.done:
	case <-time.After(notifyLimit):
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quiet = true
}
