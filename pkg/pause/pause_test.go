package pause

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/statedir"
	"one-ft/pkg/wording"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		length time.Duration
		reason string
		fails  bool
	}{
		{2 * time.Hour, "new switches", false}, {time.Minute, "x", false}, {Longest, "x", false},
		{0, "x", true}, {-time.Hour, "x", true}, {59 * time.Second, "x", true}, {Longest + time.Second, "x", true}, {time.Hour, " ", true},
	} {
		if s, err := New(noon, c.length, "root", c.reason); (err != nil) != c.fails || err == nil && (!s.Active(noon) || s.Active(noon.Add(c.length))) {
			t.Errorf("%s %q: %+v %v", c.length, c.reason, s, err)
		}
	}
}

// TestActive: a pause ends on its own, and one that would last for longer than the longest is none.
func TestActive(t *testing.T) {
	for _, c := range []struct {
		until time.Duration
		want  bool
	}{{time.Second, true}, {Longest, true}, {0, false}, {-time.Second, false}, {Longest + time.Second, false}, {1000 * Longest, false}} {
		if s := (State{Until: noon.Add(c.until)}); s.Active(noon) != c.want || s.Message(noon).IsZero() == c.want {
			t.Errorf("until %s: active %v", c.until, s.Active(noon))
		}
	}
	if (State{}).Active(noon) {
		t.Error("no pause is one")
	}
}

// TestFile: what is set is read, what cannot be read pauses nothing, and what was ended is gone.
func TestFile(t *testing.T) {
	dir := statedir.Dir(t.TempDir() + "/new")
	if s, err := Read(dir); err != nil || s != (State{}) {
		t.Error(s, err)
	}
	set, err := New(noon, time.Hour, "ro\x1bot", "a\x1b[2Jb "+strings.Repeat("x", 1000))
	if err = errors.Join(err, Set(dir, set)); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if said := got.Message(noon); err != nil || !got.Until.Equal(set.Until) || said.Kind != wording.Paused || strings.Contains(said.String(), "\x1b") || len(said.String()) > 1000 {
		t.Error(got, err, said)
	}
	if err := os.WriteFile(dir.Pause(), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := Read(dir); err == nil || s.Active(noon) {
		t.Error("a damaged file:", s, err)
	}
	for range 2 {
		if err := End(dir); err != nil {
			t.Error(err)
		}
	}
	if s, err := Read(dir); err != nil || s != (State{}) {
		t.Error(s, err)
	}
}
