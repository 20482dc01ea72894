package incident

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// mayBeOf reports whether a record may be of an object, from its first lines, which are read once:
// a process that works on 500 hosts asks for each of them about each record. true means nothing.
func (j *Journal) mayBeOf(number int, kind string, id int) bool {
	j.mu.Lock()
	about, known := j.known[number]
	j.mu.Unlock()
	if !known {
		if about, known = aboutIn(filepath.Join(j.dir, fileName(number))); !known {
			return true
		}
		j.mu.Lock()
		j.known[number] = about
		j.mu.Unlock()
	}
	return about == object{kind, id}
}

// aboutIn reads what a record is about from its first lines; false when it does not stand there as
// we write it.
func aboutIn(path string) (object, bool) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return object{}, false
	}
	defer f.Close()
	const begin = 512 // the version, the number, the kind and the ID come first
	var text [begin]byte
	n, _ := f.Read(text[:])
	value := func(name string) string {
		_, after, _ := bytes.Cut(text[:n], []byte("\n  \""+name+"\": "))
		value, _, whole := bytes.Cut(after, []byte(",\n"))
		if !whole {
			return ""
		}
		return string(value)
	}
	id, err := strconv.Atoi(value("id"))
	kind := strings.Trim(value("kind"), "\"")
	return object{kind, id}, err == nil && knownKind(kind)
}

// Touch writes down that an event about an incident that has ended came again, with the time of its
// request. The caller holds the lock of the object.
func (j *Journal) Touch(number int, at time.Time) error {
	r, err := j.Load(number)
	if err != nil {
		return err
	}
	if r.Request == nil || r.Status.Unfinished() {
		return fmt.Errorf("incident %d has not ended, or has no request", number)
	}
	q := *r.Request
	q.At, r.Request = at, &q
	if err := save(j.dir, &r); err != nil {
		return fmt.Errorf("note an event of incident %d: %w", number, err)
	}
	return nil
}

// Note adds an event of now to an incident that has ended.
func (j *Journal) Note(number int, e Event) error {
	r, err := j.Load(number)
	if err != nil {
		return err
	}
	if r.Status.Unfinished() {
		return fmt.Errorf("incident %d has not ended", number)
	}
	e.At = now()
	r.Events = append(r.Events, e)
	clean(&r)
	if err := save(j.dir, &r); err != nil {
		return fmt.Errorf("note an event of incident %d: %w", number, err)
	}
	return nil
}

// Reopen goes on with an incident that ended, for another event of the same outage. The caller
// holds the lock of the object. now has the tool, the call and the request of this time. What
// it had at its end is in its events.
func (j *Journal) Reopen(number int, now Record) (*Writer, error) {
	r, err := j.Load(number)
	if err != nil {
		return nil, err
	}
	if r.Status.Unfinished() {
		return nil, fmt.Errorf("incident %d has not ended", number)
	}
	r.Tool, r.Call, r.Request = now.Tool, now.Call, now.Request
	r.Tries++
	ended := time.Now().Truncate(time.Millisecond)
	if r.Ended != nil { // what it did last took until then, not until now
		ended = *r.Ended
	}
	r.Events = append(r.Events, Event{At: ended, Step: StepEnd, VM: -1, Level: "info", Text: fmt.Sprintf("it was %s: %s", r.Status, r.Summary)})
	r.Status, r.Ended, r.Summary = Open, nil, ""
	c := newWriter(j.dir, r)
	if err := save(j.dir, &c.record); err != nil {
		return nil, fmt.Errorf("go on with incident %d: %w", number, err)
	}
	return c, nil
}
