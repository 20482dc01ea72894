package recovery

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
)

// limits are the default ones.
var limits = GuardPolicy{Share: 0.5, Hosts: 3, Window: 10 * time.Minute, PerCluster: true}

// pool makes hosts of one cluster from letters: e ERROR, p being polled after ERROR, m
// MONITORED, d DISABLED, o OFFLINE, i INIT.
func pool(cluster int, letters string) (hosts []one.Host) {
	states := map[rune]one.HostState{'e': one.HostError, 'p': one.HostMonitoringError, 'm': one.HostMonitored,
		'd': one.HostDisabled, 'o': one.HostOffline, 'i': one.HostInit}
	for i, l := range letters {
		hosts = append(hosts, one.Host{ID: cluster*100 + i, ClusterID: cluster, State: states[l]})
	}
	return hosts
}

func TestGuard(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	long, short := now.Add(-time.Hour), now.Add(-time.Minute)
	for _, c := range []struct {
		what  string
		hosts []one.Host
		since map[int]time.Time
		hold  bool
		count string
	}{
		{"one of one", pool(0, "e"), nil, false, "1 of 1 hosts in service of the cloud failed"},
		{"two of two", pool(0, "ee"), nil, false, "2 of 2 hosts in service of the cloud failed"},
		{"one of four", pool(0, "emmm"), nil, false, "1 of 4 hosts in service of the cloud failed"},
		{"three of four", pool(0, "eeem"), nil, true, "3 of 4 hosts in service of the cloud failed"},
		{"three of six: half is not more than half", pool(0, "eeemmm"), nil, false, "3 of 6 hosts in service of the cloud failed"},
		{"three of five", pool(0, "eeemm"), nil, true, "3 of 5 hosts in service of the cloud failed"},
		{"being polled counts as failed", pool(0, "pppmm"), nil, true, "3 of 5 hosts in service of the cloud failed"},
		{"disabled and offline hosts are not in service", pool(0, "eeemddoo"), nil, true, "3 of 4 hosts in service of the cloud failed"},
		{"failed long ago", pool(0, "eeem"), map[int]time.Time{0: long}, false, "2 of 3 hosts in service of the cloud failed"},
		{"failed lately", pool(0, "eeem"), map[int]time.Time{0: short, 1: short, 2: short}, true, "3 of 4 hosts in service of the cloud failed"},
		{"one cluster of a large cloud", append(pool(0, "eeem"), pool(2, "mmmmmmmmmm")...), nil, true, "3 of 4 hosts in service of cluster 0 failed"},
		{"another cluster of a large cloud", append(pool(1, "eeem"), pool(0, "emmmmmmmmm")...), nil, false, "4 of 14 hosts in service of the cloud failed"},
		{"another cluster, and then most of the cloud", append(pool(1, "eeem"), pool(0, "em")...), nil, true, "4 of 6 hosts in service of the cloud failed"},
		{"two failed in each cluster", append(pool(1, "eemm"), pool(2, "eemmmm")...), nil, false, "4 of 10 hosts in service of the cloud failed"},
	} {
		v := Guard(c.hosts, c.since, now, limits, 0)
		if v.Hold != c.hold || v.Worst.String() != c.count {
			t.Errorf("%s: hold %v, %s; want %v, %s", c.what, v.Hold, v.Worst, c.hold, c.count)
		}
	}
	if v := Guard(pool(0, "eeeeeeee"), nil, now, GuardPolicy{}, 0); v.Hold {
		t.Error("the zero policy holds")
	}
}

// TestGuardProperties: fewer failures than the limit never hold, all failed always do, and one
// more failure never releases.
func TestGuardProperties(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		letters := []byte(rapid.StringMatching(`[empdoi]{1,30}`).Draw(t, "hosts"))
		v := Guard(pool(0, string(letters)), nil, now, limits, 0)
		if v.Worst.Failed < limits.Hosts && v.Hold {
			t.Fatalf("%s holds: %s", letters, v.Worst)
		}
		if v.Worst.Failed == v.Worst.InService && v.Worst.Failed >= limits.Hosts && !v.Hold {
			t.Fatalf("%s does not hold: %s", letters, v.Worst)
		}
		for i, l := range letters {
			if l == 'm' && v.Hold {
				letters[i] = 'e'
				if more := Guard(pool(0, string(letters)), nil, now, limits, 0); !more.Hold {
					t.Fatalf("%s does not hold any more", letters)
				}
			}
		}
	})
}
