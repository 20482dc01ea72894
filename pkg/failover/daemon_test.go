package failover_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"one-ft/test/sim/cloud"
)

// TestCallsLostByAStoppingDaemon: 5.10 accepts calls while it shuts down and loses
// them; only looking again notices.
func TestCallsLostByAStoppingDaemon(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(4)...))
		w.failHost()
		w.cloud.SetShuttingDown(true)
		time.AfterFunc(3*time.Second, func() { w.cloud.SetDown(true) })
		time.AfterFunc(20*time.Second, func() { w.cloud.SetDown(false) })
		if report := w.recover(); report.ExitCode() != 0 {
			t.Errorf("%+v", report)
		}
		w.allElsewhere(4)
	})
}

func TestDaemonRestartsInTheMiddle(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, fourHosts(version, someRunning(20)...))
		w.failHost()
		var once sync.Once
		method := "one.vm.recover"
		if strings.HasPrefix(version, "4.4") {
			method = "one.vm.action"
		}
		defer w.cloud.Inject(cloud.Rule{Method: method, ID: -1, Skip: 5, Hook: func(cloud.Call) {
			once.Do(func() {
				w.cloud.SetDown(true)
				time.AfterFunc(45*time.Second, func() { w.cloud.SetDown(false) })
			})
		}})()
		if report := w.recover(); report.ExitCode() != 0 {
			t.Errorf("%+v", report)
		}
		w.allElsewhere(20)
	})
}

// TestAnswerLost: the call was executed, but the answer never came. It must not
// be sent again before the VM was looked at: two recreates of one VM hang 4.4 and 5.10.
func TestAnswerLost(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for _, rule := range []cloud.Rule{{DropAfter: true}, {Truncate: 40}, {Fault: nil, Mangle: func([]byte) []byte { return []byte("<html>504</html>") }}} {
			w := newWorld(t, fourHosts(version, someRunning(4)...))
			w.failHost()
			rule.ID, rule.Times = -1, 3
			for _, method := range []string{"one.vm.recover", "one.vm.action"} {
				rule.Method = method
				w.cloud.Inject(rule)
			}
			if report := w.recover(); report.ExitCode() != 0 {
				t.Errorf("%+v", report)
			}
			for id := range 4 {
				if n := w.recreates(id); n != 1 {
					t.Errorf("VM %d was recreated %d times: %v", id, n, w.changes(id))
				}
			}
			w.allElsewhere(4)
		}
	})
}

func TestTemporaryErrorsAreWaitedOut(t *testing.T) {
	onEach(t, func(t *testing.T, version string) {
		for name, rule := range map[string]cloud.Rule{
			"reset":    {DropBefore: true},
			"internal": {Refuse: &cloud.Refusal{Code: 8192, Text: "[one.vm.recover] Cannot process request, no leader found"}},
			"fault":    {Fault: &cloud.Fault{Code: -500, Text: "shutting down"}},
			"page":     {Status: 502, Body: []byte("<html>Bad Gateway</html>")},
		} {
			if name == "fault" {
				rule.Fault.Code = -504
			}
			w := newWorld(t, fourHosts(version, someRunning(3)...))
			w.failHost()
			rule.ID, rule.Times = -1, 6
			w.cloud.Inject(rule)
			if report := w.recover(); report.ExitCode() != 0 {
				t.Errorf("%s: %+v", name, report)
			}
			w.allElsewhere(3)
		}
	})
}
