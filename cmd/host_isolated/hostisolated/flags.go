package hostisolated

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/config"
)

// defaultConfig is where packages put the configuration.
var defaultConfig = filepath.Join("/etc/one-ft", config.IsolationName)

// flags are what host_isolated can be told.
func flags() []cli.Flag {
	all := []cli.Flag{
		&cli.BoolFlag{Name: "watch", Usage: "make rounds until told to end, as a service of systemd"},
		&cli.BoolFlag{Name: "check", Usage: "show what is reachable, what would be done now, and the bound; change nothing"},
		&cli.BoolFlag{Name: "drill", Aliases: []string{"dry-run"}, Usage: "decide as always, but only say what would be done"},
		&cli.BoolFlag{Name: "print-bound", Usage: "print what this host promises, as attributes for a monitoring probe of OpenNebula"},
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE`; options win over it", DefaultText: defaultConfig},
	}
	d := config.DefaultIsolation()
	for _, s := range settings(&d) {
		all = append(all, s.flag())
	}
	return all
}

// setting is a flag for a setting of the file.
type setting struct {
	name  string
	value any // pointer to it
	usage string
}

// settings are those that have a flag: all but lists of programs.
func settings(s *config.Isolation) []setting {
	return []setting{
		{"strict", &s.Strict, "keep VMs only while oned says that this host is MONITORED (a lease)"},
		{"front-end", &s.FrontEnds, "`ADDRESS` of oned: host, host:port or URL; may be repeated, each server of an HA cluster"},
		{"auth-file", &s.AuthFile, "`FILE` with user:token, to ask oned"},
		{"ca-file", &s.CAFile, "`FILE` with certificates to trust for https"},
		{"host-id", &s.HostID, "`ID` of this host in oned"},
		{"host-name", &s.HostName, "`NAME` of this host in oned"},
		{"witness", &s.Witnesses, "`WITNESS` that tells that the network works: gateway, tcp://HOST:PORT, icmp://HOST, dns://HOST; may be repeated"},
		{"interval", &s.Interval, "`TIME` from one round to the next with --watch"},
		{"timeout", &s.Timeout, "the most `TIME` for one probe"},
		{"cron-period", &s.CronPeriod, "`TIME` from one run to the next when cron starts it"},
		{"after", &s.After, "stop VMs when isolated for this `TIME`, when not strict"},
		{"lease", &s.Lease, "stop VMs when oned has not renewed the lease for this `TIME`, when strict"},
		{"quiet", &s.Quiet, "stop nothing within this `TIME` after the boot"},
		{"action", &s.Action, "`HOW` to stop VMs: destroy, shutdown, command"},
		{"command", &s.Command, "`WORD` of the command of action command: its absolute path; repeated for its arguments"},
		{"libvirt", &s.Libvirt, "`URI` of libvirt"},
		{"destroy-limit", &s.DestroyLimit, "the most `TIME` for destroying VMs through libvirt, before their processes are killed"},
		{"shutdown-limit", &s.ShutdownLimit, "the most `TIME` for an orderly shutdown, before the host is forced off"},
		{"command-limit", &s.CommandLimit, "the most `TIME` for the command"},
		{"watchdog", &s.Watchdog, "arm this hardware watchdog `DEVICE`, such as /dev/watchdog; with --watch"},
		{"watchdog-timeout", &s.WatchdogTimeout, "`TIME` after which it resets a host that hangs"},
		{"state-dir", &s.StateDir, "`DIRECTORY` for the log of actions"},
		{"run-dir", &s.RunDir, "`DIRECTORY` for what is remembered until the next boot"},
	}
}

// flag is the flag with the value of the setting as its default.
func (s setting) flag() cli.Flag {
	switch v := s.value.(type) {
	case *bool:
		return &cli.BoolFlag{Name: s.name, Usage: s.usage}
	case *int:
		return &cli.IntFlag{Name: s.name, Value: *v, Usage: s.usage, DefaultText: "found by its name"}
	case *time.Duration:
		return &cli.DurationFlag{Name: s.name, Value: *v, Usage: s.usage}
	case *[]string:
		return &cli.StringSliceFlag{Name: s.name, Usage: s.usage, DefaultText: strings.Join(*v, ", ")}
	}
	return &cli.StringFlag{Name: s.name, Value: *s.value.(*string), Usage: s.usage}
}

// load reads the configuration file and puts the flags that were given over it.
func load(c *cli.Context) (s config.Isolation, err error) {
	if named := c.String("config"); named != "" {
		s, err = config.LoadIsolationNamed(named)
	} else {
		s, err = config.LoadIsolation(defaultConfig)
	}
	if err != nil {
		return s, err
	}
	for _, o := range settings(&s) {
		if !c.IsSet(o.name) {
			continue
		}
		switch v := o.value.(type) {
		case *bool:
			*v = c.Bool(o.name)
		case *int:
			*v = c.Int(o.name)
		case *time.Duration:
			*v = c.Duration(o.name)
		case *[]string:
			*v = c.StringSlice(o.name)
		case *string:
			*v = c.String(o.name)
		}
	}
	for i, text := range s.FrontEnds {
		if s.FrontEnds[i], err = config.ParseEndpoint(text); err != nil {
			return s, fmt.Errorf("--front-end: %w", err)
		}
	}
	return s, nil
}
