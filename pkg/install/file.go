package install

import (
	"fmt"
	"strings"

	"one-ft/pkg/onedconf"
)

// maxSize is the largest oned.conf and the largest hook pool that is read.
const maxSize = onedconf.MaxSize

// Pair is a name with its value, to be written.
type Pair struct{ Name, Value string } // the name in capital letters

// SyntaxError is where oned.conf cannot be read, by oned as little as by one-ft.
type SyntaxError = onedconf.SyntaxError

// confName names the file in errors.
const confName = "oned.conf"

// Entry is one attribute of oned.conf, such as HOST_HOOK = [ ... ].
type Entry struct {
	onedconf.Attribute
	// Ours is set inside the block that one-ft wrote.
	Ours bool
}

// File is an oned.conf that was read.
type File struct {
	Entries []Entry
	// block is where the lines between the marks of one-ft are, marks included; end is 0
	// without them. joined: the line before them had no line end.
	begin, end int
	joined     bool
	eol        string // of the block
}

// Block reports whether one-ft has written its hooks into the file.
func (f File) Block() bool { return f.end > 0 }

// Parse reads an oned.conf as oned 4.4 to 5.8 does. The error is a *SyntaxError where oned
// would not read it, either, or where the marks of one-ft are damaged.
func Parse(text []byte) (File, error) {
	m := marks{opened: -1}
	all, err := onedconf.Parse(confName, text, m.comment)
	switch {
	case err != nil:
		return File{}, err
	case m.opened >= 0:
		m.at = m.openedAt
		return File{}, m.fail("%q without %q behind it; take the lines of one-ft out by hand, then run this again", beginMark, endMark)
	}
	for _, a := range all {
		m.file.Entries = append(m.file.Entries, Entry{Attribute: a, Ours: a.Begin >= m.file.begin && a.End <= m.file.end})
	}
	return m.file, nil
}

// marks looks for the marks of one-ft in comments.
type marks struct {
	file             File
	opened, openedAt int // where the mark of the beginning is, its byte and its line; -1 outside of the block
	at               int // the line of the comment at hand
}

func (m *marks) fail(format string, args ...any) error {
	return &SyntaxError{File: confName, Line: m.at, Problem: fmt.Sprintf(format, args...)}
}

// comment notes the beginning or the end of the block.
func (m *marks) comment(c onedconf.Comment) error {
	mark := strings.TrimRight(c.Text, "\r\n")
	begins := isMark(mark, beginMark)
	if !c.Whole || !begins && !isMark(mark, endMark) {
		return nil
	}
	m.at = c.Line
	byHand := "take the lines of one-ft out by hand, then run this again"
	switch {
	case c.Inside:
		return m.fail("%q inside of an attribute: %s", mark, byHand)
	case m.file.end > 0:
		return m.fail("%q behind an earlier block of one-ft: %s", mark, byHand)
	case begins && m.opened >= 0:
		return m.fail("%q twice: %s", beginMark, byHand)
	case begins:
		m.opened, m.openedAt, m.file.joined, m.file.eol = c.Begin, c.Line, mark == beginJoined, "\n"
		if strings.HasSuffix(c.Text, "\r\n") {
			m.file.eol = "\r\n"
		}
	case m.opened < 0:
		return m.fail("%q without %q before it: %s", endMark, beginMark, byHand)
	default:
		m.file.begin, m.file.end, m.opened = m.opened, c.End, -1
	}
	return nil
}

// isMark reports whether a line is that mark, with whatever explanation behind it.
func isMark(line, mark string) bool {
	rest, found := strings.CutPrefix(line, mark)
	return found && (rest == "" || rest[0] == ' ' || rest[0] == ':')
}
