package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// document is a kind of file that is changed as a whole: what it is called in messages, and how it is
// read. A text with an error is never written.
type document struct {
	name  string
	parse func(text []byte) error
}

func onedConf() document {
	return document{name: "oned.conf", parse: func(text []byte) error {
		_, err := Parse(text)
		return err
	}}
}

// ReadFile reads an oned.conf, at most 4 MiB of it; more is an error.
func ReadFile(path string) ([]byte, error) { return onedConf().read(path) }

func (d document) read(path string) ([]byte, error) {
	// A FIFO must not be waited for.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", quoted(path))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("%s has more than %d bytes", quoted(path), maxSize)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	return text, nil
}

// WriteFile replaces an oned.conf that holds old with fresh, as a whole or not at all, and
// gives the path of the backup that it leaves beside it, named after the time. With equal
// texts it does nothing and gives "". A symbolic link stays and its target is replaced.
// Mode, owner and extended attributes (such as access lists) are kept. What was written is
// read again; if it is not fresh, or cannot be parsed, the old text is put back.
// It is an error if the file does not hold old any more.
func WriteFile(path string, old, fresh []byte, now time.Time) (backup string, err error) {
	return onedConf().write(path, old, fresh, now)
}

func (d document) write(path string, old, fresh []byte, now time.Time) (backup string, err error) {
	if bytes.Equal(old, fresh) {
		return "", nil
	}
	if err := d.parse(fresh); err != nil {
		return "", fmt.Errorf("%w; nothing was changed", err)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", d.name, err)
	}
	if err := d.holds(target, old); err != nil {
		return "", fmt.Errorf("%w; nothing was changed, run this again", err)
	}
	backup = freeName(target + ".one-ft-" + now.Format("20060102-150405"))
	if err := replace(target, backup, old); err != nil {
		return "", fmt.Errorf("write a backup of %s: %w; nothing was changed", d.name, err)
	}
	if err := replace(target, target, fresh); err != nil {
		return d.failed(target, backup, old, err)
	}
	return backup, d.readBack(target, backup, old, fresh)
}

// freeName is the name, or the first with a number behind it that nothing has.
func freeName(name string) string {
	free := name
	for n := 2; n < 100; n++ {
		if _, err := os.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			break
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// failed ends a change that could not be written. Without a change there is no backup.
func (d document) failed(target, backup string, old []byte, err error) (string, error) {
	if d.holds(target, old) != nil {
		return backup, fmt.Errorf("write %s: %w", d.name, err)
	}
	_ = os.Remove(backup)
	return "", fmt.Errorf("write %s: %w; nothing was changed", d.name, err)
}

// readBack makes sure that what was written is there, and puts the old text back if not.
func (d document) readBack(target, backup string, old, fresh []byte) error {
	err := d.holds(target, fresh)
	if err == nil {
		return nil
	}
	if back := replace(target, target, old); back != nil {
		return fmt.Errorf("%w, and the old text could not be put back (%w): copy %s to %s", err, back, quoted(backup), quoted(target))
	}
	return fmt.Errorf("%w; the old text was put back", err)
}

// holds reports whether a file has that text.
func (d document) holds(path string, text []byte) error {
	found, err := d.read(path)
	if err == nil && !bytes.Equal(found, text) {
		err = fmt.Errorf("%s was changed by somebody else meanwhile", quoted(path))
	}
	return err
}

// replace makes a file with that text, or puts it in the place of one, in one step and on
// the disk when it returns. The new file has mode, owner and extended attributes of like.
// A backup, which has another name than like, must not exist yet.
func replace(like, path string, text []byte) (err error) {
	if _, err := os.Lstat(path); like != path && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already", quoted(path))
	}
	source, err := os.Open(like)
	if err != nil {
		return err
	}
	defer source.Close()
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err = write(f, source, text); err != nil {
		_ = f.Close()
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// write fills a new file and makes it like another.
func write(f, source *os.File, text []byte) error {
	info, err := source.Stat()
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("the owner of the file cannot be read")
	}
	if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("keep its owner: %w; run this as root", err)
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil { // after Chown, which may clear bits
		return err
	}
	if err := copyAttributes(int(source.Fd()), int(f.Fd())); err != nil {
		return fmt.Errorf("keep its extended attributes: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

// copyAttributes copies extended attributes. File systems without them are fine, and so
// are those that the new file has already, such as the label of its directory.
func copyAttributes(from, to int) error {
	names := make([]byte, 64<<10) // the kernel's limit for all names
	n, err := unix.Flistxattr(from, names)
	if errors.Is(err, unix.ENOTSUP) || n == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range bytes.Split(bytes.TrimSuffix(names[:n], []byte{0}), []byte{0}) {
		value, has := make([]byte, 64<<10), make([]byte, 64<<10) // the kernel's limit for a value
		v, err := unix.Fgetxattr(from, string(name), value)
		if err != nil {
			return err
		}
		if h, err := unix.Fgetxattr(to, string(name), has); err == nil && bytes.Equal(value[:v], has[:h]) {
			continue
		}
		if err := unix.Fsetxattr(to, string(name), value[:v], 0); err != nil {
			return err
		}
	}
	return nil
}

// syncDir puts the names in a directory on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Executable reports why a path cannot be run: nil for a file that somebody may execute.
func Executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", quoted(path))
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable", quoted(path))
	}
	return nil
}
