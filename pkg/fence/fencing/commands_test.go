package fencing

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"one-ft/pkg/one"
	"one-ft/pkg/statedir"
)

// What a command has proven is remembered with what it was then: not a failure, not another program, and not one that took
// its place while it ran.
func TestCommandsAreRemembered(t *testing.T) {
	dir := t.TempDir()
	state, command := statedir.Dir(filepath.Join(dir, "state")), filepath.Join(dir, "fence_host.sh")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(command, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	prove := func(works bool) {
		t.Helper()
		r := Resolver{State: state, XML: func(context.Context, int) (string, error) { return "<HOST/>", nil }}
		r.Config = loaded(t, "fence: [{hosts: ['*'], attempts: 1, levels: [{devices: [{command: [/bin/false]}]}, {devices: [{command: ["+command+"]}]}]}]")
		if _, err := r.Prove(t.Context(), one.Host{ID: 3, Name: "node3"}, nil); (err == nil) != works {
			t.Fatal(err)
		}
	}
	want := func(trial Trial, when string) {
		t.Helper()
		got, at := TrialOf(state, command)
		if got != trial || at.IsZero() != (trial == TrialNone) {
			t.Errorf("%s: %s at %v, want %s", when, got, at, trial)
		}
	}
	write("exit 1\n")
	prove(false)
	want(TrialNone, "it has failed")
	write("exit 0\n")
	prove(true)
	want(TrialWorked, "it has worked")
	if other, _ := TrialOf(state, "/bin/false"); other != TrialNone {
		t.Errorf("/bin/false, a level before it: %s", other)
	}
	write("echo 'Fence host not configured'; exit 1\n")
	want(TrialChanged, "an upgrade")
	write("exit 0\n")
	want(TrialWorked, "put back")
	if err := os.Remove(command); err != nil {
		t.Fatal(err)
	}
	want(TrialChanged, "it is gone")
	write("echo 'exit 1' >$0; exit 0 # \n")
	prove(true)
	want(TrialChanged, "it has replaced itself")
	for _, text := range []string{"", "{", `{"path":"/other"}`, "null"} {
		if err := os.WriteFile(provenFile(state, command), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want(TrialNone, "a damaged file")
	}
}
