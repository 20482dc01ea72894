package incident

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// Journal is a directory with one JSON file per incident, which all one-ft processes of a front-end share. It is safe
// for concurrent use.
type Journal struct {
	dir   string
	known sync.Map // the object of a number, as far as it was read: it never changes
}

// object is what an incident is about.
type object struct {
	kind string
	id   int
}

// ErrNoIncident means that the journal has no incident of that number.
var ErrNoIncident = errors.New("there is no such incident")

const (
	// maxNumber keeps the numbers of incidents in an int everywhere.
	maxNumber = 999_999_999
	// maxTries is how many numbers Begin tries. Each one that is taken is a process that began an incident at the
	// same moment, or was killed while it did.
	maxTries = 10_000
	// damagedSuffix is added to the name of a file that is set aside.
	damagedSuffix = ".damaged"
	// tempPrefix begins the names of the files that exist only while a process writes.
	tempPrefix = ".incident-"
	// lastName is the file with the highest number whose record was removed: numbers stand in logs and in oned, and
	// are not given twice.
	lastName = "incident-last"
)

// OpenJournal makes the directory if it is missing, closed to users outside the group of its owner: what stands in
// the journal is the business of the admins of the cloud.
func OpenJournal(dir string) (*Journal, error) {
	_, statErr := os.Stat(dir)
	err := statedir.MakeDir(dir)
	if err == nil && errors.Is(statErr, os.ErrNotExist) {
		err = os.Chmod(dir, 0o750)
	}
	if err != nil {
		return nil, fmt.Errorf("make the directory for the journal: %w", err)
	}
	return &Journal{dir: dir}, nil
}

// Begin writes a new incident with the next free number, on the disk when it returns. It sets Version, Number,
// Status, FrontEnd if it is empty and Began if it is zero. With an error the Writer is nil, which can be used like
// any other and writes nothing: a recovery does not wait for a disk.
func (j *Journal) Begin(r Record) (*Writer, error) {
	if !knownKind(r.Kind) {
		return nil, fmt.Errorf("begin an incident: %q is no kind of incident", r.Kind)
	}
	number, release, err := j.reserve()
	if err != nil {
		return nil, fmt.Errorf("begin an incident: %w", err)
	}
	defer release()
	r.Version, r.Number, r.Status, r.Ended = RecordVersion, number, Open, nil
	if r.FrontEnd == "" {
		r.FrontEnd, _ = os.Hostname() // for readers only
	}
	if r.Began.IsZero() {
		r.Began = now()
	}
	c := newWriter(j.dir, r)
	if err := save(j.dir, &c.record, &c.lines); err != nil {
		return nil, fmt.Errorf("begin an incident: %w", err)
	}
	c.last = time.Now() // the first events can wait for the plan
	return c, nil
}

// Continue resumes an open incident whose process was interrupted. The caller holds the lock of the object.
func (j *Journal) Continue(number int) (*Writer, error) {
	r, err := j.Load(number)
	if err != nil {
		return nil, err
	}
	if !r.Status.Unfinished() {
		return nil, fmt.Errorf("incident %d has ended: %s", number, r.Status)
	}
	return newWriter(j.dir, r), nil
}

// Touch writes down that an event about an incident that has ended came again, with the time of its request. The
// caller holds the lock of the object.
func (j *Journal) Touch(number int, at time.Time) error {
	_, err := j.amend(number, func(r *Record) error {
		if r.Request == nil {
			return errors.New("it has no request")
		}
		q := *r.Request
		q.At, r.Request = at, &q
		return nil
	})
	return err
}

// Asked writes down that it was asked whether a host could be proven off now that was refused for lack of a proof. The
// caller holds the lock of the object.
func (j *Journal) Asked(number int) error {
	_, err := j.amend(number, func(r *Record) error {
		r.Asked, r.AskedAt = r.Asked+1, now()
		return nil
	})
	return err
}

// Note adds an event of now to an incident that has ended.
func (j *Journal) Note(number int, e Event) error {
	_, err := j.amend(number, func(r *Record) error {
		e.At = now()
		r.Events = append(r.Events, e)
		return nil
	})
	return err
}

// Reopen resumes an incident that ended, for another event of the same outage, with the tool, the call and the
// request of again. The caller holds the lock of the object. How it had ended is in its events.
func (j *Journal) Reopen(number int, again Record) (*Writer, error) {
	r, err := j.amend(number, func(r *Record) error {
		r.Tool, r.Call, r.Request = again.Tool, again.Call, again.Request
		r.Tries++
		at := now()
		ended := *cmp.Or(r.Ended, &at) // what it did last took until then
		r.Events = append(r.Events, Event{At: ended, Step: StepEnd, VM: -1, Level: wording.Info, Text: fmt.Sprintf("it was %s: %s", r.Status, r.Summary)})
		r.Status, r.Ended, r.Summary, r.Reason = Open, nil, "", ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return newWriter(j.dir, r), nil
}

// amend changes an incident that has ended, on the disk when it returns.
func (j *Journal) amend(number int, change func(*Record) error) (Record, error) {
	r, err := j.Load(number)
	switch {
	case err != nil:
		return Record{}, err
	case r.Status.Unfinished():
		err = errors.New("it has not ended")
	default:
		err = change(&r)
	}
	if err == nil {
		clean(&r)
		err = save(j.dir, &r, &eventLines{})
	}
	if err != nil {
		return Record{}, fmt.Errorf("amend incident %d: %w", number, err)
	}
	return r, nil
}

// Load reads an incident. The error is ErrNoIncident when there is none.
func (j *Journal) Load(number int) (Record, error) {
	if number < 1 || number > maxNumber {
		return Record{}, fmt.Errorf("incident %d: %w", number, ErrNoIncident)
	}
	return j.read(number, everything)
}

// OpenOf gives the newest incident of an object that has not ended (Status.Unfinished), such as ("VM", 42), and
// whether there is one. An error names files that could not be read; the answer holds for the others.
func (j *Journal) OpenOf(kind string, id int) (Record, bool, error) {
	return j.newest(object{kind, id}, true, 0)
}

// OpenAmong is OpenOf that looks at so many records, the newest, only; 0 is all.
func (j *Journal) OpenAmong(kind string, id, newest int) (Record, bool, error) {
	return j.newest(object{kind, id}, true, newest)
}

// LastOf is OpenOf for the newest incident, whether it has ended or not.
func (j *Journal) LastOf(kind string, id int) (Record, bool, error) {
	return j.newest(object{kind, id}, false, 0)
}

func (j *Journal) newest(of object, open bool, limit int) (Record, bool, error) {
	numbers, _, err := j.numbers()
	if err != nil {
		return Record{}, false, err
	}
	if limit > 0 {
		numbers = numbers[:min(limit, len(numbers))]
	}
	var failed []error
	for _, n := range numbers {
		// A process that looks for an open incident passes a thousand that have ended, and when many hosts fail a
		// hundred processes look.
		if !j.mayBeOf(n, of) || open && j.glance(n).status.Ended() {
			continue
		}
		r, err := j.read(n, everything)
		switch {
		case err == nil && r.Kind == of.kind && r.ID == of.id && (!open || r.Status.Unfinished()):
			return r, true, errors.Join(failed...)
		case err != nil && !errors.Is(err, ErrNoIncident) && !errors.Is(err, errLater):
			failed = append(failed, err)
		}
	}
	return Record{}, false, errors.Join(failed...)
}

// mayBeOf reports whether a record may be of an object, for which it is looked at once: a process that works on 500
// hosts asks for each of them about each record.
func (j *Journal) mayBeOf(number int, of object) bool {
	about, known := j.known.Load(number)
	if !known {
		if about = j.glance(number).about; about == (object{}) {
			return true
		}
		j.known.Store(number, about)
	}
	return about == of
}

// List gives up to limit incidents, newest first; 0 means all. Each error is a file that was skipped: a damaged one,
// which is set aside, or one of a later one-ft or that cannot be read, which stay.
func (j *Journal) List(limit int) ([]Record, []error) { return j.list(limit, everything) }

// Summaries is List for all incidents, without their events, and without their VMs where those can be left out: Load
// has them. It reads a page of each file.
func (j *Journal) Summaries() ([]Record, []error) { return j.list(0, head) }

// Glimpse is Summaries, or with whole List, for the newest, at most so many, and changes nothing: what cannot be read is left out and
// stays as it is.
func (j *Journal) Glimpse(limit int, whole bool) (records []Record) {
	p := head
	if whole {
		p = everything
	}
	numbers, _, _ := j.numbers() // a directory that cannot be read has none
	for _, n := range numbers {
		if len(records) == limit {
			break
		}
		if r, _, err := readRecord(filepath.Join(j.dir, fileName(n)), n, p); err == nil {
			records = append(records, r)
		}
	}
	return records
}

func (j *Journal) list(limit int, p part) ([]Record, []error) {
	numbers, _, err := j.numbers()
	if err != nil {
		return nil, []error{err}
	}
	var records []Record
	var failed []error
	for _, n := range numbers {
		if limit > 0 && len(records) == limit {
			break
		}
		r, err := j.read(n, p)
		switch {
		case err == nil:
			records = append(records, r)
		case !errors.Is(err, ErrNoIncident): // else another process removed it
			failed = append(failed, err)
		}
	}
	return records, failed
}

// reserve takes the next free number for this process. Nobody waits: a file that only one process can make stands for
// the number until release.
func (j *Journal) reserve() (number int, release func(), err error) {
	_, last, err := j.numbers()
	if err != nil {
		return 0, nil, err
	}
	last = max(last, j.lastRemoved())
	for n := last + 1; n <= min(last+maxTries, maxNumber); n++ {
		taken := filepath.Join(j.dir, fmt.Sprintf("%s%06d.new", tempPrefix, n))
		f, err := os.OpenFile(taken, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		f.Close()
		release := func() { os.Remove(taken) }
		// Another process may have written it and released since the directory was read.
		if _, err := os.Lstat(filepath.Join(j.dir, fileName(n))); errors.Is(err, os.ErrNotExist) {
			return n, release, nil
		}
		release()
	}
	return 0, nil, fmt.Errorf("no number after %d is free in %s; remove old files from it", last, j.dir)
}

// numbers are the numbers of the records, the highest first, and the highest that a file has, damaged ones included.
func (j *Journal) numbers() (numbers []int, last int, err error) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, 0, fmt.Errorf("read the journal: %w", err)
	}
	for _, e := range entries {
		name, damaged := strings.CutSuffix(e.Name(), damagedSuffix)
		n, ok := parseName(name)
		if ok {
			last = max(last, n)
		}
		if ok && !damaged {
			numbers = append(numbers, n)
		}
	}
	slices.SortFunc(numbers, func(a, b int) int { return b - a })
	return numbers, last, nil
}

func fileName(number int) string { return fmt.Sprintf("incident-%06d.json", number) }

// parseName reads what fileName writes, and nothing else.
func parseName(name string) (number int, ok bool) {
	digits := strings.TrimSuffix(strings.TrimPrefix(name, "incident-"), ".json")
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0 && n <= maxNumber && fileName(n) == name
}

// now has milliseconds, as the file has: it is the same after it was read back.
func now() time.Time { return time.Now().Truncate(time.Millisecond) }
