package guest

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/process"
)

// FuzzDomains: whatever virsh prints, only whole lines are names of domains.
func FuzzDomains(f *testing.F) {
	for _, text := range []string{"one-7\nother\none-12\n\n", "", " one-7\none-8 \r\n", "one-7\x00\none-07", "error: failed to connect to the hypervisor\n", "one-2147483648\none-2147483647"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, output string) {
		lines := strings.Split(output, "\n")
		for _, name := range domainNames(output) {
			if name == "" || !slices.Contains(lines, name) {
				t.Errorf("%q of %q", name, output)
			}
		}
	})
}

// FuzzFailure: what a program said at its end is one short line that can be shown.
func FuzzFailure(f *testing.F) {
	f.Add("error: Failed to destroy domain one-7\nerror: x\n", 1)
	f.Add("\x1b[2J\xff\u202e"+strings.Repeat("é", 400), -1)
	f.Fuzz(func(t *testing.T, output string, code int) {
		err := failure(process.Result{Output: output, Code: code})
		if err == nil {
			return
		}
		if text := err.Error(); !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > 10*maxSaid+40 {
			t.Errorf("%q", text)
		}
	})
}
