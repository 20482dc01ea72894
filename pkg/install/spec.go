package install

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"

	"one-ft/pkg/one"
)

// Spec is which hooks an admin wants, and what they do. Start from DefaultSpec.
type Spec struct {
	// Host is what happens to the VMs of a failed host: "recreate", "delete", "migrate" (4.10 and later), or "none"
	// for no such hook.
	Host string
	// Suspended includes VMs that are suspended or powered off.
	Suspended bool
	// Pause is for how many monitoring cycles a failed host is watched first, 0 to 1000.
	Pause int
	// Failures is what happens to a failed VM: "recreate", "retry" (4.14 and later), "delete", or "none" for no such
	// hooks.
	Failures string
	// Unknown is what happens to a VM in UNKNOWN: "boot", or "none" for no such hook.
	Unknown string
	// Dir has the executables: an absolute path.
	Dir string
	// Timeout is TIMEOUT of hooks since 5.10, see Timeout; 0 means MinTimeout.
	Timeout time.Duration
}

// DefaultDir is where README puts the executables: onehost sync may copy it to hosts, and every version looks for
// relative commands of hooks below its parent.
const DefaultDir = "/var/lib/one/remotes/hooks/ft"

// DefaultSpec is what is installed when an admin says nothing:
//   - recreate the VMs of a failed host, after two monitoring cycles: they run nowhere any
//     more, and one-ft is there so that nobody has to do it. Disks that are not
//     persistent are lost, as with any recreate. Suspended VMs do not run anyway: left.
//   - boot a VM that is UNKNOWN on a live host: nothing is lost by it.
//   - leave VMs that failed: nothing gets worse by waiting, while recreating or deleting
//     them takes disks and the traces of why they failed. An admin asks for it.
func DefaultSpec() Spec {
	return Spec{Host: "recreate", Pause: 2, Failures: "none", Unknown: "boot", Dir: DefaultDir}
}

// MinTimeout is the least TIMEOUT of a hook. With the default configuration host_error takes less than an hour: 6m
// watching (2 cycles of 180s), 30m hold, 2m for oned, 10m acting, and fencing. A hook that is killed leaves its host
// to an admin, because oned 6.0 and later does not call it again; one that hangs only takes one of ten places.
const MinTimeout = 4 * time.Hour

// Timeout is the TIMEOUT with which no working hook is ever killed: twice the sum of the longest times of its stages,
// because a host that comes back and fails again is watched again, in whole hours, and at least MinTimeout.
func Timeout(parts ...time.Duration) time.Duration {
	sum := time.Hour - 1
	for _, d := range parts {
		sum += 2 * d
	}
	return max(sum.Truncate(time.Hour), MinTimeout)
}

// plainPath is what every shell and template of oned takes as one word, unquoted.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._+@-]*$`)

// check refuses what cannot be installed on that version.
func (s Spec) check(d one.Dialect) error {
	for _, choice := range []struct {
		name, value string
		allowed     []string
	}{
		{"hosts", s.Host, []string{"recreate", "delete", "migrate", "none"}},
		{"failures", s.Failures, []string{"recreate", "retry", "delete", "none"}},
		{"unknown", s.Unknown, []string{"boot", "none"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return fmt.Errorf("%s: %s is not one of %q", choice.name, quoted(choice.value), choice.allowed)
		}
	}
	switch {
	case s.Pause < 0 || s.Pause > 1000:
		return fmt.Errorf("pause: %d monitoring cycles; allowed are 0 to 1000", s.Pause)
	case !plainPath.MatchString(s.Dir) || path.Clean(s.Dir) != s.Dir || s.Dir == "/":
		return fmt.Errorf("directory of the executables: %s; allowed is an absolute path of letters, digits and /._+@-, because a shell reads it", quoted(s.Dir))
	case s.Timeout < 0 || s.Timeout%time.Second != 0:
		return fmt.Errorf("timeout: %s; allowed are whole seconds, or 0 for %s", s.Timeout, MinTimeout)
	case s.Host == "migrate" && !d.ReschedsUnknown:
		return fmt.Errorf("hosts: OpenNebula %s cannot move VMs off a failed host; choose recreate or delete", d.Name)
	case s.Failures == "retry" && !d.CanRetry():
		return fmt.Errorf("failures: OpenNebula %s cannot retry a failed VM; choose recreate, delete or none", d.Name)
	}
	return nil
}
