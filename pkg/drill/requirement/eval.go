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

// Unknown are the attributes of the expression that cannot be told of any such host or datastore
// as t, sorted; without any, Eval never gives Unknown.
func (e Expression) Unknown(t Target) []string {
	var names []string
	var walk func(*node)
	walk = func(n *node) {
		switch {
		case n == nil:
		case n.name == "":
			walk(n.left)
			walk(n.right)
		case n.unknown(t):
			names = append(names, n.name)
		}
	}
	walk(e.root)
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown reports whether what a comparison asks for cannot be told.
func (n *node) unknown(t Target) bool {
	if n.name == currentVMs && n.op != '@' {
		return n.value.kind != integer // nothing that oned writes, and what the scheduler does with it is chance
	}
	_, known := t.Values(n.name)
	return !known || strings.HasPrefix(n.name, "/") // a path into the XML
}

func (n *node) eval(t Target) Verdict {
	switch n.op {
	case '&':
		return and(n.left.eval(t), n.right.eval(t))
	case '|':
		return or(n.left.eval(t), n.right.eval(t))
	case '!':
		return not(n.left.eval(t))
	}
	if n.unknown(t) {
		return Unknown
	}
	if n.name == currentVMs && n.op != '@' {
		return n.current(t)
	}
	values, _ := t.Values(n.name)
	if n.value.kind == word {
		return of(n.matches(values))
	}
	return of(n.compares(values))
}

// current evaluates a comparison with CURRENT_VMS.
func (n *node) current(t Target) Verdict {
	found := int64(-1)
	if id := n.value.integer; id == int64(int32(id)) && t.HasVM(int(id)) {
		found = id
	}
	return of(ordered(n.op, float64(found), float64(n.value.integer)))
}

// matches compares with a pattern. Only @> looks at all values; the others take the first.
func (n *node) matches(values []string) bool {
	if len(values) == 0 || n.value.empty {
		return false
	}
	switch n.op {
	case '@':
		return slices.ContainsFunc(values, func(v string) bool { return match(n.value.text, v) })
	case '#':
		return !match(n.value.text, values[0])
	}
	return match(n.value.text, values[0])
}

// compares compares with a number. Values that do not begin with one do not count.
func (n *node) compares(values []string) bool {
	for _, text := range values {
		v, ok := n.leading(text)
		switch {
		case !ok:
			continue
		case n.op == '@':
			if v == n.number() {
				return true
			}
			continue
		}
		return ordered(n.op, v, n.number())
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
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	start := i
	for i < len(text) && digit(text[i]) {
		i++
	}
	if n.value.kind == float && i < len(text) && text[i] == '.' {
		for i++; i < len(text) && digit(text[i]); i++ {
		}
	}
	if strings.Trim(text[start:i], ".") == "" {
		return 0, false
	}
	if n.value.kind == integer {
		v, err := strconv.ParseInt(text[:i], 10, 32)
		return float64(v), err == nil
	}
	v, err := strconv.ParseFloat(text[:i], 32)
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
