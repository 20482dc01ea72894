package coordinator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
)

// longest is the longest that a host may be silent before oned 6.10 or 7.4 calls it failed, by the settings that a front-end
// without files assumes (pkg/downtime).
const longest = 465 * time.Second

// failedOf is what is remembered of the host of the only incident.
func (f *frontEnd) failedOf() (incident.Record, incident.HostRecord) {
	f.w.t.Helper()
	all := f.incidents()
	if len(all) != 1 || all[0].Host == nil {
		f.w.t.Fatalf("%d incidents: %+v\n%s", len(all), all, f.log("host_error"))
	}
	return all[0], *all[0].Host
}

// tells reports whether oned tells when it last monitored a host (5.12 and later).
func tells(version string) bool {
	return !slices.Contains([]string{"4.4.1", "4.14.2", "5.4.16", "5.10.6"}, version)
}

// TestFailedIsWhenOnedCalledIt: the time of ERROR to RUNNING begins when oned called the host failed, not when somebody
// came to look.
func TestFailedIsWhenOnedCalledIt(t *testing.T) {
	for name, c := range map[string]struct {
		late time.Duration // from ERROR to the process
		run  func(*frontEnd, time.Time) ran
		// most is how much later than ERROR it may be said to have failed, and seen how much where oned does not tell.
		most, seen time.Duration
	}{
		"a hook": {0, func(f *frontEnd, _ time.Time) ran { return f.hostError(f.w.t.Context(), 1, nil) }, time.Second, time.Second},
		"a hook that waited for its turn": {3 * time.Minute, func(f *frontEnd, called time.Time) ran {
			return f.hostError(f.w.t.Context(), 1, func(q *incident.Request) { q.At = called })
		}, time.Second, time.Second},
		"a hook that waited for its turn and watches": {3 * time.Minute, func(f *frontEnd, called time.Time) ran {
			return f.hostError(f.w.t.Context(), 1, func(q *incident.Request) { q.At, q.Confirm = called, 120 })
		}, time.Second, time.Second},
		"a late hook": {time.Hour, func(f *frontEnd, _ time.Time) ran { return f.hostError(f.w.t.Context(), 1, nil) }, longest, time.Hour + time.Second},
		"no hook":     {time.Hour, func(f *frontEnd, _ time.Time) ran { return f.sweep(f.w.t.Context(), usual()) }, longest, time.Hour + time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
				w.fail(1)
				called := time.Now().Truncate(time.Millisecond)
				f := w.frontEnd()
				f.config(fences)
				time.Sleep(c.late)
				if r := c.run(f, called); r.code != 0 {
					t.Fatalf("exit %d: %s", r.code, r.stderr)
				}
				r, host := f.failedOf()
				most := c.most
				if !tells(version) {
					most = c.seen
				}
				if late := host.Failed.Sub(called); late < -2*time.Second || late > most || host.Failed.After(r.Began.Add(time.Second)) || host.Contact.IsZero() == tells(version) {
					t.Errorf("failed %s after ERROR (began %s after), last monitored %s", late, r.Began.Sub(called), host.Contact)
				}
			})
		})
	}
}

// TestFailedStays: a process that goes on with an incident does not move the time.
func TestFailedStays(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		f.config("fencing: required\n")
		f.hostError(t.Context(), 1, nil)
		_, before := f.failedOf()
		f.config(fences)
		time.Sleep(5 * time.Minute)
		f.hostError(t.Context(), 1, nil)
		if r, host := f.failedOf(); host.Failed.IsZero() || !host.Failed.Equal(before.Failed) || r.Tries != 1 || r.Status != incident.Done {
			t.Errorf("failed %s, before %s; %s, tried %d times more", host.Failed, before.Failed, r.Status, r.Tries)
		}
	})
}

// TestForecastOfAllStages: what comes before the plan is forecast when the incident begins, the rest with the plan, and what
// happened stands beside it.
func TestForecastOfAllStages(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		f.config(fences)
		f.hostError(t.Context(), 1, func(q *incident.Request) { q.Confirm = 90 })
		r, _ := f.failedOf()
		var names []incident.StageName
		expected := map[incident.StageName]float64{}
		for _, s := range r.Forecast {
			names, expected[s.Name] = append(names, s.Name), s.Seconds
		}
		want := []incident.StageName{incident.StageDetection, incident.StageWatch, incident.StageGuard, incident.StageProof,
			incident.StageCleanup, incident.StageScheduler, incident.StageProlog, incident.StageBoot}
		if !slices.Equal(names, want) || expected[incident.StageWatch] != 90 || expected[incident.StageGuard] != 0 || expected[incident.StageProof] < 60 || expected[incident.StageDetection] < 60 {
			t.Errorf("forecast %+v", r.Forecast)
		}
		text := strings.Join(report.Timeline(r, time.Now()), "\n")
		detection := "at most "
		if !tells(version) {
			detection = "not known; oned called it failed at "
		}
		for _, part := range []string{detection, "  watch         1 min 30 s    1 min 30 s", "  guard         0 ms          0 ms"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is not in\n%s", part, text)
			}
		}
	})
}

// TestForecastLeavesOut: what is not done is not forecast.
func TestForecastLeavesOut(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, hosts(version, 6, running(11, 1, 0)))
		w.fail(1)
		f := w.frontEnd()
		f.hostError(t.Context(), 1, func(q *incident.Request) { q.Fencing = "off" })
		r, _ := f.failedOf()
		for _, s := range r.Forecast {
			if s.Name == incident.StageWatch || s.Name == incident.StageProof {
				t.Errorf("%s is not done: %+v", s.Name, r.Forecast)
			}
		}
		if len(r.Forecast) < 2 {
			t.Errorf("forecast %+v", r.Forecast)
		}
	})
}
