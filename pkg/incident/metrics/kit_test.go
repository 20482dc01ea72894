package metrics

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// began is when the incidents of the tests began.
func began() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) }

// at is so many seconds after it.
func at(seconds float64) time.Time {
	return began().Add(time.Duration(seconds * float64(time.Second)))
}

// ended is an incident that ended after so many seconds.
func ended(kind string, status incident.Status, seconds float64, events ...incident.Event) incident.Record {
	end := at(seconds)
	return incident.Record{Version: 1, Number: 1, Kind: kind, Status: status, Began: began(), Ended: &end, Events: events}
}

func event(step incident.Step, seconds float64, text string) incident.Event {
	return incident.Event{At: at(seconds), Step: step, VM: -1, Level: "info", Text: text}
}

func heldEvent(seconds float64) incident.Event {
	e := event(incident.StepGuard, seconds, "so many hosts failed")
	e.Kind = wording.Held.Name()
	return e
}

// samples reads the text format of Prometheus and checks it: HELP, TYPE and then the samples
// of one family after the other, no series twice, names and labels as they may be, histograms
// that add up, and a line break at the end.
func samples(t testing.TB, text string) map[string]float64 {
	t.Helper()
	var (
		help  = regexp.MustCompile(`^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) [^\\]+$`)
		kind  = regexp.MustCompile(`^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$`)
		line  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\S+)$`)
		found = make(map[string]float64)
		seen  = make(map[string]bool)
		name  string
		typed string // of the family that goes on
	)
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("no line break at the end: %q", text)
	}
	for number, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if m := help.FindStringSubmatch(l); m != nil {
			if name = m[1]; seen[name] || !strings.HasPrefix(name, "one_ft_") {
				t.Errorf("line %d: %s again", number+1, name)
			}
			seen[name], typed = true, ""
			continue
		}
		if m := kind.FindStringSubmatch(l); m != nil {
			if m[1] != name || typed != "" || strings.HasSuffix(name, "_total") != (m[2] == "counter") {
				t.Errorf("line %d: %s", number+1, l)
			}
			typed = m[2]
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil || !named(m[1], name, typed) || typed == "" || strings.HasSuffix(m[2], ",") {
			t.Fatalf("line %d is no sample of %s: %q", number+1, name, l)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		series := m[1] + "{" + m[2] + "}"
		if _, twice := found[series]; twice || err != nil || value < 0 {
			t.Errorf("line %d: %s, %v", number+1, l, err)
		}
		found[series] = value
	}
	addUp(t, text, found)
	return found
}

// named reports whether a sample may stand in a family.
func named(sample, family, kind string) bool {
	if kind != "histogram" {
		return sample == family
	}
	return sample == family+"_bucket" || sample == family+"_sum" || sample == family+"_count"
}

// addUp checks histograms as promtool does: the buckets of a series stand in the order of their bounds,
// none has less than the one before it, the last is +Inf and has what _count says, and there is a _sum.
func addUp(t testing.TB, text string, found map[string]float64) {
	t.Helper()
	bucket := regexp.MustCompile(`(?m)^(\w+)_bucket\{(?:(.*),)?le="([^"]+)"\} (\S+)$`)
	last, before, count := "", 0.0, map[string]float64{}
	for _, m := range bucket.FindAllStringSubmatch(text, -1) {
		series := m[1] + "_count{" + m[2] + "}"
		bound, err := strconv.ParseFloat(m[3], 64)
		value, _ := strconv.ParseFloat(m[4], 64)
		if err != nil || series == last && (bound <= before || value < count[series]) {
			t.Errorf("%s is not in order, or smaller", m[0])
		}
		last, before, count[series] = series, bound, value
		if math.IsInf(bound, 1) && found[series] != value {
			t.Errorf("%s, and %s is %g", m[0], series, found[series])
		}
		if _, there := found[m[1]+"_sum{"+m[2]+"}"]; !there {
			t.Errorf("%s has no sum", series)
		}
	}
	if !math.IsInf(before, 1) && last != "" {
		t.Errorf("%s ends with %g", last, before)
	}
}

// counted are the samples that are not 0, one per line, sorted by the map printer.
func counted(t testing.TB, text string) string {
	t.Helper()
	left := samples(t, text)
	for series, value := range left {
		if value == 0 {
			delete(left, series)
		}
	}
	return fmt.Sprint(left)
}
