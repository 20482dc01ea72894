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
	integer int64
	float   float64
}

// operators are the characters that are tokens by themselves.
const operators = "@!&|=><()*+/^-"

// tokens reads all tokens. What the scheduler's scanner does not know it skips, blanks included.
func tokens(text string) []token {
	var list []token
	for text != "" {
		n := 1
		switch c := text[0]; {
		case letter(c):
			for n < len(text) && (letter(text[n]) || digit(text[n]) || text[n] == '_') {
				n++
			}
			list = append(list, token{kind: word, text: text[:n]})
		case c == '"':
			if quoted, _, closed := strings.Cut(text[1:], `"`); closed { // a lone quote is skipped
				n = len(quoted) + 2
				list = append(list, token{kind: word, text: quoted})
			}
		case digit(c) || c == '-' && len(text) > 1 && digit(text[1]):
			var t token
			t, n = number(text)
			list = append(list, t)
		case strings.IndexByte(operators, c) >= 0:
			list = append(list, token{kind: kind(c)})
		}
		text = text[n:]
	}
	return list
}

// number reads -?[0-9]+ or -?[0-9]+\.[0-9]+, and gives its length.
func number(text string) (token, int) {
	after := strings.TrimLeft(text[1:], digits)
	if fraction, found := strings.CutPrefix(after, "."); found && fraction != "" && digit(fraction[0]) {
		n := len(text) - len(strings.TrimLeft(fraction, digits))
		f, _ := strconv.ParseFloat(text[:n], 64) // too large is Inf, as with atof
		return token{kind: float, float: f}, n
	}
	n := len(text) - len(after)
	v, _ := strconv.ParseInt(text[:n], 10, 64) // too large is the largest: no host has it
	return token{kind: integer, integer: v}, n
}

const digits = "0123456789"

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
