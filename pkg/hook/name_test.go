package hook

import (
	"strings"
	"testing"
)

// TestName: what an operator may call a host by is no ID, no template, and nothing that oned or a shell made of one.
func TestName(t *testing.T) {
	template := encode("<HOST><ID>3</ID></HOST>")
	for words, want := range map[string]string{
		"node03": "node03|", "node03.example.com y": "node03.example.com|y", "N node03": "node03|n", "größe": "größe|", "a-b_c": "a-b_c|", "node": "node|",
		"host_error_long_name_of_a_machine": "host_error_long_name_of_a_machine|",
		"3":                                 "", "-3": "", "99999999999": "", "y": "", "": "", "node03 node04": "", "node03 3": "", "3 node03": "", "node03 y n": "",
		"$HID": "", "$HID node03": "", "<HOST>": "", template: "", template[:20]: "", template + "!": "", strings.Repeat("x", 80): "",
	} {
		name, answer, ok := Name(Host, strings.Fields(words))
		got := ""
		if ok {
			got = name + "|" + string(answer)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
		if _, _, err := Parse(Host, strings.Fields(words)); ok && err == nil {
			t.Errorf("%q is both", words)
		}
	}
	if _, _, ok := Name(Host, []string{" "}); ok {
		t.Error("a blank is a name")
	}
}
