package check

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/downtime"
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

// downtime judges how long it takes until oned notices that a host failed, and until the scheduler has
// started its VMs elsewhere.
func (j *judge) downtime() {
	for _, p := range j.NotRead {
		j.skipped("%s", p.Text(j.Place))
	}
	if len(j.Facts.Settings.Values) == 0 {
		return
	}
	j.Report.Downtime = &Downtime{Settings: j.Facts.Settings.Values}
	j.detection()
	j.scheduler()
}

// slowestSSH is what ssh uses for the host that it waits for longest.
func (j *judge) slowestSSH() downtime.SSH {
	ssh := downtime.SSH{ConnectTimeout: j.SSH.Force.ConnectTimeout}
	set := slices.ContainsFunc(j.SSH.Timeouts, func(t HostTimeout) bool { return t.Err == nil && t.Timeout > 0 })
	for _, t := range j.SSH.Timeouts {
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

func (j *judge) detection() {
	in := downtime.Input{Settings: j.Facts.Settings, SSH: j.slowestSSH(), Failure: downtime.Dropped}
	spans := map[downtime.Failure]downtime.Span{}
	for _, f := range downtime.Failures() {
		spans[f] = downtime.Detection(in.Settings, f, in.SSH)
		j.Report.Downtime.Detection = append(j.Report.Downtime.Detection, Detection{f, spans[f]})
	}
	severity, fix := OK, ""
	what := fmt.Sprintf("a host without power is ERROR after %s in the same network, after %s when packets to it are dropped", spans[downtime.Silent], spans[downtime.Dropped])
	switch frozen := spans[downtime.Frozen]; {
	case frozen.Never():
		severity, what = Warning, what+"; one whose processes hang (frozen) never, and its VMs are not recovered"
		in.Failure = downtime.Frozen
	case spans[downtime.Dropped].High > slowDetection:
		severity = Warning
	}
	if severity == Warning {
		fix = j.lever(in, downtime.LeverConnectTimeout, downtime.LeverInterval)
	}
	j.say(severity, TopicDowntime, fix, "%s", what)
}

// lever is what to do: the first of these levers that helps.
func (j *judge) lever(in downtime.Input, kinds ...downtime.LeverKind) string {
	levers := downtime.Levers(in, downtime.Span{})
	for _, kind := range kinds {
		for _, l := range levers {
			if l.Kind == kind {
				return l.Text(j.Place)
			}
		}
	}
	return "oneft drill --all"
}

// fullest is the host in service with the most VMs that would be recovered, how many they are, and how many
// other hosts are in service.
func (j *judge) fullest() (at Host, vms, others int) {
	for _, h := range j.Facts.Hosts {
		if !h.State.Back() {
			continue
		}
		others++
		if n := j.VMs.Active[h.ID]; n > vms {
			at, vms = h, n
		}
	}
	return at, vms, others - 1
}

func (j *judge) scheduler() {
	host, vms, others := j.fullest()
	if vms == 0 || others < 1 {
		return // that there is no other host is said
	}
	// One disk each: what it takes to clean up is judged elsewhere, and what it takes to start is assumed.
	in := downtime.Input{Settings: j.Facts.Settings, Failure: downtime.Silent, Disks: make([]int, vms), Hosts: others, Proven: true, FailFast: true, Place: j.Values.Place}
	limit := &Limit{Host: host.ID, VMs: vms, Hosts: others, Span: downtime.Predict(in).Stage(downtime.StageScheduling)}
	j.Report.Downtime.Scheduler = limit
	fix := ""
	if limit.Span.High > slowScheduler {
		fix = "oneft drill " + fmt.Sprint(host.ID)
		for _, l := range downtime.Levers(in, downtime.Span{}) {
			if l.Kind == downtime.LeverMaxHost || l.Kind == downtime.LeverMaxDispatch || l.Kind == downtime.LeverSchedInterval {
				limit.Lever, limit.Changes, fix = l.Kind, l.Changes, l.Text(j.Place)
				break
			}
		}
	}
	severity := OK
	if fix != "" {
		severity = Warning
	}
	if limit.Span.Never() {
		j.stop(TopicDowntime, fix, "the scheduler starts no VM at all: MAX_HOST is 0")
		return
	}
	by := "the scheduler needs"
	if in.Place {
		by = "one-ft needs (place: true)"
	}
	j.add(Finding{Severity: severity, Topic: TopicDowntime, Fix: fix, Hosts: hostsOf(severity, host.ID),
		What: fmt.Sprintf("host %d (%s) has the most VMs, %d: if it dies, %s %s to start them on %s", host.ID, host.Name, vms, by, limit.Span, counted(others, "other host"))})
}

// hostsOf names the host of a finding that is about it.
func hostsOf(s Severity, id int) []int {
	if s == OK {
		return nil
	}
	return []int{id}
}

// cleanupOf is how long oned's clean-up of the VMs of a host takes without fail fast.
func (j *judge) cleanupOf(vms int, f downtime.Failure) time.Duration {
	disks := make([]int, vms)
	for i := range disks {
		disks[i] = 1
	}
	s := j.Facts.Settings
	each := downtime.SSH{ConnectTimeout: j.SSH.Force.ConnectTimeout}
	return downtime.Cleanup(disks, s.CleanupThreads(""), f, each, false, false).Low.Round(time.Second)
}

// staleMaster is what a persistent master that is left costs each command.
const staleMaster = downtime.ShippedKeepAlive
