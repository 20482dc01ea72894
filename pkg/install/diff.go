package install

import (
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff shows how two texts differ, as diff -u does, without names of files. Lines are made printable; a tab, and the
// CR of a CRLF, are no news to the reader. "" when the texts are equal.
func Diff(old, fresh []byte) string {
	_, hunks, _ := strings.Cut(string(diff.Diff("old", old, "fresh", fresh)), "+++ fresh\n")
	var out strings.Builder
	for line := range strings.Lines(hunks) {
		parts := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		for i, p := range parts {
			parts[i] = short(p)
		}
		out.WriteString(strings.Join(parts, "\t") + "\n")
	}
	return out.String()
}
