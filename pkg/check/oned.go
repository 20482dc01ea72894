package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/hostmark"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// HookLine is a hook in oned.conf, or in the configuration of the running oned.
type HookLine struct {
	Resource                     string // HOST or VM
	Name, On, Command, Arguments string
}

// Clock is what oned told of the time.
type Clock struct {
	// Newest is the latest time that oned told; Of says of what. Zero when it told none.
	Newest time.Time
	Of     string
	// Monitored is when a host that is MONITORED was last monitored.
	Monitored time.Time
}

// loadedHooks reads the hooks for hosts and VMs of a running oned out of one.system.config. They
// are nil when it has no hook manager in it: then it does not tell all.
func loadedHooks(conf *one.Element) []HookLine {
	if conf.Child("HM_MAD") == nil {
		return nil
	}
	hooks := []HookLine{}
	for _, resource := range []string{"HOST", "VM"} {
		for _, h := range conf.All(resource + "_HOOK") {
			hooks = append(hooks, HookLine{resource, h.Value("NAME"), h.Value("ON"), h.Value("COMMAND"), h.Value("ARGUMENTS")})
		}
	}
	return hooks
}

// clockHosts is how many hosts are asked when they were monitored: one may be slow, not three.
const clockHosts = 3

// clock finds the latest time that oned tells.
func (c *collector) clock(ctx context.Context, hosts []one.Host) {
	clock := &c.facts.Clock
	asked := 0
	for _, h := range hosts {
		if !h.State.Back() || asked == clockHosts {
			continue
		}
		asked++
		now, err := c.Client.Host(ctx, h.ID)
		at := cmp.Or(now.LastContact, now.LastAttempt)
		if when := time.Unix(at, 0); err == nil && at > 0 && when.After(clock.Monitored) {
			clock.Monitored = when
			if when.After(clock.Newest) {
				clock.Newest, clock.Of = when, fmt.Sprintf("host %d was monitored", h.ID)
			}
		}
	}
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

func (e *evaluation) hosts() {
	service := 0
	var disabled, quarantined []int
	for _, h := range e.Hosts {
		if _, in := hostmark.QuarantineOf(h.Host); in {
			quarantined = append(quarantined, h.ID)
		} else if h.State.SetByAdmin() {
			disabled = append(disabled, h.ID)
		}
		if h.API() == "" && (h.State.Back() || h.State.Starting()) {
			service++
		}
		e.host(h)
	}
	switch {
	case len(e.Hosts) == 0:
		e.stop(asOneadmin, "no host can be seen")
	case service < 2:
		e.stop(serving(disabled, quarantined), "%s of %d in service: VMs of one that fails can run nowhere else", text.Plural(service, "host"), len(e.Hosts))
	default:
		e.ok("%d of %s in service", service, text.Plural(len(e.Hosts), "host"))
	}
}

// serving is how to have more hosts in service: one in quarantine is never enabled by hand, its old guests may still run.
func serving(disabled, quarantined []int) string {
	fix := "onehost list"
	if len(disabled) > 0 {
		fix += fmt.Sprintf("; onehost enable %d", disabled[0])
	}
	if len(quarantined) > 0 {
		fix += fmt.Sprintf("; oneft release %d, once none of its old guests runs", quarantined[0])
	}
	return fix
}

func (h Host) name() string { return fmt.Sprintf("host %d (%s)", h.ID, h.Name) }

func (e *evaluation) host(h Host) {
	open := slices.ContainsFunc(e.Incidents.Open, func(i Incident) bool { return i.Kind == "host" && i.ID == h.ID })
	active, left, show := e.VMs.Active[h.ID], isNone(h.Template["FT_ACTION"]), fmt.Sprintf("onehost show %d", h.ID)
	q, quarantined := hostmark.QuarantineOf(h.Host)
	zombies := strings.Join(recovery.Zombies(h.Host), ", ")
	virsh := "on " + h.Name + ": virsh list, and virsh destroy one-ID for those that run elsewhere"
	twice, bad := e.twice(h), Warning
	if twice != "" {
		bad = Problem
	}
	if api := h.API(); api != "" {
		e.api(h, api)
		return
	}
	switch {
	case h.State.Back() || h.State.Starting():
	case h.State.Failed() && !open && active > 0 && !left:
		e.failed(h, active)
	case h.State.Failed():
		e.about(h.ID, Warning, show, "%s is in ERROR", h.name())
	case quarantined:
		keeps, back := "; oneft resume gives it back when it is monitored again and none of its old guests runs", fmt.Sprintf("oneft release %d", h.ID)
		if zombies != "" {
			keeps, back = "; old guests still run on it: ZOMBIES "+zombies+twice, virsh+"; then "+back
		} else if e.Version.Before(5, 0) {
			keeps = "; OpenNebula " + e.Version.String() + " does not monitor it: make sure that none of its old guests runs before you give it back"
			back += " --force"
		} else if e.Dialect.HidesOldGuests {
			keeps = "; OpenNebula " + e.Version.String() + " does not tell whether old guests run on it: make sure that none does before you give it back"
			back += " --force"
		}
		e.about(h.ID, bad, back, "%s is in quarantine since %s, because its VMs were started elsewhere (incident %d of %s)%s",
			h.name(), q.At.Format(time.DateTime)+text.Ahead(q.At, e.Now), q.Incident, q.FrontEnd, keeps)
	case h.State.SetByAdmin() && active > 0:
		e.about(h.ID, Warning, fmt.Sprintf("onehost enable %d", h.ID), "%s is %s with %s on it: it never becomes ERROR, so they are not recovered", h.name(), h.State, text.Plural(active, "VM"))
	}
	if ids := e.VMs.Cleaning[h.ID]; len(ids) > 0 && !open && !h.State.Back() {
		e.about(h.ID, Problem, fmt.Sprintf("host_error %d -r", h.ID), "oned cleans up on %s, which is %s: VM %s in CLEANUP_RESUBMIT may stay so forever", h.name(), h.State, listed(ids))
	}
	// Nothing ends such guests, and one that oned started elsewhere writes to the same disks (seen live on 6.10).
	if zombies != "" && !quarantined {
		if twice == "" {
			twice = ": those that it has on another host run twice"
		}
		e.about(h.ID, bad, show+"; then "+virsh, "guests run on %s that oned does not have there (ZOMBIES %s)%s", h.name(), zombies, twice)
	}
	if word, unknown := recovery.UnknownAction(h.Template); unknown {
		e.about(h.ID, Warning, fmt.Sprintf("onehost update %d: correct FT_ACTION or take it out", h.ID),
			"%s has FT_ACTION = %s, which is not recreate, delete, migrate or none: it is ignored", h.name(), word)
	}
	if left {
		e.about(h.ID, Warning, fmt.Sprintf("onehost update %d: take FT_ACTION out", h.ID), "%s has FT_ACTION = none: its VMs are left alone", h.name())
	}
}

// twice names the VMs that run as old guests of a host and also where oned has them; "" for none.
func (e *evaluation) twice(h Host) string {
	var ids []int
	for _, word := range recovery.Zombies(h.Host) {
		id, err := strconv.Atoi(strings.TrimPrefix(word, "one-"))
		if on, runs := e.VMs.Running[id]; err == nil && runs && on != h.ID {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf(": VM %s run TWICE, there and where oned has them", listed(ids))
}

// api is about a host that is no machine.
func (e *evaluation) api(h Host, api string) {
	const what = "%s stands for a service (%s), not for a machine: it is not fenced, and when it is in ERROR the service cannot be reached, so its VMs are left alone"
	if h.State.Failed() {
		e.about(h.ID, Warning, fmt.Sprintf("onehost show %d: ERROR says why; then make the service reachable from this front-end", h.ID), "%s is in ERROR; "+what, h.name(), h.name(), api)
		return
	}
	e.about(h.ID, OK, "", what, h.name(), api)
}

// resume is how to have done what oneft resume does: in a pause it does nothing.
func (e *evaluation) resume() string {
	if e.Pause.Active(e.Now) {
		return "oneft unpause; oneft resume handles it then"
	}
	return "oneft resume"
}

// failed is about a host in ERROR with VMs on it that no process works on: what oneft resume does about it, or what is left to
// an operator.
func (e *evaluation) failed(h Host, active int) {
	swept := recovery.SweepHost(h.Host, e.Incidents.Past[h.ID], e.Now)
	past, contact := swept.Past, time.Unix(h.LastContact, 0)
	is := fmt.Sprintf("%s is in ERROR with %s on it", h.name(), text.Plural(active, "VM"))
	ended := fmt.Sprintf("%s; incident %d (%s): %s", is, past.Number, past.Status, past.Summary)
	show := fmt.Sprintf("oneft incidents show %d", past.Number)
	again := fmt.Sprintf("%s; then oneft resume %d", show, past.Number)
	switch {
	case swept.Verdict == recovery.SweepAlive:
		e.about(h.ID, Warning, fmt.Sprintf("onehost show %d", h.ID), "%s lives, although oned still calls it ERROR: it was monitored at %s; its VMs are left alone, and oned calls it MONITORED again within 10 minutes",
			h.name(), contact.Format(time.TimeOnly)+text.Ahead(contact, e.Now))
	case past.Number == 0:
		e.about(h.ID, Problem, e.resume(), "%s, and no incident is open", is)
	case swept.Verdict == recovery.SweepHandled:
		e.about(h.ID, Problem, show, "%s", ended)
	case past.Reason.Is(wording.Paused):
		e.about(h.ID, Problem, e.resume(), "%s; incident %d was refused because one-ft was paused", is, past.Number)
	case swept.Verdict == recovery.SweepAgain:
		e.about(h.ID, Problem, e.resume(), "%s", ended)
	case past.Reason.Is(wording.FencingFailed, wording.FencingUnconfirmed, wording.FencingManual, wording.FencingRequired, wording.MonitoringBroken):
		e.about(h.ID, Problem, again+", with --confirm-off once somebody has verified that it is off", "%s", ended)
	default:
		e.about(h.ID, Problem, again, "%s", ended)
	}
}

// maxSkew is how far two clocks may be apart before it is reported: minutes matter for budgets, which
// last an hour, and seconds do not.
const maxSkew = time.Minute

func (e *evaluation) clock() {
	c := e.Clock
	ntp := "timedatectl set-ntp true, here and on the front-end"
	behind := c.Newest.Sub(e.Now)
	interval := time.Duration(e.Settings.Interval().Number) * time.Second
	switch {
	case c.Newest.IsZero():
		e.skip("clock: oned told no time to compare it with")
	case behind > maxSkew:
		e.problem(ntp, "the clock of this machine is behind that of oned by %s or more: %s at %s", behind.Round(time.Second), c.Of, c.Newest.UTC().Format(time.RFC3339))
	// One interval may be missed, and monitoring itself takes time.
	case !c.Monitored.IsZero() && interval > 0 && e.ConfigErr == nil && e.Now.Sub(c.Monitored) > 2*interval+maxSkew:
		e.warn("onehost list; "+ntp, "the last time that a host was monitored is %s ago, with an interval of %s: monitoring stands still, or the clock of this machine is ahead of that of oned",
			e.Now.Sub(c.Monitored).Round(time.Second), interval)
	default:
		e.ok("oned told no time that is in the future")
	}
}
