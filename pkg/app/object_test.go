package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"one-ft/pkg/hook"
	"one-ft/pkg/one"
)

// named has an oned with VMs of these names, their IDs from 10.
func (w *world) named(names ...string) {
	var pool strings.Builder
	for i, name := range names {
		fmt.Fprintf(&pool, "<VM><ID>%d</ID><NAME>%s</NAME></VM>", 10+i, name)
	}
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		text := "7.4.1"
		if strings.Contains(string(body), "<methodName>one.vmpool.info</methodName>") {
			text = "<VM_POOL>" + pool.String() + "</VM_POOL>"
		}
		fmt.Fprint(answer, elements(1, text, 0))
	}))
	w.t.Cleanup(server.Close)
	w.vars["ONE_XMLRPC"] = server.URL + "/RPC2"
}

// TestNames: a name is taken at a terminal, where it is that of one object; all digits are an ID, and hooks have no names.
func TestNames(t *testing.T) {
	w := newWorld(t, fake{Text: "done"})
	w.named("web", "db", "77", "db", "web\u202e")
	for _, terminal := range []bool{true, false} {
		w.env.Terminal = terminal
		for word, want := range map[string]struct {
			id   int
			says string
		}{
			"web": {10, ""}, "77": {77, ""}, "web\u202e": {14, ""}, "12": {12, ""},
			"db": {0, `2 VMs are called "db": 11, 13; give the ID of one`}, "we": {0, `oned knows no VM called "we"; onevm list shows the VMs`},
			"$VMID": {0, "was not expanded by oned"},
		} {
			code := w.run(word, "-o", "n")
			isID := strings.Trim(word, "0123456789") == ""
			switch {
			case want.id > 0 && (terminal || isID):
				if code != ExitDone || w.session == nil || w.session.ID != want.id || w.session.Event.ID != want.id || w.session.Call[0] != fmt.Sprint(want.id) {
					t.Errorf("%q, terminal %t: exit code %d, %+v\n%s", word, terminal, code, w.session, w.stderr.String())
				}
			case code != ExitUsage || w.session != nil || terminal && !strings.Contains(w.stderr.String(), want.says):
				t.Errorf("%q, terminal %t: exit code %d, %s", word, terminal, code, w.stderr.String())
			}
		}
	}
	w.env.Terminal = true
	if code := w.run("web", "y"); code != ExitUsage || !strings.Contains(w.stderr.String(), "does not know y") {
		t.Errorf("the word y: exit code %d, %s", code, w.stderr.String())
	}
	client, err := one.New(one.Options{Endpoint: "http://" + filepath.Base(w.root) + "/RPC2", Credentials: "a:b", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]string{"3": "3", "-3": "negative", "": "empty", "node\x1b03": ""} {
		object, err := ObjectOf(hook.Host, word)
		id := object.id
		if want == "3" && (err != nil || id != 3) || want == "" && (err != nil || object.name != word) || len(want) > 1 && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %+v, %v", word, object, err)
		}
	}
	if id, err := (Object{kind: hook.Host, id: 3}).ID(t.Context(), Session{Client: client}); id != 3 || err != nil {
		t.Errorf("oned was asked for an ID: %d, %v", id, err)
	}
}

// TestLastWord: at a terminal the error or the summary is there once, and in the log, too.
func TestLastWord(t *testing.T) {
	w := newWorld(t, fake{Text: "all is done"})
	w.named("web")
	w.env.Terminal = true
	for word, want := range map[string]string{"web": "all is done", "nobody": `called "nobody"`} {
		w.run(word)
		log, err := os.ReadFile(filepath.Join(w.root, "var", "sample.log"))
		if screen := w.stdout.String() + w.stderr.String(); err != nil || strings.Count(screen, want) != 1 || !strings.Contains(string(log), strings.ReplaceAll(want, `"`, `\"`)) {
			t.Errorf("%s: %s\nthe log:\n%s%v", word, screen, log, err)
		}
	}
}
