package fence

import (
	"errors"
	"fmt"
	"strings"

	"one-ft/pkg/text"
)

// What errors of this package are; use errors.Is.
var (
	ErrNotConfigured = errors.New("no fencing is configured for this host")
	ErrManual        = errors.New("an admin has to confirm that the host is off") // ConfirmedOff
	ErrLeaseTooShort = errors.New("the wait for the lease is too short")          // see Lease.Covers
	ErrNotArmed      = errors.New("the host reports that it keeps no lease (FT_LEASE_ARMED); run host_isolated --check there")
	ErrNotInstalled  = errors.New("the fence agent is not installed")
	// ErrNoAgent means that a host template has FENCE_ attributes but no FENCE_AGENT, which is how a site's own
	// fence_host.sh gets an address. It is no mistake when the configuration has levels for the host.
	ErrNoAgent = errors.New("FENCE_AGENT is missing")
)

// in says where something cannot be used, such as "fencing, level 2, device 1", or "host template, FENCE_IP".
func in(where string, err error) error { return fmt.Errorf("%s: %w", where, err) }

func inTemplate(attribute string, err error) error {
	return in("host template, "+text.Printable(attribute), err)
}

// FailedError means that no level proved the host off. It is also ErrManual, ErrNotInstalled or the error of
// the context, where that is a part of it.
type FailedError struct {
	HostID int
	Host   string  // name
	Errs   []error // of each device of each level, in one line without secrets; the last one may be the end of the context
}

// Error names each level, each device and what it said, in one line: the causes first, where no list cuts them off.
func (e *FailedError) Error() string {
	host := fmt.Sprintf("host %d", e.HostID)
	if e.Host != "" {
		host += " (" + text.Printable(e.Host) + ")"
	}
	host += " is not proven to be off"
	if len(e.Errs) == 0 {
		return host
	}
	var causes []string
	for _, err := range e.Errs {
		causes = append(causes, err.Error())
	}
	return strings.Join(causes, "; ") + "; so " + host
}

// Unwrap gives the errors of all devices.
func (e *FailedError) Unwrap() []error { return e.Errs }
