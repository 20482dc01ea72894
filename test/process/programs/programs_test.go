package programs_test

import (
	"os"
	"path/filepath"
	"testing"

	"one-ft/test/process/programs"
)

// TestBuiltOnce: what is up to date is not linked again.
func TestBuiltOnce(t *testing.T) {
	dir, linked := programs.Dir(t), map[string]os.FileInfo{}
	for _, name := range []string{"host_error", "vm_failure", "vm_unknown", "host_isolated", "oneft", "onelab"} {
		// While it is open no new file gets its number.
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if linked[name], err = file.Stat(); err != nil {
			t.Fatal(err)
		}
	}
	programs.Dir(t)
	for name, before := range linked {
		if after, err := os.Stat(filepath.Join(dir, name)); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s was linked again: %v", name, err)
		}
	}
}
