package fence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/wording"
)

// Lease is how long to wait until a host that runs host_isolated --strict has certainly
// stopped its VMs. The wait begins when oned was first seen to say ERROR: from then on
// the host renews nothing.
type Lease struct {
	// Length is how long the host keeps its VMs after the last request that oned has
	// answered with MONITORED.
	Length time.Duration
	// Reaction is the most time from the end of the lease until the VMs are gone.
	Reaction time.Duration
	// Margin is for what neither side measures: clocks that run at different speeds, and
	// numbers that were rounded.
	Margin time.Duration
}

// The defaults and limits of a Lease.
const (
	// DefaultReaction covers host_isolated --watch with its defaults, which prints 48 s
	// (host_isolated --print-bound).
	DefaultReaction = 50 * time.Second
	// DefaultMargin is a choice: more than the least one, and little against the rest.
	DefaultMargin = 10 * time.Second
	// MinLease and MaxLease are the limits of Lease.Length.
	MinLease = 10 * time.Second
	MaxLease = time.Hour
	// drift makes the least margin, 1 %: NTP slews a clock by 0.05 % at most (adjtimex: 500
	// ppm) and crystals are off by 0.01 %; this is more than ten times that.
	drift = 100
	// lookEvery is the pause between two looks at a host while waiting.
	lookEvery = time.Second
	// maxRestarts is how often the wait may begin anew because the host was not seen
	// in ERROR without a gap, as a multiple of the wait.
	maxRestarts = 10
)

// Promise is what a host promises: its VMs are gone at the latest Reaction after a
// lease of Lease has run out.
type Promise struct {
	Lease, Reaction time.Duration
}

// Wait is how long to wait in all.
func (l Lease) Wait() time.Duration { return l.Length + l.Reaction + l.Margin }

// Covers is the inequality that the whole proof hangs on: the wait has to be longer than
// what the host promises, by more than two clocks can differ. The error says by how
// much it is not. host_error and host_isolated both ask it.
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

// check refuses a lease that is out of its limits or breaks the inequality by itself.
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
	if l.Reaction == 0 {
		l.Reaction = DefaultReaction
	}
	if l.Margin == 0 {
		l.Margin = DefaultMargin
	}
	return l
}

// TemplateLease reads FENCE_LEASE and FENCE_LEASE_REACTION, both in seconds, of a host
// template; found is false without FENCE_LEASE. The error is a *TemplateError.
func TemplateLease(template map[string]string) (l Lease, found bool, err error) {
	l.Length, found, err = wholeSeconds(template, "FENCE_LEASE")
	if err != nil || !found {
		if _, alone := template["FENCE_LEASE_REACTION"]; alone && err == nil {
			err = &TemplateError{Attribute: "FENCE_LEASE_REACTION", Err: errors.New("FENCE_LEASE is missing")}
		}
		return Lease{}, false, err
	}
	if l.Reaction, _, err = wholeSeconds(template, "FENCE_LEASE_REACTION"); err != nil {
		return Lease{}, false, err
	}
	l = l.WithDefaults()
	if err := l.check(); err != nil {
		return Lease{}, false, &TemplateError{Attribute: "FENCE_LEASE", Err: err}
	}
	return l, true, nil
}

// TemplatePromise reads what a host has published through its monitoring: FT_LEASE and
// FT_LEASE_REACTION in seconds, and FT_LEASE_ARMED. found is false when it has not. A
// host that says that nothing watches over it is ErrNotArmed.
func TemplatePromise(template map[string]string) (p Promise, found bool, err error) {
	if armed, says := template["FT_LEASE_ARMED"]; says && !strings.EqualFold(strings.TrimSpace(armed), "YES") {
		return p, true, ErrNotArmed
	}
	if p.Lease, found, err = wholeSeconds(template, "FT_LEASE"); err != nil || !found {
		return p, found, err
	}
	p.Reaction, found, err = wholeSeconds(template, "FT_LEASE_REACTION")
	if err == nil && !found {
		err = &TemplateError{Attribute: "FT_LEASE_REACTION", Err: errors.New("it is missing, and FT_LEASE is there; look at host_isolated --check there")}
	}
	return p, true, err
}

// wholeSeconds reads an attribute that is a number of seconds from 1 to 86400.
func wholeSeconds(template map[string]string, name string) (time.Duration, bool, error) {
	text, found := template[name]
	if !found {
		return 0, false, nil
	}
	const most = 86400
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > most {
		return 0, false, &TemplateError{Attribute: name, Err: fmt.Errorf("%s: allowed is a number of seconds from 1 to %d", printable(strconv.Quote(text)), most)}
	}
	return time.Duration(n) * time.Second, true, nil
}

// Look looks at a host once. since is when the unbroken row of looks began, this one
// included, that all said ERROR: with a gap in it, or with another state, it begins
// anew. An error means that the host is not in ERROR, or that oned does not answer.
type Look func(ctx context.Context) (since time.Time, err error)

// proveLease waits until a lease has run out. Nothing but time passes here; what makes it
// a proof is that oned says ERROR all the while, and that the host heeds it.
func (w *work) proveLease(ctx context.Context, d *device) error {
	l := d.Lease.WithDefaults()
	promise, published, unreadable := TemplatePromise(w.host.Template)
	err := l.Against(promise, published, unreadable)
	switch {
	case err != nil:
		return err
	case w.settings.Look == nil:
		return errors.New("there is nothing to see with whether oned says ERROR all the while")
	case !published:
		w.say(d, true, wording.LeaseUnpublished)
	}
	return w.awaitLease(ctx, d, l.Wait())
}

// awaitLease looks at the host until it was in ERROR without a gap for so long.
func (w *work) awaitLease(ctx context.Context, d *device, wait time.Duration) error {
	began, row := time.Now(), time.Time{}
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
		case row.IsZero():
			w.say(d, false, wording.LeaseWait, (wait - now.Sub(since)).Round(time.Second))
		case since.After(row):
			w.say(d, true, wording.LeaseAnew)
		}
		row = since
		if !pause(ctx, min(lookEvery, wait-now.Sub(since))) {
			return fmt.Errorf("while waiting for the lease to run out: %w", ctx.Err())
		}
	}
}

// lookMeanwhile looks at the host while a level is tried that a lease comes after, until the
// function that it returns is called: then the lease runs out meanwhile, not only afterwards. What
// the looks say is for the lease to find out.
func (w *work) lookMeanwhile(ctx context.Context, level int) (stop func()) {
	isLease := func(devices []*device) bool { return devices[0].Kind == KindLease }
	if w.settings.Look == nil || isLease(w.devices[level]) || !slices.ContainsFunc(w.devices[level+1:], isLease) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, _ = w.settings.Look(ctx)
			if !pause(ctx, lookEvery) {
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
