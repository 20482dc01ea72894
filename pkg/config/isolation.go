package config

import (
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"time"

	"one-ft/pkg/fence"
)

// IsolationName is the name of the configuration file of host_isolated, in /etc/one-ft
// on each host.
const IsolationName = "host_isolated.yaml"

// Isolation is the configuration of host_isolated on one host: what its file and its flags set, over the
// defaults of DefaultIsolation. The ranges are in the table of keys.
type Isolation struct {
	// Path is where it was read; "" when there is no file.
	Path string `yaml:"-"`

	// Strict: VMs are kept only while oned says that this host is MONITORED (a lease). Otherwise they
	// are kept as long as the network answers anything.
	Strict bool `yaml:"strict"`
	// FrontEnds are the URLs of oned, as ParseEndpoint gives them; at least one. Of an HA cluster each
	// server, not the floating address.
	FrontEnds []string `yaml:"front_ends"`
	// AuthFile has user:token; "" without: then oned is not asked, and strict is refused.
	AuthFile string `yaml:"auth_file,omitempty"`
	// CAFile has certificates to trust for https; "" for the system's.
	CAFile string `yaml:"ca_file,omitempty"`
	// HostID is the ID of this host in oned; -1 when it is found by HostName.
	HostID int `yaml:"host_id"`
	// HostName is the name of this host in oned; "" for what uname says.
	HostName string `yaml:"host_name,omitempty"`
	// Witnesses are what else shows that the network works, as ParseWitness reads them.
	Witnesses []string `yaml:"witnesses"`

	// Interval is the time from one round of probes to the next with --watch, Timeout the most time for
	// one probe, not more than Interval. CronPeriod is the time from one run to the next by cron.
	Interval   time.Duration `yaml:"interval"`
	Timeout    time.Duration `yaml:"timeout"`
	CronPeriod time.Duration `yaml:"cron_period"`
	// After is how long the host has to be isolated before its VMs are stopped, when not strict.
	After time.Duration `yaml:"after"`
	// AfterSet: the file or a flag sets it. Else ForCron may choose.
	AfterSet bool `yaml:"-"`
	// Lease is how long VMs are kept after the last good word of oned, when strict.
	Lease time.Duration `yaml:"lease"`
	// Quiet: nothing is stopped within this time after the boot; not longer than Lease when strict.
	Quiet time.Duration `yaml:"quiet"`

	// Action is ActionDestroy, ActionShutdown or ActionCommand, which runs Command.
	Action  string   `yaml:"action"`
	Command []string `yaml:"command,omitempty"`
	// Libvirt is the URI that VMs are found and destroyed with.
	Libvirt string `yaml:"libvirt"`
	// DestroyLimit is the most time for finding and destroying all VMs through libvirt. After it their
	// processes are killed, and after that the host is powered off.
	DestroyLimit time.Duration `yaml:"destroy_limit"`
	// ShutdownLimit and CommandLimit are the most time for an orderly shutdown and for Command.
	ShutdownLimit time.Duration `yaml:"shutdown_limit"`
	CommandLimit  time.Duration `yaml:"command_limit"`
	// Shutdown begins an orderly shutdown of the host.
	Shutdown []string `yaml:"shutdown"`
	// PowerOff are the ways to force the host off, tried in order: programs with their arguments, or
	// the single word PowerOffSysrq.
	PowerOff [][]string `yaml:"power_off"`

	// Watchdog is the device of a hardware watchdog, such as /dev/watchdog; "" for none. Only with
	// --watch. It resets a host on which host_isolated has not run for WatchdogTimeout, whole seconds.
	Watchdog        string        `yaml:"watchdog,omitempty"`
	WatchdogTimeout time.Duration `yaml:"watchdog_timeout"`

	// StateDir keeps what must survive a reboot, the log of actions; RunDir what must not, the history
	// of probes.
	StateDir string `yaml:"state_dir"`
	RunDir   string `yaml:"run_dir"`
}

// Values of Isolation.Action.
const (
	ActionDestroy  = "destroy"  // the VMs are destroyed, and the host stays up
	ActionShutdown = "shutdown" // the host is shut down
	ActionCommand  = "command"  // a program of the site decides how
)

// PowerOffSysrq is a way to force the host off: the kernel does it through
// /proc/sysrq-trigger, which needs no other process.
const PowerOffSysrq = "sysrq"

// DefaultLibvirt is the URI of the QEMU guests of a host, as OpenNebula uses it (LIBVIRT_URI in kvmrc).
const DefaultLibvirt = "qemu:///system"

// DefaultIsolation returns the defaults, where they come from, and why they are what
// they are.
func DefaultIsolation() Isolation {
	return Isolation{
		HostID: -1, Witnesses: []string{"gateway"},
		// Three rounds fit into a lease of a minute four times over, so that neither a
		// lost packet nor a slow answer decides. Choices, not measurements.
		Interval: 5 * time.Second, Timeout: 3 * time.Second,
		CronPeriod: time.Minute, // what cron can do
		After:      time.Minute, Lease: time.Minute, Quiet: time.Minute,
		Action: ActionDestroy, Libvirt: DefaultLibvirt,
		// libvirt gives QEMU 10 s to end after SIGTERM and then some seconds after
		// SIGKILL (qemuProcessKill); a sound one is gone in 0.3 s.
		DestroyLimit:  10 * time.Second,
		ShutdownLimit: time.Minute, CommandLimit: 30 * time.Second,
		Shutdown:        []string{"/usr/bin/systemctl", "poweroff"},
		PowerOff:        [][]string{{"/usr/bin/systemctl", "poweroff", "--force"}, {PowerOffSysrq}},
		WatchdogTimeout: 15 * time.Second,
		StateDir:        "/var/lib/one-ft", RunDir: "/run/one-ft",
	}
}

// LoadIsolation is Load for host_isolated, over the defaults. With an error the Isolation is the zero one. What the
// settings mean together is for Isolation.Check, once flags were put over them.
func LoadIsolation(named, usual string) (Isolation, error) {
	return load(named, usual, DefaultIsolation(), parseIsolation)
}

// parseIsolation reads the text of a host_isolated.yaml with this mode.
func parseIsolation(path string, text []byte, mode fs.FileMode) (Isolation, error) {
	c := DefaultIsolation()
	c.Path = path
	err := readText(path, text, mode, func(top node) error {
		seen, err := top.mapping(c.keys())
		_, c.AfterSet = seen["after"]
		if err == nil && c.HostID >= 0 && c.HostName != "" {
			err = contradiction(seen, "host_id", "host_name", oneOfBoth)
		}
		return err
	})
	if err != nil {
		return Isolation{}, err
	}
	return c, nil
}

// oneOfBoth is for host_id and host_name.
const oneOfBoth = "one of both: each says which host this is"

// keys is the table of a host_isolated.yaml; DefaultIsolation has the defaults.
func (c *Isolation) keys() table {
	witness := parsed(witnessForm, func(s string) (string, error) {
		w, err := ParseWitness(s)
		return w.String(), err
	})
	witnesses := listOf(witnessesForm, witness)
	readSome := witnesses.read
	witnesses.read = func(n node) ([]string, error) {
		if n.isEmptyList() {
			return nil, nil
		}
		return readSome(n)
	}
	powerOff := program("[/usr/bin/systemctl, poweroff, --force], or [sysrq]", PowerOffSysrq)
	return table{
		as("strict", &c.Strict, yesNo()),
		as("front_ends", &c.FrontEnds, listOf(frontEndsForm, parsed(endpointForm, ParseEndpoint))),
		as("auth_file", &c.AuthFile, absolute()).unless(c.AuthFile == ""),
		as("ca_file", &c.CAFile, absolute()).unless(c.CAFile == ""),
		as("host_id", &c.HostID, numbers(0, math.MaxInt32)).unless(c.HostID == -1),
		as("host_name", &c.HostName, name("the name of this host in oned")).unless(c.HostName == ""),
		as("witnesses", &c.Witnesses, witnesses),

		as("interval", &c.Interval, times(time.Second, time.Minute)),
		as("timeout", &c.Timeout, times(500*time.Millisecond, 30*time.Second)),
		as("cron_period", &c.CronPeriod, times(10*time.Second, 10*time.Minute)),
		as("after", &c.After, times(10*time.Second, time.Hour)),
		as("lease", &c.Lease, times(fence.MinLease, fence.MaxLease)),
		as("quiet", &c.Quiet, times(0, time.Hour)),

		as("action", &c.Action, oneOf(ActionDestroy, ActionShutdown, ActionCommand)),
		as("command", &c.Command, program("[/usr/local/bin/on-isolation, --now]")).unless(len(c.Command) == 0),
		as("libvirt", &c.Libvirt, libvirt()),
		as("destroy_limit", &c.DestroyLimit, times(time.Second, 5*time.Minute)),
		as("shutdown_limit", &c.ShutdownLimit, times(10*time.Second, 30*time.Minute)),
		as("command_limit", &c.CommandLimit, times(time.Second, 10*time.Minute)),
		as("shutdown", &c.Shutdown, program("[/usr/bin/systemctl, poweroff]")),
		as("power_off", &c.PowerOff, listOf(powerOffForm, powerOff)),
		as("watchdog", &c.Watchdog, absolute()).unless(c.Watchdog == ""),
		as("watchdog_timeout", &c.WatchdogTimeout, times(5*time.Second, 5*time.Minute)),
		as("state_dir", &c.StateDir, absolute()),
		as("run_dir", &c.RunDir, absolute()),
	}
}

// How some settings are written.
const (
	frontEndsForm = "a list of the front-ends, such as [one1.example, one2.example]"
	witnessesForm = "a list of witnesses, such as [gateway, tcp://10.0.0.2:22]"
	powerOffForm  = "a list of programs with their arguments, and [sysrq]"
)

// libvirt is a text that can be a URI of libvirt; only libvirt knows which are valid.
func libvirt() kind[string] {
	return texts("the URI of libvirt on this host, such as qemu:///system", "not a URI", func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && u.Scheme != ""
	})
}

// Rounds of probes that have to fit between the first sign of trouble and the end of the host's
// patience. One may be lost. With cron a round is so rare that the second one decides.
const (
	watchRounds = 3
	cronRounds  = 2
)

// ForCron is c for runs by cron: an after that nobody has set is as long as these need. A lease is what front-ends wait for, and
// never chosen here.
func (c Isolation) ForCron() Isolation {
	if !c.AfterSet {
		c.After = max(c.After, cronRounds*c.CronPeriod+c.Timeout)
	}
	return c
}

// Check returns what is wrong with c for host_isolated --watch, or when cron starts it: then CronPeriod counts instead
// of Interval, and there is no watchdog. It is for the end, after flags were put over the file. The error is one
// line that names the setting and what is allowed; nil when c can be used.
func (c Isolation) Check(cron bool) error {
	if err := c.checkValues(); err != nil {
		return err
	}
	least := watchRounds * c.Interval
	switch {
	case cron:
		return c.checkPatience(cronRounds*c.CronPeriod+c.Timeout, fmt.Sprintf("%d * cron_period + timeout", cronRounds))
	case c.Timeout > c.Interval:
		return refuse(short(c.Interval)+" or less: interval", "timeout %s is too long", short(c.Timeout))
	case c.Watchdog == "" || c.Timeout > c.CronPeriod/2:
	case c.WatchdogTimeout%time.Second != 0:
		return refuse("whole seconds", "watchdog_timeout %s has a part of a second", short(c.WatchdogTimeout))
	case c.WatchdogTimeout < least:
		return refuse(fmt.Sprintf("%s or more: %d * interval", short(least), watchRounds),
			"watchdog_timeout %s is too short", short(c.WatchdogTimeout))
	}
	return c.checkPatience(least+c.Timeout, fmt.Sprintf("%d * interval + timeout", watchRounds))
}

// checkPatience checks whether what ends the VMs leaves time for enough rounds.
func (c Isolation) checkPatience(least time.Duration, formula string) error {
	key, value := "after", c.After
	if c.Strict {
		key, value = "lease", c.Lease
	}
	switch {
	case c.Timeout > c.CronPeriod/2:
		return refuse(short(c.CronPeriod/2)+" or less: half of cron_period", "timeout %s is too long", short(c.Timeout))
	case value < least:
		return refuse(short(least)+" or more: "+formula, "%s %s is too short", key, short(value))
	}
	return nil
}

// checkValues checks what does not depend on how host_isolated is started.
func (c Isolation) checkValues() error {
	for _, s := range c.keys() {
		if err := s.check(); err != nil {
			return fmt.Errorf("%s: %w", s.key, err)
		}
	}
	switch {
	case len(c.FrontEnds) == 0:
		return refuse(frontEndsForm, "no front_ends")
	case len(c.Witnesses) == 0 && !c.Strict:
		return refuse(witnessesForm+"; none only with strict", "no witnesses")
	case c.Action == ActionCommand && len(c.Command) == 0:
		return refuse("action command with command", "action command without command")
	case c.Action != ActionCommand && len(c.Command) > 0:
		return refuse("command with action command only", "command contradicts action %s", c.Action)
	case len(c.PowerOff) == 0:
		return refuse(powerOffForm, "no power_off")
	case c.HostID >= 0 && c.HostName != "":
		return refuse(oneOfBoth, "host_id contradicts host_name")
	case c.Strict && c.AuthFile == "":
		return refuse("strict with auth_file, or neither", "strict without auth_file cannot ask oned about this host")
	case c.Strict && c.Quiet > c.Lease:
		return refuse(short(c.Lease)+" or less: lease", "quiet %s is too long for strict", short(c.Quiet))
	}
	return nil
}
