package check

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/pkg/reach"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
)

// Survey is what the hosts in service answer this front-end, and what stands between those in ERROR and the recovery of
// their VMs.
type Survey struct {
	// Asked: there was a survey. Err is why not all of it is there.
	Asked     bool
	Ways      []reach.Way // host ID ascending
	Standings []incident.HostStanding
	// NotJudged is how many more hosts are in ERROR.
	NotJudged int
	Err       error
}

// Surveyor makes the survey.
type Surveyor interface {
	// Ways asks the hosts in service, and is bounded in time.
	Ways(ctx context.Context) ([]reach.Way, error)
	// Stand judges a host that failed.
	Stand(ctx context.Context, host one.Host) incident.HostStanding
	// Remember keeps how ssh connects to these hosts for the next recovery.
	Remember(hosts []one.Host)
}

const (
	// surveyLimit bounds the survey: ssh is asked for 10 s at most where nothing is remembered, and a host answers within 1.5 s.
	surveyLimit = 30 * time.Second
	// maxJudged bounds how many hosts in ERROR are judged: up to two calls each.
	maxJudged = 64
)

// survey asks the hosts.
func (c *collector) survey(ctx context.Context, hosts []one.Host) (s Survey) {
	if c.Surveyor == nil {
		return s
	}
	ctx, cancel := context.WithTimeout(ctx, surveyLimit)
	defer cancel()
	s.Asked = true
	s.Ways, s.Err = c.Surveyor.Ways(ctx)
	for _, h := range hosts {
		switch {
		case !h.State.Failed() || len(h.VMs) == 0:
		case len(s.Standings) == maxJudged:
			s.NotJudged++
		default:
			s.Standings = append(s.Standings, c.Surveyor.Stand(ctx, h))
		}
	}
	c.Surveyor.Remember(hosts)
	return s
}

// survey is about which hosts can be asked, which are silent, and what that means for a host that fails.
func (e *evaluation) survey() {
	s := e.Survey
	if !s.Asked {
		return
	}
	if s.Err != nil {
		e.skip("the way to the hosts: %v", s.Err)
	}
	e.report.Standings = s.Standings
	for _, h := range s.Standings {
		e.standing(h)
	}
	if s.NotJudged > 0 {
		e.skip("what would be done about %s more in ERROR", text.Plural(s.NotJudged, "host"))
	}
	state := map[int]one.HostState{}
	for _, h := range e.Hosts {
		state[h.ID] = h.State
	}
	unknown, lost := map[reach.Cause][]int{}, map[int]bool{}
	answer := 0
	for _, w := range s.Ways {
		switch {
		case w.Answer == reach.Silent && state[w.Host].Back():
			lost[w.Host] = true
			e.about(w.Host, Problem, fmt.Sprintf("ssh %s true, as the user that oned runs as", w.Name),
				"host %d (%s) is %s, and does not answer this front-end at %s: it counts as failed when another host fails", w.Host, w.Name, state[w.Host], w.Address)
		case w.Answer.Alive():
			answer++
		case w.Answer == reach.Unknown:
			unknown[w.Cause] = append(unknown[w.Cause], w.Host)
		}
	}
	for _, cause := range slices.Sorted(maps.Keys(unknown)) {
		e.unasked(cause, unknown[cause])
	}
	e.blind(lost, unknown)
	if len(s.Ways) > 0 {
		e.ok("%d of %s in service answer this front-end", answer, text.Plural(len(s.Ways), "host"))
	}
}

// unasked is about hosts whose way cannot be asked. That is no fault of theirs, and one setting helps.
func (e *evaluation) unasked(cause reach.Cause, ids []int) {
	port := "set survey: {port: 22} in " + e.configName()
	causes := map[reach.Cause]struct{ why, fix string }{
		reach.CauseProxy: {"ssh reaches them through a proxy (ProxyJump or ProxyCommand)", "set survey: {port: PORT} in " + e.configName() + " to a TCP port at which they answer this front-end directly"},
		reach.CauseName:  {"their names have no address", "make them resolve on this front-end (getent hosts NAME), or give them a HostName in the configuration of ssh"},
		reach.CauseSSH:   {"ssh does not say how it would connect", "ssh -G NAME, as the user that oned runs as, has the error; or " + port},
		reach.CauseLocal: {"this front-end cannot open connections", "raise the limit of open files of this user (ulimit -n), and check its firewall"},
		reach.CauseTime:  {"ssh took too long to say how it would connect", "run oneft check once more, what ssh has said is remembered; or " + port},
	}
	of := text.Plural(len(ids), "host") + " (" + listed(ids) + ")"
	if cause == reach.CauseSkipped { // somebody decided so
		e.add(Finding{Severity: OK, Hosts: ids, What: "the way to " + of + " is not asked: survey.skip excludes them"})
		return
	}
	e.add(Finding{Severity: Warning, Hosts: ids, Fix: cmp.Or(causes[cause].fix, port),
		What: "the way to " + of + " cannot be asked: " + cmp.Or(causes[cause].why, string(cause))})
}

// blind is about so many hosts that cannot be asked, or do not answer, that it matters for every host that fails.
func (e *evaluation) blind(lost map[int]bool, unknown map[reach.Cause][]int) {
	v := e.Values
	p := recovery.GuardPolicy{Share: float64(v.StormShare) / 100, Hosts: v.StormHosts, Window: v.StormWindow}
	hosts := make([]one.Host, len(e.Hosts))
	for i, h := range e.Hosts {
		hosts[i] = h.Host
	}
	if verdict := recovery.Guard(hosts, nil, e.Now, p, -1, lost); verdict.Hold && verdict.Worst.Silent > 0 {
		e.stop("restore the network between this front-end and its hosts", "%d of %d hosts in service have failed or do not answer this front-end: a host that fails now would be held as a storm",
			verdict.Worst.Failed, verdict.Worst.InService)
		return
	}
	worst := maps.Clone(lost)
	for _, ids := range unknown {
		for _, id := range ids {
			worst[id] = true
		}
	}
	if recovery.Guard(hosts, nil, e.Now, p, -1, worst).Hold && v.SurveySettle > 0 {
		e.warn(fmt.Sprintf("let this front-end ask more of its hosts (survey in %s)", e.configName()),
			"so many hosts cannot be asked that a host that fails now waits one monitoring cycle, %s at most, for others to follow it", v.SurveySettle)
	}
}

// standing is about a host in ERROR.
func (e *evaluation) standing(h incident.HostStanding) {
	line := fmt.Sprintf("host %d (%s) is in ERROR: %s", h.Host, h.Name, h.Message(e.Now))
	if !h.Holds() {
		e.about(h.Host, OK, "", "%s", line)
		return
	}
	severity, fix := Warning, "wait, then run oneft check once more"
	switch h.State {
	case incident.StandStorm:
		severity, fix = Problem, fmt.Sprintf("find out what they have in common: the front-end, its network, a switch; when they are really dead: host_error %d -r n --override-storm", h.Host)
	case incident.StandAnswers:
		severity, fix = Problem, fmt.Sprintf("fix its monitoring: onehost show %d has the error; when it is certainly off: host_error %d -r n --any-state", h.Host, h.Host)
	case incident.StandUnknown:
		severity, fix = Problem, "onehost list, as the user of the hook"
	}
	e.about(h.Host, severity, fix, "%s", line)
}
