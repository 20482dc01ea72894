package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// chart is a drawing of lanes along an axis of times, in units of its viewBox. Names of lanes stand in a column on the left
// and how they ended in one on the right, and only marks stand between them, so no text can lie on another one however short
// or long an incident is.
type chart struct {
	left, right int // the ends of the axis
	side        int // where the column on the right begins
	top         int
	height      int // of a lane
	text        int // below the top of a lane
	from        time.Time
	span        time.Duration
	lanes       int
	drawn       markup // the lanes
}

const (
	chartWidth = 1120 // as wide as the page
	axisHeight = 44   // labels of the axis and what it counts
	labelSpace = 86   // the least distance of two labels of the axis; "120 min" needs 50
	barShort   = 3    // what took no time can still be seen
	keyText    = 8.4  // units of a character in the key, of 13 px
	keyRow     = 22
	keyBox     = 28 // a sample in the key, and the room behind it
	keyBehind  = 8
	keyApart   = 20
)

// x is where a time is drawn. Times outside, which a clock that was set makes, are drawn at the edge.
func (c *chart) x(at time.Time) int {
	share := min(max(at.Sub(c.from).Seconds()/max(c.span, time.Second).Seconds(), 0), 1)
	return c.left + int(share*float64(c.right-c.left)+0.5)
}

// bottom is the end of the last lane, and the top of the next one.
func (c *chart) bottom() int { return c.top + c.height*c.lanes }

// lane draws the next lane.
func (c *chart) lane(name, side string, draw func(top int)) {
	top := c.bottom()
	c.lanes++
	c.drawn.put("<g>\n")
	c.drawn.line("grid", 0, c.bottom(), chartWidth, c.bottom())
	c.drawn.label("lane", 4, top+c.text, false, name)
	c.drawn.label("side", c.side, top+c.text, false, side)
	draw(top)
	c.drawn.put("</g>\n")
}

// between is where a bar from one time to another begins, and how wide it is.
func (c *chart) between(from, to time.Time) (x, wide int) {
	x = c.x(from)
	wide = max(c.x(to)-x, barShort)
	return min(x, c.right-wide), wide
}

// triangle and diamond differ in shape, not only in color.
func triangle(x, y int) string { return fmt.Sprintf("%d,%d %d,%d %d,%d", x, y-7, x+6, y+5, x-6, y+5) }

func diamond(x, y int) string {
	return fmt.Sprintf("%d,%d %d,%d %d,%d %d,%d", x, y-8, x+7, y, x, y+8, x-7, y)
}

// sample explains a kind of mark in the key.
type sample struct {
	class, text string
	high, wide  int
	points      func(x, y int) string // nil for a rectangle
}

// svg is the whole drawing: the lanes on their axis, and the key below them.
func (c *chart) svg(id, title, description, caption string, samples []sample) own {
	var m, key markup
	bottom := c.bottom()
	height := key.key(bottom+axisHeight+keyRow/2, samples)
	m.put(`<svg role="img" aria-labelledby="%s-title %s-description" viewBox="0 0 %d %d" width="%d" height="%d">
<title id="%s-title">%s</title>
<desc id="%s-description">%s</desc>
`, id, id, chartWidth, height, chartWidth, height, id, title, id, description)
	span, most := max(c.span, time.Second), (c.right-c.left)/labelSpace
	step := axisStep(span, most)
	for n := 0; n <= most && time.Duration(n)*step <= span; n++ {
		at := time.Duration(n) * step
		x := c.x(c.from.Add(at))
		m.line("grid", x, c.top, x, bottom)
		m.label("axis", x, bottom+18, true, axisLabel(at, step))
	}
	m.line("edge", c.left, bottom, c.right, bottom)
	m.label("axis", c.left, bottom+36, false, caption)
	m.put("%s<g class=\"key\">\n%s</g>\n</svg>", own(c.drawn.String()), own(key.String()))
	return own(m.String())
}

// key draws the key at a height, and says where it ends.
func (m *markup) key(y int, samples []sample) int {
	x := 4
	for _, s := range samples {
		wide := keyBox + keyBehind + int(float64(utf8.RuneCountInString(s.text))*keyText)
		if x+wide > chartWidth {
			x, y = 4, y+keyRow
		}
		if s.points != nil {
			m.polygon(s.class, s.points(x+keyBox/2, y), "")
		} else {
			m.rect(s.class, x, y-s.high/2, s.wide, s.high, "")
		}
		m.label("axis", x+keyBox+keyBehind, y+4, false, s.text)
		x += wide + keyApart
	}
	return y + keyRow/2
}

// axisStep is the smallest round step that makes at most that many parts of a span.
func axisStep(span time.Duration, most int) time.Duration {
	const day = 24 * time.Hour
	steps := []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day,
	}
	for _, step := range steps {
		if span/step < time.Duration(most) {
			return step
		}
	}
	weeks := span/time.Duration(most)/(7*day) + 1
	return weeks * 7 * day
}

// axisLabel is a time in the unit of the step.
func axisLabel(at, step time.Duration) string {
	switch {
	case at == 0:
		return "0"
	case step < time.Minute:
		return strconv.FormatFloat(at.Seconds(), 'f', -1, 64) + " s"
	case step < time.Hour:
		return fmt.Sprintf("%d min", at/time.Minute)
	case step < 24*time.Hour:
		return fmt.Sprintf("%d h", at/time.Hour)
	}
	return fmt.Sprintf("%d d", at/(24*time.Hour))
}

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

const (
	wayIDs   = 17  // characters of the column on the left
	waySides = 39  // and of that on the right, before an ellipsis
	inText   = 7.2 // units of a character in a bar: 0.64 em of 11 px
	inHigh   = 12  // the least height of a bar with a text
)

// drawWays draws a lane for each of the first ways, with a bar for each state.
func (v view) drawWays(all []way) own {
	shown := all[:min(len(all), maxLanes)]
	from, to := period(shown)
	c := &chart{left: 150, right: 770, side: 782, top: 10, height: 28, text: 19, from: from, span: to.Sub(from)}
	var said []string
	for _, w := range shown {
		name, side := w.name(wayIDs), text.Short(w.ends()+", "+took(w.took()), waySides)
		said = append(said, name+": "+side)
		c.lane(name, side, func(top int) { c.drawWay(top, w) })
	}
	description := fmt.Sprintf("One lane for each VM, or for VMs that went the same way at the same time; one bar for each state. %s. The table below has the states.", strings.Join(said, "; "))
	caption := fmt.Sprintf("time since the VMs were planned, %s (%s)", v.in(from, withZone), since(from.Sub(v.Began)))
	return c.svg("ways", "Recovery of each VM of "+v.what(), description, caption, wayKey(shown))
}

func (c *chart) drawWay(top int, w way) {
	for _, l := range w.legs {
		x, wide := c.between(l.began, l.end)
		inside, middle := l.inside(wide, l.phase.high), x+wide/2
		if wide > 2*barShort {
			wide-- // states of the same phase are apart on paper without colors, too
		}
		tip := fmt.Sprintf("%s: %s, from %s to %s", l.label(", ", ""), took(l.most), since(l.began.Sub(c.from)), since(l.end.Sub(c.from)))
		c.drawn.rect("hop "+l.phase.class, x, top+c.height/2-l.phase.high/2, wide, l.phase.high, tip)
		if inside != "" {
			c.drawn.label("in "+l.phase.class, middle, top+c.text, true, inside)
		}
	}
}

// inside is the longest text for a bar that has room in it.
func (l leg) inside(width, high int) string {
	if high < inHigh {
		return ""
	}
	first, _, _ := strings.Cut(l.state, "_")
	choice := []string{l.state, first}
	if waits := l.waiting(); waits != "" {
		choice = []string{l.label(", ", ""), waits, l.state, first}
	}
	for _, inside := range choice {
		if float64(utf8.RuneCountInString(inside))*inText+8 <= float64(width) {
			return inside
		}
	}
	return ""
}

// wayKey explains the phases that were drawn.
func wayKey(shown []way) (key []sample) {
	for _, p := range phases {
		if slices.ContainsFunc(shown, func(w way) bool {
			return slices.ContainsFunc(w.legs, func(l leg) bool { return l.phase == p })
		}) {
			key = append(key, sample{"hop " + p.class, p.key, p.high, keyBox, nil})
		}
	}
	return key
}
