package incident

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/statedir"
)

// Attempts are the times of automatic actions on VMs, in a directory that all one-ft processes of a front-end share.
type Attempts struct{ dir string }

const (
	// keepAttempts is how many attempts at one VM are kept, more than any budget has.
	keepAttempts = 100
	// maxAttemptsFile bounds the file of one VM in bytes: a line per attempt.
	maxAttemptsFile = 64 << 10
)

// NewAttempts keeps attempts in a directory, which is made when the first is added.
func NewAttempts(dir string) *Attempts { return &Attempts{dir: dir} }

// Of gives the attempts at a VM, oldest first. Lines that are no time are skipped: a damaged file must not stop a
// recovery, and what it lost is in the history of the VM.
func (a *Attempts) Of(vmID int) ([]time.Time, error) {
	times, err := statedir.ReadSmall(a.path(vmID), maxAttemptsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, statedir.ErrTooLarge) {
		return nil, fmt.Errorf("read the attempts at VM %d: %w", vmID, err)
	}
	return ParseTimes(string(times)), nil
}

// AttrAttempts is where attempts that leave no trace in the history of a VM are noted in its user template, for other
// front-ends. Its owner can change it, so it only adds to what is known otherwise.
const AttrAttempts = "FT_ATTEMPTS"

// All are the attempts at a VM that this front-end or its user template knows, beside an error those of the latter.
func (a *Attempts) All(vmID int, userTemplate map[string]string) ([]time.Time, error) {
	own, err := a.Of(vmID)
	all := append(ParseTimes(userTemplate[AttrAttempts]), own...)
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, func(x, y time.Time) bool { return x.Unix() == y.Unix() }), err
}

// Add writes an attempt down, on the disk when it returns. Whoever calls it holds the lock of the VM.
func (a *Attempts) Add(vmID int, at time.Time) error {
	all, err := a.Of(vmID)
	if err == nil {
		err = statedir.MakeDir(a.dir)
	}
	if err == nil {
		all = append(all, at)
		err = statedir.Replace(a.path(vmID), []byte(FormatTimes(all[max(0, len(all)-keepAttempts):])+"\n"))
	}
	if err != nil {
		return fmt.Errorf("note the attempt at VM %d: %w", vmID, err)
	}
	return nil
}

func (a *Attempts) path(vmID int) string {
	return filepath.Join(a.dir, fmt.Sprintf("VM-%d", vmID))
}

// ParseTimes reads times in Unix seconds with blanks between them. What is no time is skipped: owners of VMs can
// write there, too.
func ParseTimes(text string) (times []time.Time) {
	for _, word := range strings.Fields(text) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil && n > 0 && len(times) < keepAttempts {
			times = append(times, time.Unix(n, 0))
		}
	}
	return times
}

// FormatTimes is what ParseTimes reads.
func FormatTimes(times []time.Time) string {
	words := make([]string, len(times))
	for i, t := range times {
		words[i] = strconv.FormatInt(t.Unix(), 10)
	}
	return strings.Join(words, " ")
}

// Rate bounds how many VMs all one-ft processes of a front-end act on in a minute, apart from those of failed hosts:
// when a datastore fails, a thousand VMs fail with it.
type Rate struct {
	path string
	per  int // minute
}

const (
	rateWindow = time.Minute
	// rateBusy is how long to wait while another process takes its turn, which takes less.
	rateBusy = 20 * time.Millisecond
)

// NewRate keeps the turns in a directory, which is made when the first is taken. perMinute is at least 1.
func NewRate(dir string, perMinute int) *Rate {
	return &Rate{path: filepath.Join(dir, "rate"), per: max(perMinute, 1)}
}

// Take takes one turn, or says how long to wait before the next attempt. The file is locked for the moment that this
// takes. The times in it have seconds.
func (r *Rate) Take(now time.Time) (wait time.Duration, err error) {
	if wait, err = r.take(now); err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	return wait, nil
}

func (r *Rate) take(now time.Time) (wait time.Duration, err error) {
	if err := statedir.MakeDir(filepath.Dir(r.path)); err != nil {
		return 0, err
	}
	f, release, err := statedir.LockFile(context.Background(), r.path, 0) // which does not wait
	if errors.Is(err, statedir.ErrLocked) {
		return rateBusy, nil
	}
	if err != nil {
		return 0, err
	}
	defer release()
	turns, err := io.ReadAll(io.LimitReader(f, maxAttemptsFile))
	if err != nil {
		return 0, err
	}
	var recent []time.Time
	for _, t := range ParseTimes(string(turns)) {
		if age := now.Sub(t); age >= 0 && age < rateWindow {
			recent = append(recent, t)
		}
	}
	if len(recent) >= r.per {
		return recent[len(recent)-r.per].Add(rateWindow).Sub(now), nil
	}
	line := FormatTimes(append(recent, now)) + "\n"
	if _, err = f.WriteAt([]byte(line), 0); err != nil {
		return 0, err
	}
	return 0, f.Truncate(int64(len(line)))
}
