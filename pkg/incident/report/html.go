package report

import (
	"bytes"
	_ "embed" // the style of the page
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
)

// HTML writes an incident as one page that needs nothing else: all events, all VMs with the problems first, what is left to
// do, and a drawing. It has no scripts and loads nothing. Errors are those of w.
func HTML(w io.Writer, r incident.Record, now time.Time) error {
	if _, err := w.Write(view{r, now}.page()); err != nil {
		return fmt.Errorf("write the page of incident %d: %w", r.Number, err)
	}
	return nil
}

// page is the page. All texts in it are printable.
func (v view) page() []byte {
	m := &markup{}
	title, status, class := fmt.Sprintf("Incident %d: %s", v.Number, v.what()), text.Short(string(v.Status), maxName), v.statusClass()
	m.put(pageHead, title, status, own(styleText), title, class, status)
	for _, f := range v.facts() {
		m.put("<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", f.Name, f.Value)
	}
	m.put("</table>\n<section class=\"todo %s\">\n<h2>What is left to do</h2>\n<ul>\n", class)
	for _, todo := range v.todo() {
		m.put("<li>%s", todo.Text)
		for _, command := range todo.Commands {
			m.put("<pre><code>%s</code></pre>", command)
		}
		m.put("</li>\n")
	}
	m.put("</ul>\n</section>\n")
	before, ways := m.Len(), v.ways()
	m.section(v.steps(), v.drawSteps)
	m.section(v.wayTable(ways), func() own { return v.drawWays(ways) })
	m.section(v.stages(ways), nil)
	m.section(v.vms(), nil)
	m.section(v.events(), nil)
	if m.Len() == before {
		m.put("<p>Nothing was recorded.</p>\n")
	}
	m.put("<footer>Made %s.</footer>\n</main>\n</body>\n</html>\n", v.now.Format(withZone))
	return m.Bytes()
}

// section is a table with a drawing of the same where there is one; nothing without rows.
func (m *markup) section(t table, draw func() own) {
	if len(t.Rows) == 0 {
		return
	}
	m.put("<section class=\"wide\">\n<h2>%s</h2>\n", t.Title)
	if draw != nil {
		m.put("%s", draw())
	}
	m.table(t)
	m.put("\n</section>\n")
}

// statusClass is the color of a status: only ours have one, and what is unproven or still starts is never good.
func (v view) statusClass() string {
	switch {
	case slices.Contains([]incident.Status{incident.Incomplete, incident.Refused, incident.Failed}, v.Status):
		return "bad"
	case v.IsUnproven():
		return "unproven"
	case (v.Status == incident.Done || v.Status == incident.CameBack) && !slices.ContainsFunc(v.VMs, v.starting):
		return "good"
	}
	return "open"
}

// zone is the time zone of the reader.
func (v view) zone() string { return v.in(v.Began, "MST") }

func (v view) steps() table {
	t := table{
		Title: "What happened", Caption: "Steps, times in " + v.zone(), Class: "steps",
		Columns: []column{{"Step", short}, {"Began", short}, {"Took", short}, {"Events", number}, {"Warnings and problems", number}},
	}
	for _, s := range v.sections() {
		bad := 0
		for _, e := range s.events {
			if isBad(e) {
				bad++
			}
		}
		t.add("", text.Short(string(s.step), maxName), v.clock(s.began), took(s.end.Sub(s.began)), strconv.Itoa(len(s.events)), strconv.Itoa(bad))
	}
	return t
}

// maxLanes is how many ways are drawn.
const maxLanes = 40

// wayTable are the ways in words: those that are drawn, and the rest folded.
func (v view) wayTable(all []way) table {
	t := table{
		Title: "Recovery of each VM", Caption: "The same as text",
		Columns: []column{{"VM", short}, {"Took", number}, {"States", prose}, {"Result", result}},
	}
	shown, rest := firstWays(all, maxLanes)
	for _, w := range shown {
		t.add(v.vmClass(w.vms[0]), w.name(maxWide), took(w.took()), text.Short(strings.Join(w.words(), " > "), maxPage), v.told(w.vms[0]))
	}
	if len(all) > maxLanes {
		t.Caption = "The first lines are drawn: what was not handled, what is on its way, and the slowest. The others follow, with the least and the most time in a state"
		if more := moreWays(rest); more != "" {
			t.Caption += "; " + more
		}
	}
	return t
}

func (v view) vms() table {
	t := table{Title: "VMs", Columns: []column{
		{"VM", number}, {"Name", short}, {"Owner", short}, {"State before", short}, {"Action", short}, {"Result", result}, {"Detail", prose},
		{"Priority", number}, {"Calls", number}, {"Seconds", number},
	}}
	unhandled, under := 0, 0
	for _, vm := range v.problemsFirst() {
		switch {
		case v.problem(vm):
			unhandled++
		case v.starting(vm):
			under++
		}
		wide := func(s string) string { return text.Short(s, maxWide) }
		t.add(v.vmClass(vm), strconv.Itoa(vm.ID), wide(vm.Name), wide(vm.Owner), wide(vm.State), wide(vm.Action), v.told(vm), text.Short(vm.Detail, maxPage),
			strconv.Itoa(vm.Priority), strconv.Itoa(vm.Calls), fmt.Sprintf("%.1f", vm.Seconds))
	}
	t.Caption = fmt.Sprintf("%d of %d not handled", unhandled, len(v.VMs))
	if under > 0 {
		t.Caption += fmt.Sprintf(", %d still starting", under)
	}
	t.Caption += "; these come first"
	return t
}

func (v view) events() table {
	t := table{
		Title: "All events", Caption: fmt.Sprintf("%d events, times in %s", len(v.Events), v.zone()),
		Columns: []column{{"Time", short}, {"Since the begin", number}, {"Step", short}, {"VM", number}, {"Level", result}, {"Text", prose}},
	}
	for _, e := range v.Events {
		class, vm := "info", ""
		if isBad(e) {
			class = string(e.Level)
		}
		if e.VM >= 0 {
			vm = strconv.Itoa(e.VM)
		}
		t.add(class, v.clock(e.At), since(e.At.Sub(v.Began)), text.Short(string(e.Step), maxName), vm, text.Short(string(e.Level), maxName), text.Short(e.Text, maxPage))
	}
	return t
}

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

// table is a part of a report in rows and columns.
type table struct {
	Title, Caption string
	Class          string
	Columns        []column
	Rows           []row
}

type column struct {
	Name string
	Kind columnKind
}

// columnKind is how the cells of a column are shown on the page.
type columnKind string

const (
	number columnKind = "n"      // right-aligned
	short  columnKind = "short"  // on one line unless it is long
	result columnKind = "result" // the same, with the color of the row
	prose  columnKind = "prose"
)

// row has a cell for each column. Its class is "", or a level, which has a color.
type row struct {
	Class string
	Cells []string
}

func (t *table) add(class string, cells ...string) { t.Rows = append(t.Rows, row{class, cells}) }

// class is the class of a cell with this text, and of the head of the column.
func (c column) class(cell string, head bool) string {
	// Room for every state of OpenNebula but the longest (PROLOG_MIGRATE_UNKNOWN_FAILURE), which may be broken.
	const maxWhole = 24
	whole := "whole"
	if utf8.RuneCountInString(cell) > maxWhole {
		whole = "broken"
	}
	switch {
	case c.Kind == number:
		return "n"
	case head:
		return ""
	case c.Kind == short:
		return whole
	case c.Kind == result:
		return "result " + whole
	}
	return ""
}
