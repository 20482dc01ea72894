package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
)

// The measures of the drawing of the ways, in units of its viewBox. As in the drawing of the steps, names
// stand in a column on the left and how it ended in one on the right.
const (
	wayLeft   = 150
	wayRight  = 770
	waySide   = 782
	wayTop    = 10
	wayLane   = 28
	wayIDs    = 17  // characters of the column on the left
	waySides  = 40  // and of that on the right
	maxLanes  = 40  // ways that are drawn
	hopShort  = 3   // a state that took no time can still be seen
	inText    = 7.2 // units of a character in a bar: 0.64 em of 11 px
	keyText   = 8.4 // and of one in the key, of 13 px
	keyRow    = 22
	keyBox    = 28 // a sample in the key, and the room behind it
	keyBehind = 8
	keyApart  = 20
)

// wayDrawing are the ways of the VMs, as numbers for the template.
type wayDrawing struct {
	Title, Description string
	Width, Height      int
	Left, Right        int
	PlotTop, PlotEnd   int
	AxisY, CaptionY    int
	SideX              int
	Caption            string
	Axis               []tick
	Lanes              []wayLaneRow
	Key                []keyItem
}

// wayLaneRow is one way.
type wayLaneRow struct {
	Name, Side  string
	Line, TextY int
	Bars        []wayBar
}

// wayBar is one state. Text is what has room in it, or nothing.
type wayBar struct {
	Class               string
	X, Y, Width, Height int
	Text, Tip           string
	TextX               int
}

// keyItem explains a phase.
type keyItem struct {
	Class           string
	X, Y, Height    int
	TextX, TextY, W int
	Text            string
}

// wayRow is a way in words.
type wayRow struct {
	Name, Took, Way, Result string
	Class                   string
}

// drawWays places the first ways on a time line.
func drawWays(r incident.Record, all []way, now time.Time) wayDrawing {
	shown := all[:min(len(all), maxLanes)]
	if len(shown) == 0 {
		return wayDrawing{}
	}
	axis := wayScale(shown)
	d := wayDrawing{
		Title: "Recovery of each VM of " + what(r), Width: drawWidth, Left: wayLeft, Right: wayRight, PlotTop: wayTop, SideX: waySide, Axis: axis.ticks(),
		Caption: fmt.Sprintf("time since the VMs were planned, %s (%s)", axis.from.In(now.Location()).Format(dateAndTime+" MST"), since(axis.from.Sub(r.Began))),
	}
	var said []string
	for i, w := range shown {
		lane := newWayLane(w, i, axis)
		said = append(said, lane.Name+": "+lane.Side)
		d.Lanes = append(d.Lanes, lane)
	}
	d.PlotEnd = wayTop + wayLane*len(d.Lanes)
	d.AxisY, d.CaptionY = d.PlotEnd+18, d.PlotEnd+36
	d.Key, d.Height = wayKey(shown, d.PlotEnd+axisHeight+keyRow/2)
	d.Description = fmt.Sprintf("One lane for each VM, or for VMs that went the same way at the same time; one bar for each state. %s. The table below has the states.", strings.Join(said, "; "))
	return d
}

// wayScale is from the first plan to the end.
func wayScale(shown []way) scale {
	from, to := shown[0].legs[0].began, shown[0].last().end
	for _, w := range shown {
		if w.legs[0].began.Before(from) {
			from = w.legs[0].began
		}
		if w.last().end.After(to) {
			to = w.last().end
		}
	}
	return scale{from, max(to.Sub(from), time.Second), wayLeft, wayRight}
}

func newWayLane(w way, n int, axis scale) wayLaneRow {
	y := wayTop + n*wayLane
	lane := wayLaneRow{Name: w.name(wayIDs), Side: w.side(), Line: y + wayLane, TextY: y + 19}
	for _, l := range w.legs {
		high := l.phase.row().high
		from, to := axis.x(l.began), axis.x(l.end)
		width := max(to-from, hopShort)
		b := wayBar{Class: string(l.phase), X: min(from, wayRight-width), Y: y + (wayLane-high)/2, Width: width, Height: high, Tip: l.tip(axis)}
		if width > 2*hopShort {
			b.Width-- // states of the same phase are apart on paper without colors, too
		}
		b.Text, b.TextX = l.inside(width, high), b.X+width/2
		lane.Bars = append(lane.Bars, b)
	}
	return lane
}

// side says where a way ends, beside its lane.
func (w way) side() string {
	l := w.last()
	text := l.state
	if waits := l.waiting(); waits != "" {
		text += " (" + waits + ")"
	}
	if !w.arrived {
		text = "still " + text
	} else {
		text += w.where()
	}
	text += ", " + took(w.took())
	if l.phase == phaseUnproven {
		text = "UNPROVEN: " + text
	}
	return short(text, waySides)
}

// tip is everything about a state.
func (l leg) tip(axis scale) string {
	text := l.state
	if waits := l.waiting(); waits != "" {
		text += ", " + waits
	}
	return fmt.Sprintf("%s: %s, from %s to %s", text, took(l.most), since(l.began.Sub(axis.from)), since(l.end.Sub(axis.from)))
}

// inside is the longest text for a bar that has room in it.
func (l leg) inside(width, high int) string {
	if high < 12 {
		return ""
	}
	first, _, _ := strings.Cut(l.state, "_")
	choice := []string{l.state, first}
	if waits := l.waiting(); waits != "" {
		choice = []string{l.state + ", " + waits, waits, l.state, first}
	}
	for _, text := range choice {
		if float64(utf8.RuneCountInString(text))*inText+8 <= float64(width) {
			return text
		}
	}
	return ""
}

// wayKey explains the phases that were drawn, in rows from y on, and where it ends.
func wayKey(shown []way, y int) (items []keyItem, bottom int) {
	x := 4
	for _, p := range phases {
		if !slices.ContainsFunc(shown, func(w way) bool {
			return slices.ContainsFunc(w.legs, func(l leg) bool { return l.phase == p.phase })
		}) {
			continue
		}
		wide := keyBox + keyBehind + int(float64(utf8.RuneCountInString(p.key))*keyText)
		if x+wide > drawWidth {
			x, y = 4, y+keyRow
		}
		items = append(items, keyItem{string(p.phase), x, y - p.high/2, p.high, x + keyBox + keyBehind, y + 4, keyBox, p.key})
		x += wide + keyApart
	}
	return items, y + keyRow/2
}

// wayRows are the ways in words: those that are drawn, the rest folded, and a note about what is
// left; "" when all are drawn.
func wayRows(r incident.Record, all []way) (rows []wayRow, note string) {
	shown, rest := firstWays(all, maxLanes)
	for _, w := range shown {
		row := wayRow{Name: w.name(maxWide), Took: took(w.took()), Way: short(strings.Join(w.words(), " > "), maxPage), Result: told(r, w.vms[0])}
		switch w.rank {
		case rankProblem:
			row.Class = levelProblem
		case rankUnproven:
			row.Class = levelWarning
		}
		rows = append(rows, row)
	}
	if len(all) > maxLanes {
		note = "The first lines are drawn: what was not handled, what is on its way, and the slowest. The others follow, with the least and the most time in a state"
		if more := moreWays(rest); more != "" {
			note += "; " + more
		}
	}
	return rows, note
}
