package downtime

import "time"

// Failure is the way in which a host fails, as seen from the front-end.
type Failure string

// The failures.
const (
	Silent      Failure = "silent"      // no power or no link, in the same network: no answer to ARP
	Dropped     Failure = "dropped"     // the same behind a router or a filter: packets are dropped
	Unreachable Failure = "unreachable" // a router says so
	Refused     Failure = "refused"     // the kernel answers, and nothing listens
	Frozen      Failure = "frozen"      // the kernel accepts connections, and no process answers
	NoSSHD      Failure = "no_sshd"     // only sshd is dead; the guests run
	NoLibvirtd  Failure = "no_libvirtd" // only libvirtd is dead; the guests run
)

// Failures are all of them, those that a dead machine shows first.
func Failures() []Failure {
	return []Failure{Silent, Dropped, Unreachable, Refused, Frozen, NoSSHD, NoLibvirtd}
}

// SSH is how the front-end's user of the drivers connects to hosts (ssh -G HOST tells).
type SSH struct {
	// ConnectTimeout is that of the ssh configuration; 0 for none, as OpenNebula ships it in all releases.
	ConnectTimeout time.Duration
	// SetElsewhere: there is none for this host, but for others: then oneft hooks install writes none, either.
	SetElsewhere bool
}

// ShippedKeepAlive is the longest that a persistent master to a dead host lives: ServerAliveInterval 10 and the
// default ServerAliveCountMax 3 (share/ssh/etc/config, 5.12 to 7.4); 40 s, measured with 6.10.
const ShippedKeepAlive = 40 * time.Second

// Measured with 6.10 in November 2026; what the drivers add on a busy machine is in the upper ends.
var (
	failFastCommand = Between(0.01, 0.5) // 9 ms by hand, 0.3 to 0.5 s through the drivers
	refusedCommand  = Between(0.01, 0.5)
	// timeoutExtra is what a command takes beyond ConnectTimeout: 5.1 to 5.6 s with 5.
	timeoutExtra = Between(0.1, 0.6)
)

// Command is how long one ssh command to the failed host takes, until it fails. A host that is frozen
// keeps it waiting for a banner forever, unless there is a ConnectTimeout, which bounds that as well
// (OpenSSH 9.2: 3.02 s with ConnectTimeout 3, measured).
func (s SSH) Command(f Failure) Span {
	c, waits := map[Failure]Span{
		Silent:      Between(3.0, 3.1),     // 3.07 s: the kernel asks three times by ARP
		Dropped:     Between(133.5, 135.0), // 133.5, 134.8 and 135 s: tcp_syn_retries 6
		Unreachable: Between(2.3, 2.5),     // 2.4 s
		Frozen:      Never(),
	}[f]
	if !waits {
		return refusedCommand
	}
	if s.ConnectTimeout > 0 {
		c.Low = min(c.Low, add(s.ConnectTimeout, timeoutExtra.Low))
		c.High = min(c.High, add(s.ConnectTimeout, timeoutExtra.High))
	}
	return c
}
