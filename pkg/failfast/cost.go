package failfast

import "time"

// Death is what a host that is off does to connections.
type Death string

// The deaths.
const (
	DeathRefused     Death = "refused"      // something answers for it: at once
	DeathUnreachable Death = "unreachable"  // a router says so
	DeathNoARP       Death = "no_arp"       // off, on the same network as the front-end
	DeathDropped     Death = "dropped"      // off behind a router, or filtered
	DeathStaleMaster Death = "stale_master" // on top of the others, while a persistent master is left
	DeathFrozen      Death = "frozen"       // its kernel accepts connections, and nobody answers
)

// Cost is how long one ssh command to such a host takes.
type Cost struct {
	Death Death
	// Takes is 0 for at once, or when there is no End.
	Takes time.Duration
	// Bounded: ConnectTimeout shortens it.
	Bounded bool
	// Endless: without ConnectTimeout it never ends.
	Endless bool
}

// Costs are measured with OpenNebula 6.10, its drivers and the ssh configuration that it ships, on
// OpenSSH 9.2 and Linux 6.18: 2.4, 3.07, 134 to 135 s, and 40 s for ServerAliveInterval 10 with a
// ServerAliveCountMax of 3.
func Costs() []Cost {
	return []Cost{
		{Death: DeathRefused},
		{Death: DeathUnreachable, Takes: 2400 * time.Millisecond, Bounded: true},
		{Death: DeathNoARP, Takes: 3 * time.Second, Bounded: true},
		{Death: DeathDropped, Takes: 135 * time.Second, Bounded: true},
		{Death: DeathStaleMaster, Takes: 40 * time.Second},
		{Death: DeathFrozen, Bounded: true, Endless: true},
	}
}

// CleanUpCommands are how many ssh commands oned runs on the dead host for each VM, one after the
// other: cancel, the network's clean, and delete for a VM with one disk (recreate of 4.4 to 7.4:
// src/vmm_mad/exec/one_vmm_exec.rb, src/tm_mad/one_tm.rb). More disks are more commands.
const CleanUpCommands = 3

// CleanUpThreads are how many VMs of all hosts are cleaned up at the same time (VM_MAD ARGUMENTS -t 15 of
// the oned.conf that 4.4 to 7.4 ship).
const CleanUpThreads = 15

// CleanUp is how long the clean-ups of a number of VMs take on a host that died so; timeout is the
// ConnectTimeout, 0 without. ok is false when they never end.
func CleanUp(death Death, vms int, timeout time.Duration) (took time.Duration, ok bool) {
	for _, c := range Costs() {
		if c.Death != death {
			continue
		}
		each := c.Takes
		if c.Bounded && timeout > 0 && (c.Endless || timeout < each) {
			each = timeout
		} else if c.Endless {
			return 0, false
		}
		rounds := (vms + CleanUpThreads - 1) / CleanUpThreads
		return time.Duration(rounds) * CleanUpCommands * each, true
	}
	return 0, false
}
