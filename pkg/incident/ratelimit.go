package incident

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"one-ft/pkg/statedir"
)

// Rate bounds how many VMs all one-ft processes of a front-end act on in a minute, apart
// from those of failed hosts: when a datastore fails, a thousand VMs fail with it.
type Rate struct {
	path string
	per  int // minute
}

const (
	rateWindow = time.Minute
	// rateBusy is how long to wait while another process takes its turn, which takes less.
	rateBusy = 20 * time.Millisecond
)

// NewRate keeps the turns in a directory, which is made when the first is taken. perMinute
// is at least 1.
func NewRate(dir string, perMinute int) *Rate {
	return &Rate{path: filepath.Join(dir, "rate"), per: max(perMinute, 1)}
}

// Take takes one turn, or says how long to wait before the next attempt. The file is locked
// for the moment that this takes. The times in it have seconds.
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
