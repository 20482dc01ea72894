package hook

import (
	"errors"
	"strings"
	"testing"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/text"
)

func words(line string) []string { return strings.Fields(line) }

// wantUsage checks that err is a UsageError of one clean line holding each part.
func wantUsage(t *testing.T, err error, parts ...string) {
	t.Helper()
	var usage *exitcode.UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("got error %v (%T), want a *UsageError", err, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if line := err.Error(); line == "" || len(line) > 1200 || text.Printable(line) != line {
		t.Errorf("message is empty, too long (%d bytes) or not one printable line: %q", len(line), line)
	}
}
