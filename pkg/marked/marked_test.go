package marked_test

import (
	"errors"
	"strings"
	"testing"

	"one-ft/pkg/marked"
)

// TestFind: one block is found with all of its lines; marks that make no block are refused with the line to look at.
func TestFind(t *testing.T) {
	block := marked.Opening("no file") + "\r\nx\r\n" + marked.End + "\r\n"
	p, err := marked.Find(marked.Lines([]byte("a\r\n" + block + "b")))
	if err != nil || p.Begin != 3 || p.End != 3+len(block) || p.Opening.Number != 2 || !p.Was("no file") || p.Was("another") {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := marked.Find(marked.Lines([]byte("# BEGIN one-ftx\n  " + marked.End + "\n"))); err != nil || p.End != 0 {
		t.Errorf("none: %+v, %v", p, err)
	}
	for text, line := range map[string]int{
		"\n" + marked.Begin: 2, marked.End: 1, marked.Begin + "\n" + marked.Begin: 2, block + block: 4, block + marked.End: 4,
	} {
		var damaged *marked.Error
		if _, err := marked.Find(marked.Lines([]byte(text))); !errors.As(err, &damaged) || damaged.Line != line || !strings.Contains(damaged.Problem, "by hand") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
