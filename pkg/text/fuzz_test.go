package text_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/text"
)

// FuzzPrintable: what is shown can be shown, and does not change when it is shown again.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"node1", "\x1b[2J", "\u202e", "\xff\xfe", "\uFFFD", "é\n"} {
		f.Add(s)
	}
	inOneLine := func(s string) bool {
		return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := text.Printable(s); !inOneLine(got) || text.Printable(got) != got || inOneLine(s) && got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
