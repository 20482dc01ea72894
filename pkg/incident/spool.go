package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/hook"
	"one-ft/pkg/statedir"
)

// Spool is a directory in which processes hand hosts over to the one that works on all of them, one file per host. A
// request stays until Done: whoever dies in between leaves it to the next.
// It is for one goroutine.
type Spool struct {
	dir   string
	known map[int]knownRequest // as they were read
}

// knownRequest is a request that was read, and the file in which it was: Put replaces the file.
type knownRequest struct {
	file    fs.FileInfo
	request Handed
}

// Handed is a request in the spool.
type Handed struct {
	Request
	Text string // as it was read, to tell it from a later one
}

// maxRequest bounds a request in bytes: words of a command line.
const maxRequest = 256 << 10

// settled is how old a request is before it is not read again: file systems have coarse times, 4 ms on ext4, and use the place of a
// removed file again, so that two files that follow each other could be taken for one. A choice.
const settled = time.Second

// aliveName is the file whose time says when the process that works on all was last seen running.
const aliveName = "alive"

// Alive says that the process that works on all is running now. An error does not matter: then others work, too, and
// the locks of hosts and VMs keep them apart.
func (s *Spool) Alive(now time.Time) {
	path := filepath.Join(s.dir, aliveName)
	if os.Chtimes(path, now, now) == nil {
		return
	}
	_ = statedir.File{Volatile: true, ModTime: now}.Replace(path, nil)
}

// LastAlive is when the process that works on all was last seen running; false when that is not known.
func (s *Spool) LastAlive() (time.Time, bool) {
	info, err := os.Lstat(filepath.Join(s.dir, aliveName))
	if err != nil || !info.Mode().IsRegular() {
		return time.Time{}, false
	}
	return info.ModTime(), true
}

// OpenSpool makes the directory if it is missing.
func OpenSpool(dir string) (*Spool, error) {
	if err := statedir.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("make the directory for requests: %w", err)
	}
	return &Spool{dir: dir}, nil
}

// Put hands a host over: all processes see it when it returns, and Sync has it on the disk. A later request for the same host takes
// the place of the one before.
func (s *Spool) Put(q Request) error {
	var request []byte
	err := q.Check()
	if err == nil {
		request, err = json.Marshal(q)
	}
	if err == nil {
		err = statedir.File{Volatile: true}.Replace(s.path(q.ID), append(request, '\n'))
	}
	if err != nil {
		return fmt.Errorf("hand %s %d over: %w", q.Kind, q.ID, err)
	}
	return nil
}

// Sync waits until these requests are on the disk, but for those that are done.
func (s *Spool) Sync(requests []Request) error {
	var failed []error
	for _, q := range requests {
		f, err := os.Open(s.path(q.ID))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = errors.Join(f.Sync(), f.Close())
		}
		failed = append(failed, err)
	}
	if err := errors.Join(append(failed, statedir.SyncDir(s.dir))...); err != nil {
		return fmt.Errorf("hand hosts over: %w", err)
	}
	return nil
}

// List gives the requests, the oldest first. What is no request is removed and named in the errors.
func (s *Spool) List() (all []Handed, failed []error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, []error{fmt.Errorf("read the requests: %w", err)}
	}
	known := s.known
	s.known = make(map[int]knownRequest, len(entries))
	for _, e := range entries {
		id, is := s.idIn(e.Name())
		if !is {
			continue
		}
		file, gone := e.Info()
		if k, found := known[id]; found && gone == nil && os.SameFile(k.file, file) && k.file.ModTime().Equal(file.ModTime()) {
			s.known[id], all = k, append(all, k.request)
			continue
		}
		h, err := s.read(id)
		switch {
		case err == nil:
			all = append(all, h)
			if gone == nil && time.Since(file.ModTime()) > settled {
				s.known[id] = knownRequest{file, h}
			}
		case !errors.Is(err, fs.ErrNotExist):
			failed = append(failed, fmt.Errorf("the request for host %d cannot be used, and was removed: %w", id, err))
			_ = os.RemoveAll(s.path(id)) // else it is reported again
		}
	}
	slices.SortStableFunc(all, func(a, b Handed) int { return a.At.Compare(b.At) })
	return all, failed
}

// Count is how many requests there are, without reading them.
func (s *Spool) Count() (n int) {
	entries, _ := os.ReadDir(s.dir) // whoever works on them tells of errors
	for _, e := range entries {
		if _, is := s.idIn(e.Name()); is {
			n++
		}
	}
	return n
}

// idIn is the ID of the host in the name of a request; false for a file that is being written, or not ours.
func (s *Spool) idIn(name string) (id int, is bool) {
	digits, isRequest := strings.CutPrefix(name, "host-")
	id, err := strconv.Atoi(digits)
	return id, isRequest && err == nil && s.path(id) == filepath.Join(s.dir, name)
}

// Done removes a request, unless a later one has taken its place: then it returns false.
func (s *Spool) Done(h Handed) (last bool, err error) {
	now, err := s.read(h.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err == nil && now.Text != h.Text:
		return false, nil
	}
	if err := statedir.Remove(s.path(h.ID)); err != nil {
		return true, fmt.Errorf("remove the request for host %d: %w", h.ID, err)
	}
	return true, nil
}

func (s *Spool) path(id int) string { return filepath.Join(s.dir, fmt.Sprintf("host-%d", id)) }

func (s *Spool) read(id int) (Handed, error) {
	request, err := statedir.ReadSmall(s.path(id), maxRequest)
	if err != nil {
		return Handed{}, err
	}
	h := Handed{Text: string(request)}
	if err = json.Unmarshal(request, &h.Request); err == nil {
		err = h.Check()
	}
	if err == nil && (h.Kind != "host" || h.ID != id) {
		err = fmt.Errorf("it is for %s %d", h.Kind, h.ID)
	}
	return h, err
}

// Request is what is to be done about an outage of a host or a failure of a VM: what the event of oned or an admin
// wanted, with all that was not left to the configuration. Whoever resumes the incident does the same.
type Request struct {
	Kind string `json:"kind"` // "host" or "VM"
	ID   int    `json:"id"`
	Tool string `json:"tool"` // the executable that was called
	// Call is what it was called with: the ID instead of a template, and no password.
	Call []string `json:"call"`
	// Action is recreate, delete, migrate, retry or boot.
	Action string `json:"action"`
	// Idle includes suspended and powered-off VMs of a host.
	Idle bool `json:"idle,omitempty"`
	// Force recovers a failed VM whatever it was doing.
	Force    bool `json:"force,omitempty"`
	AnyState bool `json:"any_state,omitempty"`
	// Override goes on although many hosts failed.
	Override   bool   `json:"override_storm,omitempty"`
	FenceFirst bool   `json:"fence_first,omitempty"`
	NoBudget   bool   `json:"no_budget,omitempty"`
	Fencing    string `json:"fencing,omitempty"` // auto, required or off; "" as configured
	Verify     string `json:"verify,omitempty"`  // none, left or running; "" as configured
	// Confirm is how long a host is watched first, Timeout ends acting and verifying; in seconds.
	Confirm float64 `json:"confirm_seconds"`
	Timeout float64 `json:"timeout_seconds,omitempty"`
	// Opinions are the commands of --confirm.
	Opinions [][]string `json:"opinions,omitempty"`
	// ConfirmedOff: an admin has confirmed that the host is off.
	ConfirmedOff bool `json:"confirmed_off,omitempty"`
	// Rested: a VM that monitoring has put to rest is booted, too; what asks for that has seen it run before.
	Rested bool `json:"rested,omitempty"`
	// Follow: nothing is left but to follow VMs that left the host.
	Follow bool `json:"follow,omitempty"`
	// Again: it was refused for lack of a proof, and what was missing is there now: this is no repeated event.
	Again bool `json:"again,omitempty"`
	// Silent is since when the host has not answered this front-end while others did, although oned calls it MONITORED (oneft
	// watch); the zero time for a host that oned calls failed.
	Silent time.Time `json:"silent_since,omitzero"`
	// DuringPause: it is acted on although one-ft is paused; an operator says so each time.
	DuringPause bool `json:"during_pause,omitempty"`
	// Event is what oned told its hook; nil for a request by hand, and where oned gave the ID only.
	Event *hook.Event `json:"event,omitempty"`
	// At is when it was made.
	At time.Time `json:"at"`
}

const (
	// maxSeconds bounds times in a request: a thousand monitoring cycles of an hour.
	maxSeconds = 1000 * 3600
	maxWords   = 200 // of a call, and of opinions
	maxTold    = 300 // bytes of a name; package hook keeps 256 and an ellipsis
)

// Check refuses what no one-ft asks for. Requests are read from files and from oned.
func (q Request) Check() error {
	known := func(value string, allowed ...string) bool { return slices.Contains(allowed, value) }
	seconds := func(s float64) bool { return s >= 0 && s <= maxSeconds && !math.IsNaN(s) }
	host := known(q.Action, "recreate", "delete", "migrate")
	single := known(q.Action, "recreate", "delete", "retry", "boot")
	words := len(q.Call) + len(q.Opinions)
	for _, o := range q.Opinions {
		words += len(o)
	}
	switch {
	case !knownKind(q.Kind):
		return fmt.Errorf("it is a request for a %q", shown(q.Kind))
	case q.ID < 0 || q.ID > math.MaxInt32:
		return fmt.Errorf("it is a request for %s %d", q.Kind, q.ID)
	case q.Kind == "host" && !host, q.Kind == "VM" && !single:
		return fmt.Errorf("it is a request to %q a %s", shown(q.Action), q.Kind)
	case !known(q.Fencing, "", "auto", "required", "off"), !known(q.Verify, "", "none", "left", "running"):
		return fmt.Errorf("it is a request with fencing %q and verify %q", shown(q.Fencing), shown(q.Verify))
	case !q.Silent.IsZero() && (q.Kind != "host" || q.Fencing == "off"):
		return fmt.Errorf("it is a request for a silent %s with fencing %q", q.Kind, shown(q.Fencing))
	case !seconds(q.Confirm) || !seconds(q.Timeout):
		return fmt.Errorf("it is a request with a time of %g or %g seconds", q.Confirm, q.Timeout)
	case q.Event != nil && len(q.Event.Name) > maxTold:
		return fmt.Errorf("it is a request with a name of %d bytes", len(q.Event.Name))
	case words > maxWords:
		return fmt.Errorf("it is a request of %d words", words)
	}
	return nil
}

// Duration is a time of a Request.
func Duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
