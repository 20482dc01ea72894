package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the file that is being read.
type document struct {
	file    string // path
	exposed string // what is wrong with its mode for secrets; "" when it may hold some
}

// place is a node of a document, with the path of keys that leads to it.
type place struct {
	doc  *document
	key  string
	line int // of the key, where there is one
	node *yaml.Node
}

// fields are the keys that a mapping may have, and what reads their values.
type fields map[string]func(place) error

// wrong makes the error for this place.
func (p place) wrong(allowed, format string, args ...any) error {
	return &Error{File: p.doc.file, Line: p.line, Key: p.key, Problem: fmt.Sprintf(format, args...), Allowed: allowed}
}

// kind says what the node is; never its content, which may be a secret.
func (p place) kind() string {
	switch {
	case p.node.Kind == yaml.MappingNode:
		return "a mapping"
	case p.node.Kind == yaml.SequenceNode:
		return "a list"
	case p.node.Tag == "!!null":
		return "no value"
	}
	return "a single value"
}

// scalar returns the text of a single value as it is written, without its quotes.
func (p place) scalar(allowed string) (string, error) {
	switch {
	case p.node.Kind != yaml.ScalarNode || p.node.Tag == "!!null":
		return "", p.wrong(allowed, "%s", p.kind())
	case !allPrintable(p.node.Value):
		return "", p.wrong(allowed, "a character that cannot be printed")
	}
	return p.node.Value, nil
}

// mapping reads a mapping and returns its keys with their places. Errors come in the
// order of the file.
func (p place) mapping(known fields) (map[string]place, error) {
	names := slices.Sorted(maps.Keys(known))
	seen := make(map[string]place)
	err := p.pairs("a mapping with "+orList(names), func(name string, value place) error {
		read, ok := known[name]
		if !ok {
			return p.unknown(name, names, value.line)
		}
		seen[name] = value
		return read(value)
	})
	return seen, err
}

// pairs calls read for each key of a mapping and refuses keys that are given twice.
func (p place) pairs(allowed string, read func(name string, value place) error) error {
	if p.node.Kind != yaml.MappingNode {
		return p.wrong(allowed, "%s", p.kind())
	}
	lines := make(map[string]int)
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		key, value := p.node.Content[i], p.node.Content[i+1]
		child := place{doc: p.doc, key: join(p.key, key.Value), line: key.Line, node: value}
		if key.Kind != yaml.ScalarNode {
			return place{p.doc, p.key, key.Line, key}.wrong("a word", "a key that is %s", place{node: key}.kind())
		}
		if first, twice := lines[key.Value]; twice {
			return child.wrong("", "given twice, first in line %d", first)
		}
		lines[key.Value] = key.Line
		if err := read(key.Value, child); err != nil {
			return err
		}
	}
	return nil
}

// unknown is the error for a key that there is not.
func (p place) unknown(name string, names []string, line int) error {
	p.line = line
	shown := name
	if end := strings.IndexFunc(name, func(r rune) bool { return !wordRune(r) }); end >= 0 {
		// What follows may be a value, and a secret, when the space after a colon is missing.
		shown = name[:end]
	}
	if shown == "" {
		return p.wrong(orList(names), "a key that is not a word")
	}
	problem := fmt.Sprintf("unknown key %q", shortened(shown))
	if near := nearest(name, names); near != "" {
		return p.wrong("", "%s; did you mean %q?", problem, near)
	}
	return p.wrong(orList(names), "%s", problem)
}

// isEmptyList reports whether the node is [].
func (p place) isEmptyList() bool {
	return p.node.Kind == yaml.SequenceNode && len(p.node.Content) == 0
}

// items calls read for each item of a list, which must not be empty.
func (p place) items(allowed string, read func(place) error) error {
	if p.node.Kind != yaml.SequenceNode {
		return p.wrong(allowed, "%s", p.kind())
	}
	if p.isEmptyList() {
		return p.wrong(allowed, "an empty list")
	}
	for i, node := range p.node.Content {
		if err := read(place{p.doc, fmt.Sprintf("%s[%d]", p.key, i), node.Line, node}); err != nil {
			return err
		}
	}
	return nil
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// orList is "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// shortened bounds what an error quotes.
func shortened(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// wordRune reports whether names of keys, levels, agents and parameters may have r.
func wordRune(r rune) bool {
	return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// isWord reports whether s is one or more of those.
func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !wordRune(r) })
}

// nearest returns the word that s was probably meant to be, or "".
func nearest(s string, words []string) string {
	if len(s) > 32 {
		return ""
	}
	s = strings.ReplaceAll(strings.ToLower(s), "-", "_")
	best, least := "", 0
	for _, word := range words {
		d := distance(s, word)
		if d <= (len(word)+1)/3 && (best == "" || d < least) {
			best, least = word, d
		}
	}
	return best
}

// distance is how many bytes have to be put in, taken out or replaced to make a of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
