package isolation

import (
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/wording"
)

// minRounds is how many rounds in a row have to agree before anything is stopped: one lost or slow answer never
// decides.
const minRounds = 3

// Round is what one round of probes found out. Its times are since the boot.
type Round struct {
	Began, Ended      time.Duration
	FrontEnd, Witness probe.Reach   // the best answer of all front-ends, and that of all witnesses
	Reported          Reported      // what oned says of this host
	Asked             time.Duration // when the first of the requests behind Reported was sent
}

// History is what is remembered from round to round. Numbers of rounds are of those in a row.
type History struct {
	Armed    bool          `json:"armed"`    // oned has renewed the lease of this host at least once, ever
	Renewed  time.Duration `json:"renewed"`  // when the lease began: when the last request was sent that renewed it
	Missed   int           `json:"missed"`   // rounds that did not renew it
	Told     Reported      `json:"told"`     // the last thing that oned said of this host
	Isolated int           `json:"isolated"` // rounds that found the host isolated
	Since    time.Duration `json:"since"`    // when the first of these began
	Away     int           `json:"away"`     // rounds without contact with oned
	// Unchecked: there was contact again, and whether the VMs here are still wanted here has not been found out
	// since.
	Unchecked bool          `json:"unchecked"`
	Last      time.Duration `json:"last"` // when the last round began
}

// Policy is how to decide.
type Policy struct {
	Strict bool
	After  time.Duration // isolated for longer: act, when not Strict
	Lease  time.Duration // not renewed for longer: act, when Strict
	Quiet  time.Duration // since the boot
	Asks   bool          // oned can be asked: there is a token
	Every  time.Duration // from one round to the next
}

// NewPolicy takes a policy out of a configuration; cron says that cron starts each round.
func NewPolicy(c config.Isolation, cron bool) Policy {
	p := Policy{Strict: c.Strict, After: c.After, Lease: c.Lease, Quiet: c.Quiet, Asks: c.AuthFile != "", Every: c.Interval}
	if cron {
		p.Every = c.CronPeriod
	}
	return p
}

// Phase is what a host is in.
type Phase string

// The phases.
const (
	Fine     Phase = "fine"
	Holding  Phase = "holding"  // something is wrong, and VMs may stay
	Isolated Phase = "isolated" // VMs will be stopped unless this changes
	Act      Phase = "act"      // VMs have to be stopped now
)

// Verdict is what a round means.
type Verdict struct {
	Phase Phase
	Why   wording.Message
	At    time.Duration // since the boot: when VMs will be stopped unless something changes; 0 when they will not
	Again bool          // too few rounds have been seen to be certain; another one has to follow at once
	// Returned: there is contact with oned again, or for the first time after nobody watched this host, and the VMs
	// here have to be compared with what oned knows: some may have been started elsewhere meanwhile.
	Returned bool
}

// Decide judges a round, and returns what to remember of it.
func Decide(h History, r Round, p Policy) (History, Verdict) {
	h, renewed := h.renew(r)
	h = h.isolate(r, p).contact(r, p)
	v := h.judge(r, p)
	if p.Strict {
		v = h.judgeLease(r, p, renewed)
	}
	if v.Phase == Act && r.Ended < p.Quiet {
		v = Verdict{Phase: Isolated, At: p.Quiet, Why: wording.Of(wording.JustBooted, v.Why, r.Ended.Round(time.Second))}
	}
	v.Returned = h.Away == 0 && h.Unchecked || p.Asks && r.Reported != ReportedNothing && (h.Last == 0 || r.Began-h.Last > minRounds*p.Every)
	h.Last = r.Began
	return h, v
}

// renew enters what oned says. A host that an admin enables is INIT for a moment: after ERROR only MONITORED is good
// again, so that host_error, which looks at the host every second, never misses a renewal.
func (h History) renew(r Round) (next History, renewed bool) {
	switch r.Reported {
	case ReportedMonitored, ReportedDisabled:
		renewed = true
	case ReportedInit:
		renewed = h.Told != ReportedError
	}
	if r.Reported != ReportedNothing {
		h.Told = r.Reported
	}
	if renewed {
		h.Armed, h.Renewed, h.Missed = true, r.Asked, 0
	} else {
		h.Missed++
	}
	return h, renewed
}

// contact counts the rounds in a row without contact with oned.
func (h History) contact(r Round, p Policy) History {
	if r.Reported == ReportedNothing && (p.Asks || r.FrontEnd != probe.Reachable) {
		h.Away++
		return h
	}
	h.Unchecked = h.Unchecked || h.Away > 0
	h.Away = 0
	return h
}

// isolate counts the rounds in a row that found the host isolated. Rounds that are far apart are not in a row: nobody
// knows what was in between.
func (h History) isolate(r Round, p Policy) History {
	switch {
	case r.FrontEnd != probe.Unreachable || r.Witness != probe.Unreachable:
		h.Isolated, h.Since = 0, 0
	case h.Isolated == 0 || r.Began-h.Last > minRounds*p.Every:
		h.Isolated, h.Since = 1, r.Began
	default:
		h.Isolated++
	}
	return h
}

// judge is the default mode: VMs stay as long as anything answers.
func (h History) judge(r Round, p Policy) Verdict {
	why, phase := wording.Of(wording.NobodyAnswers, (r.Ended-h.Since).Round(time.Second)), Holding
	switch {
	case r.FrontEnd == probe.Reachable && r.Reported == ReportedError:
		why = wording.Of(wording.FrontEndSaysError)
	case r.FrontEnd == probe.Reachable:
		why, phase = wording.Of(wording.FrontEndReached), Fine
	case r.FrontEnd == probe.Refused:
		why = wording.Of(wording.FrontEndRefuses)
	case r.Witness >= probe.Refused:
		why = wording.Of(wording.FrontEndDown)
	case r.FrontEnd == probe.Unknown:
		why = wording.Of(wording.FrontEndUnclear)
	case r.Witness == probe.Unknown:
		why = wording.Of(wording.WitnessUnclear)
	case r.Ended >= h.Since+p.After && h.Isolated >= minRounds:
		return Verdict{Phase: Act, Why: why, At: h.Since + p.After}
	default:
		return Verdict{Phase: Isolated, Why: why, At: h.Since + p.After}
	}
	return Verdict{Phase: phase, Why: why}
}

// judgeLease is the strict mode: VMs stay as long as there is a lease.
func (h History) judgeLease(r Round, p Policy, renewed bool) Verdict {
	why := wording.Of(wording.OnedSilent)
	if r.Reported != ReportedNothing {
		why = wording.Of(wording.OnedReports, r.Reported)
	}
	switch {
	case renewed:
		return Verdict{Phase: Fine, Why: wording.Of(wording.LeaseRenewed, r.Reported)}
	case !h.Armed:
		return Verdict{Phase: Holding, Why: wording.Of(wording.LeaseNever, why)}
	}
	ends := h.Renewed + p.Lease
	v := Verdict{Phase: Isolated, At: ends, Why: wording.Of(wording.LeaseMissed, why, (r.Ended - h.Renewed).Round(time.Second))}
	switch {
	case r.Ended < ends:
		v.Phase = Holding
	case h.Missed < minRounds:
		v.Again = true
	default:
		v.Phase = Act
	}
	return v
}

// atEnd is how long after the time to act the round ends that finds it to have come: later than by chance of a few ms.
const atEnd = 100 * time.Millisecond

// nextRound is when the next round begins, after one that began and ended at these times: every after it; but so that, if it takes
// as long, one ends just when VMs have to be stopped, and these do not wait for a round. It is at most as long late as a round takes.
func nextRound(v Verdict, began, ended, every time.Duration) time.Duration {
	next, took := began+every, ended-began
	if last := v.At + atEnd - took; v.Phase != Act && v.At > ended && next+took > last {
		return max(last, ended)
	}
	return next
}

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
// A round begins at the latest one interval after the one before, or at the end of the lease; but on a host that was suspended
// meanwhile the whole of the pause is still to come. It ends after the longest of its probes and decides. With cron a run may need two more rounds to be certain. A hardware watchdog resets a host that hangs, or
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
