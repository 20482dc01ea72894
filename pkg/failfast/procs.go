package failfast

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/process"
	"one-ft/pkg/text"
)

// ErrGone is a process that has ended, or whose number another has now.
var ErrGone = errors.New("the process has ended")

// Process is a process of a user.
type Process struct {
	PID int
	// Started is when it began, in clock ticks since the machine did (proc(5), field 22): a number that another
	// process gets later has another.
	Started uint64
	Since   time.Time // when that was; the zero time where it is not known
	UID     int
	Parent  int // PID
	Args    []string
}

// OS is the machine itself.
type OS struct {
	// Proc is /proc; another one is for tests, and then nothing is signalled that is not in there.
	Proc string
	// Runner runs programs; nil is process.Run.
	Runner process.Runner
	// Client is the ssh client that the drivers use; "" is the first one in the usual places.
	Client string
}

// SSH implements Machine.
func (o OS) SSH() (string, error) {
	switch {
	case o.Client == "":
		return findSSH()
	case !process.Runnable(o.Client):
		return "", fmt.Errorf("%w: %s, which the configuration names, is not a program", ErrNoSSH, text.Printable(o.Client))
	}
	return o.Client, nil
}

// Run implements Machine.
func (o OS) Run(ctx context.Context, limit time.Duration, p process.Program) process.Result {
	if o.Runner != nil {
		return o.Runner(ctx, limit, p)
	}
	return process.Run(ctx, limit, p)
}

// maxArgs is how much of the words of a process is read; the name of the host is among the first.
const maxArgs = 64 << 10

// Processes implements Machine.
func (o OS) Processes(uid int) ([]Process, error) {
	dirs, err := os.ReadDir(o.Proc)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []Process
	for _, d := range dirs {
		if pid, err := strconv.Atoi(d.Name()); err == nil {
			if p, is := o.process(pid, uid); is {
				found = append(found, p)
			}
		}
	}
	return found, nil
}

// process reads one process, if it is of that user. One that ends meanwhile cannot be read any more.
func (o OS) process(pid, uid int) (p Process, is bool) {
	stat, gone := o.stat(pid)
	status, noStatus := process.ReadStart(o.file(pid, "status"), maxArgs)
	words, noWords := process.ReadStart(o.file(pid, "cmdline"), maxArgs)
	if owner, ok := uidIn(status); errors.Join(gone, noStatus, noWords) != nil || !ok || owner != uid {
		return Process{}, false
	}
	args := strings.Split(strings.TrimRight(string(words), "\x00"), "\x00")
	return Process{PID: pid, Started: stat.Started, Since: process.StartedAt(process.BootTime(o.Proc), stat.Started), UID: uid, Parent: stat.Parent, Args: args}, true
}

func (o OS) file(pid int, name string) string {
	return filepath.Join(o.Proc, strconv.Itoa(pid), name)
}

// stat reads what the kernel says of a process; ErrGone when it has ended. A zombie has.
func (o OS) stat(pid int) (process.Stat, error) {
	stat, err := process.ReadStat(o.file(pid, ""))
	if err != nil || stat.Started == 0 || stat.Zombie() {
		return process.Stat{}, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	return stat, nil
}

// uidIn is the real user in a status file. The owner of the directory would be root for a process that does not want
// to be looked at.
func uidIn(status []byte) (int, bool) {
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Uid:" {
			uid, err := strconv.Atoi(fields[1])
			return uid, err == nil
		}
	}
	return 0, false
}

// Signal implements Machine. The process is held by a descriptor while it is compared, so that the signal cannot
// reach another (pidfd_open, Linux 5.3); older kernels have an instant in between.
func (o OS) Signal(p Process, s syscall.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	held := err == nil
	if held {
		defer unix.Close(fd)
	} else if errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("process %d: %w", p.PID, ErrGone)
	}
	stat, err := o.stat(p.PID)
	switch {
	case err != nil:
		return err
	case stat.Started != p.Started:
		return fmt.Errorf("process %d: %w", p.PID, ErrGone)
	case held:
		err = unix.PidfdSendSignal(fd, s, nil, 0)
	default:
		err = unix.Kill(p.PID, s)
	}
	if errors.Is(err, unix.ESRCH) {
		err = ErrGone
	}
	if err != nil {
		return fmt.Errorf("signal process %d: %w", p.PID, err)
	}
	return nil
}
