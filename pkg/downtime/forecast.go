// Package downtime says how long the VMs of a host that dies are down: until oned notices, until the
// host is proven off, until oned's clean-up has ended, and until the scheduler has started the VMs
// elsewhere. Plain data in, plain data out: nothing here reads a file, a clock or the network.
//
// Settings and defaults are those of OpenNebula's sources, release by release (keys, in settings.go).
// How long a command to a dead host takes was measured with OpenNebula 6.10, real drivers, real ssh and
// the shipped ssh configuration, in November 2026 (SSH.Command). Detection up to 5.10 was read in the source
// and not measured (Detection). Where a number is an assumption, it says so.
//
// A Span is from a good case to a bad one that the settings allow. They are for the last VM of the host:
// the first ones run sooner. A stage that nothing bounds is Unbounded, one that never ends is Never.
package downtime

import (
	"cmp"
	"encoding/json"
	"time"
)

// StageKind is a stage on the way of a VM from the death of its host to RUNNING elsewhere.
type StageKind string

// The stages, in their order.
const (
	StageDetection  StageKind = "detection"      // until oned says ERROR
	StageWatch      StageKind = "watch"          // one-ft watches the host (-p, wait)
	StageOpinion    StageKind = "second_opinion" // programs of confirm
	StageGuard      StageKind = "guard"          // no storm
	StageProof      StageKind = "proof"          // until the host is proven off
	StageCleanup    StageKind = "cleanup"        // until the VMs are PENDING
	StageScheduling StageKind = "scheduling"     // until the scheduler has started the last of them
	StageProlog     StageKind = "prolog"         // disks
	StageBoot       StageKind = "boot"           // until RUNNING
)

// Stage is one stage and how long it takes. In JSON, as in the record of an incident, it is
// {"stage": "detection", "low_s": 155, "high_s": 200}.
type Stage struct {
	Kind StageKind
	Span Span
}

// MarshalJSON writes a Stage.
func (s Stage) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind StageKind `json:"stage"`
		spanJSON
	}{s.Kind, s.Span.json()})
}

// Input is what a Forecast is made of.
type Input struct {
	Settings Settings
	Failure  Failure
	SSH      SSH
	// Driver is the VM_MAD of the host; "" is kvm.
	Driver string
	// Disks are the disks of each VM that is to be started elsewhere, and Hosts how many hosts can take them.
	Disks []int
	Hosts int
	// Watch, Opinion and Proof are what one-ft does before it acts, by its configuration; without a storm its guard
	// takes no time. Proven: there is a proof at the end; without one no clean-up is ended, and ssh does not fail fast.
	Watch, Opinion, Proof Span
	Proven                bool
	FailFast              bool // the block in the ssh configuration is in force
	Place                 bool // one-ft deploys the VMs itself
	Prolog                Span // of one VM; the zero value is from 1 to 60 s, see start
}

// start is from the deployment to RUNNING. Where nothing is known of this cloud the times are assumptions: a
// prolog links or clones the disks; a boot ends when the guest runs, not when its services do.
func (in Input) start() (prolog, boot Span) {
	return cmp.Or(in.Prolog, Between(1, 60)), Between(1, 15)
}

// Forecast is how long VMs are down when their host fails.
type Forecast struct {
	Failure Failure `json:"failure"`
	Stages  []Stage `json:"stages"` // all, in their order
	// Total is until the last VM runs.
	Total Span `json:"total"`
}

// Stage gives the time of a stage.
func (f Forecast) Stage(kind StageKind) Span {
	for _, s := range f.Stages {
		if s.Kind == kind {
			return s.Span
		}
	}
	return Span{}
}

// Predict makes the forecast.
func Predict(in Input) Forecast {
	prolog, boot := in.start()
	scheduling := Scheduling(len(in.Disks), in.Hosts, in.Settings, prolog.Plus(boot))
	if in.Place && in.Hosts > 0 && len(in.Disks) > 0 {
		scheduling = placing
	}
	if len(in.Disks) == 0 {
		prolog, boot = Span{}, Span{}
	}
	cleanup := Cleanup(in.Disks, in.Settings.CleanupThreads(in.Driver), in.Failure, in.SSH, in.FailFast && in.Proven, in.Proven)
	f := Forecast{Failure: in.Failure, Stages: []Stage{
		{StageDetection, Detection(in.Settings, in.Failure, in.SSH)}, {StageWatch, in.Watch}, {StageOpinion, in.Opinion}, {StageGuard, Span{}},
		{StageProof, in.Proof}, {StageCleanup, cleanup}, {StageScheduling, scheduling}, {StageProlog, prolog}, {StageBoot, boot},
	}}
	for _, s := range f.Stages {
		f.Total = f.Total.Plus(s.Span)
	}
	return f
}

// MinTimeout is the shortest default of --timeout.
const MinTimeout = 10 * time.Minute

// DefaultTimeout is what --timeout has to be at least, for a recovery to be followed to its end: clean-up, scheduling,
// prolog and boot of all VMs at their slowest, a quarter on top, in whole minutes, and at least MinTimeout. Of what
// nothing bounds, such as a cloud without another host, it takes no account. It is at most a day.
func DefaultTimeout(in Input) time.Duration {
	prolog, boot := in.start()
	cleanup := Cleanup(in.Disks, in.Settings.CleanupThreads(in.Driver), Dropped, in.SSH, in.FailFast && in.Proven, true)
	scheduling := Scheduling(len(in.Disks), in.Hosts, in.Settings, prolog.Plus(boot))
	var total time.Duration
	for _, s := range []Span{cleanup, scheduling, prolog, boot} {
		if s.Bounded() {
			total = add(total, s.High)
		}
	}
	total = add(total, total/4)
	total = min(total, 24*time.Hour)
	return max(MinTimeout, (total + time.Minute - 1).Truncate(time.Minute))
}
