// Package onedconf reads the configuration files of OpenNebula's daemons: oned.conf, sched.conf,
// monitord.conf and schedulers/rank.conf. All of them are one grammar, read by one parser in every
// release (NebulaTemplate::load_configuration calls Template::parse, 4.4 to 7.4): names in any case,
// several attributes on a line, "=" on the line below the name, vectors in brackets, comments, quotes.
//
// Tests hold it against what the parser of 6.10 itself answers (testdata/grammar.txt).
package onedconf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxSize is the largest file that is read. Those that OpenNebula ships have less than 50 kB.
const MaxSize = 4 << 20

// Pair is a name with its value.
type Pair struct{ Name, Value string } // the name in capital letters

// Attribute is one attribute of a file, such as SCHED_INTERVAL = 15 or HOST_HOOK = [ ... ].
type Attribute struct {
	Name  string // in capital letters
	Pairs []Pair // of a vector; nil of a single attribute
	Value string // of a single attribute
	// Line and Last are its first and its last line, from 1; Begin and End its place in bytes.
	Line, Last, Begin, End int
}

// Get gives the value of a name in a vector, "" without it. Of two the first counts, as in oned.
func (a Attribute) Get(name string) string {
	for _, p := range a.Pairs {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// Comment is a comment, from its # to the end of its line.
type Comment struct {
	Text       string // with its line end
	Begin, End int    // bytes
	Line       int
	Inside     bool // of an attribute
	Whole      bool // it stands alone on its line, from the first column
}

// SyntaxError is where a file cannot be read, by its daemon as little as by one-ft.
type SyntaxError struct {
	File    string // its name, for people
	Line    int    // from 1
	Problem string
}

// Error is one printable line.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Problem) }

// ErrTooLarge is the error for more than MaxSize bytes.
var ErrTooLarge = errors.New("the file is too large")

// Parse reads the text of a file; name is for errors. comment, if not nil, is called for each comment
// in order, and an error of it ends the parsing. Otherwise the error is a *SyntaxError, or ErrTooLarge;
// attributes before the error are returned, too.
func Parse(name string, text []byte, comment func(Comment) error) ([]Attribute, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s has %d bytes; more than %d are not read: %w", name, len(text), MaxSize, ErrTooLarge)
	}
	p := parser{name: name, lexer: lexer{in: text, cdata: bytes.Contains(text, []byte("]]>"))}, comment: comment, line: 1}
	for {
		t, err := p.token(false)
		if err != nil || t.kind == tokenEnd {
			return p.all, err
		}
		if err := p.attribute(t); err != nil {
			return p.all, err
		}
	}
}

// ReadFile reads a file of at most MaxSize bytes. Errors are those of Parse and of os.Open.
func ReadFile(path string) ([]Attribute, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return Parse(path, text, nil)
}

// Find gives the first attribute with a name, which is the one that counts
// (Template::get, a find in a multimap).
func Find(all []Attribute, name string) (Attribute, bool) {
	for _, a := range all {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Number reads a value as the daemons do (istringstream >> int): blanks, a sign, digits, and whatever
// stands behind them. ok is false for what is no number there.
func Number(value string) (n int, ok bool) {
	value = strings.TrimLeft(value, " \t\r\n\v\f")
	end := 0
	for end < len(value) && (value[end] >= '0' && value[end] <= '9' || end == 0 && (value[end] == '-' || value[end] == '+')) {
		end++
	}
	n, err := strconv.Atoi(value[:end])
	return n, err == nil
}

// parser reads attributes (template_syntax.y of the releases).
type parser struct {
	name    string
	lexer   lexer
	comment func(Comment) error
	all     []Attribute
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

// unexpected is the error of a token that the grammar does not allow there.
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
	return &SyntaxError{File: p.name, Line: p.at(t.begin), Problem: fmt.Sprintf("%s where %s belongs; oned does not read this file, either", found, wanted)}
}

// quoted is a part of a file for a message: printable, in one line and short.
func quoted(text string) string {
	const longest = 60
	if len(text) > longest {
		end := longest
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "..."
	}
	return strconv.Quote(text)
}

// token gives the next token that is not a comment.
func (p *parser) token(inside bool) (token, error) {
	for {
		t := p.lexer.next()
		if t.kind != tokenComment {
			return t, nil
		}
		if p.comment == nil {
			continue
		}
		whole := t.begin == 1+bytes.LastIndexByte(p.lexer.in[:t.begin], '\n')
		if err := p.comment(Comment{Text: t.text, Begin: t.begin, End: t.end, Line: p.at(t.begin), Inside: inside, Whole: whole}); err != nil {
			return t, err
		}
	}
}

// attribute reads the attribute that begins with t.
func (p *parser) attribute(t token) error {
	if t.kind != tokenVariable {
		return p.unexpected(t, "the name of an attribute")
	}
	a := Attribute{Name: strings.ToUpper(t.text), Line: p.at(t.begin), Begin: t.begin}
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
			a.Value = next.text
		case tokenOpen:
			if next, err = p.vector(&a); err != nil {
				return err
			}
		default:
			return p.unexpected(next, "a value")
		}
	default:
		return p.unexpected(next, `"="`)
	}
	a.End = next.end
	a.Last = p.at(next.end - 1)
	p.all = append(p.all, a)
	return nil
}

// vector reads what is between brackets, and gives the closing one.
func (p *parser) vector(a *Attribute) (token, error) {
	a.Pairs = []Pair{}
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
			case t.kind == tokenClose && len(a.Pairs) == 0 && i == 0:
				return t, nil // []: 4.10 and later
			case t.kind != want.kind:
				return t, p.unexpected(t, want.name+" in "+a.Name)
			}
			part[i] = t
		}
		a.Pairs = append(a.Pairs, Pair{strings.ToUpper(part[0].text), part[2].text})
		t, err := p.token(true)
		switch {
		case err != nil || t.kind == tokenClose:
			return t, err
		case t.kind != tokenComma:
			return t, p.unexpected(t, `"," or "]" in `+a.Name)
		}
	}
}
