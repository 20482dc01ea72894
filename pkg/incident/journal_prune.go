package incident

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/statedir"
)

// tempAge is after how long a file of a process that was killed while it wrote is removed: writing takes seconds.
const tempAge = time.Hour

// Prune removes ended incidents: those beyond the newest keep, and those that ended longer than age ago. It never
// removes unfinished ones. It removes what was set aside longer than age ago, and what killed processes left. It goes
// on after an error.
func (j *Journal) Prune(keep int, age time.Duration, now time.Time) error {
	numbers, _, err := j.numbers()
	if err != nil {
		return err
	}
	var remove []int
	var failed []error
	kept := 0
	for _, n := range numbers {
		if g := j.glance(n); g.status.Ended() && !g.ended.IsZero() && kept < keep && now.Sub(g.ended) <= age {
			kept++ // nearly all of them, of which no more has to be read
			continue
		}
		r, err := j.read(n, head)
		switch {
		case errors.Is(err, ErrNoIncident), errors.Is(err, errLater):
		case err != nil:
			failed = append(failed, err)
		case r.Status.Unfinished():
		case kept >= keep || now.Sub(*cmp.Or(r.Ended, &r.Began)) > age:
			remove = append(remove, n)
		default:
			kept++
		}
	}
	remove, err = j.remember(numbers, remove)
	failed = append(failed, err)
	for _, n := range remove {
		failed = append(failed, statedir.Remove(filepath.Join(j.dir, fileName(n))))
	}
	failed = append(failed, j.pruneLeftovers(age, now))
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("prune the journal: %w", err)
	}
	return nil
}

// remember writes the highest number down if its record is about to be removed, and leaves that record if it cannot.
func (j *Journal) remember(numbers, remove []int) ([]int, error) {
	if len(remove) == 0 || remove[0] != numbers[0] || remove[0] <= j.lastRemoved() {
		return remove, nil
	}
	if err := statedir.Replace(filepath.Join(j.dir, lastName), []byte(strconv.Itoa(remove[0])+"\n")); err != nil {
		return remove[1:], fmt.Errorf("remember the number %d: %w", remove[0], err)
	}
	return remove, nil
}

// lastRemoved is what remember wrote, 0 if it cannot be read: the numbers of the records count as well.
func (j *Journal) lastRemoved() int {
	const most = 20 // a number and a line break
	number, _ := statedir.ReadSmall(filepath.Join(j.dir, lastName), most)
	n, err := strconv.Atoi(strings.TrimSpace(string(number)))
	if err != nil || n < 0 || n > maxNumber-maxTries {
		return 0
	}
	return n
}

// pruneLeftovers removes damaged files older than age and temporary ones older than tempAge.
func (j *Journal) pruneLeftovers(age time.Duration, now time.Time) error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		limit := tempAge
		name, set := strings.CutSuffix(e.Name(), damagedSuffix)
		if _, ok := parseName(name); set && ok {
			limit = age
		} else if !strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		info, err := e.Info()
		if err != nil || info.IsDir() { // gone, or nothing that one-ft made
			continue
		}
		if now.Sub(changedAt(info)) > limit {
			failed = append(failed, statedir.Remove(filepath.Join(j.dir, e.Name())))
		}
	}
	return errors.Join(failed...)
}

// changedAt is when a file was written or renamed, whichever is later: a damaged one is as old as the time since it
// was set aside.
func changedAt(info os.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}

// RemoveLeftovers removes the files that killed processes have left half written below the state directory, apart
// from the journal, which Prune looks after. Errors do not matter: the next process retries.
func RemoveLeftovers(stateDir string, now time.Time) {
	const deepest = 3
	_ = filepath.WalkDir(stateDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if rel, err := filepath.Rel(stateDir, path); d.IsDir() && (err != nil || strings.Count(rel, string(filepath.Separator)) >= deepest) {
			return fs.SkipDir
		}
		ours := slices.ContainsFunc([]string{".host-", ".front-end-", ".VM-", ".metrics.json-", ".ways.json-", ".watch.json-", ".alive-"}, func(p string) bool { return strings.HasPrefix(d.Name(), p) }) ||
			filepath.Dir(path) == statedir.Dir(stateDir).Commands() && d.Name()[0] == '.'
		if !ours {
			return nil // a look at each lock and incident would take its time
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() && now.Sub(info.ModTime()) > tempAge {
			_ = os.Remove(path)
		}
		return nil
	})
}
