package config

import (
	"io/fs"
	"math"
	"net/url"
	"time"
)

// LoadIsolation reads the configuration file of host_isolated at path, over the defaults.
// A file that is not there gives DefaultIsolation; a link that leads nowhere is an error.
// Every error is an *Error, and with it the Isolation is the zero one. What the settings
// mean together is for Isolation.Check, once flags were put over them.
func LoadIsolation(path string) (Isolation, error) {
	return optional(path, DefaultIsolation(), LoadIsolationNamed)
}

// LoadIsolationNamed is LoadIsolation for a file that somebody named: it has to be there.
func LoadIsolationNamed(path string) (Isolation, error) {
	return loadAs(path, parseIsolation)
}

// parseIsolation reads the text of a host_isolated.yaml with this mode.
func parseIsolation(path string, text []byte, mode fs.FileMode) (Isolation, error) {
	empty := DefaultIsolation()
	empty.Path = path
	return parseAs(path, text, mode, empty, isolationAt)
}

// isolationAt reads the top of a document.
func isolationAt(p place) (Isolation, error) {
	c := DefaultIsolation()
	c.Path = p.doc.file
	known := fields{
		"strict":     store(&c.Strict, yesNo),
		"front_ends": store(&c.FrontEnds, listOf(frontEndsForm, textAs(endpointForm, ParseEndpoint))),
		"host_id":    store(&c.HostID, numbers(0, math.MaxInt32)),
		"host_name":  store(&c.HostName, name("the name of this host in oned")),
		"witnesses":  store(&c.Witnesses, witnesses),
		"action":     store(&c.Action, oneOf(actions()...)),
		"command":    store(&c.Command, argv(exampleCommand)),
		"libvirt":    store(&c.Libvirt, textAs(libvirtForm, parseLibvirt)),
		"shutdown":   store(&c.Shutdown, argv(exampleShutdown)),
		"power_off":  store(&c.PowerOff, listOf(powerOffForm, argv(examplePowerOff, PowerOffSysrq))),
	}
	for _, d := range c.durations() {
		known[d.key] = store(d.value, times(d.low, d.high))
	}
	for _, f := range c.paths() {
		known[f.key] = store(f.value, absolute())
	}
	seen, err := p.mapping(known)
	if err != nil {
		return Isolation{}, err
	}
	if c.HostID >= 0 && c.HostName != "" {
		return Isolation{}, contradiction(seen, "host_id", "host_name", oneOfBoth)
	}
	return c, nil
}

// How some settings are written.
const (
	frontEndsForm   = "a list of the front-ends, such as [one1.example, one2.example]"
	witnessesForm   = "a list of witnesses, such as [gateway, tcp://10.0.0.2:22]"
	libvirtForm     = "the URI of libvirt on this host, such as qemu:///system"
	exampleCommand  = "[/usr/local/bin/on-isolation, --now]"
	exampleShutdown = "[/usr/bin/systemctl, poweroff]"
	examplePowerOff = "[/usr/bin/systemctl, poweroff, --force], or [sysrq]"
	powerOffForm    = "a list of programs with their arguments, and [sysrq]"
	oneOfBoth       = "one of both: each says which host this is"
)

// actions are the values of Isolation.Action.
func actions() []string { return []string{ActionDestroy, ActionShutdown, ActionCommand} }

// ranged is a duration of an Isolation.
type ranged struct {
	key       string
	value     *time.Duration
	low, high time.Duration // both are allowed
}

// durations are all of c with their ranges, in the order of the file.
func (c *Isolation) durations() []ranged {
	return []ranged{
		{"interval", &c.Interval, time.Second, time.Minute},
		{"timeout", &c.Timeout, 500 * time.Millisecond, 30 * time.Second},
		{"cron_period", &c.CronPeriod, 10 * time.Second, 10 * time.Minute},
		{"after", &c.After, 10 * time.Second, time.Hour},
		{"lease", &c.Lease, minLease, maxLease},
		{"quiet", &c.Quiet, 0, time.Hour},
		{"destroy_limit", &c.DestroyLimit, time.Second, 5 * time.Minute},
		{"shutdown_limit", &c.ShutdownLimit, 10 * time.Second, 30 * time.Minute},
		{"command_limit", &c.CommandLimit, time.Second, 10 * time.Minute},
		{"watchdog_timeout", &c.WatchdogTimeout, 5 * time.Second, 5 * time.Minute},
	}
}

// filePath is a path of an Isolation.
type filePath struct {
	key    string
	value  *string
	needed bool // "" is not allowed
}

// paths are all of c, in the order of the file.
func (c *Isolation) paths() []filePath {
	return []filePath{
		{"auth_file", &c.AuthFile, false},
		{"ca_file", &c.CAFile, false},
		{"watchdog", &c.Watchdog, false},
		{"state_dir", &c.StateDir, true},
		{"run_dir", &c.RunDir, true},
	}
}

// witnesses reads a list that may be empty: whether it may be, Isolation.Check knows.
func witnesses(p place) ([]string, error) {
	if p.isEmptyList() {
		return nil, nil
	}
	return listOf(witnessesForm, textAs(witnessForm, func(text string) (string, error) {
		w, err := ParseWitness(text)
		return w.String(), err
	}))(p)
}

// parseLibvirt looks whether a text can be a URI of libvirt; which there are, only
// libvirt knows.
func parseLibvirt(text string) (string, error) {
	if u, err := url.Parse(text); err != nil || u.Scheme == "" || !allPrintable(text) {
		return "", &refusal{"not a URI", libvirtForm}
	}
	return text, nil
}
