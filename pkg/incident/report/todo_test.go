package report_test

import (
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
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

func TestCallsAreRebuilt(t *testing.T) {
	template := "PEhPU1Q+" + strings.Repeat("QUFB", 100_000)
	for _, c := range []struct {
		tool string
		call []string
		want string
	}{
		{"host_error", []string{"3", "-r", "n"}, "host_error 3 -r n"},
		{"/usr/bin/host_error", []string{template, "-r", "-f", "-p", "2"}, "host_error 3 -r -f -p 2"},
		{"host_error", []string{"-p", "3", "-r", "3", "Y"}, "host_error 3 -p 3 -r Y"},
		{"host_error", []string{"-rp", "2", "3"}, "host_error 3 -rp 2"},
		{"host_error", []string{"-p=2", "-d", "3"}, "host_error 3 -p=2 -d"},
		{"host_error", []string{"-m", "--", "3", "n"}, "host_error 3 -m n"},
		{"host_error", []string{"3", "-r", "--confirm", "check it; reboot 'now'"}, `host_error 3 -r --confirm 'check it; reboot '\''now'\'''`},
		{"host_error", []string{"3", "-r", "--log-file=\x1b[2J"}, "# run host_error 3 with the options of its hook, which cannot be shown here"},
		{"host_error", []string{"3", "-r", "--confirm=" + strings.Repeat("x", 1000)}, "# run host_error 3 with the options of its hook, which cannot be shown here"},
		{"", []string{"3", "-r"}, "# run host_error 3 with the options of its hook"},
		{"host_error", nil, "host_error 3"},
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

func TestRefusedHosts(t *testing.T) {
	again, off := "host_error 3 -r n", "oneft resume 9 --confirm-off"
	for _, c := range []struct {
		summary string
		call    []string
		want    []string
	}{
		{"fencing failed, and nothing was touched: x", []string{"3", "-r", "n"}, []string{again + " --dry-run", again, off}},
		{"fencing is required, and none is configured", []string{"3", "--fencing", "required", "-r", "n", "--fence-first"},
			[]string{"host_error 3 --fencing required -r n --fence-first --dry-run", "host_error 3 --fencing required -r n --fence-first", off}},
		{"fencing failed", []string{"3", "-r", "n", "--no-fencing"}, []string{again + " --no-fencing --dry-run", again + " --no-fencing", off}},
		{"fencing failed", []string{"3", "-r", "n", "-u"}, []string{again + " -u --dry-run", again + " -u", off}},
		{"fencing failed", []string{"3", "--fencing=auto", "-r", "n"}, []string{"host_error 3 --fencing=auto -r n --dry-run", "host_error 3 --fencing=auto -r n", off}},
		{"held for 30m0s and given up: nothing was fenced or touched", []string{"3", "-r", "n"}, []string{"onehost list", again, again + " --override-storm"}},
		{"ping says that the host is alive; nothing was fenced or touched", []string{"3", "-r", "n"}, []string{"onehost show 3", again}},
		{"the host is DISABLED, set by an admin, not in ERROR", []string{"3", "-r", "n"}, []string{"onehost show 3", again + " --any-state"}},
		{"something else about fencing", []string{"3", "-r", "n"}, []string{"onehost show 3", again}},
	} {
		r := incident.Record{Number: 9, Kind: "host", ID: 3, Tool: "host_error", Call: c.call, Status: incident.Refused, Summary: c.summary, Ended: &began}
		if got := commands(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.summary, got, c.want)
		}
	}
}

// TestEachReasonHasItsAdvice also says that what an owner can write changes nothing.
func TestEachReasonHasItsAdvice(t *testing.T) {
	again, look := "host_error 3 -r n", "onevm show 42"
	for _, c := range []struct {
		action, detail string
		want           []string
	}{
		{"recreate", "not done in time: connection refused", []string{again}},
		{"recreate", "accepted by oned, but the VM has not left the host in time", []string{again}},
		{"recreate", "accepted by oned, but whether it happened could not be read: x", []string{look}},
		{"recreate", "still PENDING: it is BOOT_FAILURE on host 5", []string{look}},
		{"recreate", "it is BOOT_FAILURE on host 5 (node05): still PENDING", []string{look, "vm_failure 42 -r"}},
		{"recreate", "it is UNKNOWN on host 5 (FAILURE)", []string{look}},
		{"recreate", "it fell back to PROLOG_FAILURE: x", []string{look, "vm_failure 42 -r"}},
		{"recreate", "it has been MIGRATE for 10m0s", []string{look}},
		{"boot", "given up after 5 attempts within 1h", []string{look}},
		{"boot", "held for 30m0s and given up", []string{"onevm list", "onedatastore list", again}},
		{"leave", "it was migrated; repeat what failed: vm_failure 42 --retry", []string{look}},
		{"leave", "its state is not known; vm_failure 7 -d", []string{look, "onevm recover --recreate 42"}},
		{"recreate", "", []string{again}},
		{"recreate", "oned says: it is BOOT_FAILURE", []string{again}},
		{"recreate", "left the host, PENDING, but not handled", []string{again}},
	} {
		r := incident.Record{Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r", "n"}, Status: incident.Incomplete, Ended: &began,
			VMs: []incident.VM{{ID: 42, Action: c.action, Result: "incomplete", Detail: c.detail}}}
		if got := commands(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s: %q, want %q", c.action, c.detail, got, c.want)
		}
	}
}

// What became of a VM is told by its kind, whatever its text says.
func TestAdviceGoesByKind(t *testing.T) {
	for kind, want := range map[incident.Kind][]string{
		incident.KindOldHost:     {"onevm show 7"},
		incident.KindEnded:       {"onevm show 7"},
		incident.KindStuck:       {"onevm show 7"},
		incident.KindFailedAgain: {"onevm show 7", "vm_failure 7 -r"},
	} {
		r := incident.Record{Number: 12, Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r"}, Status: incident.Incomplete, Ended: &began,
			VMs: []incident.VM{{ID: 7, Action: "recreate", Result: "incomplete", Kind: kind, Detail: "so and so"}}}
		if got := commands(r); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

func TestFailingVMs(t *testing.T) {
	for _, c := range []struct {
		status incident.Status
		detail string
		want   []string
	}{
		{incident.Incomplete, "given up after 5 attempts within 1h", []string{"onevm show 42", "vm_unknown 42 --no-budget"}},
		{incident.Incomplete, "FT_MAX_ATTEMPTS is 0: x", []string{"onevm show 42", "vm_unknown 42 --no-budget"}},
		{incident.Refused, "held for 30m0s and given up: x", []string{"onevm list", "onedatastore list", "vm_unknown 42"}},
	} {
		r := incident.Record{Kind: "VM", ID: 42, Tool: "vm_unknown", Call: []string{"42"}, Status: c.status, Ended: &began,
			VMs: []incident.VM{{ID: 42, Action: "boot", Result: "incomplete", Detail: c.detail}}}
		if got := commands(r); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.detail, got, c.want)
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
	r.VMs[3].Detail = "left the host, PENDING: no room"
	if got := commands(r); !slices.Equal(got, []string{"onevm show 4"}) {
		t.Errorf("a VM is still waiting: %q", got)
	}
	r = normal()
	r.VMs[3].Result = "" // a damaged record claims too much
	if got := commands(r); !slices.Equal(got, []string{"host_error 3 -r n -p 2"}) {
		t.Errorf("a VM has no result: %q", got)
	}
}

func TestOpenSaysHowToSeeWhetherItGoesOn(t *testing.T) {
	text := strings.Join(left(open()), "\n")
	for _, want := range []string{"last event was 59 min 35 s ago", "on fe1", "tail /var/log/one/host_error.log", "onehost show 3", "oneft resume 7"} {
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
