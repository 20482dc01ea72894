package install

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/statedir"
)

// Document is a kind of file that is changed as a whole.
type Document struct {
	name  string                  // in messages
	check func(text []byte) error // refuses a text that is never written; nil for none
	made  fs.FileMode             // of one that is missing and is made; 0 where a missing one is an error
}

// OnedConf is an oned.conf.
func OnedConf() Document {
	return Document{name: confName, check: func(text []byte) error {
		_, err := Parse(text)
		return err
	}}
}

// Settings is a one-ft.yaml. Package config makes the texts and has read them. One that is made is readable for
// everybody: else each hook ends with exit code 2. It holds no secret then, and one that is put into it is refused
// until it is chmod 0640.
func Settings() Document { return Document{name: "one-ft.yaml", made: 0o644} }

// Read reads a file, at most 4 MiB of it; more is an error. nil is a missing one that Write would make.
func (d Document) Read(path string) ([]byte, error) {
	text, err := statedir.ReadConfig(path, maxSize)
	switch {
	case d.made != 0 && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	return text, nil
}

// Write replaces a file that holds old, and nothing else, with fresh, as a whole or not at all, and gives the path of
// the backup beside it, named after the time; "" where the texts are equal, and for one that is made because it is
// missing, with old of nil. A link stays and its target is replaced. Mode, owner and extended attributes (such as access
// lists) are kept. What was written is read again; if it is not fresh, the old text is put back.
func (d Document) Write(path string, old, fresh []byte, now time.Time) (backup string, err error) {
	if old == nil && d.made != 0 {
		if err := (statedir.File{Mode: d.made, CreateOnly: true}).Replace(path, fresh); err != nil {
			return "", fmt.Errorf("make %s: %w; nothing was changed", d.name, err)
		}
		return "", nil
	}
	if bytes.Equal(old, fresh) {
		return "", nil
	}
	if d.check != nil {
		if err := d.check(fresh); err != nil {
			return "", fmt.Errorf("%w; nothing was changed", err)
		}
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", d.name, err)
	}
	if err := d.holds(target, old); err != nil {
		return "", fmt.Errorf("%w; nothing was changed, run this again", err)
	}
	if backup, err = backUp(target, target+".one-ft-"+now.Format("20060102-150405"), old); err != nil {
		return "", fmt.Errorf("write a backup of %s: %w; nothing was changed", d.name, err)
	}
	if err := replace(target, target, fresh, false); err != nil {
		return d.failed(target, backup, old, err)
	}
	return backup, d.readBack(target, backup, old, fresh)
}

// backUp keeps a text under the name, or the first with a number behind it that nothing has.
func backUp(target, name string, text []byte) (backup string, err error) {
	backup = name
	for n := 2; n <= 100; n++ {
		if err = replace(target, backup, text, true); !errors.Is(err, fs.ErrExist) {
			break
		}
		backup = fmt.Sprintf("%s-%d", name, n)
	}
	return backup, err
}

// failed ends a change that could not be written. Without a change there is no backup.
func (d Document) failed(target, backup string, old []byte, err error) (string, error) {
	if d.holds(target, old) != nil {
		return backup, fmt.Errorf("write %s: %w", d.name, err)
	}
	_ = os.Remove(backup)
	return "", fmt.Errorf("write %s: %w; nothing was changed", d.name, err)
}

// readBack makes sure that what was written is there, and puts the old text back if not.
func (d Document) readBack(target, backup string, old, fresh []byte) error {
	err := d.holds(target, fresh)
	if err == nil {
		return nil
	}
	if back := replace(target, target, old, false); back != nil {
		return fmt.Errorf("%w, and the old text could not be put back (%w): copy %s to %s", err, back, quoted(backup), quoted(target))
	}
	return fmt.Errorf("%w; the old text was put back", err)
}

// holds reports whether a file has that text.
func (d Document) holds(path string, text []byte) error {
	found, err := d.Read(path)
	if err == nil && !bytes.Equal(found, text) {
		err = fmt.Errorf("%s has changed in the meantime", quoted(path))
	}
	return err
}

// replace writes a file as statedir.Replace does, with mode, owner and extended attributes of like.
func replace(like, path string, text []byte, createOnly bool) error {
	source, err := os.Open(like)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	uid, gid, err := statedir.Owner(info)
	if err != nil {
		return err
	}
	return statedir.File{Mode: info.Mode().Perm(), CreateOnly: createOnly, Prepare: func(f *os.File) error {
		if err := f.Chown(uid, gid); err != nil {
			return fmt.Errorf("keep its owner: %w; run this as root", err)
		}
		if err := copyAttributes(int(source.Fd()), int(f.Fd())); err != nil {
			return fmt.Errorf("keep its extended attributes: %w", err)
		}
		return nil
	}}.Replace(path, text)
}

// copyAttributes copies extended attributes. File systems without them are fine, and so are those that the new file
// has already, such as the label of its directory.
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
