package incident

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"one-ft/pkg/wording"
)

func openJournal(t *testing.T, dir string) *Journal {
	t.Helper()
	j, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// begin begins an incident of VM id.
// said is an event of these words.
func said(words string) wording.Message { return wording.Of(wording.Trouble, errors.New(words)) }

func begin(t *testing.T, j *Journal, id int) *Writer {
	t.Helper()
	c, err := j.Begin(Record{Kind: "VM", ID: id, Tool: "vm_failure"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes a file into the journal.
func put(t *testing.T, j *Journal, name, text string) string {
	t.Helper()
	path := filepath.Join(j.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// names are the files of the journal.
func names(t *testing.T, j *Journal) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// listed are the numbers that List gives, with no error.
func listed(t *testing.T, j *Journal, limit int) (numbers []int) {
	t.Helper()
	records, failed := j.List(limit)
	if failed != nil {
		t.Error(failed)
	}
	for _, r := range records {
		numbers = append(numbers, r.Number)
	}
	return numbers
}

func TestIncidentFromBeginToEnd(t *testing.T) {
	j := openJournal(t, filepath.Join(t.TempDir(), "one-ft", "incidents"))
	c, err := j.Begin(Record{Version: 7, Number: 9, Status: Failed, Kind: "host", ID: 3, Name: "node\x1b3", Tool: "host_error",
		Call: []string{"3", "-r", strings.Repeat("A", maxName+1)}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := j.Load(1)
	if err != nil || !reflect.DeepEqual(first.Events, []Event{}) || first.Status != Open || first.Version != RecordVersion ||
		first.FrontEnd == "" || time.Since(first.Began) > time.Minute || first.Ended != nil {
		t.Fatalf("%+v, %v", first, err)
	}
	if want := []string{"3", "-r", "<201 bytes>"}; first.Name != `node\x1b3` || !slices.Equal(first.Call, want) {
		t.Errorf("%q, %q", first.Name, first.Call)
	}
	c.VMs([]VM{{ID: 4, Name: "a"}, {ID: 5, Name: "b\n"}})
	c.Event(StepAct, 5, "info", said("re\x00created <&>\u202e"))
	before := c.Record()
	c.VM(VM{ID: 5, Name: "b", Result: "done"})
	if got := before.VMs[1]; got.Name != `b\n` || got.Result != "" {
		t.Errorf("a state changed while it was written: %+v", got)
	}
	c.VM(VM{ID: 6, Detail: strings.Repeat("é", 3000)})
	c.Proof("fence_ipmilan\nsays off", true)
	c.End(Done, "3 VMs\tdone")
	r, err := j.Load(1)
	if err != nil || c.Err() != nil || c.Number() != 1 {
		t.Fatal(err, c.Err())
	}
	if r.Status != Done || r.Ended == nil || r.Summary != `3 VMs\tdone` || r.Proof != `fence_ipmilan\nsays off` {
		t.Errorf("%+v", r)
	}
	if len(r.Events) != 1 || r.Events[0].Text != `re\x00created <&>\u202e` || r.Events[0].VM != 5 || r.Events[0].Step != StepAct || r.Events[0].Level != "info" {
		t.Errorf("%+v", r.Events)
	}
	want := []VM{{ID: 4, Name: "a"}, {ID: 5, Name: "b", Result: "done"}, {ID: 6, Detail: strings.Repeat("é", maxText) + "…"}}
	if !reflect.DeepEqual(r.VMs, want) {
		t.Errorf("%+v", r.VMs)
	}
	text, err := os.ReadFile(filepath.Join(j.dir, "incident-000001.json"))
	if err != nil || !strings.HasPrefix(string(text), "{\n  \"version\": 1,\n  \"incident\": 1,\n") || !strings.Contains(string(text), "<&>") ||
		strings.ContainsFunc(string(text), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("%s, %v", text, err)
	}
	if got := names(t, j); len(got) != 1 {
		t.Errorf("more than the record is left: %q", got)
	}
}

// TestOwnerAndMode: root makes the journal that oneadmin goes on with.
func TestOwnerAndMode(t *testing.T) {
	home := t.TempDir()
	want := uint32(os.Geteuid())
	if want == 0 {
		want = 9869
		if err := os.Chown(home, 9869, 9869); err != nil {
			t.Fatal(err)
		}
	}
	j := openJournal(t, filepath.Join(home, "one-ft", "incidents"))
	c := begin(t, j, 1)
	for path, mode := range map[string]os.FileMode{j.dir: 0o750 | os.ModeDir, filepath.Join(j.dir, "incident-000001.json"): 0o640} {
		for _, when := range []string{"begun", "ended"} {
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if owner, ok := info.Sys().(*syscall.Stat_t); !ok || owner.Uid != want || info.Mode() != mode {
				t.Errorf("%s, %s: %v, owner %d", path, when, info.Mode(), owner.Uid)
			}
			c.End(Done, "")
		}
	}
	if err := os.Chmod(j.dir, 0o755); err != nil { // as the admin wants it
		t.Fatal(err)
	}
	openJournal(t, j.dir)
	if info, err := os.Stat(j.dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Error(info.Mode(), err)
	}
}

func TestOpenOf(t *testing.T) {
	j := openJournal(t, t.TempDir())
	for n, id := range []int{7, 8, 7, 7, 70} {
		c := begin(t, j, id)
		c.Event(StepTold, id, "info", said(fmt.Sprint("number ", n+1)))
		if n == 3 {
			c.End(Incomplete, "")
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := j.Begin(Record{Kind: "host", ID: 7}); err != nil || c.Number() != 6 {
		t.Fatal(err)
	}
	for _, test := range []struct {
		kind       string
		id, number int
	}{{"VM", 7, 3}, {"VM", 8, 2}, {"VM", 70, 5}, {"host", 7, 6}, {"host", 8, 0}, {"VM", 0, 0}} {
		r, found, err := j.OpenOf(test.kind, test.id)
		if err != nil || found != (test.number != 0) || r.Number != test.number || test.kind == "VM" && found && len(r.Events) != 1 {
			t.Errorf("%+v: %+v, %v, %v", test, r, found, err)
		}
	}
	c, err := j.Continue(3)
	if err != nil || c.Number() != 3 {
		t.Fatal(err)
	}
	c.Event(StepAct, 7, "info", said("goes on"))
	c.End(Done, "")
	if r, err := j.Load(3); err != nil || len(r.Events) != 2 || r.Status != Done {
		t.Errorf("%+v, %v", r, err)
	}
	if r, found, err := j.OpenOf("VM", 7); err != nil || !found || r.Number != 1 {
		t.Errorf("%+v, %v, %v", r, found, err)
	}
	if c, err := j.Continue(3); c != nil || err == nil || !strings.Contains(err.Error(), "has ended: done") {
		t.Error(err)
	}
	for _, n := range []int{7, 0, -1, maxNumber + 1} {
		if c, err := j.Continue(n); c != nil || !errors.Is(err, ErrNoIncident) {
			t.Error(n, err)
		}
		if _, err := j.Load(n); !errors.Is(err, ErrNoIncident) {
			t.Error(n, err)
		}
	}
	for limit, want := range map[int][]int{0: {6, 5, 4, 3, 2, 1}, 2: {6, 5}, 6: {6, 5, 4, 3, 2, 1}, 9: {6, 5, 4, 3, 2, 1}} {
		if got := listed(t, j, limit); !slices.Equal(got, want) {
			t.Errorf("%d: %d", limit, got)
		}
	}
}

func TestJournalThatDoesNotWork(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, file + "/below", "/proc/no/such"} {
		if j, err := OpenJournal(bad); err == nil || j != nil || !strings.HasPrefix(err.Error(), "make the directory for the journal") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	j := &Journal{dir: file}
	if c, err := j.Begin(Record{Kind: "VM"}); c != nil || !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
	if _, found, err := j.OpenOf("VM", 1); found || err == nil {
		t.Error(err)
	}
	if records, failed := j.List(0); records != nil || len(failed) != 1 {
		t.Error(failed)
	}
	if err := j.Prune(1, 0, time.Now()); err == nil {
		t.Error("pruned a file")
	}
}
