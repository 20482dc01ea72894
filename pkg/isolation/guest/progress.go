package guest

import (
	"fmt"
	"sync"

	"one-ft/pkg/text"
)

// progress passes what is done on to Host.Notify, until the end: later steps come from what was left behind.
type progress struct {
	notify func(text string, warning bool)

	mu    sync.Mutex
	ended bool
}

// did is for a step that went as it should.
func (p *progress) did(format string, args ...any) { p.add(false, format, args...) }

// warn is for a step that went wrong, or that is stronger than usual.
func (p *progress) warn(format string, args ...any) { p.add(true, format, args...) }

func (p *progress) add(warning bool, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended && p.notify != nil {
		p.notify(text.Printable(fmt.Sprintf(format, args...)), warning)
	}
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}
