// Package hostmark reads and writes what one-ft keeps in the template of a host, where all front-ends of a cluster see it:
// who works on the host (Claim), and why it was taken out of scheduling (Quarantine). Anybody who may change the host can
// have written it, so every word has to be one that String writes.
package hostmark

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// The attributes of a host's template.
const (
	AttrClaim      = "FT_INCIDENT"
	AttrQuarantine = "FT_QUARANTINE"
)

// Claim is the short form of an incident.
type Claim struct {
	FrontEnd string // who works on it
	Incident int    // in the journal there
	Began    time.Time
	Seen     time.Time // when it was renewed
	Ended    bool
	Status   string // one word
	// The options of the incident, for the front-end that takes it over.
	Action, Fencing, Verify string
	Idle                    bool
	Confirm                 time.Duration // how long the host is watched
}

// Quarantine is why a host was disabled by one-ft: its VMs were started elsewhere, and its old guests may still run or
// come back.
type Quarantine struct {
	FrontEnd string    // whose incident it is
	Incident int       // in the journal there; 0 without a journal
	At       time.Time // when the host was disabled
	// Proven: the host was proven off before its VMs were started elsewhere.
	Proven bool
	// Clean is since when the host is monitored again without one of its old guests; the zero time for not.
	Clean time.Time
}

// String is the claim as it stands in the template: words without blanks or quotes.
func (c Claim) String() string {
	dash := func(s string) string { return cmp.Or(s, "-") }
	return fmt.Sprintf("v=1 fe=%s n=%d began=%d seen=%d ended=%t status=%s action=%s idle=%t fencing=%s verify=%s confirm=%d",
		c.FrontEnd, c.Incident, c.Began.Unix(), c.Seen.Unix(), c.Ended, c.Status, c.Action, c.Idle, dash(c.Fencing), dash(c.Verify), int(c.Confirm.Seconds()))
}

// String is the quarantine as it stands in the template.
func (q Quarantine) String() string {
	clean := int64(0)
	if !q.Clean.IsZero() {
		clean = q.Clean.Unix()
	}
	return fmt.Sprintf("v=1 fe=%s n=%d at=%d proven=%t clean=%d", q.FrontEnd, q.Incident, q.At.Unix(), q.Proven, clean)
}

// ClaimOf reads the claim of a host; false when there is none that can be read.
func ClaimOf(host one.Host) (Claim, bool) {
	w := read(host.Template[AttrClaim])
	c := Claim{
		FrontEnd: w.word("fe"), Incident: int(w.number("n", mostIncidents)), Began: w.time("began"), Seen: w.time("seen"),
		Ended: w.word("ended", "true", "false") == "true", Status: w.word("status"),
		Action: w.word("action", "recreate", "delete", "migrate"), Idle: w.word("idle", "true", "false") == "true",
		Fencing: w.word("fencing", "-", "auto", "required", "off"), Verify: w.word("verify", "-", "none", "left", "running"),
		Confirm: time.Duration(w.number("confirm", longestWatch)) * time.Second,
	}
	if !w.good {
		return Claim{}, false
	}
	return c, true
}

// ParseQuarantine reads what String writes; false when it did not write it.
func ParseQuarantine(attribute string) (Quarantine, bool) {
	w := read(attribute)
	q := Quarantine{FrontEnd: w.word("fe"), Incident: int(w.number("n", mostIncidents)), At: w.time("at"), Proven: w.word("proven", "true", "false") == "true"}
	if clean := w.time("clean"); clean.Unix() > 0 {
		q.Clean = clean
	}
	if !w.good {
		return Quarantine{}, false
	}
	return q, true
}

// QuarantineOf gives the quarantine that a host is in; false when it is in none: one that an admin has enabled, or set
// offline, is not.
func QuarantineOf(h one.Host) (Quarantine, bool) {
	if h.State != one.HostDisabled && h.State != one.HostMonitoringDisabled {
		return Quarantine{}, false
	}
	return ParseQuarantine(h.Template[AttrQuarantine])
}

// Bounds of what is read: bytes of an attribute, incidents, seconds since 1970, and seconds that a host is watched.
const (
	maxBytes      = 1000
	mostIncidents = 999_999_999
	latest        = 1 << 40
	longestWatch  = 1000 * 3600
)

var wordForm = text.Pattern(`^[A-Za-z0-9._-]{1,64}$`)

// words are those of an attribute; good until one is not understood.
type words struct {
	values map[string]string
	good   bool
}

// read splits an attribute into its words.
func read(attribute string) *words {
	w := &words{map[string]string{}, len(attribute) <= maxBytes}
	for _, pair := range strings.Fields(attribute[:min(len(attribute), maxBytes)]) {
		key, value, _ := strings.Cut(pair, "=")
		_, twice := w.values[key]
		w.good = w.good && !twice && wordForm().MatchString(value)
		w.values[key] = value
	}
	w.word("v", "1")
	return w
}

// word is one of those that are allowed, or any; "-" stands for none.
func (w *words) word(name string, allowed ...string) string {
	value, set := w.values[name]
	w.good = w.good && set && (len(allowed) == 0 || slices.Contains(allowed, value))
	if len(allowed) > 0 && value == "-" {
		return ""
	}
	return value
}

// number is a whole one from 0 to most.
func (w *words) number(name string, most int64) int64 {
	n, err := strconv.ParseInt(w.values[name], 10, 64)
	w.good = w.good && err == nil && n >= 0 && n <= most
	return n
}

func (w *words) time(name string) time.Time { return time.Unix(w.number(name, latest), 0) }
