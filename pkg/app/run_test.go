package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

func TestUsage(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	for _, words := range [][]string{
		{"--parallel", "0", "7"}, {"7", "--parallel", "13"}, {"7", "--parallel", "x"}, {"7", "--timeout", "0s"}, {"7", "--timeout", "soon"}, {"7", "--oned-wait", "-1s"},
		{"7", "--verify", "hope"}, {"7", "--nothing"}, {"7", "--timeout"}, {"7", "8"}, {"-o"}, {"seven"}, {"7", "y"}, {"$ID"}, {""},
		{"7", "--verify", nasty}, {"7", "--" + nasty}, {nasty}, {"7", "--parallel", nasty}, {"7", "--endpoint", "oned"},
		{"7", "--endpoint", "htp://u:" + secret + "@oned"}, {"7", "--ca-file", "/no/such/file"}, {"7", "--auth-file", "/no/such/file"},
	} {
		if code := w.run(words...); code != ExitUsage || w.stdout.Len() > 0 || lines(w.stderr.String()) != 1 || w.session != nil ||
			!strings.HasPrefix(w.stderr.String(), "sample: ") {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", words, code, w.stdout.String(), w.stderr.String())
		}
	}
	w.env.Args = nil
	if code := Run(t.Context(), w.env, w.tool); code != ExitUsage {
		t.Errorf("without even a name: exit %d", code)
	}
}

func TestHelpAndVersion(t *testing.T) {
	w := newWorld(t, fake{})
	for word, want := range map[string]string{"--help": "sample VM [options]", "-h": "--oned-wait", "--version": "sample version " + Version(), "-v": Version()} {
		if code := w.run(word); code != ExitDone || !strings.Contains(w.stdout.String(), want) || w.stderr.Len() > 0 || w.session != nil {
			t.Errorf("%s: exit %d, %s%s", word, code, w.stdout.String(), w.stderr.String())
		}
	}
}

// TestFirstCall: what the first call to oned finds decides the exit code, and the line says
// where it went.
func TestFirstCall(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		exit   int
		want   string
	}{
		"bad credentials": {200, elements(0, "[one.system.version] User couldn't be authenticated, aborting call.", 256), ExitUsage, "/auth are not valid"},
		"too old":         {200, elements(1, "4.2.0", 0), ExitUsage, "4.4 and later"},
		"no version":      {200, elements(1, "what\x1b?", 0), ExitIncomplete, "not a version"},
		"internal":        {200, elements(0, "no leader", 8192), ExitIncomplete, "no leader"},
		"wrong path":      {404, "<html>", ExitUsage, "/RPC2 at its end"},
		"a web page":      {200, "<html>" + nasty, ExitUsage, "ONE_XMLRPC"},
		"a proxy":         {503, "<html>", ExitIncomplete, "HTTP 503"},
	} {
		w := newWorld(t, fake{})
		w.vars["ONE_XMLRPC"], _ = oned(t, c.status, c.body)
		w.vars["ONE_XMLRPC"] = strings.Replace(w.vars["ONE_XMLRPC"], "http://", "http://u:"+secret+"@", 1)
		if code := w.run("7", "--oned-wait", "0s"); code != c.exit || !strings.Contains(w.stderr.String(), c.want) || lines(w.stderr.String()) != 1 || w.stdout.Len() > 0 {
			t.Errorf("%s: exit %d, %s", name, code, w.stderr.String())
		}
	}
	w := newWorld(t, fake{})
	w.vars["ONE_XMLRPC"] = "http://u:" + secret + "@127.0.0.1:1/RPC2"
	if code := w.run("7", "--oned-wait", "0s"); code != ExitIncomplete || !strings.Contains(w.stderr.String(), "cannot reach oned") ||
		!strings.Contains(w.stderr.String(), "http://127.0.0.1:1/RPC2, named by ONE_XMLRPC") {
		t.Errorf("nobody there: exit %d, %s", code, w.stderr.String())
	}
	// The usual places are those of this machine, which may be a front-end.
	if code := w.run("7", "--auth-file", w.root+"/none"); code != ExitUsage || !strings.Contains(w.stderr.String(), "not there: --auth-file "+w.root+"/none;") {
		t.Errorf("no credentials: exit %d, %s", code, w.stderr.String())
	}
}

func TestSession(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	if code := w.run("7", "--parallel", "3", "-o"); code != ExitDone {
		t.Fatalf("exit %d, %s", code, w.stderr.String())
	}
	s := w.session
	if s.ID != 7 || s.Parallel != 3 || !s.Cli.Bool("own") || s.Verify != "left" || s.Dialect.Name == "" || s.OnedWait != 2*time.Minute || s.Timeout != 10*time.Minute ||
		s.Paths != (Paths{Location: w.root, Etc: w.root + "/etc", Log: w.root + "/var", State: w.root + "/var/one-ft", Hooks: w.root + "/var/remotes/hooks"}) || s.StateDir != s.Paths.State {
		t.Errorf("%+v", s)
	}
	release, err := s.Locks.Acquire("VM", 7)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	other, err := incident.OpenLocks(w.root+"/var/one-ft/locks", "other")
	if err != nil {
		t.Fatal(err)
	}
	var busy *incident.BusyError
	if _, err := other.Acquire("VM", 7); !errors.As(err, &busy) || busy.Holder != fmt.Sprintf("sample, pid %d", os.Getpid()) {
		t.Error(err)
	}
	if w.run("7", "--dry-run", "--verify", "none"); w.session.Locks != nil || w.session.Verify != "none" {
		t.Errorf("a dry run: %+v", w.session)
	}
	w.env.Terminal = true
	if w.run("7"); w.session.Verify != "running" {
		t.Errorf("on a terminal: %+v", w.session)
	}
	w.write(w.root+"/file", "")
	if w.run("7", "--state-dir", w.root+"/file"); w.session.Locks != nil || !strings.Contains(w.stderr.String(), "working without locks") {
		t.Errorf("no state directory: %+v, %s", w.session, w.stderr.String())
	}
	if got := FindPaths(func(string) string { return "" }); got != (Paths{Etc: "/etc/one", Log: "/var/log/one", State: "/var/lib/one/one-ft", Hooks: "/var/lib/one/remotes/hooks"}) {
		t.Errorf("%+v", got)
	}
}

// TestTimeoutGiven: a time-out that is set to the default is set, by an option as well as by the configuration.
func TestTimeoutGiven(t *testing.T) {
	for name, c := range map[string]struct {
		config string
		words  []string
		want   bool
	}{
		"nothing":           {"", nil, false},
		"other settings":    {"parallel: 3\n", nil, false},
		"the configuration": {"timeout: 10m\n", nil, true},
		"an option":         {"", []string{"--timeout", "10m"}, true},
	} {
		w := newWorld(t, fake{Text: "done"})
		w.write(w.root+"/one-ft.yaml", c.config)
		if code := w.run(append(c.words, "--config", w.root+"/one-ft.yaml", "7")...); code != ExitDone || w.session.TimeoutGiven != c.want || w.session.Timeout != 10*time.Minute {
			t.Errorf("%s: exit %d, %s, given: %t", name, code, w.session.Timeout, w.session.TimeoutGiven)
		}
	}
}

func TestWordsOnStdin(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	r, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fmt.Fprint(pipe, "--own 7\n--parallel 2")
	pipe.Close()
	w.env.Stdin = r
	if code := w.run(); code != ExitDone || w.session == nil || w.session.ID != 7 || w.session.Parallel != 2 || !w.session.Cli.Bool("own") {
		t.Errorf("exit %d, %+v, %s", code, w.session, w.stderr.String())
	}
}

// TestQuietInAHook: nothing on stdout, and little on stderr.
func TestQuietInAHook(t *testing.T) {
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprintf("VM %d (%s): %s", i, nasty, strings.Repeat("long ", 1000))
	}
	for name, c := range map[string]struct {
		answer fake
		lines  int
	}{
		"done":      {fake{Text: "all done", Wrong: many}, 0},
		"one wrong": {fake{Text: "1 left", Wrong: many[:1], Exit: ExitIncomplete}, 2},
		"five":      {fake{Text: "5 left", Wrong: many[:5], Exit: ExitIncomplete}, 6},
		"six":       {fake{Text: "6 left", Wrong: many[:6], Exit: ExitIncomplete}, 6},
		"many":      {fake{Text: nasty + strings.Repeat("ü", 100000), Wrong: many, Exit: ExitRefused}, 6},
	} {
		w := newWorld(t, c.answer)
		code := w.run("7")
		if code != c.answer.Exit || w.stdout.Len() > 0 || lines(w.stderr.String()) != c.lines || w.stderr.Len() > maxHookLines*(2*maxHookLine+20) {
			t.Errorf("%s: exit %d, stdout %q, %d lines, %d bytes: %.1000s", name, code, w.stdout.String(), lines(w.stderr.String()), w.stderr.Len(), w.stderr.String())
		}
		if c.lines == 6 && len(c.answer.Wrong) > 5 && !strings.Contains(w.stderr.String(), fmt.Sprintf("and %d more", len(c.answer.Wrong)-4)) {
			t.Errorf("%s: %s", name, w.stderr.String())
		}
	}
	w := newWorld(t, fake{})
	w.tool.Act = func(context.Context, Session) (Answer, error) {
		return nil, errors.New(nasty + strings.Repeat("x", 1<<20))
	}
	if code := w.run("7"); code != ExitIncomplete || w.stdout.Len() > 0 || lines(w.stderr.String()) != 1 || w.stderr.Len() > 2*maxHookLine {
		t.Errorf("exit %d, %.500q", code, w.stderr.String())
	}
}

func TestOutputs(t *testing.T) {
	a := fake{Rows: [][]string{{"VM", "NAME", "RESULT"}, {"7", nasty, "done"}, {"8", "", ""}}, Text: "VM " + nasty, Wrong: []string{nasty}, Exit: ExitIncomplete, First: []string{"note " + nasty}}
	w := newWorld(t, a)
	check := func(code int, stdout int) {
		t.Helper()
		if code != ExitIncomplete || lines(w.stdout.String()) != stdout {
			t.Errorf("exit %d, stdout %s", code, w.stdout.String())
		}
	}
	check(w.run("7", "--dry-run"), 5)
	w.env.Terminal = true
	check(w.run("7"), 5)
	if out := w.stdout.String(); !strings.Contains(out, `web\x1b[2J\nEXECUTE`) || !strings.HasPrefix(out, "note web") || !strings.Contains(out, "\nVM  NAME") || !strings.Contains(w.stderr.String(), "OpenNebula 7.4.1") {
		t.Errorf("%s%s", out, w.stderr.String())
	}
	for _, terminal := range []bool{false, true} {
		w.env.Terminal = terminal
		if code := w.run("7", "--json"); code != ExitIncomplete {
			t.Errorf("exit %d", code)
		}
		var got fake
		if err := json.Unmarshal(w.stdout.Bytes(), &got); err != nil || got.Text != "VM "+strings.ToValidUTF8(nasty, "\uFFFD") || got.Rows[1][0] != "7" {
			t.Errorf("%v: %s", err, w.stdout.String())
		}
		if one := lines(w.stdout.String()) == 1; one == terminal {
			t.Errorf("terminal %v: %s", terminal, w.stdout.String())
		}
	}
	w.tool.Act = func(context.Context, Session) (Answer, error) { return unencodable{}, nil }
	if code := w.run("7", "--json"); code != ExitIncomplete || w.stdout.Len() > 0 || !strings.Contains(w.stderr.String(), "JSON") {
		t.Errorf("exit %d, %s", code, w.stdout.String())
	}
}

type unencodable struct{ fake }

func (unencodable) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

func TestLogFile(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	w := newWorld(t, fake{Text: "did " + nasty})
	w.tool.Act = func(_ context.Context, s Session) (Answer, error) {
		s.Log.Say(wording.MarkRemoved, nasty)
		s.Log.VM(wording.Info, 42, wording.Of(wording.IsNow, nasty))
		return fake{Text: "did " + nasty}, nil
	}
	path := filepath.Join(w.root, "var", "sample.log")
	for run := 1; run <= 2; run++ { // it is appended to
		if code := w.run("7", "--log-file", path); code != ExitDone || w.stderr.Len() > 0 {
			t.Fatalf("exit %d, %s", code, w.stderr.String())
		}
		text, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o640 || strings.Count(string(text), "started for VM 7") != run || strings.Count(string(text), "vm=42") != run ||
			!strings.Contains(string(text), "exit=0") || !strings.Contains(string(text), "7.4.1") {
			t.Errorf("%v %v: %s", err, info.Mode(), text)
		}
	}
	if w.run("7", "--log-file", "-"); !strings.Contains(w.stderr.String(), "vm=42") || w.stdout.Len() > 0 {
		t.Errorf("on stderr: %s", w.stderr.String())
	}
	bad := filepath.Join(w.root, "no", "such", "dir")
	if code := w.run("7", "--log-file", bad); code != ExitDone || lines(w.stderr.String()) != 1 || !strings.Contains(w.stderr.String(), bad) {
		t.Errorf("unwritable: exit %d, %s", code, w.stderr.String())
	}
	w.vars["ONE_LOCATION"] = bad
	if code := w.run("7"); code != ExitDone || w.stderr.Len() > 0 {
		t.Errorf("no log directory: exit %d, %s", code, w.stderr.String())
	}
	w.env.Terminal = true
	if w.run("7"); !strings.Contains(w.stderr.String(), "VM 42: it is web\\x1b[2J") {
		t.Errorf("on a terminal: %s", w.stderr.String())
	}
}

// TestNewerVersion: it works on, and says what it does not know.
func TestNewerVersion(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	w.vars["ONE_XMLRPC"], _ = oned(t, 200, elements(1, "9.0.0", 0))
	if code := w.run("7", "--verbose"); code != ExitDone || !w.session.Dialect.Newer || !strings.Contains(w.stderr.String(), "newer than all") {
		t.Errorf("exit %d, %s", code, w.stderr.String())
	}
	if !errors.Is(Usagef("x: %w", one.ErrTooOld), one.ErrTooOld) {
		t.Error("a UsageError hides its cause")
	}
}

// TestSignal: the end by a signal says what was being done, and nothing of a context.
func TestSignal(t *testing.T) {
	for doing, want := range map[string]string{
		"failed to read the host: %w": "sample: a signal ended it (failed to read the host); the next event or oneft resume continues what is open\n",
		"%w":                          "sample: a signal ended it; the next event or oneft resume continues what is open\n",
	} {
		w := newWorld(t, fake{})
		ctx, cancel := context.WithCancel(t.Context())
		w.tool.Act = func(context.Context, Session) (Answer, error) {
			cancel()
			return nil, fmt.Errorf(doing, ctx.Err())
		}
		w.env.Args = []string{"sample", "7"}
		if code := Run(ctx, w.env, w.tool); code != ExitIncomplete || w.stderr.String() != want {
			t.Errorf("exit %d, %q, want %q", code, w.stderr.String(), want)
		}
	}
}
