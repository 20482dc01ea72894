// Package support makes what an admin sends with a bug report fit to be sent: it hides secrets, replaces names and addresses by
// others that are the same in all files, and puts the files into one archive. It knows nothing of what is in them.
package support

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/fence"
	"one-ft/pkg/text"
)

// Hidden stands where a secret was.
const Hidden = "<secret>"

// shortest is how many characters a secret or a name has at least that is looked for anywhere: a shorter one is a part of any text.
const (
	shortestSecret = 4
	shortestName   = 2
)

// The kinds of names. A pseudonym is the kind and a number, such as <host-3>.
const (
	Host     = "host"
	VM       = "vm"
	User     = "user"
	FrontEnd = "front-end"
	Domain   = "domain"
	Address  = "address"
)

// Mask hides secrets, names and addresses. The zero Mask knows none, and hides addresses and what has the name of a secret all the
// same. What is hidden has to be named before the first Text, or names would stay in what was masked before.
type Mask struct {
	forms  []string
	secret *strings.Replacer
	given  map[string]string // pseudonyms by names in lower case, however they may be written
	most   int               // words of the name that has the most
	number map[string]int    // the last number of each kind
}

// known are names that tell nothing: they are the same in every cloud.
var known = text.Pattern(`^(?i:oneadmin|serveradmin|root|nobody|localhost|localhost\.localdomain|default|http|https|one|oned|hosts?|vms?|users?|\d*)$`)

// Secret hides a secret wherever it stands, in every form in which programs print one.
func (m *Mask) Secret(secret string) {
	if len(secret) >= shortestSecret {
		m.forms = append(m.forms, fence.SecretForms(secret)...)
		m.secret = nil
	}
}

// Name replaces a name wherever it stands as a word. A name with dots, of a machine, gives its first part the same pseudonym, and what
// is behind that one of a domain. A name that was given one keeps it.
func (m *Mask) Name(kind, name string) {
	const cell, column = 60, 40 // characters at which names are cut off in tables and lists
	name = strings.TrimFunc(name, func(r rune) bool { return !isWord(r) })
	pseudonym := m.pseudonym(kind, name)
	if pseudonym == "" {
		return
	}
	inJSON, _ := json.Marshal(name) // of a string: cannot fail
	for _, written := range []string{name, text.Printable(name), string(inJSON[1 : len(inJSON)-1])} {
		m.add(written, pseudonym)
		for _, cut := range []int{cell, column} {
			if utf8.RuneCountInString(written) > cut {
				m.add(string([]rune(written)[:cut]), pseudonym)
			}
		}
	}
	if _, err := netip.ParseAddr(name); kind != Host && kind != FrontEnd || err == nil {
		return
	}
	if first, domain, whole := strings.Cut(name, "."); whole {
		if _, had := m.given[strings.ToLower(first)]; !had && !known().MatchString(first) {
			m.given[strings.ToLower(first)] = pseudonym
		}
		m.Name(kind, first)
		m.Name(Domain, domain)
	}
}

// pseudonym is that of a name; "" for one that need not be hidden, or is no word.
func (m *Mask) pseudonym(kind, name string) string {
	lower := strings.ToLower(name)
	if known().MatchString(name) || utf8.RuneCountInString(name) < shortestName {
		return ""
	}
	if m.given == nil {
		m.given, m.number = map[string]string{}, map[string]int{}
	}
	if m.given[lower] == "" {
		m.number[kind]++
		m.given[lower] = fmt.Sprintf("<%s-%d>", kind, m.number[kind])
	}
	return m.given[lower]
}

// add looks for a name as it may be written.
func (m *Mask) add(name, pseudonym string) {
	name = strings.ToLower(strings.TrimFunc(name, func(r rune) bool { return !isWord(r) }))
	if m.given[name] == "" && name != "" {
		m.given[name] = pseudonym
	}
	m.most = max(m.most, len(strings.FieldsFunc(name, func(r rune) bool { return !isWord(r) })))
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordEnd is where the word ends with which a text begins.
func wordEnd(s string) int {
	if end := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) }); end >= 0 {
		return end
	}
	return len(s)
}

// dotted is an address of IPv4 with whatever behind it.
var dotted = text.Pattern(`^\d{1,3}(?:\.\d{1,3}){3}`)

var (
	// What has the name of a secret, with its value: password: x, "token": "x", --secret=x.
	keyed = text.Pattern(`(?i)([a-z0-9_-]*(?:passw|passphrase|secret|token|community|hexadecimal_kg|api_?key|private_?key)[a-z0-9_-]*)("?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}"']+)`)
	// Who asks, in a URL.
	asked = text.Pattern(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s"'@]+@`)
)

// Text is a text without secrets, names and addresses.
func (m *Mask) Text(s string) string {
	if m.secret == nil {
		slices.SortFunc(m.forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
		var pairs []string
		for _, form := range slices.Compact(m.forms) {
			if form != "" {
				pairs = append(pairs, form, Hidden)
			}
		}
		m.secret = strings.NewReplacer(pairs...)
	}
	s = m.secret.Replace(s)
	s = keyed().ReplaceAllStringFunc(s, func(found string) string {
		part := keyed().FindStringSubmatch(found)
		if !fence.SecretParam(part[1]) { // the name of a file that has it
			return found
		}
		return part[1] + part[2] + Hidden
	})
	return m.words(asked().ReplaceAllString(s, "${1}"+Hidden+"@"))
}

// words replaces names and addresses.
func (m *Mask) words(s string) string {
	var b strings.Builder
	before := ' '
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if length, shown := m.at(s[i:], before, r); length > 0 {
			b.WriteString(shown)
			i += length
			before = '>'
			continue
		}
		b.WriteString(s[i : i+size])
		i += size
		before = r
	}
	return b.String()
}

// at is the length of the name or address with which a text begins, and what stands for it; 0 for none. before and first are the
// characters around its begin.
func (m *Mask) at(s string, before, first rune) (length int, shown string) {
	if !isWord(first) && first != ':' {
		return 0, ""
	}
	if unicode.IsDigit(first) && !unicode.IsDigit(before) && before != '.' || !isWord(before) && before != ':' && before != '.' {
		if length, shown = m.address(s); length > 0 {
			return length, shown
		}
	}
	if isWord(before) {
		return 0, ""
	}
	// The longest name counts: it ends with one of the next words.
	for end, n := 0, 0; n < m.most && end < len(s); n++ {
		begin := end
		for r, size := utf8.DecodeRuneInString(s[begin:]); begin < len(s) && !isWord(r) && r != '\n'; r, size = utf8.DecodeRuneInString(s[begin:]) {
			begin += size
		}
		if end = begin + wordEnd(s[begin:]); end == begin {
			break
		}
		if pseudonym := m.given[strings.ToLower(s[:end])]; pseudonym != "" {
			length, shown = end, pseudonym
		}
	}
	return length, shown
}

// address is the length of the address with which a text begins, of IPv4, IPv6 or Ethernet, and its pseudonym; those of a machine
// itself, such as 127.0.0.1, stay.
func (m *Mask) address(s string) (length int, shown string) {
	end := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF:.", r) })
	if end < 0 {
		end = len(s)
	}
	run := strings.TrimRight(s[:end], ".:")
	const ethernet = 17 // 02:00:c0:a8:00:01
	if len(run) == ethernet && strings.Count(run, ":") == 5 {
		return ethernet, m.pseudonym(Address, run)
	}
	for _, may := range []string{s[:end], run, run[:max(strings.LastIndexByte(run, ':'), 0)], dotted().FindString(run)} { // the last two with more behind it
		a, err := netip.ParseAddr(may)
		if err != nil {
			continue
		}
		if a.IsLoopback() || a.IsUnspecified() {
			return len(may), may
		}
		return len(may), m.pseudonym(Address, a.String())
	}
	return 0, ""
}
