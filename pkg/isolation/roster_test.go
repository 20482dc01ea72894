package isolation

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/isolation/guest"
	"one-ft/pkg/one"
)

// rosterOf is a Roster that reads what the store has.
func rosterOf(t *testing.T, s Store) *Roster {
	t.Helper()
	r, err := OpenRoster(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestLearn: oned is asked once about each VM without a guest of its own name; what it says outlives a reboot, and is forgotten
// with the VM.
func TestLearn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		imported := on(hostID, one.Active, one.Running)
		imported.DeployID = "web01"
		w.vms = map[int]one.VM{9: imported, 12: on(hostID, one.Poweroff, 0)}
		w.counted = []int{4, 7, 9, 12}
		watcher := w.watcher(steady(true))
		watcher.Roster = rosterOf(t, w.store)
		if err := w.watching(watcher, 30*second, nil); err != nil {
			t.Fatal(err)
		}
		want := []guest.Known{{ID: 9, DeployID: "web01"}}
		if got := watcher.Roster.Known(); !reflect.DeepEqual(got, want) || w.asked != 2+2 { // VMs 4 and 7 are only compared
			t.Errorf("known %+v, %d questions\n%s", got, w.asked, w.said())
		}
		again := rosterOf(t, w.store)
		if got := again.Known(); !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart: %+v", got)
		}
		started := on(hostID, one.Active, one.Running)
		started.DeployID = "one-12"
		w.mu.Lock()
		w.vms[12] = started
		w.mu.Unlock()
		if err := w.watching(watcher, 2*rosterAgain, nil); err != nil {
			t.Fatal(err)
		}
		if got := watcher.Roster.Known(); len(got) != 2 || got[1].DeployID != "one-12" || w.asked != 2+3 {
			t.Errorf("started meanwhile: %+v, %d questions", got, w.asked)
		}
		w.connect(false)
		w.mu.Lock()
		w.counted = nil
		w.mu.Unlock()
		if err := w.watching(watcher, 20*second, nil); err != nil {
			t.Fatal(err)
		}
		if got := watcher.Roster.Known(); len(got) != 2 {
			t.Errorf("without network: %+v", got)
		}
		w.connect(true)
		if err := w.watching(watcher, 2*time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := OpenRoster(w.store); err != nil || len(got.Known()) != 0 {
			t.Errorf("moved away: %+v, %v\n%s", got.Known(), err, w.said())
		}
	})
}

// TestLearnRefused: that oned does not say what a guest is called is said once.
func TestLearnRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.guests, w.counted, w.vmErr = nil, []int{9}, fmt.Errorf("no: %w", one.ErrAuthorization)
		watcher := w.watcher(steady(true))
		watcher.Roster = rosterOf(t, w.store)
		if err := w.watching(watcher, 10*time.Minute, nil); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(w.said(), "does not say what its guest is called"); n != 1 || w.asked < 9 || w.asked > 11 {
			t.Errorf("said %d times, asked %d times\n%s", n, w.asked, w.said())
		}
		if _, err := os.Stat(filepath.Join(w.store.StateDir, rosterFile)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("nothing is known, and it is written: %v", err)
		}
	})
}

// TestRosterUnusable: a damaged file is said, and a new one is begun.
func TestRosterUnusable(t *testing.T) {
	s := Store{StateDir: t.TempDir()}
	for _, text := range []string{"", "{", `[{"id":-1,"deploy_id":"x"}]`, `[{"id":1}]`, "[1]"} {
		if err := os.WriteFile(filepath.Join(s.StateDir, rosterFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := OpenRoster(s); err == nil || len(r.Known()) != 0 {
			t.Errorf("%q: %v, %+v", text, err, r.Known())
		}
	}
}

// FuzzRoster: whatever the file holds, each VM in it has an ID and a name.
func FuzzRoster(f *testing.F) {
	f.Add([]byte(`[{"id":9,"deploy_id":"web01"}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, _ := parseRoster(text)
		for _, k := range list {
			if k.ID < 0 || k.DeployID == "" {
				t.Errorf("%+v of %q", k, text)
			}
		}
	})
}
