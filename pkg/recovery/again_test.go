package recovery

import (
	"testing"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
)

// TestDiedAgain: oned leaves the VMs of a host RUNNING that dies while it is in ERROR still (run with 6.10.5). Only that nothing is heard of it
// tells, and that does not count before it could have been heard.
func TestDiedAgain(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	back := func(ended time.Duration) []incident.Record {
		at := ago(ended)
		return []incident.Record{{Status: incident.CameBack, Began: at.Add(-time.Minute), Ended: &at}}
	}
	host := func(heard time.Duration) one.Host {
		return one.Host{State: one.HostError, LastContact: ago(heard).Unix()}
	}
	for name, c := range map[string]struct {
		host one.Host
		past []incident.Record
		want bool
	}{
		"silent for long":             {host(4 * time.Minute), back(10 * time.Minute), true},
		"heard of":                    {host(2 * time.Minute), back(10 * time.Minute), false},
		"only just back":              {host(30 * time.Minute), back(2 * time.Minute), false},
		"not heard of since":          {host(30 * time.Minute), back(4 * time.Minute), true},
		"oned does not tell":          {one.Host{State: one.HostError}, back(10 * time.Minute), false},
		"no incident":                 {host(4 * time.Minute), nil, false},
		"an incident that was undone": {host(4 * time.Minute), []incident.Record{{Status: incident.Incomplete, Ended: back(10 * time.Minute)[0].Ended}}, false},
	} {
		if got := DiedAgain(c.host, c.past, now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
