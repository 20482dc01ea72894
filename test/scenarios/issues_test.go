package scenarios_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"one-ft/test/sim/play"
)

// complaints are issues of OpenNebula that admins of failed hosts have written, and what they
// say.
var complaints = map[int]string{
	1161: "Ruby gems", 2038: "operations are lost when the leader changes", 2282: "fencing ships disabled", 2355: "bad UTF-8 breaks the pool of VMs",
	3040: "fencing ships disabled", 3595: "a resched is not acted on", 3869: "pinned requirements", 4107: "pinned requirements",
	4239: "events are lost while the hook manager is down", 4357: "events are lost while the hook manager is down",
	5121: "VMs are left UNKNOWN after a reconnect", 5197: "bad UTF-8 breaks the pool of VMs", 6099: "local datastores",
	6126: "a VM is started twice after network trouble", 6372: "healthy hosts are in ERROR after a change of leader", 6546: "Ruby gems",
	6732: "false zombies", 7155: "clean-ups on a dead host never end", 7364: "the example of the host hook is missing", 7419: "Ruby gems", 7527: "names of hosts repeat",
	7561: "events are lost while the hook manager is down",
}

// TestIssues holds that each complaint is answered by a scenario that says so, and that no
// scenario names a number that is not explained here.
func TestIssues(t *testing.T) {
	answered := map[int]bool{}
	for _, path := range files(t) {
		s, err := play.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range s.Issues {
			answered[n] = true
			if complaints[n] == "" {
				t.Errorf("%s: issue %d is not in the list of complaints", path, n)
			}
		}
	}
	var open []int
	for n := range complaints {
		if !answered[n] {
			open = append(open, n)
		}
	}
	slices.Sort(open)
	for _, n := range open {
		t.Errorf("no scenario answers issue %d: %s", n, complaints[n])
	}
}

// TestReadme: test/README.md links each directory of scenarios, with the number of its files, and says how many plays they are.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	count, plays := map[string]int{}, 0
	for _, path := range files(t) {
		s, err := play.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		count[filepath.Dir(path)]++
		plays += len(s.Versions)
	}
	if len(files(t)) < 200 {
		t.Errorf("%d scenarios, want at least 200", len(files(t)))
	}
	for dir, n := range count {
		if link := fmt.Sprintf("[%s](scenarios/%s) (%d)", dir, dir, n); !strings.Contains(string(text), link) {
			t.Errorf("test/README.md does not say %s", link)
		}
	}
	if all := fmt.Sprintf("%d scenarios, %d plays on nine versions,", len(files(t)), plays); !strings.Contains(string(text), all) {
		t.Errorf("test/README.md does not say %q", all)
	}
}
