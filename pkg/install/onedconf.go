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
	all, comments, err := onedconf.Parse(confName, text)
	if err != nil {
		return File{}, err
	}
	f, err := findBlock(comments)
	if err != nil {
		return File{}, err
	}
	for _, a := range all {
		f.Entries = append(f.Entries, Entry{Attribute: a, Ours: a.Begin >= f.begin && a.End <= f.end})
	}
	return f, nil
}

// findBlock finds the block by its marks.
func findBlock(comments []onedconf.Comment) (f File, err error) {
	fail := func(line int, format string, args ...any) (File, error) {
		problem := fmt.Sprintf(format, args...) + ": take the lines of one-ft out by hand, then run this again"
		return File{}, &SyntaxError{File: confName, Line: line, Problem: problem}
	}
	var opened *onedconf.Comment // the mark of a beginning without its end
	for _, c := range comments {
		mark := strings.TrimRight(c.Text, "\r\n")
		begins := isMark(mark, beginMark)
		switch {
		case !c.Whole || !begins && !isMark(mark, endMark): // any other comment
		case c.Inside:
			return fail(c.Line, "%q inside of an attribute", mark)
		case f.Block():
			return fail(c.Line, "%q behind an earlier block of one-ft", mark)
		case begins && opened != nil:
			return fail(c.Line, "%q twice", beginMark)
		case begins:
			opened, f.joined, f.eol = &c, mark == beginJoined, lineEnd([]byte(c.Text))
		case opened == nil:
			return fail(c.Line, "%q without %q before it", endMark, beginMark)
		default:
			f.begin, f.end, opened = opened.Begin, c.End, nil
		}
	}
	if opened != nil {
		return fail(opened.Line, "%q without %q behind it", beginMark, endMark)
	}
	return f, nil
}

// isMark reports whether a line is that mark, with whatever explanation behind it.
func isMark(line, mark string) bool {
	rest, found := strings.CutPrefix(line, mark)
	return found && (rest == "" || rest[0] == ' ' || rest[0] == ':')
}
