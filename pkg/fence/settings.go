package fence

import (
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/wording"
)

// Host is what fencing needs to know of a host.
type Host struct {
	ID       int
	Name     string
	Cluster  string
	Template map[string]string // attributes of the host template
	XML      []byte            // the host as oned gives it, for commands
}

// Kind is how a device is made to prove that a host is off.
type Kind string

// The kinds of devices.
const (
	KindAgent   Kind = "agent"   // a fence agent of ClusterLabs
	KindCommand Kind = "command" // a program of the site; its exit code decides
	KindManual  Kind = "manual"  // an admin confirms
	KindLease   Kind = "lease"   // the host stops its own VMs: time is the proof
)

// Device is one thing that can power a host off.
type Device struct {
	Kind    Kind
	Agent   string            // KindAgent: name of the agent, such as fence_ipmilan
	Params  map[string]string // KindAgent: parameters but the action
	Command []string          // KindCommand: absolute path and arguments
	Lease   Lease             // KindLease: a Reaction or Margin of zero means its default
	// SecretFile holds the parameter "password" in one line. A plain name is a file
	// in Settings.SecretDir. Others must not be able to read it.
	SecretFile string
}

// Level is a set of devices that must all succeed, such as the two outlets of a
// machine with two power supplies. A manual or lease device is alone in its level.
type Level struct {
	Name    string // for the log; may be empty
	Devices []Device
}

// Settings are how a host is fenced. A value of zero means its default.
type Settings struct {
	Levels   []Level       // tried in order, until one proves the host off
	Timeout  time.Duration // of one call of an agent or command
	Attempts int           // for each device, at least 1
	Backoff  time.Duration // before the second attempt; doubles with each
	Late     time.Duration // how long a device that still says "on" is asked again
	Poll     time.Duration // pause between these questions
	// AgentDir are the directories that agents are looked for in; default: /usr/sbin,
	// /sbin, /usr/bin, then PATH.
	AgentDir []string
	// SecretDir has the secrets that are named without a directory.
	SecretDir string
	// CommandEnv is the environment of commands; nil is that of this process, as
	// host_error.rb did. Agents get PATH, LANG and PYTHONWARNINGS only.
	CommandEnv []string
	// Slots, when set, bounds how many agents and commands run at the same time: a call
	// has one of its places while it runs.
	Slots chan struct{}
	// Run runs agents and commands; nil is process.Run.
	Run process.Runner
	// Look is how a lease sees that oned says ERROR all the while; it is needed for a lease.
	Look Look
	// Notify, when set, is told of each call and its answer, without secrets. It is
	// called from several goroutines, one at a time.
	Notify func(Event)
}

// Event is one line of progress.
type Event struct {
	HostID  int
	Level   int    // from 1
	Device  string // such as "fence_ipmilan on 10.0.0.11"
	Message wording.Message
	Warning bool // it does not help to prove that the host is off
}

// The defaults.
const (
	// DefaultTimeout leaves an agent time for its own time-outs: fence_ipmilan gives
	// an unreachable BMC 20 s, and a power-off another 20 s.
	DefaultTimeout = 60 * time.Second
	// DefaultAttempts lets a BMC fail once, which they do while the power goes.
	DefaultAttempts = 2
	// DefaultBackoff is enough for a BMC to close a session that was cut.
	DefaultBackoff = 3 * time.Second
	// DefaultLate is as long again as agents wait for a power-off themselves.
	DefaultLate = 20 * time.Second
	// DefaultPoll asks often enough without wearing a BMC out.
	DefaultPoll = time.Second
	// DefaultSecretDir is beside the configuration of oned.
	DefaultSecretDir = "/etc/one/fence"
)

// WithDefaults fills in what is not set. It is the one place with defaults, for hosts that are fenced
// by their template and for those in the configuration.
func (s Settings) WithDefaults() Settings {
	fill := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	fill(&s.Timeout, DefaultTimeout)
	fill(&s.Backoff, DefaultBackoff)
	fill(&s.Late, DefaultLate)
	fill(&s.Poll, DefaultPoll)
	if s.Attempts < 1 {
		s.Attempts = DefaultAttempts
	}
	if s.SecretDir == "" {
		s.SecretDir = DefaultSecretDir
	}
	if s.Run == nil {
		s.Run = process.Run
	}
	return s
}

// String is what the device is called in logs, errors and proofs. It shows no secret
// parameter.
func (d Device) String() string {
	switch d.Kind {
	case KindCommand:
		return "command " + printable(strings.Join(d.Command[:min(1, len(d.Command))], ""))
	case KindManual:
		return "confirmation by an admin"
	case KindLease:
		return "lease of " + d.Lease.Length.String()
	}
	text := d.Agent
	if ip := d.Params["ip"]; ip != "" {
		text += " on " + ip
		if port := d.Params["ipport"]; port != "" {
			text += ":" + port
		}
	}
	if plug := d.Params["plug"]; plug != "" {
		text += " plug " + plug
	}
	return printable(text)
}

// levelName is what a level is called; n counts from 1.
func levelName(n int, name string) string {
	text := "level " + strconv.Itoa(n)
	if name != "" {
		text += " (" + printable(name) + ")"
	}
	return text
}
