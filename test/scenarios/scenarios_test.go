// Package scenarios_test plays the scenario files: what has to happen in which outage, on
// which version, one file each, in a directory for each promise of one-ft.
package scenarios_test

import (
	"errors"
	"flag"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/test/sim/play"
)

// update writes what was seen into the files: read it before you commit it.
var update = flag.Bool("update", false, "write the logs that differ into the scenario files")

// TestMain gives all scenarios one time zone, and a fence agent that is found in PATH; what it
// does is simulated.
func TestMain(m *testing.M) {
	flag.Parse()
	time.Local = time.UTC
	debug.SetGCPercent(400) // there is more memory than time
	dir, err := os.MkdirTemp("", "one-ft-agents-")
	if err == nil {
		for _, agent := range play.Agents() {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, agent), []byte("#!/bin/false\n"), 0o755))
		}
	}
	if err == nil {
		err = os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// scratch makes a directory in memory where there is one: a scenario writes many small files.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "one-ft-scenario-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// files are all scenario files.
func files(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("*/*.txtar")
	if err != nil || len(all) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return all
}

// played is a scenario on a version.
func played(t *testing.T, s play.Scenario, family string) (result play.Result) {
	dir := scratch(t)
	synctest.Test(t, func(t *testing.T) {
		var err error
		if result, err = play.Run(s, family, dir); err != nil {
			t.Fatal(err)
		}
	})
	for _, p := range result.Problems {
		t.Errorf("%s", p)
	}
	return result
}

// TestScenarios plays every file on each of its versions, and compares what was decided and done,
// and when, with what has to be. Logs have kinds and fields of what happened, and no sentences.
func TestScenarios(t *testing.T) {
	printed := loadOutputs(t)
	if *update {
		t.Cleanup(func() { printed.write(t) })
	}
	for _, path := range files(t) {
		t.Run(strings.TrimSuffix(path, ".txtar"), func(t *testing.T) {
			t.Parallel()
			s, err := play.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]string{}
			for _, v := range chosen(path, s.Versions) {
				t.Run(v, func(t *testing.T) {
					result := played(t, s, v)
					seen[v] = result.Log
					printed.compare(t, playing{strings.TrimSuffix(path, ".txtar"), v}, result.Output)
					want, known := s.Logs[v]
					switch {
					case *update:
					case !known:
						t.Errorf("there is no log for %s; look at it, and accept it with -update:\n%s", v, seen[v])
					case !play.Same(want, seen[v]):
						t.Errorf("another log (- expected, + seen; go test ./test/scenarios -run %s -update accepts it):\n%s", t.Name(), play.Diff(want, seen[v]))
					}
				})
			}
			if *update && !t.Failed() {
				accept(t, path, s, seen)
			}
		})
	}
}

// allVersions plays all versions with the race detector, too.
var allVersions = flag.Bool("all-versions", false, "with -race play each scenario on all of its versions")

// chosen are the versions that a file is played on: all of them. Under the race detector, where each costs five times as
// much, every fifth file is played on one, which is another one from file to file. make test plays both ways.
func chosen(path string, versions []string) []string {
	if !raceEnabled() || *allVersions || *update {
		return versions
	}
	const fifth = 5
	h := fnv.New32a()
	_, _ = h.Write([]byte(path)) // never fails
	n := int(h.Sum32())
	if n%fifth != 0 {
		return nil
	}
	i := n / fifth % len(versions)
	return versions[i : i+1]
}

// accept writes the logs into the file.
func accept(t *testing.T, path string, s play.Scenario, seen map[string]string) {
	for v := range s.Logs {
		if !slices.Contains(s.Versions, v) {
			delete(s.Logs, v)
		}
	}
	for v, log := range seen {
		if !play.Same(s.Logs[v], log) {
			s.Logs[v] = log
		}
		s.Logs[v] = strings.TrimSpace(s.Logs[v]) + "\n"
	}
	if err := os.WriteFile(path, s.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
}
