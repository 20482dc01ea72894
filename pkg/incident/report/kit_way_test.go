package report_test

import (
	"fmt"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/wording"
)

// hop is a state on a way, some time after the one before it.
func hop(after float64, state string, host int, waits wording.Wait) incident.Hop {
	return incident.Hop{At: time.Time{}.Add(time.Duration(after * float64(time.Second))), State: state, Host: host, Waits: waits}
}

// path makes times of the distances of hops.
func path(from time.Time, hops ...incident.Hop) []incident.Hop {
	for i := range hops {
		from = from.Add(hops[i].At.Sub(time.Time{}))
		hops[i].At = from
	}
	return hops
}

// sent is the way of a VM whose scheduler lets it wait, and that runs on a host then.
func sent(from time.Time, wait float64, host int) []incident.Hop {
	return path(from, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1.1, "PENDING", 3, wording.WaitScheduler),
		hop(wait, "PROLOG", host, wording.WaitDisks), hop(2, "BOOT", host, wording.WaitBoot), hop(1, "RUNNING", host, ""))
}

// placed are n VMs on ways to four hosts: four start each 15 s, as the scheduler of 6.10 does it as shipped.
func placed(n int) *story {
	s := watched().recovered(n, 10*time.Millisecond, nil)
	planned := s.at
	s.r.Proven = true
	for i := range s.r.VMs {
		host := 4 + i%4
		s.r.VMs[i].Path = sent(planned, 4+float64(i/4)*15, host)
		s.r.VMs[i].Detail = fmt.Sprintf("running on host %d (node%02d)", host, host)
		if last := s.r.VMs[i].Path[5].At; last.After(s.at) {
			s.at = last
		}
	}
	s.r.Host = &incident.HostRecord{Failed: began.Add(-2 * time.Second), FailFast: []string{"node03", "10.0.0.3"}, Quarantined: planned}
	s.r.Forecast = []incident.Stage{
		{Name: incident.StageDetection, Seconds: 200}, {Name: incident.StageWatch, Seconds: 20}, {Name: incident.StageGuard, Seconds: 0.1}, {Name: incident.StageProof, Seconds: 4},
		{Name: incident.StageCleanup, Seconds: 1.2}, {Name: incident.StageScheduler, Seconds: 19}, {Name: incident.StageProlog, Seconds: 3}, {Name: incident.StageBoot, Seconds: 1},
	}
	return s
}

// mark adds an event of a kind.
func (s *story) mark(after time.Duration, kind wording.Kind, format string, args ...any) *story {
	s.say(after, incident.StepVerify, -1, "info", format, args...)
	s.r.Events[len(s.r.Events)-1].Kind = kind.Name()
	return s
}

// ranAgain is an incident that brought six VMs to RUNNING.
func ranAgain() incident.Record {
	return placed(6).mark(time.Second, wording.FailFastOver, "ssh to the host is as usual").
		mark(time.Second, wording.Released, "given back to the scheduler").
		end(time.Second, incident.Done, "6 VMs: 6 done")
}

// followed is an incident whose last VMs are still on their ways, each waiting for something else.
func followed() incident.Record {
	s := placed(38)
	at := s.at
	for i, p := range [][]incident.Hop{
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitScheduler)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitScheduler), hop(30, "PENDING", 3, wording.WaitRoom)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitScheduler), hop(60, "HOLD", 3, wording.WaitOwner)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitScheduler), hop(9, "PROLOG", 5, wording.WaitDisks)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitScheduler), hop(9, "PROLOG", 5, wording.WaitDisks), hop(40, "BOOT", 5, wording.WaitBoot)),
		path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, "a reason of a later version")),
		nil,
	} {
		s.r.VMs = append(s.r.VMs, incident.VM{ID: 50 + i, Name: fmt.Sprint("db", i), Owner: "bob", State: "UNKNOWN", Action: "recreate", Result: "starting", Path: p})
	}
	s.r.Status, s.r.Summary = incident.Following, "recovered 38, 8 still starting"
	return s.r
}

// guessed is an incident that was carried out without a proof.
func guessed() incident.Record {
	s := placed(6)
	s.r.Proof, s.r.Proven, s.r.Host.FailFast = "without a proof: fencing is off", false, nil
	s.r.Events = slices.DeleteFunc(s.r.Events, func(e incident.Event) bool { return e.Step == incident.StepFence })
	for i := range s.r.VMs {
		s.r.VMs[i].Result = "unproven"
	}
	return s.end(time.Second, incident.Unproven, "6 VMs: 6 unproven")
}

// stuck is an incident that gave up on VMs on their ways.
func stuck() incident.Record {
	s := placed(6)
	at := s.r.VMs[0].Path[0].At
	s.r.VMs[1].Result, s.r.VMs[1].Kind, s.r.VMs[1].Detail = "incomplete", wording.Stuck.Name(), "no host had room in 10m0s"
	s.r.VMs[1].Path = path(at, hop(0, "UNKNOWN", 3, ""), hop(0.1, "CLEANUP_RESUBMIT", 3, wording.WaitCleanup), hop(1, "PENDING", 3, wording.WaitRoom))
	s.r.VMs[2].Result, s.r.VMs[2].Detail = "incomplete", "a text that says nothing"
	s.r.VMs[2].Path = path(at, hop(0, "UNKNOWN", 3, ""), hop(1, "PENDING", 3, wording.WaitScheduler), hop(9, "PROLOG", 5, wording.WaitDisks), hop(2, "PROLOG_FAILURE", 5, ""))
	s.r.VMs[3].Result, s.r.VMs[3].Kind, s.r.VMs[3].Detail = "incomplete", wording.OutOfTime.Name(), "not done in time: connection refused"
	s.r.VMs[3].Path = path(at, hop(0, "UNKNOWN", 3, ""))
	return s.end(600*time.Second, incident.Incomplete, "6 VMs: 3 done, 3 incomplete")
}

// twoHundred are VMs on 50 different ways.
func twoHundred() incident.Record {
	return placed(200).end(time.Second, incident.Done, "200 VMs: 200 done")
}
