package drill

import (
	"fmt"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
)

// Step is one stage of a recovery and how long it takes.
type Step struct {
	Name string `json:"name"`
	// Least and Most are the bounds, in nanoseconds in JSON. Most is negative when nothing bounds it.
	Least time.Duration `json:"least_ns"`
	Most  time.Duration `json:"most_ns"`
	// Source says where the numbers come from.
	Source string `json:"source"`
}

// String is the step in one line.
func (s Step) String() string {
	times := fmt.Sprintf("%s to %s", rounded(s.Least), rounded(s.Most))
	switch {
	case s.Most < 0:
		times = fmt.Sprintf("%s or more, without a bound", rounded(s.Least))
	case s.Least == s.Most:
		times = rounded(s.Most).String()
	}
	return fmt.Sprintf("%s: %s (%s)", s.Name, times, s.Source)
}

func rounded(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// Fencing is how a host is fenced, for Steps.
type Fencing struct {
	Settings fence.Settings
	Err      error // why there are no settings, such as fence.ErrNotConfigured
}

// Steps are the stages of host_error with the configured values, in their order, and how
// long each takes. interval is the time between two monitorings of a host and where it
// comes from; wait how long the host is watched, as host_error has it from flags and
// configuration; vms how many VMs are acted on.
func Steps(v config.Values, interval time.Duration, source string, wait time.Duration, f Fencing, vms int) []Step {
	steps := []Step{
		{"oned notices", 0, 2 * interval, "a host is looked at once in " + interval.String() + ", by the " + source + "; a look that fails may take as long again"},
		{"confirm", wait, wait, "how long the host is watched before anything is done (-p, --wait, wait, cycles)"},
	}
	if v.FenceFirst {
		steps[1] = Step{"confirm", 0, 0, "fence_first: the host is not watched"}
	}
	if len(v.Confirm) > 0 {
		steps = append(steps, Step{"second opinion", 0, time.Duration(len(v.Confirm)) * opinionTime, "confirm: the programs that are asked, each for 30s and 2s to end"})
	}
	steps = append(steps,
		Step{"guard", 0, 0, "no storm: fewer hosts fail at once than storm.hosts and storm.share say"},
		Step{"guard, in a storm", v.StormCoolDown, v.StormGiveUp, "storm.cool_down to storm.give_up; then nothing is done"},
		f.step(v),
		Step{"act and verify", 0, v.Timeout, fmt.Sprintf("timeout; %d VMs, %d at a time", vms, v.Parallel)})
	return steps
}

// opinionTime is the longest that a program of confirm takes (pkg/failover, opinion.go).
const opinionTime = 32 * time.Second

// step is how long fencing takes.
func (f Fencing) step(v config.Values) Step {
	switch {
	case v.Fencing == config.FencingOff:
		return Step{"fence", 0, 0, "fencing is off: nothing proves that the host is dead"}
	case f.Err != nil:
		return Step{"fence", 0, 0, "nothing is fenced: " + f.Err.Error()}
	case len(f.Settings.Levels) == 0:
		return Step{"fence", 0, 0, "nothing is configured for this host"}
	}
	var most time.Duration
	source := "all levels in turn, each with all its attempts: "
	for i, level := range f.Settings.Levels {
		if i > 0 {
			source += ", "
		}
		if len(level.Devices) > 0 && level.Devices[0].Kind == fence.KindManual {
			source += fmt.Sprintf("level %d waits: an admin has to confirm (oneft resume)", i+1)
			return Step{"fence", 0, -1, source}
		}
		d := levelTime(f.Settings, level)
		source += fmt.Sprintf("level %d %s", i+1, rounded(d))
		most += d
	}
	least := time.Duration(0)
	if first := f.Settings.Levels[0].Devices; len(first) > 0 && first[0].Kind == fence.KindLease {
		least = first[0].Lease.WithDefaults().Wait()
		source += "; a lease begins to run when oned says ERROR, so what is watched before counts"
	}
	return Step{"fence", least, most, source}
}

// levelTime is the longest that one level takes (pkg/fence, attempts and awaitOff): each
// attempt a call to power off, questions for as long as a late power-off is waited for, and
// the last one's answer; between attempts a pause that doubles and is up to half as long
// again. The devices of a level work at the same time, and of several each is asked once
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
