package one

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// tokens reads a document with encoding/xml and writes its structure and text down.
// CDATA sections are text to it, and comments nothing.
func tokens(document []byte) (string, error) {
	dec := xml.NewDecoder(bytes.NewReader(document))
	var b, text strings.Builder
	for {
		tok, err := dec.Token()
		switch e := tok.(type) {
		case xml.CharData:
			text.Write(e)
			continue
		case xml.Comment:
			continue
		case xml.StartElement:
			fmt.Fprintf(&b, "%q<%s>", text.String(), e.Name.Local)
		case xml.EndElement:
			fmt.Fprintf(&b, "%q</>", text.String())
		}
		text.Reset()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}

func cleaned(s string) string {
	out, _ := cleanXML([]byte(s))
	return string(out)
}

func TestCleanXML(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "<a>b &amp; &lt; &gt; &quot; &apos; &#65; &#x41;\t\r\n</a>", "<a>b &amp; &lt; &gt; &quot; &apos; &#65; &#x41;\t\r\n</a>"},
		{"CDATA", "<a><![CDATA[x<y&z>]]></a>", "<a>x&lt;y&amp;z&gt;</a>"},
		{"empty CDATA", "<a><![CDATA[]]></a>", "<a></a>"},
		{"brackets in CDATA", "<a><![CDATA[x]]]></a>", "<a>x]</a>"},
		{"end of CDATA in CDATA", "<a><![CDATA[x]]>y]]></a>", "<a>xy]]&gt;</a>"},
		{"comment", "<a>x<!-- y & <z> -->w</a>", "<a>xw</a>"},
		{"comment in CDATA", "<a><![CDATA[<!-- y -->]]></a>", "<a>&lt;!-- y --&gt;</a>"},
		{"HTML entity", "<a>&nbsp;&eacute;</a>", "<a>&amp;nbsp;&amp;eacute;</a>"},
		{"NUL reference", "<a>&#0;&#x1b;&#xFFFE;&#xD800;&#x110000;</a>", "<a>\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD</a>"},
		{"big X", "<a>&#X41;</a>", "<a>&#x41;</a>"},
		{"broken references", "<a>&;&#;&#x;&#xg;&#99999999999;&</a>", "<a>&amp;;&amp;#;&amp;#x;&amp;#xg;&amp;#99999999999;&amp;</a>"},
		{"bare ampersand", "<a>Q&A & co</a>", "<a>Q&amp;A &amp; co</a>"},
		{"bad UTF-8", "<a>\xff\xc3(\xed\xa0\x80</a>", "<a>\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD</a>"},
		{"controls", "<a>\x00\x1b[31m\x7f</a>", "<a>\uFFFD\uFFFD[31m\x7f</a>"},
		{"noncharacters", "<a>\uFFFE\uFFFF\uFFFD</a>", "<a>\uFFFD\uFFFD\uFFFD</a>"},
		{"controls in CDATA", "<a><![CDATA[\x01\xff]]></a>", "<a>\uFFFD\uFFFD</a>"},
	} {
		if got := cleaned(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if _, err := tokens([]byte(cleaned(c.in))); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, cut := range []string{"<a><![CDATA[x</a>", "<a><!-- x</a>", "<a><!-->x</a>"} {
		if _, err := tokens([]byte(cleaned(cut))); err == nil {
			t.Errorf("%q counts as whole", cut)
		}
	}
	for text, want := range map[string]bool{"<a><!-- x --></a>": true, "<a><!-->": true, "<a><![CDATA[<!-- x -->]]></a>": false, "<a/>": false} {
		if _, comments := cleanXML([]byte(text)); comments != want {
			t.Errorf("%q: comments %v", text, comments)
		}
	}
}

// sound draws a well-formed document that keeps to plain text and the references of
// XML, and the same with everything that cleanXML is for.
func sound(t *rapid.T, dirty bool) string {
	pieces := []string{"text", " ", "ü", "日本", "&amp;", "&lt;", "&#233;", "&#x2028;", "]", "]]", "\t", "'\""}
	if dirty {
		pieces = append(pieces, "<![CDATA[a<b&c>]]>", "<![CDATA[]]]>", "<![CDATA[x]]>y]]>", "<!-- no -->", "<!-- <q> & -->", "&nbsp;", "&",
			"&#0;", "&#X41;", "&#xFFFF;", "\x00", "\x1b", "\xff", "\xc3", "\uFFFE", "]]>", "&#", "&;")
	}
	var element func(depth int) string
	element = func(depth int) string {
		name := rapid.SampledFrom([]string{"VM", "ID", "A_B"}).Draw(t, "name")
		var b strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "pieces") {
			if depth < 4 && rapid.Bool().Draw(t, "element") {
				b.WriteString(element(depth + 1))
				continue
			}
			b.WriteString(rapid.SampledFrom(pieces).Draw(t, "piece"))
		}
		return "<" + name + ">" + b.String() + "</" + name + ">"
	}
	return element(0)
}

func TestCleanXMLProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := sound(t, true)
		out := cleaned(in)
		if _, err := tokens([]byte(out)); err != nil {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		if again := cleaned(out); again != out {
			t.Fatalf("%q became %q, then %q", in, out, again)
		}
		if before, err := tokens([]byte(in)); err == nil { // it was readable as it is
			if after, _ := tokens([]byte(out)); after != before {
				t.Fatalf("%q reads %s, and cleaned %s", in, before, after)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		in := sound(t, false)
		if out := cleaned(in); out != in {
			t.Fatalf("%q became %q", in, out)
		}
	})
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"web-01": "web-01", "Größe 日本 \uFFFD": "Größe 日本 \uFFFD", "a\x1b[2Jb": `a\x1b[2Jb`, "a\nb\r\tc": `a\nb\r\tc`, "x\u202ey": `x\u202ey`,
		"\xff\x80": `\xff\x80`, "\x9b31m": `\x9b31m`, "\u009b": `\u009b`, "\x00\x7f": `\x00\x7f`, "\u2028": `\u2028`, "": "",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		out := Printable(in)
		for _, r := range out {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q became %q", in, out)
			}
		}
		if !utf8.ValidString(out) || Printable(out) != out {
			t.Fatalf("%q became %q", in, out)
		}
	})
}
