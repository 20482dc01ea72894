package incident

import (
	"errors"
	"fmt"
	"time"

	"one-ft/pkg/wording"
)

// Touch writes down that an event about an incident that has ended came again, with the time of its
// request. The caller holds the lock of the object.
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

// Note adds an event of now to an incident that has ended.
func (j *Journal) Note(number int, e Event) error {
	_, err := j.amend(number, func(r *Record) error {
		e.At = now()
		r.Events = append(r.Events, e)
		return nil
	})
	return err
}

// Reopen resumes an incident that ended, for another event of the same outage. The caller holds the
// lock of the object. again has the tool, the call and the request of this time. How it had ended is in
// its events.
func (j *Journal) Reopen(number int, again Record) (*Writer, error) {
	r, err := j.amend(number, func(r *Record) error {
		r.Tool, r.Call, r.Request = again.Tool, again.Call, again.Request
		r.Tries++
		ended := now()
		if r.Ended != nil { // what it did last took until then, not until now
			ended = *r.Ended
		}
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
		err = save(j.dir, &r)
	}
	if err != nil {
		return Record{}, fmt.Errorf("amend incident %d: %w", number, err)
	}
	return r, nil
}
