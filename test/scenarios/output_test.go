package scenarios_test

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"one-ft/test/sim/play"
)

// outputPath has what commands print in scenarios. It is worded for people, so that a message with other words changes
// this file and no scenario.
const outputPath = "testdata/output.golden"

// outputs are what commands printed, by scenario and version.
type outputs struct {
	mu    sync.Mutex
	known map[playing]string
}

type playing struct{ scenario, version string }

// loadOutputs reads the file.
func loadOutputs(t *testing.T) *outputs {
	t.Helper()
	o := &outputs{known: map[playing]string{}}
	text, err := os.ReadFile(outputPath)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(text).Files {
		name, versions, _ := strings.Cut(f.Name, ":")
		for _, v := range strings.Fields(versions) {
			o.known[playing{name, v}] = string(f.Data)
		}
	}
	return o
}

// compare checks one output, or takes it over.
func (o *outputs) compare(t *testing.T, p playing, seen string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	switch want := o.known[p]; {
	case play.Same(want, seen):
	case *update && seen == "":
		delete(o.known, p)
	case *update:
		o.known[p] = seen
	default:
		t.Errorf("commands print other texts than %s has (- expected, + seen; go test ./test/scenarios -run %s -update accepts it):\n%s",
			outputPath, t.Name(), play.Diff(want, seen))
	}
}

// write writes the file; versions that print the same share a section.
func (o *outputs) write(t *testing.T) {
	var a txtar.Archive
	for _, p := range slices.SortedFunc(maps.Keys(o.known), func(a, b playing) int {
		return cmp.Or(strings.Compare(a.scenario, b.scenario), slices.Index(play.Releases(), a.version)-slices.Index(play.Releases(), b.version))
	}) {
		if _, err := os.Stat(p.scenario + ".txtar"); err != nil {
			continue
		}
		text := strings.TrimSpace(o.known[p]) + "\n\n"
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool {
			return strings.HasPrefix(f.Name, p.scenario+":") && string(f.Data) == text
		})
		if i >= 0 {
			a.Files[i].Name += " " + p.version
			continue
		}
		a.Files = append(a.Files, txtar.File{Name: p.scenario + ": " + p.version, Data: []byte(text)})
	}
	if err := os.WriteFile(outputPath, txtar.Format(&a), 0o644); err != nil {
		t.Error(err)
	}
}
