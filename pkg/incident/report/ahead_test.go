package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
)

// TestAhead: a record of a clock that is ahead, as that of another front-end, is told as one of the future: nothing in it is so long
// ago, or has lasted so long. Once the clocks agree nothing is said of them.
func TestAhead(t *testing.T) {
	const words = "in the future: the clocks differ"
	for name, r := range cases() {
		early := r.Began.Add(-time.Hour)
		var page bytes.Buffer
		if err := report.HTML(&page, r, early); err != nil {
			t.Fatal(err)
		}
		rows := report.Table([]incident.Record{r}, early)[1]
		for view, text := range map[string]string{"timeline": strings.Join(report.Timeline(r, early), "\n"), "page": page.String(), "table": strings.Join(rows, " ")} {
			for _, past := range []string{" ago", " so far"} {
				if strings.Contains(text, past) && (r.Ended == nil || past == " ago") { // of one that ended it is meant until then
					t.Errorf("%s: the %s says %q of the future:\n%s", name, view, past, text)
				}
			}
			if view != "page" && !strings.Contains(text, words) {
				t.Errorf("%s: the %s does not say that it is in the future:\n%s", name, view, text)
			}
		}
		if text := strings.Join(report.Timeline(r, later().Add(24*time.Hour)), "\n"); strings.Contains(text, words) {
			t.Errorf("%s: past, and said to be in the future:\n%s", name, text)
		}
		for _, line := range report.Live([]incident.Record{r}, early) {
			if strings.Contains(line, " since ") && !strings.Contains(line, words) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
