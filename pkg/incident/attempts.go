package incident

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Attempts are when something was done to VMs without a person, in a directory that all
// one-ft processes of a front-end share.
type Attempts struct{ dir string }

const (
	// keepAttempts is how many attempts at one VM are kept, more than any budget has.
	keepAttempts = 100
	// maxAttemptsFile bounds the file of one VM in bytes: a line per attempt.
	maxAttemptsFile = 64 << 10
)

// NewAttempts keeps attempts in a directory, which is made when the first is added.
func NewAttempts(dir string) *Attempts { return &Attempts{dir: dir} }

// Of gives the attempts at a VM, oldest first. Lines that are no time are skipped: a
// damaged file must not stop a recovery, and what it lost is in the history of the VM.
func (a *Attempts) Of(vmID int) ([]time.Time, error) {
	f, err := os.OpenFile(a.path(vmID), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the attempts at VM %d: %w", vmID, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAttemptsFile))
	if err != nil {
		return nil, fmt.Errorf("read the attempts at VM %d: %w", vmID, err)
	}
	return ParseTimes(string(text)), nil
}

// Add writes an attempt down, on the disk when it returns. Whoever calls it holds the
// lock of the VM.
func (a *Attempts) Add(vmID int, at time.Time) error {
	all, err := a.Of(vmID)
	if err == nil {
		err = makeDir(a.dir)
	}
	if err == nil {
		all = append(all, at)
		err = replaceFile(a.path(vmID), FormatTimes(all[max(0, len(all)-keepAttempts):])+"\n")
	}
	if err != nil {
		return fmt.Errorf("note the attempt at VM %d: %w", vmID, err)
	}
	return nil
}

func (a *Attempts) path(vmID int) string {
	return filepath.Join(a.dir, fmt.Sprintf("VM-%d", vmID))
}

// ParseTimes reads times in Unix seconds with blanks between them. What is no time is
// skipped: owners of VMs can write there, too.
func ParseTimes(text string) (times []time.Time) {
	for _, word := range strings.Fields(text) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil && n > 0 && len(times) < keepAttempts {
			times = append(times, time.Unix(n, 0))
		}
	}
	return times
}

// FormatTimes is what ParseTimes reads.
func FormatTimes(times []time.Time) string {
	words := make([]string, len(times))
	for i, t := range times {
		words[i] = strconv.FormatInt(t.Unix(), 10)
	}
	return strings.Join(words, " ")
}

// replaceFile writes a file as a whole: after it either the old or the new one is on the
// disk.
func replaceFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
