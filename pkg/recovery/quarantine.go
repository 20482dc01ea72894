package recovery

import (
	"strings"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
)

// Seen is a host as a recovery has to see it: one in quarantine is DISABLED for oned whatever it does, so it
// counts as ERROR while nothing is heard of it, and as MONITORED when it was monitored since. Where oned does not
// tell when a host was last monitored (before 5.12, and in answers about several hosts) it counts as ERROR.
func Seen(h one.Host) one.Host {
	q, in := hostmark.QuarantineOf(h)
	if !in {
		return h
	}
	h.State = one.HostError
	if h.LastContact > q.At.Unix() {
		h.State = one.HostMonitored
	}
	return h
}

// Release is what keeps a host in quarantine.
type Release string

// The answers of MayRelease.
const (
	ReleaseNow     Release = "now"
	ReleaseSilent  Release = "silent"  // it has not been monitored since
	ReleaseZombies Release = "zombies" // guests that oned has elsewhere run on it
	ReleaseWatch   Release = "watch"   // it is clean, and is looked at for a while
)

// cleanFor is how long a host has to be monitored without a zombie before it is given back. From 6.0 on oned learns of
// zombies with the next synchronization (SYNC_STATE_VM 180 s, monitord.conf; on 6.10 guests were seen 21 s after the
// return of their host and gone ones for 3 minutes more); before, from two monitorings in a row. A minute on top.
const cleanFor = 4 * time.Minute

// MayRelease decides whether a host in quarantine can be given back to the scheduler on its own, and gives the
// quarantine as it is to be remembered.
func MayRelease(h one.Host, q hostmark.Quarantine, now time.Time) (Release, hostmark.Quarantine) {
	switch {
	case h.LastContact <= q.At.Unix():
		q.Clean = time.Time{}
		return ReleaseSilent, q
	case len(Zombies(h)) > 0:
		q.Clean = time.Time{}
		return ReleaseZombies, q
	case q.Clean.IsZero():
		q.Clean = now
		return ReleaseWatch, q
	case now.Sub(q.Clean) < cleanFor || h.LastContact <= q.Clean.Unix():
		return ReleaseWatch, q
	}
	return ReleaseNow, q
}

// Zombies are the guests of a host that oned does not have there, as its monitoring last found them: the words of
// ZOMBIES in its template, such as "one-7" (5.10) or "7" (6.10).
func Zombies(h one.Host) []string {
	return strings.FieldsFunc(h.Template["ZOMBIES"], func(r rune) bool { return r == ',' || r == ' ' })
}
