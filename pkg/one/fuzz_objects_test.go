package one

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/text"
	"one-ft/test/testdata/tapes"
)

// inOneLine reports whether text is fit for a log.
func inOneLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzVersion: a version that is taken is read again from what it is written as, and has a dialect or
// a reason why not.
func FuzzVersion(f *testing.F) {
	for _, text := range []string{"4.4.1", "5.10.6", "6.10.0", "7.4.1", "6.8", "4.14.0.1", "7.99.80-rc1", "", "a.b", "4.2.0", "999.999.999", "6.10.0000", "\x1b6.1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVersion(text)
		if err != nil {
			if !inOneLine(err.Error()) || utf8.RuneCountInString(err.Error()) > 400 {
				t.Errorf("%q", err)
			}
			return
		}
		if again, err := ParseVersion(v.String()); err != nil || again != v {
			t.Errorf("%q is %v, then %v, %v", text, v, again, err)
		}
		d, err := DialectFor(v)
		if (err == nil) != !v.Before(4, 4) || err == nil && (d.Name == "" || d.bootAction == "" || d.Newer != Version{Major: 7, Minor: 4}.Before(v.Major, v.Minor)) {
			t.Errorf("%v: %+v, %v", v, d, err)
		}
	})
}

// FuzzOtherObjects: users, datastores, disks, the state of the front-end and the configuration of oned
// are read, or refused as damaged.
func FuzzOtherObjects(f *testing.F) {
	seeds(f, func(tape tapes.Tape) {
		if value, err := decodeAnswer("one.x", tape.HTTPStatus, tape.Response); err == nil {
			if document, ok := value.(string); ok && !strings.HasPrefix(document, "<VM") && !strings.HasPrefix(document, "<HOST") {
				f.Add(document)
			}
		}
	})
	f.Add("<USER><ID>2</ID><GID>0</GID><NAME>a</NAME><GROUPS><ID>1</ID><ID>x</ID></GROUPS></USER>")
	f.Add("<DATASTORE><ID>1</ID><NAME>\x01</NAME><TEMPLATE><SHARED>YES</SHARED></TEMPLATE></DATASTORE>")
	f.Add("<RAFT><SERVER_ID>0</SERVER_ID><STATE>3</STATE></RAFT>")
	f.Add("<OPENNEBULA_CONFIGURATION><MONITORING_INTERVAL_HOST>99999999999999</MONITORING_INTERVAL_HOST></OPENNEBULA_CONFIGURATION>")
	f.Add("<HOST><MONITORING><TIMESTAMP>-5</TIMESTAMP></MONITORING></HOST>")
	f.Add(vmText(7, "web", "x"))
	f.Add("<VM><ID>1</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE><CPU>NaN</CPU><MEMORY>9007199254740993</MEMORY></TEMPLATE><HISTORY_RECORDS/></VM>")
	f.Fuzz(func(t *testing.T, document string) {
		damaged := func(err error) {
			if err != nil && (!errors.Is(err, ErrDamaged) || text.Printable(err.Error()) != err.Error()) {
				t.Errorf("%q", err)
			}
		}
		e, err := Parse(document)
		damaged(err)
		if err == nil {
			u, err := e.User()
			if damaged(err); err == nil && (!inOneLine(u.Name) || len(u.Groups) == 0) {
				t.Errorf("%+v", u)
			}
			d, err := e.Datastore()
			if damaged(err); err == nil && !inOneLine(d.Name) {
				t.Errorf("%+v", d)
			}
			v, err := e.WholeVM()
			if damaged(err); err == nil && (math.IsNaN(v.CPU) || math.IsInf(v.CPU, 0) || v.CPU < 0 || int64(v.Memory)*1024 < 0 || v.Memory > 1<<40) {
				t.Errorf("a VM of %g CPUs and %d MB", v.CPU, v.Memory)
			}
		}
		answers(t, document, damaged)
	})
}

// answers has a client read the document as the answer to calls that want one number.
func answers(t *testing.T, document string, damaged func(error)) {
	c, err := New(Options{Endpoint: "http://oned/RPC2", Credentials: "a:b", Transport: fixed(accepted(document))})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	seconds, err := c.MonitoringInterval(ctx)
	damaged(err)
	if seconds < 0 || seconds > MaxInterval {
		t.Errorf("monitored each %d s", seconds)
	}
	_, err = c.Follows(ctx)
	damaged(err)
}

// fixed is an oned that has one answer.
type fixed string

// RoundTrip gives it.
func (f fixed) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Request: req,
		ContentLength: int64(len(f)), Body: io.NopCloser(strings.NewReader(string(f)))}, nil
}

// FuzzAccess: whatever is in the files of OpenNebula's clients, there are credentials for one line of
// a header, or an error that shows nothing of them.
func FuzzAccess(f *testing.F) {
	f.Add("oneadmin:opennebula\n", "http://one1:2633/RPC2\n", "")
	f.Add("oneadmin", " \n", "http://localhost:2633/RPC2")
	f.Add("a:b\r\nc:d", "a\nb", "")
	f.Add(":secretsecretsecret", "\x00", " ")
	f.Add("\x00:\x1b", "", "")
	f.Fuzz(func(t *testing.T, auth, endpoint, variable string) {
		home := t.TempDir()
		for name, text := range map[string]string{"one_auth": auth, "one_endpoint": endpoint} {
			if err := os.MkdirAll(filepath.Join(home, ".one"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(home, ".one", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		env := map[string]string{"HOME": home, "ONE_XMLRPC": variable}
		a, err := FindAccess(func(name string) string { return env[name] }, Given{}, Given{})
		if err != nil {
			// Longer than any word of the error itself.
			for word := range strings.FieldsSeq(auth) {
				if len(word) > 30 && strings.Contains(err.Error(), word) {
					t.Errorf("%q is in %v", word, err)
				}
			}
			return
		}
		user, secret, ok := strings.Cut(a.Credentials, ":")
		if !ok || user == "" || secret == "" || strings.Contains(a.Credentials, "\n") || !strings.Contains(auth, a.Credentials) {
			t.Errorf("%q becomes %q", auth, a.Credentials)
		}
		if a.Endpoint == "" || strings.TrimSpace(a.Endpoint) != a.Endpoint || a.EndpointSource == "" || a.AuthSource == "" {
			t.Errorf("%+v", a)
		}
	})
}
