package report

import (
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// TestLive: what is done, since when and until when, and the VMs by state; a line does not change while nothing happens.
func TestLive(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	ended := at(time.Minute)
	old := at(time.Hour)
	event := func(ago time.Duration, step incident.Step) incident.Event {
		return incident.Event{At: at(ago), Step: step, VM: -1}
	}
	vm := func(state string, wait wording.Wait, result string) incident.VM {
		return incident.VM{State: "UNKNOWN", Result: result, Path: []incident.Hop{{At: at(time.Minute), State: "UNKNOWN", Host: 3}, {At: at(time.Second), State: state, Host: -1, Waits: wait}}}
	}
	open := incident.Record{Number: 7, Kind: "host", ID: 3, Name: "node03", Began: at(5 * time.Minute), Status: incident.Open}
	with := func(change func(*incident.Record)) incident.Record {
		r := open
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		record incident.Record
		want   []string
	}{
		"begun": {open, []string{"incident 7: host 3 (node03): it has begun"}},
		"watched": {with(func(r *incident.Record) {
			r.Events = []incident.Event{event(5*time.Minute, incident.StepTold), event(4*time.Minute, incident.StepConfirm), event(time.Minute, incident.StepConfirm)}
			r.Forecast = []incident.Stage{{Name: incident.StageWatch, Seconds: 360}}
		}), []string{"incident 7: host 3 (node03): watching the host since 11:56:00, until 12:02:00 at most"}},
		"fenced without a forecast": {with(func(r *incident.Record) { r.Events = []incident.Event{event(time.Minute, incident.StepFence)} }),
			[]string{"incident 7: host 3 (node03): proving that the host is off since 11:59:00"}},
		"held": {with(func(r *incident.Record) {
			r.Events = []incident.Event{event(time.Minute, incident.StepGuard)}
			r.Host = &incident.HostRecord{Standing: &incident.Standing{State: incident.StandSettling, Until: now.Add(20 * time.Second)}}
		}), []string{"incident 7: host 3 (node03): so many hosts cannot be asked whether they are there that this could be the front-end's own trouble; waiting 1m20s for others to follow into ERROR, until 12:00:20"}},
		"resumed": {with(func(r *incident.Record) {
			r.Events = []incident.Event{event(5*time.Minute, incident.StepTold), event(time.Minute, incident.StepEnd)}
		}), []string{"incident 7: host 3 (node03): it has begun again"}},
		"paused then": {with(func(r *incident.Record) {
			r.Status, r.Ended, r.Reason, r.Summary = incident.Refused, &ended, wording.Paused.Name(), "one-ft is paused until 15:47:12"
		}), []string{"incident 7: host 3 (node03): refused since 11:59:00: at that time: one-ft is paused until 15:47:12"}},
		"followed": {with(func(r *incident.Record) {
			r.Status = incident.Following
			r.VMs = []incident.VM{vm("PENDING", wording.WaitScheduler, ""), vm("PENDING", wording.WaitScheduler, "starting"), vm("BOOT", wording.WaitBoot, ""), vm("RUNNING", "", "done"), {State: "UN\x1bKNOWN"}}
		}), []string{"incident 7: host 3 (node03): its VMs are followed until they run", "  2 VMs: PENDING, waits for scheduler", "  1 VM: BOOT, waits for boot", "  1 VM: UN\\x1bKNOWN", "  1 VM: done"}},
		"ended":          {with(func(r *incident.Record) { r.Status, r.Ended, r.Summary = incident.Done, &ended, "2 VMs: recovered 2" }), []string{"incident 7: host 3 (node03): done since 11:59:00: 2 VMs: recovered 2"}},
		"ended long ago": {with(func(r *incident.Record) { r.Status, r.Ended = incident.Done, &old }), nil},
	} {
		got := Live([]incident.Record{c.record}, now)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%s", name, strings.Join(got, "\n"))
		}
		if later := Live([]incident.Record{c.record}, now.Add(9*time.Second)); !slices.Equal(later, got) {
			t.Errorf("%s: it changes by itself:\n%s", name, strings.Join(later, "\n"))
		}
	}
}
