package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLogs: the end of a log of any content is read in lines.
func FuzzLogs(f *testing.F) {
	f.Add("Tue [I]: Loading Hooks...\nTue [E]: Cannot get hook information, retrying\n")
	f.Add("Cannot get hook information\nHooks successfully loaded\n")
	f.Add("\x00\xff\n" + strings.Repeat("x", 3000))
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines := tail(path)
		for _, line := range lines {
			if strings.Contains(line, "\n") || !strings.Contains(text, line) {
				t.Errorf("%q", line)
			}
		}
		if most := strings.Count(text, "\n") + 1; len(lines) > most {
			t.Errorf("%d lines of %d", len(lines), most)
		}
		if failed := failedLoad(path); failed != "" && !strings.Contains(failed, "Cannot get hook information") {
			t.Errorf("%q", failed)
		}
	})
}
