package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/one"
)

// contextOf is a command called with words.
func contextOf(t *testing.T, words ...string) *cli.Context {
	t.Helper()
	c, err := Read(t.Context(), &cli.Command{HelpName: "oneft check", Flags: ConnectFlags()}, words)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStateDir: the state directory, and what named it or could have, in order.
func TestStateDir(t *testing.T) {
	dir := t.TempDir()
	with, without := filepath.Join(dir, "with.yaml"), filepath.Join(dir, "without.yaml")
	for path, content := range map[string]string{with: "state_dir: /configured\n", without: "parallel: 3\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		words          string
		location       string
		path, by, says string
	}{
		{"--config " + with, "", "/configured", "state_dir in " + with, "named by state_dir in " + with},
		{"--config " + with + " --state-dir /given", "/loc", "/given", "--state-dir", "named by --state-dir"},
		{"--config " + without, "/loc", "/loc/var/one-ft", "ONE_LOCATION", "named by ONE_LOCATION"},
		{"--config " + without, "", "/var/lib/one/one-ft", "", "the default, because neither --state-dir nor state_dir in " + without + " nor ONE_LOCATION names one"},
	} {
		_, d, err := LoadConfig(contextOf(t, strings.Fields(c.words)...), FindPaths(func(string) string { return c.location }))
		if err != nil || d.Path != c.path || d.By != c.by {
			t.Errorf("%s: %+v, %v", c.words, d, err)
		}
		refused := d.Unusable(&fs.PathError{Op: "open", Path: c.path, Err: fs.ErrPermission})
		for _, text := range []string{refused.Error(), d.Missing()} {
			if !strings.Contains(text, c.says) || !strings.Contains(text, c.path) {
				t.Errorf("%s: %s", c.words, text)
			}
		}
		if !errors.Is(refused, fs.ErrPermission) || !strings.Contains(refused.Error(), strings.TrimSpace("type sudo -u oneadmin oneft check "+c.words)+" on") {
			t.Errorf("%s: %v", c.words, refused)
		}
		full := errors.New("no space left")
		if d.Unusable(nil) != nil || d.Unusable(full) != full {
			t.Errorf("%s: another error than that of rights becomes one", c.words)
		}
	}
}

// TestCalled: a call is repeated with every word and option as it was typed, and only when it can be typed as it stands.
func TestCalled(t *testing.T) {
	long := strings.Repeat("x", maxCallWord+1)
	for _, c := range []struct {
		words        []string
		object, want string
	}{
		{nil, "", "oneft check"},
		{[]string{"3", "--json", "n", "--config=x", "--state-dir", "/y"}, "", "oneft check 3 --json n --config=x --state-dir /y"},
		{[]string{"a b", "$x", "it's", "--", ""}, "", `oneft check 'a b' '$x' 'it'\''s' -- ''`},
		{[]string{long, "--json"}, "3", "oneft check 3 --json"},
		{[]string{long}, "", "oneft check " + long},
		{[]string{"\x1b[2J"}, "", "oneft check ..."},
		{[]string{"ü"}, "", "oneft check ..."},
		{[]string{strings.Repeat("x", maxCall)}, "", "oneft check ..."},
		{[]string{"--endpoint", "http://u:secret@h/RPC2"}, "", "oneft check ..."},
	} {
		if got := called(contextOf(t, c.words...), c.object); got != c.want {
			t.Errorf("%q: %s, want %s", c.words, got, c.want)
		}
	}
}

// TestAdvice: what is to be typed depends on what is wrong, and is one line of wrong usage.
func TestAdvice(t *testing.T) {
	for want, flaw := range map[string]one.CredentialsError{
		"type sudo -u oneadmin oneft check on":               {Places: []string{"a", "b"}},
		"b; name a file with user:password":                  {Places: []string{"--auth-file b"}},
		"type sudo -u oneadmin oneft check on the":           {Flaw: one.Closed, Err: fs.ErrPermission},
		"write user:password there, or name another file by": {Flaw: one.Blank, File: "f"},
		"its first line; write user:password there":          {Flaw: one.Malformed, File: "f"},
	} {
		err := noCredentials(&flaw, "oneft check")
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, want %s", flaw, err, want)
		}
		if err := NoToken(&flaw, "/etc/x.yaml"); strings.Contains(err.Error(), "--auth-file FILE") || !strings.Contains(err.Error(), "auth_file in /etc/x.yaml") {
			t.Errorf("%v", err)
		}
	}
	if err := noCredentials(fmt.Errorf("other"), "x"); err.Error() != "other" {
		t.Error(err)
	}
}
