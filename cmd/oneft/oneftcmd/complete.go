package oneftcmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

const (
	// completeLimit is for all of a completion: who pressed Tab waits for it. The shells get an answer within a second, the start
	// of this process included (2 to 4 ms).
	completeLimit = 900 * time.Millisecond
	// mostCandidates are shown at most; the newest incidents, the lowest IDs. A choice: no terminal shows more, and a pipe takes
	// that many lines at once.
	mostCandidates = 500
	// mostNumbers is how many incidents are looked at: reading the heads of 1,000, which is all that are kept, takes 40 ms.
	mostNumbers = 2000
	// maxCandidate is how many characters of a name are shown beside its ID.
	maxCandidate = 60
)

// complete is the command that completions of shells call: oneft complete hosts|vms|incidents [BEGINNING]. It prints the IDs that
// begin so, in lines with a tab and what they are, or nothing, within a second: no errors, no log, no file, no part of a line.
func (t *tool) complete() *cli.Command {
	return &cli.Command{
		Name: "complete", Usage: "print IDs and names for the completions of shells", ArgsUsage: "hosts|vms|incidents [BEGINNING]", Hidden: true,
		Flags: app.FlagsFor("dry-run"),
		Action: func(c *cli.Context) error {
			ctx, cancel := context.WithTimeout(c.Context, completeLimit)
			defer cancel()
			found := make(chan string, 1)
			go func() { found <- t.candidates(ctx, c) }() // left behind when a disk or oned does not answer
			select {
			case lines := <-found:
				_, _ = io.WriteString(t.env.Stdout, lines)
			case <-ctx.Done():
			}
			return nil
		},
	}
}

// candidates are the lines of a completion.
func (t *tool) candidates(ctx context.Context, c *cli.Context) string {
	kind, begins := c.Args().First(), c.Args().Get(1)
	if kind == "incidents" {
		return lined(t.numbers(c), begins)
	}
	list := map[string]func(*one.Client, context.Context) ([]one.Named, error){"hosts": (*one.Client).HostNames, "vms": (*one.Client).VMNames}[kind]
	s, err := app.Look(ctx, c, t.env)
	if list == nil || err != nil {
		return ""
	}
	all, err := list(s.Client, ctx)
	if err != nil {
		return ""
	}
	return lined(all, begins)
}

// numbers are the incidents, the newest first, each with what it is about and how it stands.
func (t *tool) numbers(c *cli.Context) (all []one.Named) {
	_, dir, err := app.LoadConfig(c, app.FindPaths(t.env.Getenv))
	path := statedir.Dir(dir.Path).Incidents()
	if _, missing := os.Stat(path); err != nil || missing != nil { // and none is made
		return nil
	}
	j, err := incident.OpenJournal(path)
	if err != nil {
		return nil
	}
	for _, r := range j.Glimpse(mostNumbers, false) {
		all = append(all, one.Named{ID: r.Number, Name: report.Name(r) + ": " + string(r.Status)})
	}
	return all
}

// lined are the lines of those whose ID begins so.
func lined(all []one.Named, begins string) string {
	var b strings.Builder
	n := 0
	for _, o := range all {
		if id := strconv.Itoa(o.ID); strings.HasPrefix(id, begins) && n < mostCandidates {
			fmt.Fprintf(&b, "%s\t%s\n", id, text.Short(o.Name, maxCandidate))
			n++
		}
	}
	return b.String()
}
