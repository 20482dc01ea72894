// Package hostisolated is host_isolated: its flags, and how they become settings.
package hostisolated

import (
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/cli"

	"one-ft/pkg/config"
)

// DefaultConfig is where packages put the configuration.
const DefaultConfig = "/etc/one-ft/" + config.IsolationName

const synopsis = `host_isolated [options]            one round, for cron
   host_isolated --watch [options]    rounds for ever, for systemd

   On a host, by hand:
     host_isolated --check            what is reachable, what would be done now, and how
                                      long it takes at most
     host_isolated --watch --drill    the whole decision; nothing is stopped

   Settings are in /etc/one-ft/host_isolated.yaml. At least:
     front_ends: [10.0.0.1]
   and for a host that a front-end fences by FENCE_LEASE:
     strict: true
     auth_file: /etc/one-ft/token

   Exit codes: 0 done, or nothing to do; 1 VMs could not be stopped, or --check found
   something wrong; 2 wrong usage or configuration.`

// Command is host_isolated as a command line without an action.
func Command() *cli.Command {
	return &cli.Command{Name: "host_isolated", Usage: "stop the VMs of a host that lost the network", Synopsis: synopsis, Flags: flags()}
}

// flags are what host_isolated can be told; each setting of the file has one.
func flags() []cli.Flag {
	d := config.DefaultIsolation()
	duration := func(name string, value time.Duration, usage string) cli.Flag {
		return &cli.DurationFlag{Name: name, Value: value, Usage: usage}
	}
	text := func(name, value, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: value, Usage: usage}
	}
	return []cli.Flag{
		&cli.BoolFlag{Name: "watch", Usage: "make rounds until told to end, as a service of systemd"},
		&cli.BoolFlag{Name: "check", Usage: "show what is reachable, what would be done now, and the bound; change nothing"},
		&cli.BoolFlag{Name: "drill", Aliases: []string{"dry-run"}, Usage: "decide as always, but only say what would be done"},
		&cli.BoolFlag{Name: "print-bound", Usage: "print what this host promises, as attributes for a monitoring probe of OpenNebula"},
		&cli.StringFlag{Name: "config", Usage: "configuration `FILE`; options win over it", DefaultText: DefaultConfig},
		&cli.BoolFlag{Name: "strict", Usage: "keep VMs only while oned says that this host is MONITORED (a lease)"},
		&cli.StringSliceFlag{Name: "front-end", Usage: "`ADDRESS` of oned: host, host:port or URL; may be repeated, each server of an HA cluster"},
		text("auth-file", "", "`FILE` with user:token, to ask oned"),
		text("ca-file", "", "`FILE` with certificates to trust for https"),
		&cli.IntFlag{Name: "host-id", Value: d.HostID, Usage: "`ID` of this host in oned", DefaultText: "found by its name"},
		text("host-name", "", "`NAME` of this host in oned"),
		&cli.StringSliceFlag{Name: "witness", Usage: "`WITNESS` that tells that the network works: gateway, tcp://HOST:PORT, icmp://HOST, dns://HOST; may be repeated", DefaultText: strings.Join(d.Witnesses, ", ")},
		duration("interval", d.Interval, "`TIME` from one round to the next with --watch"),
		duration("timeout", d.Timeout, "the most `TIME` for one probe"),
		duration("cron-period", d.CronPeriod, "`TIME` from one run to the next when cron starts it"),
		duration("after", d.After, "stop VMs when isolated for this `TIME`, when not strict"),
		duration("lease", d.Lease, "stop VMs when oned has not renewed the lease for this `TIME`, when strict"),
		duration("quiet", d.Quiet, "stop nothing within this `TIME` after the boot"),
		&cli.StringFlag{Name: "action", Value: d.Action, Usage: "`HOW` to stop VMs", Values: []string{"destroy", "shutdown", "command"}},
		&cli.StringSliceFlag{Name: "command", Usage: "`WORD` of the command of action command: its absolute path; repeated for its arguments"},
		text("libvirt", d.Libvirt, "`URI` of libvirt"),
		duration("destroy-limit", d.DestroyLimit, "the most `TIME` for destroying VMs through libvirt, before their processes are killed"),
		duration("shutdown-limit", d.ShutdownLimit, "the most `TIME` for an orderly shutdown, before the host is forced off"),
		duration("command-limit", d.CommandLimit, "the most `TIME` for the command"),
		text("watchdog", "", "arm this hardware watchdog `DEVICE`, such as /dev/watchdog; with --watch"),
		duration("watchdog-timeout", d.WatchdogTimeout, "`TIME` after which it resets a host that hangs"),
		text("state-dir", d.StateDir, "`DIRECTORY` for the log of actions"),
		text("run-dir", d.RunDir, "`DIRECTORY` for what is remembered until the next boot"),
	}
}

// Load reads the configuration file and puts the flags over it.
func Load(c *cli.Context) (s config.Isolation, err error) {
	if named := c.String("config"); named != "" {
		s, err = config.LoadIsolationNamed(named)
	} else {
		s, err = config.LoadIsolation(DefaultConfig)
	}
	if err != nil {
		return s, err
	}
	over(c, c.Duration, map[string]*time.Duration{
		"interval": &s.Interval, "timeout": &s.Timeout, "cron-period": &s.CronPeriod, "after": &s.After, "lease": &s.Lease, "quiet": &s.Quiet,
		"destroy-limit": &s.DestroyLimit, "shutdown-limit": &s.ShutdownLimit, "command-limit": &s.CommandLimit, "watchdog-timeout": &s.WatchdogTimeout,
	})
	over(c, c.String, map[string]*string{
		"auth-file": &s.AuthFile, "ca-file": &s.CAFile, "host-name": &s.HostName, "action": &s.Action, "libvirt": &s.Libvirt,
		"watchdog": &s.Watchdog, "state-dir": &s.StateDir, "run-dir": &s.RunDir,
	})
	over(c, c.StringSlice, map[string]*[]string{"front-end": &s.FrontEnds, "witness": &s.Witnesses, "command": &s.Command})
	over(c, c.Bool, map[string]*bool{"strict": &s.Strict})
	over(c, c.Int, map[string]*int{"host-id": &s.HostID})
	for i, text := range s.FrontEnds {
		if s.FrontEnds[i], err = config.ParseEndpoint(text); err != nil {
			return s, fmt.Errorf("--front-end: %w", err)
		}
	}
	return s, nil
}

// over puts the flags that were given over settings.
func over[T any](c *cli.Context, value func(string) T, settings map[string]*T) {
	for name, setting := range settings {
		if c.IsSet(name) {
			*setting = value(name)
		}
	}
}
