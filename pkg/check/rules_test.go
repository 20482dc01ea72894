package check

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/pause"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/timing"
	"one-ft/pkg/wording"
)

// TestGood: a cloud without trouble has neither problems nor warnings, on all versions.
func TestGood(t *testing.T) {
	for _, v := range []one.Version{v44, v510, v74} {
		r := Evaluate(good(t, v))
		if !r.Works || r.ExitCode() != 0 || r.Verdict != "it would work now" || r.Count(OK) != len(r.Findings) || len(r.Skipped) > 0 {
			t.Errorf("%s: %s, %v %v", v, r.Verdict, r.Table(), r.Skipped)
		}
		for _, rule := range rules() {
			if rule.topic != "lease" && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Topic == rule.topic }) {
				t.Errorf("%s: nothing is said about %s", v, rule.topic)
			}
		}
	}
}

// trouble is one thing that is wrong, and all that is to be said about it.
type trouble struct {
	name    string
	version one.Version
	harm    func(*Facts)
	// says are "severity topic stops|part of what|part of fix", all that are not ok.
	says []string
	// skipped is a part of the only thing that was not looked at.
	skipped string
}

func troubles() []trouble {
	return slices.Concat(machineTroubles(), hostTroubles(), agentTroubles(), leaseTroubles(), otherTroubles(), downtimeTroubles())
}

func machineTroubles() []trouble {
	return []trouble{
		{"newer", v74, func(f *Facts) { f.Dialect.Newer = true }, []string{"warning oned |newer than all|newer one-ft"}, ""},
		{"follower", v74, func(f *Facts) { f.Follows = true }, []string{"warning oned |follower|on the leader"}, "it runs on the leader"},
		{"raft unknown", v74, func(f *Facts) { f.FollowErr = errTest }, nil, "whether this front-end is the leader"},
		{"rights", v74, func(f *Facts) { f.User = one.User{ID: 2, Name: "alice", Groups: []int{1}} },
			[]string{"problem rights everything|user 2 (alice) is not in the group|sudo -u oneadmin oneft check"}, ""},
		{"second group", v74, func(f *Facts) { f.User = one.User{ID: 2, Groups: []int{1, 0}} }, nil, ""},
		{"rights by config", v44, func(f *Facts) { f.UserErr, f.ConfigErr = errTest, one.ErrAuthorization },
			[]string{"problem rights everything|not in the group|sudo"}, ""},
		{"user unknown", v74, func(f *Facts) { f.UserErr = errTest }, nil, `rights: no\x1bway`},
		{"config unknown", v74, func(f *Facts) { f.ConfigErr = errTest }, nil, "configuration of oned"},
		{"other user", v74, func(f *Facts) { f.FrontEnd.UID = 0 }, []string{"warning rights |hooks run as oneadmin|sudo -u oneadmin oneft check"}, ""},
		{"program", v74, func(f *Facts) { f.Programs[0].Err = errNotRunnable }, []string{"warning configuration |notify: /bin/true|chmod 0755 /bin/true"}, ""},
		{"hook", v74, func(f *Facts) {
			f.Hooks = append(f.Hooks, Finding{Severity: Problem, What: "does not know $HID", Fix: "onehook update 0"})
		}, []string{"problem hooks everything|$HID|onehook update 0"}, ""},
		{"hook warning", v74, func(f *Facts) { f.Hooks[0].Severity = Warning }, []string{"warning hooks |hook 0|"}, ""},
		{"oned not restarted", v44, func(f *Facts) { f.Written[0].Arguments = "$ID -m" },
			[]string{`problem hooks everything|HOST_HOOK "host_error" in oned.conf is not what|systemctl restart opennebula`}, ""},
		{"hook taken out", v44, func(f *Facts) { f.Written = []HookLine{} }, []string{`problem hooks everything|still calls HOST_HOOK "host_error" (/x/host_error)|restart`}, ""},
		{"loaded unknown", v44, func(f *Facts) { f.Loaded = nil }, nil, ""},
		{"elsewhere", v74, func(f *Facts) { f.FrontEnd = FrontEnd{} }, []string{"warning hook manager |does not run on this machine|on the front-end"}, ""},
		{"no manager", v74, func(f *Facts) { f.FrontEnd.Manager = false }, []string{"problem hook manager everything|no process onehem-server.rb|restart opennebula-hem"}, ""},
		{"no driver", v44, func(f *Facts) { f.FrontEnd.Manager = false }, []string{"problem hook manager everything|no process one_hm|restart opennebula"}, ""},
		{"zombie", v74, func(f *Facts) { f.FrontEnd.ManagerState, f.FrontEnd.ManagerDead = "Z", true }, []string{"problem hook manager everything|in state Z|restart"}, ""},
		{"no hooks loaded", v74, func(f *Facts) { f.FrontEnd.ManagerLog = "[E]: Cannot get" }, []string{"problem hook manager everything|could not read its hooks|restart"}, ""},
		{"no timer", v74, func(f *Facts) { f.FrontEnd.Timer = false }, []string{"warning timer |no timer|one-ft-resume.timer"}, ""},
		{"elsewhere, without a run of oneft resume", v74, func(f *Facts) { f.FrontEnd, f.LastSweep = FrontEnd{}, time.Time{} },
			[]string{"warning hook manager |does not run on this machine|on the front-end", "warning timer |no run of oneft resume is recorded here|systemctl enable --now one-ft-resume.timer"}, ""},
		{"oneft resume stopped", v74, func(f *Facts) { f.LastSweep = noon.Add(-LateSweep - time.Second) },
			[]string{"warning timer |ran last at 2026-11-22 11:54:59, which is too long ago|systemctl status one-ft-resume.timer"}, ""},
		{"oneft resume ran in the future", v74, func(f *Facts) { f.LastSweep = noon.Add(time.Hour) },
			[]string{"warning timer |so nobody knows whether it runs|systemctl status one-ft-resume.timer"}, ""},
		{"oneft resume did not run yet", v74, func(f *Facts) { f.LastSweep = time.Time{} }, nil, ""},
		{"no watch", v74, func(f *Facts) { f.Watch = Watch{} }, []string{"warning watch |a host that is frozen is not noticed|systemctl enable --now one-ft-watch"}, ""},
		{"timer that cron ignores", v74, func(f *Facts) { f.FrontEnd.Timer, f.FrontEnd.TimerIgnored = false, "/etc/cron.d/x.cron runs it, but" },
			[]string{"warning timer |/etc/cron.d/x.cron runs it, but|/etc/cron.d/one-ft-resume"}, ""},
	}
}

// pastOf is one incident of a host that began and ended so long ago.
func pastOf(host int, end incident.Status, why wording.Kind, ago time.Duration) map[int][]incident.Record {
	at := noon.Add(-ago)
	return map[int][]incident.Record{host: {{Number: 5, Kind: "host", ID: host, Began: at, Ended: &at, Status: end, Reason: why.Name(), Summary: "why it ended"}}}
}

// ended is an incident that has ended.
func ended(number int, kind string, id int, end incident.Status) Incident {
	return Incident{Record: incident.Record{Number: number, Kind: kind, ID: id, Name: "node", Began: noon, Ended: &noon, Status: end, Summary: "why it ended"}}
}

func hostTroubles() []trouble {
	fits := fence.Promise{Lease: time.Minute, Reaction: 48 * time.Second}
	return []trouble{
		{"a service", v74, func(f *Facts) {
			f.Hosts[2] = Host{Host: one.Host{ID: 3, Name: "vc", VMDriver: "vcenter", State: one.HostMonitored}}
		}, nil, ""},
		{"a service that cannot be reached", v74, func(f *Facts) {
			f.Hosts[2] = Host{Host: one.Host{ID: 3, Name: "vc", VMDriver: "vcenter", State: one.HostError}}
		}, []string{"warning hosts |host 3 (vc) is in ERROR; host 3 (vc) stands for a service (vcenter)|onehost show 3"}, ""},
		{"VMs that their host came back without", v74, func(f *Facts) { f.VMs.Rested, f.VMs.RestedLeft = []int{4, 7}, []int{9} },
			[]string{"problem VMs |2 VMs (4, 7) POWEROFF: the host came back without them|oneft resume", "problem VMs |1 VM (9) POWEROFF: the host came back without them, and nobody had asked for that; oneft resume leaves that|onevm resume 9"}, ""},
		{"VMs that their host came back without, in a pause", v74, func(f *Facts) {
			f.VMs.Rested, f.Pause = []int{4}, pause.State{Began: noon, Until: noon.Add(time.Hour)}
		}, []string{"problem pause everything|paused until|oneft unpause", "problem VMs |1 VM (4) POWEROFF|oneft unpause; oneft resume handles it then"}, ""},
		{"imported", v74, func(f *Facts) { f.VMs.Imported = map[int][]int{1: {7}, 4: {8}} },
			[]string{"warning VMs |1 VM on host 1 (node1) (7) that OpenNebula has only imported|onevm update 7"}, ""},
		{"host in error", v74, func(f *Facts) { f.Hosts[0].State = one.HostError }, []string{"problem hosts |host 1 (node1) is in ERROR with 1 VM on it, and no incident|oneft resume"}, ""},
		{"host in error that lives", v74, func(f *Facts) {
			f.Hosts[0].State, f.Hosts[0].LastContact = one.HostError, noon.Add(-time.Minute).Unix()
			f.Incidents.Past = pastOf(1, incident.CameBack, wording.HostBack, 5*time.Minute)
		}, []string{"warning hosts |host 1 (node1) lives, although oned still calls it ERROR: it was monitored at 11:59:00|onehost show 1"}, ""},
		{"host that died again", v74, func(f *Facts) {
			f.Hosts[0].State, f.Hosts[0].LastContact = one.HostError, noon.Add(-5*time.Minute).Unix()
			f.Incidents.Past = pastOf(1, incident.CameBack, wording.HostBack, 20*time.Minute)
		}, []string{"problem hosts |host 1 (node1) is in ERROR with 1 VM on it, and no incident|oneft resume"}, ""},
		{"host in error, refused", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Refused, wording.FencingFailed, time.Hour)
		}, []string{"problem hosts |host 1 (node1) is in ERROR with 1 VM on it; incident 5 (refused): why it ended|oneft incidents show 5; then oneft resume 5, with --confirm-off once"}, ""},
		{"host in error, refused in a storm", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Refused, wording.StormGivenUp, time.Hour)
			f.Incidents.Undone = []Incident{ended(5, "host", 1, incident.Refused)} // it is named once
		}, []string{"problem hosts |incident 5 (refused): why it ended|oneft incidents show 5; then oneft resume 5"}, ""},
		{"host in error, refused in a pause that is over", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Refused, wording.Paused, time.Hour)
		}, []string{"problem hosts |incident 5 was refused because one-ft was paused|oneft resume"}, ""},
		{"host in error, refused in this pause", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Refused, wording.Paused, time.Hour)
			f.Pause = pause.State{Began: noon, Until: noon.Add(time.Hour)}
		}, []string{"problem pause everything|paused until|oneft unpause", "problem hosts |incident 5 was refused because one-ft was paused|oneft unpause; oneft resume handles it then"}, ""},
		{"host in error, to be retried", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Incomplete, "", 10*time.Minute)
		}, []string{"problem hosts |incident 5 (incomplete): why it ended|oneft resume"}, ""},
		{"host in error, handled", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Done, "", time.Hour)
		}, []string{"problem hosts |incident 5 (done): why it ended|oneft incidents show 5"}, ""},
		{"host in error, handled before it was back", v74, func(f *Facts) {
			f.Hosts[0].State, f.Incidents.Past = one.HostError, pastOf(1, incident.Refused, wording.FencingFailed, time.Hour)
			f.Hosts[0].LastContact = noon.Add(-10 * time.Minute).Unix()
		}, []string{"problem hosts |and no incident is open|oneft resume"}, ""},
		{"host in error, empty", v74, func(f *Facts) { f.Hosts[2].State = one.HostError }, []string{"warning hosts |host 3 (node3) is in ERROR|onehost show 3"}, ""},
		{"quarantine", v74, func(f *Facts) { inQuarantine(&f.Hosts[0], "") }, []string{"warning hosts |is in quarantine since 2026-11-22 11:00:00, because its VMs were started elsewhere (incident 12 of one1-1f3a); oneft resume gives it back|oneft release 1"}, ""},
		{"quarantine with old guests", v510, func(f *Facts) { inQuarantine(&f.Hosts[0], "one-7") }, []string{"warning hosts |old guests still run on it: ZOMBIES one-7|on node1: virsh list, and virsh destroy one-ID for those that run elsewhere; then oneft release 1"}, ""},
		{"quarantine with guests that run twice", v510, func(f *Facts) {
			inQuarantine(&f.Hosts[0], "one-7, one-8, one-9")
			f.VMs.Running = map[int]int{7: 2, 8: 1, 9: 3}
		}, []string{"problem hosts |ZOMBIES one-7, one-8, one-9: VM 7, 9 run TWICE, there and where oned has them|virsh destroy one-ID for those that run elsewhere; then oneft release 1"}, ""},
		{"guests that run twice", v74, func(f *Facts) {
			f.Hosts[0].Template["ZOMBIES"], f.VMs.Running = "7, x", map[int]int{0: 2, 7: 2}
		}, []string{"problem hosts |(ZOMBIES 7, x): VM 7 run TWICE, there and where oned has them|onehost show 1; then on node1: virsh list, and virsh destroy"}, ""},
		{"incidents that left something", v74, func(f *Facts) {
			inQuarantine(&f.Hosts[0], "")
			f.Incidents.Undone = []Incident{ended(2, "host", 1, incident.Unproven), ended(3, "host", 2, incident.Refused), ended(4, "host", 3, incident.Incomplete), ended(5, "VM", 9, incident.Refused), ended(6, "VM", 8, incident.Refused)}
			f.Incidents.Undone[2].VMs = []incident.VM{{ID: 7, Result: "incomplete"}}
			f.VMs.OnTheWay = map[int]string{7: "PENDING", 9: "PENDING"}
		}, []string{"warning hosts |is in quarantine|oneft release 1", "warning incidents |incident 2 (host 1, node) is unproven: why it ended|oneft incidents show 2",
			"warning incidents |incident 4 (host 3, node) is incomplete|oneft incidents show 4", "warning incidents |incident 5 (VM 9, node) is refused|oneft incidents show 5"}, ""},
		{"guests that oned has elsewhere", v74, func(f *Facts) { f.Hosts[0].Template["ZOMBIES"] = "0, 9" }, []string{"warning hosts |guests run on host 1 (node1) that oned does not have there (ZOMBIES 0, 9)|virsh destroy"}, ""},
		{"quarantine that only a person ends", v44, func(f *Facts) { inQuarantine(&f.Hosts[0], "") }, []string{"warning hosts |OpenNebula 4.4.1 does not monitor it|oneft release 1 --force"}, ""},
		{"clean-ups that hang", v74, func(f *Facts) {
			f.Hosts[0].State, f.VMs.Active, f.VMs.Cleaning = one.HostError, nil, map[int][]int{1: {7, 8}}
		}, []string{"problem hosts |VM 7, 8 in CLEANUP_RESUBMIT may stay so forever|host_error 1 -r", "warning hosts |host 1 (node1) is in ERROR|onehost show 1"}, ""},
		{"followed", v74, func(f *Facts) {
			f.Incidents.Open = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 1, Name: "node1", Began: noon, Status: incident.Following}, HeldKnown: true, Waiting: map[wording.Wait][]int{wording.WaitRoom: {7}, wording.WaitBoot: {8, 9}}}}
		}, []string{"warning incidents |oneft resume follows its VMs until they run; waiting to boot: VM 8, 9; waiting for a host with room: VM 7|oneft resume 12"}, ""},
		{"given up on their way", v74, func(f *Facts) {
			f.Incidents.GaveUp = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 1, Name: "node1", Began: noon}, Waiting: map[wording.Wait][]int{wording.WaitRoom: {7, 6}, wording.WaitBoot: {8, 9}}}}
			f.VMs.OnTheWay = map[int]string{6: "PENDING", 7: "PENDING", 9: "BOOT", 10: "PROLOG"} // 8 runs by now
		}, []string{"warning incidents |incident 12 (host 1, node1) has ended, and these VMs do not run yet: VM 9 (BOOT), VM 6, 7 (PENDING)|oneft incidents show 12"}, ""},
		{"given up, and running by now", v74, func(f *Facts) {
			f.Incidents.GaveUp = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 1, Name: "node1", Began: noon}, Waiting: map[wording.Wait][]int{wording.WaitRoom: {7}}}}
		}, nil, ""},
		{"disabled", v74, func(f *Facts) { f.Hosts[0].State = one.HostDisabled }, []string{"warning hosts |is DISABLED with 1 VM|onehost enable 1"}, ""},
		{"disabled, empty", v74, func(f *Facts) { f.Hosts[2].State = one.HostDisabled }, nil, ""},
		{"left alone", v74, func(f *Facts) { f.Hosts[0].Template["FT_ACTION"] = " None" }, []string{"warning hosts |FT_ACTION = none|onehost update 1"}, ""},
		{"one host", v74, func(f *Facts) { f.Hosts = f.Hosts[:1] }, []string{"problem hosts everything|1 host of 1 in service|onehost list"}, ""},
		{"one host, and one in quarantine", v74, func(f *Facts) {
			f.Hosts = f.Hosts[:2]
			inQuarantine(&f.Hosts[1], "")
		}, []string{"problem hosts everything|1 host of 2 in service|onehost list; oneft release 2, once none of its old guests runs", "warning hosts |is in quarantine|oneft release 2"}, ""},
		{"one host, one disabled, and one in quarantine", v74, func(f *Facts) {
			inQuarantine(&f.Hosts[1], "")
			f.Hosts[2].State = one.HostDisabled
		}, []string{"problem hosts everything|1 host of 3 in service|onehost list; onehost enable 3; oneft release 2, once none of its old guests runs", "warning hosts |is in quarantine|oneft release 2"}, ""},
		{"no host", v74, func(f *Facts) { f.Hosts = nil }, []string{"problem hosts everything|no host can be seen|sudo"}, ""},
		{"no fence", v74, func(f *Facts) { f.Hosts[0].Levels, f.Hosts[0].Err = nil, fence.ErrNotConfigured },
			[]string{`problem fencing hosts [1]|although they may still run|printf '%s\n' 'FENCE_AGENT = "fence_ipmilan"' 'FENCE_IP = "ADDRESS"' 'FENCE_USER = "USER"' 'FENCE_PASSWORD_FILE = "FILE"' | onehost update 1 --append /dev/stdin (without a BMC: a lease, `}, ""},
		{"no fence, required", v74, func(f *Facts) {
			f.Hosts[0].Levels, f.Hosts[0].Err, f.HostHook.Fencing = nil, fence.ErrNotConfigured, "required"
		}, []string{"problem fencing hosts [1]|would not be recovered|onehost update 1"}, ""},
		{"no fence, but a lease", v74, func(f *Facts) {
			f.Hosts[0] = leased(1, fits)
			f.Hosts[0].Levels, f.Hosts[0].Err = nil, fence.ErrNotConfigured
		},
			[]string{`problem fencing hosts [1]|no fencing|printf '%s\n' 'FENCE_LEASE = "60"' 'FENCE_LEASE_REACTION = "48"' | onehost update 1 --append /dev/stdin`}, ""},
		{"no fence anywhere", v74, func(f *Facts) {
			for id := 4; id <= 9; id++ {
				f.Hosts = append(f.Hosts, hostWith(id))
			}
			for i := range f.Hosts {
				f.Hosts[i].Levels, f.Hosts[i].Err = nil, fence.ErrNotConfigured
			}
		}, []string{"problem fencing hosts [1 2 3 4 5 6 7 8 9]|hosts 1, 2, 3, 4, 5, 6, 7, 8, 9: no fencing|for each of them"}, ""},
		{"offline without fence", v74, func(f *Facts) {
			f.Hosts[2].Levels, f.Hosts[2].Err, f.Hosts[2].State = nil, fence.ErrNotConfigured, one.HostOffline
		}, nil, ""},
		{"fencing off", v74, func(f *Facts) { f.Values.Fencing = "off"; f.Hosts[0].Err = fence.ErrNotConfigured }, []string{"warning fencing |run twice|-u"}, ""},
		{"fencing off by hook", v74, func(f *Facts) { f.HostHook.Fencing = "off" }, []string{"warning fencing |run twice|-u"}, ""},
		{"bad attributes", v74, func(f *Facts) { f.Hosts[0].Err = errTest }, []string{`problem fencing hosts [1]|no\x1bway|onehost update 1, or correct fence in /etc/one/one-ft.yaml`}, ""},
	}
}

func agentTroubles() []trouble {
	return []trouble{
		{"agent fails", v74, func(f *Facts) { f.Hosts[1].Levels[0] = agentLevel(2, fence.PowerUnknown, errTest) },
			[]string{`problem fencing hosts [2]|level 1: fence_ipmilan on 10.0.0.2: no\x1bway|onehost show 2`}, ""},
		{"one agent fails", v74, func(f *Facts) {
			f.Hosts[1].Levels = [][]Device{agentLevel(5, fence.PowerUnknown, errTest), agentLevel(2, fence.PowerOn, nil)}
		}, []string{"warning fencing |level 1: fence_ipmilan on 10.0.0.5|onehost show 2"}, ""},
		{"agent says off", v74, func(f *Facts) { f.Hosts[1].Levels[0] = agentLevel(2, fence.PowerOff, nil) },
			[]string{"problem fencing hosts [2]|says off, although|onehost show 2"}, ""},
		{"agent says off of a dead host", v74, func(f *Facts) {
			f.Hosts[2].State, f.Hosts[2].Levels[0] = one.HostError, agentLevel(3, fence.PowerOff, nil)
		}, []string{"warning hosts |is in ERROR|"}, ""},
		{"same outlet", v74, func(f *Facts) { f.Hosts[1].Levels[0] = f.Hosts[0].Levels[0] },
			[]string{"problem fencing hosts [1 2]|have the same outlet, fence_ipmilan on 10.0.0.1|onehost update 2"}, ""},
		{"manual", v74, func(f *Facts) { f.Hosts[0].Levels = [][]Device{{{Kind: fence.KindManual}}} },
			[]string{"warning fencing |only an admin|onehost update 1"}, ""},
		{"manual behind an agent", v74, func(f *Facts) {
			f.Hosts[0].Levels = append(f.Hosts[0].Levels, []Device{{Kind: fence.KindManual}})
		}, nil, ""},
		{"command", v74, func(f *Facts) {
			f.Hosts[0].Levels = [][]Device{{{Kind: fence.KindCommand, Label: "command /x", Err: errNotRunnable}}}
		}, []string{"problem fencing hosts [1]|command /x: it is not there|"}, ""},
		{"command that was never tried", v74, func(f *Facts) {
			f.Hosts[0].Levels = [][]Device{{{Kind: fence.KindCommand, Label: "command /x", Trial: fencing.TrialNone}}}
		}, []string{"warning fencing |level 1: command /x has not proven any host off yet|oneft drill 1 --fence-test"}, ""},
		{"command that has changed", v74, func(f *Facts) {
			f.Hosts[0].Levels = [][]Device{{{Kind: fence.KindCommand, Label: "command /x", Trial: fencing.TrialChanged, Proven: noon}}}
		}, []string{"warning fencing |command /x has changed since it proved a host off (2026-11-22)|oneft drill 1 --fence-test"}, ""},
		{"command that has worked", v74, func(f *Facts) {
			f.Hosts[0].Levels = [][]Device{{{Kind: fence.KindCommand, Label: "command /x", Trial: fencing.TrialWorked, Proven: noon}}}
		}, nil, ""},
		{"untried command behind an agent", v74, func(f *Facts) {
			f.Hosts[0].Levels = append(f.Hosts[0].Levels, []Device{{Kind: fence.KindCommand, Label: "command /x"}})
		}, []string{"warning fencing |level 2: command /x has not proven any host off yet, so nobody knows whether it works; another level works|oneft drill 1"}, ""},
		{"slow status", v74, func(f *Facts) {
			d := &f.Hosts[1].Levels[0][0]
			d.Took, d.Off, d.Limit, d.AdvisesCipher = 14*time.Second, 44*time.Second, 60*time.Second, true
		}, []string{"warning fencing |level 1: fence_ipmilan on 10.0.0.2 took 14.0 s for its status, so an off takes at least 44 s|FENCE_CIPHER"}, ""},
		{"redfish without a system", v74, func(f *Facts) {
			d := &f.Hosts[1].Levels[0][0]
			d.Label, d.AdvisesSystem = "fence_redfish on 10.0.0.2", true
		}, []string{"warning fencing |level 1: fence_redfish has no systems_uri: of a BMC with several systems it switches the last one|FENCE_SYSTEMS_URI"}, ""},
		{"off that does not fit", v74, func(f *Facts) {
			d := &f.Hosts[1].Levels[0][0]
			d.Took, d.Off, d.Limit = 4*time.Second, 14*time.Second, 10*time.Second
		}, []string{"warning fencing |an off takes at least 14 s, and is ended after 10 s|raise timeout beside its levels"}, ""},
		{"not asked", v74, func(f *Facts) {
			for i := range f.Hosts {
				f.Hosts[i].Asked = false
			}
		}, nil, "they were not asked"},
	}
}

func leaseTroubles() []trouble {
	short := fence.Promise{Lease: time.Minute, Reaction: 70 * time.Second}
	fits := fence.Promise{Lease: time.Minute, Reaction: 48 * time.Second}
	return []trouble{
		{"lease", v74, func(f *Facts) { f.Hosts[0] = leased(1, fits) }, nil, ""},
		{"containers under a lease", v74, func(f *Facts) {
			f.Hosts[0] = leased(1, fits)
			f.VMs.Unleased = map[int][]int{1: {7, 8}, 2: {9}} // host 2 has an agent
		}, []string{"problem lease |only a lease would prove host 1 (node1) off, and host_isolated does not stop 2 VMs on it (7, 8)|FENCE_AGENT"}, ""},
		{"two hosts on one machine", v74, func(f *Facts) {
			f.Hosts[0] = leased(1, fits)
			f.Hosts[0].Template["HOSTNAME"], f.Hosts[1].Template["HOSTNAME"] = "n1", "n1"
		}, []string{"problem fencing hosts [1]|host 1 (node1) and host 2 (node2) are the same machine|onehost delete 2"}, ""},
		{"lease too short", v74, func(f *Facts) { f.Hosts[0] = leased(1, short) },
			[]string{`problem lease hosts [1]|the wait for the lease is too short|printf '%s\n' 'FENCE_LEASE = "60"' 'FENCE_LEASE_REACTION = "70"' | onehost update 1 --append /dev/stdin`}, ""},
		{"lease too short in the file", v74, func(f *Facts) {
			f.Hosts[0] = leased(1, short)
			f.Hosts[0].Levels[0][0].FromTemplate = false
		}, []string{"problem lease hosts [1]|too short|/etc/one/one-ft.yaml: lease: 60s, reaction: 73s"}, ""},
		{"lease too short behind an agent", v74, func(f *Facts) {
			f.Hosts[0] = leased(1, short)
			f.Hosts[0].Levels = append([][]Device{agentLevel(1, fence.PowerOn, nil)}, f.Hosts[0].Levels...)
		}, []string{"problem lease hosts [1]|too short|onehost update 1"}, ""},
		{"not armed", v74, func(f *Facts) { f.Hosts[0] = leased(1, fits); f.Hosts[0].PromiseErr = fence.ErrNotArmed },
			[]string{"problem lease hosts [1]|keeps no lease|ssh root@node1 host_isolated --check"}, ""},
		{"promise unreadable", v510, func(f *Facts) { f.Hosts[0] = leased(1, fits); f.Hosts[0].PromiseErr = errTest },
			[]string{"problem lease hosts [1]|way|/var/lib/one/remotes/im/kvm-probes.d/ft_isolated.sh; onehost sync"}, ""},
		{"no promise", v74, func(f *Facts) { f.Hosts[0] = leased(1, fence.Promise{}) },
			[]string{"warning lease |has not published|/var/lib/one/remotes/im/kvm-probes.d/host/system/ft_isolated.sh; onehost sync"}, ""},
		{"other version", v74, func(f *Facts) { f.Hosts[0].Isolated = "v1.1" }, []string{"warning lease |host_isolated v1.1, and this is one-ft v1.2|scp host_isolated root@node1"}, ""},
		{"same version", v74, func(f *Facts) { f.Hosts[0].Isolated = "v1.2" }, nil, ""},
	}
}

func otherTroubles() []trouble {
	ill := func(status string, s recovery.Spent) FailedVM {
		return FailedVM{ID: 7, Name: "web", Status: status, Host: 1, Spent: s, Judged: true}
	}
	return []trouble{
		{"local datastore, -m", v74, func(f *Facts) { f.Datastores[0].Shared, f.HostHook.Action = false, "migrate" },
			[]string{"problem datastores everything|2 VMs on datastore 0 (system), which is not shared|-m into -r"}, ""},
		{"local datastore, -r", v74, func(f *Facts) { f.Datastores[0].Shared = false }, nil, ""},
		{"datastore unread", v74, func(f *Facts) { f.Datastores[0].Err = errTest }, nil, "datastore 0 with 2 VMs"},
		{"loses", v74, func(f *Facts) { f.VMs.Loses = []int{7} }, []string{"warning VMs |1 VM of 2 (7) have disks|onevm update 7 --append"}, ""},
		{"loses not with -m", v74, func(f *Facts) { f.VMs.Loses, f.HostHook.Action = []int{7}, "migrate" }, nil, ""},
		{"unread", v74, func(f *Facts) { f.VMs.Unread = []int{9} }, []string{"warning VMs |1 VM (9) could not be read|onevm show 9"}, ""},
		{"stay", v74, func(f *Facts) { f.VMs.Stay = []int{9} }, nil, ""},
		{"unknown", v74, func(f *Facts) { f.VMs.Failed = []FailedVM{ill("UNKNOWN", recovery.Spent{})} }, []string{"warning VMs |VM 7 (web) is UNKNOWN on host 1, which is fine|vm_unknown 7"}, ""},
		{"failed", v74, func(f *Facts) { f.VMs.Failed = []FailedVM{ill("BOOT_FAILURE", recovery.Spent{})} }, []string{"warning VMs |is BOOT_FAILURE|vm_failure 7 --retry"}, ""},
		{"failed 4.4", v44, func(f *Facts) { f.VMs.Failed = []FailedVM{ill("FAILED", recovery.Spent{})} }, []string{"warning VMs |is FAILED|vm_failure 7 -r"}, ""},
		{"exhausted", v74, func(f *Facts) {
			f.VMs.Failed = []FailedVM{ill("UNKNOWN", recovery.Spent{Exhausted: true, Attempts: 3, Limit: 3, Until: noon.Add(time.Hour)})}
		}, []string{"problem budgets |given up after 3 attempts (limit 3); not retried automatically before 2026-11-22 13:00:00|vm_unknown 7 --no-budget"}, ""},
		{"no attempts allowed", v74, func(f *Facts) { f.VMs.Failed = []FailedVM{ill("BOOT_FAILURE", recovery.Spent{Exhausted: true})} },
			[]string{"problem budgets |FT_MAX_ATTEMPTS is 0|vm_failure 7 --retry --no-budget"}, ""},
		{"many ill", v74, func(f *Facts) {
			for i := range 12 {
				f.VMs.Failed = append(f.VMs.Failed, FailedVM{ID: i, Status: "UNKNOWN", Host: 1})
			}
		}, slices.Concat(slices.Repeat([]string{"warning VMs |is UNKNOWN|vm_unknown"}, 10), []string{"warning VMs |2 VMs more|oneft resume"}), ""},
		{"journal unread", v74, func(f *Facts) { f.Incidents.Err = errTest }, []string{"warning incidents |cannot be read|sudo"}, ""},
		{"journal damaged", v74, func(f *Facts) { f.Incidents.Damaged = []string{"incident-000001.json"} }, []string{"warning incidents |incident-000001.json|oneft incidents"}, ""},
		{"left open", v74, func(f *Facts) {
			f.Incidents.Open = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 1, Name: "node1", Began: noon}, HeldKnown: true}}
		},
			[]string{"problem incidents |incident 12 (host 1, node1) is open since 2026-11-22 12:00:00, and nobody|oneft resume 12"}, ""},
		{"worked on", v74, func(f *Facts) {
			f.Hosts[0].State = one.HostError
			f.Incidents.Open = []Incident{{Record: incident.Record{Number: 12, Kind: "host", ID: 1}, HeldKnown: true, Held: true}}
		}, []string{"warning hosts |host 1 (node1) is in ERROR|"}, ""},
		{"perhaps worked on", v74, func(f *Facts) {
			f.Incidents.Open = []Incident{{Record: incident.Record{Number: 12, Kind: "VM", ID: 1}}}
		}, []string{"warning incidents |cannot be seen|oneft resume 12"}, ""},
		{"clock behind", v74, func(f *Facts) { f.Clock.Newest = noon.Add(90 * time.Second) }, []string{"problem clock |behind that of oned by 1m30s or more: host 1|timedatectl"}, ""},
		{"clock a little behind", v74, func(f *Facts) { f.Clock.Newest = noon.Add(time.Minute) }, nil, ""},
		{"clock ahead", v74, func(f *Facts) { f.Clock.Monitored = noon.Add(-421 * time.Second) }, []string{"warning clock |7m1s ago, with an interval of 3m0s|onehost list"}, ""},
		{"clock a little ahead", v74, func(f *Facts) { f.Clock.Monitored = noon.Add(-420 * time.Second) }, nil, ""},
		{"clock of nobody", v74, func(f *Facts) { f.Clock.Monitored, f.Settings = noon.Add(-time.Hour), downtime.Settings{} }, nil, ""},
		{"no clock", v74, func(f *Facts) { f.Clock = Clock{} }, nil, "oned told no time"},
		{"state", v74, func(f *Facts) { f.Dirs[0].Err = errTest }, []string{"problem files |hooks cannot write /var/lib/one/one-ft|install -d -o oneadmin"}, ""},
		{"log", v74, func(f *Facts) { f.Dirs[0].Err, f.Dirs[0].File = errTest, true }, []string{"problem files |hooks cannot write|chown oneadmin /var"}, ""},
		{"read-only", v74, func(f *Facts) { f.Dirs[0].Err = fmt.Errorf("%w at /var", errReadOnly) }, []string{"problem files |read-only at /var|remount,rw"}, ""},
		{"full", v74, func(f *Facts) { f.Dirs[0].Err = fmt.Errorf("%w: full", errSpace) }, []string{"problem files |full|df -h"}, ""},
		{"noted", v74, func(f *Facts) { f.Skipped = []string{"some\nthing"} }, nil, `some\nthing`},
	}
}

// TestTroubles: each trouble is said, with its fix, and nothing else is.
func TestTroubles(t *testing.T) {
	for _, c := range troubles() {
		f := good(t, c.version)
		c.harm(&f)
		r := Evaluate(f)
		var found []Finding
		for _, f := range r.Findings {
			if f.Severity != OK {
				found = append(found, f)
			}
			if (f.Fix == "") == (f.Severity != OK) && c.name != "hook warning" || text.Printable(f.What+f.Fix) != f.What+f.Fix {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if len(found) != len(c.says) {
			t.Errorf("%s: %d findings, want %d: %+v", c.name, len(found), len(c.says), found)
			continue
		}
		bad := false
		for i, f := range found {
			parts := strings.Split(c.says[i], "|")
			head := fmt.Sprintf("%s %s %s", f.Severity, f.Topic, f.Stops)
			if f.Stops == StopsHosts {
				head += fmt.Sprint(" ", f.Hosts)
			}
			if head != parts[0] || !strings.Contains(f.What, parts[1]) || !strings.Contains(f.Fix, parts[2]) {
				t.Errorf("%s: %s: %q, fix %q; want %q", c.name, head, f.What, f.Fix, c.says[i])
			}
			bad = bad || f.Severity == Problem
		}
		if r.Works == bad || (r.ExitCode() == 1) != bad || (len(r.Problems()) > 0) != bad {
			t.Errorf("%s: works %v, exit code %d, %q", c.name, r.Works, r.ExitCode(), r.Problems())
		}
		if skipped := strings.Join(r.Skipped, "; "); !strings.Contains(skipped, c.skipped) || (skipped == "") != (c.skipped == "") {
			t.Errorf("%s: not looked at: %q, want %q", c.name, skipped, c.skipped)
		}
	}
}

// TestHostsOK: what is exported of each host agrees with the findings.
func TestHostsOK(t *testing.T) {
	for name, want := range map[string]string{
		"": "[true true true]", "no fence": "[false true true]", "agent fails": "[true false true]", "same outlet": "[false false true]",
		"lease too short": "[false true true]", "lease": "[true true true]", "manual": "[false true true]", "one agent fails": "[true true true]",
		"lease too short behind an agent": "[true true true]", "agent says off": "[true false true]", "offline without fence": "[true true]", "fencing off": "[]",
		"command": "[false true true]", "bad attributes": "[false true true]",
	} {
		f := good(t, v74)
		for _, c := range troubles() {
			if c.name == name {
				c.harm(&f)
			}
		}
		got := []bool{}
		for _, h := range Evaluate(f).Hosts {
			got = append(got, h.OK)
			if h.Fencing == "" {
				t.Errorf("%s: host %d: no reason", name, h.ID)
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q: %v, want %s", name, got, want)
		}
	}
}

// TestVerdict: the verdict says whose recovery would fail.
func TestVerdict(t *testing.T) {
	everything := Finding{Severity: Problem, Stops: StopsEverything}
	hosts := func(ids ...int) Finding { return Finding{Severity: Problem, Stops: StopsHosts, Hosts: ids} }
	other, warning := Finding{Severity: Problem}, Finding{Severity: Warning}
	for _, c := range []struct {
		findings []Finding
		want     string
	}{
		{nil, "it would work now"},
		{[]Finding{warning}, "it would work now, 1 warning"},
		{[]Finding{other, warning, warning}, "it would work now, but something is left to do: 1 problem, 2 warnings"},
		{[]Finding{other, hosts(3)}, "host 3 would NOT be recovered safely if it failed now: 2 problems"},
		{[]Finding{hosts(3, 1), hosts(3)}, "hosts 1, 3 would NOT be recovered safely if they failed now: 2 problems"},
		{[]Finding{hosts(3), everything}, "a host that fails now would NOT be recovered safely: 2 problems"},
	} {
		r := Report{Findings: c.findings}
		r.finish()
		if r.Line() != c.want {
			t.Errorf("%q, want %q", r.Line(), c.want)
		}
	}
	if r := Unreachable("no oned", noon); r.Works || r.ExitCode() != 1 || !strings.HasPrefix(r.Verdict, "a host that fails now would NOT") {
		t.Errorf("%+v", r)
	}
}

// TestTimes: what makes no sense about times is told as badly as it is.
func TestTimes(t *testing.T) {
	finding := func(kind wording.Kind, args ...any) timing.Finding {
		return timing.Finding{What: wording.Of(kind, args...), Fix: wording.Of(wording.FixTimeout, 14400)}
	}
	for _, c := range []struct {
		found    timing.Finding
		severity Severity
		stops    Stops
	}{
		{finding(wording.HookKilled, time.Minute, time.Hour, time.Hour), Problem, StopsEverything},
		{finding(wording.WatchHides, time.Hour, time.Hour), Problem, ""},
		{finding(wording.WatchTooLong, time.Hour, time.Hour), Warning, ""},
		{finding(wording.LeaseBehind, time.Hour, time.Minute), Warning, ""},
	} {
		f := good(t, v74)
		f.Times = []timing.Finding{c.found}
		r := Evaluate(f)
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Topic == "times" })
		if got := r.Findings[i]; got.Severity != c.severity || got.Stops != c.stops || got.What != c.found.What.String() || got.Fix != "set its TIMEOUT to 14400 or more" {
			t.Errorf("%+v", got)
		}
	}
}

// TestPause: a pause keeps every host from being recovered, and one whose file cannot be read is none.
func TestPause(t *testing.T) {
	f := good(t, v74)
	f.Pause = pause.State{Began: noon, Until: noon.Add(time.Hour), By: "root", Reason: "switches"}
	if r := Evaluate(f); r.Works || !strings.Contains(r.Verdict, "NOT be recovered") || !strings.Contains(r.Findings[0].What, "by root (switches)") {
		t.Errorf("%+v", r.Findings[0])
	}
	f.Pause.Until = noon
	if r := Evaluate(f); !r.Works {
		t.Error("it is over")
	}
	f.PauseErr = errTest
	if r := Evaluate(f); !r.Works || r.Findings[0].Severity != Warning {
		t.Errorf("%+v", r.Findings[0])
	}
}

// TestClosed: of a state directory that this user may not read nothing is said but that it is not known.
func TestClosed(t *testing.T) {
	for _, c := range []struct {
		local, own bool
		fix        string
		skipped    string
	}{
		{false, false, "sudo -u oneadmin oneft check", "whether hooks can write the directories for state and logs"},
		{true, false, "sudo -u oneadmin oneft check", "whether hooks can write /state (the state): permission denied"},
		{true, true, "chown -R oneadmin /state", "whether hooks can write /state (the state): permission denied"},
	} {
		f := good(t, v74)
		denied := fs.ErrPermission
		f.StateDir, f.Closed, f.PauseErr, f.Incidents.Err = "/state", denied, denied, denied
		f.Dirs = []Path{{Path: "/state", For: "the state", Err: denied}}
		f.FrontEnd.Local, f.FrontEnd.OnedUser, f.FrontEnd.UID, f.FrontEnd.OnedUID = c.local, "oneadmin", 65534, 9869
		if c.own {
			f.FrontEnd.UID = 9869
		}
		r := Evaluate(f)
		if first := r.Findings[0]; r.Works || r.Count(Problem) != 1 || first.Topic != "files" || first.Fix != c.fix || !strings.Contains(r.Verdict, "is not known") {
			t.Errorf("%+v %s", first, r.Verdict)
		}
		for _, f := range r.Findings[1:] {
			if slices.Contains([]string{"pause", "incidents", "budgets", "watch", "files"}, f.Topic) {
				t.Errorf("%+v is not known", f)
			}
		}
		if all := strings.Join(r.Skipped, "\n"); !strings.Contains(all, c.skipped) || !strings.Contains(all, "whether one-ft is paused") || !strings.Contains(all, "which incidents are open") {
			t.Error(all)
		}
	}
}

// TestWouldBe: what the VMs of a host would be that nothing proves off.
func TestWouldBe(t *testing.T) {
	f := good(t, v74)
	f.Hosts[0].Levels, f.Hosts[0].Err = nil, fence.ErrNotConfigured
	f.Hosts[1].Levels[0] = agentLevel(2, fence.PowerUnknown, errTest)
	f.Hosts[2].Levels = [][]Device{{{Kind: fence.KindManual}}}
	for mode, want := range map[string][2]string{"auto": {"2, 3", "1"}, "required": {"1, 2, 3", ""}, "off": {"", ""}} {
		f.HostHook.Fencing = mode
		if r := Evaluate(f); r.WouldBe(WouldBeRefused) != want[0] || r.WouldBe(WouldBeUnproven) != want[1] {
			t.Errorf("%s: refused %q, unproven %q, want %q", mode, r.WouldBe(WouldBeRefused), r.WouldBe(WouldBeUnproven), want)
		}
	}
}
