// Package text makes text from outside fit for terminals, logs and files. Names from the
// cloud, answers of agents and words of configuration files are untrusted: nothing in them
// may be obeyed by a terminal, and none of them may fill a page.
package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/xrash/smetrics"
)

// Printable writes every rune that is not printable (control characters, line breaks,
// direction marks, broken UTF-8) as its Go escape, such as \x1b.
func Printable(s string) string {
	clean := func(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, func(r rune) bool { return !clean(r) }) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case clean(r), strings.HasPrefix(s[i:], "\uFFFD"):
			b.WriteRune(r)
		case r == utf8.RuneError:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// Short is Printable, cut to at most limit runes; an ellipsis after them shows the cut. It
// costs no more than limit, however long s is.
func Short(s string, limit int) string {
	return cut(Printable(cut(s, limit)), limit)
}

// skew is how far two clocks may be apart before it is said: oned tells whole seconds, and NTP keeps machines within less. A choice.
const skew = 2 * time.Second

// Ahead is what is added to a time that ought to be past: nothing, or that it is in the future by now, such as of a record of another
// front-end, or when the clock was set back.
func Ahead(at, now time.Time) string {
	if at.Sub(now) > skew {
		return " (in the future: the clocks differ)"
	}
	return ""
}

// Some lists the first words, and counts the others, such as 1, 2, 3 and 35 more.
func Some(words []string, limit int) string {
	first := strings.Join(words[:min(len(words), limit)], ", ")
	if more := len(words) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", first, more)
	}
	return first
}

// Plural is a number with its noun, such as 1 VM or 2 VMs.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Quote puts s into quotes, with Go's escapes; it is cut as by Short.
func Quote(s string, limit int) string { return strconv.Quote(cut(s, limit)) }

// ShellWord is a word as a shell reads it: in single quotes, unless it means the same without them.
func ShellWord(word string) string {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-"
	if word != "" && strings.Trim(word, harmless) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for i := range s { // each rune, broken ones too
		if limit == 0 {
			return s[:i] + "…"
		}
		limit--
	}
	return s
}

// Nearest returns the one of the words that s was probably meant to be, or "". Case, and a dash for an underscore or the
// other way round, are no difference.
func Nearest(s string, words []string) string {
	if len(s) > 32 {
		return ""
	}
	same := func(word string) string { return strings.ReplaceAll(strings.ToLower(word), "-", "_") }
	best, least := "", 0
	for _, word := range words {
		d := smetrics.WagnerFischer(same(s), same(word), 1, 1, 1)
		if d <= (len(word)+1)/3 && (best == "" || d < least) {
			best, least = word, d
		}
	}
	return best
}
