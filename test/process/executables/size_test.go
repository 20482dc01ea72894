package executables_test

import (
	"os"
	"path/filepath"
	"testing"

	"one-ft/test/process/programs"
)

// TestSizes: executables that make build makes stay small. What makes one large at once: text/template, html/template
// and reflect's MethodByName, with which the linker keeps every exported method; encoding/xml; another parser.
func TestSizes(t *testing.T) {
	dir := t.TempDir()
	cmd, err := programs.Shipped("-ldflags", "-s -w", "-o", dir+"/", "one-ft/cmd/...")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const mib = 1 << 20
	for name, most := range map[string]int64{
		"host_error": 9 * mib, "vm_failure": 9 * mib, "vm_unknown": 9 * mib, "host_isolated": 8 * mib, "oneft": 10.5 * mib,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			t.Errorf("%s has %d bytes, at most %d are allowed; go tool nm -size -sort size says what costs", name, info.Size(), most)
		}
	}
}
