package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

// SSH is what is known of the ssh client of the user that the drivers run as.
type SSH struct {
	// Known: oned runs on this machine, and everything below was collected. Err says why not.
	Known bool
	Err   error
	User  string
	Force failfast.Force
	// Timeouts are those of the hosts in service and in ERROR; by host ID.
	Timeouts []HostTimeout
	Marks    []failfast.Mark // all that there are, leftovers and others
	MarksErr error
	// Stale are persistent masters to hosts in ERROR.
	Stale []StaleMaster
}

// HostTimeout is the ConnectTimeout for one host.
type HostTimeout struct {
	Host int
	// Timeout is 0 for none.
	Timeout time.Duration
	Err     error // ssh does not tell
}

// StaleMaster is a persistent master of ssh to a host in ERROR: each driver command waits for it.
type StaleMaster struct {
	Host int
	Name string
	PID  int
}

// errNoState is a state directory that no hook has made yet.
var errNoState = errors.New("there is no state directory yet: oneft hooks install makes it")

// ssh looks at the ssh client as the drivers of oned use it. It writes a mark for a name that does not
// exist, for milliseconds, and only where there is a state directory.
func (c *collector) ssh(ctx context.Context, hosts []one.Host) (s SSH) {
	if !c.facts.FrontEnd.Local || c.Machine == nil {
		return s
	}
	client, err := failfast.NewClient(c.Machine, string(c.State))
	s.User = client.User.Name
	if errors.Is(err, failfast.ErrNoSSH) {
		s.Known, s.Force.State = true, failfast.NoSSH
		return s
	}
	if info, statErr := os.Stat(string(c.State)); err == nil && (statErr != nil || !info.IsDir()) {
		err = errNoState
	}
	if s.Err = err; err != nil {
		return s
	}
	s.Known = true
	marks := failfast.Open(string(c.State))
	s.Force = client.InForce(ctx, marks)
	s.Marks, s.MarksErr = marks.List()
	var names []string
	var asked []one.Host
	for _, h := range hosts {
		if h.API() == "" && (h.State.Back() || h.State.Starting() || h.State.Failed()) {
			names, asked = append(names, h.Name), append(asked, h)
		}
	}
	for i, a := range client.ResolveAll(ctx, names) {
		h := asked[i]
		s.Timeouts = append(s.Timeouts, HostTimeout{Host: h.ID, Timeout: a.ConnectTimeout, Err: a.Err})
		if !h.State.Failed() || a.ControlPath == "" {
			continue
		}
		masters, err := client.Masters(a.ControlPath)
		if err != nil {
			c.skip("persistent ssh connections to host %d: %v", h.ID, err)
		}
		for _, p := range masters {
			s.Stale = append(s.Stale, StaleMaster{Host: h.ID, Name: h.Name, PID: p.PID})
		}
	}
	return s
}

// installSSH is the command that writes the block, and ConnectTimeout where nothing else sets it.
const installSSH = "oneft hooks install --ssh"

// ssh is about whether a dead host costs oned seconds or minutes for each command.
func (e *evaluation) ssh() {
	s := e.SSH
	if !s.Known {
		if s.Err != nil { // else oned runs on another machine, which is said
			e.skip("ssh of the drivers: %v", s.Err)
		}
		return
	}
	e.failFast()
	e.timeouts()
	e.marks()
	for _, m := range s.Stale {
		e.about(m.Host, Warning, fmt.Sprintf("sudo -u %s ssh -O exit %s, or kill %d", s.User, m.Name, m.PID),
			"host %d (%s) is in ERROR, and a persistent ssh connection to it is left (process %d): each command of the drivers waits for it, %s",
			m.Host, m.Name, m.PID, downtime.ShippedKeepAlive)
	}
}

func (e *evaluation) failFast() {
	f, user := e.SSH.Force, e.SSH.User
	switch f.State {
	case failfast.InForce:
		e.ok("ssh of %s to a host that is proven off fails at once", user)
	case failfast.NotInstalled:
		e.warn(installSSH, "ssh of %s does not fail at once when a host is proven off: %s", user, e.costs())
	case failfast.AlwaysFails:
		e.stop(installSSH, "ssh of %s fails for every host, as if all were proven off: the lines of one-ft in its ssh configuration were changed", user)
	case failfast.NoSSH:
		e.stop("install openssh-client", "there is no ssh client on this front-end: the drivers of oned reach no host")
	default:
		fix := installSSH
		var refused *failfast.RefusedError
		if errors.As(f.Err, &refused) {
			fix = fmt.Sprintf("sudo -u %s ssh -G one-ft-check.invalid", user)
		}
		e.warn(fix, "whether ssh of %s fails at once when a host is proven off is not known: %v; if not, %s", user, f.Err, e.costs())
	}
}

// costs says what the host with the most VMs would cost without fail fast.
func (e *evaluation) costs() string {
	host, most := "", 1
	for _, h := range e.Hosts {
		if n := e.VMs.Active[h.ID]; n > most {
			host, most = fmt.Sprintf(": host %d with %d VMs", h.ID, n), n
		}
	}
	return fmt.Sprintf("a dead host costs oned %d commands for each VM, %s of a host at a time%s: %s when it is on the same network, %s when it is routed",
		downtime.Commands(1), text.Plural(e.Settings.CleanupThreads(""), "VM"), host, e.cleanupOf(most, downtime.Silent), e.cleanupOf(most, downtime.Dropped))
}

// timeouts wants a ConnectTimeout of at most failfast.Timeout for all hosts.
func (e *evaluation) timeouts() {
	var none, long, silent []int
	var longest time.Duration
	var first error
	for _, t := range e.SSH.Timeouts {
		switch {
		case t.Err != nil:
			silent, first = append(silent, t.Host), errors.Join(first, t.Err)
		case t.Timeout == 0:
			none = append(none, t.Host)
		case t.Timeout > failfast.Timeout:
			long, longest = append(long, t.Host), max(longest, t.Timeout)
		}
	}
	fix := fmt.Sprintf("in ~%s/.ssh/config: ConnectTimeout %d", e.SSH.User, int(failfast.Timeout.Seconds()))
	if len(none) == len(e.SSH.Timeouts) {
		fix = installSSH
	}
	e.slow(none, 0, fix, "without ConnectTimeout")
	e.slow(long, longest, fix, fmt.Sprintf("with a ConnectTimeout of more than %s", failfast.Timeout))
	switch {
	case len(silent) > 0:
		e.skip("ConnectTimeout of %s (%s): %s", text.Plural(len(silent), "host"), listed(silent), strings.SplitN(first.Error(), "\n", 2)[0])
	case len(none)+len(long) == 0 && len(e.SSH.Timeouts) > 0:
		e.ok("ssh gives up on a host that does not answer after %s at the latest", failfast.Timeout)
	}
}

// slow is about hosts that ssh waits for so long; 0 is for as long as the kernel does.
func (e *evaluation) slow(hosts []int, timeout time.Duration, fix, what string) {
	if len(hosts) == 0 {
		return
	}
	later := "later"
	if len(e.Settings.Values) > 0 {
		after := func(timeout time.Duration) downtime.Span {
			return downtime.Detection(e.Settings, downtime.Dropped, downtime.SSH{ConnectTimeout: timeout})
		}
		later = fmt.Sprintf("after %s instead of %s", after(timeout), after(failfast.Timeout))
	}
	if timeout == 0 {
		later += ", and one that hangs perhaps never"
	}
	e.add(Finding{Severity: Warning, Hosts: hosts, Fix: fix,
		What: fmt.Sprintf("ssh connects to %s %s (%s): one whose packets are dropped is ERROR %s", text.Plural(len(hosts), "host"), what, listed(hosts), later)})
}

func (e *evaluation) marks() {
	if e.SSH.MarksErr != nil {
		e.skip("marks of hosts that are off: %v", e.SSH.MarksErr)
	}
	left := map[failfast.MarkState][]string{}
	for _, m := range e.SSH.Marks {
		if m.Leftover() {
			left[m.State] = append(left[m.State], m.Name)
			continue
		}
		until := m.Until.In(e.Now.Location()).Format(time.TimeOnly)
		for _, h := range e.Hosts {
			switch held := slices.ContainsFunc(m.Holds, func(hold failfast.Hold) bool { return hold.Host == h.ID }); {
			case held && h.State.Back():
				e.about(h.ID, Warning, "oneft incidents", "%s is %s, but ssh to it fails until %s: it is marked as off (%s)", h.name(), h.State, until, m.Name)
			case held:
				e.about(h.ID, OK, "", "ssh to %s fails at once until %s, and longer while a process works on it: it is proven off", h.name(), until)
			}
		}
	}
	for _, kind := range []struct {
		state failfast.MarkState
		why   string
	}{
		{failfast.MarkTooLong, "keep ssh from hosts for too long: the clock was set back, or somebody made them"},
		{failfast.MarkUnreadable, "are not what one-ft writes"},
		{failfast.MarkExpired, "have expired and do nothing any more"},
	} {
		if names := left[kind.state]; len(names) > 0 {
			e.warn("oneft resume", "%s of hosts that were off were left, and %s: %s", text.Plural(len(names), "mark"), kind.why, strings.Join(names[:min(len(names), maxListed)], ", "))
		}
	}
}
