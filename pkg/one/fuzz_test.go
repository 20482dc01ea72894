package one

import (
	"errors"
	"strings"
	"testing"

	"one-ft/pkg/text"
	"one-ft/test/testdata/tapes"
)

// seeds gives f the smaller recorded answers of a few methods.
func seeds(f *testing.F, add func(tapes.Tape)) {
	f.Helper()
	perMethod := map[string]int{}
	eachTape(f, func(version string, tape tapes.Tape) {
		if perMethod[version+tape.Method] < 3 && len(tape.Response) < 4000 {
			perMethod[version+tape.Method]++
			add(tape)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	seeds(f, func(tape tapes.Tape) { f.Add(tape.HTTPStatus, tape.Response) })
	f.Add(200, []byte(accepted("<![CDATA[x]]>")))
	f.Add(200, []byte(elements("<boolean>1</boolean>", "<!-- x --><string>&nbsp;\x01</string>", "<i8>0</i8>")))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		value, err := decodeAnswer("one.x", status, body)
		var call *CallError
		var fault *FaultError
		var bad *AnswerError
		switch {
		case err == nil && status != 200:
			t.Errorf("HTTP %d became %v", status, value)
		case err != nil && !errors.As(err, &call) && !errors.As(err, &fault) && !errors.As(err, &bad):
			t.Errorf("an error of type %T: %v", err, err)
		case err != nil && (value != nil || text.Printable(err.Error()) != err.Error()):
			t.Errorf("%v, %q", value, err)
		}
	})
}

func FuzzObject(f *testing.F) {
	seeds(f, func(tape tapes.Tape) {
		if value, err := decodeAnswer("one.x", tape.HTTPStatus, tape.Response); err == nil {
			if text, ok := value.(string); ok {
				f.Add(text)
			}
		}
	})
	f.Add(vmText(7, "web", "a]]>b"))
	f.Add(vmText(7, "web", "]]></NOTE></USER_TEMPLATE></VM><VM><ID>8</ID><USER_TEMPLATE><NOTE><![CDATA["))
	f.Fuzz(func(t *testing.T, document string) {
		keep := func(e *Element) error {
			v, err := e.WholeVM()
			if err == nil {
				checkVM(t, v)
			}
			return err
		}
		err := eachElement(document, "VM_POOL", "VM", keep)
		e, bad := Parse(document)
		if bad == nil {
			bad = keep(e)
			if h, err := e.Host(); err == nil && text.Printable(h.Name) != h.Name {
				t.Errorf("%+v", h)
			}
		}
		for _, err := range []error{err, bad} {
			if err != nil && (!errors.Is(err, ErrDamaged) || text.Printable(err.Error()) != err.Error()) {
				t.Errorf("%q", err)
			}
		}
	})
}

// checkVM checks what holds for every VM that was read.
func checkVM(t *testing.T, v VM) {
	if text.Printable(v.Name) != v.Name || text.Printable(v.Owner) != v.Owner {
		t.Errorf("name %q, owner %q", v.Name, v.Owner)
	}
	for i, r := range v.History {
		if i > 0 && r.Seq <= v.History[i-1].Seq {
			t.Errorf("history %+v", v.History)
		}
	}
}

// FuzzXML: what this package and encoding/xml both take they read alike.
func FuzzXML(f *testing.F) {
	seeds(f, func(tape tapes.Tape) {
		f.Add(string(tape.Response))
		if value, err := decodeAnswer("one.x", tape.HTTPStatus, tape.Response); err == nil {
			if text, ok := value.(string); ok {
				f.Add(text)
			}
		}
	})
	f.Add("<a><![CDATA[x]]>y]]><!-- c -->&nbsp;&#0;&#X41;&\xff\x01]]></a>")
	f.Add("<a><![CDATA[<!-->")
	for _, value := range []string{"a]]>b", "]]", "&amp;&#x0d;&lt;", "a\rb", "\u00e9\ufffe", "<!-- x -->", "]]></NOTE></USER_TEMPLATE></VM><VM><ID>8</ID><USER_TEMPLATE><NOTE><![CDATA["} {
		f.Add("<VM_POOL>" + vmText(7, value, "") + " \n</VM_POOL>\n")
		f.Add(accepted(value))
	}
	f.Fuzz(func(t *testing.T, document string) {
		got, err := written(document)
		if err != nil || strings.ContainsAny(document, ":") {
			return // name spaces
		}
		if want, err := foreign(document); err == nil && got != want {
			t.Errorf("%q: %s, want %s", document, got, want)
		}
		var all []string
		e, _ := Parse(document)
		if eachElement(document, e.name, "VM", func(e *Element) error { all = append(all, tree(e)); return nil }) == nil && len(all) != len(e.All("VM")) {
			t.Errorf("%q: %d, want %d", document, len(all), len(e.All("VM")))
		}
	})
}

// TestRecordedXML: every object of every version is read, and as encoding/xml reads it where it can.
func TestRecordedXML(t *testing.T) {
	read := 0
	eachTape(t, func(version string, tape tapes.Tape) {
		value, err := decodeAnswer(tape.Method, tape.HTTPStatus, tape.Response)
		document, isText := value.(string)
		if err != nil || !isText || !strings.HasPrefix(document, "<") {
			return
		}
		read++
		got, err := written(document)
		if want, bad := foreign(document); err != nil || bad == nil && got != want {
			t.Errorf("%s: %s: %v, %.300q", version, tape.Method, err, document)
		}
	})
	if read < 200 {
		t.Errorf("%d answers", read)
	}
}
