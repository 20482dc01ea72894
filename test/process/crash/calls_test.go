package crash_test

import (
	"context"
	"fmt"
	"testing"
)

// TestKilledAtEveryCall kills host_error at every call of a recovery, in each moment of the
// call. The other versions make the same calls or those of 4.4 and 5.10; how they execute a
// recreate differs, so they are tried in the moment after that.
func TestKilledAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version string
		moments []moment
	}{
		{"4.4.1", []moment{executed}},
		{"7.4.1", []moment{arrived, executed, answered}},
	} {
		for _, when := range c.moments {
			t.Run(fmt.Sprintf("%s/%s", c.version, when), func(t *testing.T) {
				n, _ := sweep(t, c.version, func(ctx context.Context, w *world, f frontEnd, point int) (string, error) {
					return killAtCall(ctx, w, f, point, when)
				})
				// The version, the host, all hosts, and a recreate for each VM.
				if n < 3+*vmCount {
					t.Errorf("killed at %d calls: a recovery makes more", n)
				}
				t.Logf("%d calls", n)
			})
		}
	}
}

// killAtCall is a first event whose process is killed at a call.
func killAtCall(ctx context.Context, w *world, f frontEnd, point int, when moment) (where string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := f.event(ctx, w)
	started := make(chan struct{})
	w.front.killAt(point, when, func() {
		<-started
		_ = cmd.Process.Kill() // it may have ended with the answer
	})
	if err := cmd.Start(); err != nil {
		return "", err
	}
	close(started)
	err = cmd.Wait()
	reached := w.front.made() >= point
	switch {
	case killed(err) && ctx.Err() == nil:
		err = nil
	case err == nil && when != answered && reached:
		err = fmt.Errorf("it was killed at call %d, and ended by itself", point)
	}
	if !reached {
		return "", err
	}
	return fmt.Sprintf("call %d %s", point, when), err
}
