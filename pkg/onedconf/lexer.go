package onedconf

import (
	"bytes"
	"regexp"
	"strings"
)

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
			t.text = strings.ReplaceAll(t.text[1:len(t.text)-1], `\"`, `"`)
		}
	}
	return t
}
