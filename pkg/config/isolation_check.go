package config

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"
)

// Rounds of probes that have to fit between the first sign of trouble and the end of
// the host's patience. One may be lost. With cron a round is so rare that the second
// one decides.
const (
	watchRounds = 3
	cronRounds  = 2
)

// Check says what is wrong with c for host_isolated --watch: a value out of its range, or
// settings that contradict each other. It is for the end, after flags were put over the
// file. The error is one line that names the setting and says what is allowed; nil when
// c can be used.
func (c Isolation) Check() error {
	if err := c.checkValues(); err != nil {
		return err
	}
	least := watchRounds * c.Interval
	switch {
	case c.Timeout > c.Interval:
		return refuse(short(c.Interval)+" or less: interval", "timeout %s is too long", short(c.Timeout))
	case c.Timeout > c.CronPeriod/2:
		return c.timeoutOverPeriod()
	case c.Watchdog == "":
	case c.WatchdogTimeout%time.Second != 0:
		return refuse("whole seconds", "watchdog_timeout %s has a part of a second", short(c.WatchdogTimeout))
	case c.WatchdogTimeout < least:
		return refuse(fmt.Sprintf("%s or more: %d * interval", short(least), watchRounds),
			"watchdog_timeout %s is too short", short(c.WatchdogTimeout))
	}
	return c.checkPatience(least+c.Timeout, fmt.Sprintf("%d * interval + timeout", watchRounds))
}

// CheckCron is Check for host_isolated that cron starts: CronPeriod counts instead of
// Interval, and there is no watchdog.
func (c Isolation) CheckCron() error {
	if err := c.checkValues(); err != nil {
		return err
	}
	if c.Timeout > c.CronPeriod/2 {
		return c.timeoutOverPeriod()
	}
	return c.checkPatience(cronRounds*c.CronPeriod+c.Timeout, fmt.Sprintf("%d * cron_period + timeout", cronRounds))
}

// refuse makes the error for a setting.
func refuse(allowed, format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...), allowed}
}

// timeoutOverPeriod is the error for probes that take most of the time from one run to
// the next.
func (c Isolation) timeoutOverPeriod() error {
	return refuse(short(c.CronPeriod/2)+" or less: half of cron_period", "timeout %s is too long", short(c.Timeout))
}

// checkPatience looks whether what ends the VMs leaves time for enough rounds.
func (c Isolation) checkPatience(least time.Duration, formula string) error {
	key, value := "after", c.After
	if c.Strict {
		key, value = "lease", c.Lease
	}
	if value < least {
		return refuse(short(least)+" or more: "+formula, "%s %s is too short", key, short(value))
	}
	return nil
}

// checkValues looks at what does not depend on how host_isolated is started.
func (c Isolation) checkValues() error {
	for _, d := range c.durations() {
		if *d.value < d.low || *d.value > d.high {
			return refuse(short(d.low)+" to "+short(d.high), "%s %s is out of range", d.key, short(*d.value))
		}
	}
	for _, f := range c.paths() {
		if (*f.value != "" || f.needed) && !filepath.IsAbs(*f.value) {
			return refuse("an absolute path", "%s is not an absolute path", f.key)
		}
	}
	if err := c.checkNetwork(); err != nil {
		return err
	}
	if err := c.checkActions(); err != nil {
		return err
	}
	switch {
	case c.HostID < -1 || c.HostID > math.MaxInt32:
		return refuse(fmt.Sprintf("a number from 0 to %d", math.MaxInt32), "host_id %d is out of range", c.HostID)
	case !allPrintable(c.HostName):
		return refuse("the name of this host in oned", "host_name has a character that cannot be printed")
	case c.HostID >= 0 && c.HostName != "":
		return refuse(oneOfBoth, "host_id contradicts host_name")
	case c.Strict && c.AuthFile == "":
		return refuse("strict with auth_file, or neither", "strict without auth_file cannot ask oned about this host")
	case c.Strict && c.Quiet > c.Lease:
		return refuse(short(c.Lease)+" or less: lease", "quiet %s is too long for strict", short(c.Quiet))
	}
	return nil
}

// checkNetwork looks at what is probed.
func (c Isolation) checkNetwork() error {
	if len(c.FrontEnds) == 0 {
		return refuse(frontEndsForm, "no front_ends")
	}
	for i, text := range c.FrontEnds {
		if _, err := ParseEndpoint(text); err != nil {
			return fmt.Errorf("front_ends[%d]: %w", i, err)
		}
	}
	for i, text := range c.Witnesses {
		if _, err := ParseWitness(text); err != nil {
			return fmt.Errorf("witnesses[%d]: %w", i, err)
		}
	}
	if len(c.Witnesses) == 0 && !c.Strict {
		return refuse(witnessesForm+"; none only with strict", "no witnesses")
	}
	return nil
}

// checkActions looks at what is done to an isolated host.
func (c Isolation) checkActions() error {
	switch {
	case !slices.Contains(actions(), c.Action):
		return refuse(orList(actions()), "action %q is not known", shortened(c.Action))
	case c.Action == ActionCommand && len(c.Command) == 0:
		return refuse("action command with command", "action command without command")
	case c.Action != ActionCommand && len(c.Command) > 0:
		return refuse("command with action command only", "command contradicts action %s", c.Action)
	case len(c.Command) > 0 && !runnable(c.Command):
		return refuse("an absolute path and arguments", "command is not an absolute path")
	case !runnable(c.Shutdown):
		return refuse("an absolute path and arguments", "shutdown is not an absolute path")
	case len(c.PowerOff) == 0:
		return refuse(powerOffForm, "no power_off")
	}
	for i, way := range c.PowerOff {
		if !runnable(way, PowerOffSysrq) {
			return refuse("an absolute path and arguments, or sysrq alone", "power_off[%d] is not an absolute path", i)
		}
	}
	if _, err := parseLibvirt(c.Libvirt); err != nil {
		return fmt.Errorf("libvirt: %w", err)
	}
	return nil
}
