package fence

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// work is one attempt to prove one host off, or to ask its devices.
type work struct {
	host     Host
	settings Settings // with defaults
	devices  [][]*device
	mask     masker
	call     func(ctx context.Context, d *device, action string) answer // of a device, once; tests script it
	mu       sync.Mutex                                                 // one Notify at a time
}

// newWork prepares the devices; it is ErrNotConfigured, or the error of Check.
func newWork(host Host, s Settings) (*work, error) {
	if len(s.Levels) == 0 {
		return nil, ErrNotConfigured
	}
	if err := Check(s.Levels); err != nil {
		return nil, err
	}
	w := &work{host: host, settings: s.WithDefaults()}
	var all []Device
	for _, level := range s.Levels {
		var ready []*device
		for _, d := range level.Devices {
			p := w.settings.prepare(d)
			ready, all = append(ready, p), append(all, p.Device)
		}
		w.devices = append(w.devices, ready)
	}
	w.mask, w.call = newMasker(append(all, fromHost(host))), w.run
	for _, d := range slices.Concat(w.devices...) {
		d.label = w.mask.maskLong(d.label)
	}
	return w, nil
}

func (w *work) say(d *device, kind wording.Kind, args ...any) {
	if w.settings.Notify == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings.Notify(Event{Device: d.label, Message: wording.Of(kind, args...)})
}

// ask calls a device once and reports what it answers.
func (w *work) ask(ctx context.Context, d *device, action string) answer {
	start := time.Now()
	a := w.call(ctx, d, action)
	w.say(d, wording.FenceAnswer, action, a, time.Since(start).Seconds())
	return a
}

// each does one thing with all devices at the same time, and collects why some failed.
func each(devices []*device, do func(*device) error) []error {
	errs := make([]error, len(devices))
	process.Each(len(devices), len(devices), func(i int) {
		if err := do(devices[i]); err != nil {
			errs[i] = fmt.Errorf("%s: %w", devices[i].label, err)
		}
	})
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// proveLevel makes all devices of a level prove the host off at the same moment.
func (w *work) proveLevel(ctx context.Context, devices []*device) []error {
	errs := each(devices, func(d *device) error { return w.powerOff(ctx, d) })
	if len(errs) > 0 || len(devices) == 1 {
		return errs
	}
	// Each was off at some moment. A power supply that came on again before the other one went off has kept the host
	// alive: those that are off now and were off before the last one went, were off together.
	return each(devices, func(d *device) error { return w.stillOff(ctx, d) })
}

func (w *work) powerOff(ctx context.Context, d *device) error {
	switch d.Kind {
	case KindManual:
		return ErrManual
	case KindLease:
		return w.proveLease(ctx, d)
	case KindCommand:
		return w.attempts(ctx, d, func() error {
			if a := w.ask(ctx, d, "run"); a.code != 0 {
				return a.failed()
			}
			return nil
		})
	}
	if d.Agent == agentSBD {
		return w.attempts(ctx, d, func() error { return w.pill(ctx, d) })
	}
	return w.attempts(ctx, d, func() error { return w.turn(ctx, d, actionOff) })
}

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
			return fmt.Errorf("when checked again: %w", a.failed())
		}
	})
}

// errOnAgain is not worth another question: the other device of the level was on, too, in between.
var errOnAgain = errors.New("it was off, but came on again")

// attempts tries until it works, with growing pauses.
func (w *work) attempts(ctx context.Context, d *device, try func() error) error {
	if err := d.fit(ctx, w.settings); err != nil {
		w.say(d, wording.FenceError, err)
		return err
	}
	for n := 1; ; n++ {
		err := try()
		if err == nil || final(err) || n >= w.settings.Attempts || ctx.Err() != nil {
			return err
		}
		backoff := w.settings.Backoff << min(n-1, 6)
		backoff += spread(w.host.ID, n, backoff/2)
		w.say(d, wording.FenceAttempt, n, w.settings.Attempts, backoff.Round(time.Millisecond))
		if !process.Pause(ctx, backoff) {
			return err
		}
	}
}

// final reports whether another attempt cannot end otherwise.
func final(err error) bool {
	var unknown *notListedError
	return errors.Is(err, errOnAgain) || errors.Is(err, errNonsense) || errors.Is(err, errOldPill) || errors.As(err, &unknown)
}

// spread is up to limit, and another one for each host: hosts that failed together must not ask one power strip in step.
func spread(hostID, attempt int, limit time.Duration) time.Duration {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d %d", hostID, attempt)
	return limit * time.Duration(h.Sum32()%1024) / 1024
}

// errNonsense is an agent that is broken, or none: shells that cannot read a program also end with exit code 2.
var errNonsense = errors.New("exit code 2 for off and for status: it does not understand the request, so its word is no proof")

// turn makes one device switch the host off or on, and asks for its status, whatever it has answered: a lie is found, and
// what happens late counts. As long as the status is still the other one it is asked again for a bounded time.
func (w *work) turn(ctx context.Context, d *device, action string) error {
	want, other, still := exitOff, exitOn, actionOn
	if action == actionOn {
		want, other, still = exitOn, exitOff, actionOff
	}
	done := w.ask(ctx, d, action)
	deadline := time.Now().Add(w.settings.Late)
	for {
		status := w.ask(ctx, d, actionStatus)
		switch {
		case status.code == exitOff && action == actionOff && done.code == exitOff:
			return errNonsense
		case status.code == want && action == actionOff:
			return w.listed(ctx, d)
		case status.code == want:
			return nil
		case status.code != other:
			return fmt.Errorf("%s: %w; status: %w", action, done.failed(), status.failed())
		case !time.Now().Before(deadline) || !process.Pause(ctx, w.settings.Poll):
			return fmt.Errorf("%s: %w; but its status is still %s", action, done.failed(), still)
		}
	}
}
