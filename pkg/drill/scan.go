package drill

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/one"
)

// element is one element of a pool. Its texts are parts of the document.
type element struct {
	name, text string
	children   []element
}

// errDamaged is an answer that is no pool of oned's.
var errDamaged = errors.New("the answer is damaged")

// maxNesting is far more than any object of oned nests.
const maxNesting = 32

// eachObject calls f for every object of a pool. It reads the XML that oned writes: elements without
// attributes, text, CDATA; anything else is damage. It is several times as quick as encoding/xml,
// and takes bytes that are no UTF-8 as they are: names are made printable later.
func eachObject(document, root, item string, f func(*element) error) error {
	s := &scanner{text: document}
	s.skipDeclaration()
	name, empty, err := s.open()
	if err != nil || name != root {
		return fmt.Errorf("%w: no %s", errDamaged, root)
	}
	for !empty && !s.closes(root) {
		name, leaf, err := s.open()
		if err != nil {
			return err
		}
		if name != item {
			return fmt.Errorf("%w: %s among the objects", errDamaged, printable(name))
		}
		e := element{name: name}
		if !leaf {
			if err := s.fill(&e, 0); err != nil {
				return err
			}
		}
		if err := f(&e); err != nil {
			return err
		}
	}
	if strings.TrimSpace(s.text) != "" {
		return fmt.Errorf("%w: text behind the pool", errDamaged)
	}
	return nil
}

// scanner holds what is left of a document.
type scanner struct{ text string }

func (s *scanner) skipDeclaration() {
	s.text = strings.TrimSpace(s.text)
	if strings.HasPrefix(s.text, "<?xml") {
		_, s.text, _ = strings.Cut(s.text, "?>")
	}
}

// open reads a start tag; empty is that of <NAME/>.
func (s *scanner) open() (name string, empty bool, err error) {
	s.text = strings.TrimLeft(s.text, " \t\r\n")
	end := strings.IndexByte(s.text, '>')
	if end < 2 || s.text[0] != '<' {
		return "", false, fmt.Errorf("%w: text or an end where an element belongs", errDamaged)
	}
	name = s.text[1:end]
	s.text = s.text[end+1:]
	name, empty = strings.CutSuffix(name, "/")
	if name == "" || strings.ContainsAny(name, " <!?/\"'=\t\r\n") {
		return "", false, fmt.Errorf("%w: something that is no element", errDamaged)
	}
	return name, empty, nil
}

// closes takes the end tag of an element, if it comes next.
func (s *scanner) closes(name string) bool {
	rest, found := strings.CutPrefix(strings.TrimLeft(s.text, " \t\r\n"), "</")
	if !found || !strings.HasPrefix(rest, name) || !strings.HasPrefix(rest[len(name):], ">") {
		return false
	}
	s.text = rest[len(name)+1:]
	return true
}

// fill reads what is in an element, and its end tag.
func (s *scanner) fill(e *element, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("%w: nested too deep", errDamaged)
	}
	for {
		if err := s.characters(e); err != nil {
			return err
		}
		if s.closes(e.name) {
			return nil
		}
		name, empty, err := s.open()
		if err != nil {
			return err
		}
		child := element{name: name}
		if !empty {
			if err := s.fill(&child, depth+1); err != nil {
				return err
			}
		}
		e.children = append(e.children, child)
	}
}

// characters takes text and CDATA sections up to the next tag. White space between
// elements is no text.
func (s *scanner) characters(e *element) error {
	for {
		at := strings.IndexByte(s.text, '<')
		if at < 0 {
			return fmt.Errorf("%w: it ends within %s", errDamaged, printable(e.name))
		}
		if text := s.text[:at]; strings.TrimSpace(text) != "" {
			e.text += unescape(text)
		}
		s.text = s.text[at:]
		section, found := strings.CutPrefix(s.text, "<![CDATA[")
		if !found {
			return nil
		}
		end := strings.Index(section, "]]>")
		if end < 0 {
			return fmt.Errorf("%w: it ends within %s", errDamaged, printable(e.name))
		}
		e.text += section[:end]
		s.text = section[end+len("]]>"):]
	}
}

// unescape replaces the references of XML; what is none stays as it is.
func unescape(text string) string {
	if strings.IndexByte(text, '&') < 0 {
		return text
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, closed := strings.Cut(after[:min(len(after), 12)], ";")
		r, known := reference(name)
		if !closed || !known {
			b.WriteByte('&')
			text = after
			continue
		}
		b.WriteRune(r)
		text = rest + after[min(len(after), 12):]
	}
}

// reference gives the character that a reference stands for.
func reference(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, found := strings.CutPrefix(name, "#")
	base := 10
	if hex, is := strings.CutPrefix(digits, "x"); is {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !found || err != nil {
		return 0, false
	}
	if !utf8.ValidRune(rune(n)) || n > utf8.MaxRune {
		return utf8.RuneError, true
	}
	return rune(n), true
}

// printable bounds and cleans what an error quotes.
func printable(s string) string { return one.Printable(s[:min(len(s), 40)]) }

// child gives the first child of that name, or nil.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for i := range e.children {
		if e.children[i].name == name {
			return &e.children[i]
		}
	}
	return nil
}

// value gives the text of the first child of that name.
func (e *element) value(name string) string {
	if c := e.child(name); c != nil {
		return c.text
	}
	return ""
}

// number gives a child as a whole number, 0 without it.
func (e *element) number(name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(e.value(name)), 10, 64)
	return n
}

// ids gives the ID children of a list.
func (e *element) ids(name string) []int {
	list := e.child(name)
	if list == nil {
		return nil
	}
	ids := make([]int, 0, len(list.children))
	for _, c := range list.children {
		if n, err := strconv.Atoi(strings.TrimSpace(c.text)); err == nil && c.name == "ID" {
			ids = append(ids, n)
		}
	}
	return ids
}

// once makes sure that these children exist at most once, and the first of them, the ID, is
// a number: a value that breaks out of its CDATA section could forge another.
func (e *element) once(names ...string) error {
	if _, err := strconv.ParseUint(strings.TrimSpace(e.value(names[0])), 10, 31); err != nil {
		return fmt.Errorf("%w: %s without a number in %s", errDamaged, printable(e.name), names[0])
	}
	for _, name := range names {
		n := 0
		for i := range e.children {
			if e.children[i].name == name {
				n++
			}
		}
		if n > 1 {
			return fmt.Errorf("%w: %s %s has two %s", errDamaged, e.name, printable(e.value(names[0])), name)
		}
	}
	return nil
}
