package drill

import (
	"cmp"
	"slices"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/recovery"
)

// Conditions are what a downtime hangs on beside the VMs.
type Conditions struct {
	Settings downtime.Settings
	// NotRead is what kept settings from being read.
	NotRead []downtime.Problem
	// SSH is what ssh of the drivers' user uses for the host, and FailFast whether it obeys the marks of
	// hosts that are proven off. SSHErr is why that is not known: then what OpenNebula ships is assumed.
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
	Levers    []Lever             `json:"levers"` // what saves most first
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

// Lever is a change, and what it saves for each way to fail.
type Lever struct {
	Kind    downtime.LeverKind `json:"lever"`
	Changes []downtime.Change  `json:"changes,omitempty"`
	Gains   []Gain             `json:"gains"`
}

// Gain is how much sooner the last VM runs.
type Gain struct {
	Failure downtime.Failure `json:"failure"`
	Seconds float64          `json:"saves_s"`
	Ends    bool             `json:"ends,omitempty"` // without the change it never ends
}

// most is the largest gain, for sorting: what makes an end comes first.
func (l Lever) most() (ends int, seconds float64) {
	for _, g := range l.Gains {
		if g.Ends {
			ends++
		}
		seconds = max(seconds, g.Seconds)
	}
	return ends, seconds
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
		Settings: append([]downtime.Value{}, in.Settings.Values...), NotRead: in.NotRead, place: in.Place, sshErr: in.SSHErr, Levers: []Lever{},
	}
	shorter := in.Fencing.shorter(in.Values, input.Watch.Low)
	for _, failure := range downtime.Failures() {
		input.Failure = failure
		d.Forecasts = append(d.Forecasts, downtime.Predict(input))
		switch failure {
		case downtime.Silent, downtime.Dropped, downtime.Frozen:
			d.pull(failure, downtime.Levers(input, shorter))
		}
	}
	slices.SortStableFunc(d.Levers, func(a, b Lever) int {
		endsA, most := a.most()
		endsB, other := b.most()
		return cmp.Or(cmp.Compare(endsB, endsA), cmp.Compare(other, most))
	})
	return d
}

// pull adds the levers of one way to fail.
func (d *Downtime) pull(failure downtime.Failure, levers []downtime.Lever) {
	for _, l := range levers {
		i := slices.IndexFunc(d.Levers, func(known Lever) bool { return known.Kind == l.Kind })
		if i < 0 {
			d.Levers, i = append(d.Levers, Lever{Kind: l.Kind, Changes: l.Changes}), len(d.Levers)
		}
		d.Levers[i].Gains = append(d.Levers[i].Gains, Gain{failure, l.Saves.Seconds(), l.Ends})
	}
}

// forecast finds the forecast of a way to fail.
func (d Downtime) forecast(failure downtime.Failure) downtime.Forecast {
	for _, f := range d.Forecasts {
		if f.Failure == failure {
			return f
		}
	}
	return downtime.Forecast{}
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
			i.Driver = h.Driver
		case h.State.Back():
			i.Hosts++
		}
	}
	for _, step := range plan.Steps {
		vm, found := c.VM(step.VM.ID)
		if !found {
			continue
		}
		if needsPlace(step.Verb) {
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
