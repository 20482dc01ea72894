// Package incident is what one-ft's processes on a front-end share: locks that keep them out of each other's way (one
// process works on a host at a time, and one on a VM: two recreates of one VM at the same moment hang all VM actions
// of oned 4.4 and 5.10, seen twice), the journal of what was done (Journal), the attempts at VMs (Attempts) and how
// many of them fit into a minute (Rate). Locks never block, and the kernel drops those of a process that ends.
package incident

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
)

// ErrBusy means that another process holds the lock.
var ErrBusy = errors.New("another process is working on it")

// BusyError is ErrBusy with the holder.
type BusyError struct {
	Object string // such as "host 3"
	Holder string // what the holder wrote, such as "host_error, pid 4711"; may be empty
}

// Error names the object and the holder.
func (e *BusyError) Error() string {
	return e.Object + " is already being handled by " + cmp.Or(e.Holder, "another process")
}

// Plain is what is stable of it, for logs that are compared.
func (e *BusyError) Plain() string { return e.Holder }

// Unwrap is ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// Locks are the locks of one process in a directory that all one-ft processes of a front-end share. Of nil Locks
// everything is free.
type Locks struct {
	dir    string
	holder string
	looks  bool // it takes none
}

// LookAtLocks are the locks for a tool that changes nothing, for which all is free to Acquire; Holder asks the kernel, because
// taking a lock, be it for an instant, could make a hook give up.
func LookAtLocks(dir string) *Locks { return &Locks{dir: dir, looks: true} }

// maxHolder is how many bytes of a foreign lock file are read.
const maxHolder = 200

// OpenLocks makes the directory if it is missing. holder is what others see of this process, such as "host_error, pid
// 4711".
func OpenLocks(dir, holder string) (*Locks, error) {
	if err := statedir.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("make the directory for locks: %w", err)
	}
	return &Locks{dir: dir, holder: holder}, nil
}

// Acquire takes the lock of an object, such as ("VM", 42), without waiting. A *BusyError says that another process,
// or this one, has it. It is held until release is called or the process ends.
func (l *Locks) Acquire(kind string, id int) (release func(), err error) {
	if l == nil || l.looks {
		return func() {}, nil
	}
	object := fmt.Sprintf("%s %d", kind, id)
	path := filepath.Join(l.dir, fmt.Sprintf("%s-%d.lock", kind, id))
	// Any user of one-ft may lock a file that another one made: reading is enough.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if errors.Is(err, os.ErrPermission) {
		if readable, missing := os.Open(path); missing == nil {
			f, err = readable, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", object, err)
	}
	switch err := statedir.Flock(f); {
	case errors.Is(err, statedir.ErrLocked):
		defer f.Close()
		return nil, &BusyError{Object: object, Holder: holderIn(f)}
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", object, err)
	}
	// Who holds it is for readers only: a file that cannot be written still locks.
	line := l.holder + "\n"
	if _, err := f.WriteAt([]byte(line), 0); err == nil {
		_ = f.Truncate(int64(len(line)))
	}
	return func() { statedir.Unlock(f); f.Close() }, nil
}

// Holder says which process holds the lock of an object; "" for none. It writes nothing.
func (l *Locks) Holder(kind string, id int) string {
	if l == nil {
		return ""
	}
	f, err := os.Open(filepath.Join(l.dir, fmt.Sprintf("%s-%d.lock", kind, id)))
	if err != nil {
		return ""
	}
	defer f.Close()
	if l.looks {
		held, _ := HeldLocks("/proc/locks")
		if !held.Has(f.Name()) {
			return ""
		}
	} else if !statedir.Locked(f) {
		return ""
	}
	return cmp.Or(holderIn(f), "another process")
}

// Held are the inodes of files that a process holds a lock on.
type Held map[string]bool

// HeldLocks reads them as the kernel lists them (proc_locks(5)): the inode is the last part of the sixth field. known is false where
// that cannot be read.
func HeldLocks(path string) (held Held, known bool) {
	locks, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	held = Held{}
	for line := range strings.Lines(string(locks)) {
		fields := strings.Fields(line)
		if len(fields) >= 6 && fields[1] == "FLOCK" { // a lock that is waited for has "->" there
			held[fields[5][strings.LastIndexByte(fields[5], ':')+1:]] = true
		}
	}
	return held, true
}

// Has reports whether a file is among them.
func (h Held) Has(path string) bool {
	var stat syscall.Stat_t
	return syscall.Stat(path, &stat) == nil && h[fmt.Sprint(stat.Ino)]
}

// holderIn reads who has a lock. One who has only just got it may not have written it yet.
func holderIn(f *os.File) string {
	const looks, pause = 5, 5 * time.Millisecond
	line := ""
	for range looks {
		if line, _ = bufio.NewReader(io.NewSectionReader(f, 0, maxHolder)).ReadString('\n'); line != "" {
			break
		}
		time.Sleep(pause)
	}
	return text.Short(strings.TrimSpace(line), maxHolder)
}

// FrontEndName is what this front-end is called among those of its cluster: its host name with a mark of the state
// directory. It is made when it is first needed.
func FrontEndName(stateDir string) (string, error) {
	if name, ok := KnownFrontEndName(stateDir); ok {
		return name, nil
	}
	host, _ := os.Hostname() // for readers; the mark is what counts
	host = notInNames().ReplaceAllString(host, "-")
	name := fmt.Sprintf("%s-%04x", host[:min(len(host), maxFrontEnd)], rand.IntN(1<<16))
	path := statedir.Dir(stateDir).FrontEnd()
	err := statedir.MakeDir(stateDir)
	if err == nil {
		err = statedir.File{CreateOnly: true}.Replace(path, []byte(name+"\n"))
	}
	if errors.Is(err, fs.ErrExist) {
		if other, ok := KnownFrontEndName(stateDir); ok { // another process was faster
			return other, nil
		}
		err = statedir.Replace(path, []byte(name+"\n")) // what is there is no name
	}
	if err != nil {
		return "", fmt.Errorf("name this front-end: %w", err)
	}
	return name, nil
}

// KnownFrontEndName is FrontEndName for a reader: false when no name was made yet.
func KnownFrontEndName(stateDir string) (string, bool) {
	content, err := statedir.ReadSmall(statedir.Dir(stateDir).FrontEnd(), maxName)
	name := strings.TrimSpace(string(content))
	return name, err == nil && frontEndName().MatchString(name)
}

// maxFrontEnd bounds the part of a name that is the host's.
const maxFrontEnd = 40

var (
	frontEndName = text.Pattern(`^[A-Za-z0-9._-]{1,64}$`)
	notInNames   = text.Pattern(`[^A-Za-z0-9._-]+`)
)
