package hook

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/text"
)

const (
	maxName   = 256 // bytes of a name that an Event keeps
	longWord  = 64  // from here on, a word in base64 is taken for one on purpose
	shortWord = 12  // "<VM></VM>" in base64; nothing shorter is a template
)

// parseBase64 reads a word that is no number: a template, or junk.
func parseBase64(kind Kind, word string) (Event, error) {
	junk := usagef("%s is neither a %s ID nor a template in base64; give the number that %q shows", shown(word), kind, kind.list())
	if len(word) < shortWord {
		return Event{}, junk
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(word, "-_") {
		encoding = base64.RawURLEncoding
	}
	text, err := encoding.DecodeString(strings.TrimRight(word, "=\r\n"))
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) && looksEncoded(word) {
		return Event{}, usagef("the template %s is broken base64 at character %d; give it in one piece, as oned gave it, or give the %s ID", shown(word), int64(corrupt)+1, kind)
	}
	if err != nil {
		return Event{}, junk
	}
	text = cleanXML(text)
	if !bytes.HasPrefix(text, []byte("<")) {
		if len(word) < longWord && !looksEncoded(word) {
			return Event{}, junk
		}
		return Event{}, usagef("%s is base64 but holds no XML; give the template of the %s as oned writes it, or the %s ID", shown(word), kind, kind)
	}
	return parseTemplate(kind, text)
}

// looksEncoded reports whether a word begins as "<" does in base64.
func looksEncoded(word string) bool {
	return len(word) >= 2 && word[0] == 'P' && 'A' <= word[1] && word[1] <= 'P'
}

// cleanXML replaces what XML 1.0 does not allow, control characters and broken
// UTF-8, by U+FFFD, and drops a byte order mark and white space before the text.
// Names and templates are user data that oned passes on as they are.
func cleanXML(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.TrimLeftFunc(text, isBlank)
	return bytes.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xfffe, r == 0xffff:
			return utf8.RuneError
		}
		return r // bytes.Map gives RuneError for broken UTF-8
	}, text)
}

// template collects the direct children of the outermost element.
type template struct {
	kind  Kind
	event Event
	known bool            // the ID was read
	depth int             // of the current element; the outermost one has 1
	child string          // the current direct child, if it is of interest
	text  strings.Builder // its text
	seen  map[string]bool // children that were read; only the first of a name counts
	rest  bool            // the outermost element has ended
}

// parseTemplate reads a cleaned template.
func parseTemplate(kind Kind, text []byte) (Event, error) {
	t := template{kind: kind, event: newEvent(kind, 0), seen: map[string]bool{}}
	t.event.FromTemplate = true
	d := xml.NewDecoder(bytes.NewReader(text))
	// A header may name any encoding; the bytes are UTF-8 by now.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for !t.rest {
		token, err := d.Token()
		if err != nil && !t.known {
			return Event{}, usagef("the template is cut off or broken before its ID (%s); give it whole, as oned gave it, or give the %s ID", oneLine(err), kind)
		}
		if err != nil {
			t.event.Damaged = true
			return t.event, nil
		}
		if err := t.take(token); err != nil {
			return Event{}, err
		}
	}
	if !t.known {
		return Event{}, usagef("the template holds no ID; give the template of the %s as oned writes it, or the %s ID", kind, kind)
	}
	after := bytes.TrimLeftFunc(text[d.InputOffset():], isBlank)
	t.event.Damaged = len(after) > 0
	return t.event, nil
}

// take handles one token.
func (t *template) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.Directive:
		return usagef("the template has a DOCTYPE, which oned never writes; give the template as oned gave it, or the %s ID", t.kind)
	case xml.StartElement:
		t.depth++
		return t.start(token.Name)
	case xml.CharData:
		if t.depth == 2 && t.child != "" {
			t.text.Write(token)
		}
	case xml.EndElement:
		t.depth--
		t.rest = t.depth == 0
		if t.depth == 1 && t.child != "" {
			child := t.child
			t.child = ""
			return t.end(child, strings.TrimSpace(t.text.String()))
		}
	}
	return nil
}

// start handles the beginning of an element.
func (t *template) start(name xml.Name) error {
	switch t.depth {
	case 1:
		if name.Local != t.kind.root() || name.Space != "" {
			return t.wrongRoot(name.Local)
		}
	case 2:
		t.child = ""
		switch name.Local {
		case "ID", "NAME", "STATE", "LCM_STATE", "PREV_STATE", "PREV_LCM_STATE":
			if name.Space == "" {
				t.child = name.Local
				t.text.Reset()
			}
		}
	case 3:
		if t.child == "ID" {
			return usagef("the template's ID holds an element %s instead of a number; give the template as oned gave it, or the %s ID", shown(name.Local), t.kind)
		}
	}
	return nil
}

// end handles a direct child with its text.
func (t *template) end(child, text string) error {
	again := t.seen[child]
	t.seen[child] = true
	if child == "ID" {
		return t.id(text)
	}
	if again {
		return nil
	}
	switch child {
	case "NAME":
		t.event.Name = cleanName(text)
	case "STATE":
		t.event.State = stateNumber(text)
	case "LCM_STATE":
		t.event.LCMState = stateNumber(text)
	case "PREV_STATE":
		t.event.PrevState = stateNumber(text)
	case "PREV_LCM_STATE":
		t.event.PrevLCMState = stateNumber(text)
	}
	return nil
}

// id takes a direct ID. oned writes one, before any user data; a different one
// further down can only come from user data that was not escaped.
func (t *template) id(text string) error {
	id, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil || !isDigits(text):
		return usagef("the template's ID %s is not a number from 0 to %d; give the template as oned gave it, or the %s ID", shown(text), MaxID, t.kind)
	case t.known && t.event.ID != int(id):
		return usagef("the template holds two IDs, %d and %d; give the %s ID instead of the template", t.event.ID, id, t.kind)
	}
	t.event.ID, t.known = int(id), true
	return nil
}

// wrongRoot explains a template of something else.
func (t *template) wrongRoot(root string) error {
	switch root {
	case "HOST", "VM":
		return usagef("this is the template of a %s, but the program works on a %s; set RESOURCE = %s in the hook, or call the program for a %s", root, t.kind, t.kind.root(), root)
	case "CALL_INFO":
		return usagef("this is what an API hook gets, not a template; make it a state hook, TYPE = state, RESOURCE = %s, ARGUMENTS = \"$TEMPLATE …\"", t.kind.root())
	case "HOOK_MESSAGE":
		return usagef("this is an event message of oned, not a template; give only the %s element inside it, or the %s ID", t.kind.root(), t.kind)
	}
	return usagef("the template begins with %s instead of %s; give the template of one %s, or its ID", shown(root), t.kind.root(), t.kind)
}

// stateNumber reads a state; Unknown when it is none.
func stateNumber(text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || !isDigits(text) {
		return Unknown
	}
	return int(n)
}

// cleanName makes a name from the cloud harmless: unprintable characters are escaped, and what is over
// maxName bytes is cut off.
func cleanName(name string) string {
	name = text.Printable(name)
	if len(name) <= maxName {
		return name
	}
	end := maxName
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}
