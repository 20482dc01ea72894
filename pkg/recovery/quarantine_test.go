package recovery_test

import (
	"strings"
	"testing"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/wording"
)

func quarantined(at, contact int64, zombies string) one.Host {
	q := hostmark.Quarantine{FrontEnd: "one1-1f3a", Incident: 12, At: time.Unix(at, 0), Proven: true}
	h := one.Host{ID: 3, State: one.HostDisabled, LastContact: contact, Template: map[string]string{hostmark.AttrQuarantine: q.String()}}
	if zombies != "" {
		h.Template["ZOMBIES"] = zombies
	}
	return h
}

// TestSeen: a host in quarantine counts as failed while it is silent; one that an admin has disabled stays that.
func TestSeen(t *testing.T) {
	admin := quarantined(100, 0, "")
	delete(admin.Template, hostmark.AttrQuarantine)
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

// TestRunsNothingOf: only a host in service that was monitored for long enough since says that it has no guest of a VM.
func TestRunsNothingOf(t *testing.T) {
	host := func(state one.HostState, contact int64, zombies string) one.Host {
		return one.Host{ID: 3, State: state, LastContact: contact, Template: map[string]string{"ZOMBIES": zombies}}
	}
	for name, test := range map[string]struct {
		host one.Host
		want bool
	}{
		"monitored for long":             {host(one.HostMonitored, 1240, ""), true},
		"being monitored":                {host(one.HostMonitoringMonitored, 1240, ""), true},
		"others are left":                {host(one.HostMonitored, 1240, "17, 71"), true},
		"monitored for too short a time": {host(one.HostMonitored, 1239, ""), false},
		"nobody knows since when":        {host(one.HostMonitored, 0, ""), false},
		"it runs there (6.10)":           {host(one.HostMonitored, 1240, "17, 7"), false},
		"it runs there (5.10)":           {host(one.HostMonitored, 1240, "one-17, one-7"), false},
		"failed, too":                    {host(one.HostError, 1240, ""), false},
		"disabled":                       {host(one.HostDisabled, 1240, ""), false},
	} {
		if got := recovery.RunsNothingOf(7, test.host, time.Unix(1000, 0), one.Dialect{}); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
		if recovery.RunsNothingOf(7, test.host, time.Unix(1000, 0), one.Dialect{HidesOldGuests: true}) {
			t.Errorf("%s: where oned does not list old guests", name)
		}
	}
}

func TestMayRelease(t *testing.T) {
	now := time.Unix(10_000, 0)
	clean := func(h one.Host, since int64) (one.Host, hostmark.Quarantine) {
		q, _ := hostmark.QuarantineOf(h)
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
		if got, _ := recovery.MayRelease(one.Dialect{}, host, q, now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
		// Where oned does not tell of old guests no host is clean.
		want := test.want
		if want == recovery.ReleaseWatch || want == recovery.ReleaseNow {
			want = recovery.ReleaseUnseen
		}
		got, kept := recovery.MayRelease(one.Dialect{HidesOldGuests: true}, host, q, now)
		if got != want || !kept.Clean.IsZero() {
			t.Errorf("%s, old guests hidden: %s, clean since %v, want %s", name, got, kept.Clean, want)
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

// TestGuardNamesQuarantine: a host that is out of scheduling because it failed counts as failed, and the sentence says so.
func TestGuardNamesQuarantine(t *testing.T) {
	hosts := []one.Host{recovery.Seen(quarantined(100, 0, "")), {ID: 4, State: one.HostError}, {ID: 5, State: one.HostError}, {ID: 6, State: one.HostMonitored}}
	v := recovery.Guard(hosts, nil, time.Unix(200, 0), recovery.GuardPolicy{Share: 0.5, Hosts: 3}, 4, map[int]bool{6: true})
	want := "guard: 4 of 4 hosts in service of the cloud failed (1 of them silent, and still MONITORED; 1 of them in quarantine since an earlier failure)"
	if got := wording.Of(wording.GuardPassed, v.Worst.Words()...).String(); !v.Hold || got != want {
		t.Errorf("hold %v: %s", v.Hold, got)
	}
	s := recovery.Stand(v, recovery.Waits{}, recovery.Reply{}, time.Unix(200, 0))
	if got := s.Message(time.Unix(200, 0)).String(); !strings.Contains(got, "4 of 4 hosts in service of the cloud failed (1 of them silent, and still MONITORED; 1 of them in quarantine since an earlier failure)") {
		t.Errorf("standing: %s", got)
	}
}
