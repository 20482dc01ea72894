package recovery

import (
	"fmt"
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
		{"one of one", pool(0, "e"), nil, false, "1 of 1, the cloud"},
		{"two of two", pool(0, "ee"), nil, false, "2 of 2, the cloud"},
		{"one of four", pool(0, "emmm"), nil, false, "1 of 4, the cloud"},
		{"three of four", pool(0, "eeem"), nil, true, "3 of 4, the cloud"},
		{"three of six: half is not more than half", pool(0, "eeemmm"), nil, false, "3 of 6, the cloud"},
		{"three of five", pool(0, "eeemm"), nil, true, "3 of 5, the cloud"},
		{"being polled counts as failed", pool(0, "pppmm"), nil, true, "3 of 5, the cloud"},
		{"disabled and offline hosts are not in service", pool(0, "eeemddoo"), nil, true, "3 of 4, the cloud"},
		{"failed long ago", pool(0, "eeem"), map[int]time.Time{0: long}, false, "2 of 3, the cloud"},
		{"failed lately", pool(0, "eeem"), map[int]time.Time{0: short, 1: short, 2: short}, true, "3 of 4, the cloud"},
		{"one cluster of a large cloud", append(pool(0, "eeem"), pool(2, "mmmmmmmmmm")...), nil, true, "3 of 4, cluster 0"},
		{"another cluster of a large cloud", append(pool(1, "eeem"), pool(0, "emmmmmmmmm")...), nil, false, "4 of 14, the cloud"},
		{"another cluster, and then most of the cloud", append(pool(1, "eeem"), pool(0, "em")...), nil, true, "4 of 6, the cloud"},
		{"two failed in each cluster", append(pool(1, "eemm"), pool(2, "eemmmm")...), nil, false, "4 of 10, the cloud"},
	} {
		v := Guard(c.hosts, c.since, now, limits, 0, nil)
		if count := fmt.Sprintf("%d of %d, %s", v.Worst.Failed, v.Worst.InService, v.Worst.Where); v.Hold != c.hold || count != c.count {
			t.Errorf("%s: hold %v, %s; want %v, %s", c.what, v.Hold, count, c.hold, c.count)
		}
	}
	if v := Guard(pool(0, "eeeeeeee"), nil, now, GuardPolicy{}, 0, nil); v.Hold {
		t.Error("the zero policy holds")
	}
}

// TestGuardProperties: fewer failures than the limit never hold, all failed always do, and one
// more failure never releases.
func TestGuardProperties(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		letters := []byte(rapid.StringMatching(`[empdoi]{1,30}`).Draw(t, "hosts"))
		v := Guard(pool(0, string(letters)), nil, now, limits, 0, nil)
		if v.Worst.Failed < limits.Hosts && v.Hold {
			t.Fatalf("%s holds: %v", letters, v.Worst)
		}
		if v.Worst.Failed == v.Worst.InService && v.Worst.Failed >= limits.Hosts && !v.Hold {
			t.Fatalf("%s does not hold: %v", letters, v.Worst)
		}
		for i, l := range letters {
			if l == 'm' && v.Hold {
				letters[i] = 'e'
				if more := Guard(pool(0, string(letters)), nil, now, limits, 0, nil); !more.Hold {
					t.Fatalf("%s does not hold any more", letters)
				}
			}
		}
	})
}
