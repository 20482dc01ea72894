// Package statedir is the directory in which one-ft's processes on a front-end share their state: which files are in
// it, who owns them, how one is replaced as a whole, and how one is locked. Hooks run as oneadmin and admins as root;
// what the one made must not shut the other out. It knows nothing of what is in the files.
package statedir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Dir is the state directory of a front-end, such as /var/lib/one/one-ft.
type Dir string

// Incidents has one file for each incident (package incident).
func (d Dir) Incidents() string { return d.path("incidents") }

// Locks has one file for each host and VM that was worked on.
func (d Dir) Locks() string { return d.path("locks") }

// Attempts has one file for each VM that was acted on, and how many actions fit into a minute.
func (d Dir) Attempts() string { return d.path("attempts") }

// Spool has the requests that hooks handed to a coordinator, by the endpoint of oned.
func (d Dir) Spool(endpoint string) string { return filepath.Join(d.path("spool"), endpoint) }

// Notifications has those that wait for delivery.
func (d Dir) Notifications() string { return d.path("notify") }

// Commands has one file for each command of a site that has proven a host off.
func (d Dir) Commands() string { return d.path("commands") }

// Metrics is the file with the counters.
func (d Dir) Metrics() string { return d.path("metrics.json") }

// Ways is the file with how ssh connects to the hosts.
func (d Dir) Ways() string { return d.path("ways.json") }

// Watch is the file with what oneft watch sees.
func (d Dir) Watch() string { return d.path("watch.json") }

// Sweep is the file with when oneft resume ran last.
func (d Dir) Sweep() string { return d.path("sweep.json") }

// Pause is the file that says until when nothing is acted on.
func (d Dir) Pause() string { return d.path("pause.json") }

// FrontEnd is the file with the name of this front-end.
func (d Dir) FrontEnd() string { return d.path("front-end") }

// Closed is why this user may not read the directory, or what an operator asks of it: nobody knows then whether one-ft is paused, and
// which incidents are open. The error is fs.ErrPermission with a path; nil for one that can be read, is not there, or has another trouble.
func (d Dir) Closed() error {
	for _, path := range []string{string(d), d.Incidents(), d.Pause(), d.Sweep()} {
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if err == nil {
			_ = f.Close()
		}
		if errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }

// File is how a file is replaced; the zero value is a plain one.
type File struct {
	Mode     fs.FileMode // whatever the umask; 0 is 0644
	Volatile bool        // not to wait for the disk: it need not survive a crash of the machine
	ModTime  time.Time   // set before the file has its name: at no moment has it another
	// Prepare is called with the new file after its text, owner and mode are set.
	Prepare func(*os.File) error
	// CreateOnly: an error that is fs.ErrExist when the file exists already, instead of replacing it.
	CreateOnly bool
}

// Replace replaces a plain file, see File.Replace.
func Replace(path string, text []byte) error { return File{}.Replace(path, text) }

// Replace writes a file as a whole: after it either the old or the new text is there, and, unless it is Volatile, on
// the disk. A file that root makes is given to the owner of its directory.
func (o File) Replace(path string, text []byte) (err error) {
	const longest = 200 // with what CreateTemp adds a name has at most 255 bytes
	base := filepath.Base(path)
	f, err := os.CreateTemp(filepath.Dir(path), "."+base[:min(len(base), longest)]+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil || o.CreateOnly {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(o.fill(f, text), f.Close()); err != nil {
		return err
	}
	if !o.ModTime.IsZero() {
		if err := os.Chtimes(f.Name(), time.Time{}, o.ModTime); err != nil {
			return err
		}
	}
	if o.CreateOnly {
		err = os.Link(f.Name(), path) // a rename would replace what came meanwhile
	} else {
		err = os.Rename(f.Name(), path)
	}
	if err != nil || o.Volatile {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// fill writes everything that is in the file into it.
func (o File) fill(f *os.File, text []byte) error {
	if _, err := f.Write(text); err != nil {
		return err
	}
	_ = OwnLikeParent(f.Name())                            // where that is refused, such as on NFS, the file counts all the same
	if err := f.Chmod(cmp.Or(o.Mode, 0o644)); err != nil { // after the owner, whose change may clear bits
		return err
	}
	if o.Prepare != nil {
		if err := o.Prepare(f); err != nil {
			return err
		}
	}
	if o.Volatile {
		return nil
	}
	return f.Sync()
}

// SyncDir makes a rename in a directory last.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ErrTooLarge means that a file is larger than it may be.
var ErrTooLarge = errors.New("larger than it may be")

// ReadSmall reads a file of at most limit bytes; of a longer one it gives the beginning and ErrTooLarge. It follows
// no link and waits for no pipe.
func ReadSmall(path string, limit int64) ([]byte, error) {
	return read(path, limit, syscall.O_NOFOLLOW)
}

// ReadConfig is ReadSmall for a file of an admin, who may have put it elsewhere: it follows links.
func ReadConfig(path string, limit int64) ([]byte, error) { return read(path, limit, 0) }

func read(path string, limit int64, flags int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%s is not a regular file", path))
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return text[:limit], fmt.Errorf("%s has more than %d bytes: %w", path, limit, ErrTooLarge)
	}
	return text, err
}

// Remove removes a file that another process may have removed. One that is not there is no error on a read-only file system, either.
func Remove(path string) error {
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, missing := os.Lstat(path); errors.Is(missing, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Owner is the user and the group of a file.
func Owner(info fs.FileInfo) (uid, gid int, err error) {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("the owner of %q cannot be read", info.Name())
	}
	return int(owner.Uid), int(owner.Gid), nil
}

// OwnLikeParent gives a file or directory that root has just made to the owner of the directory that it is in.
func OwnLikeParent(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	uid, gid, err := Owner(info)
	if err != nil {
		return nil
	}
	return os.Lchown(path, uid, gid)
}

// MakeDir makes a directory and those above it that are missing.
func MakeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := MakeDir(parent); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o755)
	switch {
	case errors.Is(err, fs.ErrExist): // another process was faster
		return nil
	case err != nil:
		return err
	}
	return OwnLikeParent(dir)
}

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
