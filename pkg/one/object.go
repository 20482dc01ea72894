package one

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// element is one XML element of an object, with what is below it.
type element struct {
	name     string
	text     string
	children []*element
}

// readElement reads the rest of the element that start has opened. It goes no
// deeper than maxDepth levels.
func readElement(dec *xml.Decoder, start xml.StartElement, depth int) (*element, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("elements nested deeper than %d", maxDepth)
	}
	e := &element{name: start.Name.Local}
	var text []byte
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			child, err := readElement(dec, t, depth+1)
			if err != nil {
				return nil, err
			}
			e.children = append(e.children, child)
		case xml.CharData:
			text = append(text, t...)
		case xml.ProcInst, xml.Directive:
			return nil, errMarkup
		case xml.EndElement:
			if len(e.children) == 0 {
				e.text = string(text)
			}
			return e, nil
		}
	}
}

// errMarkup refuses what oned never sends, and what could hide a part of an object
// from the reader: somebody has put it into a value.
var errMarkup = errors.New("a comment, directive or instruction among the elements")

// maxDepth is far more than any object of oned nests (VM templates: 6).
const maxDepth = 64

// child gives the first child of that name, or nil.
func (e *element) child(name string) *element {
	if e == nil {
		return nil
	}
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// value gives the text of the first child of that name, or "".
func (e *element) value(name string) string {
	if c := e.child(name); c != nil {
		return c.text
	}
	return ""
}

// attributes gives the children that hold plain text, by name; the first of
// several wins, as in oned.
func (e *element) attributes() map[string]string {
	if e == nil {
		return nil
	}
	m := make(map[string]string, len(e.children))
	for _, c := range e.children {
		if _, twice := m[c.name]; !twice && len(c.children) == 0 {
			m[c.name] = c.text
		}
	}
	return m
}

// object is an element together with the first error found in it, so that a
// reader can ask for many values and check once.
type object struct {
	*element
	err error
}

// fail keeps the first error.
func (o *object) fail(format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
	}
}

// integer reads a number that every version sends; without it the object is
// damaged. So it is with two of them: a value of a user that breaks out of its
// CDATA section could forge the second.
func (o *object) integer(name string) int {
	found := ""
	if c := o.single(name); c != nil {
		found = c.text
	}
	n, err := strconv.ParseInt(strings.TrimSpace(found), 10, 32)
	if err != nil {
		o.fail("%s has no number in %s", o.name, name)
	}
	return int(n)
}

// optional reads a number that some versions leave out; 0 without it.
func (o *object) optional(name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(o.value(name)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// single makes sure that there is at most one such child.
func (o *object) single(name string) *element {
	found := o.child(name)
	for _, c := range o.children {
		if c.name == name && c != found {
			o.fail("%s has two %s", o.name, name)
		}
	}
	return found
}

// objects reads a document whose root holds objects (a pool) or, with root == item, is one
// object, and parses each.
func objects[T any](document, root, item string, parse func(*object) (T, error)) (all []T, err error) {
	keep := func(o *object) error {
		v, err := parse(o)
		if err == nil {
			all = append(all, v)
		}
		return err
	}
	if plainEach(document, root, item, keep) {
		return all, nil
	}
	all = nil
	err = forEach(document, root, item, keep)
	return all, err
}

// forEach reads a document whose root holds objects (a pool) or, with root ==
// item, is one object, and calls f for each of them in turn.
func forEach(document, root, item string, f func(*object) error) error {
	clean, comments := cleanXML([]byte(document))
	if comments {
		return fmt.Errorf("%w: %w", ErrDamaged, errMarkup)
	}
	dec := xml.NewDecoder(bytes.NewReader(clean))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	opened := false
	for {
		tok, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && opened:
			return nil
		case err != nil:
			return unreadable(err)
		}
		start, ok := tok.(xml.StartElement)
		switch {
		case !ok && blank(tok, opened):
			continue
		case !ok:
			return fmt.Errorf("%w: text or markup between objects", ErrDamaged)
		case !opened && start.Name.Local != root:
			return fmt.Errorf("%w: %s where %s belongs", ErrDamaged, Printable(start.Name.Local), Printable(root))
		case !opened && root != item:
			opened = true
			continue
		case opened && root == item || start.Name.Local != item:
			return fmt.Errorf("%w: unexpected %s", ErrDamaged, Printable(start.Name.Local))
		}
		opened = true
		e, err := readElement(dec, start, 0)
		if err != nil {
			return unreadable(err)
		}
		if err := f(&object{element: e}); err != nil {
			return err
		}
	}
}

// unreadable is the error of the decoder, which quotes what it read as it is.
func unreadable(err error) error {
	if text := err.Error(); Printable(text) != text {
		return fmt.Errorf("%w: %s", ErrDamaged, Printable(text))
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// blank reports whether a token between objects is one that oned sends there: an
// end, white space, or the XML declaration before everything.
func blank(tok xml.Token, opened bool) bool {
	switch t := tok.(type) {
	case xml.EndElement:
		return true
	case xml.CharData:
		return len(bytes.TrimSpace(t)) == 0
	case xml.ProcInst:
		return !opened && t.Target == "xml"
	}
	return false
}
