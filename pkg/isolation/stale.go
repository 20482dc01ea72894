package isolation

import (
	"fmt"

	"one-ft/pkg/one"
)

// Stale reports whether a guest of a VM that runs on a host is a stale copy, with the
// reason: oned has the VM on another host, is placing it again, or has ended it. A VM that
// is migrating may still run at its source.
func Stale(vm one.VM, hostID int) (why string, stale bool) {
	switch {
	case vm.State == one.Done:
		return "oned has ended it (DONE)", true
	case vm.State == one.Pending, vm.State == one.Hold, vm.Is(one.CleanupResubmit):
		return fmt.Sprintf("oned is placing it again (%s)", vm.Status()), true
	}
	last, placed := vm.Last()
	if !placed || last.HostID == hostID {
		return "", false
	}
	if source, known := vm.Previous(); known && vm.Migrating() && source.HostID == hostID {
		return "", false
	}
	return fmt.Sprintf("oned has it on host %d (%s), %s", last.HostID, last.Host, vm.Status()), true
}
