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
func (v view) drawWays(all []way) *chart {
	shown := all[:min(len(all), maxLanes)]
	if len(shown) == 0 {
		return nil
	}
	from, to := period(shown)
	c := newChart("ways", "Recovery of each VM of "+v.what(), layout{Left: 150, Right: 770, Side: 782, Top: 10, height: 28, text: 19}, from, to.Sub(from))
	c.Caption = fmt.Sprintf("time since the VMs were planned, %s (%s)", v.in(from, withZone), since(from.Sub(v.Began)))
	var said []string
	for _, w := range shown {
		l := c.wayLane(w)
		said = append(said, l.Name+": "+l.Side)
		c.Lanes = append(c.Lanes, l)
	}
	c.finish(wayKey(shown))
	c.Description = fmt.Sprintf("One lane for each VM, or for VMs that went the same way at the same time; one bar for each state. %s. The table below has the states.", strings.Join(said, "; "))
	return c
}

func (c *chart) wayLane(w way) lane {
	lane := c.newLane(w.name(wayIDs), text.Short(w.ends()+", "+took(w.took()), waySides))
	for _, l := range w.legs {
		b := c.bar("hop "+string(l.phase), l.began, l.end, lane.top+c.height/2, l.phase.row().high)
		b.Text, b.TextClass, b.TextX, b.TextY = l.inside(b.Width, b.Height), string(l.phase), b.X+b.Width/2, lane.TextY
		b.Tip = fmt.Sprintf("%s: %s, from %s to %s", l.label(", ", ""), took(l.most), since(l.began.Sub(c.from)), since(l.end.Sub(c.from)))
		if b.Width > 2*barShort {
			b.Width-- // states of the same phase are apart on paper without colors, too
		}
		lane.Marks = append(lane.Marks, b)
	}
	return lane
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
			return slices.ContainsFunc(w.legs, func(l leg) bool { return l.phase == p.phase })
		}) {
			key = append(key, sample{"hop " + string(p.phase), p.key, p.high, keyBox, nil})
		}
	}
	return key
}
