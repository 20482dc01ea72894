package report

import (
	"bytes"
	_ "embed" // the style of the page
	"fmt"
	"html"
)

// pageHead and what follows it are the page. Its elements are closed like those of XML. It is written without html/template:
// with that the linker keeps every exported method of every type, a fifth of the executable.
const pageHead = `<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>%s: %s</title>
<style>
%s</style>
</head>
<body>
<main>
<h1><bdi>%s</bdi> <span class="status %s">%s</span></h1>
<table class="facts">
`

// styleText is the style of the page: light, dark on a screen that asks for it, and light on paper.
//
//go:embed page.css
var styleText string

// markup is a page in the making.
type markup struct{ bytes.Buffer }

// own is markup of this package; every other string is text.
type own string

// put writes markup with values in it, of which texts are escaped, so that they are safe between elements and in double
// quotes.
func (m *markup) put(format string, values ...any) {
	for i, v := range values {
		if text, is := v.(string); is {
			values[i] = html.EscapeString(text)
		}
	}
	fmt.Fprintf(m, format, values...)
}

// class is the attribute of an element; none without a class.
func class(name string) own {
	if name == "" {
		return ""
	}
	return own(` class="` + html.EscapeString(name) + `"`)
}

func (m *markup) table(t table) {
	m.put("\n<table%s>\n<caption>%s</caption>\n<thead><tr>", class(t.Class), t.Caption)
	for _, c := range t.Columns {
		m.put("<th scope=\"col\"%s>%s</th>", class(c.class(c.Name, true)), c.Name)
	}
	m.put("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		m.put("<tr%s>", class(row.Class))
		for i, cell := range row.Cells {
			m.put("<td%s>%s</td>", class(t.Columns[i].class(cell, false)), cell)
		}
		m.put("</tr>\n")
	}
	m.put("</tbody>\n</table>")
}

// label is a text in a chart, that begins at x or has it in its middle.
func (m *markup) label(class string, x, y int, middle bool, text string) {
	var anchor own
	if middle {
		anchor = ` text-anchor="middle"`
	}
	m.put("<text class=\"%s\" x=\"%d\" y=\"%d\"%s>%s</text>\n", class, x, y, anchor, text)
}

func (m *markup) line(class string, x1, y1, x2, y2 int) {
	m.put("<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", class, x1, y1, x2, y2)
}

func (m *markup) polygon(class, points, tip string) {
	m.put("<polygon class=\"%s\" points=\"%s\">%s</polygon>\n", class, points, title(tip))
}

func (m *markup) rect(class string, x, y, wide, high int, tip string) {
	m.put("<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">%s</rect>\n", class, x, y, wide, high, title(tip))
}

// title is what is shown where the pointer rests; none without a text.
func title(tip string) own {
	if tip == "" {
		return ""
	}
	return own("<title>" + html.EscapeString(tip) + "</title>")
}
