package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/downtime"
	"one-ft/pkg/failfast"
	"one-ft/pkg/one"
)

// installSSH is the command that writes the block, and ConnectTimeout where nothing else sets it.
const installSSH = "oneft hooks install --ssh"

// ssh judges whether a dead host costs oned seconds or minutes for each command.
func (j *judge) ssh() {
	s := j.SSH
	if !s.Looked {
		if s.NotLooked != nil { // else oned runs on another machine, which is said
			j.skipped("ssh of the drivers: %v", s.NotLooked)
		}
		return
	}
	j.failFast()
	j.timeouts()
	j.marks()
	for _, m := range s.Stale {
		j.add(Finding{Severity: Warning, Topic: TopicSSH, Hosts: []int{m.Host}, Fix: fmt.Sprintf("sudo -u %s ssh -O exit %s, or kill %d", s.User, m.Name, m.PID),
			What: fmt.Sprintf("host %d (%s) is in ERROR, and a persistent ssh connection to it is left (process %d): each command of the drivers waits for it, %s", m.Host, m.Name, m.PID, staleMaster)})
	}
}

// failFast judges the block.
func (j *judge) failFast() {
	f := j.SSH.Force
	without := j.costs()
	switch f.State {
	case failfast.InForce:
		j.say(OK, TopicSSH, "", "ssh of %s to a host that is proven off fails at once", j.SSH.User)
	case failfast.NotInstalled:
		j.say(Warning, TopicSSH, installSSH, "ssh of %s does not fail at once when a host is proven off: %s", j.SSH.User, without)
	case failfast.AlwaysFails:
		j.stop(TopicSSH, installSSH, "ssh of %s fails for every host, as if all were proven off: the lines of one-ft in its ssh configuration were changed", j.SSH.User)
	case failfast.NoSSH:
		j.stop(TopicSSH, "install openssh-client", "there is no ssh client on this front-end: the drivers of oned reach no host")
	default:
		fix := installSSH
		var refused *failfast.RefusedError
		if errors.As(f.Err, &refused) {
			fix = fmt.Sprintf("sudo -u %s ssh -G one-ft-check.invalid", j.SSH.User)
		}
		j.say(Warning, TopicSSH, fix, "whether ssh of %s fails at once when a host is proven off is not known: %v; if not, %s", j.SSH.User, f.Err, without)
	}
}

// costs says what the host with the most VMs would cost without fail fast.
func (j *judge) costs() string {
	host, most := -1, 1
	for _, h := range j.Facts.Hosts {
		if n := j.VMs.Active[h.ID]; n > most {
			host, most = h.ID, n
		}
	}
	what := fmt.Sprintf("a dead host costs oned %d commands for each VM, %s of a host at a time", downtime.Commands(1), counted(j.Facts.Settings.CleanupThreads(""), "VM"))
	if host >= 0 {
		what += fmt.Sprintf(": host %d with %d VMs", host, most)
	}
	return fmt.Sprintf("%s: %s when it is on the same network, %s when it is routed", what, j.cleanupOf(most, downtime.Silent), j.cleanupOf(most, downtime.Dropped))
}

// timeouts wants a ConnectTimeout of at most failfast.Timeout for all hosts.
func (j *judge) timeouts() {
	var none, long, silent []int
	var longest time.Duration
	var first error
	for _, t := range j.SSH.Timeouts {
		switch {
		case t.Err != nil:
			silent, first = append(silent, t.Host), errors.Join(first, t.Err)
		case t.Timeout == 0:
			none = append(none, t.Host)
		case t.Timeout > failfast.Timeout:
			long, longest = append(long, t.Host), max(longest, t.Timeout)
		}
	}
	for _, group := range []struct {
		what  string
		hosts []int
		most  time.Duration
	}{{"without ConnectTimeout", none, 0}, {fmt.Sprintf("with a ConnectTimeout of more than %s", failfast.Timeout), long, longest}} {
		if len(group.hosts) == 0 {
			continue
		}
		fix := fmt.Sprintf("in ~%s/.ssh/config: ConnectTimeout %d", j.SSH.User, int(failfast.Timeout.Seconds()))
		if len(none) == len(j.SSH.Timeouts) {
			fix = installSSH
		}
		j.add(Finding{Severity: Warning, Topic: TopicSSH, Hosts: group.hosts, Fix: fix,
			What: fmt.Sprintf("ssh connects to %s %s (%s): %s", counted(len(group.hosts), "host"), group.what, listed(group.hosts), j.late(group.most))})
	}
	switch {
	case len(silent) > 0:
		j.skipped("ConnectTimeout of %s (%s): %s", counted(len(silent), "host"), listed(silent), strings.SplitN(first.Error(), "\n", 2)[0])
	case len(none)+len(long) == 0 && len(j.SSH.Timeouts) > 0:
		j.say(OK, TopicSSH, "", "ssh gives up on a host that does not answer after %s at the latest", failfast.Timeout)
	}
}

// late says what it costs that ssh waits so long for a host; 0 is for as long as the kernel does.
func (j *judge) late(timeout time.Duration) string {
	hangs := ""
	if timeout == 0 {
		hangs = ", and one that hangs perhaps never"
	}
	if len(j.Facts.Settings.Values) == 0 {
		return "one whose packets are dropped is ERROR later" + hangs
	}
	after := func(timeout time.Duration) downtime.Span {
		return downtime.Detection(j.Facts.Settings, downtime.Dropped, downtime.SSH{ConnectTimeout: timeout})
	}
	return fmt.Sprintf("one whose packets are dropped is ERROR after %s instead of %s%s", after(timeout), after(failfast.Timeout), hangs)
}

// marks names those that were left, and hosts that live and have one.
func (j *judge) marks() {
	if j.SSH.MarksErr != nil {
		j.skipped("marks of hosts that are off: %v", j.SSH.MarksErr)
	}
	left := map[failfast.MarkState][]string{}
	for _, m := range j.SSH.Marks {
		if m.Leftover() {
			left[m.State] = append(left[m.State], one.Printable(m.Name))
			continue
		}
		for _, h := range j.Facts.Hosts {
			held := slices.ContainsFunc(m.Holds, func(hold failfast.Hold) bool { return hold.Host == h.ID })
			if held && h.State.Back() {
				j.add(Finding{Severity: Warning, Topic: TopicSSH, Hosts: []int{h.ID}, Fix: "oneft incidents",
					What: fmt.Sprintf("host %d (%s) is %s, but ssh to it fails until %s: it is marked as off (%s)", h.ID, h.Name, h.State, m.Until.In(j.Now.Location()).Format(time.TimeOnly), m.Name)})
			} else if held {
				j.add(Finding{Severity: OK, Topic: TopicSSH, Hosts: []int{h.ID},
					What: fmt.Sprintf("ssh to host %d (%s) fails at once until %s, and longer while a process works on it: it is proven off", h.ID, h.Name, m.Until.In(j.Now.Location()).Format(time.TimeOnly))})
			}
		}
	}
	why := map[failfast.MarkState]string{
		failfast.MarkExpired:    "have expired and do nothing any more",
		failfast.MarkUnreadable: "are not what one-ft writes",
		failfast.MarkTooLong:    "keep ssh from hosts for too long: the clock was set back, or somebody made them",
	}
	for _, state := range []failfast.MarkState{failfast.MarkTooLong, failfast.MarkUnreadable, failfast.MarkExpired} {
		names := left[state]
		if len(names) == 0 {
			continue
		}
		shown := strings.Join(names[:min(len(names), maxListed)], ", ")
		j.add(Finding{Severity: Warning, Topic: TopicSSH, Fix: "oneft resume", What: fmt.Sprintf("%s of hosts that were off were left, and %s: %s", counted(len(names), "mark"), why[state], shown)})
	}
}
