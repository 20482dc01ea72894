package fence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// ProblemKind is what keeps a device from proving a host off. The names are stable in JSON.
type ProblemKind string

// The kinds of problems that are seen on the front-end without running a device.
const (
	NoProof          ProblemKind = "no_proof"           // the agent does not switch power, or cannot say that it is off
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
	return &Problem{Kind: kind, Detail: text.Printable(fmt.Sprintf(format, args...)), cause: cause}
}

// Account is the user that hooks run as, where another one looks: root asks whether oneadmin could fence. The mode bits
// and the owners of files and directories count, access lists do not.
type Account struct {
	UID  int
	GIDs []int
	Name string // for messages
}

// Ready checks whether each level of a host could be used now: whether its agents and commands are installed and
// executable, its secrets there, readable for hooks and for nobody else, and its lease long enough for what the host has
// published. It runs no device and changes nothing; an agent that is not known by its name is asked for its metadata. That a
// device answers, and powers off the right host, is not checked. as is the
// user of the hooks; nil is that of this process. Levels that Check refuses are for Check. The problems are those of all
// levels, in their order; usable is the number of levels without one: any of them may prove the host off.
func Ready(ctx context.Context, host Host, s Settings, as *Account) (problems []*Problem, usable int) {
	s = s.WithDefaults()
	for i, level := range s.Levels {
		before := len(problems)
		for j, d := range level.Devices {
			if p := s.ready(ctx, host, d, as); p != nil {
				p.Level, p.Place, p.Device = i+1, j+1, newMasker([]Device{d}).maskLong(d.String())
				problems = append(problems, p)
			}
		}
		if len(problems) == before {
			usable++
		}
	}
	return problems, usable
}

// ready checks one device, which is found and whose secret is read as a call would.
func (s Settings) ready(ctx context.Context, host Host, d Device, as *Account) *Problem {
	switch d.Kind {
	case KindAgent:
		p := s.prepare(d)
		if p.err != nil {
			return p.err
		}
		if file := s.secretPath(d.SecretFile); d.SecretFile != "" && as != nil && !as.may(file, mayRead) {
			return problem(SecretUnreadable, os.ErrPermission, "secret %s: hooks run as %s and cannot read it; chgrp it to a group of %[2]s and chmod it to 0640", file, as.Name)
		}
		if err := runnable(p.path, as); err != nil {
			return err
		}
		if err := p.lacks(); err != nil {
			return err
		}
		return p.fit(ctx, s)
	case KindCommand:
		return runnable(d.Command[0], as)
	case KindLease:
		return leaseProblem(d.Lease.Against(TemplatePromise(host.Template)))
	case KindManual:
		return problem(NeedsConfirm, ErrManual, "only an admin can say that the host is off")
	}
	return nil
}

// runnable checks a program by its absolute path.
func runnable(path string, as *Account) *Problem {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return problem(NotInstalled, err, "%s does not exist", path)
	case err != nil:
		return problem(NotExecutable, err, "%s cannot be executed: %v", path, err)
	case !info.Mode().IsRegular():
		return problem(NotExecutable, nil, "%s is not a program", path)
	case !process.Runnable(path) || as != nil && !as.may(path, mayExecute):
		return problem(NotExecutable, os.ErrPermission, "%s is not executable (mode %#o); chmod it to 0755", path, info.Mode().Perm())
	}
	return nil
}

const mayRead, mayExecute = 0o4, 0o1 // the bits of one class of users

// may reports whether mode bits let a user do something with a file, and through to it.
func (a *Account) may(path string, need uint32) bool {
	if a.UID == 0 {
		return true
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	for ; ; path, need = filepath.Dir(path), mayExecute {
		info, err := os.Stat(path)
		if err != nil {
			return false
		}
		owner, known := info.Sys().(*syscall.Stat_t)
		mode := uint32(info.Mode().Perm())
		switch {
		case !known:
		case int(owner.Uid) == a.UID:
			mode >>= 6
		case slices.Contains(a.GIDs, int(owner.Gid)):
			mode >>= 3
		}
		if mode&need != need {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}

// leaseProblem is why a lease proves nothing; nil when it does.
func leaseProblem(err error) *Problem {
	kind := LeaseInvalid
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotArmed):
		kind = LeaseNotArmed
	case errors.Is(err, ErrLeaseTooShort):
		kind = LeaseTooShort
	}
	return problem(kind, err, "%v", err)
}
