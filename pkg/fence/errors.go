package fence

import (
	"errors"
	"fmt"
	"strings"

	"one-ft/pkg/text"
)

// What errors of this package are; use errors.Is.
var (
	// ErrNotConfigured means that the host has no levels.
	ErrNotConfigured = errors.New("no fencing is configured for this host")
	// ErrManual means that only an admin can say that the host is off (ConfirmedOff).
	ErrManual = errors.New("an admin has to confirm that the host is off")
	// ErrLeaseTooShort means that the wait for a lease does not cover what the host needs
	// to stop its VMs (Lease.Covers).
	ErrLeaseTooShort = errors.New("the wait for the lease is too short")
	// ErrNotArmed means that a host has said itself that its VMs are not under a lease.
	ErrNotArmed = errors.New("the host says that it keeps no lease (FT_LEASE_ARMED); look at host_isolated --check there")
	// ErrNotInstalled means that a fence agent is missing on this machine.
	ErrNotInstalled = errors.New("the fence agent is not installed")
	// ErrNoAgent means that a host template has FENCE_ attributes but no FENCE_AGENT,
	// which is how a site's own fence_host.sh is told an address. It is no mistake when
	// the configuration has levels for the host.
	ErrNoAgent = errors.New("FENCE_AGENT is missing")
)

// ConfigError is a level or an attribute of a host template that cannot be used.
type ConfigError struct {
	Where string // such as "fencing, level 2, device 1", or "host template, FENCE_IP"
	Err   error
}

// Error names the place.
func (e *ConfigError) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// inTemplate is an error of an attribute of a host template.
func inTemplate(attribute string, err error) error {
	return &ConfigError{Where: "host template, " + text.Printable(attribute), Err: err}
}

// FailedError means that no level proved the host off. It is also ErrManual, ErrNotInstalled or the
// error of the context, where that is a part of it.
type FailedError struct {
	HostID   int
	Host     string // name
	Failures []Failure
	cause    error // end of the context
}

// Failure is a device and why it proves nothing. Secrets are masked.
type Failure struct {
	Level  string // such as "level 1 (bmc)"
	Device string
	Err    error
}

// Error names each level, each device and what it said, in one line.
func (e *FailedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "host %d", e.HostID)
	if e.Host != "" {
		fmt.Fprintf(&b, " (%s)", text.Printable(e.Host))
	}
	b.WriteString(" is not proven to be off")
	separator := ": "
	for _, f := range e.Failures {
		fmt.Fprintf(&b, "%s%s, %s: %v", separator, f.Level, f.Device, f.Err)
		separator = "; "
	}
	if e.cause != nil {
		fmt.Fprintf(&b, "%sstopped: %v", separator, e.cause)
	}
	return b.String()
}

// Unwrap gives the errors of all devices.
func (e *FailedError) Unwrap() []error {
	var all []error
	for _, f := range e.Failures {
		all = append(all, f.Err)
	}
	if e.cause != nil {
		all = append(all, e.cause)
	}
	return all
}
