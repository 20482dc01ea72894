package install

import (
	"bytes"
	"fmt"
	"strings"
)

// maxSize is the largest oned.conf and the largest hook pool that is read. Those that
// OpenNebula ships have less than 50 kB.
const maxSize = 4 << 20

// Pair is a name with its value.
type Pair struct{ Name, Value string } // the name in capital letters

// Entry is one attribute of oned.conf, such as HOST_HOOK = [ ... ].
type Entry struct {
	Name  string // in capital letters
	Pairs []Pair // of a vector; nil of a single attribute
	Value string // of a single attribute
	// Line and Last are its first and its last line, from 1; Begin and End its place in bytes.
	Line, Last, Begin, End int
	// Ours is set inside the block that one-ft wrote.
	Ours bool
}

// Get gives the value of a name in a vector, "" without it. Of two the first counts, as in oned.
func (e Entry) Get(name string) string {
	for _, p := range e.Pairs {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
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
	if len(text) > maxSize {
		return File{}, fmt.Errorf("oned.conf has %d bytes; more than %d are not read", len(text), maxSize)
	}
	p := parser{lexer: lexer{in: text, cdata: bytes.Contains(text, []byte("]]>"))}, opened: -1, line: 1}
	for {
		t, err := p.token(false)
		switch {
		case err != nil:
			return File{}, err
		case t.kind == tokenEnd && p.opened >= 0:
			return File{}, p.fail(p.opened, "%q without %q behind it; take the lines of one-ft out by hand, then run this again", beginMark, endMark)
		case t.kind == tokenEnd:
			return p.file, nil
		}
		if err := p.entry(t); err != nil {
			return File{}, err
		}
	}
}

// parser reads attributes (template_syntax.y of the releases).
type parser struct {
	lexer  lexer
	file   File
	opened int // where the mark of the beginning is; -1 outside of the block
	// line is the number of the line at byte counted.
	line, counted int
}

// at gives the number of the line of a place. Places are asked for in rising order, almost.
func (p *parser) at(place int) int {
	if place < p.counted {
		return 1 + bytes.Count(p.lexer.in[:place], []byte("\n"))
	}
	p.line += bytes.Count(p.lexer.in[p.counted:place], []byte("\n"))
	p.counted = place
	return p.line
}

func (p *parser) fail(place int, format string, args ...any) error {
	return &SyntaxError{Line: p.at(place), Problem: fmt.Sprintf(format, args...)}
}

// unexpected is the error of a token that oned's grammar does not allow there.
func (p *parser) unexpected(t token, wanted string) error {
	found := quoted(t.text)
	switch t.kind {
	case tokenEnd:
		found = "the end of the file"
	case tokenEmpty:
		found = `"=" without a value`
	case tokenOpen:
		found = `"["`
	case tokenCDATA:
		found = `"]]>", behind which oned reads nothing,`
	}
	return p.fail(t.begin, "%s where %s belongs; oned does not read this file, either", found, wanted)
}

// token gives the next token that is not a comment, and looks for the marks in comments.
func (p *parser) token(inside bool) (token, error) {
	for {
		t := p.lexer.next()
		if t.kind != tokenComment {
			return t, nil
		}
		lineStart := 1 + bytes.LastIndexByte(p.lexer.in[:t.begin], '\n')
		mark := strings.TrimRight(t.text, "\r\n")
		if t.begin != lineStart || !isMark(mark, beginMark) && !isMark(mark, endMark) {
			continue
		}
		if err := p.mark(t, mark, inside); err != nil {
			return t, err
		}
	}
}

// mark notes the beginning or the end of the block.
func (p *parser) mark(t token, mark string, inside bool) error {
	byHand := "take the lines of one-ft out by hand, then run this again"
	begins := isMark(mark, beginMark)
	switch {
	case inside:
		return p.fail(t.begin, "%q inside of an attribute: %s", mark, byHand)
	case p.file.end > 0:
		return p.fail(t.begin, "%q behind an earlier block of one-ft: %s", mark, byHand)
	case begins && p.opened >= 0:
		return p.fail(t.begin, "%q twice: %s", beginMark, byHand)
	case begins:
		p.opened, p.file.joined, p.file.eol = t.begin, mark == beginJoined, "\n"
		if strings.HasSuffix(t.text, "\r\n") {
			p.file.eol = "\r\n"
		}
	case p.opened < 0:
		return p.fail(t.begin, "%q without %q before it: %s", endMark, beginMark, byHand)
	default:
		p.file.begin, p.file.end, p.opened = p.opened, t.end, -1
	}
	return nil
}

// isMark reports whether a line is that mark, with whatever explanation behind it.
func isMark(line, mark string) bool {
	rest, found := strings.CutPrefix(line, mark)
	return found && (rest == "" || rest[0] == ' ' || rest[0] == ':')
}

// entry reads the attribute that begins with t.
func (p *parser) entry(t token) error {
	if t.kind != tokenVariable {
		return p.unexpected(t, "the name of an attribute")
	}
	e := Entry{Name: strings.ToUpper(t.text), Line: p.at(t.begin), Begin: t.begin, Ours: p.opened >= 0}
	next, err := p.token(true)
	if err != nil {
		return err
	}
	switch next.kind {
	case tokenEmpty:
	case tokenEqual:
		if next, err = p.token(true); err != nil {
			return err
		}
		switch next.kind {
		case tokenString:
			e.Value = next.text
		case tokenOpen:
			if next, err = p.vector(&e); err != nil {
				return err
			}
		default:
			return p.unexpected(next, "a value")
		}
	default:
		return p.unexpected(next, `"="`)
	}
	e.End = next.end
	e.Last = p.at(next.end - 1)
	p.file.Entries = append(p.file.Entries, e)
	return nil
}

// vector reads what is between brackets, and gives the closing one.
func (p *parser) vector(e *Entry) (token, error) {
	e.Pairs = []Pair{}
	for {
		var part [3]token
		for i, want := range []struct {
			kind kind
			name string
		}{{tokenVariable, "a name"}, {tokenEqual, `"="`}, {tokenString, "a value"}} {
			t, err := p.token(true)
			switch {
			case err != nil:
				return t, err
			case t.kind == tokenClose && len(e.Pairs) == 0 && i == 0:
				return t, nil // []: 4.10 and later
			case t.kind != want.kind:
				return t, p.unexpected(t, want.name+" in "+e.Name)
			}
			part[i] = t
		}
		e.Pairs = append(e.Pairs, Pair{strings.ToUpper(part[0].text), part[2].text})
		t, err := p.token(true)
		switch {
		case err != nil || t.kind == tokenClose:
			return t, err
		case t.kind != tokenComma:
			return t, p.unexpected(t, `"," or "]" in `+e.Name)
		}
	}
}
