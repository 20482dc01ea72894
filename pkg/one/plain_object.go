package one

import "strings"

// plainEach is forEach for a document in the plain form of oned: elements without attributes,
// text, the usual references and CDATA sections. false means that it is not in that form or not
// well, or that f failed, and that nothing of it counts.
func plainEach(document, root, item string, f func(*object) error) bool {
	if !plainCharacters(document) {
		return false
	}
	p := plainObjects{plainReader: plainReader{text: document}, names: map[string]string{}}
	p.space()
	name, empty, ok := p.open()
	if !ok || name != root {
		return false
	}
	if root == item {
		return p.object(name, empty, f) && p.atEnd()
	}
	for !empty {
		p.space()
		if p.close(root) {
			break
		}
		name, empty, ok := p.open()
		if !ok || name != item || !p.object(name, empty, f) {
			return false
		}
	}
	return p.atEnd()
}

// plainObjects reads objects, one after the other into the same elements.
type plainObjects struct {
	plainReader
	names map[string]string
	pool  []*element
	used  int
}

func (p *plainObjects) atEnd() bool {
	p.space()
	return len(p.text) == 0
}

// object reads the rest of an object and passes it on.
func (p *plainObjects) object(name string, empty bool, f func(*object) error) bool {
	p.used = 0
	e := p.element(name)
	return (empty || p.content(e, 0)) && f(&object{element: e}) == nil
}

// element gives one that is not in use.
func (p *plainObjects) element(name string) *element {
	if p.used == len(p.pool) {
		p.pool = append(p.pool, &element{})
	}
	e := p.pool[p.used]
	p.used++
	e.name, e.text, e.children = name, "", e.children[:0]
	return e
}

// open reads a start tag; empty says that the element ends with it.
func (p *plainObjects) open() (name string, empty, ok bool) {
	if len(p.text) < 3 || p.text[0] != '<' || !isLetter(p.text[1]) {
		return "", false, false
	}
	n := 2
	for n < len(p.text) && (isLetter(p.text[n]) || p.text[n] >= '0' && p.text[n] <= '9' || p.text[n] == '-' || p.text[n] == '.') {
		n++
	}
	name = p.name(p.text[1:n])
	p.text = p.text[n:]
	empty = p.word("/")
	return name, empty, p.word(">")
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// name gives the string of a name, of which documents have few: it is kept without the document.
func (p *plainObjects) name(text string) string {
	if name, known := p.names[text]; known {
		return name
	}
	name := strings.Clone(text)
	p.names[name] = name
	return name
}

// close reads the end tag of an element, if it is there.
func (p *plainObjects) close(name string) bool {
	n := len(name) + 3
	if len(p.text) < n || p.text[0] != '<' || p.text[1] != '/' || p.text[n-1] != '>' || p.text[2:n-1] != name {
		return false
	}
	p.text = p.text[n:]
	return true
}

// content reads what is in an element, and its end tag.
func (p *plainObjects) content(e *element, depth int) bool {
	if depth >= maxDepth {
		return false
	}
	var text string
	for {
		at := strings.IndexByte(p.text, '<')
		if at < 0 {
			return false
		}
		if at > 0 {
			raw := p.text[:at]
			if strings.Contains(raw, "]]>") {
				return false // a value that broke out of its section
			}
			more, ok := unescape(raw)
			if !ok {
				return false
			}
			text += more
			p.text = p.text[at:]
		}
		switch {
		case p.close(e.name):
			if len(e.children) == 0 {
				e.text = text
			}
			return true
		case p.word("<![CDATA["):
			end := strings.Index(p.text, "]]>")
			if end < 0 {
				return false
			}
			text += strings.Clone(p.text[:end])
			p.text = p.text[end+len("]]>"):]
		default:
			name, empty, ok := p.open()
			if !ok {
				return false
			}
			child := p.element(name)
			e.children = append(e.children, child)
			if !empty && !p.content(child, depth+1) {
				return false
			}
		}
	}
}
