package check

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/fencing"
	"one-ft/pkg/one"
	"one-ft/pkg/recovery"
	"one-ft/pkg/text"
)

// Host is a host with what it would be fenced with.
type Host struct {
	one.Host
	// Err is why it cannot be fenced as configured: fence.ErrNotConfigured, or what is wrong.
	Err     error
	Levels  [][]Device // the ways to fence it, each with its devices
	Asked   bool       // agents reported their status
	Promise fence.Promise
	// Promised: the host has published what it promises; PromiseErr says what is wrong with that.
	Promised   bool
	PromiseErr error
	// Isolated is the version of host_isolated that it runs; "" when it does not tell.
	Isolated string
}

// Device is one device of a level.
type Device struct {
	Kind  fence.Kind
	Label string // such as "fence_ipmilan on 10.0.0.11"
	// Key tells devices apart: the same key on two hosts is the same outlet. "" compares with none.
	Key   string
	Power fence.Power
	Err   error       // why it would not prove the host off: a *fence.Problem, or what an agent says
	Lease fence.Lease // with its defaults
	// Took is how long its agent needed for a status, Off what an off takes then at least, and Limit what it may take.
	Took, Off, Limit time.Duration
	AdvisesCipher    bool     // naming a cipher may make it faster
	AdvisesSystem    bool     // it switches another machine, if its BMC has several systems
	Ignored          []string // parameters that its agent does not know, and goes on without
	// Trial says whether a command has proven a host off, the last time at Proven.
	Trial  fencing.Trial
	Proven time.Time
	// FromTemplate: the lease is an attribute of the host.
	FromTemplate bool
}

// maxAgents is how many fence agents run at the same time: an agent is a Python program of
// some 30 MB, and the front-end has other work. A choice.
const maxAgents = 16

func (c *collector) hosts(ctx context.Context, pool []one.Host) []Host {
	all := make([]Host, len(pool))
	slots := make(chan struct{}, maxAgents)
	known := knownParameters(ctx)
	var wg sync.WaitGroup
	failed := 0
	for i, h := range pool {
		if h.State.Failed() && len(h.VMs) > 0 && failed < maxJudged { // the pool does not tell when it was monitored
			failed++
			if whole, err := c.Client.Host(ctx, h.ID); err == nil {
				h.LastContact = whole.LastContact
			}
		}
		all[i] = Host{Host: h, Isolated: text.Printable(h.Template["FT_ISOLATED_VERSION"])}
		all[i].Promise, all[i].Promised, all[i].PromiseErr = fence.TemplatePromise(h.Template)
		if c.Settings == nil || h.State == one.HostOffline || h.API() != "" {
			continue
		}
		s, err := c.Settings(h)
		s.Slots = slots
		if all[i].Err = err; err != nil {
			continue
		}
		problems, _ := fence.Ready(ctx, fencing.HostOf(h), s, c.account)
		all[i].levels(s.Levels, problems)
		c.trials(&all[i], s.Levels)
		if !c.NoFencing {
			wg.Go(func() {
				all[i].ask(ctx, s)
				all[i].ignored(s, known)
			})
		}
	}
	wg.Wait()
	return all
}

// levels sets the levels before any agent was asked, with what the front-end sees of them. That an admin has to
// confirm is no error of a device, and leases are checked by what hosts publish.
func (h *Host) levels(levels []fence.Level, problems []*fence.Problem) {
	for _, level := range levels {
		var devices []Device
		for _, d := range level.Devices {
			device := Device{Kind: d.Kind, Label: d.String(), Power: fence.PowerUnknown, Key: keyOf(d), AdvisesCipher: d.AdvisesCipher(), AdvisesSystem: d.AdvisesSystem()}
			if d.Kind == fence.KindLease {
				device.Lease = d.Lease.WithDefaults()
				own, found, err := fence.TemplateLease(h.Template)
				device.FromTemplate = found && err == nil && own == device.Lease
			}
			devices = append(devices, device)
		}
		h.Levels = append(h.Levels, devices)
	}
	for _, p := range problems {
		if d := &h.Levels[p.Level-1][p.Place-1]; d.Kind == fence.KindAgent || d.Kind == fence.KindCommand {
			d.Err = p
		}
	}
}

// trials finds out which commands of a host have proven one off before.
func (c *collector) trials(h *Host, levels []fence.Level) {
	for i, level := range levels {
		for j, d := range level.Devices {
			if d.Kind == fence.KindCommand {
				h.Levels[i][j].Trial, h.Levels[i][j].Proven = fencing.TrialOf(c.State, d.Command[0])
			}
		}
	}
}

// keyOf tells the outlet of an agent from others without showing a parameter: all
// parameters together, some of which are secret.
func keyOf(d fence.Device) string {
	named := slices.ContainsFunc([]string{"ip", "ipaddr", "plug", "port"}, func(p string) bool { return d.Params[p] != "" })
	if d.Kind != fence.KindAgent || !named {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q%q", d.Agent, d.Params))) // fmt sorts maps
}

func (h *Host) ask(ctx context.Context, s fence.Settings) {
	list, err := fence.Status(ctx, fencing.HostOf(h.Host), s)
	if err != nil {
		h.Err = err
		return
	}
	h.Asked = true
	for _, level := range h.Levels {
		for j := range level {
			if d := &level[j]; len(list) > 0 && d.Kind == fence.KindAgent && d.Err == nil {
				d.Label, d.Power, d.Err = list[0].Device, list[0].Power, list[0].Err
				d.Took, d.Off, d.Limit = list[0].Took, list[0].Off, s.WithDefaults().Timeout
			}
			list = list[min(1, len(list)):]
		}
	}
}

// ignored finds the parameters that agents go on without.
func (h *Host) ignored(s fence.Settings, known func(fence.Settings, string) []string) {
	for i, level := range s.Levels {
		for j, d := range level.Devices {
			if d.Kind == fence.KindAgent {
				h.Levels[i][j].Ignored = d.Ignored(known(s, d.Agent))
			}
		}
	}
}

// knownParameters gives the parameters of agents, each of which is asked once.
func knownParameters(ctx context.Context) func(fence.Settings, string) []string {
	var mu sync.Mutex
	asked := map[string]func() []string{}
	return func(s fence.Settings, agent string) []string {
		mu.Lock()
		ask := asked[agent]
		if ask == nil {
			ask = sync.OnceValue(func() []string { return fence.Parameters(ctx, s, agent) })
			asked[agent] = ask
		}
		mu.Unlock()
		return ask()
	}
}

// hostFinding is a finding about one host. Those with the same severity and reason become one
// Finding, so that a hundred hosts do not fill a hundred lines.
type hostFinding struct {
	severity Severity
	host     Host
	reason   string
	fix      string
}

// maxApart is how many hosts with the same trouble are named one by one.
const maxApart = 3

func (e *evaluation) group(all []hostFinding) {
	var groups [][]hostFinding
	for _, f := range all {
		i := slices.IndexFunc(groups, func(g []hostFinding) bool { return g[0].severity == f.severity && g[0].reason == f.reason })
		if i < 0 {
			groups, i = append(groups, nil), len(groups)
		}
		groups[i] = append(groups[i], f)
	}
	for _, g := range groups {
		var ids []int
		for _, f := range g {
			if ids = append(ids, f.host.ID); len(g) <= maxApart {
				e.grouped(f.severity, []int{f.host.ID}, f.fix, "%s: %s", f.host.name(), f.reason)
			}
		}
		if first := g[0]; len(g) > maxApart {
			if first.fix != "" {
				first.fix += "; and the same for each of them"
			}
			e.grouped(first.severity, ids, first.fix, "hosts %s: %s", listed(ids), first.reason)
		}
	}
}

// grouped adds a finding about hosts; a problem keeps them from being recovered.
func (e *evaluation) grouped(s Severity, ids []int, fix, format string, args ...any) {
	f := Finding{Severity: s, Fix: fix, What: fmt.Sprintf(format, args...), Hosts: ids}
	if s == Problem {
		f.Stops = StopsHosts
	}
	e.add(f)
}

func (e *evaluation) fencing() {
	if e.fencingMode() == config.FencingOff {
		e.warn("take -u, --fencing off and fencing: off out of the hook and the configuration", "fencing is off: a host that only lost its network keeps its VMs, and they run twice")
		return
	}
	var all []hostFinding
	asked := false
	for _, h := range e.Hosts {
		if h.State == one.HostOffline || h.API() != "" {
			continue
		}
		found, fenced := e.fencingOf(h)
		all = append(all, found...)
		e.report.Hosts = append(e.report.Hosts, fenced)
		asked = asked || h.Asked
	}
	e.group(all)
	e.sameOutlet()
	e.sameMachine()
	e.report.FencingNotAsked = e.NoFencing
	bad := slices.ContainsFunc(e.report.Hosts, func(h HostFencing) bool { return !h.OK })
	hosts := text.Plural(len(e.report.Hosts), "host")
	switch {
	case bad || len(e.report.Hosts) == 0:
	case e.NoFencing:
		e.ok("fencing of %s is complete on this machine; the devices were not asked", hosts)
	default:
		e.ok("%s can be proven off", hosts)
	}
	if !asked && slices.ContainsFunc(e.Hosts, func(h Host) bool { return len(h.Levels) > 0 }) {
		e.skip("whether fence agents work: they were not asked")
	}
}

func (e *evaluation) fencingOf(h Host) (found []hostFinding, out HostFencing) {
	out = HostFencing{ID: h.ID, Name: h.Name}
	say := func(s Severity, fix, reason string) {
		found = append(found, hostFinding{s, h, reason, fix})
	}
	switch {
	case errors.Is(h.Err, fence.ErrNotConfigured):
		out.Fencing, out.WouldBe = "not configured", WouldBeUnproven
		reason := "no fencing is configured: VMs would be started elsewhere although they may still run there"
		if e.fencingMode() == config.FencingRequired {
			reason, out.WouldBe = "no fencing is configured, and it is required: VMs would not be recovered", WouldBeRefused
		}
		say(Problem, addFence(h), reason)
		return found, out
	case h.Err != nil:
		out.Fencing, out.WouldBe = text.Printable(h.Err.Error()), WouldBeRefused
		say(Problem, fmt.Sprintf("onehost update %d, or correct fence in %s", h.ID, e.configName()), h.Err.Error())
		return found, out
	}
	var broken, others, untried []string // others without leases, which have a topic of their own
	manual := false
	for i, level := range h.Levels {
		ok, says := h.level(level)
		says = fmt.Sprintf("level %d: %s", i+1, says)
		for _, d := range level {
			if fix, why := h.slow(d); why != "" {
				say(Warning, fix, fmt.Sprintf("level %d: %s", i+1, why))
			}
			if d.AdvisesSystem {
				fix := appendTo(h.ID, `FENCE_SYSTEMS_URI = "/redfish/v1/Systems/..."`) + ", as the BMC lists it"
				say(Warning, fix, fmt.Sprintf("level %d: %s has no systems_uri: of a BMC with several systems it switches the last one", i+1, d.agent()))
			}
			if len(d.Ignored) > 0 {
				fix := fmt.Sprintf("correct or delete it; %s -o metadata lists what there is", d.agent())
				say(Warning, fix, fmt.Sprintf("level %d: %s ignores %s: it has no such parameter", i+1, d.agent(), strings.Join(d.Ignored, ", ")))
			}
		}
		switch {
		case slices.ContainsFunc(level, func(d Device) bool { return d.Kind == fence.KindManual }):
			manual = true
		case !ok:
			broken = append(broken, says)
			if level[0].Kind != fence.KindLease {
				others = append(others, says)
			}
		case slices.ContainsFunc(level, Device.untried):
			untried = append(untried, says)
		case !out.OK:
			out.OK, out.Fencing = true, text.Printable(says)
		}
	}
	if len(untried) > 0 {
		reason := strings.Join(untried, "; ")
		if out.OK {
			reason += "; another level works"
		} else {
			out.Fencing = text.Printable(reason)
		}
		say(Warning, fmt.Sprintf("oneft drill %d --fence-test, when the host is disabled and empty", h.ID), reason)
	}
	fix := fmt.Sprintf("onehost show %d, and correct FENCE_* there or fence in %s", h.ID, e.configName())
	switch {
	case out.OK && len(others) > 0:
		say(Warning, fix, strings.Join(others, "; ")+"; another level works")
	case len(untried) > 0 && len(others) > 0:
		say(Warning, fix, strings.Join(others, "; "))
	case out.OK || len(untried) > 0:
	case len(broken) > 0:
		out.Fencing, out.WouldBe = text.Printable(strings.Join(broken, "; ")), WouldBeRefused
		if len(others) > 0 {
			say(Problem, fix, strings.Join(others, "; "))
		}
	case manual:
		out.Fencing, out.WouldBe = "an admin has to confirm", WouldBeRefused
		say(Warning, addFence(h), "only an admin can confirm that it is off (oneft resume INCIDENT --confirm-off): its VMs are not recovered automatically")
	}
	return found, out
}

// agent is the name of the agent of a device.
func (d Device) agent() string {
	agent, _, _ := strings.Cut(d.Label, " ")
	return agent
}

// untried reports whether a command of a site has never shown that it works, as it is now.
func (d Device) untried() bool { return d.Kind == fence.KindCommand && d.Trial != fencing.TrialWorked }

// slowStatus is a status that is worth a look: BMCs answer within 0.3 s, and power strips within 2 s. A choice.
const slowStatus = 5 * time.Second

// slow says what is too slow about a device, and what helps; "" for nothing.
func (h Host) slow(d Device) (fix, why string) {
	switch {
	case d.Err != nil || d.Took == 0 || d.Took <= slowStatus && d.Off <= d.Limit:
		return "", ""
	case d.AdvisesCipher:
		fix = appendTo(h.ID, `FENCE_CIPHER = "3"`) + `, or "17": ipmitool does not ask the BMC then which ciphers it knows`
	default:
		fix = "find out why the device is slow, or raise timeout beside its levels in one-ft.yaml"
	}
	why = fmt.Sprintf("%s took %.1f s for its status, so an off takes at least %.0f s", d.Label, d.Took.Seconds(), d.Off.Seconds())
	if d.Off > d.Limit {
		why += fmt.Sprintf(", and is ended after %.0f s", d.Limit.Seconds())
	}
	return fix, why
}

// level reports whether a level would prove a host off, as far as can be seen, and what its devices say.
func (h Host) level(devices []Device) (ok bool, says string) {
	ok = true
	var words []string
	for _, d := range devices {
		word := d.Label
		switch {
		case d.Kind == fence.KindLease:
			if err := h.lease(d); err != nil {
				ok, word = false, d.Label+": "+err.Error()
			}
		case d.Err != nil:
			ok, word = false, fmt.Sprintf("%s: %v", d.Label, d.Err)
		case d.Kind == fence.KindAgent && d.Power == fence.PowerOff && h.State.Back():
			ok, word = false, d.Label+" says off, although oned has just monitored the host: it is not the outlet of this host"
		case d.untried() && d.Trial == fencing.TrialChanged:
			word = fmt.Sprintf("%s has changed since it proved a host off (%s); an upgrade of OpenNebula may have replaced it", d.Label, d.Proven.Format(time.DateOnly))
		case d.untried():
			word = d.Label + " has not proven any host off yet, so nobody knows whether it works"
		case d.Kind == fence.KindCommand:
			word = fmt.Sprintf("%s (proved a host off, %s)", d.Label, d.Proven.Format(time.DateOnly))
		case d.Kind == fence.KindAgent && h.Asked:
			word = fmt.Sprintf("%s says %s", d.Label, d.Power)
		default:
			word = d.Label + " (not asked)"
		}
		words = append(words, word)
	}
	return ok, strings.Join(words, ", ")
}

// sameOutlet finds outlets that two hosts have in common: fencing one powers the other off.
func (e *evaluation) sameOutlet() {
	users, labels := map[string][]int{}, map[string]string{} // by the keys of devices
	var keys []string
	for _, h := range e.Hosts {
		for _, d := range slices.Concat(h.Levels...) {
			if d.Key == "" || slices.Contains(users[d.Key], h.ID) {
				continue
			}
			if users[d.Key] == nil {
				keys, labels[d.Key] = append(keys, d.Key), d.Label
			}
			users[d.Key] = append(users[d.Key], h.ID)
		}
	}
	for _, key := range keys {
		ids := users[key]
		if len(ids) < 2 {
			continue
		}
		for i := range e.report.Hosts {
			if h := &e.report.Hosts[i]; slices.Contains(ids, h.ID) {
				h.OK, h.Fencing = false, "another host has the same outlet"
			}
		}
		e.grouped(Problem, ids, fmt.Sprintf("onehost update %d, and correct FENCE_IP or FENCE_PLUG there", ids[len(ids)-1]),
			"hosts %s have the same outlet, %s: fencing one powers the others off", listed(ids), labels[key])
	}
}

// sameMachine finds hosts that only a lease would prove off, and that are one machine with another host: it keeps its guests
// while oned monitors either of them.
func (e *evaluation) sameMachine() {
	var all []one.Host
	for _, h := range e.Hosts {
		all = append(all, h.Host)
	}
	for i := range e.report.Hosts {
		out := &e.report.Hosts[i]
		at := slices.IndexFunc(e.Hosts, func(h Host) bool { return h.ID == out.ID })
		twins := recovery.Twins(all[at], all)
		if len(twins) == 0 || !e.Hosts[at].onlyLeased() {
			continue
		}
		out.OK, out.Fencing = false, "another host is the same machine"
		e.grouped(Problem, []int{out.ID}, fmt.Sprintf("fence it by its power (FENCE_AGENT), or onehost delete %d", twins[0].ID),
			"%s and host %d (%s) are the same machine: no lease proves that it does not run its VMs, because it keeps them while oned monitors either of both", e.Hosts[at].name(), twins[0].ID, twins[0].Name)
	}
}

// onlyLeased reports whether only a lease would prove the host off.
func (h Host) onlyLeased() bool {
	leased := false
	for _, level := range h.Levels {
		ok, _ := h.level(level)
		switch kind := level[0].Kind; {
		case ok && kind != fence.KindLease && kind != fence.KindManual:
			return false
		case ok && kind == fence.KindLease:
			leased = true
		}
	}
	return leased
}

// appendTo is a line for a shell that adds attributes to the template of a host, and keeps what else is in it.
func appendTo(host int, attributes ...string) string {
	words := make([]string, len(attributes))
	for i, a := range attributes {
		words[i] = text.ShellWord(a)
	}
	return fmt.Sprintf(`printf '%%s\n' %s | onehost update %d --append /dev/stdin`, strings.Join(words, " "), host)
}

// addFence is how a host gets a fence: the lease that it promises, else its BMC.
func addFence(h Host) string {
	if h.Promised && h.PromiseErr == nil {
		return appendTo(h.ID, leaseLines(h.Promise)...)
	}
	return addBMC(h.ID) + " (without a BMC: a lease, see HA without BMCs in pkg/fence/README.md)"
}

func addBMC(host int) string {
	return appendTo(host, `FENCE_AGENT = "fence_ipmilan"`, `FENCE_IP = "ADDRESS"`, `FENCE_USER = "USER"`, `FENCE_PASSWORD_FILE = "FILE"`)
}
