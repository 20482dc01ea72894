package fence

import (
	"errors"
	"fmt"
)

// ProblemKind is what keeps a device from proving a host off. The names are stable in JSON.
type ProblemKind string

// The kinds of problems that are seen on the front-end without running a device.
const (
	NotInstalled     ProblemKind = "not_installed"      // there is no such agent, or no such command
	NotExecutable    ProblemKind = "not_executable"     // it is there, and hooks may not execute it
	SecretMissing    ProblemKind = "secret_missing"     // the file with the secret is not there
	SecretUnreadable ProblemKind = "secret_unreadable"  // hooks cannot read it
	SecretExposed    ProblemKind = "secret_exposed"     // others can read or write it
	SecretInvalid    ProblemKind = "secret_invalid"     // its content is no secret of one line
	LeaseTooShort    ProblemKind = "lease_too_short"    // the wait does not cover what the host needs
	LeaseNotArmed    ProblemKind = "lease_not_armed"    // the host keeps no lease
	LeaseInvalid     ProblemKind = "lease_invalid"      // what the host published cannot be read
	NeedsConfirm     ProblemKind = "needs_confirmation" // only an admin can say that the host is off
)

// Problem is why one device cannot prove a host off. It holds no secret.
type Problem struct {
	Level  int         `json:"level"` // from 1; 0 before it is known
	Place  int         `json:"place"` // of the device in its level, from 1; 0 before it is known
	Device string      `json:"device"`
	Kind   ProblemKind `json:"kind"`
	Detail string      `json:"detail"` // in one printable line, with what to do
	cause  error
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// Unwrap gives the cause, such as ErrNotInstalled.
func (p *Problem) Unwrap() error { return p.cause }

// problem makes a Problem of a device that is not known yet.
func problem(kind ProblemKind, cause error, format string, args ...any) *Problem {
	return &Problem{Kind: kind, Detail: printable(fmt.Sprintf(format, args...)), cause: cause}
}

// asProblem is the Problem in an error of readSecret, findAgent or a lease.
func asProblem(err error, otherwise ProblemKind) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return problem(otherwise, err, "%v", err)
}
