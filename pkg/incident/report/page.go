package report

import (
	"bytes"
	"fmt"
	"html"
)

// pageHead and what follows it are the page. Its elements are closed like those of XML. It is written without
// html/template: with that the linker keeps every exported method of every type, a fifth of the executable.
const pageHead = `<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>%s: %s</title>
<style>%s</style>
</head>
<body>
<main>
<h1><bdi>%s</bdi> <span class="status %s">%s</span></h1>
<table class="facts">
`

// markup is a page in the making.
type markup struct{ bytes.Buffer }

// own is markup of this package; every other string is text.
type own string

// put writes markup with values in it, of which texts are escaped, so that they are safe between elements and in
// double quotes.
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

// write is the page.
func (p page) write() []byte {
	m := &markup{}
	m.put(pageHead, p.Title, p.Status, own(styleText), p.Title, p.Class, p.Status)
	for _, f := range p.Facts {
		m.put("<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", f.Name, f.Value)
	}
	m.put("</table>\n<section class=\"todo %s\">\n<h2>What is left to do</h2>\n<ul>\n", p.Class)
	for _, todo := range p.Todo {
		m.put("<li>%s", todo.Text)
		for _, command := range todo.Commands {
			m.put("<pre><code>%s</code></pre>", command)
		}
		m.put("</li>\n")
	}
	m.put("</ul>\n</section>\n")
	for _, part := range p.Parts {
		m.put("<section class=\"wide\">\n<h2>%s</h2>\n", part.Table.Title)
		if part.Drawing != nil {
			m.chart(part.Drawing)
		}
		m.table(part.Table)
		m.put("\n</section>\n")
	}
	if len(p.Parts) == 0 {
		m.put("<p>Nothing was recorded.</p>\n")
	}
	m.put("<footer>Made %s.</footer>\n</main>\n</body>\n</html>\n", p.Made)
	return m.Bytes()
}

func (m *markup) table(t table) {
	m.put("\n<table%s>\n<caption>%s</caption>\n<thead><tr>", class(t.Class), t.Caption)
	for _, c := range t.Columns {
		m.put("<th scope=\"col\"%s>%s</th>", class(c.headClass()), c.Name)
	}
	m.put("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		m.put("<tr%s>", class(row.Class))
		for i, cell := range row.Cells {
			m.put("<td%s>%s</td>", class(t.Columns[i].cellClass(cell)), cell)
		}
		m.put("</tr>\n")
	}
	m.put("</tbody>\n</table>")
}

func (m *markup) chart(c *chart) {
	m.put(`<svg role="img" aria-labelledby="%s-title %s-description" viewBox="0 0 %d %d" width="%d" height="%d">
<title id="%s-title">%s</title>
<desc id="%s-description">%s</desc>
`, c.ID, c.ID, c.Width, c.Height, c.Width, c.Height, c.ID, c.Title, c.ID, c.Description)
	for _, t := range c.Axis {
		m.put("<line class=\"grid\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", t.X, c.Top, t.X, c.Bottom)
		m.label("axis", t.X, c.AxisY, true, t.Label)
	}
	m.put("<line class=\"edge\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", c.Left, c.Bottom, c.Right, c.Bottom)
	m.label("axis", c.Left, c.CaptionY, false, c.Caption)
	for _, l := range c.Lanes {
		m.put("<g>\n<line class=\"grid\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n", l.Bottom, c.Width, l.Bottom)
		m.label("lane", 4, l.TextY, false, l.Name)
		m.label("side", c.Side, l.TextY, false, l.Side)
		for _, k := range l.Marks {
			m.mark(k)
			if k.Text != "" {
				m.label("in "+k.TextClass, k.TextX, k.TextY, true, k.Text)
			}
		}
		m.put("</g>\n")
	}
	m.put("<g class=\"key\">\n")
	for _, k := range c.Key {
		m.mark(k)
		m.label("axis", k.TextX, k.TextY, false, k.Text)
	}
	m.put("</g>\n</svg>")
}

// label is a text in a chart, that begins at x or has it in its middle.
func (m *markup) label(class string, x, y int, middle bool, text string) {
	var anchor own
	if middle {
		anchor = ` text-anchor="middle"`
	}
	m.put("<text class=\"%s\" x=\"%d\" y=\"%d\"%s>%s</text>\n", class, x, y, anchor, text)
}

func (m *markup) mark(k mark) {
	name := "polygon"
	if k.Points != "" {
		m.put(`<polygon class="%s" points="%s">`, k.Class, k.Points)
	} else {
		name = "rect"
		m.put(`<rect class="%s" x="%d" y="%d" width="%d" height="%d">`, k.Class, k.X, k.Y, k.Width, k.Height)
	}
	if k.Tip != "" {
		m.put("<title>%s</title>", k.Tip)
	}
	m.put("</%s>\n", own(name))
}
