package incident

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// LastOf gives the newest incident of an object, such as ("host", 3), whether it has ended or
// not, and whether there is one. An error names files that could not be read; the answer holds
// for the others.
func (j *Journal) LastOf(kind string, id int) (Record, bool, error) {
	numbers, err := j.numbers()
	if err != nil {
		return Record{}, false, err
	}
	var failed []error
	for _, n := range numbers {
		if !j.mayBeOf(n, kind, id) {
			continue
		}
		r, err := j.read(n, everything)
		if err == nil && r.Kind == kind && r.ID == id {
			return r, true, errors.Join(failed...)
		}
		if err != nil && !errors.Is(err, ErrNoIncident) {
			failed = append(failed, err)
		}
	}
	return Record{}, false, errors.Join(failed...)
}

// mayBeOf reports whether a record may be of an object, from its first lines: like isOver, for
// a journal of a thousand incidents. true means nothing.
func (j *Journal) mayBeOf(number int, kind string, id int) bool {
	f, err := os.OpenFile(filepath.Join(j.dir, fileName(number)), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return true
	}
	defer f.Close()
	const begin = 512 // the version, the number, the kind and the ID come first
	var text [begin]byte
	n, _ := f.Read(text[:])
	line := func(format string, args ...any) bool {
		return bytes.Contains(text[:n], fmt.Appendf(nil, format, args...))
	}
	ours := line("\n  \"kind\": \"") && line("\n  \"id\": ")
	return !ours || line("\n  \"kind\": %q,\n", kind) && line("\n  \"id\": %d,\n", id)
}

// Reopen goes on with an incident that ended, for another event of the same outage. The caller
// holds the lock of the object. now has the tool, the call and the request of this time. What
// it had at its end is in its events.
func (j *Journal) Reopen(number int, now Record) (*Case, error) {
	r, err := j.Load(number)
	if err != nil {
		return nil, err
	}
	if r.Status == Open {
		return nil, fmt.Errorf("incident %d has not ended", number)
	}
	r.Tool, r.Call, r.Request = now.Tool, now.Call, now.Request
	r.Tries++
	r.Events = append(r.Events, Event{At: time.Now().Truncate(time.Millisecond), Step: StepEnd, VM: -1, Level: "info", Text: fmt.Sprintf("it was %s: %s", r.Status, r.Summary)})
	r.Status, r.Ended, r.Summary = Open, nil, ""
	c := newCase(j.dir, r)
	if err := save(j.dir, &c.record); err != nil {
		return nil, fmt.Errorf("go on with incident %d: %w", number, err)
	}
	return c, nil
}
