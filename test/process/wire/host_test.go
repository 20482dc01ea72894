package wire

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"one-ft/test/sim/cloud"
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
	switch w {
	case acting:
		// Some VMs have been recreated, some calls are under way and some have not been made.
		return s.onCall(s.recreates(), -1, 3, begin)
	case looking:
		return s.onCall("one.host.info", failed, 2, begin)
	case judging:
		return s.onCall("one.hostpool.info", -1, 0, begin)
	}
	begin()
	return func() bool { return true }
}

// onCall lets a fault begin when a call arrives, before it is executed, and tells whether it
// has. So many calls of the same method for the same object pass first; -1 is any object.
func (s *site) onCall(method string, id, skip int, begin func()) (begun func() bool) {
	var done atomic.Bool
	s.Inject(cloud.Rule{Method: method, ID: id, Skip: skip, Times: 1, Hook: func(cloud.Call) {
		begin()
		done.Store(true)
	}})
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
var (
	blackHole = kind{"black hole", toxics(`{"type": "timeout"}`, `{"type": "timeout", "stream": "upstream"}`)}
	refused   = kind{"refused", toxics()}
	halfOpen  = kind{"half-open", lines(silent)}

	deadly = []kind{
		blackHole, halfOpen, refused,
		{"reset", toxics(`{"type": "reset_peer"}`)},
		{"truncation", toxics(`{"type": "limit_data", "attributes": {"bytes": 150}}`)},
		{stranger, lines(strangers)},
	}
	// Before anything was asked for, and while nothing but reading is done, these are like
	// others.
	deadlyForActing = []kind{
		{"answers into a black hole", toxics(`{"type": "timeout"}`)},
		{"reset after the call", lines(resets)},
		{"closed after the call", lines(closes)},
		{"no HTTP", lines(babbles)},
	}
)

// moment is a fault, when it begins, and a version.
type moment struct {
	kind
	when    when
	version string
}

func (m moment) String() string { return fmt.Sprintf("%s/%s/%s", m.name, m.when, m.version) }

// limits are the options of a run that meets the fault for as long as it lasts, and how it
// has to end: by its limits where nothing gets through.
func (m moment) limits(bound time.Duration) ([]string, expectation) {
	if slices.ContainsFunc(deadly, func(k kind) bool { return k.name == m.name }) {
		return briefly(), expectation{code: 1, bound: bound}
	}
	return patiently(), wellDone
}

// moments pairs faults with times, and each pair with one of the versions in turn.
func moments(kinds []kind, times ...when) (all []moment) {
	for i, k := range kinds {
		for j, w := range times {
			all = append(all, moment{k, w, versions[(i+j)%len(versions)]})
		}
	}
	return all
}

var versions = []string{"4.4.1", "5.10.6", "7.4.1"}

// TestFaultsThatStay: the run ends in time and says what is left; on a wire that is well
// again the next one goes on, and no VM is recreated a second time.
func TestFaultsThatStay(t *testing.T) {
	t.Parallel()
	all := append(moments(deadly, looking, acting, first), moments(deadlyForActing, acting)...)
	for _, m := range append(moments([]kind{blackHole, refused}, judging), all...) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, m.version)
			wire := m.make(t, s.oned)
			begun := s.trigger(m.when, wire.begin)
			r := s.recover(t, endpointAt(wire.address()), briefly(m.when.options()...)...)
			want := expectation{code: 1, bound: m.when.bound(), acted: m.when == acting && begun()}
			if m.when == first && m.name == stranger {
				want.code = 2
			}
			s.hold(t, r, want)
			s.goOn(t)
			s.runElsewhere(t)
		})
	}
}

// TestFaultsThatPass: what passes within --oned-wait is waited for, and nothing is left over.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	for _, m := range append(moments(deadly, looking, acting), moments(deadlyForActing, acting)...) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, m.version)
			wire := m.make(t, s.oned)
			s.trigger(m.when, func() {
				wire.begin()
				time.AfterFunc(400*time.Millisecond, wire.end)
			})
			s.hold(t, s.recover(t, endpointAt(wire.address()), patiently(m.when.options()...)...), wellDone)
			s.runElsewhere(t)
		})
	}
}

// TestHarmlessFaults: slow and unruly wires cost time, not VMs.
func TestHarmlessFaults(t *testing.T) {
	t.Parallel()
	for _, m := range moments(harmless, first, acting) {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, m.version)
			wire := m.make(t, s.oned)
			s.trigger(m.when, wire.begin)
			s.hold(t, s.recover(t, endpointAt(wire.address()), patiently()...), wellDone)
			s.runElsewhere(t)
		})
	}
}
