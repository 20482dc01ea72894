package app

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/hook"
)

// secret is the password of all tests; nothing that is written may hold it.
const secret = "pa55-w0rd-x"

// nasty is a name that would clear a terminal, start a line and turn text around.
const nasty = "web\x1b[2J\nEXECUTE SUCCESS 0 x\r\u202e\u009b31m\x7f\u2028\U000e0001\xff01"

// fake is an answer of a tool.
type fake struct {
	Rows  [][]string `json:"rows"`
	Text  string     `json:"text"`
	Wrong []string   `json:"wrong,omitempty"`
	Exit  int        `json:"exit"`
	First []string   `json:"first,omitempty"`
}

func (f fake) Table() [][]string  { return f.Rows }
func (f fake) Notes() []string    { return f.First }
func (f fake) Line() string       { return f.Text }
func (f fake) Problems() []string { return f.Wrong }
func (f fake) ExitCode() int      { return f.Exit }

// oned answers every call with one body and counts the calls.
func oned(t *testing.T, status int, body string) (endpoint string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/RPC2", calls
}

// elements is an XML-RPC answer of a boolean, a string and a number.
func elements(ok int, text string, code int) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text))
	return fmt.Sprintf("<methodResponse><params><param><value><array><data><value><boolean>%d</boolean></value>"+
		"<value><string>%s</string></value><value><i4>%d</i4></value></data></array></value></param></params></methodResponse>", ok, b.String(), code)
}

// world is where a test runs a tool.
type world struct {
	t              *testing.T
	env            Env
	vars           map[string]string
	root           string // ONE_LOCATION
	stdout, stderr bytes.Buffer
	tool           Tool
	session        *Session // what Act got
}

// newWorld has an oned of version 7.4.1, credentials, and a tool that answers a.
func newWorld(t *testing.T, a Answer) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir()}
	endpoint, _ := oned(t, 200, elements(1, "7.4.1", 0))
	auth := filepath.Join(w.root, "auth")
	w.write(auth, "oneadmin:"+secret)
	if err := os.Mkdir(filepath.Join(w.root, "var"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.vars = map[string]string{"ONE_LOCATION": w.root, "ONE_AUTH": auth, "ONE_XMLRPC": endpoint}
	w.env = Env{Stdout: &w.stdout, Stderr: &w.stderr, Getenv: func(name string) string { return w.vars[name] }}
	w.tool = Tool{
		Name: "sample", Summary: "a sample", Examples: "sample VM [options]", Object: hook.VM,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "own", Aliases: []string{"o"}}},
		Check: func(_ *cli.Context, word hook.YesNo) error {
			if word == hook.Yes {
				return Usagef("sample does not know y")
			}
			return nil
		},
		Act: func(_ context.Context, s Session) (Answer, error) {
			w.session = &s
			return a, nil
		},
	}
	return w
}

func (w *world) write(path, text string) {
	w.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the tool and checks what holds for every run.
func (w *world) run(words ...string) int {
	w.t.Helper()
	w.stdout.Reset()
	w.stderr.Reset()
	w.session = nil
	w.env.Args = append([]string{"sample"}, words...)
	code := Run(w.t.Context(), w.env, w.tool)
	log, _ := os.ReadFile(filepath.Join(w.root, "var", "sample.log"))
	for name, text := range map[string]string{"stdout": w.stdout.String(), "stderr": w.stderr.String(), "the log": string(log)} {
		if strings.Contains(text, secret) {
			w.t.Errorf("%v: %s holds the password: %s", words, name, text)
		}
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) {
				w.t.Errorf("%v: %s holds %U: %q", words, name, r, text)
				break
			}
		}
		if strings.Contains(text, "\nEXECUTE") {
			w.t.Errorf("%v: %s holds a forged line: %s", words, name, text)
		}
	}
	return code
}

// lines counts the lines of a text.
func lines(text string) int { return strings.Count(text, "\n") }
