package guest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes text from outside fit for a terminal and a log: what is not printable
// becomes its Go escape, such as \x1b.
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

// maxListed is how many names or numbers a text lists.
const maxListed = 20

// listed joins names; a few of very many.
func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return strings.Join(names[:maxListed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// numbers joins numbers; a few of very many.
func numbers(list []int) string {
	var names []string
	for _, n := range list {
		names = append(names, strconv.Itoa(n))
	}
	return listed(names)
}
