package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"one-ft/pkg/statedir"
)

const goodRecord = `{"version":1,"incident":2,"kind":"VM","id":7,"status":"open","events":[{"text":"x\u001b"}]}`

// TestDamagedFiles: each is skipped and set aside with one error, by whoever meets it.
func TestDamagedFiles(t *testing.T) {
	with := func(old, new string) func(string) error {
		return func(path string) error {
			if !strings.Contains(goodRecord, old) {
				return errors.New(old)
			}
			return os.WriteFile(path, []byte(strings.Replace(goodRecord, old, new, 1)), 0o640)
		}
	}
	for name, test := range map[string]struct {
		make func(path string) error
		why  string
	}{
		"empty":          {with(goodRecord, ""), "it is empty"},
		"zeros":          {with(goodRecord, strings.Repeat("\x00", 4096)), "invalid character"},
		"cut off":        {with(`]}`, ""), "unexpected end"},
		"trailing":       {with(`]}`, `]}}`), "after top-level value"},
		"null":           {with(goodRecord, "null"), "no version"},
		"no object":      {with(goodRecord, `[]`), "cannot unmarshal array"},
		"version 0":      {with(`"version":1`, `"version":0`), "no version"},
		"version text":   {with(`"version":1`, `"version":"2"`), "cannot unmarshal"},
		"later, cut off": {with(goodRecord, `{"version":2,`), "unexpected end"},
		"another number": {with(`"incident":2`, `"incident":3`), "it says that it is incident 3"},
		"kind":           {with(`"kind":"VM"`, `"kind":"vm\u001b"`), `the kind "vm\x1b"`},
		"status":         {with(`"open"`, `"Open"`), `the status`},
		"no status":      {with(`"open"`, `""`), `the status`},
		"bad time":       {with(`"id":7`, `"began":"yesterday"`), "parsing time"},
		"nested":         {with(goodRecord, strings.Repeat("[", 1<<20)), "exceeded max depth"},
		"directory":      {func(path string) error { return os.Mkdir(path, 0o755) }, "no file but d"},
		"fifo":           {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "no file but p"},
		"link":           {func(path string) error { return os.Symlink("incident-000001.json", path) }, "no file but L"},
		"dangling link":  {func(path string) error { return os.Symlink("nowhere", path) }, "no file but L"},
		"huge": {func(path string) error {
			return errors.Join(os.WriteFile(path, []byte(goodRecord), 0o640), os.Truncate(path, maxFile+1))
		}, "it has 67108865 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			setsAside(t, test.make, test.why)
		})
	}
}

// setsAside makes sure that whoever meets the file says why it is damaged and sets it aside.
func setsAside(t *testing.T, spoil func(path string) error, why string) {
	t.Helper()
	for who, read := range map[string]func(j *Journal) error{
		"Load":   func(j *Journal) error { _, err := j.Load(2); return err },
		"OpenOf": func(j *Journal) error { _, _, err := j.OpenOf("VM", 1); return err },
		"Prune":  func(j *Journal) error { return j.Prune(9, time.Hour, time.Now()) },
		"List": func(j *Journal) error {
			records, failed := j.List(0)
			if len(records) != 2 || len(failed) != 1 {
				t.Errorf("%d records, %v", len(records), failed)
			}
			return errors.Join(failed...)
		},
	} {
		j := openJournal(t, t.TempDir())
		begin(t, j, 1)
		if err := spoil(filepath.Join(j.dir, "incident-000002.json")); err != nil {
			t.Fatal(err)
		}
		begin(t, j, 3)
		err := read(j)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "it is now incident-000002.json.damaged") ||
			strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }) {
			t.Errorf("%s: %v", who, err)
		}
		if want := []string{"incident-000001.json", "incident-000002.json.damaged", "incident-000003.json"}; !slices.Equal(names(t, j), want) {
			t.Errorf("%s: %q", who, names(t, j))
		}
		if got := listed(t, j, 0); !slices.Equal(got, []int{3, 1}) {
			t.Error(got)
		}
	}
}

// TestFilesThatStay: what a later one-ft wrote, or what cannot be read now, is no damage.
func TestFilesThatStay(t *testing.T) {
	j := openJournal(t, t.TempDir())
	begin(t, j, 1)
	for _, later := range []string{
		`{"version":2}`,
		`{"version":2,"incident":"two","kind":5,"events":{}}`,
		"{\n  \"version\": 2,\n  \"status\": \"open\",\n  \"events\": {}}",
	} {
		put(t, j, "incident-000002.json", later)
		records, failed := j.List(0)
		if len(records) != 1 || len(failed) != 1 || !errors.Is(failed[0], errLater) {
			t.Errorf("%s: %v", later, failed)
		}
		if _, err := j.Load(2); !errors.Is(err, errLater) {
			t.Error(err)
		}
		if _, found, err := j.OpenOf("VM", 1); err != nil || !found {
			t.Error(err)
		}
		if err := j.Prune(0, 0, time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"incident-000001.json", "incident-000002.json"}; !slices.Equal(names(t, j), want) {
		t.Errorf("%q", names(t, j))
	}
}

// TestReplacedWhileItWasRead: a damaged file that another process has just replaced by a
// good one is not set aside.
func TestReplacedWhileItWasRead(t *testing.T) {
	j := openJournal(t, t.TempDir())
	path := put(t, j, "incident-000002.json", "damaged")
	_, seen, err := readRecord(path, 2, everything)
	if err == nil {
		t.Fatal("read what is damaged")
	}
	if err := statedir.Replace(path, []byte(goodRecord)); err != nil {
		t.Fatal(err)
	}
	if said := setAside(path, seen); said != "another process has replaced it" {
		t.Error(said)
	}
	r, err := j.Load(2)
	if err != nil || r.ID != 7 || r.Events[0].Text != `x\x1b` {
		t.Errorf("%+v, %v", r, err)
	}
	if err := os.Mkdir(path+damagedSuffix, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, j, "incident-000002.json", "damaged")
	if _, err := j.Load(2); err == nil || !strings.Contains(err.Error(), "could not be set aside") {
		t.Error(err)
	}
}

// TestHead: a head says the same as the whole, and does not read the events.
func TestHead(t *testing.T) {
	j := openJournal(t, t.TempDir())
	c := begin(t, j, 7)
	c.Event(StepAct, 7, "info", said("x"))
	c.End(CameBack, "\n  \"events\": ")
	path := filepath.Join(j.dir, fileName(1))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := decode(bytes.NewReader(text), everything)
	if err != nil {
		t.Fatal(err)
	}
	short, err := decode(bytes.NewReader(text[:len(text)-50]), head)
	whole.Events = []Event{}
	if err != nil || !reflect.DeepEqual(short, whole) {
		t.Errorf("%+v, %v", short, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	if other, err := decode(&compact, head); err != nil || len(other.Events) != 1 {
		t.Errorf("%+v, %v", other, err)
	}
}

// FuzzRecord: whatever is in a file, reading it ends with a record or an error, and what
// was read is printable and reads the same after it was written again.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(goodRecord))
	f.Add([]byte("{\n  \"version\": 1, \"kind\": \"host\", \"status\": \"done\",\n  \"events\": [{}], \"vms\":[{\"name\":\"\xff\"}]}"))
	f.Add([]byte(`{"version":2,"events":3}`))
	f.Add([]byte(`{"version":1,"kind":"VM","status":"open","began":"2025-01-02T03:04:05.678+01:00","ended":"0001-01-01T00:00:00Z","call":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _ = decode(bytes.NewReader(text), head)
		r, err := decode(bytes.NewReader(text), everything)
		var damage *damageError
		if err != nil {
			if !errors.As(err, &damage) && !errors.Is(err, errLater) {
				t.Fatal(err)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Fatalf("not printable: %q", err)
			}
			return
		}
		written, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(string(written), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Fatalf("not printable: %q", written)
		}
		again, err := decode(bytes.NewReader(written), everything)
		second, marshalErr := json.MarshalIndent(again, "", "  ")
		if err != nil || marshalErr != nil || !bytes.Equal(written, second) {
			t.Fatalf("%v, %v\n%s\n%s", err, marshalErr, written, second)
		}
	})
}
