package report_test

import (
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/wording"
)

// left are the lines of what is left to do.
func left(r incident.Record) []string {
	lines := report.Timeline(r, later())
	return lines[slices.Index(lines, "What is left to do")+1:]
}

// commands are those of them that can be copied.
func commands(r incident.Record) []string {
	var all []string
	for _, line := range left(r) {
		if c, is := strings.CutPrefix(line, "      "); is {
			all = append(all, c)
		}
	}
	return all
}

func TestCallsAreShown(t *testing.T) {
	hidden := "# run host_error 3 with the options of its hook"
	for _, c := range []struct {
		tool string
		call []string
		want string
	}{
		{"host_error", []string{"3", "n", "-r"}, "host_error 3 n -r"},
		{"/usr/bin/host_error", []string{"3", "-r", "-f", "-p", "2"}, "host_error 3 -r -f -p 2"},
		{"host_error", []string{"3", "-r", "--confirm", "check it; reboot 'now'"}, `host_error 3 -r --confirm 'check it; reboot '\''now'\'''`},
		{"host_error", []string{"3", "-r", "--log-file=\x1b[2J"}, hidden},
		{"host_error", []string{"3", "-r", "--confirm=" + strings.Repeat("x", 1000)}, hidden},
		{"host_error", []string{"3", "-r", "--confirm", "<300 bytes>"}, hidden},
		{"host_error", nil, hidden},
		{"", []string{"3", "-r"}, hidden},
		{"rm", []string{"-rf", "/"}, hidden},
		{"oneft", []string{"resume", "12"}, "oneft resume 12"},
	} {
		r := incident.Record{Number: 12, Kind: "host", ID: 3, Tool: c.tool, Call: c.call, Status: incident.Failed, Ended: &began}
		if got := commands(r); !slices.Equal(got, []string{"onehost list", c.want}) {
			t.Errorf("%s %.80q: %q, want %q", c.tool, c.call, got, c.want)
		}
	}
}

func TestUnknownToolsGetNoOptions(t *testing.T) {
	r := unfenced()
	r.Number, r.Tool, r.Call = 9, "oneft", []string{"resume", "9"}
	want := []string{"# run host_error 3 with the options of its hook --dry-run", "oneft resume 9", "oneft resume 9 --confirm-off"}
	if got := commands(r); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRefusedHosts: by the reason, whatever the summary says; a record without one gets the general advice.
func TestRefusedHosts(t *testing.T) {
	again := "host_error 3 -r n"
	fencing := []string{again + " --dry-run", again, "oneft resume 9 --confirm-off"}
	for reason, want := range map[wording.Kind][]string{
		wording.FencingFailed: fencing, wording.FencingRequired: fencing, wording.FencingManual: fencing, wording.FencingUnconfirmed: fencing,
		wording.StormGivenUp:   {"onehost list", again, again + " --override-storm"},
		wording.NowhereGivenUp: {"onehost show 3", "onehost list", again, again + " --override-storm"},
		wording.OpinionAlive:   {"onehost show 3", again},
		wording.HostSet:        {"onehost show 3", again + " --any-state"},
		"":                     {"onehost show 3", again},
		"of a later version":   {"onehost show 3", again},
	} {
		r := incident.Record{Number: 9, Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r", "n"}, Status: incident.Refused, Reason: reason.Name(),
			Summary: "held for 30m0s; fencing failed; says that the host is alive", Ended: &began}
		if got := commands(r); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}

// TestEachKindHasItsAdvice: for all kinds that the outcome of a VM that was not handled has, whatever its text says; a record
// without kinds gets the general advice.
func TestEachKindHasItsAdvice(t *testing.T) {
	again, look := "host_error 3 -r n", "onevm show 42"
	decide := []string{look, "onevm recover --recreate 42"}
	type advice struct {
		commands []string
		kinds    []wording.Kind
	}
	for action, all := range map[string][]advice{
		"recreate": {
			{[]string{again}, []wording.Kind{wording.CallError, wording.OutOfTime, wording.ToldToEnd, wording.NotLeft, wording.NotLeftWaits, wording.ResumedVainly,
				wording.StaysOnHost, wording.StaysFailed, wording.Late, wording.EarlierUnread}},
			{[]string{look, "vm_failure 42 -r"}, []wording.Kind{wording.FailedAgain}},
			{[]string{"onevm list", "onedatastore list", again}, []wording.Kind{wording.RateGivenUp}},
			{[]string{look}, []wording.Kind{wording.BudgetSpent, wording.BudgetNone, wording.StillPending, wording.Stuck, wording.OldHost, wording.Ended,
				wording.ResultUnread, wording.EarlierPlaced, wording.EarlierLost, wording.HostWasOff}},
			{[]string{look, again}, []wording.Kind{""}},
		},
		"leave": {
			{[]string{look}, []wording.Kind{wording.LosesSomething, wording.LosesNoRetry, wording.HostMayRunIt}},
			{decide, []wording.Kind{wording.StateUnknown, wording.CannotMoveNow, wording.BeingEnded,
				wording.DatastoreUnknown, wording.DatastoreLocal, wording.CannotMoveAway, wording.CannotMove,
				wording.NoHostHasRoom, wording.SourceUnknown, wording.OtherEndMayRun, wording.CannotRetry, wording.HostGone, wording.HostOutOfReach}},
			{[]string{look, again}, []wording.Kind{""}},
		},
	} {
		for _, a := range all {
			for _, kind := range a.kinds {
				vm := incident.VM{ID: 42, Action: action, Result: "incomplete", Kind: kind.Name(), Detail: "given up after 5; it is BOOT_FAILURE; vm_failure 42 -r"}
				r := incident.Record{Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r", "n"}, Status: incident.Incomplete, Ended: &began, VMs: []incident.VM{vm}}
				if got := commands(r); !slices.Equal(got, a.commands) {
					t.Errorf("%s: %q, want %q", kind, got, a.commands)
				}
			}
		}
	}
}

func TestFailingVMs(t *testing.T) {
	for _, c := range []struct {
		status incident.Status
		kind   wording.Kind
		want   []string
	}{
		{incident.Incomplete, wording.BudgetSpent, []string{"onevm show 42", "vm_unknown 42 --no-budget"}},
		{incident.Incomplete, wording.BudgetNone, []string{"onevm show 42", "vm_unknown 42 --no-budget"}},
		{incident.Refused, wording.RateGivenUp, []string{"onevm list", "onedatastore list", "vm_unknown 42"}},
	} {
		r := incident.Record{Kind: "VM", ID: 42, Tool: "vm_unknown", Call: []string{"42"}, Status: c.status, Ended: &began,
			VMs: []incident.VM{{ID: 42, Action: "boot", Result: "incomplete", Kind: c.kind.Name()}}}
		if got := commands(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.kind, got, c.want)
		}
	}
}

// TestNothingIsOnlySaidWhenItIsTrue: an end that is not good, and VMs that a refused or
// failed incident lists, never become "nothing" or an advice to go on without conditions.
func TestNothingIsOnlySaidWhenItIsTrue(t *testing.T) {
	for _, status := range []incident.Status{incident.Incomplete, incident.Refused, incident.Failed, "of a later version"} {
		for _, kind := range []string{"host", "VM"} {
			r := incident.Record{Kind: kind, ID: 3, Tool: "vm_failure", Status: status, Ended: &began}
			if text := strings.Join(left(r), " "); strings.Contains(text, "Nothing.") || !strings.Contains(text, "vm_failure 3") {
				t.Errorf("%s of a %s: %s", status, kind, text)
			}
		}
	}
	r := unfenced()
	before := commands(r)
	r.VMs = []incident.VM{{ID: 1, Action: "recreate", Result: "refused"}, {ID: 2, Action: "recreate"}}
	if got := commands(r); !slices.Equal(got, before) {
		t.Errorf("with VMs: %q, without: %q", got, before)
	}
}

func TestNothingLeft(t *testing.T) {
	for _, r := range []incident.Record{normal(), cameBack()} {
		if got := left(r); len(got) != 1 || !strings.HasPrefix(got[0], "  - Nothing.") {
			t.Errorf("%s: %q", r.Status, got)
		}
	}
	r := normal()
	r.VMs[3].Result, r.VMs[3].Detail = "", "" // a damaged record claims too much
	if got := commands(r); !slices.Equal(got, []string{"host_error 3 -r n -p 2"}) {
		t.Errorf("a VM has no result: %q", got)
	}
}

func TestOpenSaysHowToSeeWhetherItGoesOn(t *testing.T) {
	text := strings.Join(left(open()), "\n")
	for _, want := range []string{"last event was 59 min 35 s ago", "on fe1", "host_error.log", "oneft incidents --follow", "onehost show 3", "oneft resume 7"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

// TestNoCommandOfStrangers: hostile texts are only ever quoted words of the call.
func TestNoCommandOfStrangers(t *testing.T) {
	for _, line := range commands(hostile()) {
		if outside := unquoted(line); strings.ContainsAny(outside, "$`;|&<>()\"\n") {
			t.Errorf("a shell obeys %q in %s", outside, line)
		}
	}
}

// unquoted is what a shell sees of a line outside single quotes.
func unquoted(line string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(line, `\'`, ""), "'") {
		if i%2 == 0 {
			b.WriteString(part)
		}
	}
	return b.String()
}

// TestHeld: what is left to do of a held incident is about the hold, and which of its kinds it is.
func TestHeld(t *testing.T) {
	for state, wants := range map[incident.Stand][]string{
		incident.StandStorm:    {"holding: 3 of 4 hosts in service", "Do not override it yet", "ping one of them", "host_error 3 -r n --override-storm"},
		incident.StandEbbing:   {"the storm is over", "nothing is needed"},
		incident.StandYoung:    {"nothing is needed"},
		incident.StandNowhere:  {"no other host in service may run any of its VMs", "onehost list", "--override-storm"},
		incident.StandAnswers:  {"power it off", "onehost show 3"},
		incident.StandSettling: {"others to follow into ERROR", "nothing is needed"},
	} {
		r := held()
		r.Host.Standing.State = state
		text := strings.Join(left(r), "\n")
		for _, want := range append(wants, "oneft incidents --follow") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", state, want, text)
			}
		}
		if strings.Contains(text, "tail /var/log") {
			t.Errorf("%s: a log that may be elsewhere:\n%s", state, text)
		}
	}
}
