package wire

import (
	"sync"
	"testing"
)

// onlyActing is for faults that let everything pass but the calls that act on VMs.
func onlyActing(body []byte) bool {
	_, acts := actedOn(body)
	return acts
}

// lostAnswers has oned execute what is asked for, and resets the connection then.
var lostAnswers = kind{"answers that are lost", func(t *testing.T, o *oned) wire {
	return newLine(t, o, &line{manner: resets, only: onlyActing})
}}

// TestAnswersThatAreLost: oned executes each recreate and no answer to one ever arrives. Each
// VM is recreated once all the same, and the run ends well: it has looked at the VM again.
func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		manner   manner
		versions []string
	}{
		{"reset", resets, versions},
		{"closed", closes, versions[:1]},
		{"no HTTP", babbles, versions[1:2]},
		{"the page of a stranger", strangers, versions},
	} {
		for _, version := range c.versions {
			t.Run(c.name+"/"+version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, version)
				wire := newLine(t, s.oned, &line{manner: c.manner, only: onlyActing})
				wire.begin()
				s.hold(t, s.recover(t, endpointAt(wire.address()), patiently()...), wellDone)
				s.runElsewhere(t)
			})
		}
	}
}

// TestTheHookTwiceWhileAnswersAreLost: oned delivers the event twice at the same moment. Two
// recreates of one VM then would hang 4.4 and 5.10 for good.
func TestTheHookTwiceWhileAnswersAreLost(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, version)
			wire := lostAnswers.make(t, s.oned)
			wire.begin()
			var both sync.WaitGroup
			var runs [2]run
			for i := range runs {
				both.Go(func() { runs[i] = s.recover(t, endpointAt(wire.address()), patiently()...) })
			}
			both.Wait()
			for _, r := range runs {
				if r.code != 0 || r.loud() {
					t.Errorf("%s", r)
				}
			}
			s.runElsewhere(t)
		})
	}
}

// TestCallsThatAreLost: 5.10 answers success while it stops, loses the calls and is gone. None
// of these VMs counts as done, and the next run recreates them.
func TestCallsThatAreLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, "5.10.6")
	s.SetShuttingDown(true)
	wire := refused.make(t, s.oned)
	begun := s.onCall(s.recreates(), -1, onHost-1, wire.begin)
	r := s.recover(t, endpointAt(wire.address()), briefly()...)
	s.hold(t, r, expectation{code: 1, bound: acting.bound(), acted: begun()})
	s.SetShuttingDown(false)
	s.ResetCalls() // what was accepted then has not been done
	s.goOn(t)
	s.runElsewhere(t)
}
