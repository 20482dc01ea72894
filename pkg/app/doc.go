// Package app is what all executables share: the words they are called with,
// common flags, logging, output that is safe in a hook, exit codes.
//
// As a hook a program must print nothing on stdout (oned 4.4 reads each line as a message of
// a driver) and little on stderr (over 64 KiB deadlock a hook of 4.4): see "How
// oned runs a hook" in opennebula.md. It must also survive that oned goes away.
package app

import (
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"

	"one-ft/pkg/exitcode"
	"one-ft/pkg/failfast"
	"one-ft/pkg/process"
	"one-ft/pkg/reach"
)

// The exit codes of all executables.
const (
	ExitDone       = exitcode.Done
	ExitIncomplete = exitcode.Incomplete
	ExitUsage      = exitcode.Usage
	ExitRefused    = exitcode.Refused
)

// Env is the world of a program, so that tests can give it another one.
type Env struct {
	Args   []string // with the program name
	Stdin  *os.File
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
	// Terminal: an operator looks at stdout and stderr.
	Terminal bool
	// Operator opens what is typed at the terminal, to answer a question on Stderr; it
	// gives nil, and is nil, when nobody is there.
	Operator func() io.ReadCloser
	// Transport carries the calls to oned; nil is the network.
	Transport http.RoundTripper
	// Run runs fence agents, commands and second opinions; nil is process.Run.
	Run process.Runner
	// Machine is where ssh of the drivers runs; nil is this one.
	Machine failfast.Machine
	// Dial opens connections to hosts; nil is the network.
	Dial reach.Dialer
	// Started is since when this machine is a front-end in charge, the zero time when it is
	// none; nil finds it out (FrontEndStarted).
	Started func() time.Time
}

// OS is the world that the operating system gives. Somebody is looking when both
// outputs are terminals.
func OS() Env {
	return Env{
		Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stdout.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
		Operator: operator,
	}
}

// version is what git describes, written by the linker (see the Makefile) and by
// nothing else.
var version string

// Version is the version that git gave the build, or "unknown" outside of git.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "unknown"
	}
	return info.Main.Version
}

// Answer is what a program found out or did; failover.Report is one.
type Answer interface {
	// Table is for people: a header and rows. It may have no rows.
	Table() [][]string
	// Notes come before the table, a line each.
	Notes() []string
	// Line is the answer in one line.
	Line() string
	// Problems are the lines that an admin must see even of a hook.
	Problems() []string
	// ExitCode is one of the Exit* constants.
	ExitCode() int
}
