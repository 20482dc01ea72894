package drill

import (
	"cmp"
	"slices"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/fence"
	"one-ft/pkg/recovery"
)

// Conditions are what a downtime hangs on beside the VMs.
type Conditions struct {
	Settings downtime.Settings
	NotRead  []downtime.Problem // what kept settings from being read
	// SSH is what ssh of the drivers' user uses for the host, and FailFast whether it obeys the marks of hosts that are
	// proven off. SSHErr is why that is not known: then what OpenNebula ships is assumed.
	SSH      downtime.SSH
	FailFast failfast.ForceState
	SSHErr   error
	Values   config.Values
	Wait     time.Duration // for how long the hook watches the host
	Fencing  Fencing
	Place    downtime.Place // of the files, for words
}

// Downtime is how long the VMs of a host are down when it fails.
type Downtime struct {
	VMs   int `json:"vms"`   // that have to be started elsewhere
	Hosts int `json:"hosts"` // in service without it
	// Forecasts are for each way to fail; those of a machine that is off are first.
	Forecasts []downtime.Forecast `json:"forecasts"`
	Levers    []downtime.Lever    `json:"levers"` // what saves most first
	Proof     Proof               `json:"proof"`
	// Storm is for how much longer a host is held when many fail at once.
	Storm    downtime.Span       `json:"storm"`
	FailFast failfast.ForceState `json:"ssh_fail_fast"`
	// ConnectTimeout, Timeout and Needed are in seconds. Timeout is when host_error gives up: what the configuration
	// sets, else what is Needed at least to follow all VMs.
	ConnectTimeout float64            `json:"ssh_connect_timeout_s"`
	Timeout        float64            `json:"timeout_s"`
	Needed         float64            `json:"timeout_needed_s"`
	Settings       []downtime.Value   `json:"settings"`
	NotRead        []downtime.Problem `json:"not_read,omitempty"`

	place  downtime.Place
	sshErr error
}

// Foretell makes the downtime of a host from the plan for its VMs.
func Foretell(c Cloud, hostID int, plan recovery.Plan, in Conditions) Downtime {
	input, proof := in.input(c, hostID, plan)
	needed := downtime.DefaultTimeout(input)
	if !in.Values.TimeoutSet {
		in.Values.Timeout = max(in.Values.Timeout, needed) // as host_error does
	}
	d := Downtime{
		VMs: len(input.Disks), Hosts: input.Hosts, Proof: proof, Storm: downtime.Span{Low: in.Values.StormCoolDown, High: in.Values.StormGiveUp},
		FailFast: in.FailFast, ConnectTimeout: in.SSH.ConnectTimeout.Seconds(), Timeout: in.Values.Timeout.Seconds(), Needed: needed.Seconds(),
		Settings: append([]downtime.Value{}, in.Settings.Values...), NotRead: in.NotRead, place: in.Place, sshErr: in.SSHErr,
		Levers: downtime.Levers(input, in.Fencing.shorter(in.Values, input.Watch.Low), downtime.Silent, downtime.Dropped, downtime.Frozen),
	}
	for _, failure := range downtime.Failures() {
		input.Failure = failure
		d.Forecasts = append(d.Forecasts, downtime.Predict(input))
	}
	return d
}

// forecast finds that of a way to fail: there is one of each.
func (d Downtime) forecast(failure downtime.Failure) downtime.Forecast {
	return d.Forecasts[slices.IndexFunc(d.Forecasts, func(f downtime.Forecast) bool { return f.Failure == failure })]
}

// input is what a forecast is made of.
func (in Conditions) input(c Cloud, hostID int, plan recovery.Plan) (downtime.Input, Proof) {
	v := in.Values
	i := downtime.Input{Settings: in.Settings, SSH: in.SSH, FailFast: in.FailFast == failfast.InForce, Place: v.Place}
	if !v.FenceFirst {
		i.Watch = downtime.Span{Low: in.Wait, High: in.Wait}
	}
	i.Opinion.High = time.Duration(len(v.Confirm)) * opinionTime
	proof := in.Fencing.Proof(v, i.Watch.Low)
	i.Proof, i.Proven = proof.Span, proof.Proven()
	for _, h := range c.Hosts {
		switch {
		case h.ID == hostID:
			i.Driver = h.VMDriver
		case h.State.Back():
			i.Hosts++
		}
	}
	for _, step := range plan.Steps {
		vm, found := c.VM(step.VM.ID)
		if found && needsPlace(step.Verb) {
			i.Disks = append(i.Disks, vm.DiskCount)
		}
		if p := vm.prolog(); p > 0 {
			i.Prolog = downtime.Span{Low: min(cmp.Or(i.Prolog.Low, p), p), High: max(i.Prolog.High, p)}
		}
	}
	return i, proof
}

// prolog is how long the disks of a VM took when it was started where it is; 0 when that is not known. A prolog of a
// day is damage.
func (v *VM) prolog() time.Duration {
	const day = 24 * 60 * 60
	last, _ := v.Last()
	took := last.PrologEnd - last.PrologStart
	if last.PrologStart <= 0 || took < 0 || took > day {
		return 0
	}
	return time.Duration(took) * time.Second
}

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
	for i, level := range f.Settings.Levels {
		is := func(kind fence.Kind) bool { return len(level.Devices) > 0 && level.Devices[0].Kind == kind }
		if is(fence.KindManual) {
			p.Kind, p.Span.High = ProofManual, downtime.Unbounded
			break
		}
		d := levelTime(f.Settings, level)
		if is(fence.KindLease) {
			d = max(0, d-watched)
			if i == 0 {
				p.Lease, p.Span.Low = true, d
			}
		}
		p.Levels = append(p.Levels, downtime.Span{High: d})
		p.Span.High += d
	}
	return p
}

// shorter is how long the proof takes with shorter time-outs; the zero value when that is no less.
func (f Fencing) shorter(v config.Values, watched time.Duration) downtime.Span {
	// What fencing needs in a data centre: an agent answers within seconds, and a second attempt is for a lost packet.
	const shortTimeout, shortAttempts = 20 * time.Second, 2
	now := f.Proof(v, watched)
	f.Settings = f.Settings.WithDefaults()
	f.Settings.Timeout, f.Settings.Attempts = min(f.Settings.Timeout, shortTimeout), min(f.Settings.Attempts, shortAttempts)
	p := f.Proof(v, watched)
	if p.Kind != ProofDevices || p.Span.High >= now.Span.High {
		return downtime.Span{}
	}
	return p.Span
}

// opinionTime is the longest that a program of confirm takes (failover.OpinionTimeout).
const opinionTime = 32 * time.Second

// levelTime is the longest that one level takes (pkg/fence, attempts and awaitOff): each attempt a call to power off,
// questions for as long as a late power-off is waited for, and the last one's answer; between attempts a pause that
// doubles and is up to half as long again. The devices of a level work at the same time, and of several each is queried
// once more.
func levelTime(s fence.Settings, level fence.Level) time.Duration {
	s = s.WithDefaults()
	var pauses, longest time.Duration
	for n := range s.Attempts - 1 {
		p := s.Backoff << min(n, 6)
		pauses += p + p/2
	}
	each := func(attempt time.Duration) time.Duration { return time.Duration(s.Attempts)*attempt + pauses }
	for _, d := range level.Devices {
		switch d.Kind {
		case fence.KindLease:
			longest = max(longest, d.Lease.WithDefaults().Wait())
		case fence.KindCommand:
			longest = max(longest, each(s.Timeout))
		case fence.KindAgent:
			longest = max(longest, each(2*s.Timeout+s.Late+s.Poll))
		}
	}
	if len(level.Devices) > 1 {
		longest += each(s.Timeout)
	}
	return longest
}
