package requirement

import (
	"slices"
	"strconv"
	"strings"
)

// Eval evaluates the expression for a host or datastore.
func (e Expression) Eval(t Target) Verdict {
	if e.root == nil {
		return Yes
	}
	return e.root.eval(t)
}

// Unknown are the attributes of the expression that are not known of any such host or datastore
// as t, sorted; without any, Eval never gives Unknown.
func (e Expression) Unknown(t Target) []string {
	names := e.root.unknowns(t)
	slices.Sort(names)
	return slices.Compact(names)
}

func (n *node) unknowns(t Target) []string {
	switch {
	case n == nil:
		return nil
	case n.name == "":
		return append(n.left.unknowns(t), n.right.unknowns(t)...)
	case n.unknown(t):
		return []string{n.name}
	}
	return nil
}

// unknown reports whether the value in a comparison is not known.
func (n *node) unknown(t Target) bool {
	if n.current() {
		return n.value.kind != integer // nothing that oned writes, and what the scheduler does with it is chance
	}
	_, known := t.Values(n.name)
	return !known || strings.HasPrefix(n.name, "/") // a path into the XML
}

// current reports whether it is a comparison with CURRENT_VMS.
func (n *node) current() bool { return n.name == currentVMs && n.op != '@' }

func (n *node) eval(t Target) Verdict {
	switch n.op {
	case '&':
		return min(n.left.eval(t), n.right.eval(t))
	case '|':
		return max(n.left.eval(t), n.right.eval(t))
	case '!':
		return Yes - n.left.eval(t)
	}
	if n.unknown(t) {
		return Unknown
	}
	if n.holds(t) {
		return Yes
	}
	return No
}

// holds evaluates a comparison.
func (n *node) holds(t Target) bool {
	if n.current() {
		found := int64(-1)
		if id := n.value.integer; id == int64(int32(id)) && t.HasVM(int(id)) {
			found = id
		}
		return ordered(n.op, float64(found), float64(n.value.integer))
	}
	values, _ := t.Values(n.name)
	if n.value.kind == word {
		return n.matches(values)
	}
	return n.compares(values)
}

// matches compares with a pattern; with "" it is false. Only @> tries all values; the others take the first.
func (n *node) matches(values []string) bool {
	if len(values) == 0 || n.value.text == "" {
		return false
	}
	if n.op == '@' {
		return slices.ContainsFunc(values, func(v string) bool { return match(n.value.text, v) })
	}
	return match(n.value.text, values[0]) == (n.op != '#')
}

// compares compares with a number. Values that do not begin with one do not count.
func (n *node) compares(values []string) bool {
	for _, text := range values {
		v, ok := n.leading(text)
		if ok && (n.op != '@' || v == n.number()) {
			return ordered(n.op, v, n.number())
		}
	}
	return false
}

// number is the value of the comparison. The scheduler compares single precision.
func (n *node) number() float64 {
	if n.value.kind == float {
		return float64(float32(n.value.float))
	}
	return float64(n.value.integer)
}

// leading reads the number that a text begins with, as C++ streams do: a whole one where
// the comparison is with a whole one. A number that does not fit is none.
func (n *node) leading(text string) (float64, bool) {
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	after := text
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		after = text[1:]
	}
	after = strings.TrimLeft(after, digits)
	if n.value.kind == float && strings.HasPrefix(after, ".") {
		after = strings.TrimLeft(after[1:], digits)
	}
	begin := strings.TrimSuffix(text, after)
	if n.value.kind == integer {
		v, err := strconv.ParseInt(begin, 10, 32)
		return float64(v), err == nil
	}
	v, err := strconv.ParseFloat(begin, 32)
	return v, err == nil
}

// ordered compares two numbers.
func ordered(op kind, a, b float64) bool {
	switch op {
	case '<':
		return a < b
	case '>':
		return a > b
	case '#':
		return a != b
	}
	return a == b
}
