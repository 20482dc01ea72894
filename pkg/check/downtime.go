package check

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/text"
)

// Downtime is how long VMs would be down, as data.
type Downtime struct {
	// Detection is until a host that fails so is ERROR.
	Detection []Detection `json:"detection"`
	// Scheduler is the host with the most VMs; nil without one.
	Scheduler *Limit           `json:"scheduler,omitempty"`
	Settings  []downtime.Value `json:"settings"`
}

// Detection is how long one way to fail goes unnoticed.
type Detection struct {
	Failure downtime.Failure `json:"failure"`
	Span    downtime.Span    `json:"span"`
}

// Limit is how long the scheduler needs to start the VMs of a host on the others.
type Limit struct {
	Host  int           `json:"host"`
	VMs   int           `json:"vms"`
	Hosts int           `json:"hosts"` // others in service
	Span  downtime.Span `json:"span"`
	// Lever is what shortens it most; "" for nothing.
	Lever   downtime.LeverKind `json:"lever,omitempty"`
	Changes []downtime.Change  `json:"changes,omitempty"`
}

const (
	// slowDetection is when a host that is off is noticed late: the shipped settings notice one in the same
	// network within 201 s, and one whose packets are dropped after 465 s.
	slowDetection = 5 * time.Minute
	// slowScheduler is when the scheduler is the limit: longer than fencing and booting take.
	slowScheduler = time.Minute
)

// downtime is about how long it takes until oned notices that a host failed, and until the scheduler has
// started its VMs elsewhere.
func (e *evaluation) downtime() {
	for _, p := range e.NotRead {
		e.skip("%s", p.Text(e.Place))
	}
	if len(e.Settings.Values) == 0 {
		return
	}
	e.report.Downtime = &Downtime{Settings: e.Settings.Values}
	e.detection()
	e.scheduler()
}

// slowestSSH is what ssh uses for the host that it waits for longest.
func (e *evaluation) slowestSSH() downtime.SSH {
	ssh := downtime.SSH{ConnectTimeout: e.SSH.Force.ConnectTimeout}
	set := slices.ContainsFunc(e.SSH.Timeouts, func(t HostTimeout) bool { return t.Err == nil && t.Timeout > 0 })
	for _, t := range e.SSH.Timeouts {
		switch {
		case t.Err != nil:
		case t.Timeout == 0:
			return downtime.SSH{SetElsewhere: set}
		case ssh.ConnectTimeout > 0:
			ssh.ConnectTimeout = max(ssh.ConnectTimeout, t.Timeout)
		}
	}
	return ssh
}

func (e *evaluation) detection() {
	in := downtime.Input{Settings: e.Settings, SSH: e.slowestSSH(), Failure: downtime.Dropped}
	spans := map[downtime.Failure]downtime.Span{}
	for _, f := range downtime.Failures() {
		spans[f] = downtime.Detection(in.Settings, f, in.SSH)
		e.report.Downtime.Detection = append(e.report.Downtime.Detection, Detection{f, spans[f]})
	}
	what := fmt.Sprintf("a host without power is ERROR after %s in the same network, after %s when packets to it are dropped", spans[downtime.Silent], spans[downtime.Dropped])
	switch {
	case spans[downtime.Frozen].Never():
		in.Failure = downtime.Frozen
		what += "; one whose processes hang (frozen) never, and its VMs are not recovered"
	case spans[downtime.Dropped].High <= slowDetection:
		e.ok("%s", what)
		return
	}
	fix := "oneft drill --all"
	if l, found := lever(in, downtime.LeverConnectTimeout); found {
		fix = l.Text(e.Place)
	} else if l, found := lever(in, downtime.LeverInterval); found {
		fix = l.Text(e.Place)
	}
	e.warn(fix, "%s", what)
}

// lever is the best of these levers that helps.
func lever(in downtime.Input, kinds ...downtime.LeverKind) (downtime.Lever, bool) {
	levers := downtime.Levers(in, downtime.Span{}, in.Failure)
	i := slices.IndexFunc(levers, func(l downtime.Lever) bool { return slices.Contains(kinds, l.Kind) })
	if i < 0 {
		return downtime.Lever{}, false
	}
	return levers[i], true
}

// fullest is the host in service with the most VMs that would be recovered, how many they are, and how many
// other hosts are in service.
func (e *evaluation) fullest() (at Host, vms, others int) {
	for _, h := range e.Hosts {
		if !h.State.Back() || h.API() != "" {
			continue
		}
		others++
		if n := e.VMs.Active[h.ID]; n > vms {
			at, vms = h, n
		}
	}
	return at, vms, others - 1
}

func (e *evaluation) scheduler() {
	host, vms, others := e.fullest()
	if vms == 0 || others < 1 {
		return // that there is no other host is said
	}
	// Clean-ups and boots do not count here, so disks do not.
	in := downtime.Input{Settings: e.Settings, Failure: downtime.Silent, Disks: make([]int, vms), Hosts: others,
		Proven: true, FailFast: true, Place: e.Values.Place}
	limit := &Limit{Host: host.ID, VMs: vms, Hosts: others, Span: downtime.Predict(in).Stage(downtime.StageScheduling)}
	e.report.Downtime.Scheduler = limit
	fix := ""
	if limit.Span.High > slowScheduler {
		fix = fmt.Sprint("oneft drill ", host.ID)
		if l, found := lever(in, downtime.LeverMaxHost, downtime.LeverMaxDispatch, downtime.LeverSchedInterval); found {
			limit.Lever, limit.Changes, fix = l.Kind, l.Changes, l.Text(e.Place)
		}
	}
	by := "the scheduler needs"
	if in.Place {
		by = "one-ft needs (place: true)"
	}
	what := fmt.Sprintf("%s has the most VMs, %d: if it dies, %s %s to start them on %s", host.name(), vms, by, limit.Span, text.Plural(others, "other host"))
	switch {
	case limit.Span.Never():
		e.stop(fix, "the scheduler starts no VM at all: MAX_HOST is 0")
	case fix == "":
		e.ok("%s", what)
	default:
		e.about(host.ID, Warning, fix, "%s", what)
	}
}

// cleanupOf is how long oned's clean-up of the VMs of a host takes without fail fast, each with one disk.
func (e *evaluation) cleanupOf(vms int, f downtime.Failure) time.Duration {
	ssh := downtime.SSH{ConnectTimeout: e.SSH.Force.ConnectTimeout}
	return downtime.Cleanup(slices.Repeat([]int{1}, vms), e.Settings.CleanupThreads(""), f, ssh, false, false).Low.Round(time.Second)
}
