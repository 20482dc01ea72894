package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
)

// The measures of the drawing, in units of its viewBox. Names of steps stand in a column
// on the left and times in one on the right, and only marks without text stand
// between them, so no text can lie on another one however short or long an incident is.
const (
	drawWidth  = 1120 // as wide as the page
	plotLeft   = 90
	plotRight  = 896
	sideText   = 914 // where the column on the right begins
	plotTop    = 14
	laneHeight = 38
	axisHeight = 44 // labels of the axis and what it counts
	keyHeight  = 30
	labelSpace = 86 // the least distance of two labels of the axis; "120 min" needs 50
	barShort   = 3  // a step that took no time can still be seen
	markSpace  = 18 // marks nearer than that become one; a diamond is 14 wide
	tickSpace  = 3  // the same for ticks
)

// drawing is a timeline as numbers for the template.
type drawing struct {
	Title, Description string
	Width, Height      int
	Left, Right        int
	PlotTop, PlotEnd   int
	AxisY, CaptionY    int
	KeyY               int
	Caption            string
	Axis               []tick
	Lanes              []lane
}

// tick is a label of the axis.
type tick struct {
	X     int
	Label string
}

// lane is a step with everything that happened in it.
type lane struct {
	Name, Side            string
	Y, Line, TextY, SideX int
	Bars                  []bar
	VMs                   []vmTick
	Marks                 []mark
}

type bar struct{ X, Y, Width, Height int }

// vmTick is one or more events of VMs.
type vmTick struct{ X, Y1, Y2 int }

// mark is one or more warnings or problems: a triangle or a diamond.
type mark struct {
	X       int
	Problem bool
	Points  string
	Tip     string
	worst   incident.Event
	times   int
}

// draw places an incident on a timeline.
func draw(r incident.Record, now time.Time) drawing {
	parts := sections(r, now)
	span := end(r, now).Sub(r.Began)
	for _, s := range parts {
		span = max(span, s.end.Sub(r.Began))
	}
	axis := scale{r.Began, max(span, time.Second), plotLeft, plotRight}

	d := drawing{
		Title: "Timeline of " + what(r), Width: drawWidth, Left: plotLeft, Right: plotRight, PlotTop: plotTop,
		Caption: "time since " + r.Began.In(now.Location()).Format(dateAndTime+" MST"), Axis: axis.ticks(),
	}
	var steps []string
	for _, name := range lanes(parts) {
		l := newLane(name, len(d.Lanes))
		var total time.Duration
		vms := map[int]bool{}
		for _, s := range parts {
			if laneOf(s.step) == name {
				l.add(s, axis)
				total += max(s.end.Sub(s.began), 0)
				for _, e := range s.events {
					vms[e.VM] = true
				}
			}
		}
		delete(vms, -1)
		l.Side = took(total)
		if len(vms) > 0 {
			l.Side += ", " + plural(len(vms), "VM")
		}
		steps = append(steps, name+" "+l.Side)
		d.Lanes = append(d.Lanes, l)
	}
	d.PlotEnd = plotTop + laneHeight*len(d.Lanes)
	d.AxisY, d.CaptionY = d.PlotEnd+18, d.PlotEnd+36
	d.KeyY = d.PlotEnd + axisHeight + keyHeight/2
	d.Height = d.PlotEnd + axisHeight + keyHeight
	d.Description = fmt.Sprintf("One bar for each time that a step was worked on. The incident took %s. Steps: %s.", lasted(r, now), strings.Join(steps, "; "))
	return d
}

// knownSteps are the steps in their order.
func knownSteps() []incident.Step {
	return []incident.Step{incident.StepTold, incident.StepConfirm, incident.StepGuard, incident.StepOpinion,
		incident.StepFence, incident.StepPlan, incident.StepAct, incident.StepVerify, incident.StepEnd}
}

// laneOf is the lane of a step. Steps of a later version share one.
func laneOf(step incident.Step) string {
	if slices.Contains(knownSteps(), step) {
		return string(step)
	}
	return "other"
}

// lanes are the names of the lanes that are needed, in the order of the steps.
func lanes(parts []section) []string {
	var names []string
	for _, step := range append(knownSteps(), "other") {
		if slices.ContainsFunc(parts, func(s section) bool { return laneOf(s.step) == string(step) }) {
			names = append(names, string(step))
		}
	}
	return names
}

func newLane(name string, n int) lane {
	y := plotTop + n*laneHeight
	return lane{Name: name, Y: y, Line: y + laneHeight, TextY: y + 20, SideX: sideText}
}

// add draws a part of the work into its lane.
func (l *lane) add(s section, axis scale) {
	from, to := axis.x(s.began), axis.x(s.end)
	width := max(to-from, barShort)
	l.Bars = append(l.Bars, bar{min(from, plotRight-width), l.Y + 9, width, 12})
	for _, e := range s.events {
		at := axis.x(e.At)
		if e.VM >= 0 && !slices.ContainsFunc(l.VMs, func(t vmTick) bool { return apart(t.X, at) < tickSpace }) {
			l.VMs = append(l.VMs, vmTick{at, l.Y + 24, l.Y + 33})
		}
		if severity(e.Level) < severity("") {
			l.mark(e, at)
		}
	}
}

// apart is the distance of two positions.
func apart(a, b int) int { return max(a-b, b-a) }

// mark adds a warning or a problem, or counts it where another one is already.
func (l *lane) mark(e incident.Event, x int) {
	i := slices.IndexFunc(l.Marks, func(m mark) bool { return apart(m.X, x) < markSpace })
	if i < 0 {
		i = len(l.Marks)
		l.Marks = append(l.Marks, mark{X: x, worst: e})
	}
	m := &l.Marks[i]
	m.times++
	if severity(e.Level) < severity(m.worst.Level) {
		m.worst = e
	}
	m.Problem = m.worst.Level == levelProblem
	m.Tip = short(m.worst.Level, maxName) + ": " + short(m.worst.Text, maxLine)
	if m.times > 1 {
		m.Tip += fmt.Sprintf(" (and %d more)", m.times-1)
	}
	y := l.Y + 15
	m.Points = fmt.Sprintf("%d,%d %d,%d %d,%d", m.X, y-7, m.X+6, y+5, m.X-6, y+5)
	if m.Problem {
		m.Points = fmt.Sprintf("%d,%d %d,%d %d,%d %d,%d", m.X, y-8, m.X+7, y, m.X, y+8, m.X-7, y)
	}
}
