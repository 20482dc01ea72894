package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/one"
)

// about is a finding about one host. Those with the same severity, topic and reason become one
// Finding, so that a hundred hosts do not fill a hundred lines.
type about struct {
	severity Severity
	topic    string
	host     one.Host
	reason   string
	fix      string
}

// maxApart is how many hosts with the same trouble are told one by one.
const maxApart = 3

// group adds findings about hosts.
func (j *judge) group(all []about) {
	for len(all) > 0 {
		first := all[0]
		same := func(a about) bool {
			return a.severity == first.severity && a.topic == first.topic && a.reason == first.reason
		}
		var mine []about
		for _, a := range all {
			if same(a) {
				mine = append(mine, a)
			}
		}
		all = slices.DeleteFunc(slices.Clone(all), same)
		if len(mine) <= maxApart {
			for _, a := range mine {
				j.host(a.severity, a.topic, []int{a.host.ID}, a.fix, "host %d (%s): %s", a.host.ID, a.host.Name, a.reason)
			}
			continue
		}
		ids := make([]int, 0, len(mine))
		for _, a := range mine {
			ids = append(ids, a.host.ID)
		}
		fix := first.fix
		if fix != "" {
			fix += "; and the same for each of them"
		}
		j.host(first.severity, first.topic, ids, fix, "hosts %s: %s", listed(ids), first.reason)
	}
}

// host adds a finding about hosts; a problem keeps them from being recovered.
func (j *judge) host(s Severity, topic string, ids []int, fix, format string, args ...any) {
	f := Finding{Severity: s, Topic: topic, Fix: fix, What: fmt.Sprintf(format, args...), Hosts: ids}
	if s == Problem {
		f.Stops = StopsHosts
	}
	j.add(f)
}

// fencing judges whether each host could be proven off.
func (j *judge) fencing() {
	if j.fencingMode() == config.FencingOff {
		j.say(Warning, TopicFencing, "take -u, --fencing off and fencing: off out of the hook and the configuration", "fencing is off: a host that only lost its network keeps its VMs, and they run twice")
		return
	}
	var all []about
	asked := 0
	for _, h := range j.Facts.Hosts {
		if h.State == one.HostOffline {
			continue
		}
		found, fenced := j.fencingOf(h)
		all = append(all, found...)
		j.Report.Hosts = append(j.Report.Hosts, fenced)
		if h.Asked {
			asked++
		}
	}
	j.group(all)
	j.sameOutlet()
	j.Report.FencingNotAsked = j.Facts.FencingNotAsked
	bad := slices.ContainsFunc(j.Report.Hosts, func(h HostFencing) bool { return !h.OK })
	switch {
	case bad || len(j.Report.Hosts) == 0:
	case j.Facts.FencingNotAsked:
		j.say(OK, TopicFencing, "", "fencing of %s is complete on this machine; the devices were not asked", counted(len(j.Report.Hosts), "host"))
	default:
		j.say(OK, TopicFencing, "", "%s can be proven off", counted(len(j.Report.Hosts), "host"))
	}
	if asked == 0 && slices.ContainsFunc(j.Facts.Hosts, func(h Host) bool { return len(h.Levels) > 0 }) {
		j.skipped("whether fence agents work: they were not asked")
	}
}

// fencingOf judges one host.
func (j *judge) fencingOf(h Host) (found []about, out HostFencing) {
	out = HostFencing{ID: h.ID, Name: h.Name}
	say := func(s Severity, fix, format string, args ...any) {
		found = append(found, about{s, TopicFencing, h.Host, fmt.Sprintf(format, args...), fix})
	}
	if errors.Is(h.Err, fence.ErrNotConfigured) {
		out.Fencing = "not configured"
		what := "no fencing is configured: VMs would be started elsewhere although they may still run there"
		if j.fencingMode() == config.FencingRequired {
			what = "no fencing is configured, and it is required: VMs would not be recovered"
		}
		say(Problem, addFence(h), "%s", what)
		return found, out
	}
	if h.Err != nil {
		out.Fencing = one.Printable(h.Err.Error())
		say(Problem, fmt.Sprintf("onehost update %d, or correct fence in %s", h.ID, j.configName()), "%v", h.Err)
		return found, out
	}
	var broken, others []string // others without leases, which are told by themselves
	manual := false
	for i, level := range h.Levels {
		name := fmt.Sprintf("level %d", i+1)
		ok, says := j.levelOf(h, level)
		switch {
		case level.isManual():
			manual = true
		case !ok:
			broken = append(broken, name+": "+says)
			if level.Devices[0].Kind != fence.KindLease {
				others = append(others, name+": "+says)
			}
		case out.OK:
		default:
			out.OK, out.Fencing = true, one.Printable(name+": "+says)
		}
	}
	fix := fmt.Sprintf("onehost show %d, and correct FENCE_* there or fence in %s", h.ID, j.configName())
	switch {
	case out.OK && len(others) > 0:
		say(Warning, fix, "%s; another level works", strings.Join(others, "; "))
	case out.OK:
	case len(broken) > 0:
		out.Fencing = one.Printable(strings.Join(broken, "; "))
		if len(others) > 0 {
			say(Problem, fix, "%s", strings.Join(others, "; "))
		}
	case manual:
		out.Fencing = "an admin has to confirm"
		say(Warning, addFence(h), "only an admin can say that it is off (oneft resume INCIDENT --confirm-off): nothing happens by itself")
	}
	return found, out
}

func (j *judge) configName() string {
	if j.ConfigFile == "" {
		return config.Name
	}
	return j.ConfigFile
}

func (l Level) isManual() bool {
	return slices.ContainsFunc(l.Devices, func(d Device) bool { return d.Kind == fence.KindManual })
}

// levelOf reports whether a level would prove a host off, as far as can be seen, and what its
// devices say.
func (j *judge) levelOf(h Host, level Level) (ok bool, says string) {
	ok = true
	var words []string
	for _, d := range level.Devices {
		var text string
		switch {
		case d.Kind == fence.KindLease:
			bad := leaseOf(h, d)
			text = d.Label
			if bad != nil {
				ok, text = false, d.Label+": "+bad.Error()
			}
		case d.Err != nil:
			ok, text = false, fmt.Sprintf("%s: %v", d.Label, d.Err)
		case d.Kind == fence.KindAgent && d.Power == fence.PowerOff && h.State.Back():
			ok, text = false, d.Label+" says off, although oned has just monitored the host: it is not the outlet of this host"
		case d.Kind == fence.KindAgent && h.Asked:
			text = fmt.Sprintf("%s says %s", d.Label, d.Power)
		default:
			text = d.Label + " (not asked)"
		}
		words = append(words, text)
	}
	return ok, strings.Join(words, ", ")
}

// sameOutlet finds outlets that two hosts have in common: fencing one powers the other off.
func (j *judge) sameOutlet() {
	type user struct {
		host  int
		label string
	}
	users := map[string][]user{}
	var keys []string
	for _, h := range j.Facts.Hosts {
		for _, level := range h.Levels {
			for _, d := range level.Devices {
				if d.Key == "" || slices.ContainsFunc(users[d.Key], func(u user) bool { return u.host == h.ID }) {
					continue
				}
				if len(users[d.Key]) == 0 {
					keys = append(keys, d.Key)
				}
				users[d.Key] = append(users[d.Key], user{h.ID, d.Label})
			}
		}
	}
	for _, key := range keys {
		if same := users[key]; len(same) > 1 {
			var ids []int
			for _, u := range same {
				ids = append(ids, u.host)
			}
			for i, h := range j.Report.Hosts {
				if slices.Contains(ids, h.ID) {
					j.Report.Hosts[i].OK, j.Report.Hosts[i].Fencing = false, "another host has the same outlet"
				}
			}
			j.host(Problem, TopicFencing, ids, fmt.Sprintf("onehost update %d, and correct FENCE_IP or FENCE_PLUG there", ids[len(ids)-1]),
				"hosts %s have the same outlet, %s: fencing one powers the others off", listed(ids), same[0].label)
		}
	}
}

// addFence is how a host is given a fence.
func addFence(h Host) string {
	if h.Promised && h.PromiseErr == nil {
		return fmt.Sprintf("onehost update %d: %s", h.ID, leaseLines(h.Promise))
	}
	return fmt.Sprintf(`onehost update %d: FENCE_AGENT = "fence_ipmilan", FENCE_IP = "ADDRESS", FENCE_USER = "USER", FENCE_PASSWORD_FILE = "FILE"`, h.ID)
}
