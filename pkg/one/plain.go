package one

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// oned writes nearly all of its XML in one plain form, which is read here in one pass, many
// times as fast as by encoding/xml: a pool of a thousand hosts has megabytes. Whatever is not
// in that form, or is not well, is left to the readers that know all of XML and say what is
// wrong. What is read here is what they would have read (FuzzPlain).

// plainAnswer reads the value of a successful call: a string that is not empty, or a number.
func plainAnswer(body []byte) (value any, ok bool) {
	p := plainReader{text: body}
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
type plainReader struct{ text []byte }

// word skips a word, if it is there.
func (p *plainReader) word(w string) bool {
	if len(p.text) < len(w) || string(p.text[:len(w)]) != w {
		return false
	}
	p.text = p.text[len(w):]
	return true
}

// space skips white space.
func (p *plainReader) space() {
	for len(p.text) > 0 && (p.text[0] == ' ' || p.text[0] == '\n' || p.text[0] == '\r' || p.text[0] == '\t') {
		p.text = p.text[1:]
	}
}

// number reads a whole number that int32 holds.
func (p *plainReader) number() (n int64, ok bool) {
	end := bytes.IndexByte(p.text, '<')
	if end < 1 || end > len("-2147483648") {
		return 0, false
	}
	n, err := strconv.ParseInt(string(p.text[:end]), 10, 32)
	p.text = p.text[end:]
	return n, err == nil && n >= 0
}

// characters reads text up to the next tag.
func (p *plainReader) characters() (text string, ok bool) {
	end := bytes.IndexByte(p.text, '<')
	if end < 0 || !plainCharacters(p.text[:end]) {
		return "", false
	}
	raw := p.text[:end]
	p.text = p.text[end:]
	return unescape(raw)
}

// unescape replaces the references that oned uses: it escapes every tag of an object.
func unescape(raw []byte) (text string, ok bool) {
	var b strings.Builder
	b.Grow(len(raw))
	for {
		at := bytes.IndexByte(raw, '&')
		if at < 0 {
			b.Write(raw)
			return b.String(), true
		}
		b.Write(raw[:at])
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
func plainReference(text []byte) (c byte, n int) {
	for _, r := range [...]struct {
		c    byte
		name string
	}{{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&apos;"}, {'\r', "&#x0d;"}} {
		if len(text) >= len(r.name) && string(text[:len(r.name)]) == r.name {
			return r.c, len(r.name)
		}
	}
	return 0, 0
}

// plainCharacters reports whether all characters are ones that XML allows and that no reader
// changes, as a carriage return is.
func plainCharacters(text []byte) bool {
	for _, c := range text {
		if c < 0x20 && c != '\t' && c != '\n' {
			return false
		}
	}
	return utf8.Valid(text) && !bytes.Contains(text, []byte("\xef\xbf\xbe")) && !bytes.Contains(text, []byte("\xef\xbf\xbf"))
}
