package recovery

import "one-ft/pkg/one"

// Lives reports whether the VMs of a host that oned calls failed say that it is monitored again: at least one that
// nobody asked to end is RUNNING there, and none is UNKNOWN. A VM whose shutdown was given up by its driver is
// RUNNING on a host that is dead (measured on 6.10 and 7.4); its record has the action that was asked for.
func Lives(vms []one.VM, host int) bool {
	running := 0
	for _, vm := range vms {
		last, placed := vm.Last()
		switch {
		case !placed || last.HostID != host:
		case vm.Is(one.Unknown):
			return false
		case vm.Is(one.Running) && last.Action == 0:
			running++
		}
	}
	return running > 0
}
