package app

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
	"one-ft/pkg/hook"
)

// Settings are the values of the common flags.
type Settings struct {
	DryRun, JSON, Verbose, AnyState bool
	Verify                          string // none, left or running
	// VerifyGiven and TimeoutGiven: a flag or the configuration says so.
	VerifyGiven, TimeoutGiven  bool
	Timeout, OnedWait          time.Duration
	Parallel                   int
	Endpoint, AuthFile, CAFile string
	LogFile, StateDir          string
}

// CommonFlags are the flags of every command that talks to oned.
func CommonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Usage: "print the plan and change nothing"},
		&cli.BoolFlag{Name: "json", Usage: "print the result as JSON on stdout"},
		&cli.StringFlag{Name: "verify", Usage: "`WHAT` has to be seen before a VM counts as done: none (oned accepted the call), left (the VM left the host and its clean-up is over, or it left the failure), running (it runs again)",
			DefaultText: "running; vm_failure without a terminal: left"},
		&cli.DurationFlag{Name: "timeout", Value: config.Default().Timeout, Usage: "give up acting and verifying after this `TIME`; what is not done then is listed", DefaultText: "10m0s, or what the cloud needs for so many VMs"},
		&cli.DurationFlag{Name: "oned-wait", Value: config.Default().OnedWait, Usage: "keep trying for this `TIME` while oned does not answer (restart, change of leader)"},
		&cli.IntFlag{Name: "parallel", Value: config.Default().Parallel, Usage: fmt.Sprintf("act on this `NUMBER` of VMs at the same time, 1 to %d", config.MaxParallel)},
		&cli.BoolFlag{Name: "any-state", Usage: "act also when an admin disabled the host or set it offline"},
		&cli.StringFlag{Name: "endpoint", Usage: "`URL` of oned", DefaultText: "ONE_XMLRPC, ~/.one/one_endpoint, /var/lib/one/.one/one_endpoint, http://localhost:2633/RPC2"},
		&cli.StringFlag{Name: "auth-file", Usage: "`FILE` with user:password", DefaultText: "ONE_AUTH, ~/.one/one_auth, /var/lib/one/.one/one_auth"},
		&cli.StringFlag{Name: "ca-file", Usage: "trust the certificates in this `FILE` or directory for an https endpoint", DefaultText: "ONE_CERT_DIR, the system's"},
		&cli.StringFlag{Name: "log-file", Usage: "write the log to this `FILE`; - for stderr", DefaultText: "NAME.log in OpenNebula's log directory, when it can be written"},
		&cli.StringFlag{Name: "state-dir", Usage: "`DIRECTORY` for locks and the journal", DefaultText: "/var/lib/one/one-ft, or $ONE_LOCATION/var/one-ft"},
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE`; options win over it", DefaultText: "/etc/one/one-ft.yaml, or $ONE_LOCATION/etc/one-ft.yaml"},
		&cli.BoolFlag{Name: "verbose", Usage: "print progress on stderr also when nobody is looking"},
	}
}

// loadConfig reads the configuration file: the one that was named, which must
// exist then, or one-ft.yaml in the directory of OpenNebula's configuration.
func loadConfig(named string, paths Paths) (file config.File, err error) {
	if named != "" {
		file, err = config.LoadNamed(named)
	} else {
		file, err = config.Load(filepath.Join(paths.Etc, "one-ft.yaml"))
	}
	if err != nil {
		return file, &UsageError{err}
	}
	return file, nil
}

// Pick gives a flag that was set, else the value of the configuration.
func Pick[T any](c *cli.Context, flag string, configured T) T {
	if c.IsSet(flag) {
		if v, ok := c.Value(flag).(T); ok {
			return v
		}
	}
	return configured
}

// settings reads the common flags, with the configuration under them, and checks
// them.
func settings(c *cli.Context, env Env, v config.Values) (Settings, error) {
	s := Settings{
		DryRun: c.Bool("dry-run"), JSON: c.Bool("json"), Verbose: c.Bool("verbose"), AnyState: c.Bool("any-state"),
		Verify: Pick(c, "verify", v.Verify), Timeout: Pick(c, "timeout", v.Timeout), OnedWait: Pick(c, "oned-wait", v.OnedWait),
		Parallel: Pick(c, "parallel", v.Parallel), Endpoint: Pick(c, "endpoint", v.Endpoint), AuthFile: Pick(c, "auth-file", v.AuthFile),
		CAFile: Pick(c, "ca-file", v.CAFile), LogFile: Pick(c, "log-file", v.LogFile), StateDir: Pick(c, "state-dir", v.StateDir),
	}
	if s.CAFile == "" {
		s.CAFile = env.Getenv("ONE_CERT_DIR")
	}
	s.VerifyGiven, s.TimeoutGiven = s.Verify != "", c.IsSet("timeout") || v.TimeoutSet
	switch {
	case s.Verify == "" && env.Terminal:
		s.Verify = "running"
	case s.Verify == "":
		s.Verify = "left"
	}
	switch {
	case s.Verify != "none" && s.Verify != "left" && s.Verify != "running":
		return s, Usagef("--verify %s: allowed are none, left and running", s.Verify)
	case s.Timeout <= 0:
		return s, Usagef("--timeout %s: it must be more than 0, such as 10m", s.Timeout)
	case s.OnedWait < 0:
		return s, Usagef("--oned-wait %s: it must not be negative", s.OnedWait)
	case s.Parallel < 1 || s.Parallel > config.MaxParallel:
		return s, Usagef("--parallel %d: allowed are 1 to %d", s.Parallel, config.MaxParallel)
	}
	return s, nil
}

// FlagKinds tells package hook which flags take a value.
func FlagKinds(flags []cli.Flag) hook.Flags {
	kinds := hook.Flags{"version": false, "v": false}
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		for _, name := range f.Names() {
			kinds[name] = ok && doc.TakesValue()
		}
	}
	return kinds
}

// UsageError is wrong usage or configuration: exit code 2.
type UsageError struct{ err error }

// Usagef makes a UsageError of one line that says what is allowed.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// Error is the line.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *UsageError) Unwrap() error { return e.err }

// OfOptions puts what cli says of wrong options into our words.
func OfOptions(err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return Usagef("unknown option %q; --help lists the options", "--"+strings.TrimLeft(name, "-"))
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return Usagef("--%s needs a value; --help says which", strings.TrimLeft(name, "-"))
	}
	if rest, ok := strings.CutPrefix(text, "invalid value "); ok {
		if value, rest, ok := strings.Cut(rest, " for flag -"); ok {
			name, _, _ := strings.Cut(rest, ":")
			return Usagef("--%s %s: this is not such a value; a time is written like 90s or 10m, a number like 2", name, value)
		}
	}
	return &UsageError{err}
}
