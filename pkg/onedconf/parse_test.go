package onedconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestGrammar: each text is read as OpenNebula's own parser reads it, and refused where that refuses it.
func TestGrammar(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("testdata", "grammar.txt"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		quoted, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", quoted, err)
		}
		rows++
		all, _, err := Parse("x.conf", []byte(text))
		if want == "error" {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), "x.conf line ") {
				t.Errorf("%s: %v", quoted, err)
			}
			continue
		}
		if got := words(all); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", quoted, got, err, want)
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows", rows)
	}
}

// words writes attributes as the table does: the pairs of a vector sorted, the first of equal names.
func words(all []Attribute) string {
	out := make([]string, len(all))
	for i, a := range all {
		out[i] = fmt.Sprintf("%s=%q", a.Name, a.Value)
		if a.Pairs == nil {
			continue
		}
		var pairs []string
		for _, p := range a.Pairs {
			pairs = append(pairs, fmt.Sprintf("%s=%q", p.Name, a.Get(p.Name)))
		}
		slices.Sort(pairs)
		out[i] = fmt.Sprintf("%s=[%s]", a.Name, strings.Join(slices.Compact(pairs), ","))
	}
	return strings.Join(out, " ")
}

// TestFirstCounts: of two the first is the one that daemons find, in any case of letters.
func TestFirstCounts(t *testing.T) {
	all, _, err := Parse("x.conf", []byte("A = [ b = 1, B = 2 ]\na = [ B = 3 ] # c\nN = 1\nn = 2"))
	a, foundA := Find(all, "A")
	n, foundN := Find(all, "N")
	if err != nil || len(all) != 4 || !foundA || !foundN || a.Get("B") != "1" || n.Value != "1" {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestNumber: numbers are read as C++ reads them.
func TestNumber(t *testing.T) {
	for text, want := range map[string]string{
		"15": "15", " 15": "15", "15\r": "15", "15s": "15", "-5": "-5", "+7": "7", "\"15\"\r": "no", "": "no", "s15": "no", "-": "no", "99999999999999999999": "no",
	} {
		got := "no"
		if n, ok := Number(text); ok {
			got = strconv.Itoa(n)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestReadFile: a file that is missing, unreadable or too large is an error, and a comment is no attribute.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "monitord.conf")
	if _, err := ReadFile(path); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("# A = 1\nB = 2 # C = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := ReadFile(path)
	if a, found := Find(all, "B"); err != nil || len(all) != 1 || !found || a.Value != "2" || a.Line != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, found := Find(all, "A"); found {
		t.Error("A was found")
	}
	if _, err := ReadFile(dir); err == nil {
		t.Error("a directory was read")
	}
	if _, _, err := Parse("x", make([]byte, MaxSize+1)); err == nil {
		t.Error(err)
	}
}

// FuzzParse: no panic, and places, lines and comments are in order, whatever the text is.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"A = 1 b\n= [ C = \"x\", # y\nD = 2 ] # z\n", "A =\n", "A=[]\r\n\"]]>", "#\n#", "A = \"\\\"\"\""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		end := 0
		all, comments, err := Parse("x", text)
		for _, c := range comments {
			if c.Begin < end || c.End <= c.Begin || string(text[c.Begin:c.End]) != c.Text {
				t.Fatalf("comment %+v behind byte %d", c, end)
			}
			end = c.End
		}
		at, line := 0, 1
		for _, a := range all {
			if a.Begin < at || a.End <= a.Begin || a.End > len(text) || a.Line < line || a.Last < a.Line || a.Name != strings.ToUpper(a.Name) {
				t.Fatalf("%+v behind byte %d, line %d", a, at, line)
			}
			at, line = a.End, a.Last
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Fatalf("%q", err)
		}
	})
}

// TestMissing: an error says what is missing, and what is there instead.
func TestMissing(t *testing.T) {
	_, _, err := Parse("oned.conf", []byte("A = 1\nBROKEN = [ X"))
	if want := `oned.conf line 2: "=" in BROKEN is missing: here is the end of the file; oned does not read this file, either`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
