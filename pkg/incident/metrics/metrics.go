// Package metrics counts what became of incidents, for Prometheus: a file of cumulative
// counters that does not forget what is pruned from the journal, and a text file for
// node_exporter's textfile collector.
package metrics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/incident"
)

const (
	// lockLimit is the most time that Add waits for other processes; each takes some
	// milliseconds.
	lockLimit = 10 * time.Second
	// lockPause is the time between two looks at the lock.
	lockPause = 20 * time.Millisecond

	stateMode = 0o640
	promMode  = 0o644 // node_exporter is another user
)

// ErrDamaged means that the file of counters was damaged. It was set aside, and Add has
// counted from zero and written both files: Prometheus copes with counters that begin anew.
var ErrDamaged = errors.New("the counters were damaged and begin anew")

// Add counts an incident that has ended, in stateFile, and writes all counters to promFile, which
// node_exporter reads, or "" for none. Both are absolute paths; their directories exist. One
// process does it at a time; Add waits for others for 10 s at most. now is the time; the end of an
// incident does not count as later. If only promFile could not be written, it is counted all the same.
func Add(stateFile, promFile string, r incident.Record, now time.Time) error {
	if r.Ended == nil || r.Status.Unfinished() {
		return fmt.Errorf("count incident %d: it has not ended", r.Number)
	}
	release, err := lock(stateFile + ".lock")
	if err != nil {
		return fmt.Errorf("count incident %d: %w", r.Number, err)
	}
	defer release()
	s, damage := load(stateFile)
	if damage != nil && !errors.Is(damage, ErrDamaged) {
		return fmt.Errorf("count incident %d: %w", r.Number, damage)
	}
	s.add(r, now)
	text, err := s.encode()
	if err == nil {
		err = replace(stateFile, text, stateMode)
	}
	if err != nil {
		return errors.Join(damage, fmt.Errorf("count incident %d: %w", r.Number, err))
	}
	if promFile != "" {
		if err := replace(promFile, s.exposition(), promMode); err != nil {
			return errors.Join(damage, fmt.Errorf("write the metrics: %w", err))
		}
	}
	return damage
}

// StepSeconds gives how long each step of an incident took, in seconds: from its first
// event to the first event of the step that came next, and the last one to the end of the
// incident. A step that comes again later is no new one. A clock that was set back makes 0.
func StepSeconds(r incident.Record) map[incident.Step]float64 {
	var firsts []incident.Event
	for _, e := range r.Events {
		if !slices.ContainsFunc(firsts, func(f incident.Event) bool { return f.Step == e.Step }) {
			firsts = append(firsts, e)
		}
	}
	seconds := make(map[incident.Step]float64, len(firsts))
	for i, e := range firsts {
		until := e.At
		switch {
		case i+1 < len(firsts):
			until = firsts[i+1].At
		case r.Ended != nil:
			until = *r.Ended
		}
		seconds[e.Step] = max(0, until.Sub(e.At).Seconds())
	}
	return seconds
}

// held reports whether an incident was held because many hosts had failed. Events of one-ft without
// kinds have only their text.
func held(r incident.Record) bool {
	return slices.ContainsFunc(r.Events, func(e incident.Event) bool {
		return e.Kind == incident.KindHeld || e.Kind == "" && e.Step == incident.StepGuard && strings.HasPrefix(e.Text, "holding:")
	})
}

// lock takes the lock of a file, which it makes, and waits for it.
func lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, stateMode)
	if err != nil {
		return nil, err
	}
	_ = incident.OwnLikeParent(path) // if it cannot be given, root counts
	began := time.Now()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case time.Since(began) >= lockLimit:
			f.Close()
			return nil, fmt.Errorf("%s is locked by another process for more than %s", path, lockLimit)
		}
		time.Sleep(lockPause)
	}
}

// tempSuffix ends the name of the file that is there while a process writes. node_exporter reads only
// names that end in .prom.
const tempSuffix = ".new"

// replace writes a file as a whole. The caller holds the lock, so one temporary name is
// enough, and what a killed process left is replaced.
func replace(path string, text []byte, mode os.FileMode) error {
	temp := path + tempSuffix
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(mode) // whatever the umask is
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		_ = incident.OwnLikeParent(temp) // only the owner of the directory matters
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
