package statedir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrLocked means that another process, or another lock of this one, has the file.
var ErrLocked = errors.New("locked by another process")

// lockPause is how long LockFile waits between two attempts. A choice: short for the user, long for the CPU.
const lockPause = 5 * time.Millisecond

// Flock takes the exclusive lock of an open file without waiting. The error is ErrLocked when somebody has it. The
// kernel drops the locks of a process that ends, however it ends.
func Flock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// Locked reports whether another process has the exclusive lock of an open file.
func Locked(f *os.File) bool {
	err := flock(f, syscall.LOCK_SH)
	if err == nil {
		Unlock(f)
	}
	return errors.Is(err, ErrLocked)
}

// Unlock gives the lock back. A program that is being started has a copy of the file until it runs: closing alone
// would leave the lock to it.
func Unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrLocked
		default:
			return &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}

// LockFile makes a file if it is missing, gives it to the owner of its directory, and takes its lock, waiting for at
// most the given time; 0 does not wait. The error is ErrLocked when that is over, or that of the context. The file
// stays open until release is called.
func LockFile(ctx context.Context, path string, wait time.Duration) (f *os.File, release func(), err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o640) // no stranger can hold it
	if err != nil {
		return nil, nil, err
	}
	_ = OwnLikeParent(path) // if it cannot be given, the lock is still one
	end := time.Now().Add(wait)
	for {
		err := Flock(f)
		if err == nil {
			return f, func() { Unlock(f); _ = f.Close() }, nil
		}
		if errors.Is(err, ErrLocked) && time.Now().Before(end) {
			select {
			case <-time.After(lockPause):
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		_ = f.Close()
		return nil, nil, err
	}
}
