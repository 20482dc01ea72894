package messages

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the texts for users, by their path below the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || slices.Contains([]string{"build", "bin", "testdata"}, d.Name())) {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	// inAnchors is what an anchor has of its heading, as code hosts make it: lower case, blanks as dashes, no other marks.
	inAnchors = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors are the places of a document that a link can name.
func anchors(text string) (list []string) {
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		list = append(list, strings.ReplaceAll(strings.ToLower(inAnchors.ReplaceAllString(h[1], "")), " ", "-"))
	}
	return list
}

// TestDocuments: every link of a document leads somewhere, each executable and the proof have a document, and a stranger reads
// the first one in one go.
func TestDocuments(t *testing.T) {
	all := documents(t)
	for _, name := range []string{
		"README.md", "cmd/host_error/README.md", "cmd/vm_failure/README.md", "cmd/vm_unknown/README.md", "cmd/host_isolated/README.md",
		"cmd/oneft/README.md", "cmd/oneft/ROLLOUT.md", "cmd/oneft/RUNBOOK.md", "cmd/oneft/CHANGELOG.md", "cmd/oneft/SECURITY.md",
		"pkg/fence/README.md", "test/README.md",
	} {
		if all[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if n := strings.Count(all["README.md"], "\n"); n > 170 {
		t.Errorf("README.md has %d lines, at most 170", n)
	}
	for name, text := range all {
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			if problem := broken(all, name, l[1]); problem != "" {
				t.Errorf("%s: %s", name, problem)
			}
		}
	}
}

// broken says what is wrong with a link of a document; "" for nothing, and for links to other sites.
func broken(all map[string]string, name, to string) string {
	if strings.Contains(to, "://") {
		return ""
	}
	path, anchor, hasAnchor := strings.Cut(to, "#")
	target := name
	if path != "" {
		target = filepath.Join(filepath.Dir(name), path)
	}
	if _, err := os.Stat(filepath.Join(root, target)); err != nil {
		return fmt.Sprintf("the link %s leads nowhere: %v", to, err)
	}
	if hasAnchor && !slices.Contains(anchors(all[target]), anchor) {
		return fmt.Sprintf("the link %s: %s has no such heading", to, target)
	}
	return ""
}
