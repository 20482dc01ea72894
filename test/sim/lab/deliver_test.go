package lab

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

const smallXML = `<HOST><ID>1</ID><VMS><ID>4</ID></VMS><TEMPLATE><A><![CDATA[a <b> ]></A> c]]></A><B></B></TEMPLATE><M/></HOST>`

func TestIndent(t *testing.T) {
	want := strings.Join([]string{
		"<HOST>", "  <ID>1</ID>", "  <VMS>", "    <ID>4</ID>", "  </VMS>", "  <TEMPLATE>",
		"    <A><![CDATA[a <b> ]></A> c]]></A>", "    <B/>", "  </TEMPLATE>", "  <M/>", "</HOST>",
	}, "\n")
	if got := indent(smallXML); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestIndentOfDamagedXML(t *testing.T) {
	for _, text := range []string{"", "x", "<", "</A></B>", "<A", "<![CDATA[x", "<A></A", "a>b"} {
		if got := strings.ReplaceAll(strings.ReplaceAll(indent(text), "\n", ""), " ", ""); got != strings.ReplaceAll(text, " ", "") {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestSetNumber(t *testing.T) {
	for in, want := range map[string]string{
		"<A><N>3</N><N>4</N></A>": "<A><N>7</N><N>4</N></A>",
		"<A><N>3</A>":             "<A><N>3</A>",
		"<A/>":                    "<A/>",
	} {
		if got := setNumber(in, "N", 7); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestFromOned(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte(smallXML))
	for _, tc := range []struct {
		host       bool
		args, want string
	}{
		{true, "$ID -r", "/h 7 -r"},
		{true, "$HID -r n", "/h $HID -r n"},
		{true, "$TEMPLATE -r", "/h " + b64 + " -r"},
		{true, "$ID $ID $PREV_STATE", "/h 7 $ID $PREV_STATE"},
		{false, "$ID $PREV_STATE $PREV_LCM_STATE", "/h 7 ACTIVE RUNNING"},
		{true, "", "/h "},
	} {
		e := event{hook: hook{host: tc.host, command: "/h", args: tc.args}, id: 7, xml: smallXML, prevState: "ACTIVE", prevLCM: "RUNNING"}
		p := fromOned(e, "/var")
		want := []string{"sh", "-c", tc.want + "; echo ExitCode: $? 1>&2"}
		if !slices.Equal(p.argv, want) || p.stdin != "" || p.dir != "/var" {
			t.Errorf("%q: got %q, want %q", tc.args, p, want)
		}
	}
}

func TestFromManager(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte(indent(smallXML)))
	for _, tc := range []struct {
		stdin bool
		args  string
		argv  []string
		in    string
	}{
		{false, "$TEMPLATE -r  n", []string{"/h", b64, "-r", "n"}, ""},
		{false, "", []string{"/h"}, ""},
		{false, "$API $TEMPLATE", []string{"/h", b64}, ""},
		{false, "$ID -r $HID", []string{"sh", "-c", "/h $ID -r $HID"}, ""},
		{false, "x$TEMPLATE", []string{"sh", "-c", "/h x$TEMPLATE"}, ""},
		{true, "$TEMPLATE -r  n $ID", []string{"/h"}, b64 + " -r n $ID"},
	} {
		p := fromManager(event{hook: hook{command: "/h", args: tc.args}, id: 7, xml: smallXML}, tc.stdin)
		if !slices.Equal(p.argv, tc.argv) || p.stdin != tc.in || p.dir != "/" {
			t.Errorf("%q: got %q, want argv %q and stdin %q", tc.args, p, tc.argv, tc.in)
		}
	}
}
