package requirement

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Unknown are the attributes of the expression that are not known, sorted; without any, Eval never gives Unknown of
// a Target that knows the others.
func (e Expression) Unknown(known func(name string) bool) (names []string) {
	for _, c := range e.comparisons {
		if c.unknown(known(c.name)) {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown reports whether the comparison cannot be evaluated, when its attribute is known or not.
func (c *comparison) unknown(known bool) bool {
	if c.current() {
		return c.isWord || !c.whole // nothing that oned writes, and what the scheduler does with it is chance
	}
	return !known || strings.HasPrefix(c.name, "/") // a path into the XML
}

// current reports whether it is a comparison with CURRENT_VMS.
func (c *comparison) current() bool { return c.name == currentVMs && c.op != "@>" }

func (c *comparison) eval(t Target) Verdict {
	values, known := t.Values(c.name)
	holds := false
	switch {
	case c.unknown(known):
		return Unknown
	case c.current():
		found := -1.0
		if c.number >= 0 && c.number <= math.MaxInt32 && t.HasVM(int(c.number)) {
			found = c.number
		}
		holds = c.ordered(found)
	case !c.isWord:
		holds = c.compares(values)
	case len(values) == 0 || c.pattern == "":
	case c.op == "@>": // tries all values; the others take the first
		holds = slices.ContainsFunc(values, func(v string) bool { return match(c.pattern, v) })
	default:
		holds = match(c.pattern, values[0]) == (c.op == "=")
	}
	if holds {
		return Yes
	}
	return No
}

// compares compares with a number. Values that do not begin with one do not count.
func (c *comparison) compares(values []string) bool {
	for _, text := range values {
		v, ok := c.leading(text)
		if ok && (c.op != "@>" || v == c.number) {
			return c.ordered(v)
		}
	}
	return false
}

// leading reads the number that a text begins with, as C++ streams do: a whole one where
// the comparison is with a whole one. A number that does not fit is none.
func (c *comparison) leading(text string) (float64, bool) {
	const digits = "0123456789"
	text = strings.TrimLeft(text, " \t\n\v\f\r")
	after := text
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		after = text[1:]
	}
	after = strings.TrimLeft(after, digits)
	if !c.whole && strings.HasPrefix(after, ".") {
		after = strings.TrimLeft(after[1:], digits)
	}
	begin := strings.TrimSuffix(text, after)
	if c.whole {
		v, err := strconv.ParseInt(begin, 10, 32)
		return float64(v), err == nil
	}
	v, err := strconv.ParseFloat(begin, 32)
	return v, err == nil
}

func (c *comparison) ordered(v float64) bool {
	switch c.op {
	case "<":
		return v < c.number
	case ">":
		return v > c.number
	case "!=":
		return v != c.number
	}
	return v == c.number
}
