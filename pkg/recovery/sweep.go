package recovery

import (
	"slices"
	"time"

	"one-ft/pkg/one"
)

// Past is what is known of an earlier incident of a host or VM.
type Past struct {
	Number int
	Open   bool
	// Back: the host came back; Refused: it would not have been safe; Unfinished: something was
	// left undone, or it ended with an error, which is Failed, too.
	Back, Refused, Unfinished, Failed bool
	Began, Ended                      time.Time
	Tries                             int // how often it was restarted
	Summary                           string
	// Left are the VMs that it knew and did not move.
	Left []int
}

// Sweep is what a sweep decides about a host in ERROR or about a VM.
type Sweep string

// The verdicts.
const (
	SweepContinue Sweep = "continue" // a process was interrupted
	SweepMissed   Sweep = "missed"   // nothing was done about it
	SweepAgain    Sweep = "again"    // it was left undone, and it is time to retry
	SweepLater    Sweep = "later"    // it was left undone, and is retried at Swept.At
	SweepPerson   Sweep = "person"   // only an operator can decide
	SweepAlive    Sweep = "alive"    // it came back, and oned goes on calling it failed
	SweepHandled  Sweep = "handled"  // it was handled; what is still there was left on purpose
)

// Swept is what a sweep decides.
type Swept struct {
	Verdict Sweep
	Past    Past      // the incident that it is about; the zero Past for none
	At      time.Time // of SweepLater
}

// How often something that was left undone is retried automatically: after 5 minutes, and then after twice the time before,
// five times. After two and a half hours without success an operator has to look. A choice.
const (
	sweepPause = 5 * time.Minute
	// failedPause is the first pause behind an error: most of the time oned was away, and who
	// asks now has found it back. A choice.
	failedPause = 30 * time.Second
	sweepTries  = 5
	// sweepMemory is how long an incident of a VM counts, and one of a host where oned does not
	// tell when it was last monitored (before 5.12). A choice.
	sweepMemory = 24 * time.Hour
	// freshContact is how long ago a host that lives was monitored at most: each 120 s as shipped (MONITOR_HOST,
	// monitord.conf 5.12 to 7.4), and a minute for it to arrive. A host that dies again while oned still calls it failed,
	// for which oned calls no hook, is noticed that much later.
	freshContact = 3 * time.Minute
)

// SweepHost decides about a host in ERROR that has VMs. past are its incidents, the newest first.
func SweepHost(host one.Host, past []Past, now time.Time) Swept {
	if len(past) == 0 {
		return Swept{Verdict: SweepMissed}
	}
	last := past[0]
	if last.Open {
		return Swept{Verdict: SweepContinue, Past: last}
	}
	if contact := time.Unix(host.LastContact, 0); last.Back && contact.After(last.Began) && now.Sub(contact) < freshContact {
		return Swept{Verdict: SweepAlive, Past: last} // for up to 10 minutes, 5.12 and later: until it reports SYSTEM_HOST
	}
	if last.Back || !SameOutage(host, last, now) {
		return Swept{Verdict: SweepMissed}
	}
	switch {
	case last.Refused:
		return Swept{Verdict: SweepPerson, Past: last}
	case !last.Unfinished:
		return Swept{Verdict: SweepHandled, Past: last}
	}
	tries := 0
	for _, p := range past {
		if p.Back || !SameOutage(host, p, now) {
			break
		}
		tries += 1 + p.Tries
	}
	return again(last, tries, now)
}

// SameOutage reports whether an incident was about the outage that a host is in.
func SameOutage(host one.Host, p Past, now time.Time) bool {
	if host.LastContact > 0 {
		return p.Began.After(time.Unix(host.LastContact, 0))
	}
	// A VM that was moved away, or that nobody knew, is on the host: it was alive meanwhile.
	if !p.Refused && !p.Unfinished && slices.ContainsFunc(host.VMs, func(id int) bool { return !slices.Contains(p.Left, id) }) {
		return false
	}
	return now.Sub(p.Ended) < sweepMemory
}

// SweepVM decides about a VM that failed, or is UNKNOWN, on a host that is fine. past are its incidents, the newest first.
func SweepVM(past []Past, now time.Time) Swept {
	if len(past) == 0 || now.Sub(past[0].Ended) >= sweepMemory && !past[0].Open {
		return Swept{Verdict: SweepMissed}
	}
	switch last := past[0]; {
	case last.Open:
		return Swept{Verdict: SweepContinue, Past: last}
	case last.Refused, last.Unfinished:
		tries := 0
		for _, p := range past {
			if now.Sub(p.Ended) >= sweepMemory || !p.Refused && !p.Unfinished {
				break
			}
			tries++
		}
		return again(last, tries, now)
	}
	return Swept{Verdict: SweepMissed} // it failed again
}

// SweepStuck decides about an incident that gave up VMs which had left their host.
func SweepStuck(last Past, now time.Time) Swept { return again(last, 1+last.Tries, now) }

// again is when something is retried that was tried so often.
func again(last Past, tries int, now time.Time) Swept {
	at := last.Ended.Add(sweepPause << min(tries-1, sweepTries))
	if last.Failed && tries == 1 {
		at = last.Ended.Add(failedPause)
	}
	switch {
	case tries >= sweepTries:
		return Swept{Verdict: SweepPerson, Past: last}
	case now.Before(at):
		return Swept{Verdict: SweepLater, Past: last, At: at}
	}
	return Swept{Verdict: SweepAgain, Past: last}
}
