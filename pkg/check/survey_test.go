package check

import (
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
)

// TestSurvey: hosts that cannot be asked are named with the setting for it, silent ones as problems, and hosts in ERROR with
// what keeps their VMs from being recovered.
func TestSurvey(t *testing.T) {
	way := func(id int, a reach.Answer, c reach.Cause) reach.Way {
		return reach.Way{Host: id, Name: "node1", Answer: a, Cause: c, Address: "node1:22"}
	}
	for name, c := range map[string]struct {
		ways      []reach.Way
		standings []incident.HostStanding
		severity  Severity
		want, fix string
		stops     Stops
	}{
		"silent":      {ways: []reach.Way{way(1, reach.Silent, "")}, severity: Problem, want: "does not answer this front-end at node1:22", fix: "ssh node1 true"},
		"proxy":       {ways: []reach.Way{way(1, reach.Unknown, reach.CauseProxy)}, severity: Warning, want: "through a proxy", fix: "survey: {port: PORT}"},
		"name":        {ways: []reach.Way{way(1, reach.Unknown, reach.CauseName)}, severity: Warning, want: "no address", fix: "getent hosts"},
		"ssh":         {ways: []reach.Way{way(1, reach.Unknown, reach.CauseSSH)}, severity: Warning, want: "ssh does not say", fix: "ssh -G"},
		"local":       {ways: []reach.Way{way(1, reach.Unknown, reach.CauseLocal)}, severity: Warning, want: "cannot open connections", fix: "ulimit -n"},
		"time":        {ways: []reach.Way{way(1, reach.Unknown, reach.CauseTime)}, severity: Warning, want: "too long", fix: "once more"},
		"skipped":     {ways: []reach.Way{way(1, reach.Unknown, reach.CauseSkipped)}, severity: OK, want: "survey.skip"},
		"all unknown": {ways: []reach.Way{way(1, reach.Unknown, reach.CauseProxy), way(2, reach.Unknown, reach.CauseProxy), way(3, reach.Unknown, reach.CauseName)}, severity: Warning, want: "waits one monitoring cycle", fix: "ask more of its hosts"},
		"all silent":  {ways: []reach.Way{way(1, reach.Silent, ""), way(2, reach.Silent, ""), way(3, reach.Silent, "")}, severity: Problem, want: "held as a storm", fix: "restore the network", stops: StopsEverything},
		"storm": {standings: []incident.HostStanding{{Host: 1, Name: "node1", Standing: incident.Standing{State: incident.StandStorm, Failed: 3, InService: 4, Where: "the cloud"}}},
			severity: Problem, want: "3 of 4 hosts in service of the cloud failed", fix: "host_error 1 -r n --override-storm"},
		"answers": {standings: []incident.HostStanding{{Host: 1, Name: "node1", Standing: incident.Standing{State: incident.StandAnswers, Address: "node1:22"}}},
			severity: Problem, want: "it answers at node1:22", fix: "onehost show 1"},
		"clear": {standings: []incident.HostStanding{{Host: 1, Name: "node1", Standing: incident.Standing{State: incident.StandClear, Failed: 1, InService: 4, Where: "the cloud"}}},
			severity: OK, want: "is in ERROR: guard: 1 of 4"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good(t, v74)
			f.Survey = Survey{Asked: true, Ways: c.ways, Standings: c.standings}
			if len(c.standings) > 0 {
				f.Hosts[0].State = one.HostError
			}
			r := Evaluate(f)
			found := slices.ContainsFunc(r.Findings, func(x Finding) bool {
				return x.Topic == "survey" && x.Severity == c.severity && x.Stops == c.stops && strings.Contains(x.What, c.want) && strings.Contains(x.Fix, c.fix)
			})
			if !found {
				t.Errorf("not found in %+v", r.Findings)
			}
		})
	}
}
