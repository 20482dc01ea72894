package check

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
	"one-ft/test/testdata/tapes"
)

// TestIncidents: open incidents are found with those who work on them, and nothing in the journal
// changes.
func TestIncidents(t *testing.T) {
	dir := t.TempDir()
	journal, locks := filepath.Join(dir, "incidents"), filepath.Join(dir, "locks")
	if in := readIncidents(statedir.Dir(dir), "/proc/locks", time.Now()); in.Err != nil || len(in.Open)+len(in.Damaged) > 0 {
		t.Errorf("no journal: %+v", in)
	}
	j, err := incident.OpenJournal(journal)
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range []string{"host", "host", "VM", "VM"} {
		c, err := j.Begin(incident.Record{Kind: kind, ID: i, Name: "n\x1b"})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			c.End(incident.Done, "done")
		}
	}
	for _, end := range []struct {
		host   int
		status incident.Status
	}{{5, incident.Done}, {5, incident.CameBack}, {6, incident.CameBack}, {6, incident.Done}} {
		c, err := j.Begin(incident.Record{Kind: "host", ID: end.host})
		if err != nil {
			t.Fatal(err)
		}
		c.End(end.status, "")
	}
	write(t, filepath.Join(journal, "incident-000017.json"), "{")
	write(t, filepath.Join(journal, "incident-000018.json.damaged"), "{")
	l, err := incident.OpenLocks(locks, "me")
	if err != nil {
		t.Fatal(err)
	}
	for kind, id := range map[string]int{"host": 1, "incident-of-VM": 3} {
		release, err := l.Acquire(kind, id)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	write(t, filepath.Join(locks, "incident-of-VM-2.lock"), "nobody any more")
	before := names(t, dir)
	in := readIncidents(statedir.Dir(dir), "/proc/locks", time.Now())
	var open []string
	for _, i := range in.Open {
		open = append(open, fmt.Sprintf("%d %s %d %v %v %q", i.Number, i.Kind, i.ID, i.Held, i.HeldKnown, i.Name))
	}
	want := []string{`2 host 1 true true "n\\x1b"`, `3 VM 2 false true "n\\x1b"`, `4 VM 3 true true "n\\x1b"`}
	if !slices.Equal(open, want) || in.Err != nil {
		t.Errorf("%q, %v", open, in.Err)
	}
	if !slices.Equal(in.Damaged, []string{"incident-000017.json", "incident-000018.json.damaged"}) {
		t.Errorf("damaged: %q", in.Damaged)
	}
	if p := in.Past[5]; len(in.Past) != 4 || len(p) != 2 || p[0].Status != incident.CameBack || p[1].Status != incident.Done {
		t.Errorf("past: %v", in.Past)
	}
	if after := names(t, dir); !slices.Equal(before, after) {
		t.Errorf("changed: %q, before %q", after, before)
	}
	if in := readIncidents(statedir.Dir(dir), filepath.Join(dir, "none"), time.Now()); len(in.Open) != 3 || in.Open[0].HeldKnown {
		t.Errorf("without /proc/locks: %+v", in)
	}
	write(t, filepath.Join(dir, "file"), "")
	if in := readIncidents(statedir.Dir(filepath.Join(dir, "file")), "", time.Now()); in.Err == nil {
		t.Error("a file for a journal: no error")
	}
}

// TestGaveUp: VMs that the last incident of their host gave up on their way are found, for a day.
func TestGaveUp(t *testing.T) {
	dir := t.TempDir()
	journal := filepath.Join(dir, "incidents")
	j, err := incident.OpenJournal(journal)
	if err != nil {
		t.Fatal(err)
	}
	path := func(w wording.Wait) []incident.Hop {
		return []incident.Hop{{State: "UNKNOWN"}, {State: "PENDING", Waits: w}}
	}
	for _, host := range []int{3, 4, 3} { // a later incident of host 3 is the one that counts
		c, err := j.Begin(incident.Record{Kind: "host", ID: host})
		if err != nil {
			t.Fatal(err)
		}
		c.VM(incident.VM{ID: 10 + host, Result: "incomplete", Path: path(wording.WaitRoom)})
		c.VM(incident.VM{ID: 20 + host, Result: "incomplete", Path: path(wording.WaitNothing)})
		c.VM(incident.VM{ID: 30 + host, Result: "done", Path: path(wording.WaitRoom)})
		c.End(incident.Incomplete, "so and so")
	}
	var found []string
	for _, i := range readIncidents(statedir.Dir(dir), "/proc/locks", time.Now()).GaveUp {
		found = append(found, fmt.Sprintf("%d %d %v", i.Number, i.ID, i.Waiting))
	}
	if want := []string{"2 4 map[room:[14]]", "3 3 map[room:[13]]"}; !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
	if in := readIncidents(statedir.Dir(dir), "/proc/locks", time.Now().Add(25*time.Hour)); len(in.GaveUp) > 0 {
		t.Errorf("a day later: %+v", in.GaveUp)
	}
}

// names are all files with their sizes and times.
func names(t testing.TB, dir string) (all []string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			all = append(all, fmt.Sprint(path, info.Size(), info.ModTime(), info.Mode()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWaitingLocks: who waits for a lock has none.
func TestWaitingLocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "locks")
	write(t, file, "1: FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 13 08:01:78 0 EOF\n2: POSIX  ADVISORY  WRITE 12 08:01:79 0 EOF\nx\n")
	held, known := incident.HeldLocks(file)
	if !known || !held["77"] || held["78"] || held["79"] {
		t.Errorf("%v %v", held, known)
	}
}

// TestLoadedHooks reads the configuration of a real oned 4.4.
func TestLoadedHooks(t *testing.T) {
	all, err := tapes.Load("4.4")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, tape := range all {
		if tape.Method != "one.system.config" || tape.Case != "ok" || !bytes.Contains(tape.Response, []byte("HM_MAD")) {
			continue
		}
		answer, err := one.Parse(string(tape.Response))
		if err != nil {
			t.Fatal(err)
		}
		values := answer.Child("params").Child("param").Child("value").Child("array").Child("data").Children()
		conf, err := one.Parse(values[1].Value("string"))
		if err != nil {
			t.Fatal(err)
		}
		hooks := loadedHooks(conf)
		found = slices.Contains(hooks, HookLine{"HOST", "error", "ERROR", "/usr/share/one/hooks/host_error", "$ID -r n"})
		if !found {
			t.Errorf("%+v", hooks)
		}
	}
	if !found {
		t.Error("the hook was not found in any tape")
	}
	for document, want := range map[string]string{
		"<TEMPLATE><PORT>1</PORT></TEMPLATE>": "[]", "<TEMPLATE><HM_MAD/><VM_HOOK><NAME>a</NAME></VM_HOOK></TEMPLATE>": "[{VM a   }]",
	} {
		conf, err := one.Parse(document)
		if hooks := loadedHooks(conf); err != nil || fmt.Sprint(hooks) != want {
			t.Errorf("%s: %v %v", document, hooks, err)
		}
	}
}

// TestUndone: what the last incident of a host or VM left undone, or without a proof, is found.
func TestUndone(t *testing.T) {
	dir := t.TempDir()
	j, err := incident.OpenJournal(filepath.Join(dir, "incidents"))
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		host   int
		status incident.Status
	}{{1, incident.Refused}, {2, incident.Refused}, {2, incident.Done}, {3, incident.Unproven}, {4, incident.CameBack}, {5, incident.Failed}, {6, incident.Incomplete}} {
		c, err := j.Begin(incident.Record{Kind: "host", ID: end.host})
		if err != nil {
			t.Fatal(err)
		}
		c.End(end.status, "")
	}
	for late, want := range map[time.Duration][]int{0: {1, 4, 6, 7}, gaveUpFor + time.Minute: nil} {
		var got []int
		for _, i := range readIncidents(statedir.Dir(dir), "/proc/locks", time.Now().Add(late)).Undone {
			got = append(got, i.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s later: %v, want %v", late, got, want)
		}
	}
}
