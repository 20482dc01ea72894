package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"one-ft/pkg/incident"
)

// page is what the template shows. All texts are printable; the template escapes them.
type page struct {
	Title, Status, Class string
	Facts                []fact
	Todo                 []item
	Drawing              drawing
	Steps                []stepRow
	Ways                 wayDrawing
	WayRows              []wayRow
	WayNote              string // says what is not drawn
	Stages               []stageRow
	Slowest              string // is the VM whose times the stages have
	VMs                  []vmRow
	Events               []eventRow
	NotHandled, Starting int
	Made                 string
	Zone                 string
}

type stepRow struct{ Step, Began, Took, Events, Problems string }

type vmRow struct {
	ID, Priority, Calls                        int
	Name, Owner, State, Action, Result, Detail string
	Seconds, Class                             string
}

type eventRow struct{ Time, Since, Step, VM, Level, Class, Text string }

// HTML writes an incident as one page that needs nothing else: all events, all VMs with
// the problems first, what is left to do, and a drawing. It has no scripts and loads
// nothing. Errors are those of w.
func HTML(w io.Writer, r incident.Record, now time.Time) error {
	t, err := template.New("incident").Funcs(template.FuncMap{"whole": whole}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("make the page of incident %d: %w", r.Number, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newPage(r, now)); err != nil {
		return fmt.Errorf("make the page of incident %d: %w", r.Number, err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the page of incident %d: %w", r.Number, err)
	}
	return nil
}

// whole is the class of a cell whose text is short enough to stay on one line.
func whole(text string) string {
	if utf8.RuneCountInString(text) <= maxWhole {
		return "whole"
	}
	return "broken"
}

// maxWhole is room for every state of OpenNebula but the longest
// (PROLOG_MIGRATE_UNKNOWN_FAILURE), which may be broken.
const maxWhole = 24

func newPage(r incident.Record, now time.Time) page {
	p := page{
		Title: fmt.Sprintf("Incident %d: %s", r.Number, what(r)), Status: short(string(r.Status), maxName), Class: statusClass(r),
		Facts: facts(r, now), Todo: todo(r, now), Drawing: draw(r, now),
		Made: now.Format(dateAndTime + " MST"), Zone: r.Began.In(now.Location()).Format("MST"),
	}
	for _, s := range sections(r, now) {
		bad := 0
		for _, e := range s.events {
			if severity(e.Level) < severity("") {
				bad++
			}
		}
		p.Steps = append(p.Steps, stepRow{short(string(s.step), maxName), s.began.In(now.Location()).Format(clock(r, now)), took(s.end.Sub(s.began)),
			strconv.Itoa(len(s.events)), strconv.Itoa(bad)})
	}
	all := ways(r, now)
	p.Ways = drawWays(r, all, now)
	p.WayRows, p.WayNote = wayRows(r, all)
	p.Stages, p.Slowest = forecast(r, now)
	for _, vm := range problemsFirst(r.VMs) {
		p.addVM(r, vm)
	}
	for _, e := range r.Events {
		p.Events = append(p.Events, newEventRow(r, e, now))
	}
	return p
}

// addVM adds the row of a VM.
func (p *page) addVM(r incident.Record, vm incident.VM) {
	row := vmRow{
		ID: vm.ID, Priority: vm.Priority, Calls: vm.Calls, Seconds: fmt.Sprintf("%.1f", vm.Seconds),
		Name: short(vm.Name, maxWide), Owner: short(vm.Owner, maxWide), State: short(vm.State, maxWide),
		Action: short(vm.Action, maxWide), Result: told(r, vm), Detail: short(vm.Detail, maxPage),
	}
	switch {
	case problem(r, vm):
		row.Class = levelProblem
		p.NotHandled++
	case starting(r, vm):
		p.Starting++
	case vm.Result == resultUnproven:
		row.Class = levelWarning
	}
	p.VMs = append(p.VMs, row)
}

func newEventRow(r incident.Record, e incident.Event, now time.Time) eventRow {
	row := eventRow{
		Time: e.At.In(now.Location()).Format(clock(r, now)), Since: since(e.At.Sub(r.Began)), Step: short(string(e.Step), maxName),
		Level: short(e.Level, maxName), Text: short(e.Text, maxPage), Class: "info",
	}
	if severity(e.Level) < severity("") {
		row.Class = e.Level
	}
	if e.VM >= 0 {
		row.VM = strconv.Itoa(e.VM)
	}
	return row
}

// statusClass is the color of a status: only ours have one, and what is unproven or still starts is
// never good.
func statusClass(r incident.Record) string {
	switch {
	case slices.Contains([]incident.Status{incident.Incomplete, incident.Refused, incident.Failed}, r.Status):
		return "bad"
	case r.IsUnproven():
		return "unproven"
	case (r.Status == incident.Done || r.Status == incident.CameBack) && !slices.ContainsFunc(r.VMs, func(vm incident.VM) bool { return starting(r, vm) }):
		return "good"
	}
	return "open"
}
