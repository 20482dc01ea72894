package one

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// written is a document as this package reads it: its elements with their texts.
func written(document string) (string, error) {
	e, err := Parse(document)
	if err != nil {
		return "", err
	}
	return tree(e), nil
}

// tree is an element in words.
func tree(e *Element) string {
	words := fmt.Sprintf("%s %q", e.name, e.text)
	for _, c := range e.children {
		words += " (" + tree(c) + ")"
	}
	return words
}

// node is an element as encoding/xml reads it.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func (n node) element() *Element {
	e := &Element{name: n.XMLName.Local}
	for _, c := range n.Children {
		e.children = append(e.children, c.element())
	}
	if len(e.children) == 0 {
		e.text = n.Text
	}
	return e
}

// foreign is a document as encoding/xml reads it.
func foreign(document string) (string, error) {
	var n node
	d := xml.NewDecoder(bytes.NewReader([]byte(document)))
	if err := d.Decode(&n); err != nil {
		return "", err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("something behind it")
	}
	return tree(n.element()), nil
}

func TestXML(t *testing.T) {
	for document, want := range map[string]string{
		"<a>b &amp; &lt; &gt; &quot; &apos; &#65; &#x41;\t\n</a>": "b & < > \" ' A A\t\n",
		"<?xml version=\"1.0\"?>\n<a> </a>\n":                     " ",
		"<a/>":                                                    "",
		"<a><![CDATA[x<y&z>]]></a>":                               "x<y&z>",
		"<a>1<![CDATA[]]>2</a>":                                   "12",
		"<a><![CDATA[x]]]></a>":                                   "x]",
		"<a><![CDATA[x]]>y]]></a>":                                "xy]]>",
		"<a><![CDATA[<!-- y -->]]></a>":                           "<!-- y -->",
		"<a>&nbsp;&eacute;</a>":                                   "&nbsp;&eacute;",
		"<a>&#0;&#x1b;&#xFFFE;&#xD800;</a>":                       "\uFFFD\uFFFD\uFFFD\uFFFD",
		"<a>&#x110000;&#X41;&#x0d;</a>":                           "\uFFFDA\r",
		"<a>&;&#;&#x;&#xg;&#99999999999;&</a>":                    "&;&#;&#x;&#xg;&#99999999999;&",
		"<a>Q&A & co</a>":                                         "Q&A & co",
		"<a>\xff\xc3(\xed\xa0\x80</a>":                            "\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD",
		"<a>\x00\x1b[31m\x7f</a>":                                 "\uFFFD\uFFFD[31m\x7f",
		"<a>\uFFFE\uFFFF\uFFFD</a>":                               "\uFFFD\uFFFD\uFFFD",
		"<a><![CDATA[\x01\xff]]></a>":                             "\uFFFD\uFFFD",
		"<a>1\r\n2\r3</a>":                                        "1\n2\n3",
	} {
		e, err := Parse(document)
		if err != nil || e.Text() != want {
			t.Errorf("%q: %q, %v, want %q", document, e.Text(), err, want)
		}
	}
	for _, document := range []string{
		"", "x", "<a>", "<a><b></a></b>", "<a></a><a/>", "<a></a>x", "<a><![CDATA[x</a>", "<a><!-- x --></a>", "<!-- x --><a/>", `<a b="1"/>`, "<a ></a>",
		"<a><?x?></a>", "<!DOCTYPE a><a/>", "<>", "</a>", "<a", "<a><b/>" + strings.Repeat("<c>", 100) + strings.Repeat("</c>", 100) + "</a>",
	} {
		if got, err := written(document); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %s, %v", document, got, err)
		}
	}
	var none *Element
	if none.Text() != "" || none.Child("a").Number("b") != 0 || none.IDs("a") != nil || none.Attributes(nil) != nil || none.Require("ID") == nil || none.Once("a") != nil {
		t.Error("an element that is not there")
	}
}

// sound draws a well-formed document that keeps to plain text and the references of
// XML, and the same with everything that values hold.
func sound(t *rapid.T, dirty bool) string {
	pieces := []string{"text", " ", "ü", "日本", "&amp;", "&lt;", "&#233;", "&#x2028;", "]", "]]", "\t", "'\""}
	if dirty {
		pieces = append(pieces, "<![CDATA[a<b&c>]]>", "<![CDATA[]]]>", "<![CDATA[x]]>y]]>", "&nbsp;", "&",
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

// TestXMLProperties: what XML allows is read as encoding/xml reads it, and whatever users write into
// a value is read.
func TestXMLProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := sound(t, true)
		if _, err := Parse(in); err != nil {
			t.Fatalf("%q: %v", in, err)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		in := sound(t, false)
		got, err := written(in)
		want, known := foreign(in)
		if err != nil || known != nil || got != want {
			t.Fatalf("%q: %s, %v; want %s, %v", in, got, err, want, known)
		}
	})
}
