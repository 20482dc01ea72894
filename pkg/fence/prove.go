package fence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Fencer proves hosts off for a whole process: two requests for one host at the same
// time share one attempt, different hosts do not wait for each other. The zero value
// is ready for use.
type Fencer struct {
	mu      sync.Mutex
	running map[int]*attempt
}

// attempt is one host being fenced.
type attempt struct {
	done      chan struct{}
	proof     Proof
	err       error
	abandoned bool // whoever began it does not want it any more
}

// Prove powers a host off and proves it; without levels it is ErrNotConfigured, with
// levels that cannot be used a *ConfigError, and when no level proves it a
// *FailedError. Whoever asks for a host that is being fenced waits and gets the same
// answer; when the one who began gives up, the next one begins again.
func (f *Fencer) Prove(ctx context.Context, host Host, s Settings) (Proof, error) {
	if err := s.usable(); err != nil {
		return Proof{}, err
	}
	for {
		a, mine := f.join(host.ID)
		if mine {
			f.lead(ctx, a, newWork(host, s))
			return a.proof, a.err
		}
		select {
		case <-ctx.Done():
			return Proof{}, fmt.Errorf("host %d is being fenced already, and that was not waited for: %w", host.ID, ctx.Err())
		case <-a.done:
		}
		if !a.abandoned {
			return a.proof, a.err
		}
	}
}

// join returns the attempt for a host, and whether the caller has to carry it out.
func (f *Fencer) join(hostID int) (*attempt, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.running[hostID]; a != nil {
		return a, false
	}
	if f.running == nil {
		f.running = map[int]*attempt{}
	}
	a := &attempt{done: make(chan struct{})}
	f.running[hostID] = a
	return a, true
}

// lead carries an attempt out.
func (f *Fencer) lead(ctx context.Context, a *attempt, w *work) {
	a.abandoned = true // unless it ends in an answer
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.running, w.host.ID)
		close(a.done)
	}()
	a.proof, a.err = w.prove(ctx)
	a.abandoned = a.err != nil && ctx.Err() != nil
}

// Prove is Fencer.Prove for a process that fences each host only once.
func Prove(ctx context.Context, host Host, s Settings) (Proof, error) {
	return new(Fencer).Prove(ctx, host, s)
}

// usable reports whether there is something to fence with.
func (s Settings) usable() error {
	if len(s.Levels) == 0 {
		return ErrNotConfigured
	}
	return Check(s.Levels)
}

// prove tries the levels in their order: when a BMC died with its host, the power
// strip may still work.
func (w *work) prove(ctx context.Context) (Proof, error) {
	start := time.Now()
	failed := &FailedError{HostID: w.host.ID, Host: w.host.Name}
	for i, devices := range w.devices {
		if failed.cause = ctx.Err(); failed.cause != nil {
			return Proof{}, failed
		}
		stop := w.lookMeanwhile(ctx, i)
		failures := w.proveLevel(ctx, devices)
		stop()
		if len(failures) == 0 {
			how := fmt.Sprintf("%s (level %d), %s", verdict(devices), i+1, seconds(start))
			return Proof{made: true, hostID: w.host.ID, how: how, by: fmt.Sprintf("level %d", i+1), at: time.Now(), certain: true}, nil
		}
		failed.Levels = append(failed.Levels, LevelFailure{Name: levelName(i+1, w.settings.Levels[i].Name), Devices: failures})
	}
	failed.cause = ctx.Err()
	return Proof{}, failed
}

// verdict is what the devices of a level say.
func verdict(devices []*device) string {
	var labels []string
	for _, d := range devices {
		labels = append(labels, d.label)
	}
	if devices[0].Kind == KindLease {
		return labels[0] + " has run out: the host has stopped its VMs"
	}
	if len(labels) == 1 {
		return labels[0] + " says off"
	}
	return strings.Join(labels, " and ") + " say off"
}

// Power is what a device says about a host.
type Power string

// The answers of devices.
const (
	PowerOn      Power = "on"
	PowerOff     Power = "off"
	PowerUnknown Power = "unknown"
)

// DeviceStatus is what one device says now.
type DeviceStatus struct {
	Level  int // from 1
	Device string
	Kind   Kind
	Power  Power
	Said   string // what it printed, or why it was not asked
	Err    error  // why the power is unknown; nil for devices that have no status
}

// Status asks all agents for the power of the host and changes nothing. Commands and
// confirmations have no status; they are listed as unknown without an error. "off" is
// the word of an agent here, not a proof.
func Status(ctx context.Context, host Host, s Settings) ([]DeviceStatus, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	w := newWork(host, s)
	var all []*device
	for _, devices := range w.devices {
		all = append(all, devices...)
	}
	list := make([]DeviceStatus, len(all))
	var wg sync.WaitGroup
	for i, d := range all {
		wg.Go(func() { list[i] = w.status(ctx, d) })
	}
	wg.Wait()
	return list, nil
}

// status asks one device once.
func (w *work) status(ctx context.Context, d *device) DeviceStatus {
	st := DeviceStatus{Level: d.level, Device: d.label, Kind: d.Kind, Power: PowerUnknown, Said: "it has no status that could be asked for"}
	if d.Kind != KindAgent {
		return st
	}
	a := w.ask(ctx, d, actionStatus)
	st.Said = a.said
	switch {
	case a.err != nil:
		st.Err = a.err
	case a.code == exitOn:
		st.Power = PowerOn
	case a.code == exitOff:
		st.Power = PowerOff
	default:
		st.Err = errors.New(a.String())
	}
	return st
}
