package recovery

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/wording"
)

// What a proof covers. A machine that is off runs nothing. A lease only says that host_isolated has stopped the guests of
// libvirt and, where the host publishes so, of LXC that are named one-<ID>, and that the entry of the host in oned renewed
// nothing: it says nothing of the guests of other drivers, of imported ones, which are stopped only where oned was asked
// about them in time, and of a machine that is two hosts in oned, where the other entry goes on renewing the lease.

// covered is the step, or the one that leaves the VM because no proof, or not this one, lets it be started elsewhere.
func (s Snapshot) covered(step Step) Step {
	driver := s.driverOf(step.VM)
	switch {
	case !step.Verb.Acts() || step.Verb == VerbReturn: // which starts nothing elsewhere
		return step
	case Foreign(step.VM, driver, s.Dialect) && step.Verb != VerbDelete:
		return step.unhandled(wording.Imported)
	case !s.Leased:
		return step
	case len(s.Twins) > 0:
		step.Refused = true
		return step.unhandled(wording.SameMachine, s.Twins[0].ID, s.Twins[0].Name)
	case !Leasable(step.VM, driver, s.Host, s.Dialect):
		step.Refused = true
		return step.unhandled(wording.NotLeased, guestOf(step.VM, driver, s.Dialect))
	}
	return step
}

// Stray is the step for a VM that somebody else has recreated, and whose clean-up on the host has not ended: to end it starts
// the VM elsewhere.
func (s Snapshot) Stray(vm one.VM) Step {
	return s.covered(Step{VM: vm, Verb: VerbRecreate, Target: -1, Reason: wording.Of(wording.StrayCleanup)})
}

// driverOf is the driver of the guest of a VM: that of its last record, or of its host where the answer has none (short
// bodies of 5.10).
func (s Snapshot) driverOf(vm one.VM) string {
	last, _ := vm.Last()
	return cmp.Or(last.Driver, s.Host.VMDriver)
}

// Foreign reports whether a VM is a guest that OpenNebula did not start. OpenNebula cannot start it elsewhere: from 4.12 to
// 6.10 a recreate makes it RUNNING on a host of the scheduler's choice without any call of a driver (DispatchManager::import),
// and from 7.0 on it is deployed from a template that has no disks.
func Foreign(vm one.VM, driver string, d one.Dialect) bool {
	renamed := d.NamesGuests && byLibvirt(driver) && vm.DeployID != "" && vm.DeployID != fmt.Sprintf("one-%d", vm.ID)
	return vm.Imported || renamed
}

// Leasable reports whether host_isolated on a host stops the guest of a VM. Which drivers it knows besides those of libvirt,
// the host publishes in FT_LEASE_COVERS (host_isolated --print-bound): a host_isolated that does not publish it knows no other.
func Leasable(vm one.VM, driver string, h one.Host, d one.Dialect) bool {
	covers := strings.Fields(strings.ToLower(h.Template["FT_LEASE_COVERS"]))
	return (byLibvirt(driver) || guestless(driver) || byLXC(driver) && slices.Contains(covers, "lxc")) && !Foreign(vm, driver, d)
}

// byLXC reports whether a driver of this name has its guests by the tools of LXC (since 6.0); that of LXD has not.
func byLXC(driver string) bool { return strings.EqualFold(driver, "lxc") }

// guestless reports whether a driver of this name starts nothing: OpenNebula's own one for trials (dummy, 4.4 to 7.4).
func guestless(driver string) bool { return strings.EqualFold(driver, "dummy") }

// byLibvirt reports whether a driver of this name has the guests that virsh lists on a host: kvm and qemu, and those that a site
// has derived from them, such as kvm_emulated. Others that ship, such as xen, lxc and firecracker, have not; the names are free,
// so an unknown one has not either.
func byLibvirt(driver string) bool {
	driver = strings.ToLower(driver)
	return strings.HasPrefix(driver, "kvm") || strings.HasPrefix(driver, "qemu")
}

// guestOf says what a guest is that host_isolated does not stop.
func guestOf(vm one.VM, driver string, d one.Dialect) wording.Message {
	if Foreign(vm, driver, d) {
		return wording.Of(wording.GuestImported)
	}
	return wording.Of(wording.GuestOfDriver, cmp.Or(driver, "unknown"))
}

// Twins are the other hosts that are the same machine as a host: with its name, or with what it calls itself.
func Twins(host one.Host, hosts []one.Host) (twins []one.Host) {
	return slices.DeleteFunc(slices.Clone(hosts), func(h one.Host) bool {
		same := h.Name == host.Name && h.Name != "" || h.Machine() == host.Machine() && h.Machine() != ""
		return !same || h.ID == host.ID || h.API() != ""
	})
}

// Runs reports whether a host runs the guests of a driver: "" is one that is not known. oned lets the scheduler place VMs of
// any driver on any host but those of public clouds (AUTOMATIC_REQUIREMENTS, 4.4 to 7.4), where their deployment fails.
func Runs(h one.Host, driver string) bool {
	if driver == "" || h.VMDriver == "" {
		return h.API() == ""
	}
	return h.VMDriver == driver
}
