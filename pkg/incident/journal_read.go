package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxFile bounds the file of an incident in bytes, about what 10000 of the longest events need.
	maxFile = 64 << 20
	// headBytes is where the events begin at the latest in almost all files.
	headBytes = 16 << 10
	// glanceBytes is where the status stands at the latest in almost all files.
	glanceBytes = 4 << 10
)

// errLater means that a later one-ft wrote the file.
var errLater = errors.New("written by a later one-ft; use that one")

// damageError is a file that is no record.
type damageError struct{ why string }

func (e *damageError) Error() string { return e.why }

func damaged(format string, args ...any) error {
	return &damageError{shown(fmt.Sprintf(format, args...))}
}

// part is how much of a record is read.
type part bool

const (
	everything part = false
	head       part = true // what stands before the events, or more
)

// read reads a record. A damaged file is set aside.
func (j *Journal) read(number int, p part) (Record, error) {
	path := filepath.Join(j.dir, fileName(number))
	r, seen, err := readRecord(path, number, p)
	var damage *damageError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Record{}, fmt.Errorf("incident %d: %w", number, ErrNoIncident)
	case errors.As(err, &damage):
		return Record{}, fmt.Errorf("%s is damaged: %w; %s", path, err, setAside(path, seen))
	case errors.Is(err, errLater):
		return Record{}, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		return Record{}, fmt.Errorf("read incident %d: %w", number, err)
	}
	return r, nil
}

// glance is what the first lines of a record say, as far as they are there: it is cheaper than reading it. A status
// that is no end means nothing.
type glance struct {
	about  object
	status Status
	ended  time.Time
}

func (j *Journal) glance(number int) glance {
	f, err := os.OpenFile(filepath.Join(j.dir, fileName(number)), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return glance{}
	}
	defer f.Close()
	var begin [glanceBytes]byte
	n, _ := f.Read(begin[:])
	// As in decode, only our own indentation has these lines.
	value := func(name string) string {
		_, after, _ := bytes.Cut(begin[:n], []byte("\n  \""+name+"\": "))
		value, _, whole := bytes.Cut(after, []byte(",\n"))
		if !whole {
			return ""
		}
		return strings.Trim(string(value), "\"")
	}
	g := glance{status: Status(value("status"))}
	if id, err := strconv.Atoi(value("id")); err == nil && knownKind(value("kind")) {
		g.about = object{value("kind"), id}
	}
	g.ended, _ = time.Parse(time.RFC3339, value("ended")) // else it is the zero time
	return g
}

// setAside renames a damaged file unless another process has replaced it, and says how that went.
func setAside(path string, seen os.FileInfo) string {
	if info, err := os.Lstat(path); err != nil || !os.SameFile(info, seen) {
		return "another process has replaced it"
	}
	if err := os.Rename(path, path+damagedSuffix); err != nil {
		return "it could not be set aside: " + err.Error()
	}
	return "it is now " + filepath.Base(path) + damagedSuffix
}

// readRecord reads the file of an incident. Links are not followed, and nothing but a file is opened. seen is what
// the file was.
func readRecord(path string, number int, p part) (r Record, seen os.FileInfo, err error) {
	if seen, err = os.Lstat(path); err != nil {
		return Record{}, nil, err
	}
	if !seen.Mode().IsRegular() {
		return Record{}, seen, damaged("it is no file but %s", seen.Mode().Type())
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Record{}, seen, err
	}
	defer f.Close()
	if seen, err = f.Stat(); err != nil {
		return Record{}, seen, err
	}
	if size := seen.Size(); size > maxFile {
		return Record{}, seen, damaged("it has %d bytes, more than %d", size, maxFile)
	}
	r, err = decode(io.LimitReader(f, maxFile), p)
	if err == nil && r.Number != number {
		err = damaged("it says that it is incident %d", r.Number)
	}
	return r, seen, err
}

// decode reads the JSON of a record.
func decode(from io.Reader, p part) (Record, error) {
	text := make([]byte, headBytes)
	n, err := io.ReadFull(from, text)
	if text = text[:n]; err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Record{}, err
	}
	if p == head {
		// Only our own indentation has this line: JSON has no line breaks in strings.
		if before, _, ok := bytes.Cut(text, []byte("\n  \"events\": ")); ok {
			if r, err := parse(append(slices.Clip(before), `"events": []}`...)); err == nil {
				return r, nil
			}
		}
	}
	rest, err := io.ReadAll(from)
	if err != nil {
		return Record{}, err
	}
	return parse(append(text, rest...))
}

// parse makes a record of JSON and checks whether it can be one.
func parse(text []byte) (Record, error) {
	var r Record
	err := json.Unmarshal(text, &r)
	if err != nil {
		// A later version may have other types, which must not look like damage.
		var any struct {
			Version int `json:"version"`
		}
		if json.Unmarshal(text, &any) == nil {
			r.Version = any.Version
		}
	}
	switch {
	case r.Version > RecordVersion:
		return Record{}, errLater
	case len(bytes.TrimSpace(text)) == 0:
		return Record{}, damaged("it is empty")
	case err != nil:
		return Record{}, damaged("%v", err)
	case r.Version < 1:
		return Record{}, damaged("it has no version")
	case !knownKind(r.Kind):
		return Record{}, damaged("it has the kind %q", r.Kind)
	case !slices.Contains(Statuses(), r.Status):
		return Record{}, damaged("it has the status %q", r.Status)
	}
	clean(&r)
	return r, nil
}

func knownKind(kind string) bool { return kind == "host" || kind == "VM" }
