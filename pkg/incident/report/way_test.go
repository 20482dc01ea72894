package report_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
	"one-ft/pkg/wording"
)

// part are the lines below a title of the timeline, up to the next empty one.
func part(r incident.Record, now time.Time, title string) []string {
	lines := report.Timeline(r, now)
	i := slices.Index(lines, title)
	if i < 0 {
		return nil
	}
	lines = lines[i+1:]
	if end := slices.Index(lines, ""); end >= 0 {
		lines = lines[:end]
	}
	return lines
}

const wayTitle = "Recovery of each VM"

// waysOnly are the elements of the drawing of the ways; none when there is no such drawing.
func waysOnly(t *testing.T, text string) []element {
	t.Helper()
	_, after, found := strings.Cut(text, `<svg role="img" aria-labelledby="ways-title`)
	if !found {
		return nil
	}
	drawing, _, _ := strings.Cut(after, "</svg>")
	return elements(t, `<svg role="img" aria-labelledby="ways-title`+drawing+"</svg>")
}

func TestWaysInWords(t *testing.T) {
	many := "VM 4, 9-12 and 18 more"
	for name, c := range map[string]struct {
		vms  []incident.VM
		want []string
	}{
		"one": {[]incident.VM{{ID: 7, Result: "done", Path: sent(began, 14, 2)}},
			[]string{"  VM 7  UNKNOWN 0.1 s > CLEANUP_RESUBMIT 1.1 s > PENDING 14 s > PROLOG 2.0 s > BOOT 1.0 s > RUNNING on host 2"}},
		"together": {[]incident.VM{{ID: 12, Result: "done", Path: sent(began, 14, 4)}, {ID: 10, Result: "done", Path: sent(began, 14.2, 2)}, {ID: 11, Result: "done", Path: sent(began, 13.9, 4)}},
			[]string{"  VM 10-12  UNKNOWN 0.1 s > CLEANUP_RESUBMIT 1.1 s > PENDING 14 s > PROLOG 2.0 s > BOOT 1.0 s > RUNNING on hosts 2, 4"}},
		"too long for a line": {[]incident.VM{{ID: 7, Result: "unproven", Path: sent(began, 1000, 2)}},
			[]string{"  VM 7  UNKNOWN 0.1 s > CLEANUP_RESUBMIT 1.1 s > PENDING 16 min 40 s > PROLOG 2.0 s > BOOT 1.0 s >", "          RUNNING on host 2 (UNPROVEN)"}},
		"deleted": {[]incident.VM{{ID: 7, Result: "done", Path: path(began, hop(0, "UNKNOWN", 3, ""), hop(2, "CLEANUP_DELETE", 3, wording.WaitCleanup), hop(3, "DONE", -1, ""))}},
			[]string{"  VM 7  UNKNOWN 2.0 s > CLEANUP_DELETE 3.0 s > DONE"}},
		"on hold by a reason of its own": {[]incident.VM{{ID: 7, Result: "incomplete", Path: path(began, hop(0, "UNKNOWN", 3, ""), hop(2, "PENDING", 3, wording.WaitOwner))}},
			[]string{"  VM 7  UNKNOWN 2.0 s > still PENDING (waits for its owner) after 59 min 58 s"}},
		"never moved":            {[]incident.VM{{ID: 7, Result: "incomplete", Path: path(began, hop(0, "UNKNOWN", 3, ""))}}, []string{"  VM 7  still UNKNOWN on host 3 after 1 h 00 min"}},
		"left":                   {[]incident.VM{{ID: 7, Result: "left", Path: path(began, hop(0, "POWEROFF", 3, ""))}}, nil},
		"of one-ft without ways": {[]incident.VM{{ID: 7, Result: "done"}, {ID: 8, Result: "incomplete"}}, nil},
		"clock set back": {[]incident.VM{{ID: 7, Result: "done", Path: path(began, hop(0, "UNKNOWN", 3, ""), hop(-30, "PENDING", 3, wording.WaitScheduler), hop(4, "RUNNING", 2, ""))}},
			[]string{"  VM 7  UNKNOWN 0 ms > PENDING 4.0 s > RUNNING on host 2"}},
		"many": {alike(slices.Concat([]int{4}, count(9, 12), count(20, 30), []int{40, 50, 52, 54, 56, 58, 60})),
			[]string{"  " + many + "  UNKNOWN 9.0 s > RUNNING on host 2"}},
	} {
		got := part(incident.Record{Kind: "host", ID: 3, Began: began, VMs: c.vms}, later(), wayTitle)
		if len(c.want) == 0 && got != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
	}
}

// count are the numbers from a to b.
func count(a, b int) (all []int) {
	for ; a <= b; a++ {
		all = append(all, a)
	}
	return all
}

// alike are VMs that went the same way.
func alike(ids []int) (all []incident.VM) {
	for _, id := range ids {
		all = append(all, incident.VM{ID: id, Result: "done", Path: path(began, hop(0, "UNKNOWN", 3, ""), hop(9, "RUNNING", 2, ""))})
	}
	return all
}

// TestProblemsAndSlowWaysComeFirst: also where not all have room, and no VM is lost.
func TestProblemsAndSlowWaysComeFirst(t *testing.T) {
	r := twoHundred()
	r.VMs[99].Result = "incomplete"
	r.VMs[150].Result = "starting"
	lines := part(r, later(), wayTitle)
	for i, want := range []string{"VM 100 ", "VM 151 ", "VM 197-200 ", "VM 193-196 "} {
		if !strings.Contains(lines[2*i], want) {
			t.Errorf("line %d is %q, want %s", 2*i, lines[2*i], want)
		}
	}
	if last := lines[len(lines)-2]; !strings.Contains(last, "VM 1-99 and 75 more ") || !strings.Contains(last, "PENDING 4.0 s to ") {
		t.Errorf("the rest is %q", last)
	}
	for i := range r.VMs { // no two have the same states
		r.VMs[i].Path[1].State = fmt.Sprint("CLEANUP_", i)
	}
	lines = part(r, later(), wayTitle)
	if last := lines[len(lines)-1]; last != "  (188 more VMs not shown here: 188 arrived after 8.2 s to 11 min 53 s)" {
		t.Errorf("the rest is %q", last)
	}
	if got := len(waysOnly(t, page(t, r, later()))); got == 0 {
		t.Error("no drawing")
	}
}

// TestLinesOfWaysFit: they are few, and narrow enough for most terminals.
func TestLinesOfWaysFit(t *testing.T) {
	for name, r := range cases() {
		lines := part(r, later(), wayTitle)
		if len(lines) > 40 {
			t.Errorf("%s: %d lines", name, len(lines))
		}
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n > 120 && name != "hostile" {
				t.Errorf("%s: %d characters: %s", name, n, line)
			}
		}
	}
}

// ofWays are incidents with ways of all kinds, by name.
func ofWays() map[string]incident.Record {
	all := map[string]incident.Record{"open": placed(7).r, "none": incomplete()}
	for _, n := range []int{1, 6, 40, 200, 1000} {
		all[strconv.Itoa(n)+" VMs"] = placed(n).end(time.Second, incident.Done, "done")
	}
	for _, name := range []string{"followed", "guessed", "stuck", "hostile"} {
		all[name] = cases()[name]
	}
	flapping := placed(40)
	for i := range flapping.r.VMs {
		for range 50 {
			flapping.r.VMs[i].Path = append(flapping.r.VMs[i].Path, path(flapping.at, hop(float64(i), "BOOT_FAILURE", 4, ""), hop(1, "BOOT", 4, wording.WaitBoot))...)
		}
	}
	all["flapping"] = flapping.end(time.Hour, incident.Incomplete, "x")
	return all
}

// TestWaysAreReadable: no text lies on another one, all are inside, bars stay in the plot, and a text in a
// bar fits into it.
func TestWaysAreReadable(t *testing.T) {
	for name, r := range ofWays() {
		t.Run(name, func(t *testing.T) {
			all := waysOnly(t, page(t, r, later()))
			if (len(all) == 0) != (name == "none") {
				t.Fatalf("%d elements", len(all))
			}
			if len(all) == 0 {
				return
			}
			var outside []element // the texts that are in no bar
			bar := element{}
			for _, e := range all {
				switch {
				case e.name == "rect":
					bar = e
					mustBeBar(t, e)
				case e.name == "text" && strings.HasPrefix(e.attr["class"], "in "):
					wide := float64(utf8.RuneCountInString(strings.TrimSpace(e.text))) * charWidth * 11 / 13
					if room := float64(atoi(t, bar.attr["width"])); wide > room {
						t.Errorf("%q is %g wide in a bar of %g", e.text, wide, room)
					}
				default:
					outside = append(outside, e)
				}
			}
			boxes, width, height := textBoxes(t, outside)
			for i, b := range boxes {
				if b.left < 0 || b.right > width || b.top < 0 || b.bottom > height {
					t.Errorf("%q is outside: %+v of %g x %g", b.text, b, width, height)
				}
				for _, c := range boxes[:i] {
					if b.overlaps(c) {
						t.Errorf("%q lies on %q: %+v %+v", b.text, c.text, b, c)
					}
				}
			}
		})
	}
}

func atoi(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Errorf("%q is no number", s)
	}
	return n
}

// mustBeBar checks that a bar of a state stays in the plot; a sample of the key has no title.
func mustBeBar(t *testing.T, e element) {
	from, wide := atoi(t, e.attr["x"]), atoi(t, e.attr["width"])
	sample := wide == 28 && from < 1000
	if wide < 3 || (from < 150 || from+wide > 770) && !sample {
		t.Errorf("%s from %d, %d wide", e.attr["class"], from, wide)
	}
}

// TestWaysSayItInWords: at most forty lanes, each with its VMs and its end beside it, a description, a
// title for each bar, and a row in the table.
func TestWaysSayItInWords(t *testing.T) {
	text := page(t, twoHundred(), later())
	all := waysOnly(t, text)
	lanes, titles, bars := 0, 0, 0
	description := ""
	for _, e := range all {
		switch {
		case e.attr["class"] == "lane":
			lanes++
		case e.attr["id"] == "ways-description":
			description = e.text
		case e.name == "title" && e.attr["id"] == "":
			titles++
		case e.name == "rect" && strings.HasPrefix(e.attr["class"], "hop "):
			bars++
		}
	}
	if lanes != 40 || titles < 6*lanes || bars != titles+6 { // and six samples in the key
		t.Errorf("%d lanes, %d bars, %d titles", lanes, bars, titles)
	}
	if !strings.Contains(description, "VM 197-200: RUNNING on hosts 4-7, 12 min 23 s;") {
		t.Errorf("the description is %q", description)
	}
	for _, want := range []string{"PENDING: 12 min 19 s, from +1.2 s to +740 s", "<td class=\"whole\">VM 1-40</td>", "PENDING 4.0 s to 2 min 19 s"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
}

// TestWaitsAreDrawn: each has its class, and what is not implied by the state its words.
func TestWaitsAreDrawn(t *testing.T) {
	text := page(t, followed(), began.Add(5*time.Minute))
	for _, class := range []string{"before", "cleanup", "scheduler", "room", "owner", "disks", "boot", "arrived"} {
		if !strings.Contains(text, `<rect class="hop `+class+`"`) || !strings.Contains(text, "svg .hop."+class+" {") {
			t.Errorf("no %s is drawn, or it has no color", class)
		}
	}
	for _, want := range []string{"PENDING, no room: 1 min 41 s", "waits for a reason of a later version", ">still HOLD, 2 min 12 s</text>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if failed := page(t, stuck(), later()); !strings.Contains(failed, `<rect class="hop failed"`) {
		t.Error("a failure is not drawn")
	}
}

// TestOldRecordsHaveNoWays: neither on the page nor as text.
func TestOldRecordsHaveNoWays(t *testing.T) {
	for _, r := range []incident.Record{normal(), incomplete(), open(), oneVM(), {}} {
		if text := page(t, r, later()) + strings.Join(report.Timeline(r, later()), "\n"); strings.Contains(text, wayTitle) || strings.Contains(text, "xpected") {
			t.Errorf("%s has ways or a forecast", r.Status)
		}
	}
}
