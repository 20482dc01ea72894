// Package mutants_test breaks one-ft on purpose: each deliberate bug of bugs.txtar has to be caught
// by a test. That the tests notice such bugs is what makes them worth something.
package mutants_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/tools/txtar"
)

// all plants every bug; without it is only looked whether each could be planted.
var all = flag.Bool("all", false, "plant every bug and run the tests that have to catch it")

// only are the bugs that -all plants.
var only = flag.String("only", "", "with -all plant the bugs whose names match this regular expression")

// limit is for the tests of one bug. One that makes them hang is caught, too.
const limit = 5 * time.Minute

// bug is a deliberate one.
type bug struct {
	name     string
	why      string // what it would mean
	file     string // below the root of the project
	old, new string
	tests    []string // package and pattern of tests that have to fail
}

// load reads bugs.txtar: for each bug a file "NAME" with the lines
//
//	what it would mean
//	file FILE
//	test PACKAGE PATTERN
//	- old text
//	+ new text
//
// of which the last two may be of several lines.
func load(t *testing.T) (bugs []bug) {
	text, err := os.ReadFile("bugs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(text).Files {
		b := bug{name: f.Name}
		var before, after []string
		for line := range strings.Lines(string(f.Data)) {
			line = strings.TrimRight(line, "\n")
			switch {
			case strings.HasPrefix(line, "- "):
				before = append(before, line[2:])
			case strings.HasPrefix(line, "+ "), line == "+":
				after = append(after, strings.TrimPrefix(line[1:], " "))
			case strings.HasPrefix(line, "file "):
				b.file = line[5:]
			case strings.HasPrefix(line, "test "):
				b.tests = append(b.tests, line[5:])
			case line != "":
				b.why = strings.TrimSpace(b.why + " " + line)
			}
		}
		b.old, b.new = strings.Join(before, "\n"), strings.Join(after, "\n")
		bugs = append(bugs, b)
	}
	return bugs
}

// TestReadme: test/README.md says how many bugs there are.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d bugs on purpose", len(load(t))); !strings.Contains(string(text), want) {
		t.Errorf("test/README.md does not say %q", want)
	}
}

// planted is the text of the file with the bug.
func (b bug) planted(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, b.file))
	if err != nil {
		return "", err
	}
	switch n := strings.Count(string(text), b.old); {
	case b.old == "" || b.why == "" || len(b.tests) == 0:
		return "", fmt.Errorf("it is not complete: it needs a sentence, the old text and a test")
	case n != 1:
		return "", fmt.Errorf("the old text stands %d times in %s; it has to be there once", n, b.file)
	}
	return strings.Replace(string(text), b.old, b.new, 1), nil
}

// TestBugs plants the bugs, or looks whether that is still possible.
func TestBugs(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	bugs := load(t)
	if len(bugs) < 20 {
		t.Errorf("%d bugs, want at least 20", len(bugs))
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	for _, b := range bugs {
		text, err := b.planted(root)
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		if !*all || !chosen.MatchString(b.name) {
			continue
		}
		failed, err := b.run(t, root, text)
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
		if len(failed) == 0 {
			t.Errorf("%s: no test caught it", b.name)
			failed = []string{"NOT CAUGHT"}
		}
		t.Logf("%s: %d tests", b.name, len(failed))
		fmt.Fprintf(w, "%s\t%s\n", b.name, strings.Join(failed, ", "))
	}
	_ = w.Flush()
	if *all {
		t.Log("\n" + table.String())
	}
}

// failedTest is a test that failed and has none below it: the innermost ones.
var failedTest = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// run runs the tests of a bug with the bug, and returns those that failed.
func (b bug) run(t *testing.T, root, text string) (failed []string, err error) {
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {filepath.Join(root, b.file): filepath.Join(dir, "bug.go")}}
	if err := os.WriteFile(filepath.Join(dir, "bug.go"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		return nil, err
	}
	for _, test := range b.tests {
		pkg, pattern, _ := strings.Cut(test, " ")
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-timeout", (limit - 10*time.Second).String(), "-overlay", filepath.Join(dir, "overlay.json"), "-run", pattern, pkg)
		cmd.Dir = root
		out, runErr := cmd.CombinedOutput()
		cancel()
		switch {
		case runErr == nil:
			return failed, fmt.Errorf("%s does not catch it", test)
		case strings.Contains(string(out), "[build failed]"), strings.Contains(string(out), "no tests to run"):
			return failed, fmt.Errorf("%s says nothing:\n%s", test, out)
		}
		failed = append(failed, innermost(string(out))...)
	}
	return failed, nil
}

// innermost are the failed tests that have no failed one below them.
func innermost(out string) (names []string) {
	for _, m := range failedTest.FindAllStringSubmatch(out, -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		return []string{"it hangs or panics"}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		return slices.ContainsFunc(names, func(o string) bool { return strings.HasPrefix(o, n+"/") })
	})
}
