package requirement

import (
	"strconv"
	"strings"
)

// kind is what a token is: an operator by its character, or one of these.
type kind byte

const (
	end     kind = 0
	word    kind = 'w'
	integer kind = 'i'
	float   kind = 'f'
)

// token is one token of an expression.
type token struct {
	kind    kind
	text    string // of a word, without its quotes
	empty   bool   // the word was "": the scheduler's comparisons with it are false
	integer int64
	float   float64
}

// operators are the characters that are tokens by themselves.
const operators = "@!&|=><()*+/^-"

// tokens reads all tokens. What the scheduler's scanner does not know it skips, blanks included.
func tokens(text string) []token {
	var list []token
	for i := 0; i < len(text); {
		rest := text[i:]
		switch c := rest[0]; {
		case letter(c):
			n := 1
			for n < len(rest) && (letter(rest[n]) || digit(rest[n]) || rest[n] == '_') {
				n++
			}
			list = append(list, token{kind: word, text: rest[:n]})
			i += n
		case c == '"':
			n := strings.IndexByte(rest[1:], '"')
			if n < 0 {
				i++ // a lone quote is skipped
				continue
			}
			list = append(list, token{kind: word, text: rest[1 : n+1], empty: n == 0})
			i += n + 2
		case digit(c) || c == '-' && len(rest) > 1 && digit(rest[1]):
			t, n := number(rest)
			list = append(list, t)
			i += n
		case strings.IndexByte(operators, c) >= 0:
			list = append(list, token{kind: kind(c)})
			i++
		default:
			i++
		}
	}
	return list
}

// number reads -?[0-9]+ or -?[0-9]+\.[0-9]+.
func number(text string) (token, int) {
	n := 1
	for n < len(text) && digit(text[n]) {
		n++
	}
	if n+1 < len(text) && text[n] == '.' && digit(text[n+1]) {
		n += 2
		for n < len(text) && digit(text[n]) {
			n++
		}
		f, _ := strconv.ParseFloat(text[:n], 64) // too large is Inf, as with atof
		return token{kind: float, float: f}, n
	}
	v, _ := strconv.ParseInt(text[:n], 10, 64) // too large is the largest: no host has it
	return token{kind: integer, integer: v}, n
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
