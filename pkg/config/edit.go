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
func candidates(text []byte, mode string) [][]byte {
	d, err := draftOf(text)
	if err != nil {
		return nil
	}
	if _, value := d.setting(fencingKey); value != nil {
		return [][]byte{replaced(d.lines, value, mode)}
	}
	return d.added(fencingKey, fencingKey+": "+mode, func(int) int { return 1 })
}

// draft is a text that is to be edited.
type draft struct {
	lines [][]byte     // with their ends
	keys  []*yaml.Node // at the top, and their values, in turn
	end   string       // of new lines
}

func draftOf(text []byte) (draft, error) {
	top, err := onlyDocument(Name, text)
	d := draft{lines: bytes.SplitAfter(text, []byte("\n")), end: "\n"}
	if err == nil && top != nil && top.Kind == yaml.MappingNode {
		d.keys = top.Content
	}
	if bytes.Contains(text, []byte("\r\n")) {
		d.end = "\r\n"
	}
	return d, err
}

// setting is a key at the top with its value; nil where it is not set.
func (d draft) setting(name string) (key, value *yaml.Node) {
	for pair := range slices.Chunk(d.keys, 2) {
		if pair[0].Value == name {
			return pair[0], pair[1]
		}
	}
	return nil, nil
}

// added are texts with a key that is not set, the best first: behind its commented example, of which as many lines are skipped as
// skip says of the index of the first; at the end; before the first key. The lines of the setting are separated by line breaks.
func (d draft) added(key, setting string, skip func(line int) int) (all [][]byte) {
	block := func(indent int) string {
		blank := strings.Repeat(" ", indent)
		return blank + strings.ReplaceAll(setting, "\n", d.end+blank) + d.end
	}
	isExample := func(l []byte) bool {
		return bytes.HasPrefix(l, []byte("#"+key+":")) && bytes.HasSuffix(l, []byte("\n"))
	}
	if i := slices.IndexFunc(d.lines, isExample); i >= 0 {
		all = append(all, inserted(d.lines, i+skip(i), block(0)))
	}
	if len(d.lines[len(d.lines)-1]) > 0 { // the last line has no line break
		all = append(all, inserted(d.lines, len(d.lines), d.end+block(0)))
	}
	all = append(all, inserted(d.lines, len(d.lines), block(0)))
	if len(d.keys) > 0 {
		all = append(all, inserted(d.lines, d.keys[0].Line-1, block(d.keys[0].Column-1)))
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
