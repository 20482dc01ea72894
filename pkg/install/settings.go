package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// settingsMode is that of a one-ft.yaml that is made: whoever hooks run as has to read it, else each of them
// ends with exit code 2. It holds no secret then, and one that is put into it is refused until it is chmod 0640.
const settingsMode = 0o644

// ReadSettings reads a one-ft.yaml; a missing one is empty.
func ReadSettings(path string) ([]byte, error) {
	text, err := readText(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", quoted(path), err)
	}
	return text, nil
}

// WriteSettings replaces a one-ft.yaml that holds old with fresh, as a whole or not at all, and keeps
// its mode, owner and extended attributes; a missing one is made, readable for
// everybody. A symbolic link stays. It is an error if the file does not hold old any more, and one that is
// fs.ErrPermission without the right to write it.
func WriteSettings(path string, old, fresh []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	found, err := ReadSettings(path)
	switch {
	case err != nil:
		return err
	case string(found) != string(old):
		return fmt.Errorf("%s was changed by somebody else meanwhile", quoted(path))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = create(path, fresh)
		if err != nil {
			return fmt.Errorf("write %s: %w", quoted(path), err)
		}
		return nil
	}
	if err := replace(path, path, fresh); err != nil {
		return fmt.Errorf("write %s: %w", quoted(path), err)
	}
	return nil
}

// create makes a file that is not there yet, in one step.
func create(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // under this name it is there only after an error
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(settingsMode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // a rename would replace what came meanwhile
		return err
	}
	return syncDir(filepath.Dir(path))
}
