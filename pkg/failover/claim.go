package failover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// How front-ends keep out of each other's way: the one that works on a host renews the short form, and another one takes over
// when it has not changed for a while. Renewing each 15 s is some ten writes a second for 150 hosts. A choice.
const (
	renewClaim = 15 * time.Second
	staleClaim = 3 * renewClaim
	// endOfClaim bounds the last write: the VMs are safe by then.
	endOfClaim = 5 * time.Second
)

// takeOver checks whether another front-end works on the host: then that is the end. One that has not renewed its claim for a
// while was stopped, and this one takes over what it began.
func (r *runner) takeOver(ctx context.Context) (o Opening, busy *ending, err error) {
	o.Name, o.VMs = r.host.Name, r.host.VMs
	if r.host.LastContact > 0 {
		o.Contact = time.Unix(r.host.LastContact, 0)
	}
	c, claimed := hostmark.ClaimOf(r.host)
	if !claimed || c.Ended || r.opt.FrontEnd == "" || c.FrontEnd == r.opt.FrontEnd || o.Contact.After(c.Began) {
		return o, nil, nil
	}
	name := fmt.Sprintf("incident %d of front-end %s", c.Incident, c.FrontEnd)
	// An old claim is not waited for. Clocks of front-ends agree within minutes.
	if time.Since(c.Seen) < 10*time.Minute {
		r.say(-1, wording.ClaimSeen, c.Incident, c.FrontEnd, staleClaim)
		for end := time.Now().Add(staleClaim); time.Now().Before(end); {
			if !process.Pause(ctx, watchEvery) {
				return o, nil, fmt.Errorf("watch %s: %w", name, ctx.Err())
			}
			now, err := r.cloud.Look(ctx)
			if err != nil {
				continue // it is not renewed either while oned is away
			}
			if latest, _ := hostmark.ClaimOf(now); latest != c {
				return o, ended(endElsewhere, wording.ClaimElsewhere, c.Incident, c.FrontEnd), nil
			}
		}
	}
	o.From, o.Since = name, c.Began
	r.say(-1, wording.ClaimTaken, c.Incident, c.FrontEnd)
	return o, nil, nil
}

// clearedFor is how long the end of an incident counts where oned does not tell when a host was last monitored (before 5.12):
// the host may have been back since. It covers the first time that the timer retries (5m).
const clearedFor = 10 * time.Minute

// cleared reports whether another failed host was proven off in the outage that it is in, or was
// acted on without a proof because it was decided so: in this process, or in an incident that has ended. Of that it does not
// tell whether it was a lease.
//
// end is the history record of a VM on that host. One that began later says that the host was back since.
func (r *runner) cleared(host one.Host, end one.Record) (cleared, byLease bool) {
	inOutage := func(since, last time.Time) bool {
		if time.Unix(end.Start, 0).After(since) {
			return false
		}
		if host.LastContact > 0 {
			return since.After(time.Unix(host.LastContact, 0))
		}
		return time.Since(last) < clearedFor
	}
	if s := r.opt.Shared; s != nil {
		if c := s.cleared(host.ID); !c.at.IsZero() && inOutage(c.at, c.at) {
			return true, c.byLease
		}
	}
	c, claimed := hostmark.ClaimOf(host)
	over := claimed && c.Ended && (c.Status == string(incident.Done) || c.Status == string(incident.Incomplete))
	return over && inOutage(c.Began, c.Seen), true
}

// keepClaim tells other front-ends that this one works on the host, until end is called with how it ended.
func (r *runner) keepClaim(ctx context.Context) (end func(*ending, error)) {
	if r.opt.FrontEnd == "" {
		return func(*ending, error) {}
	}
	q := r.opt.Request
	c := hostmark.Claim{FrontEnd: r.opt.FrontEnd, Began: r.started, Status: "open", Action: q.Action, Idle: q.Idle,
		Fencing: q.Fencing, Verify: q.Verify, Confirm: incident.Duration(q.Confirm)}
	renew, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for told := false; ; {
			c.Incident, c.Seen = r.journal.Number(), time.Now()
			if err := r.cloud.AnnotateHost(renew, r.hostID, hostmark.AttrClaim, c.String()); err != nil && renew.Err() == nil && !told {
				told = true
				r.say(-1, wording.ClaimUnwritten, err)
			}
			if !process.Pause(renew, renewClaim) {
				return
			}
		}
	}()
	return func(e *ending, err error) {
		stop()
		<-done
		r.endClaim(ctx, c, e, err)
	}
}

// endClaim tells other front-ends that the incident has ended. When this process is to stop it has not: another resumes it.
func (r *runner) endClaim(ctx context.Context, c hostmark.Claim, e *ending, err error) {
	if ctx.Err() != nil {
		return
	}
	status, _ := r.report(e).Status(err)
	c.Seen, c.Ended, c.Status = time.Now(), true, strings.ReplaceAll(string(status), " ", "-")
	ctx, cancel := context.WithTimeout(ctx, endOfClaim)
	defer cancel()
	if err := r.cloud.AnnotateHost(ctx, r.hostID, hostmark.AttrClaim, c.String()); err != nil {
		r.say(-1, wording.ClaimEndUnknown, err)
	}
}

// An operator who knows that a host is off does not wait for a process that holds a storm for half an
// hour: one that watches the host or holds leaves it to the operator, whose process takes over the
// incident. So does one that follows VMs without a proof: it waits for clean-ups that only a proof lets it end (on 6.10,
// live, 14 of 16 VMs for half an hour). One that fences or acts is not disturbed; it is about to be done.

// operatorLock is held by the process of an operator who wants a host that another process has.
const operatorLock = "person-for-host"

// yields is how long a process needs at most to leave a host to an operator: it ends what it reads, and looks each watchEvery.
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
		if !process.Pause(ctx, time.Second/10) {
			return nil, err
		}
	}
}

// wanted says which process of an operator wants the host; "" for none.
func (r *runner) wanted() string { return r.locks.Holder(operatorLock, r.hostID) }

// rest waits between two looks, or until something needs this process: an operator who wants the
// host, or an event that overrides the storm guard. It returns false when the context ends first.
func (r *runner) rest(ctx context.Context, d time.Duration) (by string, ok bool) {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return "", true
		}
		if !process.Pause(ctx, min(watchEvery, left)) {
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
