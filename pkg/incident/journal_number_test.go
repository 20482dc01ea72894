package incident

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestNumbers: what is damaged or foreign has its number, too, and what cannot be one has not.
func TestNumbers(t *testing.T) {
	j := openJournal(t, t.TempDir())
	for _, foreign := range []string{"incident-7.json", "incident-0000007.json", "incident-000000.json", "incident--00007.json", "incident-+00007.json",
		"incident-000007.json~", "incident-9999999999.json", "000007.json", "incident-000007", "VM-7", "incident-000007.json.damaged.damaged"} {
		put(t, j, foreign, "foreign")
	}
	before := names(t, j)
	if got := listed(t, j, 0); got != nil || !slices.Equal(names(t, j), before) {
		t.Errorf("%d, %q", got, names(t, j))
	}
	for _, test := range []struct {
		name, text string
		want       int
	}{{"none", "", 1}, {lastName, "strange", 2}, {lastName, "-5", 3}, {lastName, "999999999", 4}, {lastName, "10\n", 11},
		{"incident-000020.json.damaged", "", 21}, {".incident-000022.new", "", 23}, {"incident-000024.json", "", 25}, {"incident-999999.json", "", 1000000}} {
		put(t, j, test.name, test.text)
		if c := begin(t, j, 1); c.Number() != test.want {
			t.Errorf("%s: %d, want %d", test.name, c.Number(), test.want)
		}
	}
	put(t, j, "incident-999999999.json", "")
	if c, err := j.Begin(Record{Kind: "VM"}); c != nil || err == nil || !strings.Contains(err.Error(), "no number after 999999999") {
		t.Error(err)
	}
}

func TestNumbersOfManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	seen := map[int]int{}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			j, err := OpenJournal(dir)
			if err != nil {
				t.Error(err)
				return
			}
			c, err := j.Begin(Record{Kind: "VM", ID: i})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[c.Number()] = i
		})
	}
	wg.Wait()
	j := openJournal(t, dir)
	if got := listed(t, j, 0); len(seen) != 50 || len(got) != 50 || len(names(t, j)) != 50 {
		t.Errorf("%d numbers, files %q", len(seen), names(t, j))
	}
	for n, id := range seen {
		if r, err := j.Load(n); err != nil || r.ID != id {
			t.Errorf("%d: %+v, %v", n, r, err)
		}
	}
}

// TestNumberThatWasTakenMeanwhile: another process wrote and released the number since
// this one read the directory.
func TestNumberThatWasTakenMeanwhile(t *testing.T) {
	j := openJournal(t, t.TempDir())
	begin(t, j, 1).End(Done, "kept")
	_, release, err := j.reserve() // holds 2
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	path := filepath.Join(j.dir, fileName(3))
	if err := os.Symlink("nowhere", path); err != nil { // as good as a record: the name is taken
		t.Fatal(err)
	}
	if err := os.Rename(path, path+damagedSuffix); err != nil {
		t.Fatal(err)
	}
	if c := begin(t, j, 2); c.Number() != 4 {
		t.Error(c.Number())
	}
	if c, err := j.Begin(Record{Kind: "cluster"}); c != nil || err == nil || !strings.Contains(err.Error(), `"cluster" is no kind`) {
		t.Error(err)
	}
}
