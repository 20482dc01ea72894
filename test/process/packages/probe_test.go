package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"one-ft/pkg/fence"
)

// TestProbe: the monitoring probe never fails, because oned calls a host ERROR on which one does (run with 6.10.5). A host where nothing
// can say what it promises has no lease.
func TestProbe(t *testing.T) {
	text, err := os.ReadFile("../../../scripts/ft_isolated.sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ program, want string }{
		"not installed": {"", "FT_LEASE_ARMED=NO\n"},
		"refuses":       {"#!/bin/sh\necho half; echo no configuration >&2; exit 2\n", "FT_LEASE_ARMED=NO\n"},
		"promises":      {"#!/bin/sh\necho FT_LEASE=60; echo FT_LEASE_REACTION=48; echo FT_LEASE_ARMED=YES\n", "FT_LEASE=60\nFT_LEASE_REACTION=48\nFT_LEASE_ARMED=YES\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program, probe := filepath.Join(dir, "host_isolated"), filepath.Join(dir, "probe")
			if c.program != "" {
				if err := os.WriteFile(program, []byte(c.program), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(probe, []byte(strings.ReplaceAll(string(text), "/usr/sbin/host_isolated", program)), 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("sh", probe).Output()
			if err != nil || string(out) != c.want {
				t.Errorf("%v: %q, want %q", err, out, c.want)
			}
			if _, _, err := fence.TemplatePromise(map[string]string{"FT_LEASE_ARMED": "NO"}); err != fence.ErrNotArmed {
				t.Errorf("what it says is read as %v", err)
			}
		})
	}
}
