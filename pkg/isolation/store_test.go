package isolation

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestStoreRoundTrip(t *testing.T) {
	s := Store{RunDir: filepath.Join(t.TempDir(), "run"), StateDir: t.TempDir(), Boot: "b1"}
	want := State{Version: stateVersion, Boot: "b1", HostID: 3, Stopped: []int{4}, Names: map[string][]string{"fe": {"10.0.0.1"}}, Phase: Fine, Why: "x",
		History: History{Armed: true, Renewed: 5, Missed: 1, Told: ReportedInit, Isolated: 2, Since: 6, Away: 7, Unchecked: true, Last: 8}}
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(time.Hour)
	got.Written = time.Time{}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	// A link that somebody put there is not followed.
	path := filepath.Join(s.RunDir, stateFile)
	if err := errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(time.Hour); err == nil || got.History.Armed {
		t.Errorf("through a link: %+v, %v", got, err)
	}
}

func TestLock(t *testing.T) {
	s := Store{RunDir: filepath.Join(t.TempDir(), "run")}
	release, err := s.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one: %v", err)
	}
	release()
	if release, err = s.Lock(t.Context()); err != nil {
		t.Errorf("after it: %v", err)
	} else {
		release()
	}
}

func TestUptimeAndBoot(t *testing.T) {
	a := Uptime()
	if b := Uptime(); a <= 0 || b < a {
		t.Errorf("%s, %s", a, b)
	}
	if id, err := BootID("/proc"); err != nil || len(id) != 36 {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := BootID(t.TempDir()); err == nil {
		t.Error("no error")
	}
}

// FuzzState: whatever is in the file, no state is from the future or without a boot.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"boot":"b1","history":{"armed":true,"renewed":5,"last":8}}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := Store{RunDir: t.TempDir(), StateDir: t.TempDir(), Boot: "b1"}
		if err := os.WriteFile(filepath.Join(s.RunDir, stateFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		st, _ := s.Load(time.Hour)
		if st.Boot != "b1" || st.Version != stateVersion || st.History.Renewed > time.Hour || st.History.Renewed < 0 {
			t.Errorf("%+v", st)
		}
	})
}
