package report_test

import (
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/incident/report"
)

func TestHowLongItTook(t *testing.T) {
	for took, want := range map[time.Duration]string{
		-time.Hour: "0 ms", 0: "0 ms", 40 * time.Millisecond: "40 ms", 99600 * time.Microsecond: "0.1 s", 940 * time.Millisecond: "0.9 s",
		9949 * time.Millisecond: "9.9 s", 9950 * time.Millisecond: "10 s", 59499 * time.Millisecond: "59 s", 59500 * time.Millisecond: "1 min 00 s",
		125 * time.Second: "2 min 05 s", time.Hour - time.Millisecond: "1 h 00 min", 62 * time.Minute: "1 h 02 min",
		24 * time.Hour: "1 d 00 h", 76*time.Hour + 59*time.Minute: "3 d 04 h",
	} {
		ended := began.Add(took)
		r := incident.Record{Began: began, Ended: &ended, Status: incident.Done}
		if got := report.Table([]incident.Record{r}, began.Add(1000*time.Hour))[1][3]; got != want {
			t.Errorf("%s: %s, want %s", took, got, want)
		}
	}
}

func TestCountsOfVMs(t *testing.T) {
	vms := func(results ...string) (all []incident.VM) {
		for _, result := range results {
			all = append(all, incident.VM{Result: result})
		}
		return all
	}
	for want, r := range map[string]incident.Record{
		"-": {},
		"6: 2 done, 1 already, 1 left, 1 incomplete, 1 refused":   {VMs: vms("refused", "incomplete", "left", "done", "already", "done")},
		"5: 1 done, 1 unproven, 1 starting, 1 already, 1 refused": {VMs: vms("refused", "starting", "unproven", "already", "done")},
		"2: 1 done, 1 not finished":                               {VMs: vms("", "done")},
		"2: 1 done, 1 without a result":                           {VMs: vms("", "done"), Ended: &began},
		"3: 1 done, 1 odd, 1 strange":                             {VMs: vms("strange", "odd", "done")},
	} {
		if got := report.Table([]incident.Record{r}, later())[1][5]; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
