package install

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	old := "a\nb\nc\nd\ne\nf\ng\nh\n"
	for _, tc := range []struct{ old, fresh, want string }{
		{old, old, ""},
		{"", "", ""},
		{old, "a\nb\nc\nd\nX\x1b[31m\tY\nf\ng\nh\n", "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+X\\x1b[31m\tY\n f\n g\n h\n"},
		{old, old + "i\nj", "@@ -6,3 +6,5 @@\n f\n g\n h\n+i\n+j\n\\ No newline at end of file\n"},
		{old, strings.Replace(old, "a", "A", 1), "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d\n"},
		{"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
		{"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
		{"a\r\n", "a\r\nb\r\n", "@@ -1,1 +1,2 @@\n a\n+b\n"},
		{"a\nb\nc\nd\n", "b\nX\nd\nY\n", "@@ -1,4 +1,4 @@\n-a\n b\n-c\n+X\n d\n+Y\n"},
		{"a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n"},
	} {
		if got := Diff([]byte(tc.old), []byte(tc.fresh)); got != tc.want {
			t.Errorf("%q to %q:\n%s\nwant\n%s", tc.old, tc.fresh, got, tc.want)
		}
	}
}
