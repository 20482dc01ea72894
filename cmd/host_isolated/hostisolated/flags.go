package hostisolated

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"one-ft/pkg/app"
	"one-ft/pkg/config"
)

// defaultConfig is where packages put the configuration.
const defaultConfig = "/etc/one-ft/" + config.IsolationName

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
		all = append(all, s.flag)
	}
	return all
}

// setting is a flag for a setting of the file.
type setting struct {
	flag  cli.Flag
	apply func(c *cli.Context) // puts the flag over the setting, if it was given
}

func of[T any](value *T, given func(*cli.Context, string) T, flag cli.Flag) setting {
	return setting{flag, func(c *cli.Context) {
		if name := flag.Names()[0]; c.IsSet(name) {
			*value = given(c, name)
		}
	}}
}

// settings are those that have a flag: all but lists of programs. The values are the defaults of the flags.
func settings(s *config.Isolation) []setting {
	text := func(name string, v *string, usage string) setting {
		return of(v, (*cli.Context).String, &cli.StringFlag{Name: name, Value: *v, Usage: usage})
	}
	duration := func(name string, v *time.Duration, usage string) setting {
		return of(v, (*cli.Context).Duration, &cli.DurationFlag{Name: name, Value: *v, Usage: usage})
	}
	list := func(name string, v *[]string, usage string) setting {
		return of(v, (*cli.Context).StringSlice, &cli.StringSliceFlag{Name: name, Usage: usage, DefaultText: strings.Join(*v, ", ")})
	}
	return []setting{
		of(&s.Strict, (*cli.Context).Bool, &cli.BoolFlag{Name: "strict", Usage: "keep VMs only while oned says that this host is MONITORED (a lease)"}),
		list("front-end", &s.FrontEnds, "`ADDRESS` of oned: host, host:port or URL; may be repeated, each server of an HA cluster"),
		text("auth-file", &s.AuthFile, "`FILE` with user:token, to ask oned"),
		text("ca-file", &s.CAFile, "`FILE` with certificates to trust for https"),
		of(&s.HostID, (*cli.Context).Int, &cli.IntFlag{Name: "host-id", Value: s.HostID, Usage: "`ID` of this host in oned", DefaultText: "found by its name"}),
		text("host-name", &s.HostName, "`NAME` of this host in oned"),
		list("witness", &s.Witnesses, "`WITNESS` that tells that the network works: gateway, tcp://HOST:PORT, icmp://HOST, dns://HOST; may be repeated"),
		duration("interval", &s.Interval, "`TIME` from one round to the next with --watch"),
		duration("timeout", &s.Timeout, "the most `TIME` for one probe"),
		duration("cron-period", &s.CronPeriod, "`TIME` from one run to the next when cron starts it"),
		duration("after", &s.After, "stop VMs when isolated for this `TIME`, when not strict"),
		duration("lease", &s.Lease, "stop VMs when oned has not renewed the lease for this `TIME`, when strict"),
		duration("quiet", &s.Quiet, "stop nothing within this `TIME` after the boot"),
		of(&s.Action, (*cli.Context).String, &app.ValuesFlag{Values: []string{config.ActionDestroy, config.ActionShutdown, config.ActionCommand}, StringFlag: cli.StringFlag{
			Name: "action", Value: s.Action, Usage: "`HOW` to stop VMs: destroy (the VMs, the host stays up), shutdown (the host) or command (the program of --command)"}}),
		list("command", &s.Command, "`WORD` of the command of action command: its absolute path; repeated for its arguments"),
		text("libvirt", &s.Libvirt, "`URI` of libvirt"),
		duration("destroy-limit", &s.DestroyLimit, "the most `TIME` for destroying VMs through libvirt, before their processes are killed"),
		duration("shutdown-limit", &s.ShutdownLimit, "the most `TIME` for an orderly shutdown, before the host is forced off"),
		duration("command-limit", &s.CommandLimit, "the most `TIME` for the command"),
		text("watchdog", &s.Watchdog, "arm this hardware watchdog `DEVICE`, such as /dev/watchdog; with --watch"),
		duration("watchdog-timeout", &s.WatchdogTimeout, "`TIME` after which it resets a host that hangs"),
		text("state-dir", &s.StateDir, "`DIRECTORY` for the log of actions"),
		text("run-dir", &s.RunDir, "`DIRECTORY` for what is remembered until the next boot"),
	}
}

// load reads the configuration file and puts the flags that were given over it.
func load(c *cli.Context) (s config.Isolation, err error) {
	if s, err = config.LoadIsolation(c.String("config"), defaultConfig); err != nil {
		return s, err
	}
	for _, o := range settings(&s) {
		o.apply(c)
	}
	s.AfterSet = s.AfterSet || c.IsSet("after")
	for i, text := range s.FrontEnds {
		if s.FrontEnds[i], err = config.ParseEndpoint(text); err != nil {
			return s, fmt.Errorf("--front-end: %w", err)
		}
	}
	return s, nil
}
