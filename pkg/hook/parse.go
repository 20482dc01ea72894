// Package hook turns what a hook executable is given into an Event.
//
// oned hands over a host or a VM in several forms: its ID among the arguments (4.4 to 5.8), a template in base64 among the
// arguments (all versions), or all arguments and the template as one line on stdin (5.10 and later, with ARGUMENTS_STDIN).
// Admins type an ID. Words finds the words, and Parse reads those that are no flags, the same for every executable.
//
// Every error about what was given is an *exitcode.UsageError: one line that also names the fix. What an Event says is a
// hint from the moment the hook was started: only the kind and the ID may be relied on.
package hook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// Kind is the kind of object that an executable works on.
type Kind string

// The kinds of objects that state hooks are called for.
const (
	Host Kind = "host"
	VM   Kind = "VM"
)

// root is the name of the template's outermost element.
func (k Kind) root() string { return strings.ToUpper(string(k)) }

// list is the command that shows an admin the IDs.
func (k Kind) list() string { return "one" + strings.ToLower(string(k)) + " list" }

// fix says what to write into a hook's definition.
func (k Kind) fix() string {
	byID, byTemplate := `"$ID"`, `"$TEMPLATE"`
	if k == Host {
		byID, byTemplate = `"$ID -r n"`, `"$TEMPLATE -r"`
	}
	return fmt.Sprintf("write ARGUMENTS = %s in oned.conf (4.4 to 5.8), ARGUMENTS = %s in a hook of 5.10 and later", byID, byTemplate)
}

// MaxID is the highest object ID: oned keeps IDs in 32 bits with a sign.
const MaxID = math.MaxInt32

// Unknown is the value of a state in an Event that says nothing about it.
const Unknown = -1

// Event is what a hook got about one host or VM. The numbers of the states are OpenNebula's own; Unknown when there is none,
// as with an ID alone. Only templates of 5.10 and later have previous states, and hosts have no LCM states.
type Event struct {
	Kind         Kind   `json:"-"`
	ID           int    `json:"-"`    // 0 to MaxID
	Name         string `json:"name"` // for people: no control characters, at most 256 bytes; "" when not known
	State        int    `json:"state"`
	LCMState     int    `json:"lcm_state"`
	PrevState    int    `json:"prev_state"`
	PrevLCMState int    `json:"prev_lcm_state"`
	FromTemplate bool   `json:"-"` // false: only the ID was given
	Damaged      bool   `json:"-"` // the template is broken somewhere behind its ID
}

// YesNo is the word y or n of the hooks of 4.4: whether VMs that are suspended or powered off are meant as well.
type YesNo string

// The values of YesNo; Unset means that no such word was given.
const (
	Unset YesNo = ""
	Yes   YesNo = "y"
	No    YesNo = "n"
)

// Parse turns the positionals into an Event. They must be exactly one object of the kind, its ID or its template as XML in
// base64, and at most one y, yes, n or no, in any case and order. Base64 may be of the standard or the URL alphabet, with or
// without padding. In the template the first ID directly in the outermost element counts; what is broken behind it only
// sets Damaged.
func Parse(kind Kind, positionals []string) (Event, YesNo, error) {
	var found *Event
	answer := Unset
	for _, word := range positionals {
		yn := yesNo(word)
		if yn != Unset {
			if answer != Unset {
				return Event{}, Unset, usagef("%s and %s given; give one y or n, or none", answer, yn)
			}
			answer = yn
			continue
		}
		if isName(word) && slices.ContainsFunc(positionals, isDigits) {
			return Event{}, Unset, usagef("%s is neither y nor n, which is all that may stand beside the %s ID; give y (suspended and powered-off VMs, too), n, or nothing", shown(word), kind)
		}
		event, err := parseObject(kind, word)
		if err != nil {
			if found != nil && found.FromTemplate && found.Damaged {
				err = usagef("%s; a template must be one word without line breaks (base64 -w0)", err)
			}
			return Event{}, Unset, err
		}
		if found != nil {
			return Event{}, Unset, usagef("%s and %s given; call once for each %s, with its ID or its template", found.source(), event.source(), kind)
		}
		found = &event
	}
	if found == nil {
		other := "$VMID"
		if kind == Host {
			other = "$HID"
		}
		return Event{}, Unset, usagef("no %s ID given: in a hook, %s (oned knows no %s, and no $ID from 5.10 on: the shell makes nothing of them); by hand, give the number that %q shows",
			kind, kind.fix(), other, kind.list())
	}
	return *found, answer, nil
}

// Name reads the positionals of an operator, who may call a host or VM by its name. ok is false for what Parse has to read: an
// ID, a template, what looks like a damaged one, and words of hooks that oned has not expanded. Of a hook no name may be taken.
func Name(kind Kind, positionals []string) (name string, answer YesNo, ok bool) {
	for _, word := range positionals {
		yn := yesNo(word)
		switch {
		case yn != Unset && answer == Unset:
			answer = yn
		case yn != Unset || name != "" || !isName(word):
			return "", Unset, false
		default:
			name = word
		}
	}
	return name, answer, name != ""
}

// isName reports whether a word is neither an ID nor a template, nor meant as one.
func isName(word string) bool {
	if strings.TrimFunc(word, isBlank) == "" || strings.Contains(word, "$") || isDigits(strings.TrimPrefix(word, "-")) || word[0] == '<' {
		return false
	}
	_, junk, _ := decode(word)
	return junk
}

func yesNo(word string) YesNo {
	return map[string]YesNo{"y": Yes, "yes": Yes, "n": No, "no": No}[strings.ToLower(word)]
}

// source says how the object was given.
func (e Event) source() string {
	if e.FromTemplate {
		return fmt.Sprintf("the template of %s %d", e.Kind, e.ID)
	}
	return fmt.Sprintf("%s ID %d", e.Kind, e.ID)
}

// parseObject reads one word that is neither y nor n.
func parseObject(kind Kind, word string) (Event, error) {
	id, isID := number(word)
	digits := strings.TrimPrefix(word, "-")
	switch {
	case isID:
		return newEvent(kind, id), nil
	case strings.TrimFunc(word, isBlank) == "":
		return Event{}, usagef("empty word where the %s ID belongs, as from a variable that oned does not know; %s", kind, kind.fix())
	case strings.Contains(word, "$"):
		return Event{}, usagef("%s was not expanded by oned, which knows $ID and $TEMPLATE (4.4 to 5.8) or only $TEMPLATE (5.10 and later); %s", shown(word), kind.fix())
	case isDigits(word):
		return Event{}, usagef("%s ID %s is too large (the highest is %d); give the number that %q shows", kind, shown(word), MaxID, kind.list())
	case isDigits(digits):
		return Event{}, usagef("%s ID %s is negative; give the number that %q shows", kind, shown(word), kind.list())
	case word[0] == '<':
		return Event{}, usagef("%s looks like XML; give the template in base64 as one word, or the %s ID", shown(word), kind)
	}
	return parseBase64(kind, word)
}

// newEvent is an Event of which only the ID is known.
func newEvent(kind Kind, id int) Event {
	return Event{Kind: kind, ID: id, State: Unknown, LCMState: Unknown, PrevState: Unknown, PrevLCMState: Unknown}
}

// isDigits reports whether the word is a decimal number without sign.
func isDigits(word string) bool { return word != "" && strings.Trim(word, "0123456789") == "" }

// number reads an ID or a state: a decimal number without sign, up to MaxID.
func number(word string) (n int, ok bool) {
	parsed, err := strconv.ParseUint(word, 10, 31)
	return int(parsed), err == nil
}

const (
	maxName   = 256 // bytes of a name that an Event keeps
	longWord  = 64  // from here on, a word in base64 is taken for one on purpose
	shortWord = 12  // "<VM></VM>" in base64; nothing shorter is a template
)

// decode reads a word that is no number: the XML of a template, or where the base64 of one is broken. junk is what was not
// meant as base64.
func decode(word string) (xml string, junk bool, broken base64.CorruptInputError) {
	if len(word) < shortWord {
		return "", true, 0
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(word, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded, err := encoding.DecodeString(strings.TrimRight(word, "=\r\n"))
	switch {
	case errors.As(err, &broken) && looksEncoded(word):
		return "", false, broken + 1
	case err != nil:
		return "", true, 0
	}
	xml = strings.TrimLeftFunc(strings.TrimPrefix(string(decoded), "\ufeff"), isBlank)
	return xml, !strings.HasPrefix(xml, "<") && len(word) < longWord && !looksEncoded(word), 0
}

// parseBase64 reads a word that is no number: a template, or junk.
func parseBase64(kind Kind, word string) (Event, error) {
	switch xml, junk, broken := decode(word); {
	case junk:
		return Event{}, usagef("%s is neither a %s ID nor a template in base64, and a name is taken only at a terminal, neither in a hook nor into a pipe; give the number that %q shows",
			shown(word), kind, kind.list())
	case broken > 0:
		return Event{}, usagef("the template %s is broken base64 at character %d; give it in one piece, as oned gave it, or give the %s ID", shown(word), int64(broken), kind)
	case !strings.HasPrefix(xml, "<"):
		return Event{}, usagef("%s is base64 but holds no XML; give the template of the %s as oned writes it, or the %s ID", shown(word), kind, kind)
	default:
		return parseTemplate(kind, xml)
	}
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
	name := text.Printable(root.Value("NAME"))
	event.Name = strings.ToValidUTF8(name[:min(len(name), maxName)], "") // as a cut may leave it
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
		return Event{}, usagef("the template is cut off or broken before its ID (%s); give it whole, as oned gave it, or give the %s ID", text.Short(cause.Error(), 120), kind)
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
