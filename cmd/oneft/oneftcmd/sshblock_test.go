package oneftcmd

import (
	"strings"
	"testing"

	"one-ft/pkg/failfast"
	"one-ft/pkg/install"
)

// TestSSHRemoval: the block that names this state directory is taken out, and never that of another installation.
func TestSSHRemoval(t *testing.T) {
	t.Parallel()
	const others = "Host *\n"
	config, err := failfast.Install([]byte(others), failfast.Block{StateDir: "/srv/one-ft"}, false)
	if err != nil {
		t.Fatal(err)
	}
	c := sshChange{config: install.SSHConfig{Path: "/h/.ssh/config", Text: config}}
	for _, dir := range []string{"/srv/one-ft", "/srv/one-ft/"} {
		if got, err := c.removal(dir); err != nil || got.note != "" || got.config.Path == "" || string(got.fresh) != others {
			t.Errorf("%s: %+v, %v", dir, got, err)
		}
	}
	got, err := c.removal("/srv/another")
	if err != nil || got.config.Path != "" || got.fresh != nil || !strings.Contains(got.note, "/h/.ssh/config was not changed") || !strings.Contains(got.note, "/srv/one-ft;") {
		t.Errorf("another: %+v, %v", got, err)
	}
}
