package messages

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// root is the directory of the module.
const root = "../../.."

// TestGolden compares all messages with testdata/messages.golden.
func TestGolden(t *testing.T) {
	all := collect(t, root, "cmd", "pkg")
	if len(all) < 1000 {
		t.Fatalf("only %d messages: the source is not read", len(all))
	}
	compare(t, "messages.golden", format(all))
}

// compare compares got with a golden file, or writes it.
func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it: go test ./test/meta/messages -update", err)
	}
	if got == string(want) {
		return
	}
	t.Errorf("the source has other texts than %s:\n%s\nread them; when they are as they should be, accept them: go test ./test/meta/messages -update",
		path, difference(string(want), got))
}

// format writes each package with its messages, each once. The order does not hang on
// where in the package they are, so that moving code changes nothing.
func format(all []message) string {
	var b strings.Builder
	for i, m := range all {
		if i == 0 || all[i-1].Pkg != m.Pkg {
			fmt.Fprintf(&b, "%s\n", m.Pkg)
		} else if all[i-1].Text == m.Text {
			continue
		}
		b.WriteString(indent(m.Text))
	}
	return b.String()
}

// indent is a text in a golden file: its further lines begin with a bar; blanks at its
// ends are shown by quotes.
func indent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	if line := lines[0]; len(lines) == 1 && strings.TrimSpace(line) != line {
		lines[0] = strconv.Quote(line)
	}
	return "  " + strings.Join(lines, "\n    | ") + "\n"
}

// difference is what the first golden text has and the second has not, and the other
// way round, with the package of each.
func difference(old, new string) string {
	before, after := entries(old), entries(new)
	var lines []string
	for _, e := range before {
		if !slices.Contains(after, e) {
			lines = append(lines, "- "+e)
		}
	}
	for _, e := range after {
		if !slices.Contains(before, e) {
			lines = append(lines, "+ "+e)
		}
	}
	slices.SortStableFunc(lines, func(a, b string) int { // by package
		a, _, _ = strings.Cut(a[2:], ": ")
		b, _, _ = strings.Cut(b[2:], ": ")
		return strings.Compare(a, b)
	})
	if lines == nil {
		return "(only the order or the blanks)"
	}
	return strings.Join(lines, "\n")
}

// entries are the lines of a golden text, each with its package.
func entries(golden string) []string {
	var pkg string
	var all []string
	for line := range strings.Lines(golden) {
		line = strings.TrimRight(line, "\n")
		if text, indented := strings.CutPrefix(line, "  "); indented {
			all = append(all, pkg+": "+text)
		} else {
			pkg = line
		}
	}
	return all
}
