package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// entry is one version of the changelog.
type entry struct {
	version string
	when    time.Time
	changes []string
}

// changelog writes the changelog as nfpm reads it, newest version first: one entry for what is
// built, with the commits since the last tag, and one for each tag before it. Outside a
// clone it has the one entry. version is the one of the package, with its release, such as 1.2.0-1.
func changelog(ctx context.Context, out io.Writer, version, maintainer string, made time.Time) error {
	entries := []entry{{version: version, when: made}}
	// Fails where there is no clone. Lines are as long as Debian's policy asks for, and indented as nfpm does the first.
	log, _ := exec.CommandContext(ctx, "git", "log", "-z", "--first-parent", "--format=%ct%x09%D%x09%w(76,0,4)%s").Output()
	for record := range strings.SplitSeq(string(log), "\x00") {
		fields := strings.SplitN(record, "\t", 3)
		if len(fields) != 3 {
			continue
		}
		if tag := tagOf(fields[1]); tag != "" && !strings.HasPrefix(version, tag+"-") {
			committed, _ := strconv.ParseInt(fields[0], 10, 64) // git's own
			entries = append(entries, entry{version: tag + "-1", when: time.Unix(committed, 0)})
		}
		last := &entries[len(entries)-1]
		last.changes = append(last.changes, strings.ReplaceAll(fields[2], "\t", " "))
	}
	for _, e := range entries {
		if len(e.changes) == 0 {
			e.changes = []string{"Built from the source."}
		}
		fmt.Fprintf(out, "- semver: %s\n  date: %s\n  packager: %s\n  deb: {urgency: medium, distributions: [stable]}\n  changes:\n", strconv.Quote(e.version), e.when.UTC().Format(time.RFC3339), strconv.Quote(maintainer))
		for _, change := range e.changes {
			fmt.Fprintf(out, "    - note: %s\n", strconv.Quote(change))
		}
	}
	return nil
}

// tagOf is the version that git's names of a commit tag it with; "" without.
func tagOf(names string) string {
	for name := range strings.SplitSeq(names, ", ") {
		if tag, ok := strings.CutPrefix(name, "tag: v"); ok {
			return tag
		}
	}
	return ""
}
