// Package guest finds the VMs of OpenNebula on this KVM host and stops them in a bounded time, so certainly that a
// wait of that time may be taken for a proof that none of them runs any more.
//
// A VM of OpenNebula is a libvirt domain with the exact name "one-<ID>", or a QEMU process that was started with this
// name. Nothing else is touched, except that a host that is powered off takes everything with it.
//
// libvirt is asked and told first, but it is not believed: it may be dead, hang, or say "destroyed" too early. A VM
// is gone when no QEMU process of it is left, with all of its threads: one that waits for a dead disk can still write
// to it later, also when the process shows as a zombie. While libvirt answers, its list must not have the VM, either.
// A process that looks like QEMU and whose arguments the kernel does not show (it is ending, or its memory is locked)
// is not touched, but as long as it is there nothing counts as gone.
//
// A host without network may have lost its disks, too. So whatever may hang (programs, what the kernel shows of a
// process, the file that the kernel is told through) runs beside the work, and is left behind, a goroutine each, when
// its time is over. A program is read before it is started: starting one whose disk does not answer would hold up all
// of this process.
//
// The end of a context stops the work between two steps, and nothing is forced after it. Only what the end of this
// process may be a part of continues: once the host was told to go down, the signal that comes with it changes
// nothing.
package guest
