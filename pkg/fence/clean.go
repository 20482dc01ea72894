package fence

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/text"
)

const (
	maskText = "****" // stands where a secret was
	// shortSecret is the length below which a secret may be a part of any word, so that masking would show what it is.
	// Such text is withheld as a whole.
	shortSecret = 4
	maxSaid     = 400 // characters of the output of a program; agents say what is wrong in one line
)

// masker hides the secrets of a host in whatever form a program may print them.
type masker struct {
	forms   []string // longest first
	short   []string
	longest int // bytes
}

// newMasker knows the secret parameters of all devices.
func newMasker(devices []Device) masker {
	var m masker
	for _, d := range devices {
		for name, secret := range d.Params {
			switch {
			case !SecretParam(name) || secret == "":
			case len(secret) < shortSecret:
				m.short = append(m.short, secret)
			default:
				m.forms = append(m.forms, SecretForms(secret)...)
			}
		}
	}
	slices.SortFunc(m.forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	m.forms = slices.Compact(m.forms)
	if len(m.forms) > 0 {
		m.longest = len(m.forms[0])
	}
	return m
}

// fromHost is a device that only has the secrets of a host template: a command gets them with the XML and may print them.
func fromHost(host Host) Device {
	d := Device{Params: map[string]string{}}
	for name, value := range host.Template {
		if strings.HasPrefix(strings.ToUpper(name), "FENCE_") {
			d.Params[name] = value
		}
	}
	return d
}

// SecretForms are the ways in which programs print a secret: as it is, quoted for a shell, for Python, Go, JSON, a URL,
// HTML or a regular expression, and encoded, as in the header of an HTTP request.
func SecretForms(secret string) []string {
	quoted := strconv.Quote(secret)
	ascii := strconv.QuoteToASCII(secret)
	inJSON, _ := json.Marshal(secret) // of a string: cannot fail
	python := strings.ReplaceAll(secret, `\`, `\\`)
	// Shells and regular expressions put a backslash before everything but letters, digits and _.
	escaped := regexp.MustCompile(`[^\w\x{80}-\x{10FFFF}]`).ReplaceAllString(secret, `\$0`)
	forms := []string{
		secret, quoted[1 : len(quoted)-1], ascii[1 : len(ascii)-1], string(inJSON[1 : len(inJSON)-1]),
		url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		strings.ReplaceAll(secret, `'`, `'"'"'`), strings.ReplaceAll(secret, `'`, `'\''`),
		python, strings.ReplaceAll(python, `'`, `\'`),
		escaped, text.Printable(secret), hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	return append(forms, base64Forms(secret)...)
}

// base64Forms are what a secret looks like inside of something encoded in base64, such as an HTTP header or the XML that a
// command is given: three ways, by its place modulo 3. Only characters that depend on nothing but the secret count.
func base64Forms(secret string) []string {
	var forms []string
	for before := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			forms = append(forms, text[(before*8+5)/6:(before+len(secret))*8/6])
		}
	}
	return forms
}

// mask withholds text with a short secret in it, and replaces every form of the others.
func (m masker) mask(s string) string {
	if slices.ContainsFunc(m.short, func(secret string) bool { return strings.Contains(s, secret) }) {
		return "(withheld, because it may contain a secret)"
	}
	return m.maskLong(s)
}

// maskLong replaces every form of every secret that is not short, also where they overlap. It is enough for text that no
// program printed.
func (m masker) maskLong(s string) string {
	hidden := make([]bool, len(s))
	for _, form := range m.forms {
		for i := range len(s) {
			if strings.HasPrefix(s[i:], form) {
				for j := range form {
					hidden[i+j] = true
				}
			}
		}
	}
	var b strings.Builder
	for i := range len(s) {
		switch {
		case !hidden[i]:
			b.WriteByte(s[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString(maskText)
		}
	}
	return b.String()
}

// clean masks text and makes it printable.
func (m masker) clean(s string) string { return m.mask(text.Printable(m.mask(s))) }

// said is the output of a program in one line of bounded length.
func (m masker) said(output string, cutOff bool) string {
	if cutOff { // maybe in a secret
		output = output[:max(0, len(output)-m.longest)] + "\n…"
	}
	var lines []string
	for line := range strings.Lines(m.mask(output)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := []rune(m.clean(strings.Join(lines, " / ")))
	if len(text) > maxSaid {
		half := maxSaid / 2
		return string(text[:half]) + " … " + string(text[len(text)-half:])
	}
	return string(text)
}
