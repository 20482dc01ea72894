package report

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// chart is a drawing of lanes along an axis of times, as numbers for the template, in units of its viewBox. Names
// of lanes stand in a column on the left and how they ended in one on the right, and only marks stand between
// them, so no text can lie on another one however short or long an incident is.
type chart struct {
	layout
	ID, Title, Description, Caption string
	Width, Height, Bottom           int
	AxisY, CaptionY                 int
	Axis                            []tick
	Lanes                           []lane
	Key                             []mark
	from                            time.Time
	span                            time.Duration
}

// layout is where things stand in a chart.
type layout struct {
	Left, Right int // the ends of the axis
	Side        int // where the column on the right begins
	Top         int
	height      int // of a lane
	text        int // below the top of a lane
}

// tick is a label of the axis.
type tick struct {
	X     int
	Label string
}

// lane is one line of a chart.
type lane struct {
	Name, Side    string
	TextY, Bottom int
	Marks         []mark
	top           int
}

// mark is a rectangle, or a polygon if it has points. Its text stands in it, or in the key behind it.
type mark struct {
	Class               string
	X, Y, Width, Height int
	Points              string
	Tip                 string
	Text, TextClass     string
	TextX, TextY        int
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

func newChart(id, title string, l layout, from time.Time, span time.Duration) *chart {
	c := &chart{ID: id, Title: title, layout: l, Width: chartWidth, from: from, span: max(span, time.Second)}
	most := (c.Right - c.Left) / labelSpace
	step := axisStep(c.span, most)
	for at := time.Duration(0); at <= c.span && len(c.Axis) <= most; at += step {
		c.Axis = append(c.Axis, tick{c.x(from.Add(at)), axisLabel(at, step)})
	}
	return c
}

// x is where a time is drawn. Times outside, which a clock that was set makes, are drawn at the edge.
func (c *chart) x(at time.Time) int {
	share := min(max(at.Sub(c.from).Seconds()/c.span.Seconds(), 0), 1)
	return c.Left + int(share*float64(c.Right-c.Left)+0.5)
}

// newLane is the next lane.
func (c *chart) newLane(name, side string) lane {
	top := c.Top + c.height*len(c.Lanes)
	return lane{Name: name, Side: side, top: top, TextY: top + c.text, Bottom: top + c.height}
}

// bar is a rectangle from one time to another, around a height.
func (c *chart) bar(class string, from, to time.Time, middle, high int) mark {
	left := c.x(from)
	width := max(c.x(to)-left, barShort)
	return mark{Class: class, X: min(left, c.Right-width), Y: middle - high/2, Width: width, Height: high}
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

// finish draws what stands below the lanes.
func (c *chart) finish(samples []sample) {
	c.Bottom = c.Top + c.height*len(c.Lanes)
	c.AxisY, c.CaptionY = c.Bottom+18, c.Bottom+36
	x, y := 4, c.Bottom+axisHeight+keyRow/2
	for _, s := range samples {
		wide := keyBox + keyBehind + int(float64(utf8.RuneCountInString(s.text))*keyText)
		if x+wide > chartWidth {
			x, y = 4, y+keyRow
		}
		m := mark{Class: s.class, X: x, Y: y - s.high/2, Width: s.wide, Height: s.high, Text: s.text, TextX: x + keyBox + keyBehind, TextY: y + 4}
		if s.points != nil {
			m.Points = s.points(x+keyBox/2, y)
		}
		c.Key = append(c.Key, m)
		x += wide + keyApart
	}
	c.Height = y + keyRow/2
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
