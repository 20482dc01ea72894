package config

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// change is a change of what is enough, and what Check then says with and without cron; "" when
// it is allowed.
type change struct {
	set         func(*Isolation)
	watch, cron string
}

// both is a change that Check refuses alike, with cron and without.
func both(want string, set func(*Isolation)) change { return change{set, want, want} }

// checks makes the change to what is enough for both ways to start host_isolated.
func (c change) checks(t *testing.T) {
	t.Helper()
	settings := enough()
	settings.After, settings.Lease = 10*time.Minute, 10*time.Minute // enough for cron
	c.set(&settings)
	for name, got := range map[string]struct {
		err  error
		want string
	}{"watch": {settings.Check(false), c.watch}, "cron": {settings.Check(true), c.cron}} {
		if text := errorText(got.err); text != got.want {
			t.Errorf("%s: got %s\nwant %s", name, text, got.want)
		}
	}
}

// errorText is "" for no error.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// strictly makes an Isolation strict.
func strictly(c *Isolation) { c.Strict, c.AuthFile = true, "/a" }

func TestCheckContradictions(t *testing.T) {
	for _, c := range []change{
		both("", func(*Isolation) {}),
		both("", strictly),
		both("no front_ends; allowed is a list of the front-ends, such as [one1.example, one2.example]", func(c *Isolation) { c.FrontEnds = nil }),
		both("strict without auth_file cannot ask oned about this host; allowed is strict with auth_file, or neither", func(c *Isolation) { c.Strict = true }),
		both("no witnesses; allowed is a list of witnesses, such as [gateway, tcp://10.0.0.2:22]; none only with strict", func(c *Isolation) { c.Witnesses = nil }),
		both("", func(c *Isolation) { strictly(c); c.Witnesses = nil }),
		both("host_id contradicts host_name; allowed is one of both: each says which host this is", func(c *Isolation) { c.HostID, c.HostName = 0, "a" }),
		both("", func(c *Isolation) { c.HostName = "a" }),
		both("action command without command; allowed is action command with command", func(c *Isolation) { c.Action = ActionCommand }),
		both("command contradicts action destroy; allowed is command with action command only", func(c *Isolation) { c.Command = []string{"/a"} }),
		both("command contradicts action shutdown; allowed is command with action command only", func(c *Isolation) { c.Action, c.Command = ActionShutdown, []string{"/a"} }),
		both("", func(c *Isolation) { c.Action, c.Command = ActionCommand, []string{"/a"} }),
		both("quiet 10m1s is too long for strict; allowed is 10m or less: lease", func(c *Isolation) { strictly(c); c.Quiet = c.Lease + time.Second }),
		both("", func(c *Isolation) { strictly(c); c.Quiet = c.Lease }),
		both("", func(c *Isolation) { c.Quiet = time.Hour }),
		both("timeout 6s is too long; allowed is 5s or less: half of cron_period", func(c *Isolation) { c.Interval, c.Timeout, c.CronPeriod = 6*time.Second, 6*time.Second, 10*time.Second }),
		both("", func(c *Isolation) { c.Timeout, c.CronPeriod = 5*time.Second, 10*time.Second }),
		{func(c *Isolation) { c.Timeout = 6 * time.Second }, "timeout 6s is too long; allowed is 5s or less: interval", ""},
	} {
		c.checks(t)
	}
}

// What ends the VMs leaves time for enough rounds; only the one that counts is asked.
func TestCheckPatience(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []change{
		{func(c *Isolation) { c.After = 18*time.Second - ms }, "after 17.999s is too short; allowed is 18s or more: 3 * interval + timeout",
			"after 17.999s is too short; allowed is 2m3s or more: 2 * cron_period + timeout"},
		{func(c *Isolation) { c.After, c.Lease = 18*time.Second, 10*time.Second }, "", "after 18s is too short; allowed is 2m3s or more: 2 * cron_period + timeout"},
		{func(c *Isolation) { c.After = 2*time.Minute + 3*time.Second }, "", ""},
		{func(c *Isolation) { c.Interval, c.Timeout, c.After = time.Minute, 30*time.Second, 3*time.Minute }, "after 3m is too short; allowed is 3m30s or more: 3 * interval + timeout", ""},
		{func(c *Isolation) { strictly(c); c.Quiet, c.Lease = 0, 18*time.Second-ms }, "lease 17.999s is too short; allowed is 18s or more: 3 * interval + timeout",
			"lease 17.999s is too short; allowed is 2m3s or more: 2 * cron_period + timeout"},
		{func(c *Isolation) { strictly(c); c.Quiet, c.Lease, c.After = 0, 18*time.Second, 10*time.Second }, "", "lease 18s is too short; allowed is 2m3s or more: 2 * cron_period + timeout"},
		{func(c *Isolation) { strictly(c); c.Lease = 2*time.Minute + 3*time.Second }, "", ""},
		{func(c *Isolation) { c.Watchdog, c.WatchdogTimeout = "/w", 14*time.Second }, "watchdog_timeout 14s is too short; allowed is 15s or more: 3 * interval", ""},
		{func(c *Isolation) { c.Watchdog, c.WatchdogTimeout = "/w", 15500*ms }, "watchdog_timeout 15.5s has a part of a second; allowed is whole seconds", ""},
		{func(c *Isolation) { c.Watchdog, c.WatchdogTimeout = "/w", 15*time.Second }, "", ""},
		{func(c *Isolation) { c.WatchdogTimeout = 5500 * ms }, "", ""},
	} {
		c.checks(t)
	}
}

// Flags may bring what no file can say.
func TestCheckValues(t *testing.T) {
	for _, c := range []change{
		both("front_ends: item 2: neither http nor https; allowed is "+endpointForm, func(c *Isolation) { c.FrontEnds = []string{"one", "s3cret://one"} }),
		both("witnesses: item 1: a character that cannot be printed; allowed is gateway, tcp://HOST:PORT, icmp://HOST or dns://HOST[:PORT]", func(c *Isolation) { c.Witnesses = []string{"\x1b"} }),
		both("witnesses: item 2: no port; allowed is "+witnessForm, func(c *Isolation) { strictly(c); c.Witnesses = []string{"gateway", "tcp://a"} }),
		both("host_id: \"-2\" is out of range; allowed is a number from 0 to 2147483647", func(c *Isolation) { c.HostID = -2 }),
		both("host_id: \"2147483648\" is out of range; allowed is a number from 0 to 2147483647", func(c *Isolation) { c.HostID = math.MaxInt32; c.HostID++ }),
		both("", func(c *Isolation) { c.HostID = math.MaxInt32 }),
		both("host_name: a character that cannot be printed; allowed is the name of this host in oned", func(c *Isolation) { c.HostName = "a\nb" }),
		both(`action: a character that cannot be printed; allowed is destroy, shutdown or command`, func(c *Isolation) { c.Action = "\x1b" }),
		both("command: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/local/bin/on-isolation, --now]", func(c *Isolation) { c.Action, c.Command = ActionCommand, []string{"sysrq"} }),
		both("shutdown: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff]", func(c *Isolation) { c.Shutdown = nil }),
		both("shutdown: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff]", func(c *Isolation) { c.Shutdown = []string{"halt"} }),
		both("no power_off; allowed is a list of programs with their arguments, and [sysrq]", func(c *Isolation) { c.PowerOff = nil }),
		both("power_off: item 2: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff, --force], or [sysrq]", func(c *Isolation) { c.PowerOff = [][]string{{"/a"}, {"sysrq", "x"}} }),
		both("power_off: item 1: the program is not an absolute path; allowed is a list of an absolute path and arguments, such as [/usr/bin/systemctl, poweroff, --force], or [sysrq]", func(c *Isolation) { c.PowerOff = [][]string{{}} }),
		both("libvirt: not a URI; allowed is the URI of libvirt on this host, such as qemu:///system", func(c *Isolation) { c.Libvirt = "-c" }),
		both("auth_file: not an absolute path; allowed is an absolute path", func(c *Isolation) { c.AuthFile = "u:s3cret" }),
		both("ca_file: not an absolute path; allowed is an absolute path", func(c *Isolation) { c.CAFile = "a" }),
		both("watchdog: not an absolute path; allowed is an absolute path", func(c *Isolation) { c.Watchdog = "a" }),
		both("state_dir: not an absolute path; allowed is an absolute path", func(c *Isolation) { c.StateDir = "" }),
		both("run_dir: not an absolute path; allowed is an absolute path", func(c *Isolation) { c.RunDir = "" }),
	} {
		c.checks(t)
	}
}

// limit is a duration of an Isolation and its range.
type limit struct {
	key       string
	value     *time.Duration
	low, high time.Duration
	allowed   string
}

// limits are the ranges as the fields of Isolation document them.
func limits(c *Isolation) []limit {
	const s, m = time.Second, time.Minute
	return []limit{
		{"interval", &c.Interval, s, m, "1s to 1m"},
		{"timeout", &c.Timeout, s / 2, 30 * s, "500ms to 30s"},
		{"cron_period", &c.CronPeriod, 10 * s, 10 * m, "10s to 10m"},
		{"after", &c.After, 10 * s, 60 * m, "10s to 1h"},
		{"lease", &c.Lease, 10 * s, 60 * m, "10s to 1h"},
		{"quiet", &c.Quiet, 0, 60 * m, "0s to 1h"},
		{"destroy_limit", &c.DestroyLimit, s, 5 * m, "1s to 5m"},
		{"shutdown_limit", &c.ShutdownLimit, 10 * s, 30 * m, "10s to 30m"},
		{"command_limit", &c.CommandLimit, s, 10 * m, "1s to 10m"},
		{"watchdog_timeout", &c.WatchdogTimeout, 5 * s, 5 * m, "5s to 5m"},
	}
}

func TestCheckRanges(t *testing.T) {
	var none Isolation
	for i, limit := range limits(&none) {
		at := func(value time.Duration) func(*Isolation) {
			return func(c *Isolation) { *limits(c)[i].value = value }
		}
		for _, value := range []time.Duration{limit.low - 1, limit.high + 1, -time.Hour, math.MaxInt64, math.MinInt64} {
			both(limit.key+": \""+short(value)+"\" is out of range; allowed is "+limit.allowed, at(value)).checks(t)
		}
		for _, value := range []time.Duration{limit.low, limit.high} {
			c := enough()
			at(value)(&c)
			if text := errorText(c.Check(false)); strings.Contains(text, "out of range") {
				t.Error(text)
			}
		}
	}
	durations := 0
	for i := range reflect.TypeFor[Isolation]().NumField() {
		if reflect.TypeFor[Isolation]().Field(i).Type == reflect.TypeFor[time.Duration]() {
			durations++
		}
	}
	if durations != len(limits(&none)) {
		t.Errorf("%d durations, %d of them tested", durations, len(limits(&none)))
	}
}

// TestForCron: the defaults work for cron, too, and what somebody has set is never changed.
func TestForCron(t *testing.T) {
	c := DefaultIsolation()
	c.FrontEnds = []string{"10.0.0.1"}
	if c.Check(true) == nil {
		t.Error("the default after is long enough for cron: ForCron is of no use")
	}
	if err := c.ForCron().Check(true); err != nil || c.ForCron().After != 2*time.Minute+3*time.Second {
		t.Error(c.ForCron().After, err)
	}
	c.AfterSet = true
	if c.ForCron().After != time.Minute || c.ForCron().Check(true) == nil {
		t.Error("an after that was set is changed")
	}
	c.AfterSet, c.Strict, c.AuthFile = false, true, "/t"
	if c.ForCron().Lease != time.Minute {
		t.Error("a lease is changed")
	}
}
