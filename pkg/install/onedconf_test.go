package install

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// brief is a file in one line: each entry with its lines.
func brief(f File) string {
	var all []string
	for _, e := range f.Entries {
		value := e.Value
		if e.Pairs != nil {
			var pairs []string
			for _, p := range e.Pairs {
				pairs = append(pairs, p.Name+"="+p.Value)
			}
			value = "[" + strings.Join(pairs, ",") + "]"
		}
		all = append(all, fmt.Sprintf("%d-%d:%s=%s", e.Line, e.Last, e.Name, value))
	}
	return strings.Join(all, " ")
}

// The expected results are those of the lexer of 5.4.0, built with flex; but that wants a line
// end behind a comment on the last line. 4.4.1 differs only in "", which it takes with the quotes.
func TestParse(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", ""},
		{" \t\n\n", ""},
		{"# A = 1\n  # B = 2", ""},
		{"a=1", "1-1:A=1"},
		{"Port = 2633 # not 2634\n", "1-1:PORT=2633"},
		{"A = \"x # y\" # z", "1-1:A=x # y"},
		{"A = \"x\ny\"\nB=2", "1-2:A=x\ny 3-3:B=2"},
		{`A = "say \"hi\" to" B="\"`, `1-1:A=say "hi" to 1-1:B=\`},
		{`A = "x\" B = "`, `1-1:A=x" B = `},
		{`A = "a"b`, `1-1:A="a"b`},
		{"A = \"open", `1-1:A="open`},
		{"A = /a-b.c:d", "1-1:A=/a-b.c:d"},
		{"A =\nB = \t\nC=3", "1-1:A= 2-2:B= 3-3:C=3"},
		{"A = # x\n", "1-1:A=x"}, // oned skips the "#" there
		{"HM_MAD = [ ]", "1-1:HM_MAD=[]"},
		{"v = [a=1,B=\"2,]\" , c = 3 ]", "1-1:V=[A=1,B=2,],C=3]"},
		{"V = [\n  A = 1, # one ]\n  # B = 2,\n  C = 3\n]\nD=4", "1-5:V=[A=1,C=3] 6-6:D=4"},
		{"V\t=\t[A=1]W=2", "1-1:V=[A=1] 1-1:W=2"},
		{"V = [ A = 1, A = 2 ]", "1-1:V=[A=1,A=2]"},
		{"V = [\r\n A = \"x\",\r\n B = \"y z\" ]\r\nC = \"p q\"\r\n", "1-3:V=[A=x,B=y z] 4-4:C=p q"},
		{"A = \"x\"\r\n", "1-1:A=\"x\"\r"}, // as oned reads it
		{"A=1 - ; é B=2", "1-1:A=1 1-1:B=2"},
		{"A = \"\"", "1-1:A="},
	} {
		f, err := Parse([]byte(tc.in))
		if err != nil || brief(f) != tc.want {
			t.Errorf("%q: %q, %v; want %q", tc.in, brief(f), err, tc.want)
		}
		for i, e := range f.Entries {
			if text := tc.in[e.Begin:e.End]; !strings.HasPrefix(strings.ToUpper(text), e.Name) || i > 0 && e.Begin < f.Entries[i-1].End {
				t.Errorf("%q: entry %d is at %q", tc.in, i, text)
			}
		}
	}
	f, err := Parse([]byte("V = [ A = 1, A = 2 ]"))
	if err != nil || f.Entries[0].Get("A") != "1" || f.Entries[0].Get("B") != "" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		in    string
		line  int
		parts []string
	}{
		{"A", 1, []string{"the end of the file", `"="`, "oned does not read"}},
		{"\n\nA B = 2", 3, []string{`"B"`, `"="`}},
		{"A = 1 2\n,", 2, []string{`","`, `"="`}},
		{"A = 1\n\n]", 3, []string{`"]"`, "name of an attribute"}},
		{"A = [ B = 1\nC = 2 ]", 2, []string{`"C"`, `"," or "]"`, "in A"}},
		{"A = [ B = 1,\n ]", 2, []string{"a name in A"}},
		{"A = [ B\n]", 2, []string{`"=" in A`}},
		{"A = [\n B =\n 1 ]", 2, []string{`"=" without a value`, "in A"}},
		{"A = [ B = [ C = 1 ] ]", 1, []string{`"["`, "a value in A"}},
		{"A = [ B = 1", 1, []string{"the end of the file"}},
		{"A = \"x]]>y\"\n", 1, []string{`"]]>"`}},
		{"A = x\n\x1b[31mB \u202e\n,", 3, []string{`","`}},
		{"A = [ B = \"\x1b[31m\u202e\" \"x\" C ]", 1, []string{`"x"`}},
	} {
		f, err := Parse([]byte(tc.in))
		wantError(t, err, tc.parts...)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Line != tc.line || len(f.Entries) > 0 {
			t.Errorf("%q: %v, want line %d", tc.in, err, tc.line)
		}
	}
	_, err := Parse(make([]byte, maxSize+1))
	wantError(t, err, "4194304")
}

// TestParseExamples: what is commented out is not there.
func TestParseExamples(t *testing.T) {
	for name, want := range map[string]string{
		"oned-4.4.conf":  "LOG PORT DB IM_MAD HM_MAD VM_HOOK VM_RESTRICTED_ATTR VM_RESTRICTED_ATTR",
		"oned-4.14.conf": "MANAGER_TIMER VM_MAD HM_MAD HOST_HOOK SESSION_EXPIRATION_TIME",
		"oned-5.8.conf":  "RAFT RAFT_FOLLOWER_HOOK HM_MAD VM_MAD DEFAULT_UMASK EMPTY INHERIT_IMAGE_ATTR",
	} {
		f, err := Parse(example(t, name))
		var names []string
		for _, e := range f.Entries {
			names = append(names, e.Name)
		}
		if err != nil || strings.Join(names, " ") != want {
			t.Errorf("%s: %q, %v", name, names, err)
		}
	}
	f, _ := Parse(example(t, "oned-4.4.conf"))
	e := f.Entries[5]
	if e.Line != 36 || e.Last != 40 || e.Get("ARGUMENTS") != `$ID "VM # is done"` || e.Get("NAME") != "mail, please" || e.Get("ON") != "done" {
		t.Errorf("%+v", e)
	}
}

// FuzzParse: no panic, places in order, and what Install makes of it Remove takes back.
func FuzzParse(f *testing.F) {
	for _, name := range examples {
		f.Add(example(f, name))
	}
	hooks := hooksFor(f, all(), v58)
	installed, err := Install(example(f, "oned-5.8.conf"), hooks, Facts{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(installed)
	f.Add([]byte("A = \"x\\\" # BEGIN one-ft\r"))
	f.Add([]byte("# BEGIN one-ft\r\n# END one-ft"))
	f.Add([]byte("B=\nC=[]\r\n\"]]>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse(text)
		if err != nil {
			wantError(t, err)
			return
		}
		at, line := 0, 1
		for _, e := range file.Entries {
			if e.Begin < at || e.End <= e.Begin || e.End > len(text) || e.Line < line || e.Last < e.Line {
				t.Fatalf("%+v behind byte %d, line %d", e, at, line)
			}
			at, line = e.End, e.Last
		}
		roundTrip(t, text, file, hooks)
	})
}

// roundTrip installs, installs again and removes.
func roundTrip(t interface{ Fatalf(string, ...any) }, text []byte, file File, hooks []Hook) {
	fresh, err := Install(text, hooks, Facts{})
	if err != nil {
		return // says why; nothing was changed
	}
	again, err := Install(fresh, hooks, Facts{})
	if err != nil || !slices.Equal(again, fresh) {
		t.Fatalf("twice: %q, %v; want %q", again, err, fresh)
	}
	back, err := Remove(fresh)
	if err != nil || !file.Block() && !slices.Equal(back, text) {
		t.Fatalf("removed: %q, %v; want %q", back, err, text)
	}
	if again, err = Remove(back); err != nil || !slices.Equal(again, back) {
		t.Fatalf("removed twice: %q, %v; want %q", again, err, back)
	}
}
