package install

import (
	"context"
	"errors"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

var (
	v44   = one.Version{Major: 4, Minor: 4, Patch: 1}
	v412  = one.Version{Major: 4, Minor: 12, Patch: 3}
	v414  = one.Version{Major: 4, Minor: 14, Patch: 2}
	v58   = one.Version{Major: 5, Minor: 8, Patch: 5}
	v5104 = one.Version{Major: 5, Minor: 10, Patch: 4}
	v5105 = one.Version{Major: 5, Minor: 10, Patch: 5}
	v610  = one.Version{Major: 6, Minor: 10}
	v74   = one.Version{Major: 7, Minor: 4, Patch: 1}
)

// all is a wish for every hook there is.
func all() Spec {
	w := DefaultSpec()
	w.Failures = "recreate"
	return w
}

func hooksFor(t testing.TB, w Spec, v one.Version) []Hook {
	t.Helper()
	hooks, err := Hooks(w, v)
	if err != nil {
		t.Fatal(err)
	}
	return hooks
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// examples are oned.conf files in the form of those of three releases.
var examples = []string{"oned-4.4.conf", "oned-4.14.conf", "oned-5.8.conf"}

// wantError checks that an error is one printable line with these parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if text.Printable(err.Error()) != err.Error() {
		t.Errorf("%q is not one printable line", err)
	}
}

// fakePool keeps hooks as oned does (src/hm/Hook.cc and HookState*.cc of 5.10.5).
type fakePool struct {
	hooks []PoolHook
	next  int
	calls []string
	// fail is the call, counted from 1, that fails; 0 for none.
	fail int
	// ignore makes oned accept changes and forget them.
	ignore bool
}

func (p *fakePool) call(format string, args ...any) error {
	p.calls = append(p.calls, fmt.Sprintf(format, args...))
	if len(p.calls) == p.fail {
		return errors.New("oned is away")
	}
	return nil
}

func (p *fakePool) HookPool(context.Context) (string, error) {
	var b strings.Builder
	for _, h := range p.hooks {
		fmt.Fprintf(&b, "<HOOK><ID>%d</ID><NAME>%s</NAME><TYPE>%s</TYPE><TEMPLATE>", h.ID, html.EscapeString(h.Name), h.Type)
		for name, value := range h.Attributes {
			fmt.Fprintf(&b, "<%s>%s</%[1]s>", name, html.EscapeString(value))
		}
		b.WriteString("</TEMPLATE></HOOK>")
	}
	return pool(b.String()), p.call("info")
}

func (p *fakePool) AllocateHook(_ context.Context, template string) (int, error) {
	if err := p.call("allocate"); err != nil || p.ignore {
		return 0, err
	}
	h, err := read(template)
	if err != nil {
		return 0, err
	}
	for _, other := range p.hooks {
		if other.Name == h.Name {
			return 0, fmt.Errorf("NAME is already taken by Hook %d", other.ID)
		}
	}
	a := h.Attributes
	on := a["ON"]
	delete(a, "ON")
	switch {
	case h.Name == "" || h.Type != "state" || a["COMMAND"] == "":
		return 0, errors.New("no NAME, TYPE or COMMAND")
	case a["RESOURCE"] == "HOST" && a["STATE"] == "ERROR":
	case a["RESOURCE"] == "VM" && on == "UNKNOWN":
		a["STATE"], a["LCM_STATE"] = "ACTIVE", "UNKNOWN"
	case a["RESOURCE"] == "VM" && on == "CUSTOM" && a["STATE"] == "ACTIVE" && strings.HasSuffix(a["LCM_STATE"], "_FAILURE"):
	default:
		return 0, fmt.Errorf("wrong STATE in %v", a)
	}
	h.ID = p.next
	p.next++
	p.hooks = append(p.hooks, h)
	return h.ID, nil
}

func (p *fakePool) UpdateHook(_ context.Context, id int, template string) error {
	if err := p.call("update %d", id); err != nil || p.ignore {
		return err
	}
	h, err := read(template)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(p.hooks, func(h PoolHook) bool { return h.ID == id })
	if h.Name != "" || h.Type != "" || h.Attributes["STATE"] == "" || h.Attributes["ON"] != "" || i < 0 {
		return fmt.Errorf("hook %d cannot become %q", id, template)
	}
	merged := PoolHook{ID: id, Name: p.hooks[i].Name, Type: p.hooks[i].Type, Attributes: map[string]string{}}
	for _, from := range []map[string]string{p.hooks[i].Attributes, h.Attributes} {
		for name, value := range from {
			merged.Attributes[name] = value
		}
	}
	p.hooks[i] = merged
	return nil
}

func (p *fakePool) DeleteHook(_ context.Context, id int) error {
	if err := p.call("delete %d", id); err != nil || p.ignore {
		return err
	}
	p.hooks = slices.DeleteFunc(p.hooks, func(h PoolHook) bool { return h.ID == id })
	return nil
}

// read takes a template apart as oned does: its grammar is that of oned.conf.
func read(template string) (PoolHook, error) {
	f, err := Parse([]byte(template))
	h := PoolHook{Attributes: map[string]string{}}
	for _, e := range f.Entries {
		h.Attributes[e.Name] = e.Value
	}
	h.Name, h.Type = h.Attributes["NAME"], h.Attributes["TYPE"]
	delete(h.Attributes, "NAME")
	delete(h.Attributes, "TYPE")
	return h, err
}

// Remove gives an oned.conf without the block.
func Remove(text []byte) ([]byte, error) { return Install(text, nil, Facts{}) }
