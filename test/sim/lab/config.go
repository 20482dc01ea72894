package lab

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/one"
	"one-ft/pkg/text"
	"one-ft/test/sim/cloud"
)

// Config says what cloud to run and which hooks it has.
type Config struct {
	Version string // of OpenNebula, such as 6.10.0
	Hosts   int    // node00, node01 and so on, IDs from 0
	VMs     int    // all of them running, in turn on one host after the other
	Port    int    // on 127.0.0.1; 0 is any free one
	Dir     string // ONE_LOCATION of the lab; "" is a new temporary directory

	HostHook string   // command line for a host in ERROR, "" for none
	VMHooks  []string // STATE=command line each
	// Stdin hands all words to the hooks on stdin, as ARGUMENTS_STDIN = yes does
	// from 5.10 on.
	Stdin bool

	Step        time.Duration // how long a driver works
	Interval    time.Duration // between two monitorings of a host
	Sched       time.Duration // between two runs of the scheduler
	HookTimeout time.Duration // after which a hook is killed
	// ShippedScheduler is the scheduler with the settings that the release comes with, whatever Sched is.
	ShippedScheduler bool

	// Network is how the hosts are connected; "" is a cloud whose drivers answer at once. With one,
	// Faster divides what ssh to a dead host takes, and CleanUpsHang is the share of clean-ups there that
	// never end: 83%, never or always; "" is what was measured.
	Network      cloud.Network
	Faster       float64
	CleanUpsHang string
}

// What a lab may have at the most: enough for a big cloud, and far from what
// makes a laptop swap.
const (
	maxHosts = 2000
	maxVMs   = 100000
	// maxFaster is the most that what ssh takes is divided by.
	maxFaster = 1000
)

// UsageError is wrong usage: one line that says what is allowed.
type UsageError struct{ text string }

// Error is the line.
func (e *UsageError) Error() string { return e.text }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// releases are those of OpenNebula that there are (its branches), from the oldest that one-ft knows.
func releases() []string {
	return []string{"4.4", "4.6", "4.8", "4.10", "4.12", "4.14", "5.0", "5.2", "5.4", "5.6", "5.8", "5.10", "5.12", "6.0", "6.2", "6.4", "6.6", "6.8", "6.10", "7.0", "7.2", "7.4"}
}

// version reads the version.
func (cfg Config) version() (one.Version, error) {
	version, err := one.ParseVersion(cfg.Version)
	numbers := regexp.MustCompile(`^\d+\.\d+(\.\d+)*$`).MatchString(cfg.Version)
	if err != nil || !numbers || !slices.Contains(releases(), fmt.Sprintf("%d.%d", version.Major, version.Minor)) {
		return version, Usagef("--version %s: no such release of OpenNebula is known; give one of %s, such as 6.10.0", text.Printable(cfg.Version), strings.Join(releases(), ", "))
	}
	return version, nil
}

// check refuses what cannot be and reads the version.
func (cfg Config) check() (one.Version, error) {
	version, err := cfg.version()
	switch {
	case err != nil:
		return version, err
	case cfg.Hosts < 1 || cfg.Hosts > maxHosts:
		return version, Usagef("--hosts %d: allowed are 1 to %d", cfg.Hosts, maxHosts)
	case cfg.VMs < 0 || cfg.VMs > maxVMs:
		return version, Usagef("--vms %d: allowed are 0 to %d", cfg.VMs, maxVMs)
	case cfg.Port < 0 || cfg.Port > 65535:
		return version, Usagef("--port %d: allowed are 1 to 65535, and 0 for any free port", cfg.Port)
	case cfg.Stdin && version.Before(5, 10):
		return version, Usagef("--stdin: hooks get their words on stdin only from OpenNebula 5.10 on, not on %s", version)
	case cfg.Network == "" && (cfg.Faster != 0 && cfg.Faster != 1 || cfg.CleanUpsHang != ""):
		return version, Usagef("--faster and --clean-ups-hang are about ssh: give --network local or --network routed, too")
	case cfg.Network != "" && cfg.Network != cloud.Local && cfg.Network != cloud.Routed:
		return version, Usagef("--network %s: allowed are local, where nobody answers for a dead host, and routed, where packets to it are dropped", text.Printable(string(cfg.Network)))
	case cfg.Faster != 0 && !(cfg.Faster >= 1 && cfg.Faster <= maxFaster):
		return version, Usagef("--faster %v: allowed are 1 to %d", cfg.Faster, maxFaster)
	}
	if _, err := cloud.ParseShare(cfg.CleanUpsHang); err != nil {
		return version, Usagef("--clean-ups-hang %s: %v", text.Printable(cfg.CleanUpsHang), err)
	}
	for name, d := range map[string]time.Duration{
		"--step": cfg.Step, "--interval": cfg.Interval, "--sched": cfg.Sched, "--hook-timeout": cfg.HookTimeout,
	} {
		if d <= 0 {
			return version, Usagef("%s %s: it must be more than 0, such as 300ms", name, d)
		}
	}
	return version, nil
}

// hooks reads the hooks' command lines.
func (cfg Config) hooks(version one.Version) ([]hook, error) {
	var list []hook
	if cfg.HostHook != "" {
		h := hook{host: true, hostState: one.HostError, stdin: cfg.Stdin}
		if err := h.parse("--host-hook", cfg.HostHook); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	for _, spec := range cfg.VMHooks {
		name, line, ok := strings.Cut(spec, "=")
		if !ok {
			return nil, Usagef("--vm-hook %s: write STATE=COMMAND, such as UNKNOWN=/usr/local/bin/vm_unknown", text.Printable(spec))
		}
		h := hook{stdin: cfg.Stdin}
		var known bool
		if h.vm, h.lcm, known = vmState(strings.TrimSpace(name)); !known {
			return nil, Usagef("--vm-hook %s: no VM state has this name; RUNNING, UNKNOWN and BOOT_FAILURE are some", text.Printable(name))
		}
		if h.vm == one.Failed && !version.Before(4, 14) {
			return nil, Usagef("--vm-hook FAILED: OpenNebula %s has no such state; it has BOOT_FAILURE, PROLOG_FAILURE and others", version)
		}
		if err := h.parse("--vm-hook", line); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}

// parse cuts a command line in two and finds the command.
func (h *hook) parse(flag, line string) error {
	h.command, h.args, _ = strings.Cut(strings.TrimSpace(line), " ")
	h.args = strings.TrimSpace(h.args)
	path, err := exec.LookPath(h.command)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return Usagef("%s: the command must be an executable file: %s", flag, text.Printable(err.Error()))
	}
	h.command = path
	return nil
}

// vmState finds a state by the name that the tables show.
func vmState(name string) (one.VMState, one.LCMState, bool) {
	name = strings.ToUpper(name)
	for s := one.Init; s <= one.CloningFailure; s++ {
		if s != one.Active && s.String() == name {
			return s, one.LCMInit, true
		}
	}
	for s := one.Prolog; s <= one.Restore; s++ {
		if s.String() == name {
			return one.Active, s, true
		}
	}
	return 0, 0, false
}

// hostState finds a state by the name that the tables show.
func hostState(name string) (one.HostState, bool) {
	for s := one.HostInit; s <= one.HostOffline; s++ {
		if s.String() == strings.ToUpper(name) {
			return s, true
		}
	}
	return 0, false
}

// user is the administrator of every lab.
const user = "oneadmin"

// simulated describes the cloud: hosts that have room for twice the VMs that
// they begin with.
func (cfg Config) simulated(password string) cloud.Config {
	c := cloud.Config{
		Version: cfg.Version, User: user, Password: password,
		MonitorInterval: cfg.Interval, Step: cfg.Step, SchedInterval: cfg.Sched, Network: cfg.Network, Faster: cfg.Faster,
		ShippedScheduler: cfg.ShippedScheduler,
	}
	c.CleanUpsHang, _ = cloud.ParseShare(cfg.CleanUpsHang) // it was checked
	if cfg.Network != "" {
		c.HostMessage = 10 * time.Minute // SYSTEM_HOST in PROBES_PERIOD of monitord.conf, 6.0 to 7.4
	}
	room := max(8, 2*(cfg.VMs/cfg.Hosts+1))
	for id := range cfg.Hosts {
		c.Hosts = append(c.Hosts, cloud.Host{ID: id, Name: fmt.Sprintf("node%02d", id), CPU: 100 * room, MemMB: 1024 * room})
	}
	since := time.Now().Add(-time.Hour).Unix()
	for id := range cfg.VMs {
		c.VMs = append(c.VMs, cloud.VM{
			ID: id, Name: fmt.Sprintf("vm%02d", id), State: one.Active, LCM: one.Running,
			Disks:   []map[string]string{{"DISK_ID": "0", "TYPE": "FILE"}},
			History: []cloud.Record{{HostID: id % cfg.Hosts, STime: since, PSTime: since, PETime: since + 1, RSTime: since + 1}},
		})
	}
	return c
}
