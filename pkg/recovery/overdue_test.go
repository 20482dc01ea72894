package recovery

import (
	"cmp"
	"testing"
	"time"

	"one-ft/pkg/one"
)

func TestOverdue(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	for _, c := range []struct {
		what  string
		host  one.Host
		heard int64
		want  bool
		cycle time.Duration // a minute, else
		hosts int
	}{
		{what: "6.10, two minutes and the probes", host: one.Host{State: one.HostMonitored}, heard: ago(125 * time.Second), want: false},
		{what: "6.10, a datagram was lost", host: one.Host{State: one.HostMonitored}, heard: ago(245 * time.Second), want: false},
		{what: "6.10, silent", host: one.Host{State: one.HostMonitored}, heard: ago(256 * time.Second), want: true},
		{what: "never monitored", host: one.Host{State: one.HostInit}, heard: 0, want: false},
		{what: "4.4, the cycle is late", host: one.Host{State: one.HostMonitored, LastAttempt: ago(2 * time.Minute)}, heard: 0, want: false},
		{what: "4.4, a cycle is missing", host: one.Host{State: one.HostMonitored, LastAttempt: ago(121 * time.Second)}, heard: 0, want: true},
		{what: "4.4, an interval that is shorter than the timer of oned", host: one.Host{State: one.HostMonitored, LastAttempt: ago(30 * time.Second)}, cycle: time.Second},
		{what: "4.4, the same, and two are missing", host: one.Host{State: one.HostMonitored, LastAttempt: ago(31 * time.Second)}, cycle: time.Second, want: true},
		{what: "5.10, 400 hosts take their time", host: one.Host{State: one.HostMonitored, LastAttempt: ago(13 * time.Minute)}, hosts: 400},
		{what: "5.10, one of 400 hosts", host: one.Host{State: one.HostMonitored, LastAttempt: ago(14 * time.Minute)}, hosts: 400, want: true},
		{what: "5.10, being asked since long", host: one.Host{State: one.HostMonitoringMonitored, LastAttempt: ago(5 * time.Minute)}, heard: 0, want: true},
		{what: "its last attempt failed, which says nothing", host: one.Host{State: one.HostError, LastAttempt: ago(time.Hour)}, heard: 0, want: false},
	} {
		if got := Overdue(c.host, c.heard, now, cmp.Or(c.cycle, time.Minute), c.hosts); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
