package report_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
)

// FuzzReport: a record of any content is a table, a time-line and a page that are printable, bounded,
// well-formed and do nothing, and a command line names no program of strangers.
func FuzzReport(f *testing.F) {
	for _, name := range []string{"hostile", "normal", "vm", "ran_again", "stuck"} {
		if r, found := cases()[name]; found {
			if len(r.Events) > 12 {
				r.Events = r.Events[:12]
			}
			for i := range r.VMs {
				r.VMs[i].Name, r.VMs[i].Detail = "", ""
				for k := range r.VMs[i].Path {
					h := &r.VMs[i].Path[k]
					h.State, h.Waits = h.State[:min(len(h.State), 20)], h.Waits[:min(len(h.Waits), 20)]
				}
			}
			for i := range r.Events {
				r.Events[i].Text = r.Events[i].Text[:min(len(r.Events[i].Text), 100)]
			}
			text, err := json.Marshal(r)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Add(`{"kind":"VM","id":7,"tool":"rm","call":["-rf","/"],"status":"failed","began":"0001-01-01T00:00:00Z","events":[{"at":"9999-12-31T23:59:59Z","step":"x","vm":-5}]}`)
	f.Add(`{"kind":"host","status":"refused","proof":"</style><script>","vms":[{"vm":-1,"name":"\u001b","result":"left","detail":"no room"}]}`)
	f.Add(`{"kind":"host","status":"following","forecast":[{"stage":"watch","seconds":-1e300}],"host":{"quarantined":"9999-12-31T23:59:59Z","fail_fast":["\u001b"]},"vms":[{"vm":-1,"result":"starting",
		"path":[{"at":"9999-12-31T23:59:59Z","state":"\u202e_FAILURE","host":-7,"waits":"</title>"},{"at":"0001-01-01T00:00:00Z","state":"","host":9223372036854775807,"waits":"owner"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var r incident.Record
		if len(text) > 20_000 || json.Unmarshal([]byte(text), &r) != nil {
			return
		}
		now := time.Unix(1_800_000_000, 0)
		for _, row := range report.Table([]incident.Record{r}, now) {
			canBeShown(t, strings.Join(row, " "))
		}
		lines := report.Timeline(r, now)
		canBeShown(t, strings.Join(lines, " "))
		if len(lines) > 400 {
			t.Errorf("%d lines", len(lines))
		}
		html := page(t, r, now)
		canBeShown(t, strings.ReplaceAll(html, "\n", " "))
		for _, e := range elements(t, html) {
			if e.name == "script" || e.name == "img" || e.attr["src"] != "" || e.attr["href"] != "" {
				t.Errorf("%+v", e)
			}
		}
	})
}

// canBeShown fails the test when a terminal may obey the text. What JSON makes of broken UTF-8 may
// be shown.
func canBeShown(t *testing.T, text string) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%.300q", text)
	}
}
