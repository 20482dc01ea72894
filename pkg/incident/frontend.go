package incident

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// OwnLikeParent gives a file or directory that root has just made to the owner of
// the directory that it is in. Admins run one-ft as root, hooks run as oneadmin, and
// what the one made first must not shut the other out.
func OwnLikeParent(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Lchown(path, int(owner.Uid), int(owner.Gid))
}

// makeDir makes a directory and those above it that are missing.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, 0o755)
	switch {
	case os.IsExist(err): // another process was faster
		return nil
	case err != nil:
		return err
	}
	return OwnLikeParent(dir)
}

// FrontEndName is what this front-end is called among those of its cluster: its host name
// with a mark of the state directory. It is made when it is first asked for.
func FrontEndName(stateDir string) (string, error) {
	path := filepath.Join(stateDir, "front-end")
	if name, ok := readName(path); ok {
		return name, nil
	}
	host, _ := os.Hostname() // for people; the mark is what counts
	host = notInNames.ReplaceAllString(host, "-")
	name := fmt.Sprintf("%s-%04x", host[:min(len(host), maxFrontEnd)], rand.IntN(1<<16))
	mine, err := writeName(stateDir, name)
	if err != nil {
		return "", fmt.Errorf("name this front-end: %w", err)
	}
	defer os.Remove(mine)
	if os.Link(mine, path) == nil {
		return name, nil
	}
	if name, ok := readName(path); ok { // another process was faster
		return name, nil
	}
	if err := os.Rename(mine, path); err != nil { // what is there is no name
		return "", fmt.Errorf("name this front-end: %w", err)
	}
	return name, nil
}

// writeName writes a name into a file of its own.
func writeName(stateDir, name string) (path string, err error) {
	if err := makeDir(stateDir); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(stateDir, ".front-end-*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(name + "\n")
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close(), OwnLikeParent(f.Name()))
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// KnownFrontEndName is FrontEndName for a reader: false when no name was made yet.
func KnownFrontEndName(stateDir string) (string, bool) {
	return readName(filepath.Join(stateDir, "front-end"))
}

// readName reads the name of a front-end.
func readName(path string) (string, bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxName))
	name := strings.TrimSpace(string(text))
	return name, err == nil && frontEndName.MatchString(name)
}

// maxFrontEnd bounds the part of a name that people read.
const maxFrontEnd = 40

var (
	frontEndName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	notInNames   = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
)
