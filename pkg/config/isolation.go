package config

import "time"

// IsolationName is the name of the configuration file of host_isolated, in /etc/one-ft
// on each host.
const IsolationName = "host_isolated.yaml"

// Isolation is the configuration of host_isolated on one host: what its file and its
// flags set, over the defaults of DefaultIsolation.
type Isolation struct {
	// Path is where it was read; "" when there is no file.
	Path string `yaml:"-"`

	// Strict: VMs are kept only while oned says that this host is MONITORED (a lease).
	// Otherwise they are kept as long as the network answers anything.
	Strict bool `yaml:"strict"`
	// FrontEnds are the URLs of oned, as ParseEndpoint gives them; at least one. Of an
	// HA cluster each server, not the floating address.
	FrontEnds []string `yaml:"front_ends"`
	// AuthFile is the absolute path of the file with user:token; "" without: then oned
	// is not asked, and strict is refused.
	AuthFile string `yaml:"auth_file,omitempty"`
	// CAFile is the absolute path of certificates to trust for https; "" for the system's.
	CAFile string `yaml:"ca_file,omitempty"`
	// HostID is the ID of this host in oned; -1 when it is found by HostName.
	HostID int `yaml:"host_id"`
	// HostName is the name of this host in oned; "" for what uname says.
	HostName string `yaml:"host_name,omitempty"`
	// Witnesses are what else tells that the network works: "gateway",
	// "tcp://HOST:PORT", "icmp://HOST", "dns://HOST[:PORT]".
	Witnesses []string `yaml:"witnesses"`

	// Interval is the time from one round of probes to the next with --watch, 1s to 1m.
	Interval time.Duration `yaml:"interval"`
	// Timeout is the most time for one probe, 500ms to 30s; not more than Interval.
	Timeout time.Duration `yaml:"timeout"`
	// CronPeriod is the time from one run to the next when cron starts host_isolated, 10s to
	// 10m.
	CronPeriod time.Duration `yaml:"cron_period"`
	// After is how long the host has to be isolated before its VMs are stopped, when not
	// strict, 10s to 1h.
	After time.Duration `yaml:"after"`
	// Lease is how long VMs are kept after the last good word of oned, when strict, 10s to
	// 1h.
	Lease time.Duration `yaml:"lease"`
	// Quiet: nothing is stopped within this time after the host was booted, 0s to 1h; not
	// longer than Lease when strict.
	Quiet time.Duration `yaml:"quiet"`

	// Action is ActionDestroy, ActionShutdown or ActionCommand.
	Action string `yaml:"action"`
	// Command is what ActionCommand runs: an absolute path and arguments.
	Command []string `yaml:"command,omitempty"`
	// Libvirt is the URI that VMs are found and destroyed with.
	Libvirt string `yaml:"libvirt"`
	// DestroyLimit is the most time for finding and destroying all VMs through libvirt,
	// 1s to 5m. Behind it their processes are killed, and behind that the host is
	// powered off.
	DestroyLimit time.Duration `yaml:"destroy_limit"`
	// ShutdownLimit is the most time for an orderly shutdown, 10s to 30m.
	ShutdownLimit time.Duration `yaml:"shutdown_limit"`
	// CommandLimit is the most time for Command, 1s to 10m.
	CommandLimit time.Duration `yaml:"command_limit"`
	// Shutdown begins an orderly shutdown of the host.
	Shutdown []string `yaml:"shutdown"`
	// PowerOff are the ways to force the host off, tried in order: programs with their
	// arguments, or the single word PowerOffSysrq.
	PowerOff [][]string `yaml:"power_off"`

	// Watchdog is the device of a hardware watchdog, such as /dev/watchdog; "" for none.
	// Only with --watch.
	Watchdog string `yaml:"watchdog,omitempty"`
	// WatchdogTimeout is when it resets a host on which host_isolated does not run any more, 5s
	// to 5m; a multiple of 1s.
	WatchdogTimeout time.Duration `yaml:"watchdog_timeout"`

	// StateDir keeps what must survive a reboot: the log of actions.
	StateDir string `yaml:"state_dir"`
	// RunDir keeps what must not survive a reboot: the history of probes.
	RunDir string `yaml:"run_dir"`
}

// Values of Isolation.Action.
const (
	ActionDestroy  = "destroy"  // the VMs are destroyed, and the host stays up
	ActionShutdown = "shutdown" // the host is shut down
	ActionCommand  = "command"  // a program of the site decides how
)

// PowerOffSysrq is a way to force the host off: the kernel is told through
// /proc/sysrq-trigger, which needs no other process.
const PowerOffSysrq = "sysrq"

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
		Action: ActionDestroy, Libvirt: "qemu:///system",
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
