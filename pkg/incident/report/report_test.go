package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as in %s; if that is right: go test ./pkg/incident/report -update\n%s", name, path, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + strings.Join(w[min(i, len(w)):min(i+1, len(w))], "")
		}
	}
	return "it ends too early"
}

func page(t *testing.T, r incident.Record, now time.Time) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, r, now); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for name, r := range cases() {
		t.Run(name, func(t *testing.T) {
			rows := report.Table([]incident.Record{r}, later())
			golden(t, name, strings.Join(rows[1], " | ")+"\n\n"+strings.Join(report.Timeline(r, later()), "\n")+"\n")
		})
	}
	for _, name := range []string{"incomplete", "vm", "hostile", "empty", "followed", "guessed"} {
		t.Run(name+" page", func(t *testing.T) { golden(t, name+".html", page(t, cases()[name], later())) })
	}
}

func TestTimesAreOfTheReader(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	r := cameBack()
	if row := report.Table([]incident.Record{r}, later().In(zone))[1]; row[2] != "2026-03-01 23:10:04" {
		t.Errorf("the list says %s", row[2])
	}
	lines := strings.Join(report.Timeline(r, later().In(zone)), "\n")
	for _, want := range []string{"2026-03-01 23:10:04 CET", "23:11:39  +95 s"} {
		if !strings.Contains(lines, want) {
			t.Errorf("the timeline has no %s:\n%s", want, lines)
		}
	}
	if html := page(t, r, later().In(zone)); !strings.Contains(html, ">23:11:39</td>") || !strings.Contains(html, "times in CET") {
		t.Error("the page is not in CET")
	} else if strings.Contains(html, "22:11:39") || strings.Contains(html, "22:10:04") {
		t.Error("a part of the page is not in CET")
	}
}

func TestLongIncidentsHaveDates(t *testing.T) {
	r := cameBack()
	ended := began.Add(25 * time.Hour)
	r.Ended, r.Events[2].At = &ended, ended
	if lines := strings.Join(report.Timeline(r, later()), "\n"); !strings.Contains(lines, "    2026-03-02 23:10:04  +90000 s") {
		t.Errorf("no date:\n%s", lines)
	}
	if !strings.Contains(page(t, r, later()), ">2026-03-02 23:10:04</td>") {
		t.Error("the page has no date")
	}
}

func TestTableHasAHeaderAndShortPrintableCells(t *testing.T) {
	var all []incident.Record
	for _, r := range cases() {
		all = append(all, r)
	}
	rows := report.Table(all, later())
	if want := []string{"INCIDENT", "WHAT", "BEGAN", "TOOK", "STATUS", "VMS", "SUMMARY"}; !slices.Equal(rows[0], want) {
		t.Errorf("the header is %q", rows[0])
	}
	if len(rows) != len(all)+1 {
		t.Fatalf("%d rows for %d records", len(rows), len(all))
	}
	for _, row := range rows {
		if len(row) != len(rows[0]) {
			t.Errorf("%d cells: %q", len(row), row)
		}
		for i, cell := range row {
			mustBePrintable(t, cell)
			if n := utf8.RuneCountInString(cell); n > 130 && i != len(row)-1 || n > 1001 {
				t.Errorf("a cell of %d characters: %s", n, cell)
			}
		}
	}
}

func mustBePrintable(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			t.Errorf("%q is not printable in %.200q", r, s)
			return
		}
	}
}

// TestReasonIsWhole: why an incident was refused is never cut off, neither in the list, nor in what goes on, nor where one is shown.
func TestReasonIsWhole(t *testing.T) {
	r := cases()["unfenced"]
	r.Summary = "fencing failed, and nothing was touched: " + strings.Repeat("level 1 (bmc), fence_ipmilan 10.0.0.11: connection timed out; ", 8) + "THE END"
	now := r.Ended.Add(time.Second)
	for what, got := range map[string]string{
		"list": report.Table([]incident.Record{r}, now)[1][6], "live": strings.Join(report.Live([]incident.Record{r}, now), "\n"), "show": strings.Join(report.Timeline(r, now), "\n"),
	} {
		if !strings.Contains(got, r.Summary) {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// TestTimelineIsReadable: whatever happened, it is about a hundred lines that fit.
func TestTimelineIsReadable(t *testing.T) {
	all := cases()
	all["resumed often"] = resumedOften()
	all["all different"] = allDifferent()
	all["busy everywhere"] = busy()
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			lines := report.Timeline(r, later())
			if len(lines) > 100 {
				t.Errorf("%d lines", len(lines))
			}
			for _, line := range lines {
				mustBePrintable(t, line)
				if n := utf8.RuneCountInString(line); n > 340 && !strings.Contains(line, "host_error") && !strings.HasPrefix(line, "  Summary: ") && !strings.HasPrefix(line, "  Proof: ") {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
		})
	}
}

// resumedOften is an incident whose process was killed again and again.
func resumedOften() incident.Record {
	s := newStory(13, "host", 3, "node03", "host_error", "3", "-r")
	for range 50 {
		s.say(time.Second, incident.StepTold, -1, "info", "again")
		s.say(time.Second, incident.StepFence, -1, "problem", "killed")
	}
	return s.end(time.Second, incident.Failed, "killed")
}

// busy is an incident with much to say in many steps, and with a clock that was set back.
func busy() incident.Record {
	s := newStory(13, "host", 3, "node03", "host_error", "3", "-r")
	for i := range 12 {
		for range 50 {
			s.say(time.Second, []incident.Step{incident.StepAct, incident.StepVerify}[i%2], -1, "info", "at %s", s.at)
		}
	}
	return s.end(-2*time.Hour, incident.Failed, "killed")
}

// allDifferent is an incident where no two VMs share anything.
func allDifferent() incident.Record {
	s := watched().recovered(1000, time.Millisecond, nil)
	details := []string{"still PENDING: ", "it is BOOT_FAILURE on host ", "it has been ", "given up after ", "held for ", "other ", "leave: ", "vm_failure "}
	for i := range s.r.VMs {
		word := strings.Repeat("x", i+1)
		s.r.Events[len(s.r.Events)-1-i].Text = word
		s.r.VMs[i].Result, s.r.VMs[i].Detail = "incomplete", details[i%len(details)]+word
		if i%3 == 0 {
			s.r.VMs[i].Action = "leave"
		}
	}
	return s.end(time.Second, incident.Incomplete, "all of them")
}

// TestLinesOfManyVMsAreKept: where not all lines have room, those stay that are bad or
// stand for most VMs.
func TestLinesOfManyVMsAreKept(t *testing.T) {
	lines := strings.Join(report.Timeline(thousand(), later()), "\n")
	for _, want := range []string{
		"VM 1, 2, 3, 4, 5, 6, 7, 8 and 992 more: recreate: accepted", "and 91 more: recreate: incomplete: accepted by oned, but VM N has not left",
		"recreate: done: running on host 6", "more lines not shown here", "VMs that were not handled\n  VM 100, 109, 118",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is missing in\n%s", want, lines)
		}
	}
}

func TestLeftOutStepsAreCounted(t *testing.T) {
	if lines := report.Timeline(resumedOften(), later()); !slices.Contains(lines, "  (89 more steps not shown here)") {
		t.Errorf("nothing says that steps are left out: %q", lines)
	}
}

func TestHTMLReportsWhenItCannotBeWritten(t *testing.T) {
	broken := errors.New("disk full")
	if err := report.HTML(failing{broken}, cameBack(), later()); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
