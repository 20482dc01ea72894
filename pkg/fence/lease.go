package fence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Lease is how long to wait until a host that runs host_isolated --strict has certainly stopped its VMs. The wait
// begins when oned was first seen to say ERROR: from then on the host renews nothing.
type Lease struct {
	// Length is how long the host keeps its VMs after the last request that oned has answered with MONITORED.
	Length time.Duration
	// Reaction is the most time from the end of the lease until the VMs are gone.
	Reaction time.Duration
	// Margin is for what neither side measures: clocks that run at different speeds, and numbers that were rounded.
	Margin time.Duration
}

// The defaults and limits of a Lease.
const (
	// DefaultReaction covers host_isolated --watch with its defaults, which prints 48 s (host_isolated --print-bound).
	DefaultReaction = 50 * time.Second
	DefaultMargin   = 10 * time.Second // a choice: more than the least one, and little against the rest
	MinLease        = 10 * time.Second // of Lease.Length
	MaxLease        = time.Hour        // of Lease.Length
	// drift makes the least margin, 1 %: NTP slews a clock by 0.05 % at most (adjtimex: 500 ppm), crystals are off by 0.01 %.
	drift     = 100
	lookEvery = time.Second // between two checks of a host while waiting
	// maxRestarts is how often, in waits, the wait may start over because the host was not in ERROR without a gap.
	maxRestarts = 10
)

// Promise is what a host promises: its VMs are gone at the latest Reaction after a lease of Lease has run out.
type Promise struct{ Lease, Reaction time.Duration }

// Wait is how long to wait in all.
func (l Lease) Wait() time.Duration { return l.Length + l.Reaction + l.Margin }

// Covers is the inequality that the whole proof hangs on: the wait has to be longer than what the host promises, by
// more than two clocks can differ. The error says by how much it is not. host_error and host_isolated both ask it.
func (l Lease) Covers(p Promise) error {
	worst := p.Lease + p.Reaction
	need := worst + worst/drift
	if got := l.Wait(); got < need {
		return fmt.Errorf("%w: the host needs up to %s to stop its VMs (lease %s, reaction %s), so at least %s have to be waited, not %s (%s + %s + %s)",
			ErrLeaseTooShort, worst, p.Lease, p.Reaction, need, got, l.Length, l.Reaction, l.Margin)
	}
	return nil
}

// Against reports why a lease proves nothing for a host that has published this; its parameters
// are what TemplatePromise gives. A host that published nothing is trusted.
func (l Lease) Against(p Promise, published bool, err error) error {
	if err != nil || !published {
		return err
	}
	return l.WithDefaults().Covers(p)
}

// check refuses a lease that is out of its limits or breaks the inequality on its own.
func (l Lease) check() error {
	switch {
	case l.Length < MinLease || l.Length > MaxLease:
		return fmt.Errorf("a lease of %s: allowed are %s to %s", l.Length, MinLease, MaxLease)
	case l.Reaction <= 0 || l.Margin <= 0:
		return errors.New("a lease needs a reaction and a margin of more than 0")
	}
	return l.Covers(Promise{l.Length, l.Reaction})
}

// WithDefaults fills in what is not set.
func (l Lease) WithDefaults() Lease {
	return Lease{l.Length, cmp.Or(l.Reaction, DefaultReaction), cmp.Or(l.Margin, DefaultMargin)}
}

// TemplateLease reads FENCE_LEASE and FENCE_LEASE_REACTION, both in seconds, of a host template; found is
// false without FENCE_LEASE.
func TemplateLease(template map[string]string) (l Lease, found bool, err error) {
	var reacts bool
	l.Length, found, err = wholeSeconds(template, "FENCE_LEASE")
	if err == nil {
		l.Reaction, reacts, err = wholeSeconds(template, "FENCE_LEASE_REACTION")
	}
	l = l.WithDefaults()
	switch {
	case err != nil:
	case reacts && !found:
		err = inTemplate("FENCE_LEASE_REACTION", errors.New("FENCE_LEASE is missing"))
	case found && l.check() != nil:
		err = inTemplate("FENCE_LEASE", l.check())
	case found:
		return l, true, nil
	}
	return Lease{}, false, err
}

// TemplatePromise reads what a host has published through its monitoring: FT_LEASE and FT_LEASE_REACTION in seconds, and
// FT_LEASE_ARMED. found is false when it has not. A host that says that nothing watches over it is ErrNotArmed.
func TemplatePromise(template map[string]string) (p Promise, found bool, err error) {
	if armed, says := template["FT_LEASE_ARMED"]; says && !strings.EqualFold(strings.TrimSpace(armed), "YES") {
		return p, true, ErrNotArmed
	}
	if p.Lease, found, err = wholeSeconds(template, "FT_LEASE"); err != nil || !found {
		return p, found, err
	}
	p.Reaction, found, err = wholeSeconds(template, "FT_LEASE_REACTION")
	if err == nil && !found {
		err = inTemplate("FT_LEASE_REACTION", errors.New("it is missing, and FT_LEASE is there; run host_isolated --check there"))
	}
	return p, true, err
}

// wholeSeconds reads an attribute that is a number of seconds from 1 to 86400.
func wholeSeconds(template map[string]string, name string) (time.Duration, bool, error) {
	value, found := template[name]
	if !found {
		return 0, false, nil
	}
	const most = 86400
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 1 || n > most {
		return 0, false, inTemplate(name, fmt.Errorf("%s: allowed is a number of seconds from 1 to %d", text.Printable(strconv.Quote(value)), most))
	}
	return time.Duration(n) * time.Second, true, nil
}

// Look checks a host once. since is when the unbroken streak of checks began, this one included, that all saw ERROR: with
// a gap in it, or with another state, it begins again. An error: the host is not in ERROR, or oned does not answer.
type Look func(ctx context.Context) (since time.Time, err error)

// proveLease waits until a lease has run out. Nothing but time passes here; what makes it a proof is that
// oned says ERROR all the while, and that the host heeds it.
func (w *work) proveLease(ctx context.Context, d *device) error {
	l := d.Lease.WithDefaults()
	promise, published, err := TemplatePromise(w.host.Template)
	if err := l.Against(promise, published, err); err != nil {
		return err
	}
	if w.settings.Look == nil {
		return errors.New("no way to verify that oned reports ERROR throughout")
	}
	if !published {
		w.say(d, wording.LeaseUnpublished)
	}
	return w.awaitLease(ctx, d, l.Wait())
}

// awaitLease checks the host until it was in ERROR without a gap for so long.
func (w *work) awaitLease(ctx context.Context, d *device, wait time.Duration) error {
	began, streak := time.Now(), time.Time{}
	for {
		since, err := w.settings.Look(ctx)
		now := time.Now()
		switch {
		case err != nil:
			return fmt.Errorf("while waiting for the lease to run out: %w", err)
		case since.IsZero():
			return errors.New("whether the host is in ERROR is not known")
		case now.Sub(since) >= wait:
			return nil
		case now.Sub(began) > maxRestarts*wait:
			return fmt.Errorf("in %s the host was never seen in ERROR for %s without a gap", now.Sub(began).Round(time.Second), wait)
		case streak.IsZero():
			w.say(d, wording.LeaseWait, (wait - now.Sub(since)).Round(time.Second))
		case since.After(streak):
			w.say(d, wording.LeaseAnew)
		}
		streak = since
		if !process.Pause(ctx, min(lookEvery, wait-now.Sub(since))) {
			return fmt.Errorf("while waiting for the lease to run out: %w", ctx.Err())
		}
	}
}

// lookMeanwhile looks at the host while a level is tried that a lease comes after, until stop is called: then the lease
// runs out meanwhile, not only afterwards. What the looks say is for the lease to find out.
func (w *work) lookMeanwhile(ctx context.Context, level int) (stop func()) {
	isLease := func(devices []*device) bool { return devices[0].Kind == KindLease }
	if w.settings.Look == nil || isLease(w.devices[level]) || !slices.ContainsFunc(w.devices[level+1:], isLease) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var looks sync.WaitGroup
	looks.Go(func() {
		for more := true; more; more = process.Pause(ctx, lookEvery) {
			_, _ = w.settings.Look(ctx)
		}
	})
	return func() {
		cancel()
		looks.Wait()
	}
}
