package wire

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// mostAtOnce is what oned serves at the same time, for everybody.
const mostAtOnce = 15

// expectation is how a run has to end.
type expectation struct {
	code  int
	bound time.Duration // by its own limits
	// acted: it got as far as acting, so each VM that is left has a reason of its own.
	acted bool
}

// reason is what an admin is told when oned could not be talked to.
var reason = regexp.MustCompile(`cannot reach oned|no answer from oned|not an XML-RPC answer|timed out|in time|failed to verify certificate`)

// hold holds a run for the failed host to the promises, whatever became of the wire.
func (s *site) hold(t *testing.T, r run, want expectation) {
	t.Helper()
	broken := append(s.ended(r, want), s.never()...)
	for id := range onHost {
		switch {
		case s.left(id):
		case r.code == 0:
			broken = append(broken, fmt.Sprintf("VM %d is still on the host, and the exit code says that it is not", id))
		case want.acted && !problemOf(r.log, id):
			broken = append(broken, fmt.Sprintf("VM %d is still on the host, and the log has no reason", id))
		}
	}
	if len(broken) > 0 {
		t.Errorf("%s\n%s", strings.Join(broken, "\n"), r)
	}
}

// ended looks how a run ended.
func (s *site) ended(r run, want expectation) (broken []string) {
	fault := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	if r.code != want.code {
		fault("exit code %d, want %d", r.code, want.code)
	}
	if r.loud() {
		fault("oned would read its standard output as messages of a driver")
	}
	if r.took > want.bound+grace {
		fault("it took %s, bounded by %s", r.took, want.bound)
	}
	if r.code != 0 && !reason.MatchString(r.stderr) {
		fault("stderr has no reason")
	}
	if r.code != 0 && !strings.Contains(r.log, "level=error") {
		fault("the log has no error")
	}
	return broken
}

// never are the promises that hold at any time.
func (s *site) never() (broken []string) {
	most, broken := s.seen()
	broken = slices.Clone(broken)
	if most > s.mostRequests {
		broken = append(broken, fmt.Sprintf("%d requests at the same time, at most %d are taken", most, s.mostRequests))
	}
	if s.Deadlocked() {
		broken = append(broken, "two calls for one VM at the same moment hung oned for good")
	}
	for call, n := range s.executed() {
		if n > 1 {
			broken = append(broken, fmt.Sprintf("%s was executed %d times", call, n))
		}
	}
	return broken
}

// problemOf reports whether the log names a VM with what is wrong.
func problemOf(log string, vm int) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=error") && slices.Contains(strings.Fields(line), fmt.Sprintf("vm=%d", vm)) {
			return true
		}
	}
	return false
}

// running waits until a VM runs, and gives it as it is then.
func (s *site) running(t *testing.T, id int) cloud.VM {
	t.Helper()
	vm, _ := s.VM(id)
	for end := time.Now().Add(grace); vm.LCM != one.Running && time.Now().Before(end); vm, _ = s.VM(id) {
		time.Sleep(20 * time.Millisecond)
	}
	if vm.LCM != one.Running {
		t.Errorf("VM %d is %s/%s, want it RUNNING", id, vm.State, vm.LCM)
	}
	return vm
}

// runElsewhere looks that all VMs come to run on another host, and that each got there with
// one recreate.
func (s *site) runElsewhere(t *testing.T) {
	t.Helper()
	for id := range onHost {
		vm := s.running(t, id)
		if n := len(vm.History); n != 2 || vm.History[1].HostID == failed {
			t.Errorf("VM %d has been on %d hosts, want it on its second", id, n)
		}
	}
	if broken := s.never(); len(broken) > 0 {
		t.Error(strings.Join(broken, "\n"))
	}
	if times := s.executed(); len(times) != onHost {
		t.Errorf("calls: %v, want one for each of %d VMs", times, onHost)
	}
}
