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

import (
	"errors"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/wording"
)

// Host is this host: where its VMs are found, and what they are stopped with. Nothing has a default here, so the zero
// value can neither find nor stop anything. Its methods may be called at the same time.
type Host struct {
	// Settings say how VMs are stopped (Action and what belongs to it), how long each stage may take, and how libvirt
	// is called. What Command leaves running in its process group is killed when it ends.
	Settings config.Isolation
	// Virsh is the path of virsh; "": it is looked for in /usr/bin, /bin and PATH.
	Virsh string
	// Proc is where the kernel shows processes: "/proc".
	Proc string
	// SysrqTrigger is the file that the kernel is told through, /proc/sysrq-trigger; "": config.PowerOffSysrq is not
	// available.
	SysrqTrigger string
	// KillLimit is the most time from the SIGKILL until all VMs are gone. The kernel has to free their memory in it.
	KillLimit time.Duration
	// PowerOffLimit is the most time for each way to force the host off; config.PowerOffSysrq, to power off and then
	// to reset, has it twice.
	PowerOffLimit time.Duration
	// Notify gets what is done (wording.GuestStep) and what went wrong (wording.GuestTrouble). It must not block. It is
	// called from several goroutines, by one at a time, and not any more when the method that was called has returned.
	// It may be nil.
	Notify func(wording.Message)
}

const (
	// lookLimit is the most time for one look at all processes. A look takes about 50 ms per 1000 processes
	// (measured, 2 cores); this is for a host with a high load.
	lookLimit = 2 * time.Second
	// fairAsk is less than what libvirt is given for its list; a sound one takes 20 ms.
	fairAsk = 500 * time.Millisecond
	// lastLimit is for a last look at the end of a stage: at the processes, and half of the rest for libvirt, which
	// is not less than fairAsk then.
	lastLimit = lookLimit + 2*fairAsk
	// Margin is what Bound adds to the limits: for a last look before the host is forced off (3 s), and for a machine
	// that is slow to run this process (2 s).
	Margin = lastLimit + 2*time.Second
)

// ErrLeft means that VMs of OpenNebula are left on this host, or that nobody can tell.
var ErrLeft = errors.New("VMs of OpenNebula may still run on this host")

// Outcome is what Stop came to.
type Outcome struct {
	// Found are all VMs that were seen, by ID.
	Found []Guest
	// Gone: it was verified that no VM is left.
	Gone bool
	// Left are the VMs that were there at the last look.
	Left []Guest
	// Err is why Gone is false: ErrLeft with the reason, or the end of the context.
	Err error
}

// Bound is the most time that Stop takes; 0 for an unknown action. With PowerOff for the sum of all ways
// (config.PowerOffSysrq counts twice) it is
//
//	destroy:  Destroy + Kill + PowerOff + Margin
//	shutdown: Destroy/2 + Shutdown + PowerOff + Margin
//	command:  Destroy/2 + Command + Kill + Destroy + Kill + PowerOff + Margin
func (h Host) Bound() time.Duration {
	c := h.Settings
	var stages time.Duration
	switch c.Action {
	case config.ActionDestroy:
		stages = c.DestroyLimit + h.KillLimit
	case config.ActionShutdown:
		stages = c.DestroyLimit/2 + c.ShutdownLimit
	case config.ActionCommand:
		stages = c.DestroyLimit/2 + c.CommandLimit + h.KillLimit + c.DestroyLimit + h.KillLimit
	default:
		return 0
	}
	for _, way := range c.PowerOff {
		stages += h.PowerOffLimit
		if isSysrq(way) {
			stages += h.PowerOffLimit
		}
	}
	return stages + Margin
}

func isSysrq(way []string) bool { return len(way) == 1 && way[0] == config.PowerOffSysrq }
