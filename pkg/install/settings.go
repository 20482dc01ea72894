package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// settingsMode is that of a one-ft.yaml that is made: whoever hooks run as has to read it, else each of them
// ends with exit code 2. It holds no secret then, and one that is put into it is refused until it is chmod 0640.
const settingsMode = 0o644

// settings is a one-ft.yaml. Package config makes the texts that are written and has read them.
func settings() document {
	return document{name: "one-ft.yaml", parse: func([]byte) error { return nil }}
}

// ReadSettings reads a one-ft.yaml; nil is a missing one.
func ReadSettings(path string) ([]byte, error) {
	text, err := settings().read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// WriteSettings replaces a one-ft.yaml as WriteFile replaces an oned.conf. One that is missing, with old of
// nil, is made, readable for everybody, and there is no backup. Without the right to write the error is
// fs.ErrPermission.
func WriteSettings(path string, old, fresh []byte, now time.Time) (backup string, err error) {
	if old != nil {
		return settings().write(path, old, fresh, now)
	}
	if err := settings().create(path, fresh, settingsMode, nil); err != nil {
		return "", fmt.Errorf("%w; nothing was changed", err)
	}
	return "", nil
}

// create makes a file, unless somebody else just has. give hands it, made by root, to its owner; nil keeps it.
func (d document) create(path string, text []byte, mode fs.FileMode, give func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("make %s: %w", d.name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if give != nil && os.Geteuid() == 0 {
		err = errors.Join(err, give(f))
	}
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // a rename would replace what came meanwhile
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", d.name, err)
	}
	return nil
}
