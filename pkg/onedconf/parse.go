// Package onedconf reads the configuration files of OpenNebula's daemons: oned.conf, sched.conf, monitord.conf and
// schedulers/rank.conf. All of them are one grammar, read by one parser in every release
// (NebulaTemplate::load_configuration calls Template::parse, 4.4 to 7.4): names in any case, several attributes on a
// line, "=" on the line below the name, vectors in brackets, comments, quotes.
//
// Tests hold it against what the parser of OpenNebula itself answers (testdata/grammar.txt); its rules are the same from
// 5.8 to 7.4. What surprises:
//   - Of an attribute that stands there twice the first counts, in all releases (Template::set keeps both, Template::get
//     finds the first), and so does the first of two names in a vector.
//   - "=" with nothing behind it on its line is an empty value; one on the next line is not its value but a syntax error.
//     "=" itself may stand on the next line.
//   - "#" begins a comment anywhere, also right behind a value or in a vector, but not inside quotes, and a comment
//     without a line end, which is the last one of a file, is a syntax error there. Here it is none.
//   - Characters that fit nowhere are skipped: "A == 1" and "; A = 1" set A. With CRLF the CR belongs to a value without quotes
//     (a number is read in spite of it), and with it behind a closing quote the quotes do, too.
//   - A quoted value may go over several lines; a quote that is left open takes what follows up to the next one.
//   - 4.4 and 4.6 take "" for a value of two quotes, and know no ]]>; here it is as in later releases.
package onedconf

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"one-ft/pkg/marked"
	"one-ft/pkg/statedir"
	"one-ft/pkg/text"
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

// SyntaxError is where a file cannot be read, by its daemon as little as by one-ft.
type SyntaxError struct {
	File    string // its name, for messages
	Line    int    // from 1
	Problem string
}

// Error is one printable line.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Problem) }

// Parse reads the text of a file: its attributes, and the comments that stand alone on their lines, from the first
// column. name is for errors: a *SyntaxError, with what is before it, or more than MaxSize bytes.
func Parse(name string, in []byte) ([]Attribute, []marked.Line, error) {
	if len(in) > MaxSize {
		return nil, nil, fmt.Errorf("%s has %d bytes; more than %d are not read", name, len(in), MaxSize)
	}
	p := parser{name: name, lexer: newLexer(in), line: 1}
	for {
		t := p.token(false)
		if t.kind == tokenEnd {
			return p.all, p.comments, nil
		}
		if err := p.attribute(t); err != nil {
			return p.all, p.comments, err
		}
	}
}

// ReadFile reads a file of at most MaxSize bytes. Errors are those of Parse and of statedir.ReadConfig.
func ReadFile(path string) ([]Attribute, error) {
	in, err := statedir.ReadConfig(path, MaxSize)
	if err != nil {
		return nil, err
	}
	all, _, err := Parse(path, in)
	return all, err
}

// Find gives the first attribute with a name, which is the one that counts (Template::get, a find in a multimap).
func Find(all []Attribute, name string) (Attribute, bool) {
	for _, a := range all {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}

// Number reads a value as the daemons do (istringstream >> int): blanks, a sign, digits, and whatever stands behind
// them. ok is false for what is no number there.
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
	name     string
	lexer    lexer
	all      []Attribute
	comments []marked.Line
	// line is the number of the line at byte counted.
	line, counted int
}

// attribute reads the attribute that begins with t.
func (p *parser) attribute(t token) error {
	if t.kind != tokenVariable {
		return p.unexpected(t, "the name of an attribute")
	}
	a := Attribute{Name: strings.ToUpper(t.text), Line: p.at(t.begin), Begin: t.begin}
	next := p.token(true)
	switch next.kind {
	case tokenEmpty:
	case tokenEqual:
		switch next = p.token(true); next.kind {
		case tokenString:
			a.Value = next.text
		case tokenOpen:
			var err error
			if next, err = p.vector(&a); err != nil {
				return err
			}
		default:
			return p.unexpected(next, "a value")
		}
	default:
		return p.unexpected(next, `"="`)
	}
	a.End, a.Last = next.end, p.at(next.end-1)
	p.all = append(p.all, a)
	return nil
}

// vector reads what is between brackets, and gives the closing one.
func (p *parser) vector(a *Attribute) (token, error) {
	a.Pairs = []Pair{}
	for {
		name := p.token(true)
		if name.kind == tokenClose && len(a.Pairs) == 0 {
			return name, nil // []: 4.10 and later
		}
		if name.kind != tokenVariable {
			return name, p.unexpected(name, "a name in "+a.Name)
		}
		if t := p.token(true); t.kind != tokenEqual {
			return t, p.unexpected(t, `"=" in `+a.Name)
		}
		value := p.token(true)
		if value.kind != tokenString {
			return value, p.unexpected(value, "a value in "+a.Name)
		}
		a.Pairs = append(a.Pairs, Pair{strings.ToUpper(name.text), value.text})
		switch t := p.token(true); t.kind {
		case tokenClose:
			return t, nil
		case tokenComma:
		default:
			return t, p.unexpected(t, `"," or "]" in `+a.Name)
		}
	}
}

// token gives the next token that is not a comment.
func (p *parser) token(inside bool) token {
	for {
		t := p.lexer.next()
		if t.kind != tokenComment {
			return t
		}
		if t.begin == 1+bytes.LastIndexByte(p.lexer.in[:t.begin], '\n') {
			p.comments = append(p.comments, marked.Line{Text: t.text, Begin: t.begin, End: t.end, Number: p.at(t.begin), Inside: inside})
		}
	}
}

// at gives the number of the line of a place. Places come in rising order, almost.
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
	found := map[kind]string{
		tokenEnd: "the end of the file", tokenEmpty: `"=" without a value`, tokenOpen: `"["`,
		tokenCDATA: `"]]>", behind which oned reads nothing,`,
	}[t.kind]
	if found == "" {
		found = strconv.Quote(text.Short(t.text, 60))
	}
	return &SyntaxError{File: p.name, Line: p.at(t.begin), Problem: fmt.Sprintf("%s is missing: here is %s; oned does not read this file, either", wanted, found)}
}

// kind is a kind of token.
type kind int

const (
	tokenEnd kind = iota
	tokenComment
	tokenVariable
	tokenEqual
	tokenEmpty // "=" with nothing behind it on its line
	tokenComma
	tokenOpen
	tokenClose
	tokenString
	tokenCDATA // "]]>" in a value: oned 4.8 and later stop reading there
)

// token is a token with its place in the text.
type token struct {
	kind       kind
	text       string // of a variable; of a string without its quotes
	begin, end int
}

// rule is a token and its form.
type rule struct {
	kind   kind
	form   *regexp.Regexp
	quoted bool
}

// lexer reads a file as the daemons' own does (src/template/template_parser.l of 4.4 to 5.6,
// src/parsers/template_parser.l of 5.8 to 7.4): flex takes the longest match, the first rule of equal ones, and skips
// a character that no rule takes.
type lexer struct {
	in             []byte
	pos            int
	outside, value []rule // the rules outside of a value, and behind an "="
	inValue        bool
}

func newLexer(in []byte) lexer {
	l := lexer{in: in}
	add := func(rules *[]rule, k kind, form string) {
		r := regexp.MustCompile(`\A(?:` + form + `)`)
		r.Longest()
		*rules = append(*rules, rule{k, r, form[0] == '"'})
	}
	add(&l.outside, tokenComment, `#[^\n]*\n?`) // oned wants the line end; on the last line we do without
	add(&l.outside, tokenComma, `,`)
	add(&l.outside, tokenClose, `\]`)
	add(&l.outside, tokenEmpty, `=[ \t]*\n`)
	add(&l.outside, tokenEqual, `=[ \t]*`)
	add(&l.outside, tokenVariable, `[A-Za-z0-9_]+`)

	add(&l.value, tokenOpen, `[ \t]*\[`)
	if bytes.Contains(in, []byte("]]>")) { // else it costs each value its line
		add(&l.value, tokenCDATA, `[^\n]*\]\]>[^\n]*`)
	}
	add(&l.value, tokenString, `"(?:[^"]|\\")*"`) // a quote behind a backslash ends it only if no other does
	add(&l.value, tokenString, `[^=# \t\n,\[\]]+`)
	return l
}

// next gives the next token; comments too.
func (l *lexer) next() token {
	for ; l.pos < len(l.in); l.pos++ {
		if t := l.longest(); t.end > 0 {
			l.pos, l.inValue = t.end, t.kind == tokenEqual
			return t
		}
	}
	return token{kind: tokenEnd, begin: len(l.in), end: len(l.in)}
}

// longest is the token at the place, its end 0 when there is none.
func (l *lexer) longest() (t token) {
	rules := l.outside
	if l.inValue {
		rules = l.value
	}
	for _, r := range rules {
		at := r.form.FindIndex(l.in[l.pos:])
		if at == nil || l.pos+at[1] <= t.end {
			continue
		}
		t = token{kind: r.kind, begin: l.pos, end: l.pos + at[1], text: string(l.in[l.pos : l.pos+at[1]])}
		if r.quoted {
			t.text = t.text[1 : len(t.text)-1]
		}
		if r.kind == tokenString { // without quotes, too; a NUL ends it, as in C
			t.text, _, _ = strings.Cut(t.text, "\x00")
			t.text = strings.ReplaceAll(t.text, `\"`, `"`)
		}
	}
	return t
}
