package hook

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"one-ft/pkg/one"
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
	decoded, err := encoding.DecodeString(strings.TrimRight(word, "=\r\n"))
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) && looksEncoded(word) {
		return Event{}, usagef("the template %s is broken base64 at character %d; give it in one piece, as oned gave it, or give the %s ID", shown(word), int64(corrupt)+1, kind)
	}
	if err != nil {
		return Event{}, junk
	}
	xml := strings.TrimLeftFunc(strings.TrimPrefix(string(decoded), "\ufeff"), isBlank)
	if !strings.HasPrefix(xml, "<") {
		if len(word) < longWord && !looksEncoded(word) {
			return Event{}, junk
		}
		return Event{}, usagef("%s is base64 but holds no XML; give the template of the %s as oned writes it, or the %s ID", shown(word), kind, kind)
	}
	return parseTemplate(kind, xml)
}

// looksEncoded reports whether a word begins as "<" does in base64.
func looksEncoded(word string) bool {
	return len(word) >= 2 && word[0] == 'P' && 'A' <= word[1] && word[1] <= 'P'
}

// parseTemplate reads a template. Names and attributes are user data that oned passes on as they are: they can damage it,
// but its ID stands before them.
func parseTemplate(kind Kind, xml string) (Event, error) {
	root, err := one.Parse(xml)
	if err != nil {
		return damagedTemplate(kind, xml, err)
	}
	if root.Name() != kind.root() {
		return Event{}, kind.wrongRoot(root.Name())
	}
	ids := root.All("ID")
	if len(ids) == 0 {
		return Event{}, usagef("the template holds no ID; give the template of the %s as oned writes it, or the %s ID", kind, kind)
	}
	event, err := templateEvent(kind, ids[0].Text())
	if err != nil {
		return Event{}, err
	}
	// oned writes one; a different one can only come from user data that was not escaped.
	if i := slices.IndexFunc(ids, func(id *one.Element) bool { return id.Text() != ids[0].Text() }); i > 0 {
		return Event{}, usagef("the template holds two IDs, %d and %s; give the %s ID instead of the template", event.ID, shown(ids[i].Text()), kind)
	}
	event.Name = cleanName(root.Value("NAME"))
	event.State, event.LCMState = stateNumber(root, "STATE"), stateNumber(root, "LCM_STATE")
	event.PrevState, event.PrevLCMState = stateNumber(root, "PREV_STATE"), stateNumber(root, "PREV_LCM_STATE")
	return event, nil
}

// damagedTemplate reads a template that is broken somewhere: oned writes the ID first.
func damagedTemplate(kind Kind, xml string, cause error) (Event, error) {
	root, rest, _ := strings.Cut(xml[1:], ">")
	id, _, found := strings.Cut(strings.TrimPrefix(strings.TrimLeftFunc(rest, isBlank), "<ID>"), "</ID>")
	switch {
	case root != kind.root() && root != "" && !strings.ContainsAny(root, "<!?"):
		return Event{}, kind.wrongRoot(root)
	case root != kind.root() || !found || !isDigits(id):
		return Event{}, usagef("the template is cut off or broken before its ID (%s); give it whole, as oned gave it, or give the %s ID", oneLine(cause), kind)
	}
	event, err := templateEvent(kind, id)
	event.Damaged = err == nil
	return event, err
}

// templateEvent is an Event with the ID of a template.
func templateEvent(kind Kind, text string) (Event, error) {
	text = strings.TrimSpace(text)
	id, ok := number(text)
	if !ok {
		return Event{}, usagef("the template's ID %s is not a number from 0 to %d; give the template as oned gave it, or the %s ID", shown(text), MaxID, kind)
	}
	event := newEvent(kind, id)
	event.FromTemplate = true
	return event, nil
}

// wrongRoot explains a template of something else.
func (k Kind) wrongRoot(root string) error {
	switch root {
	case "HOST", "VM":
		return usagef("this is the template of a %s, but the program works on a %s; set RESOURCE = %s in the hook, or call the program for a %s", root, k, k.root(), root)
	case "CALL_INFO":
		return usagef("this is what an API hook gets, not a template; make it a state hook, TYPE = state, RESOURCE = %s, ARGUMENTS = \"$TEMPLATE …\"", k.root())
	case "HOOK_MESSAGE":
		return usagef("this is an event message of oned, not a template; give only the %s element inside it, or the %s ID", k.root(), k)
	}
	return usagef("the template begins with %s instead of %s; give the template of one %s, or its ID", shown(root), k.root(), k)
}

// stateNumber reads a state; Unknown when it is none.
func stateNumber(root *one.Element, name string) int {
	if n, ok := number(root.Value(name)); ok {
		return n
	}
	return Unknown
}

// cleanName makes a name from the cloud harmless: unprintable characters are escaped, and what is over maxName bytes is cut
// off.
func cleanName(name string) string {
	name = text.Printable(name)
	return strings.ToValidUTF8(name[:min(len(name), maxName)], "")
}
