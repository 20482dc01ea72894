package isolation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/statedir"
)

// Store keeps what has to be remembered between two processes: in RunDir, which does not survive a reboot, what was
// seen; in StateDir, which does, that this host has ever had a lease.
type Store struct {
	RunDir, StateDir string
	Boot             string // identifies this boot of the kernel; see BootID
}

const (
	stateVersion = 1 // of the file; another one is not read
	// maxState bounds the size of the files in bytes; names of front-ends and witnesses with their addresses are most
	// of it.
	maxState = 1 << 20
)

// State is what is kept in RunDir.
type State struct {
	Version int                 `json:"version"`
	Boot    string              `json:"boot"`
	History History             `json:"history"`
	HostID  int                 `json:"host_id"`
	Names   map[string][]string `json:"names,omitempty"`
	Stopped []int               `json:"stopped,omitempty"` // VMs that were stopped here, until oned was asked about them
	Cron    bool                `json:"cron,omitempty"`    // cron starts each round
	// Phase and Why are of the last round, and Written its time of day: for people and for --print-bound, never for a
	// decision.
	Phase   Phase     `json:"phase"`
	Why     string    `json:"why"`
	Written time.Time `json:"written"`
}

const (
	armedFile = "armed"              // in StateDir, with the ID of the boot in which the lease was last seen
	stateFile = "host_isolated.json" // in RunDir, as the next
	lockFile  = "host_isolated.lock"
)

// Load reads what was remembered in this boot. Without it the history starts fresh: a lease that was held in an
// earlier boot counts from the boot, and one whose record was lost in this boot from now, with a warning in the
// error. The state is usable also when the error is not nil.
func (s Store) Load(now time.Duration) (State, error) {
	fresh := State{Version: stateVersion, Boot: s.Boot, HostID: -1}
	text, err := statedir.ReadSmall(filepath.Join(s.RunDir, stateFile), maxState)
	var st State
	if err == nil {
		err = json.Unmarshal(text, &st)
	}
	if err == nil {
		err = st.check(now)
	}
	switch {
	case err == nil && st.Boot == s.Boot:
		return st, nil
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err != nil:
		err = fmt.Errorf("state file unusable; starting fresh: %w", err)
	}
	armed, readErr := statedir.ReadSmall(filepath.Join(s.StateDir, armedFile), maxState)
	switch boot := strings.TrimSpace(string(armed)); {
	case errors.Is(readErr, fs.ErrNotExist):
	case readErr == nil && boot != s.Boot:
		fresh.History.Armed = true // renewed at 0, the boot: before it no VM can run
	default:
		fresh.History.Armed, fresh.History.Renewed = true, now
		if err == nil {
			err = errors.New("the state of this boot is lost; the lease counts from now")
		}
	}
	return fresh, err
}

// Armed reports whether the lease of this host is watched over now: for what a host publishes.
func (st State) Armed(now time.Duration, p Policy) bool {
	return p.Strict && st.History.Armed && now-st.History.Last <= minRounds*p.Every+p.Lease
}

// check refuses a state that cannot be from this boot.
func (st State) check(now time.Duration) error {
	h := st.History
	switch {
	case st.Version != stateVersion:
		return fmt.Errorf("version %d, not %d", st.Version, stateVersion)
	case h.Renewed < 0 || h.Since < 0 || h.Last < 0 || h.Missed < 0 || h.Isolated < 0 || h.Away < 0:
		return errors.New("a negative number")
	case h.Renewed > now || h.Since > now || h.Last > now:
		return errors.New("a time in the future")
	}
	return nil
}

// Save remembers a state. RunDir is in memory, so nothing is forced to a disk; the file is replaced as a whole.
func (s Store) Save(st State) error {
	st.Version, st.Boot, st.Written = stateVersion, s.Boot, time.Now().Round(time.Second)
	text, err := json.Marshal(st)
	if err == nil {
		err = replace(filepath.Join(s.RunDir, stateFile), append(text, '\n'), statedir.File{Volatile: true})
	}
	if err != nil {
		return fmt.Errorf("save the state: %w", err)
	}
	return nil
}

// Arm remembers beyond a reboot that this host has a lease to lose.
func (s Store) Arm() error {
	path := filepath.Join(s.StateDir, armedFile)
	if text, err := statedir.ReadSmall(path, maxState); err == nil && strings.TrimSpace(string(text)) == s.Boot {
		return nil
	}
	if err := replace(path, []byte(s.Boot+"\n"), statedir.File{}); err != nil {
		return fmt.Errorf("save the lease: %w", err)
	}
	return nil
}

// ErrBusy means that another host_isolated is running on this host.
var ErrBusy = errors.New("another host_isolated is running")

// Lock makes this process the only one; the kernel takes it back when the process ends.
func (s Store) Lock(ctx context.Context) (release func(), err error) {
	if err := os.MkdirAll(s.RunDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	_, release, err = statedir.LockFile(ctx, filepath.Join(s.RunDir, lockFile), 0)
	if errors.Is(err, statedir.ErrLocked) {
		return nil, ErrBusy
	}
	return release, err
}

// Uptime is the time since the boot, in which a suspended host goes on.
func Uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // every kernel since 2.6.39 has it
	}
	return time.Duration(t.Nano())
}

// BootID is what the kernel calls this boot.
func BootID(proc string) (string, error) {
	text, err := statedir.ReadSmall(filepath.Join(proc, "sys/kernel/random/boot_id"), maxState)
	if err != nil {
		return "", fmt.Errorf("read the boot ID: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// replace writes a file as a whole; its directory may be missing.
func replace(path string, text []byte, how statedir.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return how.Replace(path, text)
}
