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

// Lever is a change and what it saves.
type Lever struct {
	Kind    LeverKind `json:"lever"`
	Changes []Change  `json:"changes,omitempty"`
	// Saves is how much sooner the last VM runs in the bad case, with this change alone; 0 when Ends.
	Saves time.Duration `json:"-"`
	// Ends: without it the downtime has no bound, with it it has.
	Ends bool `json:"ends"`
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

// worthwhile is the least that a lever saves.
const worthwhile = 2 * time.Second

// candidate is a lever and the input with it pulled.
type candidate struct {
	lever Lever
	with  Input
}

// Levers are what an admin can change, what saves most first. shorter is how long the proof takes with
// shorter time-outs; the zero value when it is as short as it gets.
func Levers(in Input, shorter Span) []Lever {
	before := Predict(in).Total
	var levers []Lever
	for _, c := range slices.Concat(in.oneFT(shorter), in.ssh(), in.monitoring(), in.scheduler()) {
		after := Predict(c.with).Total
		switch {
		case !before.Bounded() && after.Bounded():
			c.lever.Ends = true
		case !before.Bounded():
			// Something else has no bound; what is saved of the rest counts.
			c.lever.Saves = bounded(Predict(in)) - bounded(Predict(c.with))
		default:
			c.lever.Saves = before.High - after.High
		}
		if c.lever.Ends || c.lever.Saves >= worthwhile {
			levers = append(levers, c.lever)
		}
	}
	slices.SortStableFunc(levers, func(a, b Lever) int {
		if a.Ends != b.Ends {
			return map[bool]int{true: -1, false: 1}[a.Ends]
		}
		return cmp.Compare(b.Saves, a.Saves)
	})
	return levers
}

// bounded is the sum of the stages that have a bound.
func bounded(f Forecast) (total time.Duration) {
	for _, s := range f.Stages {
		if s.Span.Bounded() {
			total = add(total, s.Span.High)
		}
	}
	return total
}

// oneFT are the levers in the configuration of one-ft.
func (in Input) oneFT(shorter Span) (all []candidate) {
	if !in.Proven {
		with := in
		with.Proven = true
		all = append(all, candidate{Lever{Kind: LeverFencing}, with})
	}
	if in.Proven && in.Watch.High > 0 {
		with := in
		with.Watch = Span{}
		all = append(all, candidate{Lever{Kind: LeverFenceFirst, Changes: []Change{{Setting: "fence_first", Now: "false", Value: "true"}}}, with})
	}
	if shorter != (Span{}) {
		with := in
		with.Proof = shorter
		all = append(all, candidate{Lever{Kind: LeverProof}, with})
	}
	if !in.Place {
		with := in
		with.Place = true
		all = append(all, candidate{Lever{Kind: LeverPlace, Changes: []Change{{Setting: "place", Now: "false", Value: "true"}}}, with})
	}
	return all
}

// ssh are the levers in the ssh configuration.
func (in Input) ssh() (all []candidate) {
	if !in.FailFast && in.Proven {
		with := in
		with.FailFast = true
		all = append(all, candidate{Lever{Kind: LeverFailFast}, with})
	}
	if t := in.SSH.ConnectTimeout; t == 0 || t > goodConnectTimeout {
		with, now := in, ""
		with.SSH.ConnectTimeout = goodConnectTimeout
		switch {
		case t > 0:
			now = strconv.Itoa(int(t.Seconds()))
		case in.SSH.SetElsewhere:
			now = noTimeout
		}
		all = append(all, candidate{Lever{Kind: LeverConnectTimeout, Changes: []Change{{Setting: "ConnectTimeout", Now: now, Value: strconv.Itoa(int(goodConnectTimeout.Seconds()))}}}, with})
	}
	return all
}

// change is a lever that changes settings of OpenNebula, each to a number.
func (in Input) change(kind LeverKind, to map[Setting]int) candidate {
	c := candidate{Lever{Kind: kind}, in}
	for _, v := range in.Settings.Values {
		n, wanted := to[v.Setting]
		if !wanted || v.Number == n {
			continue
		}
		c.with.Settings = c.with.Settings.with(v.Setting, n)
		c.lever.Changes = append(c.lever.Changes, Change{v.File, v.Setting, strconv.Itoa(v.Number), strconv.Itoa(n)})
	}
	return c
}

// monitoring are the levers of detection.
func (in Input) monitoring() (all []candidate) {
	if v := in.Settings.Interval(); v.Number > goodInterval {
		all = append(all, in.change(LeverInterval, map[Setting]int{v.Setting: goodInterval}))
	}
	if in.Settings.number(SystemProbe) > goodSystemProbe {
		all = append(all, in.change(LeverSystemProbe, map[Setting]int{SystemProbe: goodSystemProbe}))
	}
	return all
}

// scheduler are the levers of the scheduler.
func (in Input) scheduler() (all []candidate) {
	vms := len(in.Disks)
	if vms == 0 || in.Hosts <= 0 || in.Place {
		return nil
	}
	each := (vms + in.Hosts - 1) / in.Hosts
	limits := map[Setting]int{}
	for _, name := range []Setting{MaxHost, ActionsPerHost, ActionsPerCluster, MaxDispatch} {
		v, known := in.Settings.Get(name)
		want := each
		if name == ActionsPerCluster || name == MaxDispatch {
			want = vms
		}
		unlimited := v.Number == 0 && (name == MaxDispatch || name == MaxHost && in.Settings.Plans())
		if known && !unlimited && v.Number < want {
			limits[name] = want
		}
	}
	if _, all := limits[MaxDispatch]; all && len(limits) == 1 {
		return append([]candidate{in.change(LeverMaxDispatch, limits)}, in.interval()...)
	}
	if len(limits) > 0 {
		all = append(all, in.change(LeverMaxHost, limits))
	}
	return append(all, in.interval()...)
}

func (in Input) interval() []candidate {
	if in.Settings.number(SchedInterval) <= goodSchedInterval {
		return nil
	}
	return []candidate{in.change(LeverSchedInterval, map[Setting]int{SchedInterval: goodSchedInterval})}
}
