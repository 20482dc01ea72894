// Package marked is the block of lines that one-ft writes into a file of somebody else, oned.conf or an ssh
// configuration: its two marks, and where it is. What stands between them is the business of others.
package marked

import (
	"bytes"
	"fmt"
	"strings"
)

// The marks begin so.
const (
	Begin = "# BEGIN one-ft"
	End   = "# END one-ft"
)

// Opening is the first line of a block without its line end. was says what was different before it; "" for nothing.
func Opening(was string) string {
	if was != "" {
		was = " (" + was + ")"
	}
	return Begin + was + `: written by "oneft hooks install", taken out by "oneft hooks remove"; do not edit`
}

// LineEnd is the line end of a text: that of its first line.
func LineEnd(text []byte) string {
	if i := bytes.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// Line is a line of a file that may be a mark.
type Line struct {
	Text       string // with its line end
	Begin, End int    // bytes
	Number     int    // from 1
	Inside     bool   // of something else, where no mark can be
}

// Lines are the lines of a text where each may be a mark.
func Lines(text []byte) []Line {
	var all []Line
	l := Line{}
	for line := range bytes.Lines(text) {
		l = Line{Text: string(line), Begin: l.End, End: l.End + len(line), Number: l.Number + 1}
		all = append(all, l)
	}
	return all
}

// Place is where a block is, marks and the last line end included; End is 0 without one.
type Place struct {
	Begin, End int
	Opening    Line
}

// Was reports whether the block was written with that in its first line.
func (p Place) Was(was string) bool { return strings.HasPrefix(p.Opening.Text, Begin+" ("+was+")") }

// Error is a file whose marks are damaged, or that has something of others between them.
type Error struct {
	Line    int // from 1; 0 for none
	Problem string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Problem
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Problem)
}

// Find finds the block by its marks. Errors: *Error.
func Find(lines []Line) (p Place, err error) {
	fail := func(line int, format string, args ...any) (Place, error) {
		return Place{}, &Error{line, fmt.Sprintf(format, args...) + ": take the lines of one-ft out by hand, then run this again"}
	}
	opened := false
	for _, l := range lines {
		mark := strings.TrimRight(l.Text, "\r\n")
		begins := isMark(mark, Begin)
		switch {
		case !begins && !isMark(mark, End):
		case l.Inside:
			return fail(l.Number, "%q inside of an attribute", mark)
		case p.End > 0:
			return fail(l.Number, "%q behind an earlier block of one-ft", mark)
		case begins && opened:
			return fail(l.Number, "%q twice", Begin)
		case begins:
			p.Begin, p.Opening, opened = l.Begin, l, true
		case !opened:
			return fail(l.Number, "%q without %q before it", End, Begin)
		default:
			p.End, opened = l.End, false
		}
	}
	if opened {
		return fail(p.Opening.Number, "%q without %q behind it", Begin, End)
	}
	return p, nil
}

// isMark reports whether a line is that mark, with whatever explanation behind it.
func isMark(line, mark string) bool {
	rest, found := strings.CutPrefix(line, mark)
	return found && (rest == "" || rest[0] == ' ' || rest[0] == ':')
}
