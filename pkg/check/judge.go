package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
)

// Judge decides what is wrong, and what to do about it. It is pure.
func Judge(f Facts) Report {
	j := &judge{Facts: f, Report: Report{
		Version: f.Version.String(), Endpoint: f.Endpoint, At: f.Now, Findings: []Finding{}, Hosts: []HostFencing{}, NotLooked: []string{},
	}}
	for _, text := range f.NotLooked {
		j.skipped("%s", text)
	}
	j.oned()
	j.rights()
	j.configuration()
	j.hooks()
	j.manager()
	j.hosts()
	j.ssh()
	j.downtime()
	j.fencing()
	j.leases()
	j.datastores()
	j.vms()
	j.budgets()
	j.incidents()
	j.clock()
	j.files()
	j.finish()
	return j.Report
}

// judge is one judgement.
type judge struct {
	Facts
	Report
}

func (j *judge) oned() {
	where := fmt.Sprintf("OpenNebula %s at %s", j.Facts.Version, j.Facts.Endpoint)
	if j.Dialect.Newer {
		j.say(Warning, TopicOned, "look for a newer one-ft", "%s is newer than all that one-ft was measured with; it is called like %s", where, j.Dialect.Name)
	} else {
		j.say(OK, TopicOned, "", "%s", where)
	}
	switch {
	case j.FollowErr != nil:
		j.skipped("whether this front-end is the leader: %v", j.FollowErr)
	case j.Follows:
		j.say(Warning, TopicOned, "run oneft check on the leader; onezone show 0 names it", "this front-end is a follower, or looks for a leader: hooks run on the leader")
	}
}

// asOneadmin is how to run this as the user that sees everything.
const asOneadmin = "sudo -u oneadmin oneft check"

func (j *judge) rights() {
	denied := errors.Is(j.ConfigErr, one.ErrAuthorization)
	switch {
	case j.UserErr == nil && !j.User.Admin(), j.UserErr != nil && denied:
		who := "the user of these credentials"
		if j.UserErr == nil {
			who = fmt.Sprintf("user %d (%s)", j.User.ID, j.User.Name)
		}
		j.stop(TopicRights, asOneadmin, "%s is not in the group oneadmin: it sees no hooks and not all hosts and VMs, and may not recover them", who)
	case j.UserErr != nil:
		j.skipped("rights: %v", j.UserErr)
	default:
		j.say(OK, TopicRights, "", "user %d (%s) may do everything", j.User.ID, j.User.Name)
	}
	if j.ConfigErr != nil && !denied {
		j.skipped("configuration of oned: %v", j.ConfigErr)
	}
	if fe := j.FrontEnd; fe.Local && fe.UID != fe.OnedUID {
		j.say(Warning, TopicRights, fmt.Sprintf("sudo -u %s oneft check", fe.OnedUser),
			"hooks run as %s, and this check did not: what %s cannot read or run was not noticed", fe.OnedUser, fe.OnedUser)
	}
}

func (j *judge) configuration() {
	if j.ConfigFile == "" {
		j.say(OK, TopicConfig, "", "no configuration file: the defaults hold")
	} else {
		j.say(OK, TopicConfig, "", "%s can be read", j.ConfigFile)
	}
	for _, p := range j.Programs {
		if p.Err != nil {
			j.say(Warning, TopicConfig, "chmod 0755 "+p.Path+", or correct "+p.For+" in "+j.ConfigFile, "%s: %s: %v", p.For, p.Path, p.Err)
		}
	}
}

// hooks takes over what is known of hooks, and compares what oned has with what oned.conf says.
func (j *judge) hooks() {
	for _, f := range j.Hooks {
		f.Topic = TopicHooks
		if f.Severity == Problem {
			f.Stops = StopsEverything
		}
		j.add(f)
	}
	if j.Loaded == nil || j.Written == nil {
		return
	}
	const restart = "systemctl restart opennebula"
	for _, h := range j.Written {
		if !slices.Contains(j.Loaded, h) {
			j.stop(TopicHooks, restart, "%s_HOOK %q in oned.conf is not what the running oned has: it was changed after oned had started", h.Resource, h.Name)
		}
	}
	for _, h := range j.Loaded {
		same := func(w HookLine) bool { return w.Resource == h.Resource && w.Name == h.Name }
		if !slices.ContainsFunc(j.Written, same) {
			j.stop(TopicHooks, restart, "the running oned still calls %s_HOOK %q (%s), which is not in oned.conf any more", h.Resource, h.Name, h.Command)
		}
	}
}

// manager judges the process that runs hooks, and the timer.
func (j *judge) manager() {
	fe := j.FrontEnd
	name, restart := "onehem-server.rb", "systemctl restart opennebula-hem"
	if j.Facts.Version.Before(5, 9) {
		name, restart = "one_hm", "systemctl restart opennebula"
	}
	switch {
	case !fe.Local:
		j.say(Warning, TopicManager, "run oneft check on the front-end, as oneadmin or root", "oned does not run on this machine, or its processes cannot be seen: whether anything runs hooks is not known")
		return
	case j.Follows:
		j.skipped("the hook manager: it runs on the leader")
	case !fe.Manager:
		j.stop(TopicManager, restart, "no process %s: nobody runs hooks, and oned does not repeat what it misses now", name)
	case strings.ContainsAny(fe.ManagerState, deadStates):
		j.stop(TopicManager, restart, "%s is in state %s: it runs no hooks", name, fe.ManagerState)
	case fe.ManagerLog != "":
		j.stop(TopicManager, restart, "%s could not read its hooks when it started, and runs none: %s", name, fe.ManagerLog)
	default:
		j.say(OK, TopicManager, "", "%s runs", name)
	}
	if fe.Timer {
		j.say(OK, TopicTimer, "", "oneft resume runs regularly")
	} else {
		j.say(Warning, TopicTimer, "systemctl enable --now one-ft-resume.timer, or copy scripts/one-ft-resume.cron to /etc/cron.d/one-ft-resume",
			"no timer runs oneft resume: a host whose hook was lost stays as it is")
	}
}

// hosts judges the states of hosts.
func (j *judge) hosts() {
	service := 0
	for _, h := range j.Facts.Hosts {
		open := slices.ContainsFunc(j.Incidents.Open, func(i Incident) bool { return i.Kind == "host" && i.ID == h.ID })
		active := j.VMs.Active[h.ID]
		switch {
		case h.State.Back() || h.State.Starting():
			service++
		case h.State.Failed() && !open && j.lives(h):
			j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("onehost show %d", h.ID),
				What: fmt.Sprintf("host %d (%s) lives, although oned still calls it ERROR: it was monitored at %s; its VMs are left alone, and oned calls it MONITORED again within 10 minutes",
					h.ID, h.Name, time.Unix(h.LastContact, 0).Format(time.TimeOnly))})
		case h.State.Failed() && !open && active > 0 && !isNone(h.Template["FT_ACTION"]):
			j.add(Finding{Severity: Problem, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: "oneft resume",
				What: fmt.Sprintf("host %d (%s) is in ERROR with %s on it, and no incident is open", h.ID, h.Name, counted(active, "VM"))})
		case h.State.Failed():
			j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("onehost show %d", h.ID),
				What: fmt.Sprintf("host %d (%s) is in ERROR", h.ID, h.Name)})
		case j.quarantined(h):
		case h.State.SetByAdmin() && active > 0:
			j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("onehost enable %d", h.ID),
				What: fmt.Sprintf("host %d (%s) is %s with %s on it: it never becomes ERROR, so they are not recovered", h.ID, h.Name, h.State, counted(active, "VM"))})
		}
		if ids := j.VMs.Cleaning[h.ID]; len(ids) > 0 && !open && !h.State.Back() {
			j.add(Finding{Severity: Problem, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("host_error %d -r", h.ID),
				What: fmt.Sprintf("oned cleans up on host %d (%s), which is %s: VM %s in CLEANUP_RESUBMIT may stay so for ever", h.ID, h.Name, h.State, listed(ids))})
		}
		if _, in := hostmark.QuarantineOf(h.Host); !in {
			j.zombies(h)
		}
		if isNone(h.Template["FT_ACTION"]) {
			j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("onehost update %d: take FT_ACTION out", h.ID),
				What: fmt.Sprintf("host %d (%s) has FT_ACTION = none: its VMs are left alone", h.ID, h.Name)})
		}
	}
	switch {
	case len(j.Facts.Hosts) == 0:
		j.stop(TopicHosts, asOneadmin, "no host can be seen")
	case service < 2:
		j.stop(TopicHosts, "onehost list; onehost enable ID", "%s of %d in service: VMs of one that fails can run nowhere else", counted(service, "host"), len(j.Facts.Hosts))
	default:
		j.say(OK, TopicHosts, "", "%d of %s in service", service, counted(len(j.Facts.Hosts), "host"))
	}
}

// lives reports whether a host in ERROR is one that oneft resume leaves alone, because it came back.
func (j *judge) lives(h Host) bool {
	began, back := j.Incidents.Back[h.ID]
	return back && recovery.SweepHost(h.Host, []recovery.Past{{Back: true, Began: began}}, j.Now).Verdict == recovery.SweepAlive
}

// zombies names guests that run on a host where oned does not have them: nothing ends them by itself, and one that oned
// started elsewhere writes to the same disks (seen live on 6.10).
func (j *judge) zombies(h Host) {
	if zombies := recovery.Zombies(h.Host); len(zombies) > 0 {
		j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, Fix: fmt.Sprintf("onehost show %d; then on the host virsh list, and virsh destroy one-ID for those that run elsewhere", h.ID),
			What: fmt.Sprintf("guests run on host %d (%s) that oned does not have there (ZOMBIES %s): those that it has on another host run twice", h.ID, h.Name, one.Printable(strings.Join(zombies, ", ")))})
	}
}

// quarantined names a host that one-ft has taken out of scheduling, and what keeps it there; false for none.
func (j *judge) quarantined(h Host) bool {
	q, in := hostmark.QuarantineOf(h.Host)
	if !in {
		return false
	}
	since := fmt.Sprintf("host %d (%s) is in quarantine since %s, because its VMs were started elsewhere (incident %d of %s)", h.ID, h.Name, q.At.Format(time.DateTime), q.Incident, q.FrontEnd)
	keeps := "; oneft resume gives it back when it is monitored again and none of its old guests runs"
	switch zombies := recovery.Zombies(h.Host); {
	case len(zombies) > 0:
		keeps = fmt.Sprintf("; old guests still run on it: ZOMBIES %s", one.Printable(strings.Join(zombies, ", ")))
	case j.Facts.Version.Before(5, 0):
		keeps = "; OpenNebula " + j.Facts.Version.String() + " does not monitor it: make sure that none of its old guests runs before you give it back"
	}
	j.add(Finding{Severity: Warning, Topic: TopicHosts, Hosts: []int{h.ID}, What: since + keeps, Fix: fmt.Sprintf("oneft release %d", h.ID)})
	return true
}

// files judges what hooks have to write.
func (j *judge) files() {
	user, found := "oneadmin", false
	if j.FrontEnd.OnedUser != "" {
		user = j.FrontEnd.OnedUser
	}
	for _, d := range j.Dirs {
		fix := fmt.Sprintf("install -d -o %s -m 0755 %s", user, d.Path)
		switch {
		case d.Err == nil:
			continue
		case errors.Is(d.Err, errSpace):
			fix = "df -h " + d.Path + "; df -i " + d.Path
		case d.File:
			fix = fmt.Sprintf("chown %s %s", user, d.Path)
		}
		found = true
		j.say(Problem, TopicFiles, fix, "hooks cannot write %s (%s): %v", d.Path, d.For, d.Err)
	}
	if !found && len(j.Dirs) > 0 {
		j.say(OK, TopicFiles, "", "hooks can write the directories for state and logs")
	}
}

// maxSkew is how far two clocks may be apart before it is told: minutes matter for budgets, which
// last an hour, and seconds do not.
const maxSkew = time.Minute

func (j *judge) clock() {
	c := j.Clock
	ntp := "timedatectl set-ntp true, here and on the front-end"
	behind := c.Newest.Sub(j.Now)
	// One interval may be missed, and monitoring itself takes time.
	old := 2*j.Interval + maxSkew
	switch {
	case c.Newest.IsZero():
		j.skipped("clock: oned told no time to compare it with")
	case behind > maxSkew:
		j.say(Problem, TopicClock, ntp, "the clock of this machine is behind that of oned by %s or more: %s at %s", behind.Round(time.Second), c.Of, c.Newest.UTC().Format(time.RFC3339))
	case !c.Monitored.IsZero() && j.Interval > 0 && j.Now.Sub(c.Monitored) > old:
		j.say(Warning, TopicClock, "onehost list; "+ntp, "the last time that a host was monitored is %s ago, with an interval of %s: monitoring stands still, or the clock of this machine is ahead of that of oned",
			j.Now.Sub(c.Monitored).Round(time.Second), j.Interval)
	default:
		j.say(OK, TopicClock, "", "oned told no time that is in the future")
	}
}

// fencingMode is what decides whether hosts are fenced: the hook, else the configuration.
func (j *judge) fencingMode() string {
	if j.HostHook.Fencing != "" {
		return j.HostHook.Fencing
	}
	if j.Values.Fencing != "" {
		return j.Values.Fencing
	}
	return config.DefaultFencing
}
