package incident

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func hostRequest(id int, at time.Time) Request {
	return Request{Kind: "host", ID: id, Tool: "host_error", Call: []string{fmt.Sprint(id), "-r"}, Action: "recreate", At: at}
}

func openSpool(t *testing.T) *Spool {
	t.Helper()
	s, err := OpenSpool(filepath.Join(t.TempDir(), "state", "spool"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ids(all []Handed) (ids []int) {
	for _, h := range all {
		ids = append(ids, h.ID)
	}
	return ids
}

func TestSpool(t *testing.T) {
	s := openSpool(t)
	began := time.Unix(1_700_000_000, 0)
	for _, id := range []int{7, 3, 12} {
		if err := s.Put(hostRequest(id, began.Add(-time.Duration(id)*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	all, failed := s.List()
	if got := ids(all); !slices.Equal(got, []int{12, 7, 3}) || failed != nil {
		t.Fatalf("%v, %v: not the oldest first", got, failed)
	}
	if last, err := s.Done(all[1]); !last || err != nil {
		t.Errorf("%v, %v", last, err)
	}
	if err := s.Sync([]Request{hostRequest(3, began), hostRequest(7, began)}); err != nil { // the one for host 7 is done
		t.Error(err)
	}
	lost := &Spool{dir: filepath.Join(s.dir, "lost")}
	if err := lost.Sync([]Request{hostRequest(3, began)}); err == nil {
		t.Error("requests are on a disk that is gone")
	}
	// Another event for host 12 comes while it is worked on.
	if err := s.Put(hostRequest(12, began)); err != nil {
		t.Fatal(err)
	}
	if last, err := s.Done(all[0]); last || err != nil {
		t.Errorf("the later request was taken for the first: %v, %v", last, err)
	}
	if last, err := s.Done(all[1]); !last || err != nil {
		t.Errorf("one that is gone: %v, %v", last, err)
	}
	if all, _ = s.List(); !slices.Equal(ids(all), []int{3, 12}) {
		t.Errorf("left: %v", ids(all))
	}
}

// TestSpoolStrangers: what is no request is removed and told once; a file that is being
// written is left alone.
func TestSpoolStrangers(t *testing.T) {
	s := openSpool(t)
	if err := s.Put(hostRequest(1, time.Now())); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(s.path(1))
	if err != nil {
		t.Fatal(err)
	}
	for id, text := range map[int]string{2: "", 3: "{", 4: string(good), 5: strings.Replace(string(good), `"id":1`, `"id":5`, 1) + "x",
		6: strings.Replace(strings.Replace(string(good), `"id":1`, `"id":6`, 1), "recreate", "explode", 1), 8: strings.Repeat("a", maxRequest+10)} {
		if err := os.WriteFile(s.path(id), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", s.path(9)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path(10), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".host-11-123", "host-01", "host-x", "note"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all, failed := s.List()
	if !slices.Equal(ids(all), []int{1}) || len(failed) != 8 {
		t.Errorf("%v, %d: %v", ids(all), len(failed), failed)
	}
	if all, failed = s.List(); !slices.Equal(ids(all), []int{1}) || len(failed) != 0 {
		t.Errorf("again: %v, %v", ids(all), failed)
	}
}

// TestSpoolTogether: many put and one takes, and nothing is lost.
func TestSpoolTogether(t *testing.T) {
	s := openSpool(t)
	const n = 50
	var wg sync.WaitGroup
	for id := range n {
		wg.Go(func() {
			if err := s.Put(hostRequest(id, time.Now())); err != nil {
				t.Error(err)
			}
		})
	}
	seen := map[int]bool{}
	for deadline := time.Now().Add(time.Minute); len(seen) < n && time.Now().Before(deadline); {
		all, failed := s.List()
		if len(failed) > 0 {
			t.Fatal(failed)
		}
		for _, h := range all {
			seen[h.ID] = true
			if last, err := s.Done(h); !last || err != nil {
				t.Errorf("%v, %v", last, err)
			}
		}
	}
	wg.Wait()
	if all, _ := s.List(); len(seen) != n || len(all) != 0 {
		t.Errorf("%d seen, %d left", len(seen), len(all))
	}
}

// TestLeftovers: what a killed process left half written is removed after an hour, and nothing
// else.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "spool", "abc")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	commands := filepath.Join(dir, "commands")
	if err := os.Mkdir(commands, 0o755); err != nil {
		t.Fatal(err)
	}
	remove := []string{filepath.Join(deep, ".host-1-77"), filepath.Join(dir, ".front-end-5"), filepath.Join(dir, ".ways.json-1"), filepath.Join(commands, ".abc.json-1")}
	keep := []string{filepath.Join(deep, "host-1"), filepath.Join(commands, "abc.json"), filepath.Join(dir, "front-end"), filepath.Join(dir, ".hostess")}
	for _, path := range slices.Concat(remove, keep) {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	count := func(paths []string) (n int) {
		for _, p := range paths {
			if _, err := os.Lstat(p); err == nil {
				n++
			}
		}
		return n
	}
	if RemoveLeftovers(dir, time.Now()); count(remove) != len(remove) {
		t.Error("a file of now is gone")
	}
	if RemoveLeftovers(dir, time.Now().Add(2*time.Hour)); count(remove) != 0 || count(keep) != len(keep) {
		t.Errorf("%d left, %d kept", count(remove), count(keep))
	}
}

func TestRequestCheck(t *testing.T) {
	good := hostRequest(3, time.Now())
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Request){
		"kind": func(q *Request) { q.Kind = "cluster" }, "id": func(q *Request) { q.ID = -1 }, "action": func(q *Request) { q.Action = "boot" },
		"VM": func(q *Request) { q.Kind, q.Action = "VM", "migrate" }, "fencing": func(q *Request) { q.Fencing = "never" },
		"verify": func(q *Request) { q.Verify = "maybe" }, "negative": func(q *Request) { q.Confirm = -1 }, "long": func(q *Request) { q.Timeout = 1e12 },
		"words": func(q *Request) { q.Call = make([]string, maxWords+1) }, "opinions": func(q *Request) { q.Opinions = [][]string{make([]string, maxWords)} },
	} {
		q := good
		if change(&q); q.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzSpool: whatever stands in a file, it is a request that passes its check or it is gone.
func FuzzSpool(f *testing.F) {
	f.Add([]byte(`{"kind":"host","id":1,"action":"recreate","confirm_seconds":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := openSpool(t)
		if err := os.WriteFile(s.path(1), text, 0o644); err != nil {
			t.Fatal(err)
		}
		all, failed := s.List()
		if len(all)+len(failed) != 1 || len(all) == 1 && all[0].Check() != nil {
			t.Errorf("%v, %v", all, failed)
		}
	})
}

func TestFrontEndName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	names := make([]string, 20)
	var wg sync.WaitGroup
	for i := range names {
		wg.Go(func() { names[i], _ = FrontEndName(dir) })
	}
	wg.Wait()
	slices.Sort(names)
	if names[0] == "" || names[0] != names[len(names)-1] || !frontEndName().MatchString(names[0]) {
		t.Errorf("%q", names)
	}
	other, err := FrontEndName(t.TempDir())
	if err != nil || other == names[0] {
		t.Errorf("two front-ends are %q, %v", other, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "front-end"), []byte("a b"), 0o644); err != nil {
		t.Fatal(err)
	}
	if name, err := FrontEndName(dir); err != nil || !frontEndName().MatchString(name) {
		t.Errorf("a damaged name: %q, %v", name, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".front-end*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestRequestsAreReadOnce: a request is not read again as long as its file is the same, and a later one is seen.
func TestRequestsAreReadOnce(t *testing.T) {
	t.Parallel()
	s, err := OpenSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	q := Request{Kind: "host", ID: 3, Action: "recreate"}
	old := time.Now().Add(-time.Hour)
	list := func() string {
		t.Helper()
		all, failed := s.List()
		if len(all) != 1 || len(failed) > 0 || s.Count() != 1 {
			t.Fatalf("%v, %v, %d", all, failed, s.Count())
		}
		return all[0].Action
	}
	put := func(action string) {
		t.Helper()
		q.Action = action
		if err := errors.Join(s.Put(q), os.Chtimes(s.path(3), old, old)); err != nil {
			t.Fatal(err)
		}
	}
	put("recreate")
	list()
	before, err := os.ReadFile(s.path(3))
	if err == nil { // written into, which nobody does: whoever reads it sees it
		err = errors.Join(os.WriteFile(s.path(3), bytes.Replace(before, []byte("recreate"), []byte("migrate\","), 1), 0o600), os.Chtimes(s.path(3), old, old))
	}
	if err != nil || list() != "recreate" {
		t.Errorf("it was read again: %v", err)
	}
	old = old.Add(time.Minute)
	put("delete")
	if got := list(); got != "delete" {
		t.Errorf("a later request was not seen: %s", got)
	}
	if err := os.Chtimes(s.path(3), time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	list()
	if len(s.known) != 0 {
		t.Error("a young request counts as known")
	}
}
