package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/incident"
)

// Formats of times: a date with time for the begin, the time alone for events.
const (
	dateAndTime = "2006-01-02 15:04:05"
	timeOnly    = "15:04:05"
)

// How many characters of a text are shown. The whole text is in the journal.
const (
	maxName = 40   // names of hosts, VMs, owners: a column stays a column
	maxCell = 100  // a summary in a list
	maxLine = 160  // a text in the lines for a terminal
	maxWide = 200  // a name on the page
	maxPage = 2000 // a text on the page
)

// printable makes every rune that a terminal could obey, and broken UTF-8, a Go
// escape such as \x1b.
func printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// short makes s printable and cuts it to at most n characters, which it shows.
func short(s string, n int) string {
	// No more than that can be shown: a rune has at most utf8.UTFMax bytes.
	if most := (n + 1) * utf8.UTFMax; len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	p := []rune(printable(s))
	if len(p) <= n {
		return string(p)
	}
	return string(p[:n-1]) + "…"
}

// took is a duration for people: 40 ms, 0.4 s, 41 s, 2 min 05 s, 1 h 02 min, 3 d 04 h.
// A negative one, which a clock that was set makes, counts as 0.
func took(d time.Duration) string {
	d = max(d, 0)
	if ms := d.Round(time.Millisecond).Milliseconds(); ms < 100 {
		return fmt.Sprintf("%d ms", ms)
	}
	if d < 9950*time.Millisecond { // 10.0 s would be the next
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 60*60:
		return fmt.Sprintf("%d min %02d s", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%d h %02d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d d %02d h", s/86400, s%86400/3600)
}

// since is how long after the begin something was, in seconds. A clock that was set
// back makes it negative.
func since(d time.Duration) string {
	if d > -10*time.Second && d < 9950*time.Millisecond {
		return fmt.Sprintf("%+.1f s", d.Seconds())
	}
	return fmt.Sprintf("%+.0f s", d.Seconds())
}

// what names the object of an incident, such as host 3 (node03).
func what(r incident.Record) string {
	text := fmt.Sprintf("%s %d", short(r.Kind, maxName), r.ID)
	if r.Name != "" {
		text += " (" + short(r.Name, maxName) + ")"
	}
	return text
}

// lasted is how long an incident took, for an open one so far.
func lasted(r incident.Record, now time.Time) string {
	if r.Ended == nil {
		return took(now.Sub(r.Began)) + " so far"
	}
	return took(r.Ended.Sub(r.Began))
}

// end is when an incident ended, or now.
func end(r incident.Record, now time.Time) time.Time {
	if r.Ended == nil {
		return now
	}
	return *r.Ended
}

// clock is the format of the times of events: with the date when it took longer than a day.
func clock(r incident.Record, now time.Time) string {
	if end(r, now).Sub(r.Began) > 24*time.Hour {
		return dateAndTime
	}
	return timeOnly
}

// someIDs names the first VMs, the lowest ID first, and counts the rest, such as 1, 2, 3 and 35 more.
func someIDs(ids []int, most int) string {
	var b strings.Builder
	for i, id := range slices.Sorted(slices.Values(ids)) {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(ids)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(id))
	}
	return b.String()
}

// plural is a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
