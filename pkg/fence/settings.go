package fence

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// Host is what fencing needs to know of a host.
type Host struct {
	ID       int
	Name     string
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

// Device is one thing that can power a host off. Printed or written as JSON, it shows no parameter that may be a secret.
type Device struct {
	Kind    Kind
	Agent   string            // KindAgent: name of the agent, such as fence_ipmilan
	Params  map[string]string `json:"-"` // KindAgent: parameters but the action
	Command []string          // KindCommand: absolute path and arguments
	Lease   Lease             // KindLease: a Reaction or Margin of zero means its default
	// SecretFile holds the parameter "password" in one line. A plain name is a file in Settings.SecretDir. Others must not
	// be able to read it.
	SecretFile string
}

// Level is a set of devices that must all succeed, such as the two outlets of a machine with two power supplies. A manual
// or lease device is alone in its level.
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
	Late     time.Duration // how long the status of a device that is still on is polled
	Poll     time.Duration // pause between these questions
	// AgentDir are the directories that agents are looked for in; default: /usr/sbin, /sbin, /usr/bin, then PATH.
	AgentDir  []string
	SecretDir string // has the secrets that are named without a directory
	// Slots, when set, bounds how many agents and commands run at the same time: a call has one place while it runs.
	Slots chan struct{}
	Run   process.Runner // of agents and commands; nil is process.Run
	Look  Look           // how a lease sees that oned says ERROR all the while; needed for a lease
	// Notify, when set, gets each call and its answer, without secrets, from several goroutines, one at a time.
	Notify func(Event)
}

// Event is one line of progress.
type Event struct {
	Device  string // such as "fence_ipmilan on 10.0.0.11"
	Message wording.Message
}

// WithDefaults fills in what is not set, for hosts that are fenced by their template and for those in the configuration.
func (s Settings) WithDefaults() Settings {
	// An agent needs time for its own time-outs: fence_ipmilan gives an unreachable BMC 20 s, and a power-off another 20 s.
	s.Timeout = cmp.Or(max(s.Timeout, 0), 60*time.Second)
	s.Attempts = cmp.Or(max(s.Attempts, 0), 2)           // a BMC may fail once, which they do while the power goes
	s.Backoff = cmp.Or(max(s.Backoff, 0), 3*time.Second) // enough for a BMC to close a session that was cut
	s.Late = cmp.Or(max(s.Late, 0), 20*time.Second)      // as long again as agents wait for a power-off themselves
	s.Poll = cmp.Or(max(s.Poll, 0), time.Second)         // often enough without wearing a BMC out
	s.SecretDir = cmp.Or(s.SecretDir, "/etc/one/fence")  // beside the configuration of oned
	if s.Run == nil {
		s.Run = process.Run
	}
	return s
}

// String is what the device is called in logs, errors and proofs. It shows no secret parameter.
func (d Device) String() string {
	switch d.Kind {
	case KindCommand:
		return "command " + text.Printable(strings.Join(d.Command[:min(1, len(d.Command))], ""))
	case KindManual:
		return "confirmation by an admin"
	case KindLease:
		return "lease of " + d.Lease.Length.String()
	}
	label := d.Agent
	if ip := d.Params["ip"]; ip != "" {
		label += " on " + ip
		if port := d.Params["ipport"]; port != "" {
			label += ":" + port
		}
	}
	if plug := d.Params["plug"]; plug != "" {
		label += " plug " + plug
	}
	return text.Printable(label)
}

// GoString is the same for %#v.
func (d Device) GoString() string { return d.String() }

// levelName is what a level is called; n counts from 1.
func levelName(n int, name string) string {
	label := "level " + strconv.Itoa(n)
	if name != "" {
		label += " (" + text.Printable(name) + ")"
	}
	return label
}
