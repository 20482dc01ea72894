package drill

import (
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
)

// Fencing is how a host is fenced.
type Fencing struct {
	Settings fence.Settings
	Err      error // why there are no settings, such as fence.ErrNotConfigured
}

// ProofKind is what proves that a host is off.
type ProofKind string

// The kinds.
const (
	ProofOff     ProofKind = "fencing_off"    // by the configuration
	ProofNone    ProofKind = "not_configured" // nothing is configured for this host, or what is cannot be used
	ProofManual  ProofKind = "manual"         // an admin has to confirm
	ProofDevices ProofKind = "devices"        // agents, commands, leases
)

// Proof is how long it takes until a host is proven off.
type Proof struct {
	Kind ProofKind     `json:"kind"`
	Span downtime.Span `json:"span"`
	// Levels is the longest that each level takes; they are tried in their order.
	Levels []downtime.Span `json:"levels,omitempty"`
	// Lease: the first level is a lease, which begins to run when oned says ERROR, so that the time for
	// which the host is watched counts.
	Lease bool `json:"lease,omitempty"`
}

// Proven reports whether there is a proof at the end.
func (p Proof) Proven() bool { return p.Kind == ProofDevices || p.Kind == ProofManual }

// Proof is how long fencing takes after a host was watched.
func (f Fencing) Proof(v config.Values, watched time.Duration) Proof {
	switch {
	case v.Fencing == config.FencingOff:
		return Proof{Kind: ProofOff}
	case f.Err != nil, len(f.Settings.Levels) == 0:
		return Proof{Kind: ProofNone}
	}
	p := Proof{Kind: ProofDevices}
	var least, most time.Duration
	for i, level := range f.Settings.Levels {
		if len(level.Devices) > 0 && level.Devices[0].Kind == fence.KindManual {
			p.Kind, most = ProofManual, downtime.Unbounded
			break
		}
		d := levelTime(f.Settings, level)
		if len(level.Devices) > 0 && level.Devices[0].Kind == fence.KindLease {
			d = max(0, d-watched)
			if i == 0 {
				p.Lease, least = true, d
			}
		}
		p.Levels = append(p.Levels, downtime.Span{High: d})
		most += d
	}
	p.Span = downtime.Span{Low: least, High: most}
	return p
}

// What fencing needs in a data centre: an agent answers within seconds, and a second attempt is for a
// lost packet.
const (
	shortTimeout  = 20 * time.Second
	shortAttempts = 2
)

// shorter is how long the proof takes with shorter time-outs; the zero value when that is no less.
func (f Fencing) shorter(v config.Values, watched time.Duration) downtime.Span {
	now := f.Proof(v, watched)
	f.Settings = f.Settings.WithDefaults()
	f.Settings.Timeout, f.Settings.Attempts = min(f.Settings.Timeout, shortTimeout), min(f.Settings.Attempts, shortAttempts)
	p := f.Proof(v, watched)
	if p.Kind != ProofDevices || p.Span.High >= now.Span.High {
		return downtime.Span{}
	}
	return p.Span
}

// opinionTime is the longest that a program of confirm takes (pkg/failover, opinion.go).
const opinionTime = 32 * time.Second

// levelTime is the longest that one level takes (pkg/fence, attempts and awaitOff): each
// attempt a call to power off, questions for as long as a late power-off is waited for, and
// the last one's answer; between attempts a pause that doubles and is up to half as long
// again. The devices of a level work at the same time, and of several each is queried once
// more.
func levelTime(s fence.Settings, level fence.Level) time.Duration {
	s = s.WithDefaults()
	timeout, attempts, pause, late, poll := s.Timeout, s.Attempts, s.Backoff, s.Late, s.Poll
	var pauses time.Duration
	for n := 1; n < attempts; n++ {
		p := pause << min(n-1, 6)
		pauses += p + p/2
	}
	var longest time.Duration
	for _, d := range level.Devices {
		switch d.Kind {
		case fence.KindLease:
			longest = max(longest, d.Lease.WithDefaults().Wait())
		case fence.KindCommand:
			longest = max(longest, time.Duration(attempts)*timeout+pauses)
		case fence.KindAgent:
			longest = max(longest, time.Duration(attempts)*(2*timeout+late+poll)+pauses)
		}
	}
	if len(level.Devices) > 1 {
		longest += time.Duration(attempts)*timeout + pauses
	}
	return longest
}
