package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/text"
)

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
