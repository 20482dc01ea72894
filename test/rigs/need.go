package rigs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// BMCPackages are the packages of Debian and Ubuntu that StartBMC and fence_ipmilan
// need.
const BMCPackages = "openipmi ipmitool fence-agents"

// Need skips the test when a program is missing. In CI (CI is in the environment) it
// fails.
func Need(t testing.TB, packages string, programs ...string) {
	t.Helper()
	var missing []string
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return
	}
	text := strings.Join(missing, ", ") + " is missing: apt-get install --no-install-recommends " + packages
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
}
