package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/wording"
)

// waits is a VM that waits for something for a minute.
func waits(id int, result string, state string, wait wording.Wait) incident.VM {
	return incident.VM{ID: id, Action: "recreate", Result: result, Path: path(later().Add(-61*time.Second), hop(0, "UNKNOWN", 3, ""), hop(1, state, 3, wait))}
}

// TestEachWaitHasItsAdvice: while it is followed, and after it was given up; no text of the VM matters.
func TestEachWaitHasItsAdvice(t *testing.T) {
	for _, c := range []struct {
		state  string
		wait   wording.Wait
		proven bool
		want   []string
	}{
		{"PENDING", wording.WaitRoom, true, []string{"onehost list", "onevm show 7"}},
		{"HOLD", wording.WaitOwner, true, []string{"onevm release 7"}},
		{"PENDING", wording.WaitScheduler, true, []string{"systemctl status opennebula-scheduler opennebula", "tail /var/log/one/sched.log"}},
		{"CLEANUP_RESUBMIT", wording.WaitCleanup, true, []string{"onevm show 7"}},
		{"CLEANUP_RESUBMIT", wording.WaitCleanup, false, []string{"oneft resume 9 --confirm-off"}},
		{"PROLOG", wording.WaitDisks, true, []string{"onevm show 7"}},
		{"BOOT", wording.WaitBoot, true, []string{"onevm show 7"}},
		{"PENDING", "a reason of a later version", true, []string{"onevm show 7"}},
	} {
		r := incident.Record{Number: 9, Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r"}, Began: began, Status: incident.Following, Proven: c.proven}
		r.VMs = []incident.VM{waits(7, "starting", c.state, c.wait)}
		r.VMs[0].Detail = "given up after 5 attempts; it is BOOT_FAILURE"
		want := append([]string{"oneft resume 9"}, c.want...)
		if got := commands(r); !slices.Equal(got[len(got)-len(want):], want) {
			t.Errorf("%s: %q, want %q", c.wait, got, want)
		}
		if text := strings.Join(left(r), "\n"); !strings.Contains(text, "VM 7, since 23:09:04 (1 min 00 s): ") {
			t.Errorf("%s: since when is not said:\n%s", c.wait, text)
		}
		if c.wait == "a reason of a later version" {
			continue
		}
		r.Status, r.Ended, r.VMs[0].Result, r.Proven = incident.Incomplete, &r.VMs[0].Path[1].At, "incomplete", c.proven
		if got, want := commands(r), append(slices.Clone(c.want), "oneft resume 9"); !slices.Equal(got, want) {
			t.Errorf("%s, given up: %q, want %q", c.wait, got, want)
		}
	}
}

// TestFollowingSaysWhoFollows: and what is running counts as recovered, not as a problem.
func TestFollowingSaysWhoFollows(t *testing.T) {
	r := followed()
	if text := strings.Join(left(r), "\n"); !strings.HasPrefix(text, "  - Recovered 38, 8 still starting. One process follows") || !strings.Contains(text, "oneft resume 7") {
		t.Errorf("left is:\n%s", text)
	}
	if lines := report.Timeline(r, later()); slices.Contains(lines, "VMs that are not finished") {
		t.Error("VMs that are starting are listed as not finished")
	}
	text := page(t, r, later())
	for _, want := range []string{`class="status open">following<`, `<td class="result whole">still starting</td>`, "0 of 46 not handled, 8 still starting"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if strings.Contains(text, `<tr class="problem">`) {
		t.Error("a VM that is starting is marked as a problem")
	}
	r.VMs = append(r.VMs, incident.VM{ID: 90, Action: "recreate"}) // its result was not written down
	if text := strings.Join(left(r), "\n"); !strings.Contains(text, "9 still starting") || strings.Contains(text, "host_error 3") {
		t.Errorf("left is:\n%s", text)
	}
}

// TestFailedOnTheNewHost goes by the state that it was seen in, whatever the detail says.
func TestFailedOnTheNewHost(t *testing.T) {
	r := incident.Record{Number: 9, Kind: "host", ID: 3, Tool: "host_error", Call: []string{"3", "-r"}, Status: incident.Incomplete, Ended: &began, Proven: true}
	r.VMs = []incident.VM{waits(7, "incomplete", "BOOT_FAILURE", "")}
	if got, want := commands(r), []string{"onevm show 7", "vm_failure 7 -r"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestUnprovenSaysHowToMakeSure: in order, before everything else, and for every record in which a VM runs
// elsewhere without a proof.
func TestUnprovenSaysHowToMakeSure(t *testing.T) {
	want := []string{"onehost show 3", "onehost show 3", "virsh list --all", "oneft release 3", "oneft check", "host_error 3 -r n -p 2 --dry-run"}
	mixed, done, opened, running := guessed(), guessed(), guessed(), followed()
	mixed.Status, mixed.VMs[0].Result = incident.Incomplete, "incomplete"
	done.Status = incident.Done // a record that claims too much
	opened.Status, opened.Ended = incident.Open, nil
	running.Proven = false
	for name, r := range map[string]incident.Record{"unproven": guessed(), "incomplete": mixed, "done": done, "open": opened, "following": running} {
		if got := commands(r); !slices.Equal(got[:min(len(got), len(want))], want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if text := strings.Join(report.Timeline(r, later()), "\n"); !strings.Contains(text, "  Proof:      UNPROVEN: ") || strings.Contains(text, "Nothing.") {
			t.Errorf("%s: it does not say that there is no proof:\n%s", name, text)
		}
	}
	alone := guessed()
	alone.Kind, alone.ID = "VM", 42
	if got := commands(alone); !slices.Equal(got, []string{"onevm show 42"}) {
		t.Errorf("a VM: %q", got)
	}
}

// TestDeletedWithoutProof: VMs that were deleted run nowhere else, and their host stays in scheduling.
func TestDeletedWithoutProof(t *testing.T) {
	r := guessed()
	r.Host = nil
	for i := range r.VMs {
		r.VMs[i].Action, r.VMs[i].Path = "delete", nil
	}
	text := strings.Join(report.Timeline(r, later()), "\n")
	if strings.Contains(text, "elsewhere") || strings.Contains(text, "oneft release") || !strings.Contains(text, "its VMs are deleted, and nobody knows whether host 3 is off") {
		t.Errorf("left is:\n%s", text)
	}
	if html := page(t, r, later()); !strings.Contains(html, "deleted, UNPROVEN") || strings.Contains(html, "started elsewhere, UNPROVEN") {
		t.Error("the page says that they were started elsewhere")
	}
}

// TestUnprovenIsNeverGreen: neither the badge, nor the box, nor a lane, nor a row.
func TestUnprovenIsNeverGreen(t *testing.T) {
	done, proven, begun := guessed(), ranAgain(), ranAgain()
	done.Status = incident.Done
	begun.VMs[0].Result = "starting"
	for name, c := range map[string]struct {
		r     incident.Record
		class string
	}{"unproven": {guessed(), "unproven"}, "claims to be done": {done, "unproven"}, "proven": {proven, "good"}, "claims to have ended": {begun, "open"}} {
		text := page(t, c.r, later())
		for _, want := range []string{`class="status ` + c.class + `"`, `class="todo ` + c.class + `"`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is not in the page", name, want)
			}
		}
		if c.class != "unproven" {
			continue
		}
		if strings.Contains(text, `"hop arrived"`) || !strings.Contains(text, `"hop unproven"`) {
			t.Errorf("%s: a lane looks as if all were well", name)
		}
		if n := strings.Count(text, `<tr class="warning">`); n < 6 || strings.Count(text, "started elsewhere, UNPROVEN") < 6 {
			t.Errorf("%s: %d rows are marked", name, n)
		}
	}
}

// TestQuarantineAndSSH: what the outage did to the host is a fact until it is undone.
func TestQuarantineAndSSH(t *testing.T) {
	r := followed()
	lines := report.Timeline(r, later())
	for _, want := range []string{"  Quarantine: taken out of scheduling at 2026-03-01 22:10:29, give it back: oneft release 3", "  ssh:        fails at once to node03, 10.0.0.3"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing in %q", want, lines)
		}
	}
	// What was released before it was taken out once more is out.
	r.Events = append(r.Events, incident.Event{At: r.Host.Quarantined.Add(-time.Second), VM: -1, Kind: wording.Released.Name()})
	if got := commands(r); !slices.Contains(got, "oneft release 3") {
		t.Errorf("it is out of scheduling, and %q", got)
	}
	r.Events = append(r.Events, incident.Event{At: later(), VM: -1, Kind: wording.Released.Name()})
	if got := commands(r); slices.Contains(got, "oneft release 3") {
		t.Errorf("it was given back, and %q", got)
	}
	r.Kind = "VM" // a damaged record
	if got := commands(r); slices.Contains(got, "oneft release 3") {
		t.Errorf("a VM cannot be given back: %q", got)
	}
}

// TestForecastStandsBesideWhatHappened checks where the times come from.
func TestForecastStandsBesideWhatHappened(t *testing.T) {
	const title = "Expected and actual times"
	r := followed()
	r.Forecast = append(r.Forecast, incident.Stage{Name: "a stage of a later version", Seconds: 1})
	want := []string{
		"  stage         expected      took",
		"  detection     3 min 20 s    not known; oned called it failed at 2026-03-01 22:10:02",
		"  watch         20 s          20 s", "  guard         0.1 s         0.2 s", "  proof         4.0 s         4.1 s",
		"  clean-up      1.2 s         1.0 s", "  scheduling    19 s          57 min 11 s so far", "  prolog        3.0 s         none", "  boot          1.0 s         none",
		"  a stage of a later version  1.0 s         none",
		"  (clean-up to boot are those of VM 51, the slowest)",
	}
	for i := range r.VMs {
		if r.VMs[i].ID == 50 { // it began as early, and would be the slowest
			r.VMs[i].Result, r.VMs[i].Path = "left", nil
		}
	}
	if got := part(r, later(), title); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for contact, took := range map[time.Time]string{
		r.Host.Failed.Add(-200 * time.Second): "at most 3 min 20 s; oned called it failed at 2026-03-01 22:10:02",
		r.Host.Failed.Add(time.Second):        "not known; oned called it failed at 2026-03-01 22:10:02", // a clock that was set back
	} {
		host := *r.Host
		host.Contact = contact
		with := r
		with.Host = &host
		if got := part(with, later(), title); got[1] != "  detection     3 min 20 s    "+took {
			t.Errorf("last monitored at %s: %q", contact, got[1])
		}
	}
	r.VMs, r.Host, r.Events = nil, nil, nil
	got := part(r, later(), title)
	if len(got) != 11 || got[1] != "  detection     3 min 20 s    not known" || got[2] != "  watch         20 s          not done" || got[8] != "  boot          1.0 s         not known" {
		t.Errorf("with nothing: %q", got)
	}
	if text := page(t, ranAgain(), later()); !strings.Contains(text, `<tr><td class="whole">scheduling</td><td class="whole">19 s</td><td>19 s</td></tr>`) {
		t.Error("the page has no forecast")
	}
}
