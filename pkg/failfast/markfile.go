package failfast

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lockWait is how long another process is waited for; it has the lock for milliseconds.
	lockWait = 2 * time.Second
	lockPoll = 10 * time.Millisecond
	// unfinished begins the names of files that are being written; no host has such a name.
	unfinished = ".mark-"
	lockName   = ".lock"
)

// ErrBusy is another process that has had the lock over the marks for too long.
var ErrBusy = errors.New("another process has held the lock over the marks of hosts for 2s")

// make makes the directory. The state directory is there: the journal is in it.
func (m Marks) make() error { return makeDir(m.dir, false) }

// makeAll makes the state directory, too.
func (m Marks) makeAll() error { return makeDir(m.dir, true) }

// makeDir makes a directory for the owner of the one above, which it makes as well, if all.
func makeDir(dir string, all bool) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if parent := filepath.Dir(dir); all && parent != dir {
		if err := makeDir(parent, true); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	} else if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return ownLikeParent(d)
}

// ownLikeParent gives a file that root has just made to the owner of its directory: what an admin
// makes as root must not shut hooks out, which run as oneadmin.
func ownLikeParent(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("the owner of the directory cannot be read")
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

// lock gives the function that ends it. Errors: ErrBusy, and those of the file system.
func (m Marks) lock(ctx context.Context) (func(), error) {
	path := filepath.Join(m.dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	if err := ownLikeParent(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	end := time.Now().Add(lockWait)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		if err := sleep(ctx, lockPoll); err != nil || time.Now().After(end) {
			_ = f.Close()
			return nil, errors.Join(err, ErrBusy)
		}
	}
}

// read gives the holds of a mark.
func (m Marks) read(name string) ([]Hold, error) {
	f, err := os.OpenFile(m.Path(name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMark))
	if err != nil {
		return nil, err
	}
	return decode(text)
}

// write replaces a mark as a whole. It need not survive a crash of the machine, so nothing is
// waited for on the disk. The time is set before the file gets its name: at no moment is there a
// mark with another expiry.
func (m Marks) write(name string, holds []Hold) (err error) {
	text, until, err := encode(holds)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(m.dir, unfinished+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, ownLikeParent(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Chtimes(f.Name(), time.Time{}, until)
	}
	if err == nil {
		err = os.Rename(f.Name(), m.Path(name))
	}
	return err
}

// sweepUnfinished removes what processes that died left half written.
func (m Marks) sweepUnfinished() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if err := remove(m.Path(e.Name())); err != nil { // the lock is ours: nobody writes now
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

// sleep waits, at most until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
