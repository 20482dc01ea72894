package recovery_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

func quarantined(at, contact int64, zombies string) one.Host {
	q := recovery.Quarantine{FrontEnd: "one1-1f3a", Incident: 12, At: time.Unix(at, 0), Proven: true}
	h := one.Host{ID: 3, State: one.HostDisabled, LastContact: contact, Template: map[string]string{recovery.AttrQuarantine: q.String()}}
	if zombies != "" {
		h.Template["ZOMBIES"] = zombies
	}
	return h
}

func TestQuarantineRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := recovery.Quarantine{FrontEnd: rapid.StringMatching(`[A-Za-z0-9._-]{1,64}`).Draw(r, "fe"), Incident: rapid.IntRange(0, 999_999_999).Draw(r, "n"),
			At: time.Unix(rapid.Int64Range(0, 1<<40).Draw(r, "at"), 0), Proven: rapid.Bool().Draw(r, "proven")}
		if rapid.Bool().Draw(r, "is clean") {
			q.Clean = time.Unix(rapid.Int64Range(1, 1<<40).Draw(r, "clean"), 0)
		}
		if got, err := recovery.ParseQuarantine(q.String()); err != nil || got != q {
			r.Fatalf("%q: %+v, %v", q.String(), got, err)
		}
	})
	for _, text := range []string{"", "v=1", "v=2 fe=a n=1 at=1 proven=true clean=0", "v=1 fe=a n=1 at=x proven=true clean=0", "v=1 fe=a n=1 at=1 proven=maybe clean=0",
		"v=1 fe=a fe=b n=1 at=1 proven=true clean=0", "v=1 fe=\x1b n=1 at=1 proven=true clean=0", strings.Repeat("a", 1000)} {
		if q, err := recovery.ParseQuarantine(text); err == nil {
			t.Errorf("%q: %+v", text, q)
		}
	}
}

func FuzzParseQuarantine(f *testing.F) {
	f.Add("v=1 fe=one1-1f3a n=12 at=1700000000 proven=true clean=0")
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := recovery.ParseQuarantine(text); err == nil {
			if again, err := recovery.ParseQuarantine(q.String()); err != nil || again != q {
				t.Errorf("%q: %+v, then %+v, %v", text, q, again, err)
			}
		}
	})
}

// TestSeen: a host in quarantine counts as failed while it is silent; one that an admin has disabled stays that.
func TestSeen(t *testing.T) {
	admin := quarantined(100, 0, "")
	delete(admin.Template, recovery.AttrQuarantine)
	enabled, offline := quarantined(100, 0, ""), quarantined(100, 0, "")
	enabled.State, offline.State = one.HostMonitored, one.HostOffline
	for name, test := range map[string]struct {
		host one.Host
		want one.HostState
	}{
		"silent":                    {quarantined(100, 90, ""), one.HostError},
		"not known (before 5.12)":   {quarantined(100, 0, ""), one.HostError},
		"monitored again":           {quarantined(100, 101, ""), one.HostMonitored},
		"disabled by an admin":      {admin, one.HostDisabled},
		"enabled by an admin":       {enabled, one.HostMonitored},
		"set offline by an admin":   {offline, one.HostOffline},
		"being polled while it was": {func() one.Host { h := quarantined(100, 90, ""); h.State = one.HostMonitoringDisabled; return h }(), one.HostError},
	} {
		if got := recovery.Seen(test.host).State; got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestMayRelease(t *testing.T) {
	now := time.Unix(10_000, 0)
	clean := func(h one.Host, since int64) (one.Host, recovery.Quarantine) {
		q, _ := recovery.QuarantineOf(h)
		if since > 0 {
			q.Clean = time.Unix(since, 0)
		}
		return h, q
	}
	for name, test := range map[string]struct {
		host  one.Host
		since int64
		want  recovery.Release
	}{
		"silent":                         {quarantined(9000, 8000, ""), 0, recovery.ReleaseSilent},
		"silent although it was clean":   {quarantined(9000, 8000, ""), 9500, recovery.ReleaseSilent},
		"zombies":                        {quarantined(9000, 9990, "42, 43"), 0, recovery.ReleaseZombies},
		"zombies that came late":         {quarantined(9000, 9990, "one-42"), 9500, recovery.ReleaseZombies},
		"clean, seen for the first time": {quarantined(9000, 9990, ""), 0, recovery.ReleaseWatch},
		"clean for a moment":             {quarantined(9000, 9990, ""), 9950, recovery.ReleaseWatch},
		"clean, and silent since":        {quarantined(9000, 9500, ""), 9600, recovery.ReleaseWatch},
		"clean for long enough":          {quarantined(9000, 9990, ""), 9760, recovery.ReleaseNow},
	} {
		host, q := clean(test.host, test.since)
		if got, _ := recovery.MayRelease(host, q, now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestLives: VMs that nobody asked to end and that are RUNNING on a host in ERROR say that it is monitored again.
func TestLives(t *testing.T) {
	on := func(lcm one.LCMState, action, host int) one.VM {
		return one.VM{State: one.Active, LCM: lcm, History: []one.Record{{HostID: host, Action: action}}}
	}
	const terminate = 27
	for name, test := range map[string]struct {
		vms  []one.VM
		want bool
	}{
		"all unknown":                {[]one.VM{on(one.Unknown, 0, 1), on(one.Unknown, 0, 1)}, false},
		"all running":                {[]one.VM{on(one.Running, 0, 1), on(one.Running, 0, 1)}, true},
		"one of them running":        {[]one.VM{on(one.Running, 0, 1), on(one.Unknown, 0, 1)}, false},
		"a shutdown that was undone": {[]one.VM{on(one.Running, terminate, 1)}, false},
		"it runs elsewhere":          {[]one.VM{on(one.Running, 0, 2)}, false},
		"no VMs":                     {nil, false},
	} {
		if got := recovery.Lives(test.vms, 1); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
