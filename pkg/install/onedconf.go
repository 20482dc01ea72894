package install

import (
	"fmt"
	"strings"

	"one-ft/pkg/onedconf"
)

// maxSize is the largest oned.conf and the largest hook pool that is read.
const maxSize = onedconf.MaxSize

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

// Hook is the resource of an entry that is a hook for hosts or VMs: HOST or VM; "" for any other.
func (e Entry) Hook() string {
	resource, hook := strings.CutSuffix(e.Name, "_HOOK")
	if !hook || resource != "HOST" && resource != "VM" || e.Pairs == nil {
		return ""
	}
	return resource
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
		return File{}, m.fail(m.openedAt, "%q without %q behind it", beginMark, endMark)
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
}

func (m *marks) fail(line int, format string, args ...any) error {
	return &SyntaxError{File: confName, Line: line, Problem: fmt.Sprintf(format, args...) + ": take the lines of one-ft out by hand, then run this again"}
}

// comment notes the beginning or the end of the block.
func (m *marks) comment(c onedconf.Comment) error {
	mark := strings.TrimRight(c.Text, "\r\n")
	begins := isMark(mark, beginMark)
	if !c.Whole || !begins && !isMark(mark, endMark) {
		return nil
	}
	switch {
	case c.Inside:
		return m.fail(c.Line, "%q inside of an attribute", mark)
	case m.file.end > 0:
		return m.fail(c.Line, "%q behind an earlier block of one-ft", mark)
	case begins && m.opened >= 0:
		return m.fail(c.Line, "%q twice", beginMark)
	case begins:
		m.opened, m.openedAt, m.file.joined, m.file.eol = c.Begin, c.Line, mark == beginJoined, lineEnd([]byte(c.Text))
	case m.opened < 0:
		return m.fail(c.Line, "%q without %q before it", endMark, beginMark)
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
