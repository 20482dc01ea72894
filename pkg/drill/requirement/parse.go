package requirement

import "errors"

// What Parse refuses.
var (
	// ErrSyntax: the scheduler cannot read it either, and places no VM with it.
	ErrSyntax = errors.New("a syntax error")
	// ErrTooComplex: it is longer or nested deeper than any that is written by hand.
	ErrTooComplex = errors.New("too long, or nested too deep")
)

// The limits of an expression. Those that OpenNebula makes itself name one cluster or VM in
// about 20 characters.
const (
	maxLength = 256 << 10 // bytes
	maxDepth  = 1000      // parentheses and exclamation marks
)

// Expression is a requirement that was read. The zero value is met by everything.
type Expression struct {
	root *node
	// Dynamic: it asks which VMs are on the host, so its verdict changes as VMs are placed.
	Dynamic bool
}

// node is a comparison, or an operator with its operands.
type node struct {
	op          kind // '&', '|', '!', or that of a comparison: '=', '#' for !=, '<', '>', '@'
	left, right *node
	name        string
	value       token
}

// Parse reads an expression. The error is ErrSyntax or ErrTooComplex.
func Parse(text string) (Expression, error) {
	if len(text) > maxLength {
		return Expression{}, ErrTooComplex
	}
	p := &parser{tokens: tokens(text)}
	if len(p.tokens) == 0 {
		return Expression{}, nil
	}
	root := p.expression(0)
	if p.err == nil && len(p.tokens) > 0 {
		p.err = ErrSyntax
	}
	if p.err != nil {
		return Expression{}, p.err
	}
	return Expression{root: root, Dynamic: p.dynamic}, nil
}

// parser takes tokens from the front; after an error it takes none.
type parser struct {
	tokens  []token
	dynamic bool
	err     error
}

func (p *parser) peek() kind {
	if p.err != nil || len(p.tokens) == 0 {
		return end
	}
	return p.tokens[0].kind
}

// next takes a token.
func (p *parser) next() token {
	if p.peek() == end {
		p.fail(ErrSyntax)
		return token{}
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// fail keeps the first error.
func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// expression reads terms joined by & and |, from left to right.
func (p *parser) expression(depth int) *node {
	left := p.term(depth)
	for p.peek() == '&' || p.peek() == '|' {
		op := p.next().kind
		left = &node{op: op, left: left, right: p.term(depth)}
	}
	return left
}

// term reads a comparison, or something negated or in parentheses.
func (p *parser) term(depth int) *node {
	if depth > maxDepth {
		p.fail(ErrTooComplex)
	}
	switch p.peek() {
	case '!':
		p.next()
		return &node{op: '!', left: p.term(depth + 1)}
	case '(':
		p.next()
		inner := p.expression(depth + 1)
		p.expect(')')
		return inner
	}
	return p.comparison()
}

// comparison reads NAME, an operator and a value.
func (p *parser) comparison() *node {
	n := &node{name: p.expect(word).text, op: p.next().kind}
	switch n.op {
	case '=', '<', '>':
	case '!':
		n.op = '#'
		p.expect('=')
	case '@':
		p.expect('>')
	default:
		p.fail(ErrSyntax)
	}
	n.value = p.next()
	isNumber := n.value.kind == integer || n.value.kind == float
	if !isNumber && (n.value.kind != word || n.op == '<' || n.op == '>') { // the scheduler orders numbers only
		p.fail(ErrSyntax)
	}
	p.dynamic = p.dynamic || n.name == currentVMs
	return n
}

// expect takes a token of a kind.
func (p *parser) expect(k kind) token {
	t := p.next()
	if t.kind != k {
		p.fail(ErrSyntax)
	}
	return t
}
