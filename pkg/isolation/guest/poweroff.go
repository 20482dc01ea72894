package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"one-ft/pkg/process"
)

// powerOff forces the host off, one way after the other as long as this process still
// runs and VMs are left. ctx does not end it: a host that goes down ends the contexts of
// its services. It reports whether any way was accepted.
func (s *stopper) powerOff(ctx context.Context, pic picture) (picture, bool) {
	ctx = context.WithoutCancel(ctx)
	told := false
	for _, way := range s.host.PowerOff {
		for _, f := range s.tries(way) {
			accepted := false
			pic, accepted = s.try(ctx, f, pic)
			told = told || accepted
			if pic.none() {
				return pic, told
			}
		}
	}
	if len(s.host.PowerOff) == 0 {
		s.steps.warn("no way to force the host off is configured")
	}
	return pic, told
}

// attempt is one thing that forces the host off.
type attempt struct {
	name string
	do   func(ctx context.Context) error
}

// tries are the attempts of one way.
func (s *stopper) tries(way []string) []attempt {
	if !isSysrq(way) {
		return []attempt{{strings.Join(way, " "), func(ctx context.Context) error {
			if r := run(ctx, nil, way...); r.Err != nil || r.Code != 0 {
				return errors.New(ending(r))
			}
			return nil
		}}}
	}
	return []attempt{
		{"sysrq o (power off)", func(ctx context.Context) error { return s.sysrq(ctx, "o") }},
		{"sysrq b (reset)", func(ctx context.Context) error { return s.sysrq(ctx, "b") }},
	}
}

// try carries out an attempt for Limits.PowerOff. When it was accepted, the rest of the
// time is for the host to go; when not, the next one follows at once.
func (s *stopper) try(ctx context.Context, a attempt, pic picture) (picture, bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.host.Limits.PowerOff, process.ErrTimeout)
	defer cancel()
	s.steps.warn("force the host off: %s", a.name)
	if err := a.do(ctx); err != nil {
		s.steps.warn("force the host off: %s: %v", a.name, err)
		return pic, false
	}
	s.steps.warn("force the host off: %s: accepted", a.name)
	return s.watch(ctx, pic), true
}

// watch looks until no VM is left or ctx ends; then it returns what it saw last.
func (s *stopper) watch(ctx context.Context, pic picture) picture {
	for {
		seen := s.look(ctx)
		if seen.none() {
			return seen
		}
		if ctx.Err() != nil {
			return pic // the look was cut short
		}
		if len(seen.left) > 0 || !errors.Is(seen.err, errNotAsked) {
			pic = seen
		}
		pause(ctx)
	}
}

// sysrq writes a letter to the file that the kernel is told through. It is never made:
// where it is missing, nobody would read it.
func (s *stopper) sysrq(ctx context.Context, letter string) error {
	path := s.host.SysrqTrigger
	if path == "" {
		return errors.New("it is not available: no file for it is configured")
	}
	err, late := bounded(ctx, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString(letter)
		return err
	})
	if err = errors.Join(err, late); err != nil {
		return fmt.Errorf("tell the kernel: %w", err)
	}
	return nil
}

// shutDown begins an orderly shutdown and waits for Limits.Shutdown until no VM is left.
// ctx does not end it, because shutting down does. It reports whether the shutdown was
// accepted.
func (s *stopper) shutDown(ctx context.Context) (picture, bool) {
	ctx = context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeoutCause(ctx, s.host.Limits.Shutdown, process.ErrTimeout)
	defer cancel()
	name := strings.Join(s.host.Shutdown, " ")
	s.steps.warn("shut the host down: %s", name)
	ended := make(chan process.Result, 1)
	go func() { ended <- run(limited, nil, s.host.Shutdown...) }()
	told := false
	for limited.Err() == nil {
		select {
		case r := <-ended:
			if r.Err != nil || r.Code != 0 {
				s.steps.warn("shut the host down: %s: %s", name, ending(r))
				return s.lastLook(ctx), false
			}
			told = true
			s.steps.did("shut the host down: %s: accepted", name)
		default:
		}
		if pic := s.look(limited); pic.none() && told {
			return pic, true
		}
		pause(limited)
	}
	s.steps.warn("shut the host down: not done within %s", s.host.Limits.Shutdown.Round(time.Millisecond))
	return s.lastLook(ctx), told
}
