package requirement

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What Parse refuses.
var (
	// ErrSyntax: the scheduler cannot read it either, and places no VM with it.
	ErrSyntax = errors.New("a syntax error")
	// ErrTooComplex: it is longer or nested deeper than any that is written by hand.
	ErrTooComplex = errors.New("too long, or nested too deep")
)

// The limits of an expression. Those that OpenNebula makes itself name one cluster or VM in about 20 characters.
const (
	maxLength = 256 << 10 // bytes
	maxDepth  = 1000      // parentheses and exclamation marks
)

// Expression is a requirement that was read.
type Expression struct {
	Eval        func(Target) Verdict // evaluates it for a host or datastore
	comparisons []*comparison
	// Dynamic: it asks which VMs are on the host, so its verdict changes as VMs are placed.
	Dynamic bool
}

// comparison is NAME, an operator and a value: a pattern or a number.
type comparison struct {
	name, op      string // =, !=, <, >, @>
	pattern       string
	number        float64
	isWord, whole bool // the value is a pattern; it is a whole number
}

// Parse reads an expression. The error is ErrSyntax or ErrTooComplex.
func Parse(text string) (Expression, error) {
	if len(text) > maxLength {
		return Expression{}, ErrTooComplex
	}
	p := &parser{tokens: tokens(text)}
	if len(p.tokens) == 0 { // met by everything
		return Expression{Eval: func(Target) Verdict { return Yes }}, nil
	}
	p.Eval = p.expression(0)
	if p.err == nil && len(p.tokens) > 0 {
		p.err = ErrSyntax
	}
	if p.err != nil {
		return Expression{}, p.err
	}
	return p.Expression, nil
}

// tokens gives names, texts in quotes, numbers and operators. What the scheduler's scanner does not know it skips:
// blanks, a lone quote.
func tokens(text string) []string {
	return regexp.MustCompile(`[A-Za-z][A-Za-z0-9_]*|"[^"]*"|-?[0-9]+(\.[0-9]+)?|[@!&|=><()*+/^-]`).FindAllString(text, -1)
}

// parser takes tokens from the front; after an error it takes none.
type parser struct {
	Expression
	tokens []string
	err    error
}

func (p *parser) peek() (token string) {
	if p.err == nil && len(p.tokens) > 0 {
		token = p.tokens[0]
	}
	return token
}

func (p *parser) next() string {
	token := p.peek()
	if token == "" {
		p.fail(ErrSyntax)
		return ""
	}
	p.tokens = p.tokens[1:]
	return token
}

func (p *parser) fail(err error) { p.err = cmp.Or(p.err, err) }

// expression reads terms joined by & and |, from left to right.
func (p *parser) expression(depth int) func(Target) Verdict {
	left := p.term(depth)
	for op := p.peek(); op == "&" || op == "|"; op = p.peek() {
		p.next()
		a, b := left, p.term(depth)
		left = func(t Target) Verdict { return min(a(t), b(t)) }
		if op == "|" {
			left = func(t Target) Verdict { return max(a(t), b(t)) }
		}
	}
	return left
}

// term reads a comparison, or something negated or in parentheses.
func (p *parser) term(depth int) func(Target) Verdict {
	if depth > maxDepth {
		p.fail(ErrTooComplex)
	}
	switch p.peek() {
	case "!":
		p.next()
		inner := p.term(depth + 1)
		return func(t Target) Verdict { return Yes - inner(t) }
	case "(":
		p.next()
		inner := p.expression(depth + 1)
		if p.next() != ")" {
			p.fail(ErrSyntax)
		}
		return inner
	}
	return p.comparison().eval
}

func (p *parser) comparison() *comparison {
	name, op := p.next(), p.next()
	if op == "!" || op == "@" {
		op += p.next()
	}
	value := p.next()
	c := &comparison{name: strings.Trim(name, `"`), op: op, isWord: isWord(value), whole: !strings.Contains(value, ".")}
	p.comparisons = append(p.comparisons, c)
	p.Dynamic = p.Dynamic || c.name == currentVMs
	operators := []string{"=", "!=", "@>", "<", ">"}
	switch {
	case c.isWord:
		c.pattern = strings.Trim(value, `"`)
		operators = operators[:3] // the scheduler orders numbers only
	case c.whole:
		n, err := strconv.ParseInt(value, 10, 64)
		c.number = float64(n) // too large is the largest: no host has it
		if errors.Is(err, strconv.ErrSyntax) {
			p.fail(ErrSyntax)
		}
	default:
		f, _ := strconv.ParseFloat(value, 64) // too large is Inf, as with atof
		c.number = float64(float32(f))        // the scheduler compares single precision
	}
	if !isWord(name) || !slices.Contains(operators, op) {
		p.fail(ErrSyntax)
	}
	return c
}

// isWord reports whether a token is a name or a text in quotes.
func isWord(token string) bool {
	return token != "" && (token[0] == '"' || token[0]|0x20 >= 'a' && token[0]|0x20 <= 'z')
}
