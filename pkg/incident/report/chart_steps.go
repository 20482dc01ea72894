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

// drawSteps draws a lane for each step: a bar for each time that it was worked on, with its warnings and problems, and below
// it the events of VMs.
func (v view) drawSteps() own {
	parts := v.sections()
	span := v.end().Sub(v.Began)
	for _, s := range parts {
		span = max(span, s.end.Sub(v.Began))
	}
	c := &chart{left: 90, right: 896, side: 914, top: 14, height: 38, text: 20, from: v.Began, span: span}
	var steps []string
	for _, name := range append(incident.Steps(), "other") { // which steps of a later version share
		worked := slices.DeleteFunc(slices.Clone(parts), func(s section) bool {
			return s.step != name && (name != "other" || slices.Contains(incident.Steps(), s.step))
		})
		if len(worked) > 0 {
			side := summary(worked)
			steps = append(steps, string(name)+" "+side)
			c.lane(string(name), side, func(top int) { c.drawStep(top, worked) })
		}
	}
	description := fmt.Sprintf("One bar for each time that a step was worked on. The incident took %s. Steps: %s.", v.lasted(), strings.Join(steps, "; "))
	return c.svg("drawing", "Timeline of "+v.what(), description, "time since "+v.in(v.Began, withZone), []sample{
		{"bar", "work on a step", barHigh, keyBox, nil}, {"vm", "events of VMs", tickHigh, 1, nil},
		{string(wording.Warning), "warning", 0, 0, triangle}, {string(wording.Problem), "problem", 0, 0, diamond},
	})
}

// summary is how long a step was worked on, and on how many VMs.
func summary(worked []section) string {
	var total time.Duration
	vms := map[int]bool{}
	for _, s := range worked {
		total += s.took()
		for _, e := range s.events {
			if e.VM >= 0 {
				vms[e.VM] = true
			}
		}
	}
	if len(vms) == 0 {
		return took(total)
	}
	return took(total) + ", " + text.Plural(len(vms), "VM")
}

// drawStep draws everything that happened in a step.
func (c *chart) drawStep(top int, worked []section) {
	for _, s := range worked {
		x, wide := c.between(s.began, s.end)
		c.drawn.rect("bar", x, top+15-barHigh/2, wide, barHigh, "")
	}
	var ticks []int
	var bad []spot
	for _, s := range worked {
		for _, e := range s.events {
			x := c.x(e.At)
			if e.VM >= 0 && !slices.ContainsFunc(ticks, func(t int) bool { return apart(t, x) < tickSpace }) {
				ticks = append(ticks, x)
				c.drawn.rect("vm", x, top+24, 1, tickHigh, "")
			}
			if isBad(e) {
				bad = addSpot(bad, e, x)
			}
		}
	}
	for _, s := range bad {
		c.drawSpot(s, top+15)
	}
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

func (c *chart) drawSpot(s spot, y int) {
	shape, level := triangle, string(s.worst.Level)
	if s.worst.Level == wording.Problem {
		shape = diamond
	}
	tip := level + ": " + text.Short(s.worst.Text, maxLine)
	if s.times > 1 {
		tip += fmt.Sprintf(" (and %d more)", s.times-1)
	}
	c.drawn.polygon(level, shape(s.x, y), tip)
}

// apart is the distance of two positions.
func apart(a, b int) int { return max(a-b, b-a) }
