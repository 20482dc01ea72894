package fence

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"one-ft/pkg/wording"
)

// work is one attempt to prove one host off, or to ask its devices.
type work struct {
	host     Host
	settings Settings // with defaults
	devices  [][]*device
	call     caller
	mu       sync.Mutex // one Notify at a time
}

func newWork(host Host, s Settings) *work {
	w := &work{host: host, settings: s.WithDefaults()}
	var all []Device
	for i, level := range s.Levels {
		var ready []*device
		for _, d := range level.Devices {
			p := w.settings.prepare(i+1, d)
			ready, all = append(ready, p), append(all, p.Device)
		}
		w.devices = append(w.devices, ready)
	}
	mask := newMasker(append(all, fromHost(host)))
	for _, level := range w.devices {
		for _, d := range level {
			d.label = mask.maskLong(d.label)
		}
	}
	w.call = runner{settings: w.settings, host: host, mask: mask}.call
	return w
}

// say reports progress.
func (w *work) say(d *device, warning bool, kind wording.Kind, args ...any) {
	if w.settings.Notify == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings.Notify(Event{HostID: w.host.ID, Level: d.level, Device: d.label, Message: wording.Of(kind, args...), Warning: warning})
}

// ask calls a device once and reports what it answers.
func (w *work) ask(ctx context.Context, d *device, action string) answer {
	start := time.Now()
	a := w.call(ctx, d, action)
	good := a.code == 0
	if action == actionStatus {
		good = a.code == exitOff
	}
	w.say(d, !good, wording.FenceAnswer, action, a, time.Since(start).Seconds())
	return a
}

// each does one thing with all devices at the same time, and collects why some failed.
func each(devices []*device, do func(*device) error) []DeviceFailure {
	errs := make([]error, len(devices))
	var wg sync.WaitGroup
	for i, d := range devices {
		wg.Go(func() { errs[i] = do(d) })
	}
	wg.Wait()
	var failures []DeviceFailure
	for i, err := range errs {
		if err != nil {
			failures = append(failures, DeviceFailure{Device: devices[i].label, Err: err})
		}
	}
	return failures
}

// proveLevel makes all devices of a level prove the host off at the same moment.
func (w *work) proveLevel(ctx context.Context, devices []*device) []DeviceFailure {
	failures := each(devices, func(d *device) error { return w.powerOff(ctx, d) })
	if len(failures) > 0 || len(devices) == 1 {
		return failures
	}
	// Each was off at some moment. A power supply that came on again before the other
	// one went off has kept the host alive: those that are off now and were off before
	// the last one went, were off together.
	return each(devices, func(d *device) error { return w.stillOff(ctx, d) })
}

// powerOff makes one device prove the host off.
func (w *work) powerOff(ctx context.Context, d *device) error {
	if d.Kind == KindManual {
		return ErrManual
	}
	if d.Kind == KindLease {
		return w.proveLease(ctx, d)
	}
	return w.attempts(ctx, d, func() error {
		if d.Kind == KindCommand {
			if a := w.ask(ctx, d, "run"); a.code != 0 {
				return failure{a.String(), a.err}
			}
			return nil
		}
		return w.awaitOff(ctx, d, w.ask(ctx, d, actionOff))
	})
}

// stillOff asks a device that was off once more.
func (w *work) stillOff(ctx context.Context, d *device) error {
	if d.Kind != KindAgent {
		return nil
	}
	return w.attempts(ctx, d, func() error {
		switch a := w.ask(ctx, d, actionStatus); a.code {
		case exitOff:
			return nil
		case exitOn:
			return errOnAgain
		default:
			return fmt.Errorf("asked again, it says %w", failure{a.String(), a.err})
		}
	})
}

// errOnAgain is not worth another question: the other device of the level was on, too,
// in between.
var errOnAgain = errors.New("it was off, but came on again")

// attempts tries until it works, with growing pauses.
func (w *work) attempts(ctx context.Context, d *device, try func() error) error {
	if d.err != nil {
		w.say(d, true, wording.FenceError, d.err)
		return d.err
	}
	for n := 1; ; n++ {
		err := try()
		if err == nil || errors.Is(err, errOnAgain) || errors.Is(err, errNonsense) || n >= w.settings.Attempts || ctx.Err() != nil {
			return err
		}
		backoff := w.settings.Backoff << min(n-1, 6)
		backoff += spread(w.host.ID, n, backoff/2)
		w.say(d, true, wording.FenceAttempt, n, w.settings.Attempts, backoff.Round(time.Millisecond))
		if !pause(ctx, backoff) {
			return err
		}
	}
}

// spread is up to limit, and another one for each host: hosts that failed together must not
// ask one power strip in step.
func spread(hostID, attempt int, limit time.Duration) time.Duration {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d %d", hostID, attempt)
	return limit * time.Duration(h.Sum32()%1024) / 1024
}

// errNonsense is an agent that is broken, or no agent at all: shells and interpreters
// that cannot read a program also end with exit code 2.
var errNonsense = errors.New("exit code 2 for off and for status: it does not understand what it is asked, so its word is no proof")

// awaitOff asks for the status after a power-off, whatever that has answered: a lie is
// found, and a power-off that happens late counts. As long as the device says "on" it
// is asked again for a bounded time.
func (w *work) awaitOff(ctx context.Context, d *device, off answer) error {
	deadline := time.Now().Add(w.settings.Late)
	for {
		status := w.ask(ctx, d, actionStatus)
		switch {
		case status.code == exitOff && off.code == exitOff:
			return errNonsense
		case status.code == exitOff:
			return nil
		case status.code != exitOn:
			return fmt.Errorf("off: %w; status: %w", failure{off.String(), off.err}, failure{status.String(), status.err})
		case !time.Now().Before(deadline) || !pause(ctx, w.settings.Poll):
			return fmt.Errorf("off: %w; but its status is still on", failure{off.String(), off.err})
		}
	}
}

// failure is an answer as an error.
type failure struct {
	text  string
	cause error
}

func (f failure) Error() string { return f.text }
func (f failure) Unwrap() error { return f.cause }

// pause waits, or returns false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// seconds is the time since start, for people.
func seconds(start time.Time) string { return fmt.Sprintf("%.1f s", time.Since(start).Seconds()) }
