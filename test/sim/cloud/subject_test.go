package cloud

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/test/testdata/tapes"
)

// caseStates translates the words of the tapes' case names.
func caseStates(version string) map[string]string {
	states := map[string]string{
		"pending": "PENDING", "hold": "HOLD", "running": "RUNNING", "unknown": "UNKNOWN", "suspended": "SUSPENDED",
		"poweroff": "POWEROFF", "stopped": "STOPPED", "undeployed": "UNDEPLOYED", "boot": "BOOT", "prolog": "PROLOG",
		"migrating": "MIGRATE", "saving": "SAVE_SUSPEND", "shutdown": "SHUTDOWN", "done": "DONE",
		"cleanup_resubmit": "CLEANUP_RESUBMIT", "cleanupresubmit": "CLEANUP_RESUBMIT",
		"bootfail": "BOOT_FAILURE", "bootfailure": "BOOT_FAILURE",
		"prologfail": "PROLOG_FAILURE", "prologfailure": "PROLOG_FAILURE",
	}
	if version == "4.4" {
		states["bootfail"], states["prologfail"] = "FAILED", "FAILED"
	}
	return states
}

// subjectOf says in what state the VM of a tape was, and whether its host was
// in ERROR.
func subjectOf(t *testing.T, version string, tape tapes.Tape) (stateName string, hostFailed bool) {
	t.Helper()
	states := caseStates(version)
	if m := regexp.MustCompile(`from-([a-z_]+?)(_errhost)?$`).FindStringSubmatch(tape.Case); m != nil {
		return known(t, states, m[1]), m[2] != ""
	}
	if m := regexp.MustCompile(`^(err|ok)-([a-z]+)-`).FindStringSubmatch(tape.Case); m != nil {
		name := known(t, states, m[2])
		if strings.Contains(string(tape.Response), "for state BOOT<") && name == "PROLOG" {
			name = "BOOT" // it had gone on when the request came
		}
		return name, m[1] == "err"
	}
	if m := regexp.MustCompile(`\(([A-Z_]+)\), host in ERROR`).FindStringSubmatch(tape.Description); m != nil {
		return m[1], true
	}
	switch {
	case tape.Case == "done":
		return "DONE", false
	case tape.Case == "pending-again":
		return "PENDING", false
	case strings.HasPrefix(tape.Case, "owner-"):
		return "HOLD", false
	case strings.HasPrefix(tape.Case, "recreate-"):
		return "UNKNOWN", true
	}
	return "RUNNING", false
}

// known looks a word up that must be there.
func known(t *testing.T, states map[string]string, word string) string {
	t.Helper()
	name, ok := states[word]
	if !ok {
		t.Fatalf("no state for %q", word)
	}
	return name
}

// addSubject adds the VM that a recorded request is about, unless the request
// is about one that does not exist.
func addSubject(t *testing.T, c *Cloud, tape tapes.Tape, params []any) {
	t.Helper()
	if len(params) < 2 {
		return
	}
	var ids []int
	for _, p := range params[1:] {
		if n, ok := p.(int); ok {
			ids = append(ids, n)
		}
	}
	if len(ids) == 0 || ids[0] < 0 || ids[0] > 9000 || strings.HasPrefix(tape.Method, "one.host") {
		return
	}
	if _, there := c.VM(ids[0]); there {
		return
	}
	name, failed := subjectOf(t, families()[c.fam], tape)
	origin := 0
	if tape.Method == "one.vm.migrate" && len(ids) > 1 && ids[1] == 0 {
		origin = 1
	}
	v := vmIn(t, ids[0], origin, name)
	if strings.HasPrefix(tape.Case, "owner-") {
		v.UID = AliceID
	}
	if err := c.AddVM(v); err != nil {
		t.Fatal(err)
	}
	if failed {
		c.hosts[origin].State, c.hosts[origin].dead = one.HostError, true
	}
}

// prepareHooks adds the hooks that there were before a recorded request.
func prepareHooks(t *testing.T, c *Cloud, tape tapes.Tape) {
	t.Helper()
	g, err := decodeAnswer(tape.Response)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := strconv.Atoi(g.text())
	c.nextHook = id
	switch {
	case tape.Method == "one.hook.delete":
		c.hooks = append(c.hooks, &hook{id: id})
	case tape.Case == "dup":
		taken := regexp.MustCompile(`Hook (\d+)`).FindStringSubmatch(g.text())
		name := regexp.MustCompile(`NAME *= *"?([^"\n]+)"?`).FindSubmatch(tape.Request)
		id, _ := strconv.Atoi(taken[1])
		c.hooks = append(c.hooks, &hook{id: id, name: string(name[1])})
	}
}
