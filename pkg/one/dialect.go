package one

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"

	"one-ft/pkg/text"
)

// Version is an OpenNebula version, such as 6.10.0. Fix is the fourth number of a community release, such as 5.12.0.4.
type Version struct{ Major, Minor, Patch, Fix int }

// ParseVersion reads what one.system.version answers: two to four numbers with dots; anything behind them is ignored.
func ParseVersion(s string) (Version, error) {
	m := regexp.MustCompile(`^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3})(?:\.(\d{1,3}))?)?(?:\D|$)`).FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("oned reports version %q, which is not a version", text.Short(s, 40))
	}
	var v Version
	for i, part := range []*int{&v.Major, &v.Minor, &v.Patch, &v.Fix} {
		if m[i+1] != "" {
			*part, _ = strconv.Atoi(m[i+1]) // digits only, by the expression
		}
	}
	return v, nil
}

// String is the version as oned writes it.
func (v Version) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
	if v.Fix > 0 {
		s += fmt.Sprintf(".%d", v.Fix)
	}
	return s
}

// compare is below 0 when v is older than other, and above it when it is newer.
func (v Version) compare(other Version) int {
	return cmp.Or(cmp.Compare(v.Major, other.Major), cmp.Compare(v.Minor, other.Minor), cmp.Compare(v.Patch, other.Patch),
		cmp.Compare(v.Fix, other.Fix))
}

// Before reports whether v is older than major.minor.
func (v Version) Before(major, minor int) bool {
	return v.Major < major || v.Major == major && v.Minor < minor
}

// Dialect is what differs between versions, as seen from one-ft. The zero value is no version's.
type Dialect struct {
	Name  string // the range of versions, for messages
	Newer bool   // oned is newer than every version that was measured

	since Version
	// deleteByAction: delete and recreate are names for one.vm.action (to 4.14); later they are operations 3 and 4 of
	// one.vm.recover.
	deleteByAction bool
	recoverBool    bool   // one.vm.recover takes a boolean and knows neither retry nor more (to 4.12)
	bootAction     string // the one.vm.action that starts an UNKNOWN VM again
	migrateArgs    int    // how many arguments one.vm.migrate gets after the session
	poolQuery      bool   // one.vmpool.info takes a fifth argument (5.7.85 and later)

	HasSet bool // several VMs can be read by their IDs in one call (one.vmpool.infoset)
	// HasMonitord: hosts are monitored by monitord (5.12 and later): oned keeps when each was last heard of, apart from attempts.
	HasMonitord bool
	// HasFailedState: a failed prolog or boot ends in FAILED, out of which only delete and recreate lead; later versions
	// have *_FAILURE states.
	HasFailedState   bool
	RecreatesIdle    bool // SUSPENDED and POWEROFF VMs can be recreated directly; otherwise they have to be resumed first
	ReschedsUnknown  bool // an UNKNOWN VM can be rescheduled
	ReschedsPoweroff bool // a POWEROFF VM can be rescheduled
	MigratesIdle     bool // SUSPENDED and POWEROFF VMs can be migrated
	// MonitorSuspendsOnly: a VM that monitoring does not find becomes UNKNOWN, never POWEROFF (up to 4.6). MonitorSigns:
	// where monitoring puts a VM to rest it writes ActionMonitor into the last record (5.4 and later); before it leaves
	// there what was. Source: src/lcm/LifeCycleStates.cc, monitor_suspend_action and monitor_poweroff_action.
	MonitorSuspendsOnly, MonitorSigns bool
	// HidesOldGuests: oned finds the guests of a host that it has elsewhere and does not store them, so ZOMBIES is never there
	// (5.12.0 to 5.12.7: InformationManager::_vm_state updates the host and not the pool; 5.12.0.5, live).
	HidesOldGuests bool
	// NamesGuests: DEPLOY_ID of a guest of libvirt is its name, one-<ID> (to 5.10). Later it is the UUID, of imported and of
	// all others (vmm/remotes/kvm/deploy; InformationManager::_vm_state in 5.12.0 to 5.12.5).
	NamesGuests bool
}

// CanRetry reports whether a failed VM can be retried (4.14 and later).
func (d Dialect) CanRetry() bool { return !d.recoverBool }

// dialects is the table of all dialects, oldest first. Sources: live daemons (opennebula.md) for 4.4.1, 5.10.6, 6.10.0
// and 7.4.1; between them OpenNebula's source at each release: include/RequestManagerVirtualMachine.h (arguments),
// src/rm/RequestManagerVirtualMachine.cc (actions, operations) and src/dm/DispatchManagerActions.cc (states).
func dialects() []Dialect {
	d44 := Dialect{Name: "4.4 to 4.8", since: Version{Major: 4, Minor: 4}, deleteByAction: true, recoverBool: true,
		bootAction: "boot", migrateArgs: 4, HasFailedState: true, NamesGuests: true}
	d410 := d44
	d410.Name, d410.since, d410.ReschedsUnknown = "4.10 to 4.12", Version{Major: 4, Minor: 10}, true
	d414 := d410
	d414.Name, d414.since = "4.14", Version{Major: 4, Minor: 13} // 4.13.x are the betas of 4.14
	d414.recoverBool, d414.HasFailedState, d414.bootAction = false, false, "resume"
	d414.migrateArgs, d414.MigratesIdle = 5, true
	d50 := d414
	d50.Name, d50.since, d50.deleteByAction = "5.0 to 5.6", Version{Major: 4, Minor: 90}, false // 4.90.x are the betas of 5.0
	d58 := d50
	d58.Name, d58.since, d58.poolQuery, d58.migrateArgs = "5.8", Version{Major: 5, Minor: 7, Patch: 85}, true, 6
	d510 := d58
	d510.Name, d510.since, d510.ReschedsPoweroff = "5.10", Version{Major: 5, Minor: 9}, true
	d5120 := d510
	d5120.Name, d5120.since, d5120.NamesGuests = "5.12.0 to 5.12.0.3", Version{Major: 5, Minor: 11}, false // 5.11.x are the betas of 5.12
	d5120.HasMonitord = true
	// The set came with a fix of the community's 5.12.0 and of the subscribers' 5.12.5; those numbers were given out in parallel.
	d5124 := d5120
	d5124.Name, d5124.since, d5124.HasSet = "5.12.0.4 and later fixes of 5.12.0", Version{Major: 5, Minor: 12, Fix: 4}, true
	d5121 := d5120
	d5121.Name, d5121.since = "5.12.1 to 5.12.5", Version{Major: 5, Minor: 12, Patch: 1}
	d512 := d5121
	d512.Name, d512.since, d512.HasSet = "5.12.6 to 6.8", Version{Major: 5, Minor: 12, Patch: 6}, true
	d610 := d512
	d610.Name, d610.since, d610.RecreatesIdle = "6.10 to 7.4", Version{Major: 6, Minor: 9, Patch: 80}, true
	return []Dialect{d44, d410, d414, d50, d58, d510, d5120, d5124, d5121, d512, d610}
}

// DialectFor chooses the dialect of a version. A version newer than all that were measured gets the newest dialect,
// marked Newer; one older than 4.4 is refused with ErrTooOld.
func DialectFor(v Version) (Dialect, error) {
	var chosen Dialect
	for _, d := range dialects() {
		if d.since.compare(v) <= 0 {
			chosen = d
		}
	}
	if chosen.Name == "" {
		return chosen, fmt.Errorf("oned reports version %s: %w; one-ft works with 4.4 and later", v, ErrTooOld)
	}
	chosen.Newer = Version{Major: 7, Minor: 4}.Before(v.Major, v.Minor)               // the newest that was measured live
	chosen.MonitorSuspendsOnly, chosen.MonitorSigns = v.Before(4, 7), !v.Before(5, 4) // 4.7.80 is the beta of 4.8
	chosen.HidesOldGuests = chosen.HasMonitord && v.compare(Version{Major: 5, Minor: 12, Patch: 8}) < 0
	return chosen, nil
}
