package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"one-ft/pkg/process"
)

// System is what a Host looks at this machine with, and what it does things through: OS, or a simulated machine. A call may
// never return, so all but Run and Connect, which end with their context, are made beside the work. They may be called at the same time.
type System interface {
	// Read reads a file that the kernel or libvirt shows, at most its first bytes up to the limit. One that is not there is os.ErrNotExist.
	Read(path string, limit int64) ([]byte, error)
	// List returns the names in a directory, in any order.
	List(dir string) ([]string, error)
	// Find returns the path of a program; "" when it is not installed.
	Find(program string) string
	// Run runs a program until it or ctx ends, as process.Run does.
	Run(ctx context.Context, p process.Program) process.Result
	// Connect returns nil when somebody accepts connections at a Unix socket.
	Connect(ctx context.Context, socket string) error
	// Signal sends a signal to a process if same says that it is the right one. When same is called, nobody can get its number
	// any more. sent is true also for one that has ended meanwhile.
	Signal(pid int, sig syscall.Signal, same func() bool) (sent bool, err error)
	// Unmount unmounts the file system at a directory.
	Unmount(point string) error
	// Control tells a block device something: a request of ioctl_list(2) without an argument. Whether it has obeyed is seen elsewhere.
	Control(device string, request uint) error
}

// OS is the System of this machine.
type OS struct{}

// longest is more than any limit; programs end with their context.
const longest = 24 * time.Hour

// Read implements System.
func (OS) Read(path string, limit int64) ([]byte, error) { return process.ReadStart(path, limit) }

// List implements System.
func (OS) List(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// Find implements System: it looks in /usr/bin, /bin and PATH.
func (OS) Find(program string) string {
	for _, dir := range append([]string{"/usr/bin", "/bin"}, filepath.SplitList(os.Getenv("PATH"))...) {
		if path := filepath.Join(dir, program); filepath.IsAbs(path) && process.Runnable(path) {
			return path
		}
	}
	return ""
}

// Run implements System.
func (OS) Run(ctx context.Context, p process.Program) process.Result {
	// Go starts a program with its own thread held by the kernel until the program has been read, and with it sooner
	// or later the whole process; a read alone holds up one goroutine. An error is that of the start, too.
	_, _ = process.ReadStart(p.Path, 4096)
	return process.Run(ctx, longest, p)
}

// Connect implements System.
func (OS) Connect(ctx context.Context, socket string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err == nil {
		conn.Close()
	}
	return err
}

// Signal implements System.
func (OS) Signal(pid int, sig syscall.Signal, same func() bool) (sent bool, err error) {
	// A pidfd stands for this process whoever gets its number later (Linux 5.3 and Go 1.23). So what is read after it
	// was opened is about the one that gets the signal.
	proc, err := os.FindProcess(pid)
	if err != nil {
		return false, fmt.Errorf("find it: %w", err)
	}
	defer func() { _ = proc.Release() }()
	if !same() {
		return false, nil
	}
	if err := proc.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("%s: %w", unix.SignalName(sig), err)
	}
	return true, nil
}

// Unmount implements System.
func (OS) Unmount(point string) error { return unix.Unmount(point, unix.UMOUNT_NOFOLLOW) }

// Control implements System.
func (OS) Control(device string, request uint) error {
	f, err := os.OpenFile(device, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.IoctlSetInt(int(f.Fd()), request, 0)
}
