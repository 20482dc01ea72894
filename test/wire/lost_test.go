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

// TestAnswersThatAreLost: oned executes each recreate and no answer to one ever arrives. Each
// VM is recreated once all the same, and the run ends well: it has looked at the VM again.
func TestAnswersThatAreLost(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name   string
		manner manner
	}{{"reset", resets}, {"closed", closes}, {"no HTTP", babbles}, {"the page of a stranger", strangers}} {
		for _, version := range versions {
			t.Run(k.name+"/"+version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, version)
				wire := newLine(t, s.oned, &line{manner: k.manner, only: onlyActing})
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
			wire := newLine(t, s.oned, &line{manner: resets, only: onlyActing})
			wire.begin()
			var both sync.WaitGroup
			var runs [2]run
			for i := range runs {
				both.Go(func() { runs[i] = s.recover(t, endpointAt(wire.address()), patiently()...) })
			}
			both.Wait()
			for _, r := range runs {
				if r.code != 0 || r.stdout != "" {
					t.Errorf("%s", r)
				}
			}
			s.runElsewhere(t)
		})
	}
}
