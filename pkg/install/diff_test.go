package install

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	old := "a\nb\nc\nd\ne\nf\ng\nh\n"
	for _, tc := range []struct{ old, fresh, want string }{
		{old, old, ""},
		{"", "", ""},
		{old, "a\nb\nc\nd\nX\x1b[31m\tY\nf\ng\nh\n", "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+X\\x1b[31m\tY\n f\n g\n h\n"},
		{old, old + "i\nj", "@@ -6,3 +6,5 @@\n f\n g\n h\n+i\n+j\n\\ No newline at end of file\n"},
		{old, strings.Replace(old, "a", "A", 1), "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n"},
		{"", "a\n", "@@ -0,0 +1 @@\n+a\n"},
		{"a\n", "", "@@ -1 +0,0 @@\n-a\n"},
		{"a\r\n", "a\r\nb\r\n", "@@ -1 +1,2 @@\n a\n+b\n"},
		{"a\nb\nc\nd\n", "b\nX\nd\nY\n", "@@ -1,4 +1,4 @@\n-a\n b\n-c\n+X\n d\n+Y\n"},
		{"a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n"},
	} {
		if got := Diff([]byte(tc.old), []byte(tc.fresh)); got != tc.want {
			t.Errorf("%q to %q:\n%s\nwant\n%s", tc.old, tc.fresh, got, tc.want)
		}
	}
}

// patched applies what Diff gave to the old text.
func patched(t interface{ Fatalf(string, ...any) }, old, diff string) string {
	head, body, _ := strings.Cut(diff, " @@\n")
	var from, count int
	if _, err := fmt.Sscanf(head, "@@ -%d,%d", &from, &count); err != nil {
		count = 1
		if _, err := fmt.Sscanf(head, "@@ -%d", &from); err != nil {
			t.Fatalf("%q: %v", head, err)
		}
	}
	before, after := "", ""
	for _, line := range lines([]byte(body)) {
		if line[0] != '+' {
			before += line[1:]
		}
		if line[0] != '-' {
			after += line[1:]
		}
	}
	skip := strings.Join(lines([]byte(old))[:max(from-min(count, 1), 0)], "")
	rest, found := strings.CutPrefix(strings.TrimPrefix(old, skip), before)
	if !found || strings.Count(before, "\n") != count && before != "" && strings.HasSuffix(before, "\n") {
		t.Fatalf("%q is not in %q at line %d", before, old, from)
	}
	return skip + after + rest
}

// TestDiffIsAPatch: it makes the new text of the old one.
func TestDiffIsAPatch(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c\td", ""}), 1, 12).Draw(t, "lines"), "\n") + "\n"
	})
	rapid.Check(t, func(t *rapid.T) {
		old, fresh := text.Draw(t, "old"), text.Draw(t, "fresh")
		diff := Diff([]byte(old), []byte(fresh))
		if diff == "" {
			if old != fresh {
				t.Fatalf("no difference between %q and %q", old, fresh)
			}
			return
		}
		if got := patched(t, old, diff); got != fresh {
			t.Fatalf("%q; want %q by\n%s", got, fresh, diff)
		}
	})
}

// TestDiffOfLargeTexts: it is no longer exact, but right.
func TestDiffOfLargeTexts(t *testing.T) {
	old := "a\n" + strings.Repeat("b\n", 2000) + "c\n"
	fresh := "x\n" + strings.Repeat("b\n", 2000) + "y\n"
	if got := patched(t, old, Diff([]byte(old), []byte(fresh))); got != fresh {
		t.Error("it is no patch")
	}
}
