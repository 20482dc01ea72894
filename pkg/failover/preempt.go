package failover

import (
	"context"
	"errors"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// An operator who knows that a host is off does not wait for a process that holds a storm for half an
// hour: one that watches the host or holds leaves it to the operator, whose process takes over the
// incident. So does one that follows VMs without a proof: it waits for clean-ups that only a proof lets it end (on 6.10,
// live, 14 of 16 VMs for half an hour). One that fences or acts is not disturbed; it is about to be done.

// operatorLock is held by the process of an operator who wants a host that another process has.
const operatorLock = "person-for-host"

// yields is how long a process needs at most to leave a host to an operator: it looks each watchEvery,
// and ends what it is reading before.
const yields = 5 * time.Second

// insist waits until the process that has the host leaves it, or has ended: one that just tries
// to fence it does not leave it, but ends within its own limits. The error is that of Acquire.
func (r *runner) insist(ctx context.Context) (release func(), err error) {
	var done func()
	defer func() {
		if done != nil {
			done()
		}
	}()
	asked, told := time.Now(), false
	for end := asked.Add(max(yields, r.opt.Timeout)); ; {
		if done == nil { // who looks has it for a moment
			done, _ = r.locks.Acquire(operatorLock, r.hostID)
		}
		if release, err = r.locks.Acquire("host", r.hostID); !errors.Is(err, incident.ErrBusy) || !time.Now().Before(end) {
			return release, err
		}
		if !told && time.Since(asked) >= yields {
			told = true
			r.say(-1, wording.LockAwaited, err)
		}
		if !wait(ctx, time.Second/10) {
			return nil, err
		}
	}
}

// wanted says which process of an operator wants the host; "" for none.
func (r *runner) wanted() string {
	if r.locks == nil {
		return ""
	}
	return r.locks.Holder(operatorLock, r.hostID)
}

// leftTo leaves the host to the process of an operator.
func (r *runner) leftTo(by string) *ending {
	r.rec.Leave()
	return ended(endElsewhere, wording.LeftToPerson, by)
}

// rest waits between two looks, or until something needs this process: an operator who wants the
// host, or an event that overrides the storm guard. It returns false when the context ends first.
func (r *runner) rest(ctx context.Context, d time.Duration) (by string, ok bool) {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return "", true
		}
		if !wait(ctx, min(watchEvery, left)) {
			return "", false
		}
		if by = r.wanted(); by != "" || r.overridden() {
			return by, true
		}
	}
}

// overridden reports whether a later event for the host overrides the storm guard.
func (r *runner) overridden() bool {
	return r.opt.Shared != nil && r.opt.Shared.overridden(r.hostID)
}
