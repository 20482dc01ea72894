package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// event is something to notify of: a file of the spool. All that is known of it is in the name of the file, so that
// none can be half written.
type event struct {
	kind   Kind
	number int    // of the incident
	only   string // the command that is tried once more; "" for all
}

// String is the event in words.
func (e event) String() string { return fmt.Sprintf("the %s of incident %d", e.kind, e.number) }

// name is the name of its file.
func (e event) name() string {
	name := fmt.Sprintf("%s-%d", e.kind, e.number)
	if e.only != "" {
		name += "-again-" + e.only
	}
	return name
}

// eventName is what name makes; a number has at most the nine digits of the journal's.
var eventName = text.Pattern(`^(begin|hold|end)-([1-9][0-9]{0,8})(?:-again-([0-9a-f]+))?$`)

// parseName reads what name makes, and nothing else.
func parseName(name string) (event, bool) {
	found := eventName().FindStringSubmatch(name)
	if found == nil || found[3] != "" && len(found[3]) != 2*idBytes {
		return event{}, false
	}
	number, err := strconv.Atoi(found[2])
	return event{Kind(found[1]), number, found[3]}, err == nil
}

// The other names in the spool.
const (
	// lockName is the file that the process that delivers has locked. In it is the time of the last sending.
	lockName = "lock"
	// toldName is the directory of the events that were delivered.
	toldName = "told"
)

// toldAge is how long a delivery is remembered. An incident that is held again after that is a new event. A choice.
const toldAge = 7 * 24 * time.Hour

// spool is the directory of events.
type spool struct{ dir string }

func (s spool) path(name string) string { return filepath.Join(s.dir, name) }

// add puts an event there; it is on the disk then.
func (s spool) add(e event) error {
	if err := s.make(); err != nil {
		return err
	}
	path := s.path(e.name())
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = statedir.OwnLikeParent(path) // only the owner of the directory matters
	return errors.Join(f.Sync(), f.Close(), statedir.SyncDir(s.dir))
}

// make makes the directories that are missing.
func (s spool) make() error {
	told := s.path(toldName)
	if info, err := os.Stat(told); err == nil && info.IsDir() {
		return nil
	}
	if err := statedir.MakeDir(told); err != nil {
		return err
	}
	for _, dir := range []string{s.dir, told} {
		_ = os.Chmod(dir, 0o750) // else it is somebody else's, who has done so
	}
	return nil
}

// list gives the events that wait, by the number of the incident and the kind, and removes what is none. A spool that
// is not there is empty.
func (s spool) list() ([]event, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var events []event
	for _, entry := range entries {
		e, ok := parseName(entry.Name())
		switch {
		case ok && entry.Type().IsRegular():
			events = append(events, e)
		case entry.Name() == lockName && entry.Type().IsRegular(), entry.Name() == toldName && entry.IsDir():
		default:
			_ = os.Remove(s.path(entry.Name())) // what stays, such as a full directory, is not in the way
		}
	}
	rank := func(k Kind) int { return slices.Index([]Kind{Begin, Hold, End}, k) }
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(a.number-b.number, rank(a.kind)-rank(b.kind), strings.Compare(a.only, b.only))
	})
	return events, nil
}

// take takes an event out of the spool. The same rename remembers the delivery, which also works on a disk that is
// full.
func (s spool) take(e event) error {
	path := s.path(e.name())
	if e.only == "" && os.Rename(path, filepath.Join(s.path(toldName), e.name())) == nil {
		return nil
	}
	return os.Remove(path) // what cannot be remembered must not hold up what comes after it
}

// clockSlack is by how much the times of files may be behind the clock.
const clockSlack = time.Minute

// told reports whether an event of an incident that began then was delivered. An older one of the same number is of a
// journal that was thrown away.
func (s spool) told(e event, began time.Time) bool {
	info, err := os.Lstat(filepath.Join(s.path(toldName), e.name()))
	return e.only == "" && err == nil && info.Mode().IsRegular() && !info.ModTime().Add(clockSlack).Before(began)
}

// forget removes what was delivered long ago.
func (s spool) forget(now time.Time) error {
	entries, err := os.ReadDir(s.path(toldName))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > toldAge {
			_ = os.Remove(filepath.Join(s.path(toldName), entry.Name())) // the next process retries
		}
	}
	return nil
}

// lock is the right to deliver. release lets the next process deliver.
type lock struct {
	f       *os.File
	release func()
}

// lock takes it without waiting; the error is statedir.ErrLocked if another process, or this one, has it.
func (s spool) lock(ctx context.Context) (lock, error) {
	f, release, err := statedir.LockFile(ctx, s.path(lockName), 0)
	return lock{f, release}, err
}

const maxTime = 20 // bytes of a time in the file, at most

// lastSent is when something was sent; the zero time if that is not known.
func (l lock) lastSent() time.Time {
	digits, _ := io.ReadAll(io.NewSectionReader(l.f, 0, maxTime+1))
	n, err := strconv.ParseInt(strings.TrimSpace(string(digits)), 10, 64)
	if err != nil || n < 1 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// setLastSent writes down when something was sent, in its place: a full disk has room for that.
func (l lock) setLastSent(t time.Time) error {
	_, err := fmt.Fprintf(io.NewOffsetWriter(l.f, 0), "%-*d\n", maxTime, t.UnixMilli())
	return err
}
