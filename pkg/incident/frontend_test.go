package incident

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"one-ft/pkg/statedir"
)

// TestRootDoesNotShutOthersOut: an admin runs one-ft as root before the hook ever ran
// as oneadmin. What root makes belongs to the owner of the directory above. For other
// users it is theirs anyway.
func TestRootDoesNotShutOthersOut(t *testing.T) {
	const oneadmin = 9869
	home := t.TempDir()
	want := uint32(os.Geteuid())
	if want == 0 {
		want = oneadmin
		if err := os.Chown(home, oneadmin, oneadmin); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(home, "one-ft", "locks")
	if _, err := OpenLocks(dir, "host_error, pid 1"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := statedir.OwnLikeParent(file); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Dir(dir), dir, file} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || owner.Uid != want {
			t.Errorf("%s belongs to %d, want %d", path, owner.Uid, want)
		}
	}
	if _, err := OpenLocks(dir, "again"); err != nil {
		t.Errorf("the second time: %v", err)
	}
}
