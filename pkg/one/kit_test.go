package one

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"one-ft/pkg/text"
	"one-ft/test/testdata/tapes"
)

// secret is the password of all tests; no error text may hold it.
const secret = "pa55-w0rd-x"

// round is a transport in memory.
type round func(*http.Request) (*http.Response, error)

func (r round) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// answer is an HTTP response.
func answer(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body))}
}

// always answers every request alike.
func always(status int, body string) round {
	return func(*http.Request) (*http.Response, error) { return answer(status, body), nil }
}

// accepted is the answer of oned to a call that it accepted.
func accepted(value string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(value))
	return elements("<boolean>1</boolean>", "<string>"+b.String()+"</string>", "<i4>0</i4>")
}

// elements is an answer that holds these.
func elements(values ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><methodResponse><params><param><value><array><data><value>` +
		strings.Join(values, "</value><value>") + `</value></data></array></value></param></params></methodResponse>`
}

// client makes a client for a transport, in the dialect of a version if one is given.
func client(t testing.TB, version string, transport http.RoundTripper) *Client {
	t.Helper()
	c, err := New(Options{Endpoint: "http://oned.test/RPC2", Credentials: "oneadmin:" + secret, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	if version != "" {
		c.dialect = dialectOf(t, version)
	}
	return c
}

func dialectOf(t testing.TB, version string) Dialect {
	t.Helper()
	v, err := ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	d, err := DialectFor(v)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// failed makes sure that there is an error and that it keeps the secret.
func failed(t testing.TB, err error) error {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error holds the password: %v", err)
	}
	if text.Printable(err.Error()) != err.Error() {
		t.Errorf("the error is not printable: %q", err.Error())
	}
	return err
}

// is fails the test unless err is of a class.
func is(t testing.TB, err, class error) {
	t.Helper()
	if !errors.Is(failed(t, err), class) {
		t.Errorf("the error is %v, want %v", err, class)
	}
}

// transportError gives the *TransportError in an error.
func transportError(t testing.TB, err error) *TransportError {
	t.Helper()
	var e *TransportError
	if !errors.As(failed(t, err), &e) {
		t.Fatalf("the error is %T %v, want a *TransportError", err, err)
	}
	return e
}

// answerError gives the *AnswerError in an error.
func answerError(t testing.TB, err error) *AnswerError {
	t.Helper()
	var e *AnswerError
	if !errors.As(failed(t, err), &e) {
		t.Fatalf("the error is %T %v, want an *AnswerError", err, err)
	}
	return e
}

// scalars lists the leaf elements of a request or an answer as "type:text", by
// encoding/xml alone; i4, i8 and int count as one type.
func scalars(body []byte) ([]string, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	var list []string
	var name, text string
	leaf := false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		switch e := tok.(type) {
		case xml.StartElement:
			name, text, leaf = e.Name.Local, "", true
		case xml.CharData:
			text += string(e)
		case xml.EndElement:
			if leaf {
				if name == "i4" || name == "i8" {
					name = "int"
				}
				list = append(list, name+":"+text)
			}
			leaf = false
		}
	}
}

// allTapes loads the tapes of all versions, once.
var allTapes = sync.OnceValues(func() (map[string][]tapes.Tape, error) {
	all := map[string][]tapes.Tape{}
	for _, version := range tapes.Versions() {
		list, err := tapes.Load(version)
		if err != nil {
			return nil, err
		}
		all[version] = list
	}
	return all, nil
})

// eachTape runs f for all tapes of all versions.
func eachTape(t testing.TB, f func(version string, tape tapes.Tape)) {
	t.Helper()
	all, err := allTapes()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range tapes.Versions() {
		list := all[version]
		if len(list) < 350 {
			t.Fatalf("only %d tapes of %s", len(list), version)
		}
		for _, tape := range list {
			f(version, tape)
		}
	}
}

// tapeOf finds a tape by the start of its name.
func tapeOf(t testing.TB, version, name string) tapes.Tape {
	t.Helper()
	var found tapes.Tape
	eachTape(t, func(v string, tape tapes.Tape) {
		if v == version && strings.HasPrefix(tape.Name, name) {
			found = tape
		}
	})
	if found.Name == "" {
		t.Fatalf("no tape %s of %s", name, version)
	}
	return found
}

// playing makes a client that gets the recorded answer to whatever it asks.
func playing(t testing.TB, version string, tape tapes.Tape) *Client {
	return client(t, version, always(tape.HTTPStatus, string(tape.Response)))
}

// ctx is the context of a test.
func ctx(t testing.TB) context.Context { return t.Context() }

// unsent reports whether oned certainly did not receive the call.
func unsent(err error) bool {
	var transport *TransportError
	return errors.As(err, &transport) && !transport.Sent
}
