package drill

import (
	"encoding/json"
	"strings"
	"testing"

	"one-ft/pkg/fence"
	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// small is a cloud whose host 0 has VMs for every kind of row.
func small() Cloud {
	owner := with(vm(3, 0, 1, 1), func(v *VM) { v.UserTemplate = map[string]string{"FT_ACTION": "none"} })
	first := with(vm(2, 0, 1, 1), func(v *VM) { v.UserTemplate = map[string]string{"FT_PRIORITY": "90"} })
	return Cloud{
		Hosts: []Host{host(0, 8, 16, 1, 2, 3, 4), host(1, 2, 8), host(2, 1, 8, 5)},
		VMs:   []VM{vm(1, 0, 1, 2), first, owner, vm(4, 0, 4, 4), vm(5, 2, 1, 1)},
		Notes: []string{"attributes of clusters were not evaluated: x"},
	}
}

// TestReport: rows in the order of recovery, problems, and the exit code.
func TestReport(t *testing.T) {
	r := drill(t, small())
	var order []string
	for _, row := range r.Table()[1:] {
		order = append(order, strings.Join(row[:1], "")+" "+strings.Join(row[3:7], " "))
	}
	want := "2 90 recreate fits 1, 1 50 recreate fits 1, 3 50 leave - -, 4 50 recreate does not fit -"
	if got := strings.Join(order, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := r.Line(), "host 0 (node0): 3 VMs would be recovered and 1 left; capacity: does not fit, for 1 VMs"; got != want {
		t.Error(got)
	}
	if got, want := strings.Join(r.Problems(), "\n"), "VM 4 (vm4): does not fit: no other host has 4.00 CPU and 4096 MB free"; got != want {
		t.Error(got)
	}
	notes := strings.Join(r.Notes(), "\n")
	for _, part := range []string{"if host 0 (node0, MONITORED) died now; nothing is changed", "warning: attributes of clusters", "need 6.00 CPU and 7168 MB; the other hosts have 3.00 CPU and 16.0 GB free", "not evaluated: permissions"} {
		if !strings.Contains(notes, part) {
			t.Errorf("%q is not in\n%s", part, notes)
		}
	}
	if r.ExitCode() != 1 {
		t.Error("exit code 0")
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"verdict":"does not fit"`) || !strings.Contains(string(text), `"action":"recreate"`) {
		t.Errorf("%s %v", text, err)
	}
}

// TestNotTouched: the verdict is the worst of what keeps VMs from being recovered, and giving others a moment to follow is no refusal.
func TestNotTouched(t *testing.T) {
	t.Parallel()
	acts := Report{Verdict: Fits, VMs: []Row{{VM: 1, Action: recovery.VerbRecreate, Capacity: Capacity{Verdict: Fits}}}}
	storm := incident.Standing{State: incident.StandStorm, Failed: 3, InService: 4, Where: "the cloud"}
	refused := fence.Outlook{Verdict: fence.Refused, Detail: "no agent"}
	for what, c := range map[string]struct {
		r    Report
		line string
		code int
	}{
		"settling":          {acts.Stands(incident.Standing{State: incident.StandSettling}), "1 VMs would be recovered and 0 left; the other hosts can take all of them", 0},
		"settling, refused": {acts.Stands(incident.Standing{State: incident.StandSettling}).Foreseen(refused), "1 VMs would be REFUSED (no agent) and 0 left; the other hosts could take", 3},
		"storm":             {acts.Stands(storm), "1 VMs would be HELD (", 3},
		"storm, refused":    {acts.Stands(storm).Foreseen(refused), "1 VMs would be REFUSED (no agent)", 3},
		"storm, paused":     {acts.Stands(storm).WhilePaused("one-ft is paused"), "1 VMs would be REFUSED now (one-ft is paused)", 3},
		"paused":            {acts.WhilePaused("one-ft is paused"), "1 VMs would be REFUSED now (one-ft is paused)", 3},
		"paused, refused":   {acts.Foreseen(refused).WhilePaused("one-ft is paused"), "1 VMs would be REFUSED (no agent)", 3},
		"paused, no VMs":    {Report{Verdict: NoNeed}.WhilePaused("one-ft is paused"), "0 VMs would be recovered and 0 left; none", 0},
	} {
		if line, code := c.r.Line(), c.r.ExitCode(); !strings.Contains(line, c.line) || code != c.code {
			t.Errorf("%s: %d %s", what, code, line)
		}
		if notes := strings.Join(c.r.Notes(), "\n"); strings.Contains(notes, "one-ft is paused") != (c.r.Paused != "") {
			t.Errorf("%s: %s", what, notes)
		}
	}
	if s := (Survey{Standings: []incident.HostStanding{{Standing: incident.Standing{State: incident.StandSettling}}}}); s.ExitCode() != 0 || len(s.Problems()) > 0 {
		t.Errorf("a survey: %d %q", s.ExitCode(), s.Problems())
	}
	s := Survey{Paused: "one-ft is paused"}
	if s.ExitCode() != 3 || len(s.Problems()) != 1 || !strings.Contains(s.Line(), "NOTHING") || !strings.Contains(strings.Join(s.Notes(), "\n"), s.Paused) {
		t.Errorf("a survey while paused: %d %q %s", s.ExitCode(), s.Problems(), s.Line())
	}
}

func TestExitCodes(t *testing.T) {
	ok := Row{Capacity: Capacity{Verdict: Fits}}
	for _, c := range []struct {
		what string
		r    Report
		code int
		line string
	}{
		{"all is well", Report{Verdict: Fits, VMs: []Row{ok}}, 0, "can take all of them"},
		{"nothing to place", Report{Verdict: NoNeed}, 0, "none needs another host"},
		{"not known", Report{Verdict: NotKnown, VMs: []Row{{Capacity: Capacity{Verdict: NotKnown}}}}, 0, "not known, for 1 VMs"},
		{"tight", Report{Verdict: Tight, VMs: []Row{{Capacity: Capacity{Verdict: Tight}}, ok}}, 1, "tight, for 1 VMs"},
		{"left", Report{Verdict: Fits, VMs: []Row{{Action: recovery.VerbLeave, Unhandled: true, Reason: "why"}}}, 1, "1 left"},
		{"unread", Report{Verdict: NotKnown, Unread: []int{7}}, 1, "1 could not be read"},
	} {
		if c.r.ExitCode() != c.code || !strings.Contains(c.r.Line(), c.line) {
			t.Errorf("%s: %d %q", c.what, c.r.ExitCode(), c.r.Line())
		}
		if c.code == 1 && len(c.r.Problems()) != 1 {
			t.Errorf("%s: problems %q", c.what, c.r.Problems())
		}
		l := Loss{Verdict: c.r.Verdict, Unread: c.r.Unread}
		for _, v := range c.r.VMs {
			if v.Unhandled {
				l.Left++
			}
			if v.Capacity.Verdict > Fits {
				l.Misfits = append(l.Misfits, v.VM)
			}
		}
		s := Survey{Losses: []Loss{l}}
		if s.ExitCode() != c.code || len(s.Problems()) != len(c.r.Problems()) {
			t.Errorf("%s: survey %d %q", c.what, s.ExitCode(), s.Problems())
		}
	}
}

func TestWarnings(t *testing.T) {
	for state, want := range map[one.HostState]string{
		one.HostMonitored: "", one.HostDisabled: "the host is DISABLED: oned never sets it to ERROR", one.HostError: "the host is in ERROR already", one.HostInit: "the host is INIT",
	} {
		c := small()
		c.Hosts[0].State, c.Notes = state, nil
		r := drill(t, c)
		if got := strings.Join(r.Warnings, "\n"); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", state, got)
		}
		if r.Verdict != DoesNotFit {
			t.Errorf("%s: %s: a host out of service loses its VMs all the same", state, r.Verdict)
		}
	}
}

// TestSurvey: hosts worst first, those worth a row, the headroom.
func TestSurvey(t *testing.T) {
	c := small()
	d, err := one.DialectFor(one.Version{Major: 6, Minor: 10})
	if err != nil {
		t.Fatal(err)
	}
	plan := func(id int) recovery.Plan { return c.Plan(id, d, recovery.Policy{Mode: recovery.Recreate}, false) }
	s := All(c, "the cloud", WholeCloud, plan, nil)
	var rows []string
	for _, row := range s.Table()[1:] {
		rows = append(rows, strings.Join(row, "|"))
	}
	want := "0|node0||MONITORED|4|3|does not fit|-3.00|9216 MB|-|-|4: no other host has 4.00 CPU and 4096 MB free\n" +
		"2|node2||MONITORED|1|1|fits|9.00|23.0 GB|-|-|-\n1|node1||MONITORED|0|0|-|9.00|24.0 GB|-|-|-"
	if got := strings.Join(rows, "\n"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := s.Line(), "3 hosts of the cloud: the others can take the VMs of 2; does not fit: 1"; got != want {
		t.Error(got)
	}
	notes := strings.Join(s.Notes(), "\n")
	for _, part := range []string{"free now: 11.00 CPU and 32.0 GB", "the largest is host 0 (node0): its VMs need 6.00 CPU and 7168 MB", "headroom: the death of host 0 (node0) leaves -3.00 CPU and 9216 MB"} {
		if !strings.Contains(notes, part) {
			t.Errorf("%q is not in\n%s", part, notes)
		}
	}
	if got := strings.Join(s.Problems(), "\n"); got != "host 0 (node0): does not fit: 1 of 3 VMs: 4: no other host has 4.00 CPU and 4096 MB free" || s.ExitCode() != 1 {
		t.Errorf("%d %q", s.ExitCode(), got)
	}
	c.Hosts[1].ClusterID = 100
	s = All(c, "cluster x", 100, plan, nil)
	if len(s.Losses) != 1 || s.Losses[0].HostID != 1 || s.Losses[0].Verdict != NoNeed || s.ExitCode() != 0 {
		t.Errorf("%+v", s)
	}
}

func TestManyMisfits(t *testing.T) {
	l := Loss{Reason: "why"}
	for id := range 30 {
		l.Misfits = append(l.Misfits, id)
	}
	if got := l.misfits(); got != "0 1 2 3 4 5 6 7 22 more: why" {
		t.Error(got)
	}
}

// TestStands: what would stand in the way now is said once for each cluster, by a host in service, and it is no good answer.
func TestStands(t *testing.T) {
	c := small()
	c.Hosts[0].State = one.HostError
	c.Hosts[2].ClusterID = 7
	all := func(state incident.Stand) Survey {
		asked := 0
		s := All(c, "the cloud", WholeCloud, func(id int) recovery.Plan {
			return c.Plan(id, one.Dialect{}, recovery.Policy{Mode: recovery.Recreate}, false)
		}, nil).Stands(c, func(h Host) incident.HostStanding {
			asked++
			return incident.HostStanding{Host: h.ID, Name: h.Name, Standing: incident.Standing{State: state}}
		})
		if asked != 2 || s.Standings[0].Host == 0 || s.Standings[1].Host == 0 {
			t.Errorf("%d asked: %+v", asked, s.Standings)
		}
		return s
	}
	storm, clear, settling := all(incident.StandStorm), all(incident.StandClear), all(incident.StandSettling)
	if storm.ExitCode() != 3 || !strings.Contains(storm.Line(), "NOTHING would be touched now") || !strings.Contains(strings.Join(storm.Problems(), "\n"), "host 1 (node1): ") {
		t.Errorf("%d %s %q", storm.ExitCode(), storm.Line(), storm.Problems())
	}
	for _, s := range []Survey{clear, settling} {
		if s.ExitCode() == 3 || strings.Contains(s.Line(), "NOTHING") || !strings.Contains(strings.Join(s.Notes(), "\n"), "if host 1 (node1) failed now, or another one of its cluster: ") {
			t.Errorf("%d %s %q", s.ExitCode(), s.Line(), s.Notes())
		}
	}
}

// TestFates: VMs that would be deleted are not called recovered.
func TestFates(t *testing.T) {
	for _, c := range []struct {
		acted, deleted int
		fate, want     string
	}{
		{3, 0, "recovered", "3 VMs would be recovered"},
		{0, 3, "recovered", "3 VMs would be deleted"},
		{0, 3, "recovered UNPROVEN", "3 VMs would be deleted UNPROVEN"},
		{1, 2, "recovered UNPROVEN", "1 VMs would be recovered UNPROVEN, 2 deleted UNPROVEN"},
		{1, 2, "HELD (a storm)", "3 VMs would be HELD (a storm)"},
	} {
		if got := fates(c.acted, c.deleted, c.fate); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
