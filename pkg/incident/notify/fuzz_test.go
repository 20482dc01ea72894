package notify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"one-ft/pkg/incident"
)

// FuzzSpool: only names that one-ft writes are events, each is written as it was read, and whatever else
// lies in the spool is in nobody's way.
func FuzzSpool(f *testing.F) {
	for _, name := range []string{"begin-1", "hold-12", "end-999999999", "end-1000000000", "end-01", "end-0", "end-7-again-0123456789abcdef", "end-7-again-", "lock", "told", "..", "end-1\n"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		e, ok := parseName(name)
		if ok && (e.name() != name || e.number < 1 || filepath.Base(name) != name) {
			t.Errorf("%q becomes %+v, which is %q", name, e, e.name())
		}
		if name == "" || len(name) > 200 || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." || name == lockName || name == toldName {
			return
		}
		s := spool{dir: filepath.Join(t.TempDir(), "spool")}
		if err := s.add(event{kind: "end", number: 3}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want := 1
		if ok && name != "end-3" {
			want = 2
		}
		if events, err := s.list(); err != nil || len(events) != want {
			t.Errorf("%d events, %v", len(events), err)
		}
	})
}

// FuzzMessage: what a command is told of a record of any content is short and printable in its
// environment, and JSON on its standard input.
func FuzzMessage(f *testing.F) {
	for _, text := range []string{
		`{"version":1,"incident":2,"kind":"host","id":3,"name":"node1","status":"done","summary":"1 recreated","events":[{"text":"x","step":"act"}]}`,
		`{"kind":"VM","name":"\u0000\u001b[2J","status":"\u202e","events":[{"text":"holding: 3 of 4"},{"text":""}]}`, `{"summary":"<&>"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r incident.Record
		if json.Unmarshal([]byte(text), &r) != nil {
			return
		}
		var all []message
		for _, kind := range []Kind{Begin, Hold, End} {
			m, err := single(event{kind: kind, number: 2}, r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		m, err := several([]incident.Record{r, r})
		if err != nil {
			t.Fatal(err)
		}
		own := len(os.Environ())
		for _, m := range append(all, m) {
			if !json.Valid(m.stdin) {
				t.Errorf("%q", m.stdin)
			}
			for _, variable := range m.env[own:] {
				// Each rune that is not printable becomes ten characters at most.
				if strings.ContainsAny(variable, "\x00\n\x1b\u202e") || !utf8.ValidString(variable) || utf8.RuneCountInString(variable) > 10*maxSaid+100 {
					t.Errorf("%q", variable)
				}
			}
		}
	})
}
