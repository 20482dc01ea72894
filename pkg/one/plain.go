package one

import (
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// oned writes nearly all of its XML in one plain form, which is read here in one pass, many
// times as fast as by encoding/xml: a pool of a thousand hosts has megabytes. Whatever is not
// in that form, or is not well, is left to the readers that know all of XML and say what is
// wrong. What is read here is what they would have read (FuzzPlain).

// plainAnswer reads the value of a successful call: a string that is not empty, or a number.
func plainAnswer(body []byte) (value any, ok bool) {
	// No copy: nobody writes into body any more, and nothing that is returned is a part of it.
	p := plainReader{text: unsafe.String(unsafe.SliceData(body), len(body))}
	if p.word("<?xml version=\"1.0\" encoding=\"UTF-8\"?>") {
		p.space()
	}
	for _, tag := range []string{"<methodResponse>", "<params>", "<param>", "<value>", "<array>", "<data>", "<value>", "<boolean>1</boolean>", "</value>", "<value>"} {
		if !p.word(tag) {
			return nil, false
		}
		p.space()
	}
	switch {
	case p.word("<string>"):
		text, plain := p.characters()
		if !plain || text == "" || !p.word("</string>") {
			return nil, false
		}
		value = text
	case p.word("<i4>"):
		n, plain := p.number()
		if !plain || !p.word("</i4>") {
			return nil, false
		}
		value = n
	default:
		return nil, false
	}
	for _, tag := range []string{"</value>", "<value>", "<i4>0</i4>", "</value>", "</data>", "</array>", "</value>", "</param>", "</params>", "</methodResponse>"} {
		p.space()
		if !p.word(tag) {
			return nil, false
		}
	}
	p.space()
	return value, len(p.text) == 0
}

// plainReader is what is left to be read.
type plainReader struct{ text string }

// word skips a word, if it is there.
func (p *plainReader) word(w string) bool {
	rest, found := strings.CutPrefix(p.text, w)
	p.text = rest
	return found
}

// space skips white space.
func (p *plainReader) space() {
	for len(p.text) > 0 && (p.text[0] == ' ' || p.text[0] == '\n' || p.text[0] == '\r' || p.text[0] == '\t') {
		p.text = p.text[1:]
	}
}

// number reads a whole number that int32 holds.
func (p *plainReader) number() (n int64, ok bool) {
	end := strings.IndexByte(p.text, '<')
	if end < 1 || end > len("-2147483648") {
		return 0, false
	}
	n, err := strconv.ParseInt(p.text[:end], 10, 32)
	p.text = p.text[end:]
	return n, err == nil && n >= 0
}

// characters reads text up to the next tag.
func (p *plainReader) characters() (text string, ok bool) {
	end := strings.IndexByte(p.text, '<')
	if end < 0 || !plainCharacters(p.text[:end]) {
		return "", false
	}
	raw := p.text[:end]
	p.text = p.text[end:]
	return unescape(raw)
}

// unescape replaces the references that oned uses: it escapes every tag of an object. The text is
// always a new one.
func unescape(raw string) (text string, ok bool) {
	var b strings.Builder
	b.Grow(len(raw))
	for {
		at := strings.IndexByte(raw, '&')
		if at < 0 {
			b.WriteString(raw)
			return b.String(), true
		}
		b.WriteString(raw[:at])
		raw = raw[at:]
		c, n := plainReference(raw)
		if n == 0 {
			return "", false
		}
		b.WriteByte(c)
		raw = raw[n:]
	}
}

// plainReference reads the reference that text begins with, and gives its length; 0 for one
// that oned does not use.
func plainReference(text string) (c byte, n int) {
	for _, r := range [...]struct {
		c    byte
		name string
	}{{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&apos;"}, {'\r', "&#x0d;"}} {
		if strings.HasPrefix(text, r.name) {
			return r.c, len(r.name)
		}
	}
	return 0, 0
}

// plainCharacters reports whether all characters are ones that XML allows and that no reader
// changes, as a carriage return is.
func plainCharacters(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c < 0x20 && c != '\t' && c != '\n' {
			return false
		}
	}
	return utf8.ValidString(text) && !strings.Contains(text, "\xef\xbf\xbe") && !strings.Contains(text, "\xef\xbf\xbf")
}
