package fence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// LevelTest is how one level did when the host was powered off and on again.
type LevelTest struct {
	Level    int // from 1
	Devices  []string
	Commands []string      // of a site, that were run: their hosts stay off
	Skipped  string        // why it was not tested; "" when it was
	Off, On  time.Duration // how long it took until every device said so; On is 0 when it has commands alone
	Err      error         // why the level would not have proven the host off, or why it is not on again
}

// afterTest bounds powering the host on again, which is done also when the context has ended: a test must not leave a
// host without power. An agent takes up to 20 s for that by its own default, and three attempts with their pauses fit.
const afterTest = 3 * time.Minute

// Cycle powers a host off and on again by each level that has only agents and commands, one level after the other, to check
// whether it would fence the host. Commands can only switch off: the host is on again when a later level has agents. Nobody
// else may use the host meanwhile.
func Cycle(ctx context.Context, host Host, s Settings) ([]LevelTest, error) {
	w, err := newWork(host, s)
	if err != nil {
		return nil, err
	}
	var tests []LevelTest
	for i, devices := range w.devices {
		t := LevelTest{Level: i + 1, Devices: labels(devices)}
		for _, d := range devices {
			switch {
			case d.Agent == agentSBD:
				t.Skipped = d.label + " cannot power the host on again"
			case d.Kind == KindManual || d.Kind == KindLease:
				t.Skipped = d.label + " needs an admin or time"
			}
		}
		switch {
		case t.Skipped != "":
		case ctx.Err() != nil:
			t.Skipped = "the test was stopped"
		default:
			w.cycleLevel(ctx, devices, &t)
		}
		tests = append(tests, t)
	}
	return tests, nil
}

func (w *work) cycleLevel(ctx context.Context, devices []*device, t *LevelTest) {
	start := time.Now()
	var errs []error
	for _, err := range w.proveLevel(ctx, devices) {
		errs = append(errs, fmt.Errorf("off: %w", err))
	}
	t.Off, t.Commands = time.Since(start), commands(devices)
	if len(errs) == 0 && len(t.Commands) == len(devices) {
		errs = w.contradicted(ctx)
	}
	devices = slices.DeleteFunc(slices.Clone(devices), func(d *device) bool { return d.Kind != KindAgent })
	if len(devices) == 0 {
		t.Err = errors.Join(errs...)
		return
	}
	start = time.Now()
	again, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterTest)
	defer cancel()
	for _, err := range each(devices, func(d *device) error {
		return w.attempts(again, d, func() error { return w.turn(again, d, actionOn) })
	}) {
		errs = append(errs, fmt.Errorf("on again: %w", err))
	}
	t.On, t.Err = time.Since(start), errors.Join(errs...)
}

// contradicted asks all agents of the host whether it is off, as a command has just said.
func (w *work) contradicted(ctx context.Context) []error {
	agents := slices.DeleteFunc(slices.Concat(w.devices...), func(d *device) bool { return d.Kind != KindAgent || d.Agent == agentSBD })
	return each(agents, func(d *device) error {
		if w.status(ctx, d).Power == PowerOn {
			return errors.New("the command says off, but it says on")
		}
		return nil
	})
}
