package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"one-ft/pkg/text"
)

type document struct {
	file    string // path
	exposed string // what is wrong with its mode for secrets; "" when it may hold some
}

// node is a value in a document, with the path of keys that leads to it.
type node struct {
	doc  *document
	key  string
	line int // of the key, where there is one
	yaml *yaml.Node
}

// setting is a key that a mapping may have.
type setting struct {
	key   string
	read  func(node) error
	check func() error // what is wrong with the value, wherever it comes from
}

type table []setting

// mapping reads a mapping and returns its keys with their values. Errors come in the order of the file.
func (n node) mapping(known table) (map[string]node, error) {
	var names []string
	for _, s := range known {
		names = append(names, s.key)
	}
	slices.Sort(names)
	seen := make(map[string]node)
	err := n.pairs("a mapping with "+orList(names), func(name string, value node) error {
		i := slices.IndexFunc(known, func(s setting) bool { return s.key == name })
		if i < 0 {
			return n.unknown(name, names, value.line)
		}
		seen[name] = value
		return known[i].read(value)
	})
	return seen, err
}

// pairs calls read for each key of a mapping and refuses keys that are given twice.
func (n node) pairs(allowed string, read func(name string, value node) error) error {
	if n.yaml.Kind != yaml.MappingNode {
		return n.wrong(allowed, "%s", n.kind())
	}
	lines := make(map[string]int)
	for pair := range slices.Chunk(n.yaml.Content, 2) {
		key, name := pair[0], pair[0].Value
		if key.Kind != yaml.ScalarNode {
			return node{n.doc, n.key, key.Line, key}.wrong("a word", "a key that is %s", node{yaml: key}.kind())
		}
		path := name
		if n.key != "" {
			path = n.key + "." + name
		}
		value := node{n.doc, path, key.Line, pair[1]}
		if first, twice := lines[name]; twice {
			return value.wrong("", "given twice, first in line %d", first)
		}
		lines[name] = key.Line
		if err := read(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (n node) unknown(name string, names []string, line int) error {
	n.line = line
	shown := name
	if end := strings.IndexFunc(name, func(r rune) bool { return !wordRune(r) }); end >= 0 {
		// What follows may be a value, and a secret, when the space after a colon is missing.
		shown = name[:end]
	}
	if shown == "" {
		return n.wrong(orList(names), "a key that is not a word")
	}
	if near := text.Nearest(name, names); near != "" {
		return n.wrong("", "unknown key %s; did you mean %q?", text.Quote(shown, maxQuoted), near)
	}
	return n.wrong(orList(names), "unknown key %s", text.Quote(shown, maxQuoted))
}

// items calls read for each item of a list, which must not be empty.
func (n node) items(allowed string, read func(node) error) error {
	switch {
	case n.yaml.Kind != yaml.SequenceNode:
		return n.wrong(allowed, "%s", n.kind())
	case n.isEmptyList():
		return n.wrong(allowed, "an empty list")
	}
	for i, item := range n.yaml.Content {
		if err := read(node{n.doc, fmt.Sprintf("%s[%d]", n.key, i), item.Line, item}); err != nil {
			return err
		}
	}
	return nil
}

func (n node) isEmptyList() bool { return n.yaml.Kind == yaml.SequenceNode && len(n.yaml.Content) == 0 }

func (n node) isNull() bool { return n.yaml.Tag == "!!null" }

// kind describes the node, never its content, which may be a secret.
func (n node) kind() string {
	switch {
	case n.yaml.Kind == yaml.MappingNode:
		return "a mapping"
	case n.yaml.Kind == yaml.SequenceNode:
		return "a list"
	case n.isNull():
		return "no value"
	}
	return "a single value"
}

// wrong makes the error for this node.
func (n node) wrong(allowed, format string, args ...any) error {
	return &Error{File: n.doc.file, Line: n.line, Key: n.key, Problem: fmt.Sprintf(format, args...), Allowed: allowed}
}

// contradiction is the error for two keys of a mapping, at the later one.
func contradiction(seen map[string]node, a, b, allowed string) error {
	if seen[a].line < seen[b].line {
		a, b = b, a
	}
	return seen[a].wrong(allowed, "contradicts %s in line %d", b, seen[b].line)
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// maxQuoted is how many characters an error quotes.
const maxQuoted = 60

// wordRune reports whether names of keys, levels and hosts may have r.
func wordRune(r rune) bool {
	return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !wordRune(r) })
}
