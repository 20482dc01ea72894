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

// page is what is shown. All texts are printable.
type page struct {
	Title, Status, Class string
	Facts                []fact
	Todo                 []item
	Parts                []part
	Made                 string
}

// part is a table of the page, with a drawing of the same where there is one.
type part struct {
	Drawing *chart
	Table   table
}

// HTML writes an incident as one page that needs nothing else: all events, all VMs with
// the problems first, what is left to do, and a drawing. It has no scripts and loads
// nothing. Errors are those of w.
func HTML(w io.Writer, r incident.Record, now time.Time) error {
	if _, err := w.Write(newPage(view{r, now}).write()); err != nil {
		return fmt.Errorf("write the page of incident %d: %w", r.Number, err)
	}
	return nil
}

func newPage(v view) page {
	p := page{
		Title: fmt.Sprintf("Incident %d: %s", v.Number, v.what()), Status: text.Short(string(v.Status), maxName), Class: v.statusClass(),
		Facts: v.facts(), Todo: v.todo(), Made: v.now.Format(withZone),
	}
	ways := v.ways()
	p.Parts = []part{{v.drawSteps(), v.steps()}, {v.drawWays(ways), v.wayTable(ways)}, {nil, v.stages(ways)}, {nil, v.vms()}, {nil, v.events()}}
	p.Parts = slices.DeleteFunc(p.Parts, func(p part) bool { return len(p.Table.Rows) == 0 })
	return p
}

// statusClass is the color of a status: only ours have one, and what is unproven or still starts is
// never good.
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
