// Package probe answers whether something is reachable over the network from this
// host: a TCP server, a machine, a DNS server, the gateways of the host. Every probe is
// bounded in time, and nothing of it is left when it has returned.
//
// Somebody decides about stopping VMs by the answers. So a probe that could not be run says
// Unknown, never Unreachable; and what this host can answer itself, without any network,
// is no answer.
package probe

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Reach is what a probe found out.
type Reach int

// The values of Reach.
const (
	Unknown     Reach = iota // the probe could not be run (no permission, bad name): says nothing
	Unreachable              // it was run, and nothing answered
	Refused                  // the machine answers, but nothing listens there (TCP reset, ICMP port unreachable)
	Reachable                // it answers
)

// String returns unknown, unreachable, refused or reachable.
func (r Reach) String() string {
	switch r {
	case Unreachable:
		return "unreachable"
	case Refused:
		return "refused"
	case Reachable:
		return "reachable"
	}
	return "unknown"
}

// Result is the answer of one probe.
type Result struct {
	Target string        // as the caller named it
	Reach  Reach         // what was found out
	Detail string        // why: one printable line of at most 400 characters
	Took   time.Duration // the whole probe
}

// maxDetail is the most characters of a detail: enough for the errors of a handful of
// addresses.
const maxDetail = 400

// printable makes every rune that is not printable visible as its Go escape, and cuts
// long text off.
func printable(s string) string {
	var b strings.Builder
	count := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = `\x` + strconv.FormatUint(uint64(s[i]), 16)
		case !unicode.IsPrint(r):
			q := strconv.QuoteRune(r)
			piece = q[1 : len(q)-1]
		}
		if count += utf8.RuneCountInString(piece); count >= maxDetail {
			b.WriteRune('…')
			break
		}
		b.WriteString(piece)
		i += size
	}
	return b.String()
}
