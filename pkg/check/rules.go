package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
)

// rule checks one topic.
type rule struct {
	topic string
	check func(*evaluation)
}

// rules are all of them, in the order in which findings of the same severity are shown.
func rules() []rule {
	return []rule{
		{"oned", (*evaluation).oned}, {"rights", (*evaluation).rights}, {"configuration", (*evaluation).configuration},
		{"hooks", (*evaluation).hooks}, {"hook manager", (*evaluation).manager}, {"timer", (*evaluation).timer},
		{"hosts", (*evaluation).hosts}, {"ssh", (*evaluation).ssh}, {"downtime", (*evaluation).downtime},
		{"fencing", (*evaluation).fencing}, {"lease", (*evaluation).leases}, {"datastores", (*evaluation).datastores},
		{"VMs", (*evaluation).vms}, {"budgets", (*evaluation).budgets}, {"incidents", (*evaluation).incidents},
		{"clock", (*evaluation).clock}, {"files", (*evaluation).files},
	}
}

// Evaluate decides what is wrong, and what to do about it. It is pure.
func Evaluate(f Facts) Report {
	e := &evaluation{Facts: f, report: Report{
		Version: f.Version.String(), Endpoint: f.Endpoint, At: f.Now, Findings: []Finding{}, Hosts: []HostFencing{}, Skipped: []string{},
	}}
	for _, line := range f.Skipped {
		e.skip("%s", line)
	}
	for _, r := range rules() {
		e.topic = r.topic
		r.check(e)
	}
	e.report.finish()
	return e.report
}

// evaluation is what the rules work on.
type evaluation struct {
	Facts
	report Report
	topic  string // of the rule at hand
}

// add adds a finding on the topic at hand; its texts become printable.
func (e *evaluation) add(f Finding) {
	f.Topic, f.What, f.Fix = e.topic, text.Printable(f.What), text.Printable(f.Fix)
	e.report.Findings = append(e.report.Findings, f)
}

// ok adds a finding that is fine.
func (e *evaluation) ok(format string, args ...any) {
	e.add(Finding{Severity: OK, What: fmt.Sprintf(format, args...)})
}

func (e *evaluation) warn(fix, format string, args ...any) {
	e.add(Finding{Severity: Warning, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// problem adds a problem that keeps no host that fails now from being recovered.
func (e *evaluation) problem(fix, format string, args ...any) {
	e.add(Finding{Severity: Problem, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// stop adds a problem that keeps every host from being recovered.
func (e *evaluation) stop(fix, format string, args ...any) {
	e.add(Finding{Severity: Problem, Stops: StopsEverything, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// about adds a finding about a host that keeps none from being recovered.
func (e *evaluation) about(host int, s Severity, fix, format string, args ...any) {
	e.add(Finding{Severity: s, Hosts: []int{host}, Fix: fix, What: fmt.Sprintf(format, args...)})
}

// skip adds something that was not checked.
func (e *evaluation) skip(format string, args ...any) {
	e.report.Skipped = append(e.report.Skipped, text.Printable(fmt.Sprintf(format, args...)))
}

func (e *evaluation) oned() {
	where := fmt.Sprintf("OpenNebula %s at %s", e.Version, e.Endpoint)
	if e.Dialect.Newer {
		e.warn("look for a newer one-ft", "%s is newer than all that one-ft was measured with; it is called like %s", where, e.Dialect.Name)
	} else {
		e.ok("%s", where)
	}
	switch {
	case e.FollowErr != nil:
		e.skip("whether this front-end is the leader: %v", e.FollowErr)
	case e.Follows:
		e.warn("run oneft check on the leader; onezone show 0 names it", "this front-end is a follower, or looks for a leader: hooks run on the leader")
	}
}

// asOneadmin is how to run this as the user that sees everything.
const asOneadmin = "sudo -u oneadmin oneft check"

func (e *evaluation) rights() {
	denied := errors.Is(e.ConfigErr, one.ErrAuthorization)
	const lacks = "%s is not in the group oneadmin: it sees no hooks and not all hosts and VMs, and may not recover them"
	user := fmt.Sprintf("user %d (%s)", e.User.ID, e.User.Name)
	switch {
	case e.UserErr == nil && !e.User.Admin():
		e.stop(asOneadmin, lacks, user)
	case e.UserErr == nil:
		e.ok("%s may do everything", user)
	case denied:
		e.stop(asOneadmin, lacks, "the user of these credentials")
	default:
		e.skip("rights: %v", e.UserErr)
	}
	if e.ConfigErr != nil && !denied {
		e.skip("configuration of oned: %v", e.ConfigErr)
	}
	if fe := e.FrontEnd; fe.Local && fe.UID != fe.OnedUID {
		e.warn(fmt.Sprintf("sudo -u %s oneft check", fe.OnedUser),
			"hooks run as %s, and this check did not: what %s cannot read or run was not noticed", fe.OnedUser, fe.OnedUser)
	}
}

func (e *evaluation) configuration() {
	if e.ConfigFile == "" {
		e.ok("no configuration file: the defaults hold")
	} else {
		e.ok("%s can be read", e.ConfigFile)
	}
	for _, p := range e.Programs {
		if p.Err != nil {
			e.warn("chmod 0755 "+p.Path+", or correct "+p.For+" in "+e.ConfigFile, "%s: %s: %v", p.For, p.Path, p.Err)
		}
	}
}

// hooks takes over what is known of hooks, and compares what oned has with what oned.conf says.
func (e *evaluation) hooks() {
	for _, f := range e.Hooks {
		if f.Severity == Problem {
			f.Stops = StopsEverything
		}
		e.add(f)
	}
	if e.Loaded == nil || e.Written == nil {
		return
	}
	const restart = "systemctl restart opennebula"
	for _, h := range e.Written {
		if !slices.Contains(e.Loaded, h) {
			e.stop(restart, "%s_HOOK %q in oned.conf is not what the running oned has: it was changed after oned had started", h.Resource, h.Name)
		}
	}
	for _, h := range e.Loaded {
		if !slices.ContainsFunc(e.Written, func(w HookLine) bool { return w.Resource == h.Resource && w.Name == h.Name }) {
			e.stop(restart, "the running oned still calls %s_HOOK %q (%s), which is not in oned.conf any more", h.Resource, h.Name, h.Command)
		}
	}
}

// manager is about the process that runs hooks.
func (e *evaluation) manager() {
	fe := e.FrontEnd
	name, restart := "onehem-server.rb", "systemctl restart opennebula-hem"
	if e.Version.Before(5, 9) {
		name, restart = "one_hm", "systemctl restart opennebula"
	}
	switch {
	case !fe.Local:
		e.warn("run oneft check on the front-end, as oneadmin or root", "oned does not run on this machine, or its processes cannot be seen: whether anything runs hooks is not known")
	case e.Follows:
		e.skip("the hook manager: it runs on the leader")
	case !fe.Manager:
		e.stop(restart, "no process %s: nobody runs hooks, and oned does not repeat what it misses now", name)
	case fe.ManagerDead:
		e.stop(restart, "%s is in state %s: it runs no hooks", name, fe.ManagerState)
	case fe.ManagerLog != "":
		e.stop(restart, "%s could not read its hooks when it started, and runs none: %s", name, fe.ManagerLog)
	default:
		e.ok("%s runs", name)
	}
}

func (e *evaluation) timer() {
	switch {
	case !e.FrontEnd.Local: // the manager says so
	case e.FrontEnd.Timer:
		e.ok("oneft resume runs regularly")
	default:
		e.warn("systemctl enable --now one-ft-resume.timer, or copy scripts/one-ft-resume.cron to /etc/cron.d/one-ft-resume",
			"no timer runs oneft resume: a host whose hook was lost is never recovered")
	}
}

// hosts is about the states of hosts.
func (e *evaluation) hosts() {
	service := 0
	for _, h := range e.Hosts {
		if h.State.Back() || h.State.Starting() {
			service++
		}
		e.host(h)
	}
	switch {
	case len(e.Hosts) == 0:
		e.stop(asOneadmin, "no host can be seen")
	case service < 2:
		e.stop("onehost list; onehost enable ID", "%s of %d in service: VMs of one that fails can run nowhere else", counted(service, "host"), len(e.Hosts))
	default:
		e.ok("%d of %s in service", service, counted(len(e.Hosts), "host"))
	}
}

// name is a host in a sentence.
func (h Host) name() string { return fmt.Sprintf("host %d (%s)", h.ID, h.Name) }

func (e *evaluation) host(h Host) {
	open := slices.ContainsFunc(e.Incidents.Open, func(i Incident) bool { return i.Kind == "host" && i.ID == h.ID })
	active, left, show := e.VMs.Active[h.ID], isNone(h.Template["FT_ACTION"]), fmt.Sprintf("onehost show %d", h.ID)
	q, quarantined := hostmark.QuarantineOf(h.Host)
	zombies := strings.Join(recovery.Zombies(h.Host), ", ")
	switch {
	case h.State.Back() || h.State.Starting():
	case h.State.Failed() && !open && e.lives(h):
		e.about(h.ID, Warning, show, "%s lives, although oned still calls it ERROR: it was monitored at %s; its VMs are left alone, and oned calls it MONITORED again within 10 minutes",
			h.name(), time.Unix(h.LastContact, 0).Format(time.TimeOnly))
	case h.State.Failed() && !open && active > 0 && !left:
		e.about(h.ID, Problem, "oneft resume", "%s is in ERROR with %s on it, and no incident is open", h.name(), counted(active, "VM"))
	case h.State.Failed():
		e.about(h.ID, Warning, show, "%s is in ERROR", h.name())
	case quarantined:
		keeps := "; oneft resume gives it back when it is monitored again and none of its old guests runs"
		if zombies != "" {
			keeps = "; old guests still run on it: ZOMBIES " + zombies
		} else if e.Version.Before(5, 0) {
			keeps = "; OpenNebula " + e.Version.String() + " does not monitor it: make sure that none of its old guests runs before you give it back"
		}
		e.about(h.ID, Warning, fmt.Sprintf("oneft release %d", h.ID), "%s is in quarantine since %s, because its VMs were started elsewhere (incident %d of %s)%s",
			h.name(), q.At.Format(time.DateTime), q.Incident, q.FrontEnd, keeps)
	case h.State.SetByAdmin() && active > 0:
		e.about(h.ID, Warning, fmt.Sprintf("onehost enable %d", h.ID), "%s is %s with %s on it: it never becomes ERROR, so they are not recovered", h.name(), h.State, counted(active, "VM"))
	}
	if ids := e.VMs.Cleaning[h.ID]; len(ids) > 0 && !open && !h.State.Back() {
		e.about(h.ID, Problem, fmt.Sprintf("host_error %d -r", h.ID), "oned cleans up on %s, which is %s: VM %s in CLEANUP_RESUBMIT may stay so forever", h.name(), h.State, listed(ids))
	}
	// Nothing ends such guests, and one that oned started elsewhere writes to the same disks (seen live on 6.10).
	if zombies != "" && !quarantined {
		e.about(h.ID, Warning, show+"; then on the host virsh list, and virsh destroy one-ID for those that run elsewhere",
			"guests run on %s that oned does not have there (ZOMBIES %s): those that it has on another host run twice", h.name(), zombies)
	}
	if left {
		e.about(h.ID, Warning, fmt.Sprintf("onehost update %d: take FT_ACTION out", h.ID), "%s has FT_ACTION = none: its VMs are left alone", h.name())
	}
}

// lives reports whether a host in ERROR is one that oneft resume leaves alone, because it came back.
func (e *evaluation) lives(h Host) bool {
	began, back := e.Incidents.Back[h.ID]
	return back && recovery.SweepHost(h.Host, []recovery.Past{{Back: true, Began: began}}, e.Now).Verdict == recovery.SweepAlive
}

// files is about what hooks have to write.
func (e *evaluation) files() {
	user, found := cmp.Or(e.FrontEnd.OnedUser, "oneadmin"), false
	for _, d := range e.Dirs {
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
		e.problem(fix, "hooks cannot write %s (%s): %v", d.Path, d.For, d.Err)
	}
	if !found && len(e.Dirs) > 0 {
		e.ok("hooks can write the directories for state and logs")
	}
}

// maxSkew is how far two clocks may be apart before it is reported: minutes matter for budgets, which
// last an hour, and seconds do not.
const maxSkew = time.Minute

func (e *evaluation) clock() {
	c := e.Clock
	ntp := "timedatectl set-ntp true, here and on the front-end"
	behind := c.Newest.Sub(e.Now)
	// One interval may be missed, and monitoring itself takes time.
	old := 2*e.Interval + maxSkew
	switch {
	case c.Newest.IsZero():
		e.skip("clock: oned told no time to compare it with")
	case behind > maxSkew:
		e.problem(ntp, "the clock of this machine is behind that of oned by %s or more: %s at %s", behind.Round(time.Second), c.Of, c.Newest.UTC().Format(time.RFC3339))
	case !c.Monitored.IsZero() && e.Interval > 0 && e.Now.Sub(c.Monitored) > old:
		e.warn("onehost list; "+ntp, "the last time that a host was monitored is %s ago, with an interval of %s: monitoring stands still, or the clock of this machine is ahead of that of oned",
			e.Now.Sub(c.Monitored).Round(time.Second), e.Interval)
	default:
		e.ok("oned told no time that is in the future")
	}
}

// fencingMode is what decides whether hosts are fenced: the hook, else the configuration.
func (e *evaluation) fencingMode() string {
	return cmp.Or(e.HostHook.Fencing, e.Values.Fencing, config.Default().Fencing)
}

// configName is the file to change.
func (e *evaluation) configName() string { return cmp.Or(e.ConfigFile, config.Name) }
