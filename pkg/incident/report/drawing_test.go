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

// drawn are incidents of 1, 40 and 1000 VMs that took from nothing to a month, with
// warnings and problems everywhere.
func drawn() map[string]incident.Record {
	all := map[string]incident.Record{}
	for _, n := range []int{1, 40, 1000} {
		for _, span := range []time.Duration{0, time.Second, 9 * time.Second, 33 * time.Second, 10 * time.Minute, 2 * time.Hour, 23 * time.Hour, 720 * time.Hour} {
			all[fmt.Sprintf("%d VMs, %s", n, span)] = spread(n, span)
		}
	}
	return all
}

// spread is an incident whose events are spread evenly over a time.
func spread(n int, span time.Duration) incident.Record {
	s := newStory(20, "host", 3, "node03", "host_error", "3", "-r", "n")
	steps := []incident.Step{incident.StepConfirm, incident.StepGuard, incident.StepOpinion, incident.StepFence, incident.StepPlan}
	gap := span / time.Duration(len(steps)+2*n+2)
	s.say(0, incident.StepTold, -1, "info", "oned says ERROR")
	for i, step := range steps {
		s.say(gap, step, -1, []wording.Level{wording.Info, wording.Warning, wording.Problem}[i%3], "%s", step)
	}
	s.say(gap, "a step of a later version", -1, "warning", "what is this")
	for i := range n {
		s.say(gap, incident.StepAct, i, "info", "recreate: accepted by oned")
	}
	for i := range n {
		vm := incident.VM{ID: i, Name: fmt.Sprint("web", i), State: "RUNNING", Action: "recreate", Result: "done", Detail: "left the host"}
		level := wording.Info
		if i%7 == 3 {
			vm.Result, vm.Detail, level = "incomplete", "not done in time: connection refused", "problem"
		}
		s.say(gap, incident.StepVerify, i, level, "recreate: %s: %s", vm.Result, vm.Detail)
		s.r.VMs = append(s.r.VMs, vm)
	}
	r := s.end(0, incident.Incomplete, "%d VMs", n)
	ended := began.Add(span)
	r.Ended = &ended
	r.Events[len(r.Events)-1].At = ended
	return r
}

// box is where a text of the drawing is.
type box struct {
	text                     string
	left, right, top, bottom float64
}

func (b box) overlaps(c box) bool {
	return b.left < c.right && c.left < b.right && b.top < c.bottom && c.top < b.bottom
}

// charWidth is the widest average of a character at 13 px in common sans-serif fonts
// (DejaVu Sans and Verdana, digits and lower case: 0.64 em).
const charWidth = 13 * 0.64

// textBoxes are the texts of a drawing and the size of it.
func textBoxes(t *testing.T, all []element) (boxes []box, width, height float64) {
	number := func(s string) float64 {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("%q is no number", s)
		}
		return n
	}
	for _, e := range all {
		switch e.name {
		case "svg":
			width, height = number(e.attr["width"]), number(e.attr["height"])
		case "text":
			x, y := number(e.attr["x"]), number(e.attr["y"])
			text := strings.TrimSpace(e.text)
			w := float64(utf8.RuneCountInString(text)) * charWidth
			if e.attr["text-anchor"] == "middle" {
				x -= w / 2
			}
			boxes = append(boxes, box{text, x, x + w, y - 11, y + 4})
		}
	}
	return boxes, width, height
}

// TestDrawingIsReadable: whatever happened for however long, no text lies on another
// one or on a bar or mark, and everything is inside.
func TestDrawingIsReadable(t *testing.T) {
	for name, r := range drawn() {
		t.Run(name, func(t *testing.T) {
			all := elements(t, page(t, r, later()))
			boxes, width, height := textBoxes(t, all)
			if len(boxes) < 8 {
				t.Fatalf("only %d texts", len(boxes))
			}
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
			mustStayInPlot(t, all)
		})
	}
}

// mustStayInPlot checks that bars and ticks of lanes stay between the columns of text.
func mustStayInPlot(t *testing.T, all []element) {
	bars, ticks := 0, 0
	for _, e := range all {
		if e.attr["class"] == "key" {
			break
		}
		least := 3
		switch e.attr["class"] {
		case "bar":
			bars++
		case "vm":
			ticks++
			least = 1
		default:
			continue
		}
		from, wide := atoi(t, e.attr["x"]), atoi(t, e.attr["width"])
		if from < 90 || from+wide > 897 || wide < least {
			t.Errorf("%s from %d to %d", e.attr["class"], from, from+wide)
		}
	}
	if bars == 0 || ticks == 0 {
		t.Errorf("%d bars and %d ticks", bars, ticks)
	}
}

// TestAxisTimesAreRound checks the labels for short and long incidents.
func TestAxisTimesAreRound(t *testing.T) {
	for name, want := range map[string]string{
		"1 VMs, 1s": "0|0.2 s|0.4 s|0.6 s|0.8 s|1 s", "1 VMs, 2h0m0s": "0|15 min|30 min|45 min|60 min|75 min|90 min|105 min|120 min",
		"40 VMs, 33s": "0|5 s|10 s|15 s|20 s|25 s|30 s", "1 VMs, 720h0m0s": "0|7 d|14 d|21 d|28 d",
	} {
		r, known := drawn()[name]
		if !known {
			t.Fatalf("no %s", name)
		}
		boxes, _, _ := textBoxes(t, elements(t, page(t, r, later())))
		var labels []string
		for _, b := range boxes {
			if strings.HasPrefix(b.text, "time since") {
				break
			}
			labels = append(labels, b.text)
		}
		if got := strings.Join(labels, "|"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestDrawingOfClocksThatWereSet(t *testing.T) {
	r := incomplete()
	r.Events[3].At = began.AddDate(-1000, 0, 0)
	r.Events[9].At = began.AddDate(1000, 0, 0)
	mustStayInPlot(t, elements(t, page(t, r, later())))
	for _, line := range report.Timeline(r, began.AddDate(-1, 0, 0)) {
		mustBePrintable(t, line)
	}
	open := incident.Record{Kind: "host", Began: began, Status: incident.Open, Events: r.Events}
	mustStayInPlot(t, elements(t, page(t, open, began.AddDate(-5, 0, 0))))
}

// TestStepsLastUntilTheirLastEvent: also when the next one has an earlier time.
func TestStepsLastUntilTheirLastEvent(t *testing.T) {
	s := newStory(1, "host", 3, "node03", "host_error", "3", "-r")
	s.say(0, incident.StepGuard, -1, "info", "one").say(40*time.Second, incident.StepGuard, -1, "info", "two")
	s.say(-30*time.Second, incident.StepFence, -1, "info", "the clock was set back")
	r := s.end(5*time.Second, incident.Done, "done")
	lines := report.Timeline(r, later())
	for _, want := range []string{"  guard: 40 s", "  fence: 5.0 s"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is missing in %q", want, lines)
		}
	}
}
