package failfast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/statedir"
)

const (
	// lockWait is how long another process is waited for; it has the lock for milliseconds.
	lockWait = 2 * time.Second
	lockName = ".lock"
)

// ErrBusy is another process that has had the lock over the marks for too long.
var ErrBusy = errors.New("another process has held the lock over the marks of hosts for 2s")

// make makes the directory of the marks. The state directory is there: the journal is in it.
func (m Marks) make() error {
	err := os.Mkdir(m.dir, 0o755)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return statedir.OwnLikeParent(m.dir)
}

// lock gives the function that ends it. Errors: ErrBusy, and those of the file system.
func (m Marks) lock(ctx context.Context) (func(), error) {
	_, unlock, err := statedir.LockFile(ctx, filepath.Join(m.dir, lockName), lockWait)
	if errors.Is(err, statedir.ErrLocked) {
		err = ErrBusy
	}
	return unlock, err
}

// read gives the holds of a mark.
func (m Marks) read(name string) ([]Hold, error) {
	text, err := statedir.ReadSmall(m.Path(name), maxMark)
	if err != nil {
		return nil, err
	}
	return decode(text)
}

func decode(text []byte) ([]Hold, error) {
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	if len(c.Holds) == 0 {
		return nil, errors.New("it names no host")
	}
	return c.Holds, nil
}

// write replaces a mark as a whole; it expires with the last of its holds. It need not survive a crash of the machine.
func (m Marks) write(name string, holds []Hold) error {
	text, err := json.Marshal(content{Holds: holds})
	if err != nil {
		return err
	}
	until := slices.MaxFunc(holds, func(a, b Hold) int { return a.Until.Compare(b.Until) }).Until
	return statedir.Replace(m.Path(name), append(text, '\n'), statedir.Volatile(), statedir.ModTime(until))
}

// sweepUnfinished removes what processes that died left half written: no mark begins with a dot. The lock
// is ours, so nobody writes now.
func (m Marks) sweepUnfinished() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") || e.Name() == lockName {
			continue
		}
		if err := remove(m.Path(e.Name())); err != nil {
			failed = append(failed, fmt.Errorf("remove a mark that was left half written: %w", err))
		}
	}
	return errors.Join(failed...)
}

// remove removes a file; one that is not there is fine.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
