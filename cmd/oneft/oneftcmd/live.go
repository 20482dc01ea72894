package oneftcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/process"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

const (
	// liveEvery is how often the journal is read while somebody watches: reading the heads of 1,000 incidents takes 40 ms.
	liveEvery = 2 * time.Second
	// checkEvery is how often check --watch looks at everything: a check takes oned some 20 calls.
	checkEvery = 30 * time.Second
	// liveOpen is how many incidents are shown at once; the newest first.
	liveOpen = 20
	// clear goes to the first place of a terminal and empties it (ECMA-48: CUP and ED).
	clear = "\x1b[H\x1b[2J"
)

// screen shows lines that change: a terminal is redrawn, anything else gets the lines that were not there before, with the time.
type screen struct {
	out      io.Writer
	terminal bool
	shown    []string
}

// show shows lines. The error is that of the output: nobody reads it any more.
func (s *screen) show(lines []string, now time.Time) error {
	var b strings.Builder
	switch {
	case s.terminal:
		b.WriteString(clear + now.Format(time.TimeOnly) + "\n")
		for _, line := range lines {
			b.WriteString(text.Printable(line) + "\n")
		}
	default:
		for _, line := range lines {
			if !slices.Contains(s.shown, line) {
				b.WriteString(now.Format(time.TimeOnly) + " " + text.Printable(line) + "\n")
			}
		}
	}
	s.shown = lines
	_, err := io.WriteString(s.out, b.String())
	return err
}

// follow shows what view gives until the context ends or nobody reads it any more.
func (s *screen) follow(ctx context.Context, every time.Duration, view func(context.Context) []string) {
	for {
		if s.show(view(ctx), time.Now()) != nil || !process.Pause(ctx, every) {
			return
		}
	}
}

// live are the lines about what goes on, from the journal of a state directory alone. A journal that is not there yet says nothing.
func live(dir statedir.Dir, now time.Time) []string {
	if err := dir.Closed(); err != nil {
		return []string{"which incidents are open is not known: " + err.Error()}
	}
	if _, err := os.Stat(dir.Incidents()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	j, err := incident.OpenJournal(dir.Incidents())
	if err != nil {
		return []string{err.Error()}
	}
	heads, failed := j.Summaries()
	var records []incident.Record
	for _, r := range heads { // the newest first
		if len(records) == liveOpen {
			break
		}
		if r.Status.Unfinished() {
			if whole, err := j.Load(r.Number); err == nil {
				r = whole
			}
		} else if r.Ended == nil || now.Sub(*r.Ended) > time.Hour {
			continue
		}
		records = append(records, r)
	}
	lines := report.Live(records, now)
	for _, err := range failed {
		lines = append(lines, err.Error())
	}
	return lines
}

// orNothing is the lines, or one that says that there is nothing.
func orNothing(lines []string) []string {
	if len(lines) == 0 {
		return []string{"no incident is open"}
	}
	return lines
}

// atTime is a time of day of today, else with its date.
func atTime(at, now time.Time) string {
	if now.Sub(at).Abs() < 24*time.Hour {
		return at.Format(time.TimeOnly)
	}
	return fmt.Sprint(at.Format(time.DateTime))
}
