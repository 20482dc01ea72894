package install

import (
	"fmt"
	"path"
	"regexp"
	"time"

	"one-ft/pkg/one"
)

// Wish is which hooks an admin wants, and what they shall do. Start from DefaultWish.
type Wish struct {
	// Host is what happens to the VMs of a failed host: "recreate", "delete", "migrate"
	// (4.10 and later), or "none" for no such hook.
	Host string
	// Suspended includes VMs that are suspended or powered off.
	Suspended bool
	// Pause is for how many monitoring cycles a failed host is watched first, 0 to 1000.
	Pause int
	// Failures is what happens to a failed VM: "recreate", "retry" (4.14 and later),
	// "delete", or "none" for no such hooks.
	Failures string
	// Unknown is what happens to a VM in UNKNOWN: "boot", or "none" for no such hook.
	Unknown string
	// Dir has the executables: an absolute path.
	Dir string
	// Timeout is TIMEOUT of hooks since 5.10, see Timeout; 0 means MinTimeout.
	Timeout time.Duration
}

// DefaultDir is where README puts the executables: onehost sync may copy it to hosts, and
// every version looks for relative commands of hooks below its parent.
const DefaultDir = "/var/lib/one/remotes/hooks/ft"

// DefaultWish is what is installed when an admin says nothing:
//   - recreate the VMs of a failed host, after two monitoring cycles: they run nowhere any
//     more, so waiting for a person is what one-ft is there to avoid. Disks that are not
//     persistent are lost, as with any recreate. Suspended VMs do not run anyway: left.
//   - boot a VM that is UNKNOWN on a live host: nothing is lost by it.
//   - leave VMs that failed: nothing gets worse by waiting, while recreating or deleting
//     them takes disks and the traces of why they failed. An admin asks for it.
func DefaultWish() Wish {
	return Wish{Host: "recreate", Pause: 2, Failures: "none", Unknown: "boot", Dir: DefaultDir}
}

// MinTimeout is the least TIMEOUT of a hook. With the default configuration a run of host_error
// takes less than an hour: 6m watching (2 cycles of 180s), 30m hold, 2m for oned, 10m acting,
// and the calls of fence devices. A hook that is killed leaves its host to an admin,
// because oned 6.0 and later does not call it again; one that hangs only takes one of ten
// places, so there is no hurry.
const MinTimeout = 4 * time.Hour

// Bounds are the longest times of one run, by the configuration and the hook's arguments.
type Bounds struct {
	Confirm  time.Duration // watching the host
	Hold     time.Duration // storm.give_up
	Fence    time.Duration // all attempts at all levels
	Act      time.Duration // acting and verifying
	OnedWait time.Duration // while oned does not answer
}

// Timeout is the TIMEOUT with which no working hook is ever killed: twice the sum of the
// bounds, because a host that comes back and fails again is watched anew, rounded up to a
// whole hour, and at least MinTimeout.
func Timeout(b Bounds) time.Duration {
	sum := 2 * (b.Confirm + b.Hold + b.Fence + b.Act + b.OnedWait)
	return max((sum + time.Hour - 1).Truncate(time.Hour), MinTimeout)
}

// plainPath is what every shell and template of oned takes as one word, unquoted.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._+@-]*$`)

// check refuses what cannot be installed on that version.
func (w Wish) check(d one.Dialect) error {
	known := func(name, value string, allowed ...string) error {
		for _, a := range allowed {
			if value == a {
				return nil
			}
		}
		return fmt.Errorf("%s: %s is not one of %q", name, quoted(value), allowed)
	}
	switch {
	case known("hosts", w.Host, "recreate", "delete", "migrate", "none") != nil:
		return known("hosts", w.Host, "recreate", "delete", "migrate", "none")
	case known("failures", w.Failures, "recreate", "retry", "delete", "none") != nil:
		return known("failures", w.Failures, "recreate", "retry", "delete", "none")
	case known("unknown", w.Unknown, "boot", "none") != nil:
		return known("unknown", w.Unknown, "boot", "none")
	case w.Pause < 0 || w.Pause > 1000:
		return fmt.Errorf("pause: %d monitoring cycles; allowed are 0 to 1000", w.Pause)
	case !plainPath.MatchString(w.Dir) || path.Clean(w.Dir) != w.Dir || w.Dir == "/":
		return fmt.Errorf("directory of the executables: %s; allowed is an absolute path of letters, digits and /._+@-, because a shell reads it", quoted(w.Dir))
	case w.Timeout < 0 || w.Timeout%time.Second != 0:
		return fmt.Errorf("timeout: %s; allowed are whole seconds, or 0 for %s", w.Timeout, MinTimeout)
	case w.Host == "migrate" && !d.ReschedsUnknown:
		return fmt.Errorf("hosts: OpenNebula %s cannot move VMs off a failed host; choose recreate or delete", d.Name)
	case w.Failures == "retry" && !d.CanRetry():
		return fmt.Errorf("failures: OpenNebula %s cannot retry a failed VM; choose recreate, delete or none", d.Name)
	}
	return nil
}
