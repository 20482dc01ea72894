package statedir

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// How a file is replaced.
type option struct {
	mode    fs.FileMode
	noSync  bool
	modTime time.Time
	prepare func(*os.File) error
	create  bool
}

// Option changes how Replace works.
type Option func(*option)

// Mode gives the file this mode, whatever the umask; 0644 without.
func Mode(mode fs.FileMode) Option { return func(o *option) { o.mode = mode } }

// Volatile does not wait for the disk: the file need not survive a crash of the machine.
func Volatile() Option { return func(o *option) { o.noSync = true } }

// ModTime sets the time of the file before it has its name: at no moment has it another.
func ModTime(t time.Time) Option { return func(o *option) { o.modTime = t } }

// Prepare has f called with the new file after its text, owner and mode are set.
func Prepare(f func(*os.File) error) Option { return func(o *option) { o.prepare = f } }

// CreateOnly fails with an error that is fs.ErrExist when the file exists already, instead of replacing it.
func CreateOnly() Option { return func(o *option) { o.create = true } }

// Replace writes a file as a whole: after it either the old or the new text is there, and, unless
// it is Volatile, on the disk. A file that root makes is given to the owner of its directory.
func Replace(path string, text []byte, options ...Option) (err error) {
	o := option{mode: 0o644}
	for _, set := range options {
		set(&o)
	}
	const longest = 200 // with what CreateTemp adds a name has at most 255 bytes
	base := filepath.Base(path)
	f, err := os.CreateTemp(filepath.Dir(path), "."+base[:min(len(base), longest)]+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil || o.create {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(o.fill(f, text), f.Close()); err != nil {
		return err
	}
	if !o.modTime.IsZero() {
		if err := os.Chtimes(f.Name(), time.Time{}, o.modTime); err != nil {
			return err
		}
	}
	if o.create {
		err = os.Link(f.Name(), path) // a rename would replace what came meanwhile
	} else {
		err = os.Rename(f.Name(), path)
	}
	if err != nil || o.noSync {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// fill writes everything that is in the file into it.
func (o option) fill(f *os.File, text []byte) error {
	if _, err := f.Write(text); err != nil {
		return err
	}
	_ = OwnLikeParent(f.Name())             // where that is refused, such as on NFS, the file counts all the same
	if err := f.Chmod(o.mode); err != nil { // after the owner, whose change may clear bits
		return err
	}
	if o.prepare != nil {
		if err := o.prepare(f); err != nil {
			return err
		}
	}
	if o.noSync {
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

// ReadSmall reads a file of at most limit bytes; of a longer one it gives the beginning and ErrTooLarge.
// It follows no link and waits for no pipe.
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

// Remove removes a file that another process may have removed.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Owner is the user and the group of a file.
func Owner(info fs.FileInfo) (uid, gid int, err error) {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("the owner of %q cannot be read", info.Name())
	}
	return int(owner.Uid), int(owner.Gid), nil
}

// OwnLikeParent gives a file or directory that root has just made to the owner of the directory
// that it is in.
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
