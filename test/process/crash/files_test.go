package crash_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"one-ft/pkg/incident"
)

// fileVersion is the version for kills at changes of files, which do not depend on it.
const fileVersion = "6.10.0"

// TestKilledAtEveryFileOperation kills host_error after every call of the kernel that changes a
// file, a directory or a lock: for the files this is the same as before the next one.
func TestKilledAtEveryFileOperation(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	changes := map[string]int{}
	n, statuses := sweep(t, fileVersion, func(ctx context.Context, w *world, f frontEnd, point int) (string, error) {
		where, err := killAtChange(ctx, w, f, &tracer{dir: f.dir, point: point})
		if name, _, _ := strings.Cut(where, " "); where != "" {
			mu.Lock()
			defer mu.Unlock()
			changes[name]++
		}
		return where, err
	})
	t.Logf("%d changes of files: %v; incidents: %v", n, changes, statuses)
	// Each VM has a lock, which is made, taken and given back; the journal is written by rename.
	seen := slices.Collect(maps.Keys(changes))
	for _, name := range []string{"openat", "write", "fsync", "rename", "flock", "close", "unlink", "mkdir"} {
		if !slices.Contains(seen, name) {
			t.Errorf("never killed at %s", name)
		}
	}
	if statuses[""] == 0 || statuses[incident.Open] == 0 {
		t.Errorf("never killed without an incident, or while it was open: %v", statuses)
	}
	if n < 3*(*vmCount) {
		t.Errorf("killed at %d changes: a recovery makes more", n)
	}
}

// TestKilledAfterTheEndIsOnTheDisk kills host_error before every change of a file from then on. Their
// number up to there differs from run to run, so a count from the begin may miss some.
func TestKilledAfterTheEndIsOnTheDisk(t *testing.T) {
	t.Parallel()
	n, statuses := sweep(t, fileVersion, func(ctx context.Context, w *world, f frontEnd, point int) (string, error) {
		return killAtChange(ctx, w, f, &tracer{dir: f.dir, point: point, before: true, from: f.done})
	})
	t.Logf("%d changes of files; incidents: %v", n, statuses)
	if n < 3 || statuses[incident.Done] != n {
		t.Errorf("killed at %d changes, which left the incidents %v", n, statuses)
	}
}

// killAtChange is a first event whose process is killed at a change of a file.
func killAtChange(ctx context.Context, w *world, f frontEnd, tr *tracer) (where string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return trace(ctx, f.event(ctx, w), tr)
}

// done reports whether the end of the first incident is on the disk.
func (f frontEnd) done() bool {
	text, err := os.ReadFile(filepath.Join(f.state(), "incidents", "incident-000001.json"))
	return err == nil && bytes.Contains(text, fmt.Appendf(nil, `"status": %q`, incident.Done))
}
