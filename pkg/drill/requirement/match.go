package requirement

import "strings"

// match is fnmatch(3) without flags: * for any text (slashes, too), ? for one character, [a-z] and [!a-z] for one of
// several, \ for the next character literally. Its time is at most the product of both lengths.
func match(pattern, text string) bool {
	p, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, resume = p, t
			p++
			continue
		}
		if n, ok := matchOne(pattern[p:], text[t]); ok {
			p += n
			t++
			continue
		}
		if star < 0 {
			return false
		}
		resume++
		p, t = star+1, resume
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// matchOne matches the first element of a pattern, which is not *, with one byte, and gives the length of the element.
func matchOne(pattern string, c byte) (int, bool) {
	if pattern == "" {
		return 0, false
	}
	switch pattern[0] {
	case '?':
		return 1, true
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
		return 1, false
	case '[':
		if n, ok := bracket(pattern, c); n > 0 {
			return n, ok
		}
	}
	return 1, pattern[0] == c
}

// bracket matches [...]; its length is 0 when no bracket closes it: then it is a plain [.
func bracket(pattern string, c byte) (int, bool) {
	i, found := 1, false
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := i; i < len(pattern) && (pattern[i] != ']' || i == first); i++ {
		low := pattern[i]
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		found = found || low <= c && c <= high
	}
	if i >= len(pattern) {
		return 0, false
	}
	return i + 1, found != negated
}
