package executables_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSizes: executables that make build makes stay small. What makes one large at once: text/template, html/template
// and reflect's MethodByName, with which the linker keeps every exported method; encoding/xml; another parser.
func TestSizes(t *testing.T) {
	dir := t.TempDir()
	args := []string{"build", "-buildvcs=false", "-tags", "nethttpomithttp2", "-trimpath", "-ldflags", "-s -w", "-o", dir + "/", "one-ft/cmd/..."} // as the Makefile
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, most := range map[string]int64{ // bytes
		"host_error": 9_500_000, "vm_failure": 9_050_000, "vm_unknown": 9_050_000, "host_isolated": 8_150_000, "oneft": 10_900_000,
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
