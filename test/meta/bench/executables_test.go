package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// The limits of an executable.
const (
	maxBinary  = 13 << 20 // bytes
	maxStartUp = 20 * time.Millisecond
)

// TestScaleOfExecutables measures the files and how long they need to start.
func TestScaleOfExecutables(t *testing.T) {
	bin := build(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "executable\tMB\tstart-up ms\t")
	for _, name := range []string{"host_error", "vm_failure", "vm_unknown", "host_isolated", "oneft"} {
		size, start := executable(t, filepath.Join(bin, name))
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t\n", name, float64(size)/(1<<20), float64(start)/float64(time.Millisecond))
		if size > maxBinary {
			t.Errorf("%s has %d bytes, want at most %d", name, size, maxBinary)
		}
		if *full && start > maxStartUp {
			t.Errorf("%s --version takes %s, want at most %s", name, start, maxStartUp)
		}
	}
	_ = w.Flush()
	t.Log("\n" + table.String())
}

// executable gives the size of a file and the shortest of some runs with --version:
// the shortest is what the program needs, the rest is what else the machine does.
func executable(t *testing.T, path string) (int64, time.Duration) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 20 {
		cmd := exec.CommandContext(t.Context(), path, "--version")
		cmd.Stdout = io.Discard
		start := time.Now()
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(start))
	}
	return info.Size(), best
}
