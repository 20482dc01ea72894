package one

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/text"
)

// The only reader of oned's XML. It takes what oned writes: elements without attributes, text,
// references and CDATA sections. Values come from users, and oned protects nothing of them, so
//
//   - bytes that are not UTF-8 and characters that XML forbids, raw or as a reference, become U+FFFD;
//   - entities that XML does not know, bare ampersands and a stray "]]>" are text;
//   - comments, directives, instructions and attributes are errors: oned sends none, and they could
//     hide a part of an object.
//
// encoding/xml takes many times as long, and a pool of a thousand hosts has megabytes.

// The limits of what is read: far more than any object of oned nests (VM templates: 6), and more
// than the longest reference that oned writes, ampersand and semicolon included.
const (
	maxDepth     = 64
	maxReference = 12
)

// Parse reads a document that is one element. The error is ErrDamaged.
func Parse(document string) (*Element, error) {
	r := newXMLReader(document)
	e, err := r.element(0)
	if err = cmp.Or(err, r.end()); err != nil {
		return nil, err
	}
	return e, nil
}

// eachElement calls f for each element below the root of a document, in turn, but not for quotas. The
// element is used again for the next one.
func eachElement(document, root, item string, f func(*Element) error) error {
	r := newXMLReader(document)
	name, empty, err := r.open()
	if err != nil {
		return err
	}
	if name != root {
		return damaged("%s where %s belongs", name, root)
	}
	for r.space(); !empty && !r.close(root); r.space() {
		r.used = 0
		e, err := r.element(1)
		if err != nil {
			return err
		}
		switch {
		// one.userpool.info has the quotas of each user behind it (since 4.6), and at the end the default ones
		// (UserPool::dump in src/um/UserPool.cc of 4.4 to 7.4).
		case item == "USER" && (e.name == "QUOTAS" || e.name == "DEFAULT_USER_QUOTAS"):
		case e.name != item:
			return damaged("%s where %s belongs", e.name, item)
		default:
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return r.end()
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, text.Short(fmt.Sprintf(format, args...), 200))
}

// xmlReader holds what is left of a document.
type xmlReader struct {
	rest  string
	names map[string]string // one copy of each name, of which documents have few
	pool  []*Element
	used  int // of the pool
	parts []string
}

func newXMLReader(document string) *xmlReader {
	r := &xmlReader{rest: strings.TrimSpace(sanitize(document)), names: map[string]string{}}
	if strings.HasPrefix(r.rest, "<?xml") {
		_, r.rest, _ = strings.Cut(r.rest, "?>")
		r.space()
	}
	return r
}

// element reads an element and everything in it.
func (r *xmlReader) element(depth int) (*Element, error) {
	name, empty, err := r.open()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, damaged("nested deeper than %d elements", maxDepth)
	}
	e := r.unused(name)
	for !empty {
		chars, err := r.characters()
		if err != nil {
			return nil, err
		}
		if r.close(name) {
			if len(e.children) == 0 {
				e.text = chars
			}
			break
		}
		child, err := r.element(depth + 1)
		if err != nil {
			return nil, err
		}
		e.children = append(e.children, child)
	}
	return e, nil
}

// unused takes an element from the pool.
func (r *xmlReader) unused(name string) *Element {
	if r.used == len(r.pool) {
		r.pool = append(r.pool, &Element{})
	}
	e := r.pool[r.used]
	r.used++
	e.name, e.text, e.children = name, "", e.children[:0]
	return e
}

// open reads a start tag; empty is that of <NAME/>.
func (r *xmlReader) open() (name string, empty bool, err error) {
	end := strings.IndexByte(r.rest, '>')
	if end < 2 || r.rest[0] != '<' {
		return "", false, damaged("cut off, or text where an element belongs")
	}
	tag, empty := strings.CutSuffix(r.rest[1:end], "/")
	r.rest = r.rest[end+1:]
	if name, known := r.names[tag]; known {
		return name, empty, nil
	}
	if tag == "" || strings.ContainsAny(tag, " <!?/\"'=&\t\r\n") {
		return "", false, damaged("<%s> is no plain element", tag)
	}
	name = strings.Clone(tag)
	r.names[name] = name
	return name, empty, nil
}

// close reads the end tag of an element, if it comes next.
func (r *xmlReader) close(name string) bool {
	n := len("</") + len(name)
	if len(r.rest) <= n || r.rest[:2] != "</" || r.rest[2:n] != name || r.rest[n] != '>' {
		return false
	}
	r.rest = r.rest[n+1:]
	return true
}

// characters reads text and CDATA sections up to the next tag.
func (r *xmlReader) characters() (string, error) {
	r.parts = r.parts[:0]
	for {
		at := strings.IndexByte(r.rest, '<')
		if at < 0 {
			return "", damaged("cut off")
		}
		r.parts = append(r.parts, unescape(lineEnds(r.rest[:at])))
		r.rest = r.rest[at:]
		section, found := strings.CutPrefix(r.rest, "<![CDATA[")
		if !found {
			return strings.Join(r.parts, ""), nil
		}
		value, rest, found := strings.Cut(section, "]]>")
		if !found {
			return "", damaged("cut off")
		}
		r.parts, r.rest = append(r.parts, lineEnds(value)), rest
	}
}

func (r *xmlReader) space() { r.rest = strings.TrimLeft(r.rest, " \t\r\n") }

func (r *xmlReader) end() error {
	if r.space(); r.rest != "" {
		return damaged("something behind the end")
	}
	return nil
}

// lineEnds writes line ends as XML readers do. xmlrpc-c writes \r\n between the elements around each document of oned.
func lineEnds(raw string) string {
	if strings.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n")
}

// sanitize replaces the characters that XML forbids. It copies nothing where there are none: answers have many megabytes.
func sanitize(document string) string {
	bad, ascii := false, true
	for i := 0; i < len(document) && !bad; i++ {
		c := document[i]
		bad, ascii = c < 0x20 && c != '\t' && c != '\n' && c != '\r', ascii && c < utf8.RuneSelf
	}
	if !bad && (ascii || utf8.ValidString(document) && !strings.Contains(document, "\uFFFE") && !strings.Contains(document, "\uFFFF")) {
		return document
	}
	return strings.Map(func(r rune) rune {
		if !allowedInXML(r) {
			return utf8.RuneError
		}
		return r
	}, document)
}

// allowedInXML is the Char production of XML 1.0.
func allowedInXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// unescape replaces the references of XML; what is none stays.
func unescape(raw string) string {
	if strings.IndexByte(raw, '&') < 0 {
		return raw
	}
	var b strings.Builder
	b.Grow(len(raw))
	for {
		at := strings.IndexByte(raw, '&')
		if at < 0 {
			b.WriteString(raw)
			return b.String()
		}
		b.WriteString(raw[:at])
		raw = raw[at:]
		name, _, closed := strings.Cut(raw[1:min(len(raw), maxReference)], ";")
		c, known := reference(name)
		if !closed || !known {
			b.WriteByte('&')
			raw = raw[1:]
			continue
		}
		b.WriteRune(c)
		raw = raw[len(name)+2:]
	}
}

// reference gives the character that a reference stands for.
func reference(name string) (c rune, known bool) {
	for i, n := range [...]string{"lt", "gt", "amp", "quot", "apos"} {
		if n == name {
			return rune("<>&\"'"[i]), true
		}
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	base := 10
	if hex := strings.TrimLeft(digits, "xX"); len(hex) == len(digits)-1 {
		digits, base = hex, 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	switch {
	case !isNumber || err != nil:
		return 0, false
	case code > utf8.MaxRune || !allowedInXML(rune(code)):
		return utf8.RuneError, true
	}
	return rune(code), true
}

// Element is an XML element in an answer of oned, with what is below it. Nil is one that is not there: it has no text
// and no children. What its methods give are copies, which do not keep the answer in memory.
type Element struct {
	name, text string // text of one without children
	children   []*Element
}

// Name is its name.
func (e *Element) Name() string {
	if e == nil {
		return ""
	}
	return e.name
}

// Text is its text; "" for one that has children.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	return strings.Clone(e.text)
}

// Children are the elements directly below it.
func (e *Element) Children() []*Element {
	if e == nil {
		return nil
	}
	return e.children
}

// Child gives the first child of that name, or nil.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Children() {
		if c.name == name {
			return c
		}
	}
	return nil
}

// All gives the children of that name.
func (e *Element) All(name string) (all []*Element) {
	for _, c := range e.Children() {
		if c.name == name {
			all = append(all, c)
		}
	}
	return all
}

// Value is the text of the first child of that name.
func (e *Element) Value(name string) string { return e.Child(name).Text() }

// Is reports whether the first child of that name has this text, in capital letters or not.
func (e *Element) Is(name, value string) bool {
	c := e.Child(name)
	return c != nil && strings.EqualFold(c.text, value)
}

// Number is the first child of that name as a whole number; 0 without one, as some versions leave some out.
func (e *Element) Number(name string) int64 {
	n, _ := e.Child(name).number()
	return n
}

// number is the text as a whole number; 0 and false when it is none.
func (e *Element) number() (int64, bool) {
	if e == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(e.text), 10, 64)
	if err != nil {
		return 0, false
	}
	return n, true
}

// IDs are the numbers in the ID elements of a list.
func (e *Element) IDs(list string) (ids []int) {
	for _, c := range e.Child(list).All("ID") {
		if n, ok := c.number(); ok {
			ids = append(ids, int(n))
		}
	}
	return ids
}

// Attributes gives the children that hold plain text and whose name keep takes (all with nil), by
// name; the first of several counts, as in oned.
func (e *Element) Attributes(keep func(name string) bool) map[string]string {
	var m map[string]string
	for _, c := range e.Children() {
		if _, twice := m[c.name]; !twice && len(c.children) == 0 && (keep == nil || keep(c.name)) {
			if m == nil {
				m = map[string]string{}
			}
			m[c.name] = c.Text()
		}
	}
	return m
}

// Require makes sure that these children are there exactly once and are numbers of at most 32 bits.
// The error is ErrDamaged: a value that breaks out of its CDATA section could forge a second one.
func (e *Element) Require(numbers ...string) error {
	for _, name := range numbers {
		if n, ok := e.Child(name).number(); !ok || n != int64(int32(n)) {
			return damaged("%s has no number in %s", e.Name(), name)
		}
	}
	return e.Once(numbers...)
}

// Once makes sure that these children are there at most once. The error is ErrDamaged.
func (e *Element) Once(names ...string) error {
	for _, c := range e.Children() {
		if slices.Contains(names, c.name) && e.Child(c.name) != c {
			return damaged("%s has two %s", e.name, c.name)
		}
	}
	return nil
}
