// Package guest finds the VMs of OpenNebula on this KVM host and stops them in a bounded
// time, so certainly that a wait of that time may be taken for a proof that none of them
// runs any more.
//
// A VM of OpenNebula is a libvirt domain with the exact name "one-<ID>", or a QEMU
// process that was started with this name. Nothing else is touched, with one exception:
// a host that is powered off takes everything with it.
//
// # What "gone" means
//
// libvirt is asked and told first, but it is not believed: it may be dead, hang, or say
// "destroyed" too early. A VM is gone when no QEMU process of it is left, with all of
// its threads: a thread that waits for a dead disk can still write to it later, also
// when the process shows as a zombie. While libvirt answers, its list must not have the
// VM, either. A process that looks like QEMU and whose arguments the kernel does not
// show (it is ending, or its memory is locked) is not touched, but as long as it is
// there nothing counts as gone.
//
// # What may hang
//
// A host without network may have lost its disks, too. So every program is run beside
// the work and left behind when its time is over, what the kernel shows of a process is
// read the same way, and so is the file that the kernel is told through. A program is
// read before it is started: starting one whose disk does not answer would hold up all
// of this process. What is left behind is a goroutine for each such thing, until it
// answers.
//
// # The end of a context
//
// It stops the work between two steps, and nothing is forced after it. Only what the end
// of this process may be a part of goes on: once the host was told to go down, the
// signal that comes with it changes nothing.
package guest
