package failfast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

const (
	// MaxHold is how far ahead a mark may expire. Renew it before: it is also the longest time that a front-end which
	// dies keeps ssh from a host that lives again.
	MaxHold = time.Minute
	// maxName is the longest name of a file in Linux (NAME_MAX), in bytes.
	maxName = 255
	// maxMark is the largest mark that is read. One with 100 hosts has 20 kB.
	maxMark = 64 << 10
	// directory is where marks are, below the state directory.
	directory = "off"
	// lockWait is how long another process is waited for; it has the lock for milliseconds.
	lockWait = 2 * time.Second
	lockName = ".lock"
)

var (
	// ErrName is a name that no mark can have.
	ErrName = errors.New("not a host name")
	// ErrExpiry is an expiry that has passed, or is further ahead than MaxHold.
	ErrExpiry = errors.New("a mark expires within a minute")
	// ErrBusy is another process that has had the lock over the marks for too long.
	ErrBusy = errors.New("another process has held the lock over the marks of hosts for 2s")
)

// Hold is what one host has to do with a mark.
type Hold struct {
	Host     int `json:"host"`
	Incident int `json:"incident"`
	// FrontEnd is this front-end and PID the process that set it; for people.
	FrontEnd string    `json:"front_end"`
	PID      int       `json:"pid"`
	Until    time.Time `json:"until"`
}

// MarkState says what a mark does.
type MarkState string

// The states of marks. All but MarkInForce are leftovers.
const (
	MarkInForce    MarkState = "in_force"
	MarkExpired    MarkState = "expired"    // it does nothing any more
	MarkTooLong    MarkState = "too_long"   // it expires later than MaxHold: the clock was set back, or an admin made it
	MarkUnreadable MarkState = "unreadable" // its content is not what Set writes; its time counts all the same
)

// Mark is a mark that was found.
type Mark struct {
	Name  string    `json:"name"`
	State MarkState `json:"state"`
	// Until is when it expires: the modification time of its file.
	Until time.Time `json:"until"`
	Holds []Hold    `json:"holds"` // of an unreadable mark none
}

// Leftover reports whether Sweep removes the mark.
func (m Mark) Leftover() bool { return m.State != MarkInForce }

// Marks are the marks below a state directory. The zero value is of no use: see Open.
type Marks struct{ dir string }

// Open gives the marks below a state directory, an absolute path. Nothing is touched yet.
func Open(stateDir string) Marks { return Marks{dir: filepath.Join(stateDir, directory)} }

// Path is the file of a name.
func (m Marks) Path(name string) string { return filepath.Join(m.dir, name) }

// CheckName says why a mark cannot have that name; it wraps ErrName. Names come from the cloud. The block leaves
// names with an apostrophe alone, because a shell reads it.
func CheckName(name string) error {
	problem := ""
	switch {
	case name == "":
		problem = "it is empty"
	case len(name) > maxName:
		problem = fmt.Sprintf("%d bytes are more than %d", len(name), maxName)
	case strings.HasPrefix(name, "."), strings.HasPrefix(name, "-"):
		problem = "it begins with a dot or a hyphen"
	case strings.ContainsAny(name, "/'") || text.Printable(name) != name:
		problem = "it has a slash, an apostrophe or a control character"
	default:
		return nil
	}
	return fmt.Errorf("%w: %q: %s", ErrName, text.Short(name, maxName), problem)
}

// Set marks all names for a host, or renews them; h.Host may hold each name together with others. One mark that fails
// keeps no other from being set: the error joins what failed. A mark is either as it was or complete. Errors wrap
// ErrName, ErrExpiry, ErrBusy or those of the file system.
func (m Marks) Set(ctx context.Context, names []string, h Hold) error {
	what := fmt.Sprintf("mark host %d as off", h.Host)
	if ahead := time.Until(h.Until); ahead <= 0 || ahead > MaxHold {
		return fmt.Errorf("%s until %s: %w", what, h.Until.Format(time.RFC3339), ErrExpiry)
	}
	return m.locked(ctx, what, func() (failed []error) {
		for _, name := range union(names, nil) {
			err := CheckName(name)
			if err == nil {
				err = m.write(name, append(m.others(name, h.Host), h))
			}
			failed = append(failed, err)
		}
		return failed
	})
}

// Clear takes away what a host holds; a mark that another host holds as well stays. Without marks it does nothing.
func (m Marks) Clear(ctx context.Context, host int) error {
	marks, err := m.List()
	if err != nil || len(marks) == 0 {
		return err
	}
	return m.locked(ctx, fmt.Sprintf("take away the marks of host %d", host), func() (failed []error) {
		for _, mark := range marks {
			if !slices.ContainsFunc(mark.Holds, func(h Hold) bool { return h.Host == host }) {
				continue
			}
			if left := m.others(mark.Name, host); len(left) > 0 {
				failed = append(failed, m.write(mark.Name, left))
			} else {
				failed = append(failed, statedir.Remove(m.Path(mark.Name)))
			}
		}
		return failed
	})
}

// locked does something under the lock over the marks; what says what it is, before each error.
func (m Marks) locked(ctx context.Context, what string, do func() []error) error {
	err := m.make()
	var unlock func()
	if err == nil {
		_, unlock, err = statedir.LockFile(ctx, m.Path(lockName), lockWait)
	}
	if errors.Is(err, statedir.ErrLocked) {
		err = ErrBusy
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer unlock()
	failed := slices.DeleteFunc(do(), func(err error) bool { return err == nil })
	for i, err := range failed {
		failed[i] = fmt.Errorf("%s: %w", what, err)
	}
	return errors.Join(failed...)
}

// List gives all marks, by name. None is an empty list, also when there is no directory yet.
func (m Marks) List() ([]Mark, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the marks of hosts that are off: %w", err)
	}
	var marks []Mark
	now := time.Now()
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it has just been removed
		}
		mark := Mark{Name: e.Name(), State: MarkInForce, Until: info.ModTime()}
		holds, err := m.read(e.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			mark.State = MarkUnreadable
		case !mark.Until.After(now):
			mark.State = MarkExpired
		case mark.Until.Sub(now) > MaxHold:
			mark.State = MarkTooLong
		}
		mark.Holds = holds
		marks = append(marks, mark)
	}
	return marks, nil
}

// Sweep removes the leftovers, and files that a process which died left half written. It gives the marks that it
// removed.
func (m Marks) Sweep(ctx context.Context) (removed []Mark, err error) {
	if _, err := os.Stat(m.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	err = m.locked(ctx, "remove marks that were left", func() []error {
		marks, err := m.List() // under the lock: what was renewed meanwhile is no leftover, and nobody writes now
		entries, noEntries := os.ReadDir(m.dir)
		failed := []error{err, noEntries}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") && e.Name() != lockName { // half written: no mark begins with a dot
				failed = append(failed, statedir.Remove(m.Path(e.Name())))
			}
		}
		for _, mark := range marks {
			if !mark.Leftover() {
				continue
			}
			err := statedir.Remove(m.Path(mark.Name))
			if failed = append(failed, err); err == nil {
				removed = append(removed, mark)
			}
		}
		return failed
	})
	return removed, err
}

// heldBy gives the names that a host has marks for, because of an incident.
func (m Marks) heldBy(host, incident int) ([]string, error) {
	marks, err := m.List()
	var names []string
	for _, mark := range marks {
		if slices.ContainsFunc(mark.Holds, func(h Hold) bool { return h.Host == host && h.Incident == incident }) {
			names = append(names, mark.Name)
		}
	}
	return names, err
}

// others are the holds of a mark that have not expired and are of other hosts. A mark that cannot be read has none.
func (m Marks) others(name string, host int) []Hold {
	holds, _ := m.read(name)
	now := time.Now()
	return slices.DeleteFunc(holds, func(h Hold) bool { return h.Host == host || !h.Until.After(now) })
}

// make makes the directory of the marks. The state directory is there: the journal is in it.
func (m Marks) make() error {
	err := os.Mkdir(m.dir, 0o755)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return statedir.OwnLikeParent(m.dir)
}

// content is what a mark says.
type content struct {
	Holds []Hold `json:"holds"`
}

// read gives the holds of a mark.
func (m Marks) read(name string) ([]Hold, error) {
	text, err := statedir.ReadSmall(m.Path(name), maxMark)
	var c content
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && len(c.Holds) == 0 {
		err = errors.New("it names no host")
	}
	if err != nil {
		return nil, err
	}
	return c.Holds, nil
}

// write replaces a mark as a whole; it expires with the last of its holds. It need not survive a crash of the
// machine.
func (m Marks) write(name string, holds []Hold) error {
	text, err := json.Marshal(content{Holds: holds})
	if err != nil {
		return err
	}
	until := slices.MaxFunc(holds, func(a, b Hold) int { return a.Until.Compare(b.Until) }).Until
	return statedir.File{Volatile: true, ModTime: until}.Replace(m.Path(name), append(text, '\n'))
}
