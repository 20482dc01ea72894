package incident

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Rate bounds how many VMs all one-ft processes of a front-end act on in a minute, apart
// from those of failed hosts: when a datastore fails, a thousand VMs fail with it.
type Rate struct {
	path string
	per  int // minute
}

// rateWindow is the minute.
const rateWindow = time.Minute

// NewRate keeps the turns in a directory, which is made when the first is taken. perMinute
// is at least 1.
func NewRate(dir string, perMinute int) *Rate {
	return &Rate{path: filepath.Join(dir, "rate"), per: max(perMinute, 1)}
}

// Take takes one turn, or says how long to wait before asking again. The file is locked
// for the moment that this takes. The times in it have seconds.
func (r *Rate) Take(now time.Time) (wait time.Duration, err error) {
	if err := makeDir(filepath.Dir(r.path)); err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return rateBusy, nil
	} else if err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxAttemptsFile))
	if err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	var recent []time.Time
	for _, t := range ParseTimes(string(text)) {
		if age := now.Sub(t); age >= 0 && age < rateWindow {
			recent = append(recent, t)
		}
	}
	if len(recent) >= r.per {
		return recent[len(recent)-r.per].Add(rateWindow).Sub(now), nil
	}
	line := FormatTimes(append(recent, now)) + "\n"
	if _, err = f.WriteAt([]byte(line), 0); err == nil {
		err = f.Truncate(int64(len(line)))
	}
	if err != nil {
		return 0, fmt.Errorf("count the actions of this minute: %w", err)
	}
	return 0, nil
}

// rateBusy is how long to wait while another process takes its turn, which takes less.
const rateBusy = 20 * time.Millisecond
