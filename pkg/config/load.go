package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Load reads the configuration file that somebody named, which has to be there, or the usual one. If that is not there
// it gives the zero File; a link that leads nowhere is an error. Every error is an *Error.
func Load(named, usual string) (File, error) { return load(named, usual, File{}, parse) }

// load is Load for a parser; none is what a missing file means.
func load[T any](named, usual string, none T, parse func(path string, text []byte, mode fs.FileMode) (T, error)) (T, error) {
	value, err := read(cmp.Or(named, usual), parse)
	if named == "" && errors.Is(err, fs.ErrNotExist) {
		if _, missing := os.Lstat(usual); errors.Is(missing, fs.ErrNotExist) {
			return none, nil
		}
	}
	return value, err
}

// read reads a regular file of at most MaxSize bytes with the parser of its kind. It checks the mode of
// the open file, so nobody can exchange it in between, and it never waits for a pipe.
func read[T any](path string, parse func(path string, text []byte, mode fs.FileMode) (T, error)) (value T, err error) {
	fail := func(err error, format string, args ...any) (T, error) {
		return value, &Error{File: path, Problem: fmt.Sprintf(format, args...), Err: err}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fail(err, "cannot be read: %v", cause(err))
	}
	defer f.Close()
	var text []byte
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		text, err = io.ReadAll(io.LimitReader(f, MaxSize+1))
	}
	switch {
	case err != nil:
		return fail(err, "cannot be read: %v", cause(err))
	case info.IsDir():
		return fail(nil, "a directory, not a file")
	case !info.Mode().IsRegular():
		return fail(nil, "not a regular file")
	case len(text) > MaxSize:
		return fail(nil, "larger than %d bytes", MaxSize)
	}
	return parse(path, text, info.Mode())
}

// cause is what the operating system said, without the path.
func cause(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// parse reads the text of a one-ft.yaml with this mode.
func parse(path string, text []byte, mode fs.FileMode) (File, error) {
	f := File{Path: path}
	if err := readText(path, text, mode, f.read); err != nil {
		return File{}, err
	}
	return f, nil
}

// Mode bits of files.
const (
	othersAll   fs.FileMode = 0o007
	othersWrite fs.FileMode = 0o002
	groupWrite  fs.FileMode = 0o020
)

// readText calls read with the top of the only document in a text with this mode, unless it sets
// nothing.
func readText(path string, text []byte, mode fs.FileMode, read func(node) error) error {
	if mode&othersWrite != 0 {
		return &Error{File: path, Problem: fmt.Sprintf("mode %04o lets everybody write it, and it names programs to run", mode.Perm()),
			Allowed: "a file after chmod o-w"}
	}
	doc := &document{file: path}
	switch {
	case mode&othersAll != 0:
		doc.exposed = fmt.Sprintf("others have access to (mode %04o)", mode.Perm())
	case mode&groupWrite != 0:
		doc.exposed = fmt.Sprintf("its group may write (mode %04o)", mode.Perm())
	}
	if err := checkText(path, text); err != nil {
		return err
	}
	top, err := onlyDocument(path, text)
	if err != nil || top == nil {
		return err
	}
	n := node{doc: doc, line: top.Line, yaml: top}
	if err := n.noReferences(top); err != nil || n.isNull() {
		return err
	}
	return read(n)
}

// checkText finds what makes a text no YAML, with a better message than the parser.
func checkText(path string, text []byte) error {
	if bytes.HasPrefix(text, []byte("\uFEFF")) {
		return &Error{File: path, Line: 1, Problem: "a byte order mark", Allowed: "UTF-8 without one"}
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		fail := func(problem, allowed string) error {
			return &Error{File: path, Line: number, Problem: problem, Allowed: allowed}
		}
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		switch {
		case !utf8.Valid(line):
			return fail("not UTF-8", "UTF-8")
		case bytes.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
			return fail("a control character", "printable text")
		case bytes.ContainsRune(indent, '\t'):
			return fail("a tab at the beginning of the line", "spaces")
		}
	}
	return nil
}

// onlyDocument parses the text, which must hold one document or none; then it
// returns nil.
func onlyDocument(path string, text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(path, text, err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, &Error{File: path, Line: second.Line, Problem: "a second document", Allowed: "one document, with no more than one line ---"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(path, text, err)
	}
	if len(first.Content) == 0 {
		return nil, nil
	}
	return first.Content[0], nil
}

// References in YAML, and how to write texts that look like them.
const (
	noAliases = `aliases (*) are not allowed; a text that begins with * needs quotes, such as "*"`
	noAnchors = `anchors (&) are not allowed; a text that begins with & needs quotes`
	noTags    = `tags (!) are not allowed; a text that begins with ! needs quotes`
)

// noReferences refuses anchors, and with them aliases, and tags: nothing here needs them, and they
// make a small file large or a value mean something else.
func (n node) noReferences(y *yaml.Node) error {
	n.line = y.Line
	switch {
	case y.Anchor != "":
		return n.wrong("", "%s", noAnchors)
	case y.Style&yaml.TaggedStyle != 0:
		return n.wrong("", "%s", noTags)
	}
	for _, child := range y.Content {
		if err := n.noReferences(child); err != nil {
			return err
		}
	}
	return nil
}

// syntaxError makes an Error of the message of the parser, which names no line for the
// first one, and none for an alias.
func syntaxError(path string, text []byte, err error) error {
	line, problem := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if found := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(problem); found != nil {
		line, _ = strconv.Atoi(found[1])
		problem = found[2]
	}
	problem = "not valid YAML: " + problem
	switch {
	case strings.Contains(problem, "unknown anchor '"): // the name may be a secret
		_, alias, _ := strings.Cut(problem, "'")
		alias, _, _ = strings.Cut(alias, "'")
		line, problem = lineOf(text, "*"+alias), noAliases
	case strings.Contains(problem, "did not find expected alphabetic or numeric character"):
		problem = `not valid YAML: a text that begins with * or & needs quotes, such as "*"`
	case strings.Contains(problem, "cannot start any token"):
		problem = "not valid YAML: a tab, or a text that begins with @, ` or % and needs quotes"
	case strings.Contains(problem, "mapping values are not allowed"):
		problem = "not valid YAML: wrong indentation, or a text with a colon and a space that needs quotes"
	}
	return &Error{File: path, Line: line, Problem: problem}
}

// lineOf returns the first line that has s outside of a whole-line comment, or 0.
func lineOf(text []byte, s string) int {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if !bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) && bytes.Contains(line, []byte(s)) {
			return number
		}
	}
	return 0
}
