package wire

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// single is the VM that failed or crashed on a host that is fine, crashedOn.
const (
	single    = 50
	crashedOn = 1
)

// tool is an executable for one VM.
type tool struct {
	name    string
	options []string
	// state is what the VM is in, and call what it is recovered with, by version.
	state func(old bool) (one.VMState, one.LCMState)
	call  func(old bool) string
}

var tools = []tool{
	{"vm_failure", []string{"-r"},
		func(old bool) (one.VMState, one.LCMState) {
			if old {
				return one.Failed, 0
			}
			return one.Active, one.BootFailure
		},
		func(old bool) string {
			if old {
				return "one.vm.action"
			}
			return "one.vm.recover"
		}},
	{"vm_unknown", nil,
		func(bool) (one.VMState, one.LCMState) { return one.Active, one.Unknown },
		func(bool) string { return "one.vm.action" }},
}

// TestOneVM: the tools for one VM keep the same promises: on any wire the VM is recovered
// once, or named, within the limits, and the next run goes on.
func TestOneVM(t *testing.T) {
	t.Parallel()
	for i, tl := range tools {
		for _, m := range moments([]kind{harmless[0], blackHole, refused, halfOpen, lostAnswers}, first, acting) {
			m.version = versions[(slices.Index(versions, m.version)+i)%len(versions)]
			t.Run(tl.name+"/"+m.String(), func(t *testing.T) {
				t.Parallel()
				tl.try(t, m)
			})
		}
	}
}

// try runs a tool with a fault, and again without it.
func (tl tool) try(t *testing.T, m moment) {
	t.Helper()
	s := newSite(t, m.version, func(cfg *cloud.Config) {
		state, lcm := tl.state(strings.HasPrefix(m.version, "4."))
		cfg.VMs = append(cfg.VMs, vmOn(crashedOn, single, state, lcm))
	})
	wire := m.make(t, s.oned)
	if m.when == first {
		wire.begin()
	} else {
		s.onCall(tl.call(s.old()), single, 0, wire.begin)
	}
	limits, want := m.limits(timeout + 2*lastAttempt)
	words := append([]string{strconv.Itoa(single)}, tl.options...)
	r := s.runTool(t, endpointAt(wire.address()), tl.name, append(words, limits...)...)
	if broken := append(s.ended(r, want), s.never()...); len(broken) > 0 {
		t.Errorf("%s\n%s", strings.Join(broken, "\n"), r)
	}
	if want.code != 0 {
		again := append([]string{tl.name}, append(words, patiently()...)...)
		if all := s.incidents(t); len(all) > 0 {
			again = append([]string{"oneft", "resume", strconv.Itoa(all[0].Number)}, patiently()...)
		}
		if r := s.runTool(t, s.endpoint(), again[0], again[1:]...); r.code != 0 || r.loud() {
			t.Errorf("going on: %s", r)
		}
	}
	if times := s.executed(); len(times) != 1 {
		t.Errorf("calls: %v, want one for VM %d", times, single)
	}
	if broken := s.never(); len(broken) > 0 {
		t.Error(strings.Join(broken, "\n"))
	}
	s.running(t, single)
}
