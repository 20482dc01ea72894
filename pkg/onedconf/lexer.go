package onedconf

import "bytes"

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
	tokenCDATA // "]]>" in a value: oned 4.10 and later stop reading there
)

// token is a token with its place in the text.
type token struct {
	kind       kind
	text       string // of a variable; of a string without its quotes
	begin, end int
}

// lexer reads a file as the daemons' own does (src/template/template_parser.l of 4.4 to 5.6,
// src/parsers/template_parser.l of 5.8 to 7.4): flex takes the longest match, the first rule of
// equal ones, and skips a character that no rule takes.
type lexer struct {
	in    []byte
	pos   int
	value bool // behind an "="
	cdata bool // there is a "]]>" somewhere
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

func alnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// plain is a character of a value without quotes.
func plain(c byte) bool { return bytes.IndexByte([]byte("=# \t\n,[]"), c) < 0 }

// span counts the characters from i on that f takes.
func (l *lexer) span(i int, f func(byte) bool) int {
	n := 0
	for i+n < len(l.in) && f(l.in[i+n]) {
		n++
	}
	return n
}

// next gives the next token; comments too.
func (l *lexer) next() token {
	for l.pos < len(l.in) {
		t, ok := l.attribute()
		if l.value && !ok {
			t, ok = l.inValue()
		}
		if ok {
			l.pos = t.end
			return t
		}
		l.pos++
	}
	return token{kind: tokenEnd, begin: len(l.in), end: len(l.in)}
}

// attribute reads a token outside of a value.
func (l *lexer) attribute() (token, bool) {
	if l.value {
		return token{}, false
	}
	at := func(k kind, end int) (token, bool) {
		return token{kind: k, text: string(l.in[l.pos:end]), begin: l.pos, end: end}, true
	}
	switch c := l.in[l.pos]; {
	case c == '#':
		// oned wants a line end behind a comment; on the last line we do without.
		if n := bytes.IndexByte(l.in[l.pos:], '\n'); n >= 0 {
			return at(tokenComment, l.pos+n+1)
		}
		return at(tokenComment, len(l.in))
	case c == ',':
		return at(tokenComma, l.pos+1)
	case c == ']':
		return at(tokenClose, l.pos+1)
	case c == '=':
		end := l.pos + 1 + l.span(l.pos+1, blank)
		if end < len(l.in) && l.in[end] == '\n' {
			return at(tokenEmpty, end+1)
		}
		l.value = true
		return at(tokenEqual, end)
	case alnum(c):
		return at(tokenVariable, l.pos+l.span(l.pos, alnum))
	}
	return token{}, false
}

// inValue reads what stands behind an "=".
func (l *lexer) inValue() (token, bool) {
	t := token{begin: l.pos}
	if end := l.pos + l.span(l.pos, blank); end < len(l.in) && l.in[end] == '[' {
		t.kind, t.end = tokenOpen, end+1
	}
	if l.cdata {
		if line, _, _ := bytes.Cut(l.in[l.pos:], []byte("\n")); bytes.Contains(line, []byte("]]>")) && l.pos+len(line) > t.end {
			t.kind, t.end = tokenCDATA, l.pos+len(line)
		}
	}
	if end := l.quoted(); end > t.end {
		t.kind, t.end = tokenString, end
		t.text = string(bytes.ReplaceAll(l.in[l.pos+1:end-1], []byte(`\"`), []byte(`"`)))
	}
	if end := l.pos + l.span(l.pos, plain); end > l.pos && end > t.end {
		t.kind, t.end, t.text = tokenString, end, string(l.in[l.pos:end])
	}
	l.value = t.end == 0
	return t, t.end > 0
}

// quoted gives the end of the quoted string here, or 0. A quote behind a backslash ends it
// only if no other does.
func (l *lexer) quoted() int {
	if l.in[l.pos] != '"' {
		return 0
	}
	last := 0
	for i := l.pos + 1; i < len(l.in); i++ {
		if l.in[i] != '"' {
			continue
		}
		last = i + 1
		if l.in[i-1] != '\\' {
			break
		}
	}
	return last
}
