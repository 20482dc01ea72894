package incident

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	now := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	// Ages of the incidents 1, 2, ... in days; -1 is one that is open and old.
	for _, test := range []struct {
		ages []int
		keep int
		days int
		want []int
	}{
		{nil, 5, 5, nil},
		{[]int{9, 8, 2, 1}, 10, 5, []int{4, 3}},
		{[]int{9, 8, 2, 1}, 1, 5, []int{4}},
		{[]int{9, 8, 2, 1}, 3, 100, []int{4, 3, 2}},
		{[]int{9, -1, 2, -1, 1}, 2, 100, []int{5, 4, 3, 2}},
		{[]int{-1, 9, -1, 9}, 0, 0, []int{3, 1}},
		{[]int{5, 6}, 9, 5, []int{1}},       // exactly as old stays
		{[]int{1, 9, 1}, 2, 5, []int{3, 1}}, // an old one does not count among the kept
		{[]int{1, 1}, -1, 5, nil},
	} {
		j := openJournal(t, t.TempDir())
		for i, age := range test.ages {
			status, ended := Done, now.Add(-time.Duration(age)*24*time.Hour)
			r := Record{Version: 1, Number: i + 1, Kind: "host", Began: ended.Add(-time.Hour), Ended: &ended, Status: status}
			if age < 0 {
				r.Status, r.Ended, r.Began = Open, nil, now.AddDate(-5, 0, 0)
			}
			if err := save(j.dir, &r, &eventLines{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Prune(test.keep, time.Duration(test.days)*24*time.Hour, now); err != nil {
			t.Error(err)
		}
		if got := listed(t, j, 0); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %d", test, got)
		}
		if n := begin(t, j, 1).Number(); n != len(test.ages)+1 {
			t.Errorf("%+v: the number %d was given again", test, n)
		}
	}
}

func TestPruneLeftovers(t *testing.T) {
	j := openJournal(t, t.TempDir())
	begin(t, j, 1)
	keep := []string{"VM-3", "foreign.damaged", "incident-000001.json", "incident-3.json.damaged"}
	for _, name := range keep {
		if name != "incident-000001.json" {
			put(t, j, name, "")
		}
	}
	put(t, j, "incident-000003.json.damaged", "")
	put(t, j, ".incident-000001.json-123", "")
	put(t, j, ".incident-000004.new", "")
	put(t, j, ".incident-last-77", "")
	if err := os.Symlink("/etc", filepath.Join(j.dir, "incident-000004.json.damaged")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(j.dir, "incident-000005.json.damaged", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		later time.Duration
		files int
	}{{0, 11}, {59 * time.Minute, 11}, {61 * time.Minute, 8}, {23 * time.Hour, 8}, {25 * time.Hour, 6}} {
		// The kernel's time of the files cannot be set, so the clock of the caller is.
		if err := j.Prune(9, 24*time.Hour, time.Now().Add(step.later)); err != nil {
			t.Error(err)
		}
		if got := names(t, j); len(got) != step.files-1 {
			t.Errorf("after %v: %q", step.later, got)
		}
	}
	if want := append(keep, "incident-000005.json.damaged"); !sameNames(names(t, j), want) {
		t.Errorf("%q", names(t, j))
	}
}

func sameNames(a, b []string) bool {
	slices.Sort(a)
	b = slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// TestDamagedIsAsOldAsItsName: a file that was damaged long ago and is set aside now is kept
// for the admin to see.
func TestDamagedIsAsOldAsItsName(t *testing.T) {
	j := openJournal(t, t.TempDir())
	path := put(t, j, "incident-000001.json", "damaged")
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := j.Prune(9, time.Hour, time.Now()); err == nil || !strings.Contains(err.Error(), "prune the journal") {
		t.Error(err)
	}
	if got := fmt.Sprint(names(t, j)); got != "[incident-000001.json.damaged]" {
		t.Error(got)
	}
}

// TestPruneThatCannotRemember: the highest number is not given twice even if it cannot be
// written down.
func TestPruneThatCannotRemember(t *testing.T) {
	j := openJournal(t, t.TempDir())
	for range 3 {
		begin(t, j, 1).End(Done, "")
	}
	if err := os.MkdirAll(filepath.Join(j.dir, lastName, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := j.Prune(0, 0, time.Now().Add(time.Minute)); err == nil || !strings.Contains(err.Error(), "remember the number 3") {
		t.Error(err)
	}
	if got := listed(t, j, 0); !slices.Equal(got, []int{3}) {
		t.Error(got)
	}
}
