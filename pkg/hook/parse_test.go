package hook

import (
	"encoding/base64"
	"strings"
	"testing"

	"one-ft/pkg/text"
)

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const compactHost = "<HOST><ID>3</ID><NAME>a</NAME><STATE>3</STATE></HOST>"

func TestParseIDs(t *testing.T) {
	for _, tc := range []struct {
		in string
		id int
		yn YesNo
	}{
		{"3", 3, Unset},
		{"0", 0, Unset},
		{"007", 7, Unset},
		{"2147483647", MaxID, Unset},
		{"12345678901234"[:8], 12345678, Unset}, // base64, too, but an ID first
		{"3 n", 3, No},
		{"n 3", 3, No},
		{"3 y", 3, Yes},
		{"YES 3", 3, Yes},
		{"3 No", 3, No},
		{encode(compactHost) + " y", 3, Yes},
	} {
		event, yn, err := Parse(Host, words(tc.in))
		if err != nil || event.ID != tc.id || yn != tc.yn {
			t.Errorf("%q: got %+v, %q, %v; want ID %d, %q", tc.in, event, yn, err, tc.id, tc.yn)
		}
	}
	event, _, err := Parse(VM, []string{"3"})
	want := Event{Kind: VM, ID: 3, State: -1, LCMState: -1, PrevState: -1, PrevLCMState: -1}
	if err != nil || event != want {
		t.Errorf("got %+v, %v; want %+v", event, err, want)
	}
}

func TestParseErrors(t *testing.T) {
	host, vm := encode(compactHost), encode("<VM><ID>5</ID></VM>")
	long := strings.Repeat("<HOST> and more text than one line of base64 holds, ", 5)
	const fix = `"$ID -r n"`
	for _, tc := range []struct {
		in   []string
		want []string
	}{
		{nil, []string{"no host ID", fix, `"$TEMPLATE -r"`, "$HID", "onehost list"}},
		{words("n"), []string{"no host ID", fix, "$HID"}},
		{words("$HID n"), []string{`"$HID"`, "not expanded", fix, "only $TEMPLATE (5.10"}},
		{words("${HID}"), []string{`"${HID}"`, "not expanded", fix}},
		{words("$ID"), []string{`"$ID"`, "not expanded", "$TEMPLATE -r"}},
		{words("3 $TEMPLATE"), []string{`"$TEMPLATE"`, "not expanded"}},
		{[]string{""}, []string{"empty word", fix}},
		{[]string{"3", " "}, []string{"empty word"}},
		{words("3 4"), []string{"host ID 3 and host ID 4", "once for each host"}},
		{words("3 3"), []string{"host ID 3 and host ID 3"}},
		{[]string{host, "4"}, []string{"the template of host 3 and host ID 4"}},
		{[]string{"4", host}, []string{"host ID 4 and the template of host 3"}},
		{[]string{host, host}, []string{"the template of host 3 and the template"}},
		{words("3 y n"), []string{"y and n given"}},
		{words("n 3 no"), []string{"n and n given"}},
		{words("-1"), []string{`"-1" is negative`}},
		{words("2147483648"), []string{"too large", "2147483647"}},
		{[]string{strings.Repeat("9", 500)}, []string{"too large", "…"}},
		{words("host02"), []string{`"host02" is neither a host ID nor a template`, "a name is taken only at a terminal", "onehost list"}},
		{words("3 maybe"), []string{`"maybe" is neither y nor n`, "give y "}},
		{words("maybe 3"), []string{`"maybe" is neither y nor n`}},
		{words("node01 web"), []string{`"node01" is neither a host ID`}},
		{words("3.5"), []string{"neither"}},
		{words("+3"), []string{"neither"}},
		{words("0x3"), []string{"neither"}},
		{words("٣"), []string{"neither"}},
		{words("3 -"), []string{`"-" is neither`}},
		{words("3 -r"), []string{`"-r" is neither`}},
		{words("compute-node-0123456789"), []string{"neither"}},
		{words("compute.example.org"), []string{"neither"}},
		{[]string{"a\x1b[2Jb\nc\u202e"}, []string{`"a\x1b[2Jb\nc\u202e"`}},
		{[]string{strings.Repeat("é!", 5000)}, []string{"é!…"}},
		{[]string{compactHost}, []string{"looks like XML", "base64"}},
		{[]string{vm}, []string{"template of a VM", "works on a host", "RESOURCE = HOST"}},
		{[]string{encode(strings.Repeat("no XML at all ", 9))}, []string{"base64 but holds no XML"}},
		{[]string{host[:20] + "!" + host[21:]}, []string{"broken base64 at character 21"}},
		{[]string{encode(long)[:77]}, []string{"broken base64"}},
		{[]string{encode(compactHost)[:48], "PTAxOTEyZG91bmQ"}, []string{"neither", "without line breaks"}},
	} {
		event, yn, err := Parse(Host, tc.in)
		wantUsage(t, err, tc.want...)
		if (event != Event{} || yn != Unset) {
			t.Errorf("%q: got %+v, %q beside the error", tc.in, event, yn)
		}
	}
	_, _, err := Parse(VM, nil)
	wantUsage(t, err, "no VM ID", `ARGUMENTS = "$ID" in`, `"$TEMPLATE"`, "$VMID", "onevm list")
	_, _, err = Parse(VM, []string{host})
	wantUsage(t, err, "template of a HOST", "works on a VM", "RESOURCE = VM")
}

// FuzzParse: never a panic, only IDs that exist, and one clean line otherwise.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"3 n", "$HID", "-1", "99999999999", encode(compactHost), encode(compactHost) + " 3", "host02", "PEhPU1Q"} {
		f.Add(strings.ReplaceAll(line, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []Kind{Host, VM} {
			event, _, err := Parse(kind, strings.Split(text, "\n"))
			checkEvent(t, kind, event, err)
		}
	})
}

// checkEvent checks what holds for everything that Parse returns.
func checkEvent(t *testing.T, kind Kind, event Event, err error) {
	t.Helper()
	if err != nil {
		wantUsage(t, err)
		return
	}
	if event.Kind != kind || event.ID < 0 || event.ID > MaxID {
		t.Fatalf("got %+v for a %s", event, kind)
	}
	for _, state := range []int{event.State, event.LCMState, event.PrevState, event.PrevLCMState} {
		if state < Unknown {
			t.Fatalf("state %d in %+v", state, event)
		}
	}
	if text.Printable(event.Name) != event.Name || len(event.Name) > maxName {
		t.Fatalf("name %q", event.Name)
	}
}
