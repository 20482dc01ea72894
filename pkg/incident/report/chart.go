package report

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
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
