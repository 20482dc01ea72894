package install

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"one-ft/pkg/marked"
)

func TestInstallAndRemove(t *testing.T) {
	hooks := hooksFor(t, DefaultSpec(), v58)
	texts := map[string][]byte{"empty": nil, "no line end": []byte("A = 1"), "a comment at the end": []byte("A = 1\n# b"),
		"CRLF": []byte("A = 1, \r\n# x\r\n"), "CRLF, no line end": []byte("# x\r\nA = \"1 2\""), "lone CR": []byte("A = \"1 2\"\r"),
		"blank lines": []byte("\n\nA=1\n\n\n")}
	for _, name := range []string{"oned-4.4.conf", "oned-5.8.conf"} {
		texts[name] = example(t, name)
	}
	delete(texts, "CRLF") // "1," is no value; see TestInstallRefuses
	for name, text := range texts {
		before := slices.Clone(text)
		fresh, err := Install(text, hooks, Facts{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f, err := Parse(fresh)
		if err != nil || !f.Block() || !slices.EqualFunc(hooks, f.entries(true), Hook.is) {
			t.Errorf("%s: %v, %q", name, err, fresh)
		}
		if !bytes.HasPrefix(fresh, text) || !slices.Equal(before, text) {
			t.Errorf("%s: what was there has changed", name)
		}
		roundTrip(t, text, File{}, hooks)
		if crlf := bytes.Contains(text, []byte("\r\n")); crlf != bytes.Contains(fresh[len(text):], []byte("\r\n")) ||
			crlf && bytes.Count(fresh, []byte("\n")) != bytes.Count(fresh, []byte("\r\n")) {
			t.Errorf("%s: line ends are mixed: %q", name, fresh)
		}
	}
}

func TestInstallText(t *testing.T) {
	w := DefaultSpec()
	w.Unknown = "none"
	fresh, err := Install([]byte("A = 1"), hooksFor(t, w, v44), Facts{})
	want := `A = 1
# BEGIN one-ft (the line above had no line end): written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit
HOST_HOOK = [
    NAME      = "oneft_host_error",
    ON        = "ERROR",
    COMMAND   = "/var/lib/one/remotes/hooks/ft/host_error",
    ARGUMENTS = "$ID -r n -p 2",
    REMOTE    = "no" ]
# END one-ft
`
	if err != nil || string(fresh) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, fresh, want)
	}
}

// TestInstallElsewhere: the block stays where it is, others may write around it, and other
// hooks take its place.
func TestInstallElsewhere(t *testing.T) {
	first, err := Install([]byte("A = 1"), hooksFor(t, DefaultSpec(), v414), Facts{})
	if err != nil {
		t.Fatal(err)
	}
	text := slices.Concat([]byte("# top\n"), first, []byte("B = 2\n"))
	wanted := hooksFor(t, all(), v414)
	fresh, err := Install(text, wanted, Facts{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(fresh)
	if err != nil || !slices.EqualFunc(wanted, f.entries(true), Hook.is) || !strings.HasSuffix(string(fresh), marked.End+"\nB = 2\n") {
		t.Errorf("%v\n%s", err, fresh)
	}
	// The line end before the block is needed now.
	if back, err := Remove(fresh); err != nil || string(back) != "# top\nA = 1\nB = 2\n" {
		t.Errorf("%q, %v", back, err)
	}
	if none, err := Install(fresh, nil, Facts{}); err != nil || string(none) != "# top\nA = 1\nB = 2\n" {
		t.Errorf("%q, %v", none, err)
	}
	// An end mark without a line end.
	if back, err := Remove(bytes.TrimSuffix(first, []byte("\n"))); err != nil || string(back) != "A = 1" {
		t.Errorf("%q, %v", back, err)
	}
}

func TestInstallRefuses(t *testing.T) {
	hooks := hooksFor(t, all(), v412)
	ours := "HOST_HOOK = [ NAME = x, ON = ERROR, COMMAND = \"/x/host_error\", ARGUMENTS = \"$ID -r\" ]\n"
	for _, tc := range []struct {
		in    string
		parts []string
	}{
		{"A = 1, \r\n", []string{"line 1", `","`}},
		{"A = [ B = 1", []string{"line 1", "the end of the file"}},
		{"A = \"x", []string{"nothing was changed", "quote"}},
		{"A = ", []string{"line 1", "the end of the file"}},
		{"A = 1\n# BEGIN one-ft\nB = 2\n", []string{"line 2", `without "# END one-ft"`, "by hand"}},
		{"# END one-ft\n", []string{"line 1", `without "# BEGIN one-ft"`}},
		{"# BEGIN one-ft\n# BEGIN one-ft: again\n# END one-ft\n", []string{"line 2", "twice"}},
		{"# BEGIN one-ft\n# END one-ft\n# BEGIN one-ft\n# END one-ft\n", []string{"line 3", "earlier block"}},
		{"# BEGIN one-ft\n# END one-ft\n\n# END one-ft\n", []string{"line 4", "earlier block"}},
		{"A = [ B = 1,\n# BEGIN one-ft\nC = 2 ]\n# END one-ft\n", []string{"line 2", "inside of an attribute"}},
		{"# BEGIN one-ft\n" + ours + "PORT = 1\n# END one-ft\n", []string{"line 3", "PORT", "move it out"}},
		{"# BEGIN one-ft\nVM_HOOK = [ ON = DONE, COMMAND = mail ]\n# END one-ft\n", []string{"line 2", "VM_HOOK", "move it out"}},
		{"# BEGIN one-ft\nHOST_HOOK = 1\n# END one-ft\n", []string{"line 2", "HOST_HOOK", "move it out"}},
	} {
		fresh, err := Install([]byte(tc.in), hooks, Facts{})
		wantError(t, err, tc.parts...)
		var conflict *ConflictError
		if errors.As(err, &conflict) {
			t.Errorf("%q: %v", tc.in, err)
		}
		if fresh != nil {
			t.Errorf("%q: %q beside the error", tc.in, fresh)
		}
	}
	for _, in := range []string{"# BEGIN one-ft\n", "# BEGIN one-ft\nPORT = 1\n# END one-ft\n", "A = \"1\n# BEGIN one-ft\n# END one-ft\n=\"2\""} {
		if fresh, err := Remove([]byte(in)); err == nil && !bytes.Equal(fresh, []byte(in)) || fresh != nil && err != nil {
			t.Errorf("%q became %q, %v", in, fresh, err)
		}
	}
	// Here the block is needed: without it two attributes become one.
	text := "A =\n# BEGIN one-ft\n# END one-ft\nB = 1\n"
	if fresh, err := Remove([]byte(text)); err != nil || string(fresh) != "A =\nB = 1\n" {
		t.Errorf("%q, %v", fresh, err)
	}
}

// TestVerify: the last look before anything is written.
func TestVerify(t *testing.T) {
	hooks := hooksFor(t, DefaultSpec(), v44)
	text := "A = 1\nV = []\n"
	fresh, err := Install([]byte(text), hooks, Facts{})
	if err != nil {
		t.Fatal(err)
	}
	old := parsed(t, text)
	if err := verify(old, fresh, hooks); err != nil {
		t.Error(err)
	}
	for from, to := range map[string]string{"A = 1": "A = 2", "A =": "B =", "V = []": "V =", "V = [": "V = [ A = 1 "} {
		wantError(t, verify(old, bytes.Replace(fresh, []byte(from), []byte(to), 1), hooks), "outside of the block", "nothing was changed")
	}
	for _, from := range []string{"oneft_host_error", "ERROR\"", "/ft/", "$ID -r", "\"no\"", "HOST_HOOK"} {
		wantError(t, verify(old, bytes.Replace(fresh, []byte(from), []byte(strings.ToLower(from)+"x"), 1), hooks), "nothing was changed")
	}
	wantError(t, verify(old, fresh, hooks[:1]), "not have the hooks", "nothing was changed")
	wantError(t, verify(old, append(fresh, ']'), hooks), "could not be read", "nothing was changed")
}

// TestMarksThatAreNone: only whole comment lines count.
func TestMarksThatAreNone(t *testing.T) {
	for _, in := range []string{"A = \"x\n# BEGIN one-ft\n\"\n", "A = 1 # BEGIN one-ft\n", "# BEGIN one-ftp\n", "  # BEGIN one-ft\n", "#BEGIN one-ft\n"} {
		f, err := Parse([]byte(in))
		if err != nil || f.Block() {
			t.Errorf("%q: %v", in, err)
		}
		roundTrip(t, []byte(in), f, hooksFor(t, all(), v44))
	}
}

func TestConflicts(t *testing.T) {
	_, err := Install(example(t, "oned-4.14.conf"), hooksFor(t, DefaultSpec(), v414), Facts{})
	wantError(t, err, "nothing was changed", "lines 16 to 21", "host_error.rb", "put # before")
	var conflict *ConflictError
	if !errors.As(err, &conflict) || len(conflict.Others) != 1 || conflict.Others[0].Severity != Problem {
		t.Errorf("%#v", err)
	}
	w := all()
	w.Host = "none"
	if _, err := Install(example(t, "oned-4.14.conf"), hooksFor(t, w, v414), Facts{}); err != nil {
		t.Errorf("no hook for hosts was wanted: %v", err)
	}
	for in, parts := range map[string][]string{
		"HOST_HOOK = [ ON = error, COMMAND = \"/opt/host_error\", ARGUMENTS = \"$ID -r\" ]":                              {"one-ft", "line 1 "},
		"VM_HOOK = [ ON = failed, COMMAND = \"/usr/bin/env onevm delete\", ARGUMENTS = \"$ID\" ]":                        {"onevm delete"},
		"\nVM_HOOK = [ ON = FAILED, COMMAND = \"x\", ARGUMENTS = \"onevm delete --recreate $ID\" ]":                      {"onevm delete", "line 2"},
		"HOST_HOOK = [ ON = DISABLE, COMMAND = \"ft/host_error.rb\", ARGUMENTS = \"$ID\" ]":                              {"host_error.rb on HOST/DISABLE"},
		"HOST_HOOK = [ ON = offline, COMMAND = \"/bin/bash\", ARGUMENTS = \"-c 'onevm boot $ID'\" ]":                     {"onevm boot on HOST/OFFLINE"},
		"HOST_HOOK = [ ON = ERROR, COMMAND = \"mail_it\", ARGUMENTS = \"$ID\" ]":                                         {"hooks/mail_it (not known", "--beside mail_it"},
		"VM_HOOK = [ NAME = \"it's\", ON = CUSTOM, STATE = ACTIVE, LCM_STATE = BOOT_FAILURE, COMMAND = \"/x\" ]":         {"/x (not known", `--beside 'it'\''s'`},
		"VM_HOOK = [ NAME = \"a\x1bb\", ON = CUSTOM, STATE = active, LCM_STATE = unknown, COMMAND = \"/x/vm_unknown\" ]": {`a\x1bb`},
	} {
		_, err := Install([]byte(in), hooksFor(t, all(), v412), Facts{})
		wantError(t, err, parts...)
		if !errors.As(err, &conflict) {
			t.Errorf("%q: %T", in, err)
		}
	}
	for _, in := range []string{
		"HOST_HOOK = [ ON = ERROR, COMMAND = \"/usr/bin/mail\", ARGUMENTS = \"$ID\" ]",
		"HOST_HOOK = [ ON = CREATE, COMMAND = \"ft/host_error.rb\", ARGUMENTS = \"$ID\" ]",
		"VM_HOOK = [ ON = DONE, COMMAND = \"onevm delete\" ]",
		"HOST_HOOK = [ COMMAND = \"ft/host_error.rb\" ]",
		"HOST_HOOK = \"ft/host_error.rb\"",
	} {
		if _, err := Install([]byte(in), hooksFor(t, all(), v412), Facts{}); err != nil {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// randomConf draws an oned.conf: mostly one that oned reads.
func randomConf(t *rapid.T) []byte {
	eol := rapid.SampledFrom([]string{"\n", "\n", "\r\n"}).Draw(t, "line end")
	name := rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_]{0,8}`)
	value := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9/.$-]{1,8}`), rapid.StringMatching(`"([ -!#-\[\]-~\n]|\\"){1,12}[ a-z]"`))
	pair := rapid.Custom(func(t *rapid.T) string { return name.Draw(t, "name") + " = " + value.Draw(t, "value") })
	comment := rapid.StringMatching(`[ \t]*#[ -~]{0,20}`)
	line := rapid.OneOf(
		pair, comment, rapid.Just(""),
		rapid.Custom(func(t *rapid.T) string { return pair.Draw(t, "pair") + comment.Draw(t, "comment") }),
		rapid.Custom(func(t *rapid.T) string { return name.Draw(t, "name") + " =" }),
		rapid.Custom(func(t *rapid.T) string {
			parts := rapid.SliceOfN(pair, 1, 4).Draw(t, "pairs")
			gap := rapid.SampledFrom([]string{", ", "," + eol, " # x" + eol + "  ,"}).Draw(t, "gap")
			return rapid.SampledFrom([]string{"HOST_HOOK", "vm_hook", "X"}).Draw(t, "vector") + " = [" + strings.Join(parts, gap) + " ]"
		}),
		rapid.StringMatching(`[ -~]{0,6}`),
	)
	text := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), eol)
	return []byte(text + rapid.SampledFrom([]string{"", eol, eol + eol}).Draw(t, "end"))
}

// TestRandomFiles: Remove takes back what Install did, byte for byte, and a second Install
// changes nothing; for each version, and with other hooks before.
func TestRandomFiles(t *testing.T) {
	read, installed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := randomConf(t)
		v := rapid.SampledFrom([]Spec{DefaultSpec(), all()}).Draw(t, "wish")
		hooks, err := Hooks(v, v414)
		if err != nil {
			t.Fatal(err)
		}
		file, err := Parse(text)
		if err != nil {
			return
		}
		read++
		fresh, err := Install(text, hooks, Facts{})
		if err != nil {
			return
		}
		installed++
		roundTrip(t, text, file, hooks)
		others, err := Install(fresh, hooks[:1], Facts{})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Remove(others); err != nil || !slices.Equal(back, text) {
			t.Fatalf("%q, %v; want %q", back, err, text)
		}
	})
	if read < 30 || installed < read*9/10 {
		t.Errorf("only %d files were read and %d changed: the test tests little", read, installed)
	}
}
