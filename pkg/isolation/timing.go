package isolation

import (
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
)

// The parts of the reaction time that are not settings.
const (
	// cronSlack is how late cron starts a job: it wakes up in each minute's first second, and a busy host starts
	// programs slowly. A choice.
	cronSlack = 5 * time.Second
	// hurry is the pause before a round that has to follow at once.
	hurry = time.Second
	// lookLimit is how long finding out may take whether there are VMs at all.
	lookLimit = 2 * time.Second
	// recordLimit is how long the record of what is about to be done may take to reach the disk; a dead disk must not
	// keep VMs alive.
	recordLimit = 2 * time.Second
	// roundSlack is what a round may take longer than its probes, and saving what it found.
	roundSlack = 2 * time.Second
)

// Promise is what this host promises: its VMs are gone at the latest lease + reaction after the last good word of
// oned (in the default mode: after the network was lost, with After in the place of the lease). stop is the most time
// that stopping VMs takes (guest.Host.Bound).
//
// A round begins at the latest one interval after the one before; it ends after the longest of its probes and
// decides. With cron a run may need two more rounds to be certain. A hardware watchdog resets a host that hangs, or
// that could not stop its VMs, after its own time.
func Promise(c config.Isolation, cron bool, stop time.Duration) fence.Promise {
	reaction := c.Interval + c.Timeout
	if cron {
		reaction = c.CronPeriod + cronSlack + minRounds*c.Timeout + (minRounds-1)*hurry
	}
	reaction += roundSlack + lookLimit + recordLimit + stop
	if c.Watchdog != "" && !cron {
		reaction += c.WatchdogTimeout
	}
	p := fence.Promise{Lease: c.Lease, Reaction: reaction}
	if !c.Strict {
		p.Lease = c.After
	}
	return p
}
