package messages

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// changing is what a message has of its own each time: numbers with their units, names, and what
// is left out.
var changing = regexp.MustCompile(`\.\.\.|[0-9][0-9a-z]*|one1-[0-9a-f]+|DISABLED|N\b|the cloud|host_error, pid|\bhost ID`)

// TestReadme looks whether the messages that the README explains are ones that the product has.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "## When it says")
	if !found {
		t.Fatal("the README explains no messages")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var all strings.Builder
	for _, m := range collect(t, root, "cmd", "pkg") {
		all.WriteString(m.Text + "\n")
	}
	rows := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(section, -1)
	if len(rows) < 10 {
		t.Fatalf("%d messages: the table is not read", len(rows))
	}
	for _, row := range rows {
		for _, message := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(row[1], -1) {
			for _, part := range changing.Split(message[1], -1) {
				if part = strings.Trim(part, " ,():"); strings.Contains(part, " ") && !strings.Contains(all.String(), part) {
					t.Errorf("%q: no message has %q", message[1], part)
				}
			}
		}
	}
}
