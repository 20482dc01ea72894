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

// powerOff forces the host off, one way after the other as long as this process still runs and VMs are left. ctx does
// not end it: a host that goes down ends the contexts of its services.
func (s *stopper) powerOff(ctx context.Context, snap snapshot) snapshot {
	ctx = context.WithoutCancel(ctx)
	if len(s.host.Settings.PowerOff) == 0 {
		s.warn("no way to force the host off is configured")
	}
	try := func(name string, do func(context.Context) error) bool {
		snap = s.try(ctx, name, do, snap)
		return snap.none()
	}
	for _, way := range s.host.Settings.PowerOff {
		var gone bool
		if isSysrq(way) {
			gone = try("sysrq o (power off)", s.sysrq("o")) || try("sysrq b (reset)", s.sysrq("b"))
		} else {
			gone = try(strings.Join(way, " "), func(ctx context.Context) error {
				_, err := s.host.run(ctx, nil, way...)
				return err
			})
		}
		if gone {
			break
		}
	}
	return snap
}

// try does one thing that forces the host off, for PowerOffLimit. When it was accepted, the rest of the time is for the
// host to go; when not, the next one follows at once.
func (s *stopper) try(ctx context.Context, name string, do func(context.Context) error, snap snapshot) snapshot {
	ctx, cancel := context.WithTimeoutCause(ctx, s.host.PowerOffLimit, process.ErrTimeout)
	defer cancel()
	s.warn("force the host off: %s", name)
	if err := do(ctx); err != nil {
		s.warn("force the host off: %s: %v", name, err)
		return snap
	}
	s.warn("force the host off: %s: accepted", name)
	return s.watch(ctx, snap)
}

// watch looks until no VM is left or ctx ends; then it returns what it saw last.
func (s *stopper) watch(ctx context.Context, snap snapshot) snapshot {
	for {
		seen := s.look(ctx)
		if seen.none() {
			return seen
		}
		if ctx.Err() != nil {
			return snap // the look was cut short
		}
		if len(seen.left) > 0 || !errors.Is(seen.err, errNotAsked) {
			snap = seen
		}
		process.Pause(ctx, pollPause)
	}
}

// sysrq writes a letter to the file that the kernel is told through. It is never made: where it is missing, nobody
// would read it.
func (s *stopper) sysrq(letter string) func(context.Context) error {
	return func(ctx context.Context) error {
		if s.host.SysrqTrigger == "" {
			return errors.New("it is not available: no file for it is configured")
		}
		_, err := process.Bounded(ctx, func() (int, error) {
			f, err := os.OpenFile(s.host.SysrqTrigger, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return 0, err
			}
			defer f.Close()
			return f.WriteString(letter)
		})
		if err != nil {
			return fmt.Errorf("tell the kernel: %w", err)
		}
		return nil
	}
}

// shutDown begins an orderly shutdown and waits for ShutdownLimit until no VM is left. ctx does not end it, because
// shutting down does.
func (s *stopper) shutDown(ctx context.Context, snap snapshot) snapshot {
	ctx = context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeoutCause(ctx, s.host.Settings.ShutdownLimit, process.ErrTimeout)
	defer cancel()
	name := strings.Join(s.host.Settings.Shutdown, " ")
	s.warn("shut the host down: %s", name)
	if _, err := s.host.run(limited, nil, s.host.Settings.Shutdown...); err == nil {
		s.did("shut the host down: %s: accepted", name)
		if snap = s.watch(limited, snap); snap.none() {
			return snap
		}
	} else if limited.Err() == nil {
		s.warn("shut the host down: %s: %v", name, err)
		return s.lastLook(ctx)
	}
	s.warn("shut the host down: timed out after %s", s.host.Settings.ShutdownLimit.Round(time.Millisecond))
	return s.lastLook(ctx)
}
