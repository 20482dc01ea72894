package isolation

import (
	"context"
	"time"
)

// Watch makes rounds until the context ends. every is the time from the begin of one to
// that of the next. A clean end is nil.
func (w *Watcher) Watch(ctx context.Context, every time.Duration) error {
	w.checkLimit, w.cron = checkLimit, false
	for {
		began := w.Uptime()
		v, err := w.Step(ctx)
		w.endCheck()
		switch {
		case ctx.Err() != nil:
			return w.awaitCheck()
		case err != nil:
			return err
		}
		w.pet(string(v.Phase) + ": " + v.Why)
		next := every - (w.Uptime() - began)
		if v.Again {
			next = hurry
		}
		if !pause(ctx, next) {
			return w.awaitCheck()
		}
	}
}

// Once makes one round for cron, and more of them only when the first is not certain
// enough. complete is false when VMs should have been stopped and may still run.
func (w *Watcher) Once(ctx context.Context) (v Verdict, complete bool, err error) {
	// The next run must not find this one still at work.
	w.checkLimit, w.cron = min(checkLimit, w.Policy.Every/2), true
	for range minRounds {
		if v, err = w.Step(ctx); err != nil || !v.Again {
			break
		}
		if !pause(ctx, hurry) {
			return v, false, ctx.Err()
		}
	}
	if err == nil {
		err = w.awaitCheck()
	}
	return v, !w.stuck && err == nil, err
}

// awaitCheck waits for a comparison with oned that is under way, which is bounded, and
// remembers its result.
func (w *Watcher) awaitCheck() error {
	if w.checking == nil {
		return nil
	}
	<-w.checking
	w.endCheck()
	if w.Drill {
		return nil
	}
	return w.Store.Save(w.state)
}

// Armed reports whether the lease of this host is watched over now: for what a host
// publishes. every is the time from one round to the next.
func (st State) Armed(now time.Duration, p Policy) bool {
	return p.Strict && st.History.Armed && now-st.History.Last <= minRounds*p.Every+p.Lease
}

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
