package hook

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded returns a template in base64 as a daemon wrote it.
func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".b64") {
		return strings.TrimSpace(string(text))
	}
	return encode(string(text))
}

// Templates of live daemons: those of 5.10 as a hook got them, indented; the
// others, compact, as one.host.info and one.vm.info answer.
func TestRecordedTemplates(t *testing.T) {
	for name, want := range map[string]Event{
		"host-4.4.xml":  {Kind: Host, ID: 0, Name: "host01", State: 3, LCMState: -1, PrevState: -1, PrevLCMState: -1},
		"host-5.10.b64": {Kind: Host, ID: 1, Name: "host02", State: 3, LCMState: -1, PrevState: 1, PrevLCMState: -1},
		"host-7.4.xml":  {Kind: Host, ID: 0, Name: "host01", State: 2, LCMState: -1, PrevState: 2, PrevLCMState: -1},
		"vm-4.4.xml":    {Kind: VM, ID: 2, Name: "db-01", State: 3, LCMState: 16, PrevState: -1, PrevLCMState: -1},
		"vm-5.10.b64":   {Kind: VM, ID: 4, Name: "web-05", State: 3, LCMState: 16, PrevState: 3, PrevLCMState: 3},
	} {
		want.FromTemplate = true
		word := recorded(t, name)
		got, _, err := Parse(want.Kind, []string{word})
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
		other := map[Kind]Kind{Host: VM, VM: Host}[want.Kind]
		if _, _, err := Parse(other, []string{word}); err == nil {
			t.Errorf("%s: taken for a %s", name, other)
		}
	}
}

// A recorded template cut off anywhere gives its ID or an error, never another ID.
func TestTruncatedTemplates(t *testing.T) {
	for name, want := range map[string]int{"host-5.10.b64": 1, "vm-4.4.xml": 2} {
		word := recorded(t, name)
		kind := Host
		if strings.HasPrefix(name, "vm") {
			kind = VM
		}
		accepted := 0
		for end := range word {
			event, _, err := Parse(kind, []string{word[:end]})
			if err != nil {
				continue // end 0 to 11 are junk, %4 == 1 is broken base64
			}
			accepted++
			if event.ID != want || !event.Damaged && end < len(word)-4 {
				t.Fatalf("%s cut at %d: got %+v", name, end, event)
			}
		}
		if accepted < len(word)/2 {
			t.Errorf("%s: only %d of %d pieces gave the ID", name, accepted, len(word))
		}
	}
}

func TestTemplateEncodings(t *testing.T) {
	text := []byte("<HOST><ID>3</ID><NAME>~~~???>>></NAME></HOST>")
	for name, word := range map[string]string{
		"standard":        base64.StdEncoding.EncodeToString(text),
		"standard, raw":   base64.RawStdEncoding.EncodeToString(text),
		"URL":             base64.URLEncoding.EncodeToString(text),
		"URL, raw":        base64.RawURLEncoding.EncodeToString(text),
		"line breaks":     base64.StdEncoding.EncodeToString(text)[:20] + "\r\n" + base64.StdEncoding.EncodeToString(text)[20:] + "\n",
		"header":          encode("<?xml version=\"1.0\"?>\n" + string(text)),
		"header, Latin-1": encode("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" + string(text)),
		"blanks in front": encode("\n  " + string(text) + "\n"),
		"byte order mark": encode("\ufeff" + string(text)),
	} {
		event, _, err := Parse(Host, []string{word})
		if err != nil || event.ID != 3 || event.Name != "~~~???>>>" || event.Damaged {
			t.Errorf("%s: got %+v, %v", name, event, err)
		}
	}
	if std, url := base64.StdEncoding.EncodeToString(text), base64.URLEncoding.EncodeToString(text); std == url {
		t.Error("the text does not tell the alphabets apart")
	}
}

func TestTemplateValues(t *testing.T) {
	long := strings.Repeat("é", 1000)
	for _, tc := range []struct {
		text    string
		name    string
		damaged bool
	}{
		{"<ID>3</ID>", "", false},
		{"<ID> 3\n</ID>", "", false},
		{"<ID><![CDATA[3]]></ID>", "", false},
		{"<VMS><ID>8</ID></VMS><TEMPLATE><ID><![CDATA[9]]></ID></TEMPLATE><ID>3</ID>", "", false},
		{"<X><HOST><ID>8</ID></HOST></X><ID>3</ID>", "", false},
		{"<ID>3</ID><ID>3</ID>", "", false},
		{"<x:ID>8</x:ID><ID>3</ID>", "", false},
		{"<ID>3</ID><NAME>a</NAME><NAME>b</NAME>", "a", false},
		{"<ID>3</ID><X><NAME>b</NAME></X><NAME><![CDATA[<a>&b]]></NAME>", "<a>&b", false},
		{"<ID>3</ID><NAME>a\x01\x1b[31m\xffb\u202ec\ufffe</NAME>", "a\ufffd\ufffd[31m\ufffdb\\u202ec\ufffd", false},
		{"<ID>3</ID><NAME>" + long + "</NAME>", long[:256], false},
		{"<ID>3</ID><NAME>a" + long + "</NAME>", "a" + long[:254], false},
		{"<ID>3</ID><NAME>a<X>b</X>c</NAME>", "", false},
		{"<ID>3</ID><!DOCTYPE HOST>", "", true},
		{"<ID>3</ID><NAME>a & b</NAME>", "a & b", false},
		{"<ID>3</ID><NAME>a</NAME><X><![CDATA[a]]>b]]></X>", "a", false},
		{"<ID>3</ID><NAME>a</NAME><X>", "", true},
		{"<ID>3</ID><NAME>a</NAME></HOST><HOST><ID>4</ID>", "", true},
	} {
		event, _, err := Parse(Host, []string{encode("<HOST>" + tc.text + "</HOST>")})
		if err != nil || event.ID != 3 || event.Name != tc.name || event.Damaged != tc.damaged {
			t.Errorf("%q: got %+v, %v", tc.text, event, err)
		}
	}
	event, _, err := Parse(Host, []string{encode("<HOST><ID>3</ID><STATE>x</STATE><STATE>3</STATE><PREV_STATE>-2</PREV_STATE><LCM_STATE>99999999999</LCM_STATE></HOST>")})
	if err != nil || event.State != Unknown || event.PrevState != Unknown || event.LCMState != Unknown {
		t.Errorf("odd states: got %+v, %v", event, err)
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"<HOST></HOST>", "holds no ID"},
		{"<HOST><VMS><ID>8</ID></VMS></HOST>", "holds no ID"},
		{"<HOST><id>3</id></HOST>", "holds no ID"},
		{"<HOST><ID></ID></HOST>", `ID "" is not a number`},
		{"<HOST><ID>abc</ID></HOST>", `ID "abc" is not a number`},
		{"<HOST><ID>-3</ID></HOST>", "not a number"},
		{"<HOST><ID>+3</ID></HOST>", "not a number"},
		{"<HOST><ID>2147483648</ID></HOST>", "not a number from 0 to 2147483647"},
		{"<HOST><ID>3<X>4</X></ID></HOST>", `ID "" is not a number`},
		{"<HOST><ID>3</ID><NAME>a</NAME><ID>4</ID></HOST>", `two IDs, 3 and "4"`},
		{"<HOST><ID>12", "cut off"},
		{"<HOST><ID>12</", "cut off"},
		{"<HOST><NAME>host < co</NAME><ID>3</ID></HOST>", "broken before its ID"},
		{"<HOST><" + strings.Repeat("x", 9000) + "></y>", "cut off or broken"},
		{"<HOST><a\u0301></\u202eb>", "broken before its ID"},
		{"<!DOCTYPE HOST [<!ENTITY a \"b\">]><HOST><ID>3</ID></HOST>", "DOCTYPE"},
		{"<CALL_INFO><RESULT>1</RESULT></CALL_INFO>", "API hook"},
		{"<HOOK_MESSAGE><HOST><ID>3</ID></HOST></HOOK_MESSAGE>", "event message"},
		{"<HOST_POOL><HOST><ID>3</ID></HOST></HOST_POOL>", `"HOST_POOL" instead of HOST`},
		{"<host><ID>3</ID></host>", `"host" instead of HOST`},
		{"<VM><ID>3</ID></VM>", "template of a VM"},
		{"<html><body>", `"html" instead`},
		{"<<<<<<<<<<<<", "cut off"},
	} {
		event, _, err := Parse(Host, []string{encode(tc.text)})
		wantUsage(t, err, tc.want)
		if (event != Event{}) {
			t.Errorf("%q: got %+v beside the error", tc.text, event)
		}
	}
}

// FuzzTemplate: whatever is inside a template, its ID is one that stands there,
// and what is put behind the end of the ID cannot change it.
func FuzzTemplate(f *testing.F) {
	for _, name := range []string{"host-4.4.xml", "host-5.10.b64", "host-7.4.xml", "vm-4.4.xml", "vm-5.10.b64"} {
		text, err := base64.StdEncoding.DecodeString(recorded(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{"<HOST><ID>3</ID><ID>4</ID>", "</NAME><ID>4</ID><NAME>", "<!DOCTYPE x>", "<?xml encoding='x'?>", "]]>\x00\xff&#1;"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []Kind{Host, VM} {
			event, _, err := Parse(kind, []string{encode(string(text))})
			checkEvent(t, kind, event, err)
			event, _, err = Parse(kind, []string{encode("<" + kind.root() + "><ID>3</ID><NAME>" + string(text))})
			checkEvent(t, kind, event, err)
			if err == nil && event.ID != 3 {
				t.Fatalf("%q changed the ID to %d", text, event.ID)
			}
		}
	})
}
