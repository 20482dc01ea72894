package isolation

import (
	"fmt"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/isolation/probe"
)

// minRounds is how many rounds in a row have to agree before anything is stopped: one
// lost or slow answer never decides.
const minRounds = 3

// Round is what one round of probes found out.
type Round struct {
	// Began and Ended are since the boot.
	Began, Ended time.Duration
	// FrontEnd is the best answer of all front-ends, Witness that of all witnesses.
	FrontEnd, Witness probe.Reach
	// Says is what oned says of this host, and Asked when the first of the requests behind
	// it was sent, since the boot.
	Says  Says
	Asked time.Duration
}

// History is what is remembered from round to round.
type History struct {
	// Armed: oned has renewed the lease of this host at least once, ever.
	Armed bool `json:"armed"`
	// Renewed is when the lease began: when the last request was sent that renewed it.
	Renewed time.Duration `json:"renewed"`
	// Missed is the number of rounds in a row that did not renew it.
	Missed int `json:"missed"`
	// Told is the last thing that oned said of this host.
	Told Says `json:"told"`
	// Isolated is the number of rounds in a row that found the host isolated, and Since
	// when the first of them began.
	Isolated int           `json:"isolated"`
	Since    time.Duration `json:"since"`
	// Away is the number of rounds in a row without contact with oned.
	Away int `json:"away"`
	// Unchecked: there was contact again, and whether the VMs here are still wanted here
	// has not been found out since.
	Unchecked bool `json:"unchecked"`
	// Last is when the last round began.
	Last time.Duration `json:"last"`
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

// NewPolicy takes a policy out of a configuration; cron says that cron starts each
// round.
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
	Why   string // for people
	// At is when VMs will be stopped unless something changes, since the boot; 0 when they
	// will not.
	At time.Duration
	// Again: too few rounds have been seen to be certain; another one has to follow at once.
	Again bool
	// Returned: there is contact with oned again, and the VMs here have to be compared with
	// what oned knows.
	Returned bool
	// Unwatched: the same, because nobody watched this host before: nothing is known of what was
	// started elsewhere meanwhile.
	Unwatched bool
}

// Decide judges a round, and returns what to remember of it.
func Decide(h History, r Round, p Policy) (History, Verdict) {
	h, renewed := h.renew(r)
	h = h.isolate(r, p).contact(r, p)
	v := h.judge(r, p)
	if p.Strict {
		v = h.judgeLease(r, p, renewed)
	}
	v.Returned = h.Away == 0 && h.Unchecked
	v.Unwatched = p.Asks && r.Says != SaysNothing && (h.Last == 0 || r.Began-h.Last > minRounds*p.Every)
	if v.Phase == Act && r.Ended < p.Quiet {
		v = Verdict{Phase: Isolated, At: p.Quiet, Returned: v.Returned, Unwatched: v.Unwatched, Why: v.Why + fmt.Sprintf("; but the host was booted %s ago", r.Ended.Round(time.Second))}
	}
	h.Last = r.Began
	return h, v
}

// renew enters what oned says. A host that an admin enables is INIT for a moment: after
// ERROR only MONITORED is good again, so that host_error, which looks at the host every
// second, never misses a renewal.
func (h History) renew(r Round) (next History, renewed bool) {
	switch r.Says {
	case SaysMonitored, SaysDisabled:
		renewed = true
	case SaysInit:
		renewed = h.Told != SaysError
	}
	if r.Says != SaysNothing {
		h.Told = r.Says
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
	if r.Says == SaysNothing && (p.Asks || r.FrontEnd != probe.Reachable) {
		h.Away++
		return h
	}
	h.Unchecked = h.Unchecked || h.Away > 0
	h.Away = 0
	return h
}

// isolate counts the rounds in a row that found the host isolated. Rounds that are far
// apart are not in a row: nobody knows what was in between.
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
	switch {
	case r.FrontEnd == probe.Reachable && r.Says == SaysError:
		return Verdict{Phase: Holding, Why: "oned says that this host is in ERROR, although the front-end can be reached from here"}
	case r.FrontEnd == probe.Reachable:
		return Verdict{Phase: Fine, Why: "the front-end can be reached"}
	case r.FrontEnd == probe.Refused:
		return Verdict{Phase: Holding, Why: "the machine of the front-end answers, but oned does not listen there"}
	case r.Witness >= probe.Refused:
		return Verdict{Phase: Holding, Why: "the front-end cannot be reached, but a witness answers: this is the front-end's trouble"}
	case r.FrontEnd == probe.Unknown:
		return Verdict{Phase: Holding, Why: "whether the front-end can be reached is not known"}
	case r.Witness == probe.Unknown:
		return Verdict{Phase: Holding, Why: "the front-end cannot be reached, and there is no witness that could be asked"}
	}
	v := Verdict{Phase: Isolated, At: h.Since + p.After, Why: fmt.Sprintf("neither the front-end nor a witness answers for %s", (r.Ended - h.Since).Round(time.Second))}
	if r.Ended >= v.At && h.Isolated >= minRounds {
		v.Phase = Act
	}
	return v
}

// judgeLease is the strict mode: VMs stay as long as there is a lease.
func (h History) judgeLease(r Round, p Policy, renewed bool) Verdict {
	if renewed {
		return Verdict{Phase: Fine, Why: fmt.Sprintf("oned says %s; the lease is renewed", r.Says)}
	}
	why := "oned does not answer for this host"
	if r.Says != SaysNothing {
		why = fmt.Sprintf("oned says %s", r.Says)
	}
	if !h.Armed {
		return Verdict{Phase: Holding, Why: why + "; it has never renewed the lease of this host, so there is none to lose; check the settings (host_isolated --check)"}
	}
	ends := h.Renewed + p.Lease
	v := Verdict{Phase: Isolated, At: ends, Why: fmt.Sprintf("%s; the lease was renewed %s ago", why, (r.Ended - h.Renewed).Round(time.Second))}
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
