package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

const (
	barHigh   = 12
	tickHigh  = 9
	tickSpace = 3  // ticks nearer than that become one
	markSpace = 18 // the same for warnings and problems; a diamond is 14 wide
)

// drawSteps draws a lane for each step: a bar for each time that it was worked on, with its warnings and problems, and
// below it the events of VMs.
func (v view) drawSteps() *chart {
	parts := v.sections()
	span := v.end().Sub(v.Began)
	for _, s := range parts {
		span = max(span, s.end.Sub(v.Began))
	}
	c := newChart("drawing", "Timeline of "+v.what(), layout{Left: 90, Right: 896, Side: 914, Top: 14, height: 38, text: 20}, v.Began, span)
	c.Caption = "time since " + v.in(v.Began, withZone)
	var steps []string
	for _, name := range append(incident.Steps(), "other") { // which steps of a later version share
		worked := slices.DeleteFunc(slices.Clone(parts), func(s section) bool {
			return s.step != name && (name != "other" || slices.Contains(incident.Steps(), s.step))
		})
		if len(worked) > 0 {
			l := c.stepLane(string(name), worked)
			steps = append(steps, l.Name+" "+l.Side)
			c.Lanes = append(c.Lanes, l)
		}
	}
	c.finish([]sample{
		{"bar", "work on a step", barHigh, keyBox, nil}, {"vm", "events of VMs", tickHigh, 1, nil},
		{string(wording.Warning), "warning", 0, 0, triangle}, {string(wording.Problem), "problem", 0, 0, diamond},
	})
	c.Description = fmt.Sprintf("One bar for each time that a step was worked on. The incident took %s. Steps: %s.", v.lasted(), strings.Join(steps, "; "))
	return c
}

// stepLane is the lane of a step with everything that happened in it.
func (c *chart) stepLane(name string, worked []section) lane {
	l := c.newLane(name, "")
	var total time.Duration
	vms := map[int]bool{}
	var bars, ticks []mark
	var bad []spot
	for _, s := range worked {
		total += s.took()
		bars = append(bars, c.bar("bar", s.began, s.end, l.top+15, barHigh))
		for _, e := range s.events {
			x := c.x(e.At)
			if e.VM >= 0 {
				vms[e.VM] = true
				if !slices.ContainsFunc(ticks, func(t mark) bool { return apart(t.X, x) < tickSpace }) {
					ticks = append(ticks, mark{Class: "vm", X: x, Y: l.top + 24, Width: 1, Height: tickHigh})
				}
			}
			if isBad(e) {
				bad = addSpot(bad, e, x)
			}
		}
	}
	l.Side = took(total)
	if len(vms) > 0 {
		l.Side += ", " + text.Plural(len(vms), "VM")
	}
	l.Marks = append(bars, ticks...)
	for _, s := range bad {
		l.Marks = append(l.Marks, s.mark(l.top+15))
	}
	return l
}

// spot is one or more warnings or problems in one place.
type spot struct {
	x     int
	worst incident.Event
	times int
}

// addSpot adds a warning or a problem, or counts it where another one is already.
func addSpot(all []spot, e incident.Event, x int) []spot {
	i := slices.IndexFunc(all, func(s spot) bool { return apart(s.x, x) < markSpace })
	if i < 0 {
		return append(all, spot{x, e, 1})
	}
	all[i].times++
	if severity(e.Level) < severity(all[i].worst.Level) {
		all[i].worst = e
	}
	return all
}

func (s spot) mark(y int) mark {
	level := string(s.worst.Level)
	m := mark{Class: level, Points: triangle(s.x, y), Tip: level + ": " + text.Short(s.worst.Text, maxLine)}
	if s.worst.Level == wording.Problem {
		m.Points = diamond(s.x, y)
	}
	if s.times > 1 {
		m.Tip += fmt.Sprintf(" (and %d more)", s.times-1)
	}
	return m
}

// apart is the distance of two positions.
func apart(a, b int) int { return max(a-b, b-a) }
