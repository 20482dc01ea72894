package text_test

import (
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/text"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"node03":               "node03",
		"größe 東京":             "größe 東京",
		"a\x1b[31mb":           `a\x1b[31mb`,
		"line\nbreak\tand tab": `line\nbreak\tand tab`,
		"right\u202eleft":      `right\u202eleft`,
		"broken \xff\xfe.":     `broken \xff\xfe.`,
		"replaced \uFFFD":      "replaced \uFFFD",
	} {
		if got := text.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"東京都庁", 3, "東京都…"}, {"\x1b\x1b", 3, `\x1…`}, {"", 0, ""}} {
		if got := text.Short(c.in, c.limit); got != c.want {
			t.Errorf("Short(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a\"b": `"a\"b"`, "\x1babcd": `"\x1bab…"`, "": `""`} {
		if got := text.Quote(in, 3); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestSome(t *testing.T) {
	for limit, want := range map[int]string{1: "a and 2 more", 2: "a, b and 1 more", 3: "a, b, c", 4: "a, b, c"} {
		if got := text.Some([]string{"a", "b", "c"}, limit); got != want {
			t.Errorf("Some, at most %d: %q, want %q", limit, got, want)
		}
	}
	if got := text.Plural(1, "VM") + text.Plural(0, "VM"); got != "1 VM0 VMs" {
		t.Errorf("Plural: %s", got)
	}
}

// TestAhead: seconds between two clocks are no matter.
func TestAhead(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]bool{-time.Hour: false, 0: false, 2 * time.Second: false, 2*time.Second + 1: true, time.Hour: true} {
		if got := text.Ahead(now.Add(d), now); (got == " (in the future: the clocks differ)") != want || !want && got != "" {
			t.Errorf("%s: %q", d, got)
		}
	}
}

func FuzzShort(f *testing.F) {
	f.Add("name \x1b\xff\u202e", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := text.Short(s, limit)
		if n := utf8.RuneCountInString(got); n > limit+1 {
			t.Errorf("%d runes, at most %d and an ellipsis", n, limit)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) && r != utf8.RuneError {
				t.Errorf("%q contains %q", got, r)
			}
		}
	})
}

// TestShellWord: a shell reads the word again, and obeys nothing in it.
func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{"": "''", "a-b=/c": "a-b=/c", "a b": "'a b'", "$(x)": "'$(x)'", "it's": `'it'\''s'`, "~": "'~'"} {
		if got := text.ShellWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
