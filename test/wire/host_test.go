package wire

import (
	"sync/atomic"
	"testing"
	"time"

	"one-ft/test/cloud"
)

// when a fault begins.
type when string

const (
	first   when = "before the first call"
	acting  when = "in the middle of acting"
	looking when = "while watching the host"
	judging when = "before the storm guard has looked"
)

// kind is a fault.
type kind struct {
	name string
	make func(*testing.T, *oned) wire
}

// wellDone is how a run ends that is to get through.
var wellDone = expectation{bound: patience}

// bound is what the limits of a run that meets a fault add up to.
func (w when) bound() time.Duration {
	switch w {
	case first:
		return onedWait + lastAttempt
	case acting:
		return timeout + lastWord
	case looking:
		return watching + 2*lastAttempt + lastWord
	default:
		return 2*time.Second + 2*lastAttempt + lastWord // give_up of the storm guard
	}
}

// trigger lets a fault begin at its time, and tells whether it has.
func (s *site) trigger(w when, begin func()) (begun func() bool) {
	var done atomic.Bool
	hook := func(cloud.Call) {
		begin()
		done.Store(true)
	}
	switch w {
	case first:
		hook(cloud.Call{})
	case acting:
		// Some VMs have been recreated, some calls are under way and some have not been made.
		s.Inject(cloud.Rule{Method: s.acts(), ID: -1, Skip: 3, Times: 1, Hook: hook})
	case looking:
		s.Inject(cloud.Rule{Method: "one.host.info", ID: failed, Skip: 2, Times: 1, Hook: hook})
	case judging:
		s.Inject(cloud.Rule{Method: "one.hostpool.info", ID: -1, Times: 1, Hook: hook})
	}
	return done.Load
}

// options of host_error that a fault needs.
func (w when) options() []string {
	if w == looking {
		return []string{"--wait", watching.String()}
	}
	return nil
}

// The faults with which nothing is lost.
var harmless = []kind{
	{"latency", toxics(`{"type": "latency", "attributes": {"latency": 30}}`)},
	{"jitter", toxics(`{"type": "latency", "attributes": {"latency": 30, "jitter": 30}}`, `{"type": "latency", "stream": "upstream", "attributes": {"jitter": 20}}`)},
	{"a slow wire", toxics(`{"type": "bandwidth", "attributes": {"rate": 60}}`)},
	{"answers in small pieces", toxics(`{"type": "slicer", "attributes": {"average_size": 100, "size_variation": 50, "delay": 200}}`)},
	{"connections that end after each answer", lines(hangsUp)},
	{"connections that end when they are used again", lines(tires)},
}

// stranger answers in the place of oned. To begin with that is a wrong endpoint.
const stranger = "the page of a stranger"

// The faults with which nothing gets through.
var deadly = []kind{
	{"reset", toxics(`{"type": "reset_peer"}`)},
	{"truncation", toxics(`{"type": "limit_data", "attributes": {"bytes": 150}}`)},
	{"black hole", toxics(`{"type": "timeout"}`, `{"type": "timeout", "stream": "upstream"}`)},
	{"answers into a black hole", toxics(`{"type": "timeout"}`)},
	{"refused", toxics()},
	{"half-open", lines(silent)},
	{"reset after the call", lines(resets)},
	{"closed after the call", lines(closes)},
	{"no HTTP", lines(babbles)},
	{stranger, lines(strangers)},
}

var versions = []string{"4.4.1", "5.10.6", "7.4.1"}

// TestFaultsThatStay: the run ends in time and says what is left; on a wire that is well
// again the next one goes on, and no VM is recreated a second time.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	for i, k := range deadly {
		for j, w := range []when{first, acting, looking, judging} {
			if w == judging && k.name != "black hole" && k.name != "refused" {
				continue // it reads as all others do
			}
			version := versions[(i+j)%len(versions)]
			t.Run(k.name+"/"+string(w)+"/"+version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, version)
				wire := k.make(t, s.oned)
				begun := s.trigger(w, wire.begin)
				r := s.recover(t, endpointAt(wire.address()), briefly(w.options()...)...)
				want := expectation{code: 1, bound: w.bound(), acted: w == acting && begun()}
				if w == first && k.name == stranger {
					want.code = 2
				}
				s.hold(t, r, want)
				s.goOn(t)
				s.runElsewhere(t)
			})
		}
	}
}

// TestHarmlessFaults: slow and unruly wires cost time, not VMs.
func TestHarmlessFaults(t *testing.T) {
	t.Parallel()
	for i, k := range harmless {
		for j, w := range []when{first, acting, looking} {
			version := versions[(i+j)%len(versions)]
			t.Run(k.name+"/"+string(w)+"/"+version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, version)
				wire := k.make(t, s.oned)
				s.trigger(w, wire.begin)
				s.hold(t, s.recover(t, endpointAt(wire.address()), patiently(w.options()...)...), wellDone)
				s.runElsewhere(t)
			})
		}
	}
}

// TestFaultsThatPass: what passes within --oned-wait is waited for, and nothing is left over.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	for i, k := range deadly {
		for j, w := range []when{first, acting, looking} {
			version := versions[(i+j)%len(versions)]
			t.Run(k.name+"/"+string(w)+"/"+version, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, version)
				wire := k.make(t, s.oned)
				s.trigger(w, func() {
					wire.begin()
					time.AfterFunc(400*time.Millisecond, wire.end)
				})
				s.hold(t, s.recover(t, endpointAt(wire.address()), patiently(w.options()...)...), wellDone)
				s.runElsewhere(t)
			})
		}
	}
}
