package recovery

import (
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// Sweep is what a sweep decides about a host in ERROR or about a VM.
type Sweep string

// The verdicts.
const (
	SweepContinue Sweep = "continue" // a process was interrupted
	SweepMissed   Sweep = "missed"   // nothing was done about it
	SweepAgain    Sweep = "again"    // it was left undone, and it is time to retry
	SweepLater    Sweep = "later"    // it was left undone, and is retried at Swept.At
	SweepAsk      Sweep = "ask"      // it was refused for lack of a proof: whether there could be one now is to be asked
	SweepPerson   Sweep = "person"   // only an operator can decide
	SweepAlive    Sweep = "alive"    // it came back, and oned goes on calling it failed
	SweepHandled  Sweep = "handled"  // it was handled; what is still there was left on purpose
)

// Swept is what a sweep decides.
type Swept struct {
	Verdict Sweep
	Past    incident.Record // the incident that it is about; the zero Record for none
	At      time.Time       // of SweepLater; of SweepPerson when it is to be asked again, the zero time for never
}

// How often something that was left undone is retried automatically: after 5 minutes, and then after twice the time before,
// five times. After two and a half hours without success an operator has to look. A choice.
const (
	sweepPause = 5 * time.Minute
	// failedPause is the first pause behind an error: most of the time oned was away, and who
	// asks now has found it back. A choice.
	failedPause = 30 * time.Second
	sweepTries  = 5
	// askPause is the first pause between a refusal for lack of a proof and the question whether there could be one now;
	// each further one is twice as long, up to longestAsk. A choice: a status takes a BMC some seconds.
	askPause   = 30 * time.Second
	longestAsk = 15 * time.Minute
	// sweepMemory is how long an incident of a VM counts, and one of a host where oned does not
	// tell when it was last monitored (before 5.12). A choice.
	sweepMemory = 24 * time.Hour
	// FreshContact is how long ago a host that lives was monitored at most: each 120 s as shipped (MONITOR_HOST,
	// monitord.conf 5.12 to 7.4), and a minute for it to arrive. A host that dies again while oned still calls it failed,
	// for which oned calls no hook, is noticed that much later.
	FreshContact = 3 * time.Minute
)

// StillHeard reports whether a host that was alive at a time has been heard of lately enough to live still.
func StillHeard(host one.Host, alive, now time.Time) bool {
	if contact := time.Unix(host.LastContact, 0); contact.After(alive) {
		alive = contact
	}
	return now.Sub(alive) < FreshContact
}

// DiedAgain reports whether a host in ERROR that had come back, by the last of its incidents, has not been heard of since for too long: it
// is dead, although oned leaves its VMs RUNNING. Where oned does not tell when it was last monitored (before 5.12) VMs are UNKNOWN then.
func DiedAgain(host one.Host, past []incident.Record, now time.Time) bool {
	return len(past) > 0 && past[0].Status == incident.CameBack && host.LastContact > 0 && !StillHeard(host, ended(past[0]), now)
}

// SweepHost decides about a host in ERROR that has VMs. past are its incidents, the newest first.
func SweepHost(host one.Host, past []incident.Record, now time.Time) Swept {
	if len(past) == 0 {
		return Swept{Verdict: SweepMissed}
	}
	last := past[0]
	if last.Status.Unfinished() {
		return Swept{Verdict: SweepContinue, Past: last}
	}
	if contact := time.Unix(host.LastContact, 0); last.Status == incident.CameBack && contact.After(last.Began) && now.Sub(contact) < FreshContact {
		return Swept{Verdict: SweepAlive, Past: last} // for up to 10 minutes, 5.12 and later: until it reports SYSTEM_HOST
	}
	if last.Status == incident.CameBack || !SameOutage(host, last, now) || refusedSilent(last) {
		return Swept{Verdict: SweepMissed}
	}
	if !last.Status.Undone() {
		return Swept{Verdict: SweepHandled, Past: last}
	}
	tries := 0
	for _, p := range past {
		if p.Status == incident.CameBack || !SameOutage(host, p, now) {
			break
		}
		tries += 1 + p.Tries
	}
	if last.Status == incident.Refused && last.Reason.Is(wording.Paused) {
		return Swept{Verdict: SweepAgain, Past: last} // whoever asks knows whether the pause is over
	}
	if last.Status == incident.Refused {
		return refused(last, tries, now)
	}
	return again(last, tries, now)
}

// refused decides about a host that was refused. For lack of a proof it was only because a device did not answer, such as a BMC
// that had lost its power with the host, or because the host did: that can change without anybody saying so.
func refused(last incident.Record, tries int, now time.Time) Swept {
	person := Swept{Verdict: SweepPerson, Past: last}
	lacks := last.Reason.Is(wording.FencingFailed, wording.FencingUnconfirmed, wording.MonitoringBroken)
	if !lacks || tries >= sweepTries || now.Sub(last.Began) >= sweepMemory {
		return person
	}
	at := ended(last)
	if last.AskedAt.After(at) {
		at = last.AskedAt
	}
	if at = at.Add(min(longestAsk, askPause<<min(last.Asked, sweepTries))); now.Before(at) {
		person.At = at
		return person
	}
	return Swept{Verdict: SweepAsk, Past: last}
}

// refusedSilent reports whether an incident began, and was refused, while oned still called the host MONITORED. Now that it
// is in ERROR more can prove it off: it is granted no lease any more.
func refusedSilent(p incident.Record) bool {
	return p.Status == incident.Refused && p.Request != nil && !p.Request.Silent.IsZero()
}

// SameOutage reports whether an incident was about the outage that a host is in.
func SameOutage(host one.Host, p incident.Record, now time.Time) bool {
	if host.LastContact > 0 {
		// oned calls a host MONITORED as soon as an admin enables it (since 6.2), and VMs are placed on one that is dead (run with
		// 6.10.5). One that the incident knew is not counted: it would be recreated as often as it is placed there again.
		return p.Began.After(time.Unix(host.LastContact, 0)) && (p.Status.Undone() || !slices.ContainsFunc(host.VMs, func(id int) bool { return !knew(p, id) }))
	}
	// A VM that was moved away, or that nobody knew, is on the host: it was alive meanwhile.
	if !p.Status.Undone() && slices.ContainsFunc(host.VMs, func(id int) bool { return !stayed(p, id) }) {
		return false
	}
	return now.Sub(ended(p)) < sweepMemory
}

// knew reports whether an incident was about a VM, too.
func knew(r incident.Record, vm int) bool {
	return slices.ContainsFunc(r.VMs, func(v incident.VM) bool { return v.ID == vm })
}

// stayed reports whether an incident knew a VM and did not move it.
func stayed(r incident.Record, vm int) bool {
	return slices.ContainsFunc(r.VMs, func(v incident.VM) bool {
		return v.ID == vm && !slices.Contains([]string{"done", "unproven", "starting"}, v.Result)
	})
}

// ended is when an incident ended; the zero time for one that has not.
func ended(r incident.Record) (at time.Time) {
	if r.Ended != nil {
		at = *r.Ended
	}
	return at
}

// SweepVM decides about a VM that failed, or is UNKNOWN, on a host that is fine. past are its incidents, the newest first.
func SweepVM(past []incident.Record, now time.Time) Swept {
	if len(past) > 0 && past[0].Status.Unfinished() {
		return Swept{Verdict: SweepContinue, Past: past[0]}
	}
	if len(past) > 0 && past[0].Status == incident.Refused && past[0].Reason.Is(wording.Paused) && now.Sub(ended(past[0])) < sweepMemory {
		return Swept{Verdict: SweepAgain, Past: past[0]}
	}
	tries := slices.IndexFunc(past, func(p incident.Record) bool { return now.Sub(ended(p)) >= sweepMemory || !p.Status.Undone() })
	if tries < 0 {
		tries = len(past)
	}
	if tries == 0 {
		return Swept{Verdict: SweepMissed} // or it failed again
	}
	return again(past[0], tries, now)
}

// SweepStuck decides about an incident that gave up VMs which had left their host.
func SweepStuck(last incident.Record, now time.Time) Swept { return again(last, 1+last.Tries, now) }

// again is when something is retried that was tried so often.
func again(last incident.Record, tries int, now time.Time) Swept {
	at := ended(last).Add(sweepPause << min(tries-1, sweepTries))
	if last.Status == incident.Failed && tries == 1 {
		at = ended(last).Add(failedPause)
	}
	switch {
	case tries >= sweepTries:
		return Swept{Verdict: SweepPerson, Past: last}
	case now.Before(at):
		return Swept{Verdict: SweepLater, Past: last, At: at}
	}
	return Swept{Verdict: SweepAgain, Past: last}
}
