package recovery

import (
	"testing"
	"time"

	"one-ft/pkg/one"
)

func TestOverdue(t *testing.T) {
	now, cycle := time.Unix(1_800_000_000, 0), time.Minute
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	for _, c := range []struct {
		what  string
		host  one.Host
		heard int64
		want  bool
	}{
		{"6.10, two minutes and the probes", one.Host{State: one.HostMonitored}, ago(125 * time.Second), false},
		{"6.10, a datagram was lost", one.Host{State: one.HostMonitored}, ago(245 * time.Second), false},
		{"6.10, silent", one.Host{State: one.HostMonitored}, ago(256 * time.Second), true},
		{"never monitored", one.Host{State: one.HostInit}, 0, false},
		{"4.4, the cycle is late", one.Host{State: one.HostMonitored, LastAttempt: ago(2 * time.Minute)}, 0, false},
		{"4.4, a cycle is missing", one.Host{State: one.HostMonitored, LastAttempt: ago(121 * time.Second)}, 0, true},
		{"5.10, being asked since long", one.Host{State: one.HostMonitoringMonitored, LastAttempt: ago(5 * time.Minute)}, 0, true},
		{"its last attempt failed, which says nothing", one.Host{State: one.HostError, LastAttempt: ago(time.Hour)}, 0, false},
	} {
		if got := Overdue(c.host, c.heard, now, cycle); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
