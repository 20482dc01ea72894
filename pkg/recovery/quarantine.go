package recovery

import (
	"strconv"
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
	ReleaseUnseen  Release = "unseen"  // it is monitored, but this oned does not tell of old guests
)

// cleanFor is how long a host has to be monitored without a zombie before it is given back. From 6.0 on oned learns of
// zombies with the next synchronization (SYNC_STATE_VM 180 s, monitord.conf; on 6.10 guests were seen 21 s after the
// return of their host and gone ones for 3 minutes more); before, from two monitorings in a row. A minute on top.
const cleanFor = 4 * time.Minute

// MayRelease decides whether a host in quarantine can be given back to the scheduler on its own, and gives the
// quarantine as it is to be remembered.
func MayRelease(d one.Dialect, h one.Host, q hostmark.Quarantine, now time.Time) (Release, hostmark.Quarantine) {
	switch {
	case h.LastContact <= q.At.Unix():
		q.Clean = time.Time{}
		return ReleaseSilent, q
	case len(Zombies(h)) > 0:
		q.Clean = time.Time{}
		return ReleaseZombies, q
	case d.HidesOldGuests:
		q.Clean = time.Time{}
		return ReleaseUnseen, q
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

// RunsNothingOf reports whether a host runs no guest of a VM that oned has taken off it, by the word of its own monitoring: it
// is in service, was monitored for long enough since then, and does not list it. Where oned does not list old guests nothing says so.
func RunsNothingOf(vmID int, h one.Host, since time.Time, d one.Dialect) bool {
	if d.HidesOldGuests {
		return false
	}
	for _, word := range Zombies(h) {
		if strings.TrimPrefix(word, "one-") == strconv.Itoa(vmID) {
			return false
		}
	}
	return h.State.Back() && time.Unix(h.LastContact, 0).Sub(since) >= cleanFor
}

// Lives reports whether the VMs of a host that oned calls failed say that it is monitored again: at least one that
// nobody asked to end is RUNNING there, and none is UNKNOWN. A VM whose shutdown was given up by its driver is
// RUNNING on a host that is dead (measured on 6.10 and 7.4); its record has the action that was asked for.
func Lives(vms []one.VM, host int) bool {
	running := 0
	for _, vm := range vms {
		last, placed := vm.Last()
		switch {
		case !placed || last.HostID != host:
		case vm.Is(one.Unknown):
			return false
		case vm.Is(one.Running) && last.Action == 0:
			running++
		}
	}
	return running > 0
}
