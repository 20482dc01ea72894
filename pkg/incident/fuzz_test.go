package incident

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// inOneLine reports whether text is fit for a log.
func inOneLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzRequest: what is asked for in a file that others may have written is something that one-ft
// asks for, or it is refused in one line.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		`{"kind":"host","id":3,"tool":"host_error","call":["3","-r"],"action":"recreate","confirm_seconds":120,"at":"2026-11-01T00:00:00Z"}`,
		`{"kind":"VM","id":7,"action":"boot","fencing":"off","verify":"left","timeout_seconds":1e300}`, `{"kind":"host","id":-1,"action":"delete"}`,
		`{"kind":"VM\u001b","action":"\u202e"}`, `{"kind":"host","action":"migrate","opinions":[["/a","b"],[]],"override_storm":true,"confirmed_off":true}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var q Request
		if json.Unmarshal([]byte(text), &q) != nil {
			return
		}
		if err := q.Check(); err != nil {
			if !inOneLine(err.Error()) || len(err.Error()) > 20_000 {
				t.Errorf("%q", err)
			}
			return
		}
		if d := Duration(q.Confirm); d < 0 || d > 1000*time.Hour || Duration(q.Timeout) < 0 || q.ID < 0 || q.Kind == "VM" && q.Action == "migrate" {
			t.Errorf("%+v", q)
		}
		if again, err := json.Marshal(q); err != nil || len(again) == 0 {
			t.Errorf("%+v cannot be written: %v", q, err)
		}
	})
}

// FuzzRate: whatever is in the file, a turn is given or waited for, for a minute at most; never more
// turns than a minute has, and the file does not grow.
func FuzzRate(f *testing.F) {
	f.Add("1700000000 1700000001\n", 2)
	f.Add("\x00\xff -1 99999999999999999999 1700000059", 1)
	f.Add(strings.Repeat("1700000000 ", 5000), 20)
	f.Fuzz(func(t *testing.T, text string, perMinute int) {
		dir := t.TempDir()
		path := filepath.Join(dir, "rate")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rate, now, taken := NewRate(dir, perMinute%50), time.Unix(1_700_000_030, 0), 0
		for range 60 {
			wait, err := rate.Take(now)
			if err != nil || wait < 0 || wait > rateWindow {
				t.Fatalf("%s, %v", wait, err)
			}
			if wait > 0 {
				break
			}
			taken++
		}
		if most := max(perMinute%50, 1); taken > most {
			t.Errorf("%d turns of %d", taken, most)
		}
		if info, err := os.Stat(path); err != nil || taken > 0 && info.Size() > maxAttemptsFile {
			t.Errorf("%v, %v", info, err)
		}
	})
}

// FuzzName: the name of a front-end goes into templates and logs; whatever is in its file, it is one
// word, and stays the same.
func FuzzName(f *testing.F) {
	for _, text := range []string{"one1-1f3a\n", "", "a b", "$(reboot)", "\x1b", strings.Repeat("x", 300), "..", "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "front-end"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		known, was := KnownFrontEndName(dir)
		name, err := FrontEndName(dir)
		if err != nil || !frontEndName().MatchString(name) || was && name != known {
			t.Fatalf("%q becomes %q and %q, %v", text, known, name, err)
		}
		if again, err := FrontEndName(dir); err != nil || again != name {
			t.Errorf("%q, then %q, %v", name, again, err)
		}
	})
}

// FuzzHolder: who holds a lock is told in one short line, whatever stands in the file.
func FuzzHolder(f *testing.F) {
	for _, text := range []string{"host_error, pid 4711\n", "\x1b[2J\n", "\u202ex", strings.Repeat("é", 500), "a\nb"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		locks, err := OpenLocks(dir, "test")
		if err != nil {
			t.Fatal(err)
		}
		release, err := locks.Acquire("host", 3)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		// Never empty: that is a holder who is about to write, and is waited for.
		if err := os.WriteFile(filepath.Join(dir, "host-3.lock"), []byte("x"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = locks.Acquire("host", 3)
		if err == nil || !inOneLine(err.Error()) || len(err.Error()) > 20*maxHolder {
			t.Errorf("%q", err)
		}
	})
}
