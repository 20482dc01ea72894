package recovery

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// AttrQuarantine is the attribute of a host's template that says that one-ft took the host out of
// scheduling, and why: its VMs were started elsewhere, and its old guests may still run or come back.
const AttrQuarantine = "FT_QUARANTINE"

// Quarantine is why a host was disabled by one-ft.
type Quarantine struct {
	FrontEnd string    // whose incident it is
	Incident int       // in the journal there; 0 without a journal
	At       time.Time // when the host was disabled
	// Proven: the host was proven off before its VMs were started elsewhere.
	Proven bool
	// Clean is since when the host is monitored again without one of its old guests; the zero time for not.
	Clean time.Time
}

// maxQuarantine bounds what is read of the attribute in bytes: anybody who may change the host can have
// written it.
const maxQuarantine = 500

var quarantineWord = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// String is the quarantine as it stands in the template: words without blanks or quotes.
func (q Quarantine) String() string {
	clean := int64(0)
	if !q.Clean.IsZero() {
		clean = q.Clean.Unix()
	}
	return fmt.Sprintf("v=1 fe=%s n=%d at=%d proven=%t clean=%d", q.FrontEnd, q.Incident, q.At.Unix(), q.Proven, clean)
}

// ParseQuarantine reads what String writes.
func ParseQuarantine(attribute string) (Quarantine, error) {
	bad := func(why string) (Quarantine, error) {
		return Quarantine{}, fmt.Errorf("%s is not understood (%s)", AttrQuarantine, why)
	}
	if len(attribute) > maxQuarantine {
		return bad(fmt.Sprintf("%d bytes", len(attribute)))
	}
	words := map[string]string{}
	for _, w := range strings.Fields(attribute) {
		name, value, ok := strings.Cut(w, "=")
		if _, twice := words[name]; !ok || twice || !quarantineWord.MatchString(value) {
			return bad(text.Printable(w[:min(len(w), 64)]))
		}
		words[name] = value
	}
	const latest, mostIncidents = 1 << 40, 999_999_999
	wrong := ""
	number := func(name string, most int64) int64 {
		n, err := strconv.ParseInt(words[name], 10, 64)
		if err != nil || n < 0 || n > most {
			wrong = name
		}
		return n
	}
	q := Quarantine{FrontEnd: words["fe"], Incident: int(number("n", mostIncidents)), At: time.Unix(number("at", latest), 0), Proven: words["proven"] == "true"}
	if clean := number("clean", latest); clean > 0 {
		q.Clean = time.Unix(clean, 0)
	}
	switch {
	case words["v"] != "1":
		return bad("v")
	case q.FrontEnd == "":
		return bad("fe")
	case words["proven"] != "true" && words["proven"] != "false":
		return bad("proven")
	case wrong != "":
		return bad(wrong)
	}
	return q, nil
}

// QuarantineOf gives the quarantine that a host is in; false when it is in none: one that an admin has
// enabled, or set offline, is not.
func QuarantineOf(h one.Host) (Quarantine, bool) {
	if h.State != one.HostDisabled && h.State != one.HostMonitoringDisabled {
		return Quarantine{}, false
	}
	q, err := ParseQuarantine(h.Template[AttrQuarantine])
	return q, err == nil
}

// Seen is a host as a recovery has to see it: one in quarantine is DISABLED for oned whatever it does, so it
// counts as ERROR while nothing is heard of it, and as MONITORED when it was monitored since. Where oned does not
// tell when a host was last monitored (before 5.12, and in answers about several hosts) it counts as ERROR.
func Seen(h one.Host) one.Host {
	q, in := QuarantineOf(h)
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

// MayRelease decides whether a host in quarantine can be given back to the scheduler by itself, and gives the
// quarantine as it is to be remembered.
func MayRelease(h one.Host, q Quarantine, now time.Time) (Release, Quarantine) {
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
