package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

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
