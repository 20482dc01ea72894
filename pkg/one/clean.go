package one

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// cleanXML makes XML from oned readable by encoding/xml without changing its
// structure. Values come from users, and neither oned nor kolo/xmlrpc protects
// them; seen from live daemons or by running kolo/xmlrpc (opennebula.md):
//
//   - bytes that are not UTF-8 and characters that XML forbids become U+FFFD,
//     written raw or as a character reference;
//   - entities that XML does not know, and bare ampersands, become text;
//   - a stray "]]>" becomes text (a value in CDATA that itself holds "]]>");
//   - comments disappear and CDATA sections become escaped text, because
//     kolo/xmlrpc silently drops the rest of a string behind either.
//
// The input is returned as it is when there is nothing to do. comments reports
// whether there was one outside of CDATA sections; oned sends none.
func cleanXML(in []byte) (out []byte, comments bool) {
	if !needsCleaning(in) {
		return in, false
	}
	out = make([]byte, 0, len(in)+len(in)/8)
	for i := 0; i < len(in); {
		rest := in[i:]
		switch c := in[i]; {
		case c == '<' && bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end := bytes.Index(rest, []byte("]]>"))
			if end < 0 {
				return append(out, rest...), comments // truncated: the parser will say so
			}
			out = appendText(out, rest[len("<![CDATA["):end])
			i += end + len("]]>")
		case c == '<' && bytes.HasPrefix(rest, []byte("<!--")):
			comments = true
			end := bytes.Index(rest[len("<!--"):], []byte("-->"))
			if end < 0 {
				return append(out, rest...), comments
			}
			i += len("<!--") + end + len("-->")
		case c == '&':
			n, text := reference(rest)
			out = append(out, text...)
			i += n
		case c == ']' && bytes.HasPrefix(rest, []byte("]]>")):
			out = append(out, "]]&gt;"...)
			i += len("]]>")
		default:
			var n int
			out, n = appendRune(out, rest)
			i += n
		}
	}
	return out, comments
}

// needsCleaning reports whether cleanXML would change anything, cheaply for the
// usual answer: plain characters and the five entities of XML.
func needsCleaning(in []byte) bool {
	if !utf8.Valid(in) || bytes.Contains(in, []byte("<!")) || bytes.Contains(in, []byte("]]>")) ||
		bytes.Contains(in, []byte("\xef\xbf\xbe")) || bytes.Contains(in, []byte("\xef\xbf\xbf")) {
		return true
	}
	for i, c := range in {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return true
		}
		if c == '&' {
			if n, text := reference(in[i:]); !bytes.Equal(text, in[i:i+n]) {
				return true
			}
		}
	}
	return false
}

// appendText appends raw text in escaped form.
func appendText(out, text []byte) []byte {
	for i := 0; i < len(text); {
		switch text[i] {
		case '<':
			out = append(out, "&lt;"...)
			i++
		case '>':
			out = append(out, "&gt;"...)
			i++
		case '&':
			out = append(out, "&amp;"...)
			i++
		default:
			var n int
			out, n = appendRune(out, text[i:])
			i += n
		}
	}
	return out
}

// appendRune appends the first rune of in, or U+FFFD when XML 1.0 forbids it,
// and returns how many bytes of in that was.
func appendRune(out, in []byte) ([]byte, int) {
	r, n := utf8.DecodeRune(in)
	if (r == utf8.RuneError && n == 1) || !allowedInXML(r) {
		return append(out, "\uFFFD"...), n
	}
	return append(out, in[:n]...), n
}

// allowedInXML is the Char production of XML 1.0.
func allowedInXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// maxReference is the longest character or entity reference that is looked at,
// ampersand and semicolon included: longer than any of HTML's that oned sends.
const maxReference = 12

// reference reads the reference at the start of in (in[0] is '&') and returns
// its length and what to write in its place.
func reference(in []byte) (int, []byte) {
	end := bytes.IndexByte(in[:min(len(in), maxReference)], ';')
	if end < 2 {
		return 1, []byte("&amp;")
	}
	whole, name := in[:end+1], string(in[1:end])
	switch name {
	case "amp", "lt", "gt", "quot", "apos":
		return len(whole), whole
	}
	if name[0] != '#' {
		return 1, []byte("&amp;")
	}
	digits, base := name[1:], 10
	if len(digits) > 0 && (digits[0] == 'x' || digits[0] == 'X') {
		digits, base = digits[1:], 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil:
		return 1, []byte("&amp;")
	case code > utf8.MaxRune || !allowedInXML(rune(code)):
		return len(whole), []byte("\uFFFD")
	case base == 16 && name[1] == 'X':
		return len(whole), []byte("&#x" + digits + ";") // encoding/xml knows only the small x
	}
	return len(whole), whole
}
