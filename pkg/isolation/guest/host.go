package guest

import (
	"errors"
	"time"

	"one-ft/pkg/config"
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
	// Notify gets what is done; warning is for what went wrong. It must not block. It is called from several
	// goroutines, by one at a time, and not any more when the method that was called has returned. It may be nil.
	Notify func(text string, warning bool)
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
