package wire

import (
	"strconv"
	"testing"
)

// leave begins an incident that is not completed: it is stopped when some of the VMs have left the host.
func (s *site) leave(t *testing.T) {
	t.Helper()
	wire := refused.make(t, s.oned)
	some := make(chan struct{})
	s.trigger(acting, func() {
		wire.begin()
		close(some)
	})
	r := s.runUntil(t, some, endpointAt(wire.address()), "host_error", append([]string{strconv.Itoa(failed), "-r", "n"}, patiently("--parallel", "1")...)...)
	if n := len(s.executed()); r.code != 1 || len(s.incidents(t)) != 1 || n == 0 || n == onHost {
		t.Fatalf("%d of %d VMs were recreated, and there are %d incidents, want some and one: %s", n, onHost, len(s.incidents(t)), r)
	}
}

// TestResume: oneft resume is bounded as the others are, leaves the incident for the next
// run, and recreates no VM that has been.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, m := range moments([]kind{harmless[0], blackHole, refused, lostAnswers}, first, acting) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, m.version)
			s.leave(t)
			wire := m.make(t, s.oned)
			begun := func() bool { return false }
			if m.when == first {
				wire.begin()
			} else {
				begun = s.onCall(s.recreates(), -1, 1, wire.begin)
			}
			limits, want := m.limits(m.when.bound())
			r := s.runTool(t, endpointAt(wire.address()), "oneft", append([]string{"resume", "1"}, limits...)...)
			want.acted = begun()
			s.hold(t, r, want)
			s.goOn(t)
			s.runElsewhere(t)
		})
	}
}

// TestSweep: what the timer runs finds the host that no hook came for, over a slow wire too;
// over one that breaks it says why not, touches nothing, and finds it the next time.
func TestSweep(t *testing.T) {
	t.Parallel()
	sweep := []string{"resume", "--wait", "0s"}
	t.Run("latency", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "5.10.6")
		wire := harmless[0].make(t, s.oned)
		wire.begin()
		s.hold(t, s.runTool(t, endpointAt(wire.address()), "oneft", append(sweep, patiently()...)...), wellDone)
		s.runElsewhere(t)
	})
	t.Run("refused before the first call", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "7.4.1")
		wire := refused.make(t, s.oned)
		wire.begin()
		s.hold(t, s.runTool(t, endpointAt(wire.address()), "oneft", append(sweep, briefly()...)...), expectation{code: 1, bound: first.bound()})
		s.hold(t, s.runTool(t, s.endpoint(), "oneft", append(sweep, patiently()...)...), wellDone)
		s.runElsewhere(t)
	})
	t.Run("refused at the second look", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "4.4.1")
		wire := refused.make(t, s.oned)
		s.onCall("one.hostpool.info", -1, 1, wire.begin) // a look begins with it
		r := s.runTool(t, endpointAt(wire.address()), "oneft", append(sweep, briefly()...)...)
		s.hold(t, r, expectation{code: 1, bound: lookTwice + first.bound()})
		if times := s.executed(); len(times) > 0 {
			t.Errorf("calls: %v, want none without a second look", times)
		}
	})
}
