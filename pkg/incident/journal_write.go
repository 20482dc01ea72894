package incident

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

// maxEvents is how many events an incident keeps: more than a recovery of 1000 VMs has.
const maxEvents = 10_000

// moreEvents stands after the last event that is kept.
const moreEvents = "… more events are only in the log"

// Writer writes an open incident. It is safe for concurrent use. Nothing but Flush, End and Close waits for the disk:
// a goroutine writes the latest state, however many changes led to it, and ends when there is nothing to write. A nil
// Writer writes nothing.
type Writer struct {
	dir string

	mu     sync.Mutex
	wakeup *sync.Cond // a write ended
	record Record
	closed bool
	// Changes are counted: the last one, and the last one of which a write was tried.
	changed, tried uint64
	writing        bool // the goroutine is there
	waiting        int  // who waits for the disk
	hurry          chan struct{}
	last           time.Time // when the last write ended
	took           time.Duration
	first, latest  error      // of the first write that failed, and of the last one
	lines          eventLines // of what was last written; for whoever writes
}

func newWriter(dir string, r Record) *Writer {
	clean(&r)
	c := &Writer{dir: dir, record: r, hurry: make(chan struct{}, 1)}
	c.wakeup = sync.NewCond(&c.mu)
	return c
}

// Number is the number of the incident, 0 of a nil Writer.
func (c *Writer) Number() int {
	if c == nil {
		return 0
	}
	return c.record.Number // never changes
}

// Record is the incident as it stands now, on the disk or not.
func (c *Writer) Record() Record {
	var r Record
	c.locked(func() { r = c.state() })
	r.Events = slices.Clone(r.Events)
	return r
}

// Event adds an event of now. vm is -1 when it is about the host. After the 10000th one line says that there were
// more.
func (c *Writer) Event(step Step, vm int, level wording.Level, m wording.Message) {
	e := Event{Step: step, VM: vm, Level: level, Kind: m.Kind.Name(), Text: m.String()}
	cleanEvent(&e)
	c.change(func(r *Record) {
		switch n := len(r.Events); {
		case n < maxEvents:
			e.At = now()
			r.Events = append(r.Events, e)
		case n == maxEvents:
			r.Events = append(r.Events, Event{At: now(), Step: e.Step, VM: -1, Level: wording.Warning, Text: moreEvents})
		}
	})
}

// VMs sets the outcomes of all VMs.
func (c *Writer) VMs(vms []VM) {
	vms = slices.Clone(vms)
	for i := range vms {
		cleanVM(&vms[i])
	}
	c.change(func(r *Record) { r.VMs = vms })
}

// VM sets the outcome of the VM with that ID, and adds it if it was not there.
func (c *Writer) VM(vm VM) {
	cleanVM(&vm)
	c.change(func(r *Record) {
		if i := slices.IndexFunc(r.VMs, func(old VM) bool { return old.ID == vm.ID }); i >= 0 {
			r.VMs[i] = vm
		} else {
			r.VMs = append(r.VMs, vm)
		}
	})
}

// Sight sets what the VMs were when the host was first seen failed.
func (c *Writer) Sight(s Sight) { c.change(func(r *Record) { r.Sight = &s }) }

// Proof sets how the host was proven off, or why it was done without; proven says which.
func (c *Writer) Proof(text string, proven bool) {
	c.change(func(r *Record) { r.Proof, r.Proven = shown(text), proven })
}

// Reason sets why the incident ends as it does.
func (c *Writer) Reason(kind wording.Kind) { c.change(func(r *Record) { r.Reason = kind.Name() }) }

// Host changes what is remembered of the host.
func (c *Writer) Host(change func(*HostRecord)) {
	c.change(func(r *Record) {
		var h HostRecord
		if r.Host != nil {
			h = *r.Host // what was written is not changed under the writer
		}
		h.FailFast = slices.Clone(h.FailFast)
		change(&h)
		r.Host = &h
	})
}

// Forecast sets how long these stages are expected to take. The others stay as they are.
func (c *Writer) Forecast(stages []Stage) {
	c.change(func(r *Record) {
		r.Forecast = slices.Clone(r.Forecast) // what was written is not changed under the writer
		for _, s := range stages {
			if i := slices.IndexFunc(r.Forecast, func(old Stage) bool { return old.Name == s.Name }); i >= 0 {
				r.Forecast[i] = s
			} else {
				r.Forecast = append(r.Forecast, s)
			}
		}
	})
}

// End ends the incident, once, and returns when that is on the disk or could not be written, which Err tells. What
// comes later is not kept. A status that is no end is taken as Failed.
func (c *Writer) End(status Status, summary string) {
	if !status.Ended() {
		status = Failed
	}
	_ = c.finish(func(r *Record) {
		at := now()
		r.Ended, r.Status, r.Summary = &at, status, shown(summary)
	})
}

// Follow is Close for an incident whose VMs are all on their way: another process follows them until they run.
func (c *Writer) Follow(summary string) error {
	return c.finish(func(r *Record) { r.Status, r.Summary = Following, shown(summary) })
}

// Close leaves the incident open for another process, unless it has ended, and returns when all is on the disk; the
// error is why it is not. What comes later is not kept.
func (c *Writer) Close() error { return c.finish(nil) }

// Flush returns when everything so far is on the disk. After a write that failed it retries; the error is that of the
// last write.
func (c *Writer) Flush() (err error) {
	c.locked(func() { err = c.flush() })
	return err
}

// Err is why the first write that failed did. Later ones may have worked.
func (c *Writer) Err() (err error) {
	c.locked(func() { err = c.first })
	return err
}

func (c *Writer) change(f func(*Record)) {
	c.locked(func() {
		if !c.closed {
			f(&c.record)
			c.touch()
		}
	})
}

// finish makes a last change, if any, and returns when it was written, or could not be.
func (c *Writer) finish(f func(*Record)) (err error) {
	c.locked(func() {
		if f != nil && !c.closed {
			f(&c.record)
			c.touch()
		}
		c.closed = true
		err = c.flush() // after which the goroutine has nothing to do
	})
	return err
}

// locked does something under the lock; nothing for a nil Writer.
func (c *Writer) locked(do func()) {
	if c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		do()
	}
}

// touch counts a change and has it written. The lock is held, here and below.
func (c *Writer) touch() {
	c.changed++
	if !c.writing {
		c.writing = true
		go c.write()
	}
}

// flush waits until the latest change is on the disk, or could not be written.
func (c *Writer) flush() error {
	if c.tried == c.changed {
		if c.latest == nil {
			return nil
		}
		c.touch() // the last write failed
	}
	target := c.changed
	c.waiting++
	select {
	case c.hurry <- struct{}{}:
	default: // it has been told
	}
	for c.tried < target {
		c.wakeup.Wait()
	}
	c.waiting--
	return c.latest
}

// write is the goroutine: it writes the latest state until there is none that it has not tried to write.
func (c *Writer) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.tried < c.changed {
		c.rest()
		change, state := c.changed, c.state()
		c.mu.Unlock()
		began := time.Now()
		err := save(c.dir, &state, &c.lines)
		c.mu.Lock()
		c.tried, c.latest, c.last, c.took = change, err, time.Now(), time.Since(began)
		c.first = cmp.Or(c.first, err)
		c.wakeup.Broadcast()
	}
	c.writing = false
	c.wakeup.Broadcast()
}

// restTime is the least time between two writes that nobody waits for, and restShare how many times as long as the
// last write it is on a disk that is slow or busy, longestRest at most: the record of a large recovery grows to
// megabytes, a hundred hosts that fail have one each, and oned's database is on the same disk. Choices.
const (
	restTime    = 200 * time.Millisecond
	restShare   = 20
	longestRest = 3 * time.Second
)

// rest waits until it is time for the next write.
func (c *Writer) rest() {
	left := min(max(restTime, restShare*c.took), longestRest) - time.Since(c.last)
	if c.waiting > 0 || left <= 0 {
		return
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-time.After(left):
	case <-c.hurry:
	}
}

// state is a copy that later changes do not touch: VMs are replaced in their place, events are only appended.
func (c *Writer) state() Record {
	r := c.record
	r.Events = slices.Clip(r.Events)
	r.VMs = slices.Clone(r.VMs)
	return r
}

// save writes a record to the disk. Every state of the file is a whole record. lines are those of its last state, if they are known.
func save(dir string, r *Record, lines *eventLines) error {
	record, err := encode(r, lines)
	if err == nil && len(record) > maxFile {
		err = fmt.Errorf("it would have %d bytes, more than %d", len(record), maxFile)
	}
	if err == nil {
		err = statedir.File{Prepare: restrict}.Replace(filepath.Join(dir, fileName(r.Number)), record)
	}
	if err != nil {
		return fmt.Errorf("write incident %d: %w", r.Number, err)
	}
	return nil
}

// eventLines are the first events of a record as lines of JSON: they never change, and a recovery writes its record many times.
type eventLines struct {
	text  []byte
	count int
}

// encode writes a record as JSON: what says how it stands one field a line, which glance and decode read without the rest, and each
// event and each VM one line.
func encode(r *Record, events *eventLines) ([]byte, error) {
	whole, sight := *r, r.Sight
	whole.Events, whole.VMs, whole.Sight = nil, nil, nil
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(whole); err != nil {
		return nil, err
	}
	const none = "null\n}\n" // of the events, which come last here
	out.Truncate(out.Len() - len(none))
	enc.SetIndent("", "")
	line := func(v any, first bool) error {
		if !first {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		err := enc.Encode(v)
		out.Truncate(out.Len() - 1) // its line end
		return err
	}
	out.WriteByte('[')
	start := out.Len()
	out.Write(events.text)
	for i := events.count; i < len(r.Events); i++ {
		if err := line(&r.Events[i], i == 0); err != nil {
			return nil, err
		}
	}
	events.text, events.count = append(events.text, out.Bytes()[start+len(events.text):]...), len(r.Events)
	if len(r.Events) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteByte(']')
	if len(r.VMs) > 0 {
		out.WriteString(",\n  \"vms\": [")
		for i := range r.VMs {
			if err := line(&r.VMs[i], i == 0); err != nil {
				return nil, err
			}
		}
		out.WriteString("\n  ]")
	}
	if sight != nil {
		out.WriteString(",\n  \"first_sight\": ")
		if err := enc.Encode(sight); err != nil {
			return nil, err
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteString("\n}\n")
	return out.Bytes(), nil
}

// restrict closes a record to users outside the group of the owner of the journal. If it cannot be given to that
// owner, others than root must be able to read it, so it stays open: the directory is closed.
func restrict(f *os.File) error {
	if statedir.OwnLikeParent(f.Name()) == nil {
		_ = f.Chmod(0o640) // else more users can read it, in a closed directory
	}
	return nil
}
