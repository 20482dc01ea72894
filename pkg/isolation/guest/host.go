package guest

import (
	"errors"
	"time"
)

// Host is this host: where its VMs are found, and what they are stopped with. Nothing
// has a default here, so the zero value can neither find nor stop anything. Its methods
// may be called at the same time.
type Host struct {
	// Libvirt is the URI that virsh is called with, such as qemu:///system.
	Libvirt string
	// Virsh is the path of virsh; "": it is looked for in /usr/bin, /bin and PATH.
	Virsh string
	// Proc is where the kernel shows processes: "/proc".
	Proc string
	// Shutdown begins an orderly shutdown of the host: path and arguments. The exit code
	// 0 says that it has begun.
	Shutdown []string
	// PowerOff are the ways to force the host off, in this order: path and arguments, or
	// exactly PowerOffSysrq.
	PowerOff [][]string
	// SysrqTrigger is the file that the kernel is told through, /proc/sysrq-trigger; "":
	// PowerOffSysrq is not available.
	SysrqTrigger string
	// Command is what the action Command runs: path and arguments. What it leaves running
	// in its process group is killed when it ends.
	Command []string
	Limits  Limits
	// Notify gets what is done; warning is for what went wrong. It must not block. It is called
	// from several goroutines, by one at a time, and not any more when the method that was
	// called has returned. It may be nil.
	Notify func(text string, warning bool)
}

// PowerOffSysrq is a way of Host.PowerOff: the kernel is told to power off, and, if that
// does nothing, to reset the machine, through Host.SysrqTrigger.
const PowerOffSysrq = "sysrq"

// Limits are the most time for each stage.
type Limits struct {
	// Destroy is for finding the VMs (half of it) and destroying all of them through
	// libvirt.
	Destroy time.Duration
	// Kill is from the SIGKILL until all VMs are gone. The kernel has to free their memory
	// in it.
	Kill time.Duration
	// Shutdown is from the beginning of an orderly shutdown until the VMs are gone.
	Shutdown time.Duration
	// Command is for the program of the action Command.
	Command time.Duration
	// PowerOff is for each way to force the host off; PowerOffSysrq has it twice.
	PowerOff time.Duration
}

const (
	// lookLimit is the most time for one look at all processes. A look takes about 50 ms
	// per 1000 processes (measured, 2 cores); this is for a host with a high load.
	lookLimit = 2 * time.Second
	// fairAsk is less than what libvirt is given for its list; a sound one takes 20 ms.
	fairAsk = 500 * time.Millisecond
	// lastLimit is for a last look at the end of a stage: at the processes, and half of
	// the rest for libvirt, which is not less than fairAsk then.
	lastLimit = lookLimit + 2*fairAsk
	// Margin is what Bound adds to the limits: for a last look before the host is forced
	// off (3 s), and for a machine that is slow to run this process (2 s).
	Margin = lastLimit + 2*time.Second
)

// Action is how VMs are stopped.
type Action string

// The actions, with the names of the configuration.
const (
	// Destroy destroys the VMs; the host stays up if that works.
	Destroy Action = "destroy"
	// Shutdown shuts the host down.
	Shutdown Action = "shutdown"
	// Command runs a program of the site.
	Command Action = "command"
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

// Bound is the most time that Stop takes for an action; 0 for an unknown one. With
// PowerOff for the sum of all ways (PowerOffSysrq counts twice) it is
//
//	destroy:  Destroy + Kill + PowerOff + Margin
//	shutdown: Destroy/2 + Shutdown + PowerOff + Margin
//	command:  Destroy/2 + Command + Kill + Destroy + Kill + PowerOff + Margin
func (h Host) Bound(action Action) time.Duration {
	l := h.Limits
	var stages time.Duration
	switch action {
	case Destroy:
		stages = l.Destroy + l.Kill
	case Shutdown:
		stages = l.Destroy/2 + l.Shutdown
	case Command:
		stages = l.Destroy/2 + l.Command + l.Kill + l.Destroy + l.Kill
	default:
		return 0
	}
	for _, way := range h.PowerOff {
		stages += l.PowerOff
		if isSysrq(way) {
			stages += l.PowerOff
		}
	}
	return stages + Margin
}

// isSysrq reports whether a way to force the host off is PowerOffSysrq.
func isSysrq(way []string) bool { return len(way) == 1 && way[0] == PowerOffSysrq }
