package app

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
	"one-ft/pkg/exitcode"
	"one-ft/pkg/one"
)

// Settings are the values of the common flags.
type Settings struct {
	DryRun, JSON, Verbose, AnyState bool
	Verify                          string // none, left or running
	// VerifyGiven and TimeoutGiven: a flag or the configuration says so.
	VerifyGiven, TimeoutGiven bool
	Timeout, OnedWait         time.Duration
	Parallel                  int
	Endpoint, AuthFile        one.Given
	CAFile, LogFile, StateDir string
}

// CommonFlags are the flags of every command that acts.
func CommonFlags() []cli.Flag {
	return append([]cli.Flag{
		DryRunFlag(),
		&ValuesFlag{Values: []string{"none", "left", "running"}, StringFlag: cli.StringFlag{
			Name: "verify", Usage: "`WHAT` has to be seen before a VM counts as done: none (oned accepted the call), left (the VM left the host and its clean-up is over, or it left the failure), running (it runs again)",
			DefaultText: "running; vm_failure without a terminal: left"}},
		&cli.DurationFlag{Name: "timeout", Value: config.Default().Timeout, Usage: "give up acting and verifying after this `TIME`; what is not done then is listed", DefaultText: "10m0s, or what the cloud needs for so many VMs"},
		&cli.DurationFlag{Name: "oned-wait", Value: config.Default().OnedWait, Usage: "keep trying for this `TIME` while oned does not answer (restart, change of leader)"},
		&cli.IntFlag{Name: "parallel", Value: config.Default().Parallel, Usage: fmt.Sprintf("act on this `NUMBER` of VMs at the same time, 1 to %d", config.MaxParallel)},
		&cli.BoolFlag{Name: "override-pause", Usage: "act also while one-ft is paused (oneft pause)"},
		&cli.BoolFlag{Name: "any-state", Usage: "act also when an admin disabled the host or set it offline"},
	}, ConnectFlags()...)
}

// DryRunFlag is --dry-run.
func DryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "print the plan and change nothing"}
}

// FlagsFor are those of CommonFlags that a command uses, by their names, and ConnectFlags. Those that each command took once are still
// taken, and not shown: a line in a crontab that has one must not fail.
func FlagsFor(names ...string) []cli.Flag {
	once := []string{"verify", "timeout", "parallel", "any-state"}
	var used []cli.Flag
	for _, f := range CommonFlags() {
		name := f.Names()[0]
		switch {
		case slices.Contains(names, name) || slices.ContainsFunc(ConnectFlags(), func(c cli.Flag) bool { return c.Names()[0] == name }):
		case slices.Contains(once, name):
			hide(f)
		default:
			continue
		}
		used = append(used, f)
	}
	return used
}

// hide takes a flag out of help, man pages and completions.
func hide(f cli.Flag) {
	switch f := f.(type) {
	case *cli.BoolFlag:
		f.Hidden = true
	case *cli.IntFlag:
		f.Hidden = true
	case *cli.DurationFlag:
		f.Hidden = true
	case *ValuesFlag:
		f.Hidden = true
	}
}

// ConnectFlags are the flags of every command that talks to oned.
func ConnectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Usage: "print the result as JSON on stdout"},
		&cli.StringFlag{Name: "endpoint", Usage: "`URL` of oned", DefaultText: "ONE_XMLRPC, ~/.one/one_endpoint, /var/lib/one/.one/one_endpoint, http://localhost:2633/RPC2"},
		&cli.StringFlag{Name: "auth-file", Usage: "`FILE` with user:password", DefaultText: "ONE_AUTH, ~/.one/one_auth, /var/lib/one/.one/one_auth"},
		&cli.StringFlag{Name: "ca-file", Usage: "trust the certificates in this `FILE` or directory for an https endpoint", DefaultText: "ONE_CERT_DIR, the system's"},
		&cli.StringFlag{Name: "log-file", Usage: "write the log to this `FILE`; - for stderr", DefaultText: "NAME.log in OpenNebula's log directory, when it can be written"},
		&cli.StringFlag{Name: "state-dir", Usage: "`DIRECTORY` for locks and the journal", DefaultText: "/var/lib/one/one-ft, or $ONE_LOCATION/var/one-ft"},
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE`; options win over it", DefaultText: "/etc/one/one-ft.yaml, or $ONE_LOCATION/etc/one-ft.yaml"},
		&cli.BoolFlag{Name: "verbose", Usage: "print progress on stderr also when nobody is looking"},
	}
}

// LoadConfig reads the configuration file: the one that --config names, which must exist then, or
// one-ft.yaml in the directory of OpenNebula's configuration. stateDir is what the flags or it say.
func LoadConfig(c *cli.Context, paths Paths) (file config.File, stateDir StateDir, err error) {
	switch file, err = config.Load(c.String("config"), filepath.Join(paths.Etc, config.Name)); {
	case errors.Is(err, fs.ErrPermission):
		return file, stateDir, Usagef("%w; type %s", err, AsOneadmin(called(c, "")))
	case err != nil:
		return file, stateDir, Usagef("%w", err)
	}
	return file, FindStateDir(c, file, paths), nil
}

// settings reads the common flags, with the configuration under them, and checks
// them.
func settings(c *cli.Context, env Env, v config.Values, configFile string) (Settings, error) {
	s := Settings{
		DryRun: c.Bool("dry-run"), JSON: c.Bool("json"), Verbose: c.Bool("verbose"), AnyState: c.Bool("any-state"),
		Verify: Pick(c, "verify", v.Verify), Timeout: Pick(c, "timeout", v.Timeout), OnedWait: Pick(c, "oned-wait", v.OnedWait),
		Parallel: Pick(c, "parallel", v.Parallel), Endpoint: given(c, "endpoint", v.Endpoint, "endpoint in "+configFile), AuthFile: given(c, "auth-file", v.AuthFile, "auth_file in "+configFile),
		CAFile: Pick(c, "ca-file", v.CAFile), LogFile: Pick(c, "log-file", v.LogFile),
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
	case s.Timeout <= 0:
		return s, Usagef("--timeout %s: it must be more than 0, such as 10m", s.Timeout)
	case s.OnedWait < 0:
		return s, Usagef("--oned-wait %s: it must not be negative", s.OnedWait)
	case s.Parallel < 1 || s.Parallel > config.MaxParallel:
		return s, Usagef("--parallel %d: allowed are 1 to %d", s.Parallel, config.MaxParallel)
	}
	return s, nil
}

// given is the value of a flag, else of the configuration, and what gave it.
func given(c *cli.Context, flag, configured, key string) one.Given {
	if c.IsSet(flag) {
		return one.Given{Value: c.String(flag), By: "--" + flag}
	}
	return one.Given{Value: configured, By: key}
}

// UsageError is wrong usage or configuration: exit code 2.
type UsageError = exitcode.UsageError

// Usagef makes a UsageError of one line that says what is allowed.
func Usagef(format string, args ...any) error { return exitcode.Usagef(format, args...) }
