package reconcile

import (
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/metrics"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

// TestSeen: each incident and each thing that was found counts once, where an alert looks for it.
func TestSeen(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return at.Add(-time.Duration(minutes) * time.Minute) }
	held := incident.Record{Status: incident.Open, Began: ago(5), Host: &incident.HostRecord{Standing: &incident.Standing{State: incident.StandStorm}}}
	open := map[object]incident.Record{
		{"host", 1}: {Status: incident.Open, Began: ago(3)},
		{"host", 2}: held,
		{"host", 3}: {Status: incident.Following, Began: ago(90)},
		{"VM", 3}:   {Status: incident.Following, Began: ago(70)},
	}
	of := func(kind string, id int, verdict recovery.Sweep, why wording.Message) found {
		return found{request: incident.Request{Kind: kind, ID: id}, swept: recovery.Swept{Verdict: verdict}, why: why}
	}
	left := wording.Of(wording.LeftToPerson, "fe-2")
	all := []found{
		of("host", 1, recovery.SweepContinue, wording.Message{}), // counts as the incident that it is
		of("host", 4, recovery.SweepHandled, wording.Message{}),
		of("host", 5, recovery.SweepMissed, wording.Message{}),
		of("host", 6, recovery.SweepAgain, left),
		of("host", 9, recovery.SweepMissed, wording.Of(wording.Paused, "noon", "admin", "power works")), // nobody is to be called
		of("VM", 7, recovery.SweepMissed, left),
		of("VM", 8, recovery.SweepMissed, left),
	}
	want := metrics.Swept{
		At: at, Open: metrics.Now{Count: 2, Since: ago(3)}, Held: metrics.Now{Count: 1, Since: ago(5)},
		Following: metrics.Now{Count: 2, Since: ago(90)}, LeftHosts: 1, LeftVMs: 2,
	}
	if got := seen(at, open, all, false); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	want.Open = metrics.Now{Count: 1, Since: ago(3)} // what was found in vain is no incident
	if got := seen(at, open, all, true); got != want {
		t.Errorf("afterwards: got  %+v\nwant %+v", got, want)
	}
}

// TestDiskThatHangs: what is written beside a run is waited for, and for no longer than the limit when the disk hangs.
func TestDiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := make(chan struct{})
		written := behind(func() { <-disk })
		begun := time.Now()
		if await(written, metricsLimit); time.Since(begun) != metricsLimit {
			t.Errorf("it was waited for %s", time.Since(begun))
		}
		close(disk)
		begun = time.Now()
		if await(written, metricsLimit); time.Since(begun) != 0 {
			t.Errorf("what is written was waited for %s", time.Since(begun))
		}
	})
}
