package check

import (
	"path/filepath"
	"strings"
	"time"

	"one-ft/pkg/failfast"
	"one-ft/pkg/text"
	"one-ft/pkg/watch"
)

// Watch is what is known of hosts that oned does not call failed.
type Watch struct {
	// Enabled: the service that runs oneft watch is.
	Enabled bool
	// State is what oneft watch last wrote down; the zero State where it never ran.
	State watch.State
	// Hanging are restarts of the monitoring of hosts that hang.
	Hanging []failfast.Process
}

// watch reads what oneft watch sees, and looks at the processes of the monitoring driver.
func (c *collector) watch() (w Watch) {
	w.State = watch.Read(string(c.State))
	found, _ := filepath.Glob(filepath.Join(c.Root, "/etc/systemd/system/*.wants/one-ft-watch.service"))
	w.Enabled = len(found) > 0
	if !c.facts.FrontEnd.Local || c.Machine == nil {
		return w
	}
	if client, err := failfast.NewClient(c.Machine, string(c.State)); err == nil { // else ssh says so
		w.Hanging, _ = client.Hanging(c.facts.Now)
	}
	return w
}

const watchService = "systemctl enable --now one-ft-watch"

// watch is about hosts that are silent, and that oned calls MONITORED.
func (e *evaluation) watch() {
	w := e.Watch
	fresh := e.Now.Sub(w.State.At).Abs() <= watch.Fresh // of one that is far in the future nobody knows
	switch {
	case e.Closed != nil:
		e.skip("what oneft watch sees: %v", e.Closed)
	case !fresh && w.Enabled:
		e.warn("systemctl status one-ft-watch", "oneft watch is enabled and does not run: nobody looks for hosts that are silent while oned calls them MONITORED")
	case !fresh && e.Values.WatchAct > 0:
		e.warn(watchService, "watch.act is set, and oneft watch does not run: a host that is silent while oned calls it MONITORED is not recovered")
	case fresh:
		e.silent(w.State.Outages)
	default:
		e.warn(watchService, "oneft watch is not enabled, so a host that is frozen is not noticed: oned never calls it failed")
	}
	if n := len(w.Hanging); n > 0 {
		e.warn("kill "+strings.Join(failfast.PIDs(w.Hanging), " "),
			"%d restarts of the monitoring hang on hosts that take connections and say nothing: each keeps one of the 15 threads of the monitoring driver, and when all are taken no host becomes ERROR any more", n)
	}
}

// silent names the hosts about which oneft watch has notified people.
func (e *evaluation) silent(outages []watch.Outage) {
	n := 0
	for _, o := range outages {
		if !o.Told {
			continue
		}
		n++
		what := "is frozen: its kernel takes connections, and nothing else on it answers"
		fix := "power it off: oned then calls it failed, and its VMs are recovered"
		switch {
		case o.Heard:
			what, fix = "does not answer this front-end, but oned monitors it: the drivers do not reach it", "look at its sshd, its firewall and the network in between"
		case !o.Frozen:
			what = "does not answer this front-end"
		}
		e.about(o.Host, Problem, fix, "host %d (%s) %s, since %s, and oned calls it MONITORED: it goes on getting VMs", o.Host, o.Name, what, o.Since.Format(time.DateTime)+text.Ahead(o.Since, e.Now))
	}
	if n == 0 {
		e.ok("oneft watch runs, and no host is silent")
	}
}
