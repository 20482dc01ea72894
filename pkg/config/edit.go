package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrByHand means that a program cannot put a line into a file, as it is written.
var ErrByHand = errors.New("the file has to be edited by hand")

const fencingKey = "fencing"

// WithFencing is the text of a one-ft.yaml with fencing set to mode: FencingAuto, FencingRequired or
// FencingOff. Every other byte stays: comments, order, blanks, line ends. Where the key is set its
// value is replaced, else it comes after the commented line of the example, at the end, or before the
// first key, whichever leaves all other settings unchanged. An *Error means that
// the text is no valid one-ft.yaml, ErrByHand that none of these places does.
func WithFencing(text []byte, mode string) ([]byte, error) {
	before, err := parse(Name, text, othersNone)
	if err != nil {
		return nil, err
	}
	want := before.Values()
	want.Fencing, want.FencingSet = mode, true
	for _, fresh := range candidates(text, mode) {
		after, err := parse(Name, fresh, othersNone)
		if err == nil && reflect.DeepEqual(after.Values(), want) && reflect.DeepEqual(after.Fence, before.Fence) {
			return fresh, nil
		}
	}
	return nil, fmt.Errorf("%w: %s: %s", ErrByHand, fencingKey, mode)
}

// othersNone is the mode of a file that may hold secrets.
const othersNone = 0o600

// candidates are texts that may set the key, the best first. The caller checks them.
func candidates(text []byte, mode string) (all [][]byte) {
	top, err := onlyDocument(Name, text)
	if err != nil {
		return nil
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	var keys []*yaml.Node // and their values, in turn
	if top != nil && top.Kind == yaml.MappingNode {
		keys = top.Content
	}
	for pair := range slices.Chunk(keys, 2) {
		if pair[0].Value == fencingKey {
			return [][]byte{replaced(lines, pair[1], mode)}
		}
	}
	end := "\n"
	if bytes.Contains(text, []byte("\r\n")) {
		end = "\r\n"
	}
	line := fencingKey + ": " + mode + end
	isExample := func(l []byte) bool {
		return bytes.HasPrefix(l, []byte("#"+fencingKey+":")) && bytes.HasSuffix(l, []byte("\n"))
	}
	if i := slices.IndexFunc(lines, isExample); i >= 0 {
		all = append(all, inserted(lines, i+1, line))
	}
	if len(lines[len(lines)-1]) > 0 { // the last line has no line break
		all = append(all, inserted(lines, len(lines), end+line))
	}
	all = append(all, inserted(lines, len(lines), line))
	if len(keys) > 0 {
		all = append(all, inserted(lines, keys[0].Line-1, strings.Repeat(" ", keys[0].Column-1)+line))
	}
	return all
}

// inserted is the text with a line before the line with that index.
func inserted(lines [][]byte, at int, line string) []byte {
	at = min(at, len(lines)) // YAML breaks lines at more characters
	return bytes.Join(slices.Insert(slices.Clone(lines), at, []byte(line)), nil)
}

// replaced is the text with another value, in quotes or without, in place of a single one.
func replaced(lines [][]byte, value *yaml.Node, mode string) []byte {
	if value.Line > len(lines) { // YAML breaks lines at more characters
		return nil
	}
	line := []rune(string(lines[value.Line-1])) // columns count characters
	from := min(value.Column-1, len(line))
	length := len([]rune(value.Value))
	if value.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		length += 2
	}
	to := min(from+length, len(line))
	fresh := slices.Clone(lines)
	fresh[value.Line-1] = []byte(string(line[:from]) + mode + string(line[to:]))
	return bytes.Join(fresh, nil)
}

// EachValue calls f with each value of a YAML text, and with the key that it stands under, of a value in a list that of the list. A
// text that is no YAML has none.
func EachValue(text []byte, f func(key, value string)) {
	var top yaml.Node
	if yaml.NewDecoder(bytes.NewReader(text)).Decode(&top) == nil {
		eachValue(&top, "", f)
	}
}

func eachValue(n *yaml.Node, key string, f func(key, value string)) {
	switch n.Kind {
	case yaml.ScalarNode:
		f(key, n.Value)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			eachValue(n.Content[i+1], n.Content[i].Value, f)
		}
	case yaml.DocumentNode, yaml.SequenceNode: // an alias would be its anchor's again
		for _, child := range n.Content {
			eachValue(child, key, f)
		}
	}
}
