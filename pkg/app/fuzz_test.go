package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
)

// FuzzOutput: whatever an error or a name holds, a hook leaves one short printable line on stderr
// and nothing on stdout, which oned would obey; and JSON stays JSON with the same content.
func FuzzOutput(f *testing.F) {
	for _, text := range []string{nasty, "plain", strings.Repeat("\U000e0001", 400), "EXECUTE SUCCESS 0 x\n", `{"a":"\\u0000"}`, "\ud7ff\ue000\uffff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var stdout, stderr bytes.Buffer
		o := &output{env: Env{Stdout: &stdout, Stderr: &stderr}, name: "host_error"}
		o.ended(fmt.Errorf("%s", text))
		line, rest, _ := strings.Cut(stderr.String(), "\n")
		if stdout.Len() > 0 || rest != "" || len([]rune(line)) > maxHookLine+20 || !printableLine(line) {
			t.Errorf("%q, %q", stdout.String(), stderr.String())
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		escaped := escapeJSON(string(encoded))
		var want, got string
		if !printableLine(escaped) || json.Unmarshal(encoded, &want) != nil || json.Unmarshal([]byte(escaped), &got) != nil || got != want {
			t.Errorf("%q becomes %q", encoded, escaped)
		}
	})
}

func printableLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}
