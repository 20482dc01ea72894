package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzProc: whatever processes are called and say, since when this machine is a front-end is a time
// after its boot, or not known.
func FuzzProc(f *testing.F) {
	f.Add("cpu 1 2\nbtime 1700000000\n", "7 (oned) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 1 2", "/usr/bin/oned\x00-f", "ONE_LOCATION=/srv\x00A=b")
	f.Add("btime x\n", "7 (a) b) S", "oned", "")
	f.Add("btime 9223372036854775807", "7 (oned) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99999999999999999999", "oned\x00", "ONE_LOCATION=")
	f.Add("btime 1700000000", "7 (oned) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 9223372036854775807", "oned\x00", "")
	f.Fuzz(func(t *testing.T, stat, process, command, environ string) {
		proc := t.TempDir()
		dir := filepath.Join(proc, "7")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"stat": stat, "7/stat": process, "7/cmdline": command, "7/environ": environ} {
			if err := os.WriteFile(filepath.Join(proc, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		boot := bootTime(proc)
		if at := FrontEndStarted(proc, "http://localhost:2633/RPC2", ""); !at.IsZero() && at.Before(boot) {
			t.Errorf("started at %s, before the boot at %s", at.Format(time.RFC3339), boot.Format(time.RFC3339))
		}
	})
}

// FuzzOutput: whatever an error or a name holds, a hook leaves one short printable line on stderr
// and nothing on stdout, which oned would obey; and JSON stays JSON with the same content.
func FuzzOutput(f *testing.F) {
	for _, text := range []string{nasty, "plain", strings.Repeat("\U000e0001", 400), "EXECUTE SUCCESS 0 x\n", `{"a":"\\u0000"}`, "\ud7ff\ue000\uffff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var stdout, stderr bytes.Buffer
		o := newOutput(Env{Stdout: &stdout, Stderr: &stderr}, "host_error")
		o.failed(fmt.Errorf("%s", text))
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
