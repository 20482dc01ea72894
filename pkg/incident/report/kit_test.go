package report_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// began is when all test incidents begin.
var began = time.Date(2026, 3, 1, 22, 10, 4, 0, time.UTC)

// story builds a record event by event.
type story struct {
	r  incident.Record
	at time.Time
}

func newStory(number int, kind string, id int, name, tool string, call ...string) *story {
	return &story{at: began, r: incident.Record{
		Version: incident.RecordVersion, Number: number, Kind: kind, ID: id, Name: name, Tool: tool, Call: call,
		FrontEnd: "fe1", Began: began, Status: incident.Open,
	}}
}

// say adds an event some time after the last one.
func (s *story) say(after time.Duration, step incident.Step, vm int, level wording.Level, format string, args ...any) *story {
	s.at = s.at.Add(after)
	s.r.Events = append(s.r.Events, incident.Event{At: s.at, Step: step, VM: vm, Level: level, Text: fmt.Sprintf(format, args...)})
	return s
}

// end closes the incident.
func (s *story) end(after time.Duration, status incident.Status, format string, args ...any) incident.Record {
	s.r.Status, s.r.Summary = status, fmt.Sprintf(format, args...)
	level := wording.Info
	if status != incident.Done && status != incident.CameBack {
		level = "problem"
	}
	s.say(after, incident.StepEnd, -1, level, "%s", s.r.Summary)
	ended := s.at
	s.r.Ended = &ended
	return s.r
}

// watched is the beginning of most host incidents.
func watched() *story {
	return newStory(7, "host", 3, "node03", "/var/lib/one/remotes/hooks/ft/host_error", "3", "-r", "n", "-p", "2").
		say(0, incident.StepTold, -1, "info", "oned says ERROR").
		say(30*time.Millisecond, incident.StepConfirm, -1, "info", "watching the host for 20s; it counts as back only when it is MONITORED").
		say(20*time.Second, incident.StepGuard, -1, "info", "guard: 1 of 12 hosts in service of the cloud failed").
		say(40*time.Millisecond, incident.StepOpinion, -1, "info", "ping_san does not say that the host is alive").
		say(210*time.Millisecond, incident.StepFence, -1, "info", "level 1 (bmc), fence_ipmilan 10.0.0.11: off").
		say(4*time.Second, incident.StepFence, -1, "info", "fenced in 4.1 s: level 1 (bmc): fence_ipmilan 10.0.0.11 says off")
}

// recovered takes n VMs through plan, act and verify, over a time; the VMs in bad end with that
// detail. gap is between two calls.
func (s *story) recovered(n int, gap time.Duration, bad map[int]string) *story {
	s.r.Proof = "level 1 (bmc): fence_ipmilan 10.0.0.11 says off"
	s.say(100*time.Millisecond, incident.StepPlan, -1, "info", "%d VMs: %d recreate", n, n)
	for id := 1; id <= n; id++ {
		s.say(gap, incident.StepAct, id, "info", "recreate: accepted by oned")
	}
	for id := 1; id <= n; id++ {
		vm := incident.VM{ID: id, Name: fmt.Sprintf("web%d", id), Owner: "ann", State: "UNKNOWN", Action: "recreate",
			Result: "done", Detail: fmt.Sprintf("running on host %d (node%02d)", 4+id%3, 4+id%3), Priority: 50, Calls: 1, Seconds: 3.25}
		level := wording.Info
		if detail, isBad := bad[id]; isBad {
			vm.Result, vm.Detail, vm.Kind, level = "incomplete", detail, kinds()[detail].Name(), "problem"
		}
		s.say(gap, incident.StepVerify, id, level, "%s: %s: %s", vm.Action, vm.Result, vm.Detail)
		s.r.VMs = append(s.r.VMs, vm)
	}
	return s
}

// kinds are those of some details; the others are of a one-ft without kinds.
func kinds() map[string]wording.Kind {
	return map[string]wording.Kind{
		"still PENDING: Cannot dispatch VM: no host meets SCHED_REQUIREMENTS": wording.StillPending,
		"not done in time: connection refused":                                wording.OutOfTime,
		"it is BOOT_FAILURE on host 5 (node05): boot disk not found":          wording.FailedAgain,
		"it has been MIGRATE for 10m0s":                                       wording.Stuck,
	}
}

func normal() incident.Record {
	return watched().recovered(40, 100*time.Millisecond, nil).end(time.Second, incident.Done, "40 VMs: 40 done")
}

func incomplete() incident.Record {
	s := watched().recovered(40, 100*time.Millisecond, map[int]string{
		5: "still PENDING: Cannot dispatch VM: no host meets SCHED_REQUIREMENTS",
		6: "still PENDING: Cannot dispatch VM: no host meets SCHED_REQUIREMENTS",
		7: "not done in time: connection refused",
		8: "it is BOOT_FAILURE on host 5 (node05): boot disk not found",
		9: "it has been MIGRATE for 10m0s",
	})
	s.r.VMs = append(s.r.VMs,
		incident.VM{ID: 50, Name: "db", Owner: "bob", State: "SHUTDOWN", Action: "leave", Result: "incomplete", Kind: wording.BeingEnded.Name(), Detail: "its owner was ending it, and it cannot be moved in this state"},
		incident.VM{ID: 51, Name: "old", Owner: "bob", State: "POWEROFF", Action: "leave", Result: "left", Detail: "y is not given"})
	return s.end(time.Second, incident.Incomplete, "42 VMs: 35 done, 1 left, 6 incomplete")
}

func storm() incident.Record {
	s := newStory(8, "host", 3, "node03", "host_error", "3", "-r", "n")
	s.say(0, incident.StepTold, -1, "info", "oned says ERROR")
	s.say(time.Second, incident.StepGuard, -1, "warning", "holding: 8 of 12 hosts in service of the cloud failed, so the front-end itself is the suspect; nothing is fenced or touched")
	for range 30 {
		s.say(time.Minute, incident.StepGuard, -1, "warning", "still holding")
	}
	s.r.Reason = wording.StormGivenUp.Name()
	return s.end(time.Second, incident.Refused, "held for 30m0s and given up: 8 of 12 hosts in service of the cloud failed; nothing was fenced or touched; --override-storm goes on all the same")
}

// held is an open incident that a storm keeps from its VMs.
func held() incident.Record {
	s := newStory(15, "host", 3, "node03", "host_error", "3", "-r", "n")
	s.say(0, incident.StepTold, -1, "info", "oned says ERROR")
	s.say(time.Second, incident.StepGuard, -1, "warning", "holding: 3 of 4 hosts in service of the cloud failed, so the front-end is the likelier culprit; nothing is fenced or touched")
	s.r.Host = &incident.HostRecord{Standing: &incident.Standing{State: incident.StandStorm, Failed: 3, InService: 4, Where: "the cloud"}}
	return s.r
}

func unfenced() incident.Record {
	s := newStory(9, "host", 3, "node03", "host_error", "3", "-r", "n", "--fencing", "required", "-p", "3")
	s.say(0, incident.StepTold, -1, "info", "oned says ERROR")
	s.say(time.Second, incident.StepFence, -1, "info", "level 1 (bmc), fence_ipmilan 10.0.0.11: off")
	s.say(20*time.Second, incident.StepFence, -1, "problem", "level 1 (bmc), fence_ipmilan 10.0.0.11: connection timed out")
	s.r.Reason = wording.FencingFailed.Name()
	return s.end(time.Second, incident.Refused, "fencing failed, and nothing was touched: level 1 (bmc), fence_ipmilan 10.0.0.11: connection timed out; so host 3 (node03) is not proven to be off")
}

func cameBack() incident.Record {
	s := newStory(10, "host", 3, "node03", "host_error", "3", "-r", "n", "-p", "2")
	s.say(0, incident.StepTold, -1, "info", "oned says ERROR")
	s.say(10*time.Millisecond, incident.StepConfirm, -1, "info", "watching the host for 6m0s; it counts as back only when it is MONITORED")
	return s.end(95*time.Second, incident.CameBack, "the host came back: nothing to recover")
}

func open() incident.Record {
	s := watched().recovered(5, 100*time.Millisecond, nil)
	for i := 2; i < 5; i++ {
		s.r.VMs[i].Result, s.r.VMs[i].Detail = "", ""
	}
	return s.r
}

func oneVM() incident.Record {
	s := newStory(11, "VM", 42, "web", "vm_failure", "42", "-r")
	s.say(0, incident.StepTold, 42, "info", "oned says BOOT_FAILURE")
	s.say(200*time.Millisecond, incident.StepPlan, 42, "info", "recreate")
	s.say(100*time.Millisecond, incident.StepAct, 42, "warning", "attempt 5 of 5; it begins in 0s")
	s.say(100*time.Millisecond, incident.StepAct, 42, "problem", "recreate: incomplete: given up")
	detail := "given up after 5 attempts within 1h0m0s, and left as it is: find out what is wrong with it, then run vm_failure 42 with --no-budget"
	s.r.VMs = []incident.VM{{ID: 42, Name: "web", Owner: "ann", State: "BOOT_FAILURE", Action: "recreate", Result: "incomplete", Kind: wording.BudgetSpent.Name(), Detail: detail, Priority: 50}}
	return s.end(100*time.Millisecond, incident.Incomplete, "recreate: incomplete: %s", detail)
}

// evil is what a name may hold: markup, quotes, terminal escapes, direction marks, broken
// UTF-8, template actions.
const evil = "<script src=//x.example>alert(1)</script>\"'><img onerror=a href=b>\x1b]0;x\a\x1b[2J\r\n\u202e\u200f\u2066{{.}}\x00\xff' ; rm -rf / $(id) `id` אבג"

func hostile() incident.Record {
	long := evil + strings.Repeat("A<b>", 25_000)
	s := newStory(12, evil, 3, evil, "host_error", evil, "-r", "n", "--confirm", evil, "--log-file="+evil)
	s.r.FrontEnd, s.r.Proof = evil, long
	s.say(0, incident.Step(evil), -1, evil, "%s", long)
	s.say(time.Second, incident.StepAct, 42, "problem", "%s", long)
	s.say(time.Second, "later step", 42, "warning", "%s", evil)
	s.r.VMs = []incident.VM{
		{ID: 42, Name: long, Owner: evil, State: evil, Action: evil, Result: evil, Detail: long},
		{ID: 43, Name: evil, Owner: evil, State: evil, Action: "leave", Result: "incomplete", Detail: evil},
	}
	for i := range 60 {
		s.r.VMs[0].Path = append(s.r.VMs[0].Path, incident.Hop{At: began.Add(time.Duration(i) * time.Second), State: long, Host: i, Waits: wording.Wait(long)})
	}
	s.r.Host = &incident.HostRecord{Failed: began, Quarantined: began, FailFast: slices.Repeat([]string{long, evil}, 9)}
	s.r.Forecast = slices.Repeat([]incident.Stage{{Name: incident.StageName(long), Seconds: 1e300}, {Name: incident.StageDetection, Seconds: -1}}, 9)
	r := s.end(time.Second, incident.Status(evil), "%s", long)
	return r
}

func thousand() incident.Record {
	bad := map[int]string{}
	for id := 100; id <= 1000; id += 9 {
		bad[id] = fmt.Sprintf("accepted by oned, but VM %d has not left the host in time", id)
	}
	for id := 3; id <= 1000; id += 50 {
		bad[id] = fmt.Sprintf("reason number %d", 5000+id)
	}
	s := watched().recovered(1000, 20*time.Millisecond, bad)
	return s.end(time.Second, incident.Incomplete, "1000 VMs: 880 done, %d incomplete", len(bad))
}

// cases are all test incidents, by name of their golden files.
func cases() map[string]incident.Record {
	return map[string]incident.Record{
		"normal": normal(), "incomplete": incomplete(), "storm": storm(), "held": held(), "unfenced": unfenced(), "came_back": cameBack(),
		"open": open(), "vm": oneVM(), "hostile": hostile(), "thousand": thousand(), "empty": {},
		"ran_again": ranAgain(), "followed": followed(), "guessed": guessed(), "stuck": stuck(), "two_hundred": twoHundred(),
	}
}

// later is now in all tests: an hour after the begin.
func later() time.Time { return began.Add(time.Hour) }
