package downtime

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"one-ft/pkg/failfast"
)

// LeverKind is something that an admin can change to make a downtime shorter.
type LeverKind string

// The levers.
const (
	LeverFailFast       LeverKind = "ssh_fail_fast"       // the block in the ssh configuration
	LeverConnectTimeout LeverKind = "ssh_connect_timeout" // ConnectTimeout in the ssh configuration
	LeverInterval       LeverKind = "monitoring_interval"
	LeverSystemProbe    LeverKind = "system_probe"
	LeverMaxHost        LeverKind = "max_host"
	LeverMaxDispatch    LeverKind = "max_dispatch"
	LeverSchedInterval  LeverKind = "sched_interval"
	LeverPlace          LeverKind = "place"       // one-ft deploys the VMs itself
	LeverFencing        LeverKind = "fencing"     // nothing proves the host off
	LeverFenceFirst     LeverKind = "fence_first" // the host is not watched before it is fenced
	LeverProof          LeverKind = "proof"       // the time-outs of fencing
)

// Change is one setting to write.
type Change struct {
	File File `json:"file,omitempty"` // of OpenNebula; "" for those of one-ft and ssh, which the lever tells
	// Setting is the name in the file, Now its value and Value what to write. Of a ConnectTimeout Now is "" where
	// nothing sets one, and oneft hooks install writes Value.
	Setting Setting `json:"setting"`
	Now     string  `json:"now,omitempty"`
	Value   string  `json:"value"`
}

// Lever is a change, and what it saves for each way to fail.
type Lever struct {
	Kind    LeverKind `json:"lever"`
	Changes []Change  `json:"changes,omitempty"`
	Gains   []Gain    `json:"gains"`
}

// Gain is how much sooner the last VM runs in the bad case, with this change alone.
type Gain struct {
	Failure Failure `json:"failure"`
	Seconds float64 `json:"saves_s"`        // 0 when Ends
	Ends    bool    `json:"ends,omitempty"` // without the change the downtime has no bound
}

// What is advised. A beacon comes every 30 s, so a host that is silent for 60 s has missed at least one; oned
// and the scheduler bear a run every 10 s. The ConnectTimeout is the one that oneft hooks install writes.
const (
	goodInterval       = 60
	goodSchedInterval  = 10
	goodConnectTimeout = failfast.Timeout
	goodSystemProbe    = 60
)

// noTimeout is Change.Now of a ConnectTimeout that is set for other hosts only.
const noTimeout = "none"

const worthwhile = 2 * time.Second

type candidate struct {
	kind    LeverKind
	changes []Change
	with    Input
}

// Levers are what an admin can change for hosts that fail in these ways, what saves most first. shorter is how long
// the proof takes with shorter time-outs; the zero value when it is as short as it gets.
func Levers(in Input, shorter Span, failures ...Failure) []Lever {
	levers := []Lever{}
	for _, in.Failure = range failures {
		before, known := Predict(in), len(levers)
		for _, c := range in.candidates(shorter) {
			after := Predict(c.with)
			gain := Gain{Failure: in.Failure, Ends: !before.Total.Bounded() && after.Total.Bounded()}
			if saves := before.bounded() - after.bounded(); !gain.Ends && saves < worthwhile {
				continue
			} else if !gain.Ends {
				gain.Seconds = saves.Seconds()
			}
			i := slices.IndexFunc(levers, func(l Lever) bool { return l.Kind == c.kind })
			if i < 0 {
				levers, i = append(levers, Lever{Kind: c.kind, Changes: c.changes}), len(levers)
			}
			levers[i].Gains = append(levers[i].Gains, gain)
		}
		slices.SortStableFunc(levers[known:], bySaving)
	}
	slices.SortStableFunc(levers, bySaving)
	return levers
}

// bySaving puts what makes an end first, then what saves most.
func bySaving(a, b Lever) int {
	worth := func(l Lever) (ends int, seconds float64) {
		for _, g := range l.Gains {
			if g.Ends {
				ends++
			}
			seconds = max(seconds, g.Seconds)
		}
		return ends, seconds
	}
	endsA, mostA := worth(a)
	endsB, mostB := worth(b)
	return cmp.Or(cmp.Compare(endsB, endsA), cmp.Compare(mostB, mostA))
}

func (f Forecast) bounded() (total time.Duration) {
	for _, s := range f.Stages {
		if s.Span.Bounded() {
			total = add(total, s.Span.High)
		}
	}
	return total
}

// candidates are the levers that are not pulled yet: of one-ft, of ssh, of detection and of the scheduler.
func (in Input) candidates(shorter Span) (all []candidate) {
	offer := func(kind LeverKind, useful bool, pull func(*Input), changes ...Change) {
		if useful {
			with := in
			pull(&with)
			all = append(all, candidate{kind, changes, with})
		}
	}
	option := func(name Setting) Change { return Change{Setting: name, Now: "false", Value: "true"} }
	offer(LeverFencing, !in.Proven, func(in *Input) { in.Proven = true })
	offer(LeverFenceFirst, in.Proven && in.Watch.High > 0, func(in *Input) { in.Watch = Span{} }, option("fence_first"))
	offer(LeverProof, shorter != Span{}, func(in *Input) { in.Proof = shorter })
	offer(LeverPlace, !in.Place, func(in *Input) { in.Place = true }, option("place"))

	offer(LeverFailFast, in.Proven && !in.FailFast, func(in *Input) { in.FailFast = true })
	t := in.SSH.ConnectTimeout
	timeout := Change{Setting: "ConnectTimeout", Value: strconv.Itoa(int(goodConnectTimeout.Seconds()))}
	if t > 0 {
		timeout.Now = strconv.Itoa(int(t.Seconds()))
	} else if in.SSH.SetElsewhere {
		timeout.Now = noTimeout
	}
	offer(LeverConnectTimeout, t == 0 || t > goodConnectTimeout, func(in *Input) { in.SSH.ConnectTimeout = goodConnectTimeout }, timeout)

	set := func(kind LeverKind, to map[Setting]int) { // settings of OpenNebula
		settings, changes := in.Settings, []Change(nil)
		for _, v := range in.Settings.Values {
			if n, wanted := to[v.Setting]; wanted {
				settings = settings.With(v.Setting, n, v.Origin)
				changes = append(changes, Change{v.File, v.Setting, strconv.Itoa(v.Number), strconv.Itoa(n)})
			}
		}
		offer(kind, len(changes) > 0, func(in *Input) { in.Settings = settings }, changes...)
	}
	lower := func(kind LeverKind, name Setting, to int) {
		if in.Settings.number(name) > to {
			set(kind, map[Setting]int{name: to})
		}
	}
	lower(LeverInterval, in.Settings.Interval().Setting, goodInterval)
	lower(LeverSystemProbe, SystemProbe, goodSystemProbe)
	if len(in.Disks) > 0 && in.Hosts > 0 && !in.Place {
		set(in.limits())
		lower(LeverSchedInterval, SchedInterval, goodSchedInterval)
	}
	return all
}

// limits are those of the scheduler that are too low for all VMs at once, and what they have to be.
func (in Input) limits() (LeverKind, map[Setting]int) {
	vms := len(in.Disks)
	each := (vms + in.Hosts - 1) / in.Hosts
	low := map[Setting]int{}
	for name, want := range map[Setting]int{MaxHost: each, ActionsPerHost: each, ActionsPerCluster: vms, MaxDispatch: vms} {
		v := in.Settings.Get(name)
		unlimited := v.Number == 0 && (name == MaxDispatch || name == MaxHost && in.Settings.Plans())
		if v != (Value{}) && !unlimited && v.Number < want {
			low[name] = want
		}
	}
	if _, dispatch := low[MaxDispatch]; dispatch && len(low) == 1 {
		return LeverMaxDispatch, low
	}
	return LeverMaxHost, low
}
