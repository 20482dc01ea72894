package messages

import (
	"regexp"
	"strings"
	"testing"
)

// changing is what a message has of its own each time: numbers with their units, names, and what
// is left out.
var changing = regexp.MustCompile(`\.\.\.|[0-9][0-9a-z]*|one1-[0-9a-f]+|DISABLED|N\b|the cloud|host_error, pid|\bhost ID`)

// explained are the messages that the documents explain: the first cells of the rows below "When it says".
func explained(t *testing.T) (list []string) {
	t.Helper()
	row := regexp.MustCompile("(?m)^\\| (`[^|]*`)[^|]*\\|")
	for _, text := range documents(t) {
		_, section, _ := strings.Cut(text, "## When it says")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, found := range row.FindAllStringSubmatch(section, -1) {
			for _, message := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(found[1], -1) {
				list = append(list, message[1])
			}
		}
	}
	return list
}

// TestExplained: the messages that the documents explain are ones that the product has.
func TestExplained(t *testing.T) {
	var all strings.Builder
	for _, m := range collect(t, root, "cmd", "pkg") {
		all.WriteString(m.Text + "\n")
	}
	messages := explained(t)
	if len(messages) < 25 {
		t.Fatalf("%d messages: the tables are not read", len(messages))
	}
	for _, message := range messages {
		for _, part := range changing.Split(message, -1) {
			if part = strings.Trim(part, " ,():"); strings.Contains(part, " ") && !strings.Contains(all.String(), part) {
				t.Errorf("%q: no message has %q", message, part)
			}
		}
	}
}
